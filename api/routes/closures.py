"""Closures of streets over HTTP: /v1/closures, /v1/closures/{closure_id}."""

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import Part
from api.auth.principal import principal_of
from api.body import read_body
from api.closures.closure_rows import list_closures, read_closure
from api.closures.judging import closure_answer, judged, part_of
from api.closures.live_closures import LiveClosures
from api.closures.operations import IN_USE_MAX, require_closure
from api.closures.records import ClosureState, KeptClosure
from api.closures.schemas import (
    ActivateWrite,
    ClosureAnswer,
    ClosuresAnswer,
    ClosureWrite,
    EndWrite,
)
from api.closures.writes import (
    Do,
    activating,
    deleting,
    ending,
    proposing,
    read_told,
    replacing,
)
from api.desk import Desk
from api.idempotency import Keyed, once
from api.keyed_writes import answered_once, response_of
from api.service import Service

router = APIRouter(tags=["closures"])

CLOSURES: Final = "/v1/closures"
ONE_CLOSURE: Final = "/v1/closures/{closure_id}"
ACTIVATE: Final = "/v1/closures/{closure_id}/activate"
END: Final = "/v1/closures/{closure_id}/end"

Make = Callable[[Desk, LiveClosures], Do]


@router.get(
    CLOSURES,
    summary="Closures",
    operation_id="list_closures",
    response_class=Response,
    responses={200: {"description": "In the order of their proposal", "model": ClosuresAnswer}},
)
async def list_all(request: Request, state: ClosureState | None = None) -> Response:
    """Answer the closures that are proposed or active, or those of one state.

    The latest 1,000 at most, the oldest first.
    """
    service: Service = request.app.state.service
    desk, live = _desk(service)

    def read() -> ClosuresAnswer:
        now = service.now()
        with desk.database.reading() as connection:
            found = list_closures(connection, state=state, at=now, most=IN_USE_MAX)
        return ClosuresAnswer(closures=[part_of(live, one, now) for one in found])

    return _json(await asyncio.to_thread(read))


@router.post(
    CLOSURES,
    summary="Propose a closure",
    operation_id="propose_closure",
    response_class=Response,
    status_code=201,
    responses={201: {"description": "Proposed; it closes nothing yet", "model": ClosureAnswer}},
)
async def propose(request: Request) -> Response:
    """Keep a closure that closes nothing until it is activated, and say what it would do."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    told = read_told(ClosureWrite, body, principal_of(request.scope))
    return await _written(request, body, lambda _desk, live: proposing(live, told, service.now()))


@router.get(
    ONE_CLOSURE,
    summary="One closure",
    operation_id="get_closure",
    response_class=Response,
    responses={200: {"description": "The closure and what it does", "model": ClosureAnswer}},
)
async def get_one(closure_id: str, request: Request) -> Response:
    """Answer a closure, whatever became of it, and what it does or would do."""
    service: Service = request.app.state.service
    desk, live = _desk(service)

    def read() -> ClosureAnswer:
        kept, now = _read(desk, closure_id), service.now()
        return closure_answer(live, kept, now, judged(live, kept, now), [])

    return _json(await asyncio.to_thread(read))


@router.put(
    ONE_CLOSURE,
    summary="Change a proposed closure",
    operation_id="replace_closure",
    response_class=Response,
    responses={200: {"description": "Changed", "model": ClosureAnswer}},
)
async def replace(closure_id: str, request: Request) -> Response:
    """Put other content in the place of a closure's that nobody has activated yet."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    told = read_told(ClosureWrite, body, principal_of(request.scope))

    def make(_desk: Desk, live: LiveClosures) -> Do:
        return replacing(live, closure_id, told, service.now())

    return await _written(request, body, make)


@router.delete(
    ONE_CLOSURE,
    summary="Delete a proposed closure",
    operation_id="delete_closure",
    response_class=Response,
    responses={200: {"description": "As it was", "model": ClosureAnswer}},
)
async def delete(closure_id: str, request: Request) -> Response:
    """Take a closure away that nobody has activated; an active one is ended instead."""
    by = principal_of(request.scope)
    return await _written(request, b"", lambda _desk, live: deleting(live, closure_id, by))


@router.post(
    ACTIVATE,
    summary="Activate a closure",
    operation_id="activate_closure",
    response_class=Response,
    responses={200: {"description": "Decisions read it now", "model": ClosureAnswer}},
)
async def activate(closure_id: str, request: Request) -> Response:
    """Have a proposed closure close its streets within its times from now on.

    Refused before anything takes effect: where it cuts off streets or posts, unless
    `accept_cut_off` says that this is meant, and where it closes more than 1 % of the network,
    unless a supervisor activates it.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    told = read_told(ActivateWrite, body, principal_of(request.scope))

    def make(desk: Desk, live: LiveClosures) -> Do:
        return activating(live, _read(desk, closure_id), told, service.now())

    return await _written(request, body, make)


@router.post(
    END,
    summary="End a closure",
    operation_id="end_closure",
    response_class=Response,
    responses={200: {"description": "Ended, now or before", "model": ClosureAnswer}},
)
async def end(closure_id: str, request: Request) -> Response:
    """Open the streets of an active closure now, or set another end. Ended again, nothing changes.

    Other closures of the same streets go on.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    told = read_told(EndWrite, body, principal_of(request.scope))

    def make(desk: Desk, live: LiveClosures) -> Do:
        return ending(live, _read(desk, closure_id), told, service.now())

    return await _written(request, body, make)


async def _written(request: Request, body: bytes, make: Make) -> Response:
    """Do a write once for its Idempotency-Key; what is looked up before it is in a thread."""
    service: Service = request.app.state.service
    desk, live = _desk(service)

    async def answer(keyed: Keyed | None) -> Response:
        do = await asyncio.to_thread(make, desk, live)
        return response_of(await desk.writer.write(lambda tx: once(tx, keyed, do)))

    return await answered_once(service, request, body, answer, keeps=True)


def _desk(service: Service) -> tuple[Desk, LiveClosures]:
    desk = service.current_desk()
    assert desk.closures is not None, "a desk whose closures nobody shows"
    return desk, desk.closures


def _read(desk: Desk, closure_id: str) -> KeptClosure:
    with desk.database.reading() as connection:
        return require_closure(read_closure(connection, closure_id))


def _json(answer: Part) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
