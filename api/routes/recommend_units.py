"""POST /v1/recommend-units."""

from functools import lru_cache
from typing import Final, Protocol

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import RecommendAnswer
from api.auth.principal import principal_of
from api.body import read_body
from api.idempotency import HEADER, Keyed
from api.keyed_writes import answered_once
from api.observe import note
from api.operations import recommend_units
from api.service import Service

router = APIRouter(tags=["recommendations"])

PATH: Final = "/v1/recommend-units"


class Written(Protocol):
    """An answer to one call or to several."""

    @property
    def body(self) -> bytes:
        """The answer as JSON."""

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        """The seconds that each stage took."""


class AnswerResponse(Response):
    """An answer that is bytes already, with the two headers that say what and how long."""

    def __init__(self, answered: Written) -> None:
        self.status_code = 200
        self.background = None
        self.body = answered.body
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self.body)),
            (b"server-timing", server_timing(answered).encode()),
        ]


@router.post(
    PATH,
    summary="Recommend a pair of units for one call",
    operation_id="recommend_units",
    response_class=Response,
    responses={
        200: {"description": "DISPATCH, HOLD or NOT_ELIGIBLE", "model": RecommendAnswer},
    },
)
async def recommend(request: Request) -> Response:
    """Answer which CARE and which SPD unit to send, when both arrive, where CARE stages, and why.

    All three outcomes answer 200. One bad unit never fails a request: it is left out or read in
    part, and named in `warnings`. 422 means that the call itself cannot be understood.
    """
    service: Service = request.app.state.service
    view = service.current_view()
    body = await read_body(request, service.settings)
    by = principal_of(request.scope)

    async def answer(keyed: Keyed | None) -> Response:
        answered = recommend_units(
            view, body, now=service.now, decide=service.decide, calls=service.calls, by=by
        )
        note(request.scope, service.count(answered))
        return AnswerResponse(await service.recorded(answered, body, keyed))

    if HEADER.lower() not in request.headers:
        return await answer(None)
    return await answered_once(service, request, body, answer, keeps=True, whatever=True)


def server_timing(answered: Written) -> str:
    """Return the stages and their sum in the form of the header Server-Timing, in milliseconds."""
    stages = answered.stages
    took_ms = [1000 * s for _, s in stages]
    return _timing_of(tuple([stage for stage, _ in stages])) % (*took_ms, sum(took_ms))


@lru_cache(maxsize=64)
def _timing_of(stages: tuple[str, ...]) -> str:
    """Return the header with a place for each figure; there are few orders of stages."""
    return ", ".join([f"{stage};dur=%.3f" for stage in (*stages, "total")])
