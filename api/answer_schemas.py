"""The answer of POST /v1/recommend-units as it is sent: the contract, field by field.

The names and the nesting are those of `routing.answer`, from whose values these models are filled;
a field that is missing there fails at once. Every key is there in every answer, null or [] where
it has nothing to say. Instants are UTC and end in Z; units of measure stand in the names.
"""

import datetime as dt
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from routing.codes import (
    Agency,
    Approach,
    ClosureTouch,
    EstimateBasis,
    Eta,
    Gate,
    GateCode,
    GateOutcome,
    HoldReason,
    Mode,
    NextStep,
    Outcome,
    OverrideAction,
    PositionBasis,
    ResolveOn,
    Role,
    SafetyAction,
    SelectedBecause,
    Status,
    UnitSource,
    Verdict,
)


def utc_text(instant: dt.datetime) -> str:
    """Return an instant in UTC, ending in Z; milliseconds only where it has a fraction."""
    if instant.tzinfo is not dt.UTC:
        instant = instant.astimezone(dt.UTC)
    text = instant.isoformat()
    return text[: _MILLISECONDS if instant.microsecond else _SECONDS] + "Z"


_SECONDS: Final = len("2026-07-21T20:05:02")
_MILLISECONDS: Final = len("2026-07-21T20:05:02.120")

UtcInstant = Annotated[
    dt.datetime,
    PlainSerializer(utc_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Part(BaseModel):
    """What all parts of an answer share: no key may be missing and none may be added."""

    model_config = ConfigDict(
        from_attributes=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )


class GatePart(Part):
    """One gate that the call passed, failed or could not be tested at."""

    gate: Gate
    result: GateOutcome
    code: GateCode | None
    """The weightiest reason."""
    further_codes: list[GateCode]
    value: str | None
    """What was tested: the winning zone, the window, the kind of call, the mode."""
    overridable_by: Role | None
    """Who may set a failure aside; null where nothing failed."""
    zones: list[str]
    """ZONE: every zone hit, the winner first."""
    nearest: str | None
    """ZONE: the nearest zone, when the call is outside."""
    edge_m: int | None
    """ZONE: metres to that zone's edge."""
    opens_at: UtcInstant | None
    """TIME_WINDOW: when it opens next, when it is closed."""


class LonLatPart(Part):
    """A place in WGS 84 degrees."""

    lon: float
    lat: float


class PositionPart(Part):
    """Where a unit was taken to be, and why."""

    basis: PositionBasis
    age_s: int | None
    snapped: LonLatPart | None
    """Point on the street from which it drives."""
    snap_m: int | None
    """Metres from the fix to that point."""


class StagePart(Part):
    """Where CARE waits until the scene is safe."""

    lon: float
    lat: float
    near: str
    """The street and the nearest crossing."""
    min_wait_s: int | None
    expected_wait_s: int | None
    expected_wait_basis: str


class LinePart(Part):
    """A GeoJSON LineString."""

    type: Literal["LineString"]
    coordinates: list[tuple[float, float]]
    """[lon, lat] in degrees, from the unit to the call."""


class RoutePropertiesPart(Part):
    """What is told about a route beside its line."""

    streets: list[str]
    """Names in driving order."""


class RoutePart(Part):
    """The way a unit drives as a GeoJSON Feature, when the request asked for it."""

    type: Literal["Feature"]
    geometry: LinePart
    properties: RoutePropertiesPart


class AssignPart(Part):
    """One unit to send, or one that is on the call already."""

    agency: Agency
    unit_id: str
    call_sign: str
    unit_version: int | None
    already_assigned: bool
    arrive_at: UtcInstant | None
    arrive_s: int | None
    """Turnout and drive from the decision on; 0 for a unit on scene."""
    arrive_range_s: tuple[int, int] | None
    turnout_s: int
    drive_s: int | None
    drive_m: int | None
    position: PositionPart
    approach: Approach
    stage: StagePart | None
    selected_because: SelectedBecause
    preference_s: int
    """Seconds that preferred skills which it lacks counted against it."""
    route: RoutePart | None


class PairPart(Part):
    """When both are there."""

    both_at_s: int | None
    gap_s: int | None
    """CARE arrival minus SPD arrival; negative when CARE is first."""
    first: str | None
    """SPD, CARE, or BOTH in the same second."""


class AlternativePart(Part):
    """A next-best pair."""

    rank: int
    units: dict[Agency, str]
    arrive_s: dict[Agency, int | None]
    behind_s: dict[Agency, int]
    """Each unit against the recommended unit of its kind."""


class ExplainedPart(Part):
    """Why one unit was chosen or not."""

    unit_id: str
    call_sign: str
    agency: Agency
    verdict: Verdict
    rules: list[str]
    """What removed it."""
    arrive_s: int | None
    """Its own arrival if it were sent now."""
    behind_s: int | None
    preference_s: int
    """Seconds that preferred skills which it lacks count against it; not in `behind_s`."""
    held_for: str | None
    """The more urgent call that holds it."""
    position: PositionPart


class CountPart(Part):
    """How many units of a kind were seen, how many qualified, and what removed the others."""

    seen: int
    qualified: int
    removed: dict[str, int]


class ExplainPart(Part):
    """Per unit why and why not, nearest first; and the counts of all."""

    units: list[ExplainedPart]
    counts: dict[Agency, CountPart]


class NearestPart(Part):
    """A unit that is not free, named because somebody needs one at once."""

    unit_id: str
    call_sign: str
    agency: Agency
    status: Status
    arrive_s: int | None


class HoldPart(Part):
    """Why the pair waits, until when, and what goes now."""

    missing: list[Agency]
    reasons: list[HoldReason]
    earliest_dispatch_at: UtcInstant | None
    earliest_pair_at: UtcInstant | None
    estimate_basis: EstimateBasis | None
    tentative: dict[Agency, str | None]
    send_now: list[AssignPart]
    """Goes at once and counts as already assigned afterwards."""
    nearest_busy: list[NearestPart]
    """SPD_ADD with nobody free: the nearest police of any status."""
    held_since: UtcInstant
    escalate_at: UtcInstant
    escalated: bool
    """`escalate_at` has passed."""
    escalate_to: Role
    resolve_on: list[ResolveOn]


class OverridePart(Part):
    """What a person in this role may do instead."""

    action: OverrideAction
    role: Role
    reason_required: bool
    gate: Gate | None


class WarningPart(Part):
    """Something mended, ignored or doubtful; `path` is a JSON pointer into the request."""

    code: str
    path: str
    detail: str


class OperatorPart(Part):
    """Who did something, as the CAD asserts it; no names of persons."""

    id: str
    role: str


class SafetyOrderPart(Part):
    """What some units have to do at once."""

    action: SafetyAction
    agency: Agency
    unit_ids: list[str]
    """Empty for SEND_SPD: the recommendation names whom."""


class SafetyChangedPart(Part):
    """What was sent is no longer right; repeated until somebody acknowledges it (rule 14)."""

    alert_id: str
    incident_id: str
    raised_at: UtcInstant
    reasons: list[GateCode]
    orders: list[SafetyOrderPart]
    message: str
    acknowledged_at: UtcInstant | None
    acknowledged_by: OperatorPart | None


class TouchedClosurePart(Part):
    """A closure that the answer has to do with: what of it lies on a closed street."""

    closure_id: str
    name: str
    touches: list[ClosureTouch]


class BasisPart(Part):
    """What the decision rests on, so that it can be repeated."""

    eta: Eta
    degraded: bool
    release_id: str | None
    zone_version: int | None
    policy_version: int | None
    network_id: str | None
    schematic: bool
    """True on the built-in network, which is a drawing from facts and not a survey."""
    weights_id: str | None
    closures_active: int
    unit_source: UnitSource
    roster_version: int | None
    """Of the roster that was read; null where the units came with the request."""
    proven_optimal: bool
    cut_short: bool
    software: str


class RecommendAnswer(Part):
    """One recommendation: DISPATCH, HOLD or NOT_ELIGIBLE."""

    recommendation_id: str
    request_id: str | None
    incident_id: str
    incident_version: int
    decided_at: UtcInstant
    valid_until: UtcInstant
    supersedes: str | None
    """The recommendation before it about this call; null too where `as_of` was asked for."""
    recorded: bool
    """False: this version keeps no store, so nothing is recorded yet."""
    outcome: Outcome
    mode: Mode | None
    urgent: bool
    refer_to: str | None
    """The service to call in mode REFER."""
    message: str
    gates: list[GatePart]
    assign: list[AssignPart]
    pair: PairPart | None
    alternatives: list[AlternativePart]
    explain: ExplainPart
    hold: HoldPart | None
    overrides: list[OverridePart]
    next_step: NextStep
    safety_changed: SafetyChangedPart | None
    """The newest safety alert of this call that nobody has acknowledged."""
    inside_closure_m: int | None
    """The call lies inside a closure: metres of closed street from its nearest open end."""
    closures: list[TouchedClosurePart]
    """Closures of the call's street and of the streets of the units that are named."""
    warnings: list[WarningPart]
    basis: BasisPart


class ProblemPart(Part):
    """One thing that is wrong with a request."""

    path: str
    """JSON pointer into the request."""
    code: str
    detail: str
    remedy: str


class ProblemAnswer(Part):
    """RFC 9457 problem+json; nothing of the request's body is repeated."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str
    errors: list[ProblemPart]
    errors_left_out: int
