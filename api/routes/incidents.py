"""Calls that are remembered over HTTP: /v1/incidents/{incident_id}, /v1/alerts."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import Part
from api.auth.principal import principal_of
from api.body import read_body
from api.idempotency import Keyed
from api.incident_operations import (
    acknowledgement_answer,
    incident_answer,
    list_alerts,
    read_acknowledgement,
    update_incident,
)
from api.incident_schemas import AlertAnswer, AlertsAnswer, IncidentAnswer, IncidentWritten
from api.keyed_writes import answered_once
from api.observe import note
from api.service import Service

router = APIRouter(tags=["incidents"])

ONE_INCIDENT: Final = "/v1/incidents/{incident_id:path}"
"""An id may hold a slash."""
ALERTS: Final = "/v1/alerts"
ACKNOWLEDGE: Final = "/v1/alerts/{alert_id}/acknowledge"


def _json(answer: Part) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


@router.put(
    ONE_INCIDENT,
    summary="Tell a version of a call",
    operation_id="put_incident",
    response_class=Response,
    responses={200: {"description": "Applied, or late", "model": IncidentWritten}},
)
async def put_one(incident_id: str, request: Request) -> Response:
    """Take a version of a call with what a recommendation needs, and recommend anew.

    A version older than the one known changes nothing and is not decided (`applied` is false).
    Where what was sent is no longer right, `safety_changed` says what to do at once, in every
    answer about the call until somebody acknowledges it.
    """
    service: Service = request.app.state.service
    view = service.current_view()
    body = await read_body(request, service.settings)
    manner = service.manner(principal_of(request.scope))

    async def answer(keyed: Keyed | None) -> Response:
        updated = update_incident(view, incident_id, body, manner)
        note(request.scope, service.count_update(updated))
        written = await service.updated(updated, body, keyed)
        return Response(written, media_type="application/json")

    return await answered_once(service, request, body, answer, keeps=True, whatever=True)


@router.get(
    ONE_INCIDENT,
    summary="What is known of a call",
    operation_id="get_incident",
    response_class=Response,
    responses={200: {"description": "The call", "model": IncidentAnswer}},
)
async def get_one(incident_id: str, request: Request) -> Response:
    """Answer the version of a call that is known, its last recommendation and its open alert."""
    service: Service = request.app.state.service
    return _json(incident_answer(await service.known(incident_id)))


@router.get(
    ALERTS,
    summary="Safety alerts that nobody has acknowledged",
    operation_id="list_alerts",
    response_class=Response,
    responses={200: {"description": "Oldest first", "model": AlertsAnswer}},
)
async def list_all(request: Request) -> Response:
    """Answer the open safety alerts of all calls, oldest first."""
    service: Service = request.app.state.service
    return _json(list_alerts(service.calls))


@router.post(
    ACKNOWLEDGE,
    summary="Acknowledge a safety alert",
    operation_id="acknowledge_alert",
    response_class=Response,
    responses={200: {"description": "Acknowledged, now or before", "model": AlertAnswer}},
)
async def acknowledge(alert_id: str, request: Request) -> Response:
    """Note that somebody has seen to an alert. Of several acknowledgements the first stands."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    operator, warnings = read_acknowledgement(body, principal_of(request.scope))

    async def answer(_keyed: Keyed | None) -> Response:
        done = await service.acknowledge(alert_id, operator)
        return _json(acknowledgement_answer(done, warnings))

    return await answered_once(service, request, body, answer)
