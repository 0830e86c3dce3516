"""Reading what the measures of a day are worked out from."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from api.measures.day import CallOfDay, OverrideOfDay, UnitOnCall
from api.store.tables import assignments, claims, incidents, overrides, to_us

IDS_MAX: Final = 500


class _Body(Struct):
    stamps: dict[str, datetime]


class _Incident(Struct):
    queued_at: datetime | None = None
    received_at: datetime | None = None


class _Request(Struct):
    incident: _Incident


_BODY: Final = msgspec.json.Decoder(_Body)
_REQUEST: Final = msgspec.json.Decoder(_Request)


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return begin and end of a local day; it has 23 or 25 hours where the clocks change."""
    return (
        datetime.combine(day, time(), zone),
        datetime.combine(day + timedelta(days=1), time(), zone),
    )


def read_calls(connection: Connection, begin: datetime, end: datetime) -> list[CallOfDay]:
    """Return the calls whose first unit was assigned within a period."""
    at = assignments.c.assigned_at
    within = (at >= to_us(begin)) & (at < to_us(end))
    touched = select(assignments.c.incident_id).where(within).distinct()
    names = list(connection.execute(touched.order_by(assignments.c.incident_id)).scalars())
    return [call for some in _parts(names) for call in _calls(connection, some, to_us(begin))]


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), IDS_MAX):
        yield names[first : first + IDS_MAX]


def _calls(connection: Connection, names: Sequence[str], begin: int) -> Iterator[CallOfDay]:
    queued = dict(_queued(connection, names))
    asked = select(assignments).where(assignments.c.incident_id.in_(names))
    units: dict[str, list[UnitOnCall]] = {name: [] for name in names}
    earlier = set()
    for row in connection.execute(asked.order_by(assignments.c.unit_id)):
        if row.assigned_at < begin:
            earlier.add(row.incident_id)
        stamps = _BODY.decode(row.body).stamps
        units[row.incident_id].append(
            UnitOnCall(unit_id=row.unit_id, agency=row.agency, stamps=stamps)
        )
    for name in names:
        if name not in earlier:
            yield CallOfDay(incident_id=name, queued_at=queued.get(name), units=tuple(units[name]))


def _queued(connection: Connection, names: Sequence[str]) -> Iterator[tuple[str, datetime]]:
    asked = select(incidents.c.incident_id, incidents.c.request)
    for name, request in connection.execute(asked.where(incidents.c.incident_id.in_(names))):
        at = None if request is None else _queued_in(request)
        if at is not None:
            yield name, at


def _queued_in(request: bytes) -> datetime | None:
    """Return when a call was queued, or else received; None where it said neither."""
    try:
        told = _REQUEST.decode(request).incident
    except (msgspec.MsgspecError, ValueError):
        return None
    at = told.queued_at or told.received_at
    return at if at is not None and at.tzinfo is not None else None


def read_overrides(connection: Connection, begin: datetime, end: datetime) -> list[OverrideOfDay]:
    """Return the overrides of a period, with the states of their claims as they are now."""
    asked: Any = (
        select(overrides.c.reason, claims.c.state)
        .select_from(overrides.outerjoin(claims, claims.c.claim_id == overrides.c.claim_id))
        .where(overrides.c.at >= to_us(begin), overrides.c.at < to_us(end))
    )
    return [
        OverrideOfDay(reason=reason, claim_state=state)
        for reason, state in connection.execute(asked)
    ]
