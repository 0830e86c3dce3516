"""GET /v1/network: which streets the answers rest on."""

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from api.service import Service

router = APIRouter(tags=["network"])


@router.get("/v1/network", summary="The street network in use", response_class=Response)
async def network(request: Request) -> Response:
    """Answer where the streets come from, their licence, bounds and size, and whether schematic."""
    service: Service = request.app.state.service
    return Response(to_json(service.current_view().about), media_type="application/json")
