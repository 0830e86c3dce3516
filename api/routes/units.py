"""The roster over HTTP: /v1/units, /v1/units/{unit_id}, /v1/units/positions."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import Part
from api.auth.principal import principal_of
from api.body import read_body
from api.idempotency import Keyed
from api.keyed_writes import KeepOnce, answered_once, response_of
from api.position_feed import move_units
from api.roster_figures import count_positions, count_snapshot, count_unit
from api.roster_operations import get_unit, list_units, put_unit, reconcile, remove_unit
from api.roster_schemas import (
    PositionsWritten,
    RosterAnswer,
    SnapshotWritten,
    UnitAnswer,
    UnitResult,
    UnitWritten,
)
from api.service import Service

router = APIRouter(tags=["roster"])

Written = TypeVar("Written", bound=Part)

UNITS: Final = "/v1/units"
POSITIONS: Final = "/v1/units/positions"
ONE_UNIT: Final = "/v1/units/{unit_id:path}"
"""An id may hold a slash."""


def _json(answer: Part) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


@router.get(
    UNITS,
    summary="The roster",
    operation_id="list_units",
    response_class=Response,
    responses={200: {"description": "All units", "model": RosterAnswer}},
)
async def list_all(request: Request) -> Response:
    """Answer all units as the roster has them, in the order of unit_id."""
    service: Service = request.app.state.service
    return _json(await asyncio.to_thread(list_units, service.current_roster().store))


@router.put(
    UNITS,
    summary="Make the roster what the CAD has",
    operation_id="reconcile_units",
    response_class=Response,
    responses={200: {"description": "The differences", "model": SnapshotWritten}},
)
async def put_all(request: Request) -> Response:
    """Take a full snapshot of the CAD and answer the differences, which are mended now.

    Units that are not in it go off the roster. A bad row is named in `warnings` and its unit stays
    as it was.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)

    def told(written: SnapshotWritten) -> None:
        count_snapshot(service.metrics, written)
        service.log.info(
            "snapshot",
            version=written.roster_version,
            added=len(written.added),
            changed=len(written.changed),
            removed=len(written.removed),
            conflicts=len(written.conflicts) + written.conflicts_left_out,
        )

    write = partial(reconcile, body=body, by=principal_of(request.scope))
    return await _written_once(service, request, body, write, told)


@router.post(
    POSITIONS,
    summary="Positions of many units",
    operation_id="move_units",
    response_class=Response,
    responses={200: {"description": "What became of each row", "model": PositionsWritten}},
)
async def post_positions(request: Request) -> Response:
    """Take a position feed. Each row is judged on its own and a bad one fails no other.

    Future, (0, 0), late and impossible-speed fixes are discarded and the previous one kept.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)

    def told(written: PositionsWritten) -> None:
        count_positions(service.metrics, written)
        service.log.info(
            "positions",
            version=written.roster_version,
            applied=written.applied,
            discarded=written.discarded_by_code,
        )

    write = partial(move_units, body=body, by=principal_of(request.scope))
    return await _written_once(service, request, body, write, told)


@router.get(
    ONE_UNIT,
    summary="One unit",
    operation_id="get_unit",
    response_class=Response,
    responses={200: {"description": "The unit", "model": UnitAnswer}},
)
async def get_one(unit_id: str, request: Request) -> Response:
    """Answer one unit as the roster has it, with its position and what was flagged."""
    service: Service = request.app.state.service
    return _json(await asyncio.to_thread(get_unit, service.current_roster().store, unit_id))


@router.put(
    ONE_UNIT,
    summary="Report one unit",
    operation_id="put_unit",
    response_class=Response,
    responses={
        200: {"description": "Changed, unchanged or ignored", "model": UnitWritten},
        201: {"description": "Added", "model": UnitWritten},
    },
)
async def put_one(unit_id: str, request: Request) -> Response:
    """Take the whole record of one unit. What does not fit is recorded and flagged, not refused.

    An older version than the one kept changes nothing and is answered with IGNORED_OLDER.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)

    def told(written: UnitWritten) -> None:
        count_unit(service.metrics, written)
        service.log.info(
            "unit",
            version=written.roster_version,
            result=written.result,
            conflicts=[conflict.code for conflict in written.conflicts],
        )

    by = principal_of(request.scope)
    write = partial(put_unit, unit_id=unit_id, body=body, by=by)
    return await _written_once(service, request, body, write, told)


@router.delete(
    ONE_UNIT,
    summary="Take one unit off the roster",
    operation_id="remove_unit",
    response_class=Response,
    responses={200: {"description": "The unit as it was last", "model": UnitWritten}},
)
async def delete_one(unit_id: str, request: Request) -> Response:
    """Take a unit off the roster with its position; a status OFF_DUTY does not need this."""
    service: Service = request.app.state.service

    def told(written: UnitWritten) -> None:
        count_unit(service.metrics, written)

    return await _written_once(service, request, b"", partial(remove_unit, unit_id=unit_id), told)


async def _written_once(
    service: Service,
    request: Request,
    body: bytes,
    write: Callable[..., Written],
    told: Callable[[Written], None],
) -> Response:
    """Write the roster and answer, or return the first answer to the key of the request.

    Parameters
    ----------
    write
        One of `roster_operations`, all but `keep` given.
    told
        Counts and logs what was written.
    """

    async def answer(keyed: Keyed | None) -> Response:
        keep = KeepOnce(keyed, _status_of)
        written = await service.write_roster(partial(write, keep=keep))
        told(written)
        kept = keep.kept(written)
        if keep.is_owed and keyed is not None:
            await service.current_desk().writer.write(lambda tx: keep(tx, written))
        return response_of(kept)

    return await answered_once(service, request, body, answer, keeps=True)


def _status_of(written: Part) -> int:
    return 201 if isinstance(written, UnitWritten) and written.result is UnitResult.ADDED else 200
