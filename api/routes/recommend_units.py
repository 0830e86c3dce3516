"""POST /v1/recommend-units."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import RecommendAnswer
from api.body import read_body
from api.operations import Answered, recommend_units
from api.service import Service

router = APIRouter(tags=["recommendations"])

PATH: Final = "/v1/recommend-units"


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
    answered = recommend_units(view, body)
    service.count(answered)
    return Response(
        answered.body,
        media_type="application/json",
        headers={"server-timing": server_timing(answered)},
    )


def server_timing(answered: Answered) -> str:
    """Return the stages in the form of the header Server-Timing, in milliseconds."""
    return ", ".join(f"{stage};dur={s * 1000:.3f}" for stage, s in answered.stages)
