"""A Recommendation and its parts: the fields of the answer of POST /v1/recommend-units.

Names and nesting are those of the answer, so writing it as JSON is mechanical: every field is
always there, as null or an empty list where it has nothing to say. Seconds are whole; instants are
UTC; lon and lat are degrees. What lives here: shapes. How they are filled: `recommend`.

Structs of msgspec, not dataclasses: an answer has some forty parts, which are made in a third of
the time and written as JSON in a fifth.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

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
    SelectedBecause,
    Status,
    UnitSource,
    Verdict,
    WarningCode,
)


class GateResult(Struct, frozen=True, kw_only=True):
    """What one gate said."""

    gate: Gate
    result: GateOutcome
    code: GateCode | None = None
    """The weightiest reason; `further_codes` has the rest."""
    value: str | None = None
    """What was tested: the winning zone, the window, the kind of call, the mode."""
    overridable_by: Role | None = None
    """Only with FAIL; NONE is nobody."""
    nearest: str | None = None
    """ZONE: the nearest zone, when the call is outside."""
    edge_m: int | None = None
    """ZONE: metres to that zone's edge."""
    zones: tuple[str, ...] = ()
    """ZONE: every zone hit, the winner first."""
    opens_at: datetime | None = None
    """TIME_WINDOW: when it opens next, when it is closed."""
    further_codes: tuple[GateCode, ...] = ()


class LonLat(Struct, frozen=True, kw_only=True):
    """A point in degrees."""

    lon: float
    lat: float


class PositionUsed(Struct, frozen=True, kw_only=True):
    """Where a unit was taken to be, and why."""

    basis: PositionBasis
    age_s: int | None
    """Age of the fix at the decision; None without one, or when its instant is not known."""
    snapped: LonLat | None
    """Point on the street from which it drives; None where none was used."""
    snap_m: int | None
    """Metres from the fix to that point."""


class Stage(Struct, frozen=True, kw_only=True):
    """Where CARE waits until the scene is safe."""

    lon: float
    lat: float
    near: str
    """The street and the nearest crossing, as in '4th Avenue / Pine Street'; '' if unnamed."""
    min_wait_s: int | None
    """max(0, SPD arrival - CARE arrival); None when SPD's arrival is not known."""
    expected_wait_s: int | None
    expected_wait_basis: str
    """Such as ASSUMED_600_S_TO_SAFE: seconds from SPD's arrival until the scene is safe."""


class Line(Struct, frozen=True, kw_only=True):
    """A GeoJSON LineString."""

    type: str = "LineString"
    coordinates: tuple[tuple[float, float], ...]
    """lon and lat in degrees, from the unit to the call."""


class RouteProperties(Struct, frozen=True, kw_only=True):
    """What is told about a route beside its line."""

    streets: tuple[str, ...]
    """Names in driving order."""


class DrawnRoute(Struct, frozen=True, kw_only=True):
    """The way a unit drives, as a GeoJSON Feature; only when `options.route` asks for it."""

    type: str = "Feature"
    geometry: Line
    properties: RouteProperties


class Assignment(Struct, frozen=True, kw_only=True):
    """One unit of the answer."""

    agency: Agency
    unit_id: str
    call_sign: str
    unit_version: int | None
    already_assigned: bool
    arrive_at: datetime | None
    """`decided_at`, cut to whole seconds, plus `arrive_s`; for a unit on scene when it arrived."""
    arrive_s: int | None
    """Seconds from the decision; 0 for a unit on scene; None when its place is not known."""
    arrive_range_s: tuple[int, int] | None
    turnout_s: int
    drive_s: int | None
    """`arrive_s - turnout_s`: driving, starting and parking."""
    drive_m: int | None
    """Metres driven; None when no route was found (straight-line estimates)."""
    position: PositionUsed
    approach: Approach
    stage: Stage | None
    selected_because: SelectedBecause
    preference_s: int
    """Seconds that preferred skills which it lacks counted against it (rule 8)."""
    route: DrawnRoute | None = None


class PairTimes(Struct, frozen=True, kw_only=True):
    """When both are there."""

    both_at_s: int | None
    gap_s: int | None
    """CARE arrival minus SPD arrival; negative when CARE is first."""
    first: str | None
    """SPD, CARE, or BOTH in the same second."""


class Alternative(Struct, frozen=True, kw_only=True):
    """A next-best pair; the mappings have SPD, then CARE."""

    rank: int
    """From 2; the recommendation itself is 1."""
    units: Mapping[Agency, str]
    arrive_s: Mapping[Agency, int | None]
    behind_s: Mapping[Agency, int]
    """Each unit against the recommended unit of its kind."""


class ExplainedUnit(Struct, frozen=True, kw_only=True):
    """Why one unit was chosen or not."""

    unit_id: str
    call_sign: str
    agency: Agency
    verdict: Verdict
    rules: tuple[str, ...]
    """Names of `UnitRule`."""
    arrive_s: int | None
    """Its own arrival if it were sent now; None when there is no way."""
    behind_s: int | None
    """Seconds after the chosen unit of its kind; 0 for the chosen one; None when removed."""
    preference_s: int
    """Seconds that preferred skills which it lacks count against it; `behind_s` is without them."""
    held_for: str | None
    position: PositionUsed


class KindCounts(Struct, frozen=True, kw_only=True):
    """How many units of one kind were seen, qualified, and removed by which rule.

    A unit that breaks several rules counts under each of them.
    """

    seen: int
    qualified: int
    removed: Mapping[str, int]


class Explanation(Struct, frozen=True, kw_only=True):
    """Per unit why and why not, nearest first; and the counts of all."""

    units: tuple[ExplainedUnit, ...]
    counts: Mapping[Agency, KindCounts]


class NearestUnit(Struct, frozen=True, kw_only=True):
    """A unit that is not free, named because none is and somebody needs one at once."""

    unit_id: str
    call_sign: str
    agency: Agency
    status: Status
    arrive_s: int | None


class Hold(Struct, frozen=True, kw_only=True):
    """Why the pair waits, until when, and what goes now."""

    missing: tuple[Agency, ...]
    reasons: tuple[HoldReason, ...]
    earliest_dispatch_at: datetime | None
    """When the last of the tentative pair is expected to be free (or the window opens)."""
    earliest_pair_at: datetime | None
    """When both could have arrived: max over both of expected clear + turnout + travel."""
    estimate_basis: EstimateBasis | None
    tentative: Mapping[Agency, str | None]
    """The pair that these instants belong to."""
    send_now: tuple[Assignment, ...]
    """Goes at once and counts as already assigned afterwards (rule 6)."""
    nearest_busy: tuple[NearestUnit, ...]
    """SPD_ADD: the nearest police of any status."""
    held_since: datetime
    escalate_at: datetime
    escalated: bool
    """`escalate_at` has passed."""
    escalate_to: Role
    resolve_on: tuple[ResolveOn, ...]


class Override(Struct, frozen=True, kw_only=True):
    """What a person in this role may do instead."""

    action: OverrideAction
    role: Role
    reason_required: bool = True
    gate: Gate | None = None
    """OVERRIDE_GATE only."""


class AnswerWarning(Struct, frozen=True, kw_only=True):
    """Something that does not stop the answer but should be known."""

    code: WarningCode
    path: str
    """JSON pointer into the request, '' when it is about none of its fields."""
    detail: str


class TouchedClosure(Struct, frozen=True, kw_only=True):
    """A closure that the answer has to do with."""

    closure_id: str
    name: str
    touches: tuple[ClosureTouch, ...]


class Basis(Struct, frozen=True, kw_only=True):
    """What the answer rests on."""

    eta: Eta
    degraded: bool
    release_id: str | None
    zone_version: int | None
    policy_version: int | None
    network_id: str | None
    weights_id: str | None
    closures_active: int
    unit_source: UnitSource
    proven_optimal: bool
    cut_short: bool
    software: str
    rung: Eta = Eta.ROAD
    """The rung that it was decided on, which is not told: `eta` is lower for a call far from any
    street. A replay begins there."""


class Recommendation(Struct, frozen=True, kw_only=True):
    """The answer. The caller names and records it; `replace()` fills those four fields."""

    recommendation_id: str | None = None
    request_id: str | None = None
    incident_id: str
    incident_version: int
    decided_at: datetime
    valid_until: datetime
    supersedes: str | None = None
    recorded: bool = False
    outcome: Outcome
    mode: Mode | None
    urgent: bool
    refer_to: str | None = None
    """The service to call in mode REFER, such as FIRE_DEPARTMENT."""
    message: str
    gates: tuple[GateResult, ...]
    assign: tuple[Assignment, ...] = ()
    """SPD first, then CARE; units on the call already included."""
    pair: PairTimes | None = None
    alternatives: tuple[Alternative, ...] = ()
    explain: Explanation
    hold: Hold | None = None
    overrides: tuple[Override, ...] = ()
    next_step: NextStep
    inside_closure_m: int | None = None
    """Metres of closed street from the nearest open end to the call; None outside closures."""
    closures: tuple[TouchedClosure, ...] = ()
    """Those of the call's street and of the streets of the units that are named."""
    warnings: tuple[AnswerWarning, ...] = ()
    basis: Basis
