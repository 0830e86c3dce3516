"""GET /v1/measures/daily and GET /v1/public/measures: what the programme measures of a day."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.measures.days_asked import day_of
from api.service import Service

router = APIRouter(tags=["measures"])

DAILY: Final = "/v1/measures/daily"
PUBLIC: Final = "/v1/public/measures"


@router.get(
    DAILY,
    summary="The measures of a day",
    operation_id="daily_measures",
    response_class=Response,
    responses={200: {"description": "The measures"}},
)
async def daily(request: Request, date: str | None = None) -> Response:
    """Answer handover, time saved, calls by CARE, response, pair gap and overrides of a local day.

    Without `date` it is yesterday. An answer may be up to a minute old.
    """
    return await _answer(request, date, is_public=False)


@router.get(
    PUBLIC,
    summary="What the public may be told of a day",
    operation_id="public_measures",
    response_class=Response,
    responses={200: {"description": "The measures, without small counts"}},
)
async def published(request: Request, date: str | None = None) -> Response:
    """Answer the measures of a local day that is over, without any count below five.

    Nor can one be worked out from what is told. Without `date` it is yesterday.
    """
    return await _answer(request, date, is_public=True)


async def _answer(request: Request, date: str | None, *, is_public: bool) -> Response:
    service: Service = request.app.state.service
    day = day_of(date, service.now(), must_be_over=is_public)
    days = service.current_days()
    body = await asyncio.to_thread(days.answer, day, is_public=is_public)
    return Response(body, media_type="application/json")
