"""What the store keeps of a unit: its record as the CAD last told it, and its last believed fix.

The two are kept apart because they come apart: a record changes with each status, a fix every few
seconds, and one must never undo the other. Instants are in UTC.
"""

from dataclasses import dataclass
from datetime import datetime

from routing.codes import Agency, Status
from routing.roster import Unit, UnitId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFix:
    """Where a unit was, when its device said so, and when it was received."""

    lon: float
    lat: float
    fixed_at: datetime | None
    received_at: datetime
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUnit:
    """One unit's record; what nobody told is None and is never made up."""

    unit_id: UnitId
    """Unique per duty period."""
    agency: Agency
    received_at: datetime
    """When this record was received."""
    version: int | None = None
    call_sign: str | None = None
    unit_type: str | None = None
    crew_count: int | None = None
    skills: tuple[str, ...] = ()
    status: Status = Status.UNKNOWN
    status_since: datetime | None = None
    available_since: datetime | None = None
    expected_clear_at: datetime | None = None
    shift_start: datetime | None = None
    shift_end: datetime | None = None
    home_post: str | None = None
    home_sector: str | None = None
    home_beat: str | None = None
    conflicts: tuple[str, ...] = ()
    """Codes of what did not fit the record before; flagged, never refused (rule 11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """A unit of the roster: its record and its fix, if one was ever believed."""

    unit: StoredUnit
    fix: StoredFix | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who wrote, as the CAD asserts it; no names of persons."""

    operator_id: str
    role: str


def is_older(unit: StoredUnit, kept: StoredUnit) -> bool:
    """Tell whether a record is older than another; without a version it is not compared."""
    return unit.version is not None and kept.version is not None and unit.version < kept.version


def is_older_fix(fix: StoredFix, kept: StoredFix) -> bool:
    """Tell whether a fix is older than another; an undated one is older than a dated one."""
    if kept.fixed_at is None:
        return False
    return fix.fixed_at is None or fix.fixed_at < kept.fixed_at


def unit_of(kept: OnDuty) -> Unit:
    """Return a unit of the roster as a decision reads it."""
    told, fix = kept.unit, kept.fix
    return Unit(
        unit_id=told.unit_id,
        agency=told.agency,
        call_sign=told.call_sign,
        version=told.version,
        crew_count=told.crew_count,
        skills=frozenset(told.skills),
        status=told.status,
        status_since=told.status_since,
        available_since=told.available_since,
        expected_clear_at=told.expected_clear_at,
        shift_end=told.shift_end,
        home_post=told.home_post,
        home_sector=told.home_sector,
        home_beat=told.home_beat,
        position=fix,  # type: ignore[arg-type]  # it has the fields that a roster reads of a fix
    )
