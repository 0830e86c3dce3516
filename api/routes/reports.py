"""Reports of the CAD over HTTP: the status of a unit, and that a scene is safe."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth.principal import principal_of
from api.body import read_body
from api.claims.reports import Reported
from api.claims.schemas import SceneSafeAnswer, StatusAnswer
from api.claims.writes import reporting, scene_safe
from api.keyed_writes import keyed_of, response_of, write_once
from api.service import Service

router = APIRouter(tags=["reports"])

STATUS: Final = "/v1/units/{unit_id:path}/status"
SCENE_SAFE: Final = "/v1/incidents/{incident_id:path}/scene-safe"


@router.post(
    STATUS,
    summary="Report the status of a unit",
    operation_id="report_status",
    response_class=Response,
    responses={200: {"description": "Recorded", "model": StatusAnswer}},
)
async def report_status(unit_id: str, request: Request) -> Response:
    """Take the status of a unit, and the call that it is on, as the CAD has it: a fact.

    It is never refused for not fitting; `conflicts` says what does not. A claim gives way to it:
    the partner is free, and the call is looked at again.
    """
    service: Service = request.app.state.service
    view = service.current_view()
    body = await read_body(request, service.settings)
    made: list[Reported] = []
    by = principal_of(request.scope)
    do = reporting(unit_id, body, by, view.release.status_of, made.append)
    kept = await write_once(service.current_desk(), keyed_of(request, body), do)
    for reported in made:
        _count(service, reported)
        if reported.is_applied:
            await asyncio.to_thread(
                service.current_roster().refresh,
                reported.received_at,
                changed=[unit_id],
                version=reported.roster_version,
            )
    return response_of(kept)


def _count(service: Service, reported: Reported) -> None:
    counted = service.metrics
    counted.status_reports.add("APPLIED" if reported.is_applied else "OLDER")
    for conflict in reported.conflicts:
        counted.conflicts.add(conflict.code)
    for claim in reported.claims:
        counted.claims.add(claim.state)


@router.post(
    SCENE_SAFE,
    summary="Report that a scene is safe",
    operation_id="report_scene_safe",
    response_class=Response,
    responses={200: {"description": "Recorded, now or before", "model": SceneSafeAnswer}},
)
async def report_scene_safe(incident_id: str, request: Request) -> Response:
    """Take since when the scene of a call is safe; of several reports the first stands."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    do = scene_safe(incident_id, body, principal_of(request.scope))
    return response_of(await write_once(service.current_desk(), keyed_of(request, body), do))
