"""Is the process alive, may it be asked, and what does it count."""

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from api.call_figures import set_call_gauges
from api.following_figures import (
    set_closure_gauge,
    set_following_gauges,
    set_queue_gauges,
)
from api.metrics import CONTENT_TYPE
from api.operations import utc_now
from api.roster_figures import roster_state, set_gauges
from api.service import Service

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive")
async def healthz() -> Response:
    """Answer 200 as long as the process can answer at all."""
    return Response(to_json({"status": "alive"}), media_type="application/json")


@router.get(
    "/readyz",
    summary="Ready",
    responses={200: {"description": "Ready"}, 503: {"description": "Not ready yet"}},
)
async def readyz(request: Request) -> Response:
    """Answer 200 with the list of what is degraded, or 503 before streets and kernels are there."""
    service: Service = request.app.state.service
    ready = service.view is not None
    body = {
        "ready": ready,
        "stage": service.stage,
        "degraded": [*request.app.state.gate.degraded(), *service.degraded()],
        "failure": service.failure,
        "roster": None if service.view is None else roster_state(service.view, utc_now()),
    }
    headers = {} if ready else {"retry-after": "1"}
    status = 200 if ready else 503
    return Response(to_json(body), status, headers=headers, media_type="application/json")


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Answer all counters in Prometheus' text format."""
    service: Service = request.app.state.service
    if service.view is not None:
        set_gauges(service.metrics, service.view, utc_now())
        set_closure_gauge(service.metrics, service.view, service.now())
    set_call_gauges(service.metrics, service.calls)
    if service.desk is not None and service.desk.spooling is not None:
        service.desk.spooling.set_gauges(service.metrics)
    set_queue_gauges(service.metrics, service.queue, service.now())
    set_following_gauges(service.metrics, service.desk, service.streams)
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)
