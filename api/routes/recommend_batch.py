"""POST /v1/recommend-units/batch."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth.principal import Principal, principal_of
from api.batch_schemas import RecommendBatchAnswer
from api.body import read_body
from api.idempotency import Keyed
from api.keyed_writes import answered_once
from api.ladder import Told, always_answering
from api.observe import note
from api.recording import Record, as_recorded
from api.routes.recommend_units import AnswerResponse
from api.service import Service
from routing.codes import Eta

if TYPE_CHECKING:
    from api.batch_operations import BatchAnswered

router = APIRouter(tags=["recommendations"])

PATH: Final = "/v1/recommend-units/batch"


@router.post(
    PATH,
    summary="Recommend pairs of units for several pending calls together",
    operation_id="recommend_units_batch",
    response_class=Response,
    responses={200: {"description": "One answer for each call", "model": RecommendBatchAnswer}},
)
async def recommend_all(request: Request) -> Response:
    """Decide up to 200 pending calls together: no unit is in two answers.

    The most calls of the best priority are served, then of the next, then in the fewest seconds.
    A call that cannot be understood is left out and named in `warnings`; 422 when none can be.
    Batches are decided one at a time; beyond a bounded line they are refused with 503.
    """
    service: Service = request.app.state.service
    service.current_view()  # refuses before anything is read when there is none
    body = await read_body(request, service.settings)
    arrived_s, loop = perf_counter(), asyncio.get_running_loop()

    def told(fault: BaseException, rung: Eta) -> None:
        loop.call_soon_threadsafe(service.note_fall, fault, rung)

    by = principal_of(request.scope)
    decided = partial(_decided, service, body, arrived_s, told, by)

    async def answer(keyed: Keyed | None) -> Response:
        answered, records = await service.batches.run(decided)
        kept = as_recorded(answered.body)
        if await service.kept(records, None if keyed is None else (keyed, kept)):
            answered = replace(answered, body=kept)
        took_s = perf_counter() - arrived_s
        note(request.scope, service.count_batch(answered, took_s))
        return AnswerResponse(answered)

    return await answered_once(service, request, body, answer, keeps=True, whatever=True)


def _decided(
    service: Service, body: bytes, arrived_s: float, told: Told, by: Principal
) -> "tuple[BatchAnswered, Sequence[Record]]":
    """Decide, in the thread of the batches, by the view that is current when their turn comes."""
    from api.batch_operations import (
        recommend_together,
        since,
    )  # brings the solver: 0.1 s of a start
    from routing.recommend_batch import recommend_batch

    decide = always_answering(recommend_batch, told)
    answered = recommend_together(
        service.current_view(),
        body,
        elapsed_s=since(arrived_s),
        decide=decide,
        calls=service.calls,
        solve=service.solver.solve,
        now=service.now,
        by=by,
    )
    if service.desk is None or not service.records(answered.request.as_of):
        return answered, ()
    return answered, service.records_of(service.desk, answered, body)


def load_solvers() -> None:
    """Import what the first batch would have to wait for: up to a second on a cold disk."""
    import api.batch_operations  # noqa: F401
    import routing.pairing_program  # noqa: F401
