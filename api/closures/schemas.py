"""What is sent and answered about closures, field by field.

Answers have every key always, instants in UTC.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.answer_schemas import Part, UtcInstant, WarningPart
from api.closures.records import (
    ClosureContent,
    ClosureState,
    DailyWindow,
    Direction,
    KeptClosure,
)
from api.closures.windows import DAYS
from api.request_schemas import (
    Entry,
    Instant,
    Latitude,
    Longitude,
    OperatorEntry,
    Text,
    Version,
)
from api.validation_words import CLOSURE_INVALID
from geodata.closures import WINDOWS_MAX, Effect, Traffic

POINTS_MAX: Final = 5_000
"""Of one line or ring."""
RINGS_MAX: Final = 50
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
StreetName = Annotated[str, Field(min_length=1, max_length=100)]
LonLat = tuple[Longitude, Latitude]
Points = Annotated[list[LonLat], Field(min_length=2, max_length=POINTS_MAX)]
Ring = Annotated[list[LonLat], Field(min_length=4, max_length=POINTS_MAX)]

# -- what is sent ---------------------------------------------------------------------------------


class WindowEntry(Entry):
    """Hours by the city's wall clock, on the days on which they begin.

    An end that is not after its start lies on the next day.
    """

    days: Annotated[list[Day], Field(min_length=1, max_length=7)]
    start: Clock
    end: Clock


class PointEntry(Entry):
    """The street beside a point."""

    type: Literal["Point"]
    coordinates: Annotated[LonLat, Field(strict=False)]


class LineEntry(Entry):
    """The streets along a line."""

    type: Literal["LineString"]
    coordinates: Points


class PolygonEntry(Entry):
    """The streets within an area."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=RINGS_MAX)]


class LinesEntry(Entry):
    """Several lines, all in one closure."""

    type: Literal["MultiLineString"]
    coordinates: Annotated[list[Points], Field(min_length=1, max_length=RINGS_MAX)]


class PolygonsEntry(Entry):
    """Several areas, all in one closure."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[
        list[Annotated[list[Ring], Field(min_length=1, max_length=RINGS_MAX)]],
        Field(min_length=1, max_length=RINGS_MAX),
    ]


AnyGeometry = PointEntry | LineEntry | PolygonEntry | LinesEntry | PolygonsEntry
Geometry = Annotated[AnyGeometry, Field(discriminator="type")]


class ClosureWrite(Entry):
    """A closure: where, for whom, from when to when.

    The place is a geometry, or a street with the two that it lies between.
    """

    operator: OperatorEntry | None = None
    name: Name
    """In words that a dispatcher understands, such as 'Stadium event'."""
    note: Annotated[str, Field(max_length=500)] = ""
    traffic: Traffic = Traffic.ALL
    """ALL keeps everybody out; ALL_BUT_EMERGENCY lets through who drives with lights and sirens."""
    effect: Effect = Effect.CLOSES
    """OPENS_LANES opens reversible lanes, which are closed otherwise, and closes nothing."""
    starts_at: Instant | None = None
    """Included; null: when it is activated."""
    ends_at: Instant | None = None
    """Excluded; null: until somebody ends it."""
    windows: Annotated[list[WindowEntry], Field(default_factory=list, max_length=WINDOWS_MAX)]
    """The closure holds only within any of these; without any, all the time."""
    direction: Direction = Direction.BOTH
    """Which way of a drawn line, or of the street from one crossing to the other."""
    geometry: Geometry | None = None
    street: StreetName | None = None
    from_street: StreetName | None = None
    to_street: StreetName | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> "ClosureWrite":
        streets = (self.street, self.from_street, self.to_street)
        if (self.geometry is None) == (self.street is None):
            raise _invalid("give either a geometry, or a street with from_street and to_street")
        if self.street is not None and None in streets:
            raise _invalid("name the two streets that the closed stretch lies between")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise _invalid("ends_at must be after starts_at")
        return self


def _invalid(said: str) -> PydanticCustomError:
    return PydanticCustomError(CLOSURE_INVALID, said)


class ActivateWrite(Entry):
    """POST /v1/closures/{closure_id}/activate: who, and what they have seen of it."""

    operator: OperatorEntry | None = None
    version: Version | None = None
    """The version that was looked at; another one is refused. null takes the newest."""
    accept_cut_off: Annotated[bool, Field(strict=True)] = False
    """True: streets or posts that can no longer be reached are meant to be cut off."""


class EndWrite(Entry):
    """POST /v1/closures/{closure_id}/end: who, why, and when."""

    operator: OperatorEntry | None = None
    reason: Text = ""
    at: Instant | None = None
    """null: now; a later instant takes the place of `ends_at`."""


def content_of(told: ClosureWrite) -> ClosureContent:
    """Return what a body says of a closure."""
    return ClosureContent(
        name=told.name,
        note=told.note,
        traffic=told.traffic,
        effect=told.effect,
        starts_at=told.starts_at,
        ends_at=told.ends_at,
        windows=tuple(
            DailyWindow(
                days=tuple(sorted({DAYS.index(day) for day in one.days})),
                start=one.start,
                end=one.end,
            )
            for one in told.windows
        ),
        direction=told.direction,
        geometry=None if told.geometry is None else _geojson(told.geometry),
        street=told.street,
        from_street=told.from_street,
        to_street=told.to_street,
    )


def _geojson(told: AnyGeometry) -> dict[str, Any]:
    plain = told.model_dump(mode="json", include={"type", "coordinates"})
    return dict(plain)


# -- what is answered -----------------------------------------------------------------------------


class WindowPart(Part):
    """One recurring window."""

    days: list[str]
    start: str
    end: str


class CutOffPart(Part):
    """What could no longer be reached, or not be left."""

    streets: list[str]
    """Names, the longest first; at most 20."""
    street_count: int
    posts: list[str]


class EffectPart(Part):
    """What a closure does on the streets that are loaded."""

    streets: list[str]
    """Names of the streets that it closes; at most 20."""
    edges: int
    """Directions of streets that are closed."""
    length_m: float
    network_share: float
    """Closed metres over all metres of the network."""
    cut_off: CutOffPart | None
    """What it cuts off beside what is closed at its first instant; null: nothing."""
    needs_supervisor: bool


class ClosurePart(Part):
    """One closure."""

    closure_id: str
    version: int
    state: ClosureState
    name: str
    note: str
    traffic: Traffic
    effect: Effect
    starts_at: UtcInstant | None
    ends_at: UtcInstant | None
    windows: list[WindowPart]
    direction: Direction
    geometry: dict[str, Any] | None
    street: str | None
    from_street: str | None
    to_street: str | None
    is_closed_now: bool
    """Its streets are closed at this instant."""
    next_change_at: UtcInstant | None
    """When they open or close next."""
    proposed_by: str
    proposed_at: UtcInstant
    changed_by: str
    changed_at: UtcInstant
    activated_by: str | None
    activated_at: UtcInstant | None
    ended_by: str | None
    ended_at: UtcInstant | None
    end_reason: str


class ClosureAnswer(Part):
    """One closure, and what it does."""

    closure: ClosurePart
    effect: EffectPart | None
    """null for one that is over, or deleted."""
    warnings: list[WarningPart]


class ClosuresAnswer(Part):
    """GET /v1/closures: in the order in which they were proposed."""

    closures: list[ClosurePart]


def closure_part(
    kept: KeptClosure, state: ClosureState, *, closed_now: bool, next_change_at: Any
) -> ClosurePart:
    """Return a closure as it is sent."""
    content = kept.content
    return ClosurePart(
        closure_id=kept.closure_id,
        version=kept.version,
        state=state,
        name=content.name,
        note=content.note,
        traffic=content.traffic,
        effect=content.effect,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        windows=[
            WindowPart(days=[DAYS[day] for day in one.days], start=one.start, end=one.end)
            for one in content.windows
        ],
        direction=content.direction,
        geometry=content.geometry,
        street=content.street,
        from_street=content.from_street,
        to_street=content.to_street,
        is_closed_now=closed_now,
        next_change_at=next_change_at,
        proposed_by=kept.proposed_by,
        proposed_at=kept.proposed_at,
        changed_by=kept.changed_by,
        changed_at=kept.changed_at,
        activated_by=kept.activated_by,
        activated_at=kept.activated_at,
        ended_by=kept.ended_by,
        ended_at=kept.ended_at,
        end_reason=kept.end_reason,
    )
