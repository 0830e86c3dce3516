"""Recommendations that are confirmed or overridden, and claims, over HTTP."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import Part, RecommendAnswer, WarningPart
from api.auth.principal import principal_of
from api.body import read_body
from api.claims.again import decided_again, kept_answer, newest_valid
from api.claims.claim_rows import live_claims, read_claim
from api.claims.records import Claim, Overridden, RefusalCode, Refused
from api.claims.schemas import ClaimAnswer, ClaimsAnswer, OverrideAnswer, claim_part
from api.claims.writes import Lost, claim_refused, confirming, overriding, releasing
from api.desk import Desk
from api.errors import ClaimRefused, NoSuchClaim, NoSuchRecommendation
from api.idempotency import Kept, Keyed, mend_answer
from api.keyed_writes import Do, keyed_of, response_of, write_once
from api.service import Service

router = APIRouter(tags=["claims"])

CONFIRM: Final = "/v1/recommendations/{recommendation_id}/confirm"
ONE_RECOMMENDATION: Final = "/v1/recommendations/{recommendation_id}"
CLAIMS: Final = "/v1/claims"
ONE_CLAIM: Final = "/v1/claims/{claim_id}"
RELEASE: Final = "/v1/claims/{claim_id}/release"
OVERRIDE: Final = "/v1/incidents/{incident_id:path}/override"

_STAYS: Final = frozenset(
    {RefusalCode.NOTHING_TO_CONFIRM, RefusalCode.OVERRIDE_NOT_OFFERED, RefusalCode.PAIR_INCOMPLETE}
)
"""What is wrong with what was asked; the recommendation stands."""


@router.post(
    CONFIRM,
    summary="Confirm a recommendation",
    operation_id="confirm_recommendation",
    response_class=Response,
    responses={200: {"description": "The claim", "model": ClaimAnswer}},
)
async def confirm(recommendation_id: str, request: Request) -> Response:
    """Claim the units of a recommendation for its call: all of them or none.

    Refused with 409, the reasons by unit and a fresh recommendation where a unit was taken or
    changed meanwhile or the recommendation is no longer the one. Confirmed again, it is answered
    with the same claim. The claim ends when the CAD has all of its units on the call.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    made: list[Claim] = []
    by, claim_s = principal_of(request.scope), service.settings.claim_s
    do = confirming(recommendation_id, body, by, claim_s, made.append)
    kept = await _write(service, service.current_desk(), keyed_of(request, body), do)
    if made:
        service.metrics.claims.add("CONFIRMED")
    return response_of(kept)


@router.get(
    ONE_RECOMMENDATION,
    summary="A recommendation as it was answered",
    operation_id="get_recommendation",
    response_class=Response,
    responses={200: {"description": "The answer, byte for byte", "model": RecommendAnswer}},
)
async def get_recommendation(recommendation_id: str, request: Request) -> Response:
    """Answer a recommendation that was recorded, byte for byte as it was sent."""
    service: Service = request.app.state.service
    kept = await asyncio.to_thread(kept_answer, service.current_desk(), recommendation_id)
    if kept is None:
        raise NoSuchRecommendation(
            "No recommendation with this id is kept.",
            remedy="Those that were answered with `recorded: true` are.",
        )
    return Response(kept[0], media_type="application/json")


@router.get(
    CLAIMS,
    summary="Live claims",
    operation_id="list_claims",
    response_class=Response,
    responses={200: {"description": "Oldest first", "model": ClaimsAnswer}},
)
async def list_all(request: Request) -> Response:
    """Answer the claims that hold units now, oldest first."""
    service: Service = request.app.state.service
    desk = service.current_desk()

    def read() -> list[Claim]:
        with desk.database.reading() as connection:
            return live_claims(connection)

    found = await asyncio.to_thread(read)
    return _json(ClaimsAnswer(claims=[claim_part(claim) for claim in found]))


@router.get(
    ONE_CLAIM,
    summary="One claim",
    operation_id="get_claim",
    response_class=Response,
    responses={200: {"description": "The claim, live or ended", "model": ClaimAnswer}},
)
async def get_one(claim_id: str, request: Request) -> Response:
    """Answer a claim, live or ended."""
    service: Service = request.app.state.service
    desk = service.current_desk()

    def read() -> Claim | None:
        with desk.database.reading() as connection:
            return read_claim(connection, claim_id)

    found = await asyncio.to_thread(read)
    if found is None:
        raise NoSuchClaim("No claim has this id.", remedy="GET /v1/claims lists the live ones.")
    return _json(ClaimAnswer(claim=claim_part(found), warnings=[]))


@router.post(
    RELEASE,
    summary="Give a claim up",
    operation_id="release_claim",
    response_class=Response,
    responses={200: {"description": "Released, now or before", "model": ClaimAnswer}},
)
async def release(claim_id: str, request: Request) -> Response:
    """Free the units of a claim; its call is looked at again. Released again, nothing changes."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    do = releasing(claim_id, body, principal_of(request.scope))
    kept = await _write(service, service.current_desk(), keyed_of(request, body), do)
    service.metrics.claims.add("RELEASED")
    return response_of(kept)


@router.post(
    OVERRIDE,
    summary="Override a recommendation",
    operation_id="override_recommendation",
    response_class=Response,
    responses={200: {"description": "As it is kept", "model": OverrideAnswer}},
)
async def override(incident_id: str, request: Request) -> Response:
    """Do something else than was recommended, by who may and with the reason.

    USE_OTHER_UNIT, DIVERT_UNIT and USE_RESERVE claim the named units in the place of those of their
    kind: all or none, and never a unit that another claim holds. The other actions are kept with
    the call, and a recommendation is made with them.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    made: list[tuple[Overridden, list[WarningPart]]] = []
    do = overriding(
        incident_id,
        body,
        principal_of(request.scope),
        service.settings.claim_s,
        lambda one, warnings: made.append((one, warnings)),
    )
    desk, keyed = service.current_desk(), keyed_of(request, body)
    kept = await _write(service, desk, keyed, do)
    for one, _ in made:
        service.metrics.overrides.add(one.action, one.reason)
        if one.claim is None:
            kept = await _with_recommendation(service, desk, keyed, kept, one)
    return response_of(kept)


async def _with_recommendation(
    service: Service, desk: Desk, keyed: Keyed | None, kept: Kept, made: Overridden
) -> Kept:
    """Return the answer with what is recommended now, and keep it as the first answer."""
    fresh = await decided_again(service, desk, made.incident_id, made)
    if fresh is None:
        return kept
    nothing = b'"recommendation":null'
    answer = kept.answer.replace(nothing, b'"recommendation":' + fresh, 1)
    if keyed is not None:
        await desk.writer.write(lambda tx: mend_answer(tx, keyed, answer))
    return Kept(status=kept.status, answer=answer)


async def _write(service: Service, desk: Desk, keyed: Keyed | None, do: Do) -> Kept:
    try:
        return await write_once(desk, keyed, do)
    except Lost as lost:
        raise await _refusal(service, desk, lost.refused) from None


async def _refusal(service: Service, desk: Desk, refused: Refused) -> ClaimRefused:
    """Return a refusal, with what is recommended for the call as it is now."""
    for reason in refused.reasons:
        service.metrics.claim_refusals.add(reason.code)
    codes = {reason.code for reason in refused.reasons}
    fresh = None
    if not codes & _STAYS:
        if codes == {RefusalCode.RECOMMENDATION_SUPERSEDED}:
            fresh = await newest_valid(service, desk, refused.incident_id)
        if fresh is None:
            await asyncio.to_thread(_look, service, desk, refused)
            fresh = await decided_again(service, desk, refused.incident_id)
    return claim_refused(refused, fresh)


def _look(service: Service, desk: Desk, refused: Refused) -> None:
    """Read what stood in the way, which may be another's doing that is not known here yet."""
    units = {reason.unit_id for reason in refused.reasons if reason.unit_id is not None}
    if desk.claims is not None:
        desk.claims.refill()
    if units:
        service.current_roster().refresh(service.now(), changed=units)


def _json(answer: Part) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
