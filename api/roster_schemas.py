"""What is sent to change the roster and what is answered, field by field.

The units are those of a recommendation's request (`request_schemas`). Answers have every key
always, instants in UTC.
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from api.answer_schemas import Part, UtcInstant, WarningPart
from api.request_schemas import (
    UNITS_MAX,
    Degrees,
    Entry,
    Id,
    Instant,
    NotNegative,
    OperatorEntry,
    UnitEntry,
)
from routing.codes import Agency, Status

POSITIONS_MAX: Final = 2_000
LISTED_MAX: Final = 200
"""Most discarded rows and conflicts that one answer lists; the counts are always whole."""


class UnitWrite(Entry):
    """PUT /v1/units/{unit_id}: the whole record of one unit."""

    operator: OperatorEntry | None = None
    unit: UnitEntry
    """What is left out or null is not known; only a position that is left out stays as it was."""


class SnapshotWrite(Entry):
    """PUT /v1/units: all units on duty, as the CAD has them now."""

    operator: OperatorEntry | None = None
    units: Annotated[list[UnitEntry], Field(max_length=UNITS_MAX)]


class PositionRow(Entry):
    """One fix of one unit, WGS 84 degrees, longitude first."""

    unit_id: Id
    lon: Annotated[float, Field(json_schema_extra={"minimum": -180, "maximum": 180})]
    lat: Annotated[float, Field(json_schema_extra={"minimum": -90, "maximum": 90})]
    fixed_at: Instant
    """When the device made it; a feed without instants cannot be put in order."""
    heading_deg: Degrees | None = None
    speed_mps: NotNegative | None = None
    accuracy_m: NotNegative | None = None


class PositionsWrite(Entry):
    """POST /v1/units/positions: fixes of any units, in the order in which they are judged."""

    operator: OperatorEntry | None = None
    positions: Annotated[list[PositionRow], Field(max_length=POSITIONS_MAX)]


# -- answers --------------------------------------------------------------------------------------


class KeptPosition(Part):
    """The last fix that was believed."""

    lon: float
    lat: float
    fixed_at: UtcInstant | None
    received_at: UtcInstant
    heading_deg: float | None
    speed_mps: float | None
    accuracy_m: float | None


class KeptHome(Part):
    """Where a unit belongs."""

    post: str | None
    sector: str | None
    beat: str | None


class KeptUnit(Part):
    """One unit as the roster has it."""

    unit_id: str
    call_sign: str | None
    version: int | None
    agency: Agency
    unit_type: str | None
    crew_count: int | None
    skills: list[str]
    status: Status
    status_since: UtcInstant | None
    available_since: UtcInstant | None
    expected_clear_at: UtcInstant | None
    shift_start: UtcInstant | None
    shift_end: UtcInstant | None
    home: KeptHome
    position: KeptPosition | None
    received_at: UtcInstant
    """When this record was received."""
    conflicts: list[str]
    """What did not fit the record before, see `ConflictCode`."""


class ConflictCode(StrEnum):
    """What was recorded although it does not fit the record before it (rule 11).

    ILLEGAL_STATUS_JUMP: the status cannot follow the earlier one; steps in between are not made up.
    STATUS_SINCE_BACKWARDS: the new status began before the earlier one.
    AGENCY_CHANGED: the unit belonged to another agency.
    """

    ILLEGAL_STATUS_JUMP = "ILLEGAL_STATUS_JUMP"
    STATUS_SINCE_BACKWARDS = "STATUS_SINCE_BACKWARDS"
    AGENCY_CHANGED = "AGENCY_CHANGED"


class ConflictPart(Part):
    """One thing that was recorded and flagged."""

    unit_id: str
    code: ConflictCode
    path: str
    """JSON pointer into the request."""
    detail: str


class UnitResult(StrEnum):
    """What became of a record.

    ADDED: the unit is new. CHANGED: `changed_fields` are others now. UNCHANGED: nothing new.
    IGNORED_OLDER: its version is below the one kept, so it changed nothing, not even the position.
    REMOVED: it is off the roster, with its position.
    """

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    IGNORED_OLDER = "IGNORED_OLDER"
    REMOVED = "REMOVED"


class UnitAnswer(Part):
    """One unit, as it is or was last on the roster."""

    roster_version: int
    """Rises by one with each write that changed something."""
    unit: KeptUnit


class UnitWritten(UnitAnswer):
    """What became of one unit's record."""

    result: UnitResult
    changed_fields: list[str]
    conflicts: list[ConflictPart]
    warnings: list[WarningPart]


class RosterAnswer(Part):
    """The roster, in the order of unit_id."""

    roster_version: int
    units: list[KeptUnit]


class ChangedPart(Part):
    """One unit of a snapshot that was another one before."""

    unit_id: str
    fields: list[str]


class SnapshotWritten(Part):
    """The differences between the roster and the CAD's snapshot, which are mended now."""

    roster_version: int
    received: int
    added: list[str]
    changed: list[ChangedPart]
    removed: list[str]
    """On the roster before and not in the snapshot."""
    unchanged: int
    ignored_older: list[str]
    """Their version is below the one kept."""
    conflicts: list[ConflictPart]
    conflicts_left_out: int
    warnings: list[WarningPart]


class DiscardedPart(Part):
    """One row of a feed that was not used; the unit's previous position is kept."""

    path: str
    """JSON pointer into the request."""
    unit_id: str | None
    code: str
    detail: str
    remedy: str


class PositionsWritten(Part):
    """What became of each row of a position feed; applied, unchanged and discarded add up."""

    roster_version: int
    received: int
    applied: int
    unchanged: int
    """The fix that is kept already, sent once more."""
    discarded: int
    discarded_by_code: dict[str, int]
    rows: list[DiscardedPart]
    """The discarded rows, in their order."""
    rows_left_out: int
    """Discarded rows that are counted and not listed."""
    warnings: list[WarningPart]
