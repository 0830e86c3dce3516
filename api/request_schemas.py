"""The request of POST /v1/recommend-units, field by field, as a CAD sends it.

Strict: a number is a number (`"lat": false` and `"47"` are refused), an instant carries its offset
from UTC, every text and list is bounded by a name below. Keys that are not listed here are accepted
and named in a warning: vendors add fields, and a misspelt one must not pass in silence.

What lives here: the shape. What happens to a bad entry is in `read_request`; where a place may lie
and what the values mean is decided by `geodata` and `routing`.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from routing.codes import (
    Agency,
    Answer,
    Explain,
    Gate,
    Origin,
    OverrideAction,
    Place,
    ReasonCode,
    Role,
    Status,
)

UNITS_MAX: Final = 2_000
COMPETING_MAX: Final = 200
ASSIGNED_MAX: Final = 50
OVERRIDES_MAX: Final = 20
EXCLUDED_MAX: Final = 2_000
SKILLS_MAX: Final = 32
ALTERNATIVES_MAX: Final = 10
DEADLINE_MS_MAX: Final = 10_000
VERSION_MAX: Final = 2**53 - 1
"""Largest whole number that every JSON reader keeps exact (RFC 8259)."""

INSTANT_PATTERN: Final = r"^20\d\d-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?$"
"""RFC 3339; the offset is optional here, so that its absence gets a message of its own."""

DESCRIBED_INSTANT_PATTERN: Final = (
    r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)
"""What a sender has to keep to: this century, with seconds and with its offset."""


class _InstantSchema:
    """A text in RFC 3339 with an offset; checked wholly by pydantic's compiled core."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[dt.datetime], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = core_schema.str_schema(pattern=INSTANT_PATTERN, strict=True)
        aware = core_schema.datetime_schema(tz_constraint="aware", strict=False)
        return core_schema.chain_schema([text, aware])

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "pattern": DESCRIBED_INSTANT_PATTERN}


Instant = Annotated[dt.datetime, _InstantSchema]


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds; `2.0` is one too, as in JSON Schema, and some CADs write it so.

    Checked wholly by pydantic's compiled core: a number (no text, no true), then without fraction.
    """

    low: int
    high: int

    def __get_pydantic_core_schema__(
        self, _source: type[int], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        number = core_schema.float_schema(strict=True, allow_inf_nan=False)
        whole = core_schema.int_schema(strict=False, ge=self.low, le=self.high)
        return core_schema.chain_schema([number, whole])

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


ID_PATTERN: Final = r"^[^\x00-\x1f\x7f]+$"
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=ID_PATTERN)]
Word = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=200)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
NotNegative = Annotated[float, Field(ge=0, le=1e7)]
Degrees = Annotated[float, Field(ge=0, le=360)]
Version = Annotated[int, Whole(0, VERSION_MAX)]
Priority = Annotated[int, Whole(1, 99)]

StatusText = Annotated[str, Field(max_length=64, json_schema_extra={"examples": sorted(Status)})]
"""Text here, because every CAD has statuses of its own: those that are not ours are UNKNOWN."""
AskedMode = Literal["BY_POLICY", "DUAL", "CARE_ONLY_ADD", "SPD_ADD", "SOLO"]
"""The values of `Mode` that may be asked for; the others occur in answers only."""
RoleName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Z][A-Z0-9_]*$")]


class Entry(BaseModel):
    """What all parts of a request share."""

    model_config = ConfigDict(
        strict=True,
        extra="allow",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class OperatorEntry(Entry):
    """Who asks, as the CAD asserts it; no names of persons."""

    id: Id
    role: RoleName


class LocationEntry(Entry):
    """Where the call is, WGS 84 degrees, longitude first."""

    lon: Annotated[float, Field(json_schema_extra={"minimum": -180, "maximum": 180})]
    lat: Annotated[float, Field(json_schema_extra={"minimum": -90, "maximum": 90})]
    uncertainty_m: NotNegative | None = None
    """Radius of the circle in which the call lies."""
    source: Word | None = None
    """How the place was found, e.g. GEOCODE, ALI, CALLER."""


class ScreeningEntry(Entry):
    """What the call taker asked; an answer that was not given is UNKNOWN."""

    completed_at: Instant | None = None
    weapon: Answer = Answer.UNKNOWN
    violence: Answer = Answer.UNKNOWN
    medical: Answer = Answer.UNKNOWN
    enforcement: Answer = Answer.UNKNOWN
    drug_use: Answer = Answer.UNKNOWN
    place: Place = Place.UNKNOWN


class PositionEntry(Entry):
    """Where a unit was, and when its device said so."""

    lon: Longitude
    lat: Latitude
    fixed_at: Instant | None = None
    heading_deg: Degrees | None = None
    speed_mps: NotNegative | None = None
    accuracy_m: NotNegative | None = None


class AssignedEntry(Entry):
    """A unit that is on the call already; the roster need not know it."""

    unit_id: Id
    agency: Agency
    call_sign: Id | None = None
    status: StatusText = "UNKNOWN"
    on_scene_at: Instant | None = None
    position: PositionEntry | None = None


class OverrideEntry(Entry):
    """What a person decided about the call instead of following a recommendation."""

    action: OverrideAction
    role: Role
    """The role that decided, as the CAD asserts it."""
    gate: Gate | None = None
    """With OVERRIDE_GATE: the gate that the call may pass."""
    reason_code: ReasonCode
    reason_text: Text | None = None


class IncidentEntry(Entry):
    """The call to decide for."""

    incident_id: Id
    version: Version = 1
    received_at: Instant | None = None
    queued_at: Instant | None = None
    location: LocationEntry
    call_type: Text
    """The CAD's raw text; the release maps it."""
    priority: Priority | None = None
    """1 is the highest."""
    origin: Origin = Origin.CALL_911
    requested_mode: AskedMode = "BY_POLICY"
    screening: ScreeningEntry | None = None
    scene_safe_at: Instant | None = None
    assigned: Annotated[list[AssignedEntry], Field(default_factory=list, max_length=ASSIGNED_MAX)]
    overrides: Annotated[list[OverrideEntry], Field(default_factory=list, max_length=OVERRIDES_MAX)]


class CompetingEntry(Entry):
    """Other police work that waits and comes first where its priority is higher."""

    incident_id: Id
    agency: Agency = Agency.SPD
    sector: Word
    priority: Priority
    units_needed: Annotated[int, Whole(1, 100)] = 1
    queued_at: Instant | None = None


class HomeEntry(Entry):
    """Where a unit belongs when its position is not known."""

    post: Word | None = None
    sector: Word | None = None
    beat: Word | None = None


class UnitEntry(Entry):
    """One unit of the roster at this moment."""

    unit_id: Id
    """Unique per duty period."""
    call_sign: Id | None = None
    """For display only."""
    version: Version | None = None
    agency: Agency
    unit_type: Word | None = None
    crew_count: Annotated[int, Whole(0, 100)] | None = None
    skills: Annotated[list[Word], Field(default_factory=list, max_length=SKILLS_MAX)]
    status: StatusText = "UNKNOWN"
    """Only AVAILABLE is recommended."""
    status_since: Instant | None = None
    available_since: Instant | None = None
    expected_clear_at: Instant | None = None
    shift_start: Instant | None = None
    shift_end: Instant | None = None
    home: HomeEntry | None = None
    position: PositionEntry | None = None

    claimed: ClassVar[bool] = False
    """Claims are not told in a request."""
    row: ClassVar[None] = None
    """Entries may be left out, so the reader of the request knows the rows."""

    @property
    def home_post(self) -> str | None:
        """Post of `home`."""
        return self.home.post if self.home else None

    @property
    def home_sector(self) -> str | None:
        """Sector of `home`."""
        return self.home.sector if self.home else None

    @property
    def home_beat(self) -> str | None:
        """Beat of `home`."""
        return self.home.beat if self.home else None


class OptionsEntry(Entry):
    """How much to answer."""

    alternatives: Annotated[int, Whole(0, ALTERNATIVES_MAX)] = 2
    explain: Explain = Explain.NEAREST
    route: bool = False
    deadline_ms: Annotated[int, Whole(1, DEADLINE_MS_MAX)] = 1_000


class RecommendRequest(Entry):
    """One call, the units, and what competes for them."""

    request_id: Id | None = None
    as_of: Instant | None = None
    """The instant to decide for; for replay and test keys only, null otherwise."""
    operator: OperatorEntry | None = None
    incident: IncidentEntry
    exclude_unit_ids: Annotated[list[Id], Field(default_factory=list, max_length=EXCLUDED_MAX)]
    competing: Annotated[
        list[CompetingEntry], Field(default_factory=list, max_length=COMPETING_MAX)
    ]
    units: Annotated[list[UnitEntry], Field(max_length=UNITS_MAX)] | None = None
    """These replace the roster for this call; null means the roster."""
    options: OptionsEntry = OptionsEntry()
