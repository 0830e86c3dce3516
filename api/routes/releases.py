"""Releases over HTTP: which were published, which is in force, and the way back."""

import asyncio
import json
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import Part
from api.auth.principal import principal_of
from api.body import read_body
from api.idempotency import first_answer
from api.keyed_writes import keyed_of, response_of, write_once
from api.releases.publications import read_publications
from api.releases.publishing import require_release
from api.releases.schemas import (
    LiveAnswer,
    PublicationPart,
    PublishedAnswer,
    ReleaseAnswer,
    ReleasesAnswer,
    RollbackWrite,
)
from api.releases.writes import Do, history, rolling_back, sent_by, withdrawing
from api.routes.drafts import live_here
from api.service import Service

router = APIRouter(tags=["releases"])

RELEASES: Final = "/v1/releases"
LIVE: Final = "/v1/releases/live"
ROLLBACK: Final = "/v1/releases/rollback"
WITHDRAW: Final = "/v1/releases/{number}/withdraw"
ONE_RELEASE: Final = "/v1/releases/{key:path}"


@router.get(
    RELEASES,
    summary="All publications",
    operation_id="list_releases",
    response_class=Response,
    responses={200: {"description": "The newest first", "model": ReleasesAnswer}},
)
async def list_all(request: Request) -> Response:
    """Answer all publications, the newest first; none before the first."""
    return _json(ReleasesAnswer(publications=await _history(request)))


@router.get(
    LIVE,
    summary="The release in force",
    operation_id="get_live_release",
    response_class=Response,
    responses={200: {"description": "What this instance decides by", "model": LiveAnswer}},
)
async def live(request: Request) -> Response:
    """Answer the release that this instance decides by now."""
    service: Service = request.app.state.service
    desk, told = service.current_desk(), await _history(request)
    view = service.current_view()
    taken = None if desk.releases is None else desk.releases.publication
    versions = view.situation.versions
    return _json(
        LiveAnswer(
            release_key=view.release_key or desk.witness.sources.release.key,
            release_id=view.release.release_id,
            zone_version=versions.zone_version,
            policy_version=versions.policy_version,
            publication=next((p for p in told if taken and p.number == taken.number), None),
        )
    )


@router.post(
    ROLLBACK,
    summary="Go back to an earlier release",
    operation_id="roll_back",
    response_class=Response,
    responses={200: {"description": "The publication", "model": PublishedAnswer}},
)
async def roll_back(request: Request) -> Response:
    """Put an earlier release in force again, by default the one before, on all instances.

    A second step without a key goes back further. What is scheduled stays; the answer names it.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    told = sent_by(RollbackWrite, body, principal_of(request.scope))
    desk, keyed = service.current_desk(), keyed_of(request, body)
    settings_release = desk.witness.sources.release

    def prepared() -> Do:
        with desk.database.reading() as connection:
            first = None if keyed is None else first_answer(connection, keyed)
            if first is not None:
                return lambda _tx: first
            return rolling_back(told, connection, settings_release, service.now())

    do = await asyncio.to_thread(prepared)
    return await _written(request, body, do)


@router.post(
    WITHDRAW,
    summary="Take a scheduled publication back",
    operation_id="withdraw_release",
    response_class=Response,
    responses={200: {"description": "Taken back, now or before", "model": PublishedAnswer}},
)
async def withdraw(number: str, request: Request) -> Response:
    """Take a publication back whose instant has not come."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    return await _written(request, body, withdrawing(number, body, principal_of(request.scope)))


@router.get(
    ONE_RELEASE,
    summary="A release that is kept",
    operation_id="get_release",
    response_class=Response,
    responses={200: {"description": "Its file and its zones", "model": ReleaseAnswer}},
)
async def get_one(key: str, request: Request) -> Response:
    """Answer the file and the zones of a release by its key, as it was published."""
    service: Service = request.app.state.service
    desk = service.current_desk()

    def read() -> Response:
        with desk.database.reading() as connection:
            found = require_release(connection, key)
        zones = found.other_zones or found.zones_text
        answer = ReleaseAnswer(
            release_key=key,
            release_id=found.release_id,
            policy=found.text,
            zones=None if zones is None else json.loads(zones),
        )
        return _json(answer)

    return await asyncio.to_thread(read)


async def _history(request: Request) -> list[PublicationPart]:
    service: Service = request.app.state.service
    desk = service.current_desk()

    def read() -> list[PublicationPart]:
        with desk.database.reading() as connection:
            return history(read_publications(connection), service.now())

    return await asyncio.to_thread(read)


async def _written(request: Request, body: bytes, do: Do) -> Response:
    service: Service = request.app.state.service
    desk = service.current_desk()
    kept = await write_once(desk, keyed_of(request, body), do)
    await live_here(desk)
    return response_of(kept)


def _json(answer: Part) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
