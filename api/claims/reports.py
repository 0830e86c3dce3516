"""Reports of the CAD: the status of a unit, and that a scene is safe (rules 5 and 11).

Each is a fact and kept as an event, whatever it says; what does not fit is flagged. What it means
for claims and calls is in `facts`. One that is older than what is known changes nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select

from api.claims.assignments import (
    SCENE_SAFE,
    TOLD_SAFE,
    Assignment,
    scene_safe_at,
    stamp_scene_safe,
)
from api.claims.call_facts import refresh_calls
from api.claims.claim_rows import look_again, said_of
from api.claims.facts import Conflict, Effects, Fact, FactConflict, take_fact
from api.claims.records import EVENT_PREFIX, Claim
from api.ids import new_id
from api.store.records import Operator, StoredUnit
from api.store.sql_roster import keep_status, read_roster
from api.store.tables import from_us, status_events, to_us
from api.store.writer import Transaction
from routing.codes import Agency, Status
from routing.roster import UnitId
from routing.unit_status import is_legal_step


class StatusReport(Struct, frozen=True, kw_only=True):
    """The status of one unit, as the CAD reports it."""

    unit_id: str
    status: Status
    at: datetime
    """Since when, as the CAD says; UTC."""
    incident_id: str | None = None
    """The call that it is on."""
    agency: Agency | None = None
    """For a unit that the roster does not have."""
    expected_clear_at: datetime | None = None
    operator: Operator | None = None


class Reported(Struct, frozen=True, kw_only=True):
    """What became of a report."""

    event_id: str
    unit_id: str
    incident_id: str | None
    status: str
    at: datetime
    received_at: datetime
    is_applied: bool
    """False: a later status is known, and nothing was changed."""
    conflicts: tuple[Conflict, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    """As they are now, where the report changed them."""
    claims: tuple[Claim, ...] = ()
    """Claims that ended by it."""
    roster_version: int | None = None
    """Of the roster with the status; None where the roster is as it was."""


class SceneSafe(Struct, frozen=True, kw_only=True):
    """The scene of a call is safe."""

    incident_id: str
    at: datetime
    operator: Operator | None = None


class SceneSafeKept(Struct, frozen=True, kw_only=True):
    """Since when the scene of a call is safe: the first report stands."""

    incident_id: str
    scene_safe_at: datetime
    is_first: bool


def report_status(tx: Transaction, report: StatusReport) -> Reported:
    """Keep a report and bring the unit, its calls and its claim to what it says."""
    kept = read_roster(tx.connection, [report.unit_id]).units.get(UnitId(report.unit_id))
    record = None if kept is None else kept.unit
    latest = _latest_at(tx.connection, report.unit_id, record, tx.at)
    ahead_s = (report.at - tx.at).total_seconds()
    fact = Fact(
        unit_id=report.unit_id,
        agency=report.agency if record is None else record.agency,
        status=report.status,
        at=tx.at if ahead_s > CLOCKS_S_MAX else report.at,
        is_own_clock=ahead_s > CLOCKS_S_MAX,
        incident_id=report.incident_id,
    )
    if latest is not None and fact.at < latest:
        early_s = (latest - fact.at).total_seconds()
        effects = Effects()
        effects.flag(
            FactConflict.OLDER_THAN_KNOWN, f"A status that began {early_s:.0f} s later is known."
        )
        return _told(tx, report, fact, effects, is_applied=False, roster_version=None)
    effects, version = take_fact(tx, fact), None
    if ahead_s > CLOCKS_S_MAX:
        said = f"It begins {ahead_s:.0f} s from now; it is taken as if it began now."
        effects.flag(FactConflict.AT_IN_FUTURE, said)
    if record is None:
        effects.flag(FactConflict.UNIT_NOT_IN_ROSTER, "The roster does not have this unit.")
    else:
        version = _keep_record(tx, record, fact, report.expected_clear_at, effects)
    return _told(tx, report, fact, effects, is_applied=True, roster_version=version)


CLOCKS_S_MAX: Final = 60
"""Seconds that a CAD's clock may be ahead of ours, or behind it; *assumption*. Neither one instant
far in the future nor one of our own clock may make every later report an older one."""


def _latest_at(
    connection: Connection, unit_id: str, record: StoredUnit | None, now: datetime
) -> datetime | None:
    """Return the instant that a report must not be older than to be the last of its unit.

    That is since when the last status that is known has been so by the clock of the CAD. What has
    only an instant of ours stands for one that may be earlier by as much as the clocks may differ.
    """
    latest = now + timedelta(seconds=CLOCKS_S_MAX)
    at = status_events.c.at
    asked = select(at, status_events.c.body).where(
        status_events.c.unit_id == unit_id, at <= to_us(latest)
    )
    known: list[datetime] = []
    ours: set[datetime] = set()
    for reported_us, body in connection.execute(asked.order_by(at.desc()).limit(EVENTS_READ)):
        reported = from_us(reported_us)
        stamp = _STAMP.decode(body)
        if stamp.is_own_clock:
            if stamp.is_of_report:
                ours.add(reported)
            known.append(reported - timedelta(seconds=CLOCKS_S_MAX))
        else:
            known.append(reported)
    since = None if record is None else record.status_since
    if since is not None and since <= latest and since not in ours:  # a record may say anything
        known.append(since)
    return max(known, default=None)


class _Stamp(Struct, frozen=True, kw_only=True):
    """By whose clock an event is stamped."""

    is_own_clock: bool = False
    conflicts: list[tuple[str, str | None]] = []

    @property
    def is_of_report(self) -> bool:
        """Whether the record of the unit has the same instant, and so one of ours."""
        return any(code == FactConflict.AT_IN_FUTURE for code, _ in self.conflicts)


_STAMP: Final = msgspec.json.Decoder(_Stamp)
EVENTS_READ: Final = 16
"""Latest events of a unit that are looked at; more of ours in a minute are not to be expected."""


def _keep_record(
    tx: Transaction,
    record: StoredUnit,
    fact: Fact,
    expected_clear_at: datetime | None,
    effects: Effects,
) -> int:
    if not is_legal_step(record.status, fact.status):
        said = f"{fact.status} cannot follow {record.status}; no step in between is made up."
        effects.flag(FactConflict.ILLEGAL_STATUS_JUMP, said)
    now = replace(
        record,
        received_at=tx.at,
        status=fact.status,
        status_since=fact.at,
        available_since=fact.at if fact.status is Status.AVAILABLE else None,
        expected_clear_at=expected_clear_at,
        conflicts=tuple(str(one.code) for one in effects.conflicts),
    )
    return keep_status(tx, now)


def _told(
    tx: Transaction,
    report: StatusReport,
    fact: Fact,
    effects: Effects,
    *,
    is_applied: bool,
    roster_version: int | None,
) -> Reported:
    row = event_row(tx, fact, report.operator, effects, is_applied=is_applied)
    tx.connection.execute(ADD_EVENT, [row])
    refresh_calls(tx, effects.incident_ids)
    said = {
        "event_id": row["event_id"],
        "status": row["status"],
        "incident_id": fact.incident_id,
        "status_at": report.at,
        "is_applied": is_applied,
        "operator": _said(report.operator),
        **said_of_effects(effects),
    }
    tx.note("STATUS_REPORTED", fact.unit_id, said)
    return Reported(
        event_id=row["event_id"],
        unit_id=fact.unit_id,
        incident_id=fact.incident_id,
        status=str(fact.status),
        at=report.at,
        received_at=tx.at,
        is_applied=is_applied,
        conflicts=tuple(effects.conflicts),
        assignments=tuple(effects.assignments),
        claims=tuple(effects.claims),
        roster_version=roster_version,
    )


ADD_EVENT: Final = insert(status_events)


def event_row(
    tx: Transaction, fact: Fact, operator: Operator | None, effects: Effects, *, is_applied: bool
) -> dict[str, Any]:
    """Return a fact as the row of an event, with what it changed."""
    body = {
        "is_applied": is_applied,
        "operator": _said(operator),
        **({"is_own_clock": True} if fact.is_own_clock else {}),
        **said_of_effects(effects),
    }
    return {
        "event_id": new_id(EVENT_PREFIX, tx.at),
        "unit_id": fact.unit_id,
        "incident_id": fact.incident_id,
        "status": str(fact.status),
        "at": to_us(fact.at),
        "received_at": to_us(tx.at),
        "body": msgspec.json.encode(body).decode(),
    }


def _said(operator: Operator | None) -> list[str] | None:
    return None if operator is None else [operator.operator_id, operator.role]


def said_of_effects(effects: Effects) -> dict[str, Any]:
    """Return what is kept of what a fact changed: ids and codes."""
    return {
        "conflicts": [[str(one.code), one.incident_id] for one in effects.conflicts],
        "claims": said_of(effects.claims),
    }


# -- the scene is safe ----------------------------------------------------------------------------

_NO_UNIT: Final = ""
"""Stands for the unit in the event of a scene, which is about none."""


def report_scene_safe(tx: Transaction, report: SceneSafe) -> SceneSafeKept:
    """Keep that a scene is safe; of several reports the first stands, and each is noted."""
    known = scene_safe_at(tx.connection, report.incident_id)
    if known is None:
        _keep_scene(tx, report.incident_id, report.at, SCENE_SAFE)
        refresh_calls(tx, [report.incident_id])
        look_again(tx, report.incident_id, "SCENE_SAFE")
    said = {
        "scene_safe_at": report.at,
        "is_first": known is None,
        "operator": _said(report.operator),
    }
    tx.note("SCENE_SAFE", report.incident_id, said)
    return SceneSafeKept(
        incident_id=report.incident_id,
        scene_safe_at=known or report.at,
        is_first=known is None,
    )


def keep_told_safe(tx: Transaction, incident_id: str, at: datetime) -> None:
    """Keep that a request says so, as part of its record; for the instants and the interlock."""
    if scene_safe_at(tx.connection, incident_id, SCENE_SAFE, TOLD_SAFE) is None:
        _keep_scene(tx, incident_id, at, TOLD_SAFE)


def _keep_scene(tx: Transaction, incident_id: str, at: datetime, event: str) -> None:
    row = {
        "event_id": new_id(EVENT_PREFIX, tx.at),
        "unit_id": _NO_UNIT,
        "incident_id": incident_id,
        "status": event,
        "at": to_us(at),
        "received_at": to_us(tx.at),
        "body": "{}",
    }
    tx.connection.execute(ADD_EVENT, [row])
    stamp_scene_safe(tx, incident_id, at)
    tx.announce("assignment", incident_id, {"scene_safe_at": at})
