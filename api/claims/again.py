"""Decide a call again from the request that is kept of it: after a lost race, or an override.

What lives here: the stored request and what is added to it. The decision itself, and how it is
recorded, are those of any other request.
"""

import asyncio
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import select

from api.claims.records import Overridden
from api.claims.sent import Sent, read_sent
from api.desk import Desk
from api.errors import InvalidRequest
from api.operations import recommend_units
from api.request_schemas import OVERRIDES_MAX
from api.service import Service
from api.store.tables import incidents, recommendations
from routing.codes import Gate


async def decided_again(
    service: Service, desk: Desk, incident_id: str, overridden: Overridden | None = None
) -> bytes | None:
    """Return a fresh recommendation for a call; None when no request of it is kept.

    Parameters
    ----------
    overridden
        An override that the request does not have yet; from now on it does.
    """
    request = await asyncio.to_thread(_request_of, desk, incident_id)
    if request is None:
        return None
    body = request if overridden is None else _with_override(request, overridden)
    try:
        answered = recommend_units(
            service.current_view(),
            body,
            now=service.now,
            decide=service.decide,
            calls=service.calls,
        )
    except InvalidRequest:  # other streets are loaded than when it was asked
        return None
    service.count(answered)
    return (await service.recorded(answered, body)).body


async def newest_valid(service: Service, desk: Desk, incident_id: str) -> bytes | None:
    """Return the newest recommendation of a call as it was sent, while it holds."""
    known = service.calls.known(incident_id)
    if known is None:
        return None
    kept = await asyncio.to_thread(kept_answer, desk, known.recommendation_id)
    if kept is None or kept[1].valid_until < service.now():
        return None
    return kept[0]


def kept_answer(desk: Desk, recommendation_id: str) -> tuple[bytes, Sent] | None:
    """Return a recommendation as it was sent, and what is read of it; waits for the database."""
    asked = select(recommendations.c.answer).where(
        recommendations.c.recommendation_id == recommendation_id
    )
    with desk.database.reading() as connection:
        answer = connection.execute(asked).scalar_one_or_none()
        sent = read_sent(connection, recommendation_id)
    return None if answer is None or sent is None else (bytes(answer), sent)


def _request_of(desk: Desk, incident_id: str) -> bytes | None:
    asked = select(incidents.c.request).where(incidents.c.incident_id == incident_id)
    with desk.database.reading() as connection:
        request = connection.execute(asked).scalar_one_or_none()
    return None if request is None else bytes(request)


def _with_override(request: bytes, made: Overridden) -> bytes:
    """Return a request with one more of the call's overrides; of too many the oldest go."""
    told: dict[str, Any] = from_json(request)
    entry = {
        "action": str(made.action),
        "role": made.role,
        "gate": None if made.gate is None else str(Gate(made.gate)),
        "reason_code": str(made.reason),
        "reason_text": made.reason_text,
    }
    earlier = told["incident"].get("overrides")
    kept = earlier if isinstance(earlier, list) else []
    told["incident"]["overrides"] = [*kept, entry][-OVERRIDES_MAX:]
    return to_json(told)
