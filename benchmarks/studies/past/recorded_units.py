"""The unit that was really sent to a past call: whether it can be laid beside the recommended one.

What lives here: `RecordedUnits` and `compared`. What does not: reading tables of calls and of
positions (`geodata.call_records`, `coverage.recorded`).

Seconds gained are told only where the table has the unit that was dispatched, where it was, and it
was free. Both arrivals are then made by the same drive times from the same instant: that of the
recorded dispatch. What was measured on the street is shown beside it, never subtracted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.coverage.recorded import RecordedFix
from benchmarks.studies.demand import Calls
from benchmarks.studies.past.rosters import OnDuty, Rosters
from geodata.call_records import UnitRecords
from routing.answer import Recommendation
from routing.codes import Agency, Outcome, Status, Verdict


class Compared(StrEnum):
    """Whether the recorded unit is compared with the recommended one, or why not."""

    YES = "YES"
    """Both are driven by the same drive times, from where they were."""
    NO_RECORD = "NO_RECORD"
    """The table does not say which unit of this kind was sent, or none was."""
    NO_POSITION = "NO_POSITION"
    """Nobody says where that unit was when it was dispatched."""
    BUSY = "BUSY"
    """It was not free: by its status, or it was still on an earlier call of the table."""
    STATUS_UNKNOWN = "STATUS_UNKNOWN"
    """Nobody says whether it was free."""
    NOT_SENT = "NOT_SENT"
    """The answer sends no unit of this kind at once."""
    NOT_QUALIFIED = "NOT_QUALIFIED"
    """A rule of the release keeps the recorded unit from the call."""
    NO_WAY = "NO_WAY"
    """No way leads from where it was to the call."""


MEANS: Final[Mapping[Compared, str]] = MappingProxyType(
    {
        Compared.YES: "Compared: both arrivals by the same drive times, from where units were.",
        Compared.NO_RECORD: "Not comparable: the table does not say which unit was sent.",
        Compared.NO_POSITION: "Not comparable: nobody says where that unit was when dispatched.",
        Compared.BUSY: "Not comparable: that unit was not free.",
        Compared.STATUS_UNKNOWN: "Not comparable: nobody says whether that unit was free.",
        Compared.NOT_SENT: "Not comparable: the answer sends no unit of this kind at once.",
        Compared.NOT_QUALIFIED: "Not comparable: a rule of the release keeps that unit away.",
        Compared.NO_WAY: "Not comparable: no way from where that unit was to the call.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedUnit:
    """One kind's recorded unit at one call."""

    unit: str
    fix: RecordedFix | None
    """Where it was; None where nobody says."""
    in_roster: bool
    """Whether it is among the units whose positions were recorded."""
    why_not: Compared | None
    """None where nothing speaks against it before the decision."""


class RecordedUnits:
    """The recorded units of all calls."""

    def __init__(self, calls: Calls, rosters: Rosters) -> None:
        self._calls, self._rosters = calls, rosters
        self._busy = {agency: busy_rows(one) for agency, one in calls.records.items()}

    def of(self, row: int) -> dict[Agency, RecordedUnit]:
        """Return the recorded units of a call, of each kind that the table tells."""
        found = {}
        for agency, records in self._calls.records.items():
            if records.unit[row]:
                found[agency] = self._one(agency, records, row)
        return found

    def decided_s(self, row: int, recorded: Mapping[Agency, RecordedUnit]) -> float:
        """Return when a call is decided: as it is queued, or as a unit with a place was sent."""
        sent = [
            self._calls.records[agency].dispatched_s.item(row)
            for agency, one in recorded.items()
            if one.fix is not None
        ]
        known = [one for one in sent if one == one]  # noqa: PLR0124
        return min(known, default=self._calls.at_s.item(row))

    def joining(
        self, on_duty: OnDuty, recorded: Mapping[Agency, RecordedUnit], instant: datetime
    ) -> OnDuty:
        """Return who is on duty with the recorded units whose place the call's row has."""
        added = {
            one.unit: self._rosters.recorded_unit(agency, one.unit, one.fix)
            for agency, one in recorded.items()
            if one.fix is not None and not one.in_roster and one.why_not is None
        }
        if not added:
            return on_duty
        others = [one for one in on_duty.units if one.unit_id not in added]
        fixed = [
            replace(one, position=replace(one.position, fixed_at=instant))
            for one in added.values()
            if one.position is not None
        ]
        return replace(on_duty, units=(*fixed, *others), key=None)

    def _one(self, agency: Agency, records: UnitRecords, row: int) -> RecordedUnit:
        unit = records.unit[row]
        sent_s = records.dispatched_s.item(row)
        at = datetime.fromtimestamp(self._calls.at_s.item(row) if sent_s != sent_s else sent_s, UTC)  # noqa: PLR0124
        fixes = self._rosters.fixes
        fix = None if fixes is None else fixes.of(agency, unit, at)
        in_roster = fix is not None
        if fix is None:
            fix = _fix_of_row(agency, records, row, at)
        else:
            unit = fix.unit_id  # as the roster spells it
            fix = replace(fix, status=records.status[row]) if records.has_status else fix
        why_not = Compared.NO_POSITION if fix is None else _status_problem(fix, in_roster)
        if why_not is None and self._busy[agency][row]:
            why_not = Compared.BUSY
        return RecordedUnit(unit=unit, fix=fix, in_roster=in_roster, why_not=why_not)


def _fix_of_row(agency: Agency, records: UnitRecords, row: int, at: datetime) -> RecordedFix | None:
    """Return where the call's own row says that the unit was."""
    lon, lat = records.lon.item(row), records.lat.item(row)
    if np.isnan(lon):
        return None
    status = records.status[row] if records.has_status else None
    return RecordedFix(
        agency=agency, unit_id=records.unit[row], lon=lon, lat=lat, at=at, status=status
    )


def _status_problem(fix: RecordedFix, in_roster: bool) -> Compared | None:
    """Return what a status says against a comparison.

    A row of a call without a column of status tells of a unit that the CAD dispatched from there:
    it counts as free. A file of positions tells of units whether free or not.
    """
    if fix.status is None:
        return Compared.STATUS_UNKNOWN if in_roster else None
    if fix.status == Status.AVAILABLE:
        return None
    known = fix.status in set(Status) - {Status.UNKNOWN}
    return Compared.BUSY if known else Compared.STATUS_UNKNOWN


def busy_rows(records: UnitRecords) -> NDArray[np.bool_]:
    """Return (n_calls,) whether a unit was dispatched while still on another call of the table.

    A unit is on a call from its dispatch until it is in service again, or, where nobody says when
    that was, until it is at the scene.
    """
    begin = records.dispatched_s
    end = np.where(np.isnan(records.in_service_s), records.at_scene_s, records.in_service_s)
    rows: dict[str, list[int]] = {}
    for row, unit in enumerate(records.unit):
        if unit and begin[row] == begin[row]:
            rows.setdefault(unit, []).append(row)
    busy = np.zeros(len(records), np.bool_)
    for some in rows.values():
        until = -np.inf
        for row in sorted(some, key=lambda one: begin[one]):
            busy[row] = begin[row] < until
            until = max(until, end[row]) if end[row] == end[row] else until
    return busy


def compared(
    found: Recommendation, agency: Agency, recorded: RecordedUnit | None
) -> tuple[Compared, float]:
    """Return whether a recorded unit is compared, and its arrival by the drive times, seconds."""
    if recorded is None:
        return Compared.NO_RECORD, np.nan
    if recorded.why_not is not None:
        return recorded.why_not, np.nan
    sent = any(one.agency is agency for one in found.assign)
    if found.outcome is not Outcome.DISPATCH or not sent:
        return Compared.NOT_SENT, np.nan
    told = next((one for one in found.explain.units if one.unit_id == recorded.unit), None)
    if told is None or told.verdict is Verdict.REMOVED:
        no_way = told is not None and set(told.rules) == {"NOT_REACHABLE"}
        return (Compared.NO_WAY if no_way else Compared.NOT_QUALIFIED), np.nan
    return Compared.YES, np.nan if told.arrive_s is None else float(told.arrive_s)
