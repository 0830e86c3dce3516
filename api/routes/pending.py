"""GET /v1/pending: the calls that wait."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.queue.schemas import PendingAnswer, pending_answer
from api.service import Service

router = APIRouter(tags=["incidents"])

PATH: Final = "/v1/pending"


@router.get(
    PATH,
    summary="The calls that wait",
    operation_id="list_pending",
    response_class=Response,
    responses={200: {"description": "The most urgent first", "model": PendingAnswer}},
)
async def list_all(request: Request) -> Response:
    """Answer the calls on HOLD, and those for which a pair was found that nobody has confirmed."""
    service: Service = request.app.state.service
    answer = pending_answer(service.current_queue().book.waiting(), service.now())
    return Response(answer.model_dump_json(), media_type="application/json")
