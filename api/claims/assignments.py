"""Who is on which call, as the CAD reports it: one row for each unit of each call.

A row has the instant of each status as it was reported first. What nobody reported has none: an
instant is never made up, nor taken from the status that must have come before.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, func, insert, select, update

from api.store.statements import Statement
from api.store.tables import assignments, from_us, status_events, to_us
from api.store.writer import Transaction
from routing.codes import Agency, Status

SCENE_SAFE: Final = "SCENE_SAFE"
"""Status of the event of a report; it stands for the call from then on."""
TOLD_SAFE: Final = "SCENE_SAFE_IN_REQUEST"
"""The same of a request that says so. The next request may say otherwise, and is believed."""
STAMP_OF: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.DISPATCHED: "dispatched",
        Status.ENROUTE: "enroute",
        Status.STAGED: "staged",
        Status.ON_SCENE: "on_scene",
        Status.TRANSPORTING: "transport_begin",
        Status.AT_FACILITY: "at_facility",
    }
)
"""The instant that a status of a unit on a call is; the others are scene_safe, spd_released and
cleared."""


class Assignment(Struct, frozen=True, kw_only=True):
    """One unit on one call."""

    incident_id: str
    unit_id: str
    agency: Agency | None
    """None where neither the roster nor the report said."""
    status: Status
    """The last that was reported while it was on the call."""
    claim_id: str | None = None
    is_open: bool = True
    assigned_at: datetime
    """Of the first report that had it on this call."""
    stamps: Mapping[str, datetime]
    moved_to: str | None = None
    """The call on which the CAD had it next, where nobody said that it was cleared."""

    @property
    def was_there(self) -> bool:
        """Whether it arrived."""
        return "on_scene" in self.stamps


_ASSIGNMENT: Final = msgspec.json.Decoder(Assignment)
_BODY: Final = select(assignments.c.body)


def open_of_unit(connection: Connection, unit_id: str) -> list[Assignment]:
    """Return the calls that a unit is on, the latest first."""
    asked = _BODY.where(assignments.c.unit_id == unit_id, assignments.c.is_open)
    return _all(connection, asked.order_by(assignments.c.assigned_at.desc()))


def units_on_calls(connection: Connection, unit_ids: Collection[str]) -> set[str]:
    """Return those of some units that are on a call."""
    asked = select(assignments.c.unit_id).where(
        assignments.c.is_open, assignments.c.unit_id.in_(list(unit_ids))
    )
    return set(connection.execute(asked).scalars())


def of_call(connection: Connection, incident_id: str) -> list[Assignment]:
    """Return the units that are or were on a call, in the order in which they came."""
    return [_ASSIGNMENT.decode(body) for (body,) in _OF_CALL.rows(connection, {"of": incident_id})]


_OF_CALL: Final = Statement(
    _BODY.where(assignments.c.incident_id == bindparam("of")).order_by(
        assignments.c.assigned_at, assignments.c.unit_id
    )
)


def all_open(connection: Connection) -> list[Assignment]:
    """Return the units that are on a call now."""
    asked = _BODY.where(assignments.c.is_open)
    return _all(connection, asked.order_by(assignments.c.assigned_at, assignments.c.unit_id))


def scene_safe_at(connection: Connection, incident_id: str, *events: str) -> datetime | None:
    """Return since when a call's scene is safe, by reports unless other events are asked for."""
    told = [
        _FIRST.rows(connection, {"of": incident_id, "event": event})[0][0]
        for event in events or (SCENE_SAFE,)
    ]
    return min((from_us(at) for at in told if at is not None), default=None)


_FIRST: Final = Statement(
    select(func.min(status_events.c.at)).where(
        status_events.c.incident_id == bindparam("of"), status_events.c.status == bindparam("event")
    )
)


def _all(connection: Connection, asked: Any) -> list[Assignment]:
    return [_ASSIGNMENT.decode(body) for (body,) in connection.execute(asked)]


# -- writing --------------------------------------------------------------------------------------


def joined(
    earlier: Assignment | None, fresh: Assignment, status: Status, at: datetime
) -> Assignment:
    """Return an assignment after a report of the unit on the call; first instants stand."""
    one = earlier or fresh
    stamps = {key: then for key, then in one.stamps.items() if key != "cleared"}
    stamp = STAMP_OF.get(status)
    if stamp is not None:
        stamps.setdefault(stamp, at)
    return replace(
        one, status=status, is_open=True, stamps=stamps, moved_to=None, claim_id=fresh.claim_id
    )


def left(one: Assignment, at: datetime, moved_to: str | None) -> Assignment:
    """Return an assignment that is over; where the unit was moved, nobody said it was cleared."""
    stamps = dict(one.stamps)
    if moved_to is None:
        stamps["cleared"] = at
        if one.agency is Agency.SPD:
            stamps.setdefault("spd_released", at)
    return replace(one, is_open=False, stamps=stamps, moved_to=moved_to)


def keep_assignment(tx: Transaction, one: Assignment, *, is_new: bool) -> None:
    """Keep an assignment as it is now and announce it."""
    cleared = one.stamps.get("cleared")
    row: dict[str, Any] = {
        "incident_id": one.incident_id,
        "unit_id": one.unit_id,
        "agency": "UNKNOWN" if one.agency is None else str(one.agency),
        "claim_id": one.claim_id,
        "is_open": one.is_open,
        "assigned_at": to_us(one.assigned_at),
        "cleared_at": None if cleared is None else to_us(cleared),
        "body": msgspec.json.encode(one).decode(),
    }
    if is_new:
        tx.connection.execute(insert(assignments).values(row))
    else:
        of = (assignments.c.incident_id == one.incident_id) & (assignments.c.unit_id == one.unit_id)
        tx.connection.execute(update(assignments).where(of).values(row))
    tell_assignment(tx, one)


def tell_assignment(tx: Transaction, one: Assignment) -> None:
    """Announce an assignment with what a reader needs who does not ask the database."""
    said = {
        "unit_id": one.unit_id,
        "agency": one.agency,
        "status": str(one.status),
        "on_scene": one.stamps.get("on_scene"),
        "is_open": one.is_open,
    }
    tx.announce("assignment", one.incident_id, said)


def stamp_scene_safe(tx: Transaction, incident_id: str, at: datetime) -> Iterable[Assignment]:
    """Note in the assignments of a call since when its scene is safe; return those still open."""
    found = [one for one in of_call(tx.connection, incident_id) if one.is_open]
    for one in found:
        if SCENE_SAFE.lower() not in one.stamps:
            stamped = replace(one, stamps={**one.stamps, "scene_safe": at})
            keep_assignment(tx, stamped, is_new=False)
    return found
