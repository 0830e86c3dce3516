"""The nouns of a decision: what is known (`Situation`), what is asked (`Incident`, `Options`).

Import every noun from here; each family has its own room: codes (`codes`), units (`roster`), where
they are (`placement`), what the city decided (`policy`), the answer (`answer`).
All are immutable. Nothing here decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NewType

from geodata.beats import BeatMap
from geodata.closures import ClosedNow
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from geodata.zones import Zone, ZoneMap
from routing.answer import (
    Alternative,
    AnswerWarning,
    Assignment,
    Basis,
    DrawnRoute,
    ExplainedUnit,
    Explanation,
    GateResult,
    Hold,
    KindCounts,
    Line,
    LonLat,
    NearestUnit,
    Override,
    PairTimes,
    PositionUsed,
    Recommendation,
    RouteProperties,
    Stage,
)
from routing.codes import (
    Agency,
    Answer,
    Approach,
    EstimateBasis,
    Eta,
    Explain,
    Gate,
    GateCode,
    GateOutcome,
    HoldReason,
    Mode,
    NextStep,
    Origin,
    Outcome,
    OverrideAction,
    Place,
    PositionBasis,
    Question,
    ResolveOn,
    Role,
    SelectedBecause,
    Status,
    UnitRule,
    UnitSource,
    Verdict,
    WarningCode,
)
from routing.placement import Homes, Placement, place_units
from routing.policy import PILOT, Policy
from routing.roster import Fix, Unit, UnitColumns, UnitId, unit_columns

if TYPE_CHECKING:
    from routing.travel_time import TravelTimes

__all__ = [
    "PILOT", "Agency", "Alternative", "Answer", "AnswerWarning", "Approach", "AssignedUnit",
    "Assignment", "Basis", "BeatMap", "CompetingNeed", "DrawnRoute", "EstimateBasis", "Eta",
    "Explain", "ExplainedUnit", "Explanation", "Fix", "Gate", "GateCode", "GateOutcome",
    "GateResult", "Hold", "HoldReason", "Homes", "Incident", "IncidentId", "KindCounts", "Line",
    "Location", "LonLat", "Mode", "NearestUnit", "NextStep", "Options", "Origin", "Outcome",
    "Override", "OverrideAction", "PairTimes", "Place", "Placement", "Policy", "PositionBasis",
    "PositionUsed", "Question", "Recommendation", "ResolveOn", "Role", "RouteProperties",
    "Screening", "SelectedBecause", "Situation", "Stage", "Status", "TakenOverride", "Unit",
    "UnitColumns", "UnitId", "UnitRule", "UnitSource", "Verdict", "Versions", "WarningCode",
    "place_units", "unit_columns",
]  # fmt: skip

IncidentId = NewType("IncidentId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the call is, degrees."""

    lon: float
    lat: float
    uncertainty_m: float = 0.0
    """Radius of the circle in which the call lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What the call taker asked; an answer that was not given is UNKNOWN."""

    completed_at: datetime | None = None
    weapon: Answer = Answer.UNKNOWN
    violence: Answer = Answer.UNKNOWN
    medical: Answer = Answer.UNKNOWN
    enforcement: Answer = Answer.UNKNOWN
    drug_use: Answer = Answer.UNKNOWN
    place: Place = Place.UNKNOWN

    def answers(self) -> tuple[tuple[Question, Answer], ...]:
        """Return every question with its answer, the weightiest first."""
        return (
            (Question.WEAPON, self.weapon),
            (Question.VIOLENCE, self.violence),
            (Question.MEDICAL, self.medical),
            (Question.ENFORCEMENT, self.enforcement),
            (Question.DRUG_USE, self.drug_use),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedUnit:
    """A unit that is on the call already; the roster need not know it."""

    unit_id: UnitId
    agency: Agency
    call_sign: str | None = None
    status: Status = Status.UNKNOWN
    on_scene_at: datetime | None = None
    position: Fix | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One call. Instants carry an offset from UTC."""

    incident_id: IncidentId
    version: int = 1
    received_at: datetime | None = None
    queued_at: datetime | None = None
    location: Location
    call_type: str
    """The CAD's raw text."""
    priority: int | None = None
    """1 is the highest."""
    origin: Origin = Origin.CALL_911
    requested_mode: Mode = Mode.BY_POLICY
    screening: Screening = Screening()
    scene_safe_at: datetime | None = None
    assigned: tuple[AssignedUnit, ...] = ()
    held_since: datetime | None = None
    """Since when it has been on HOLD, as the store remembers; None when it was not."""
    overrides: tuple["TakenOverride", ...] = ()
    """What persons decided about this call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOverride:
    """What a person did instead of following the recommendation, asserted by the CAD."""

    action: OverrideAction
    role: Role
    gate: Gate | None = None
    """OVERRIDE_GATE only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetingNeed:
    """Other police work that waits; more urgent work has its sector's units first (rule 8)."""

    incident_id: str
    sector: str
    priority: int
    """1 is the highest."""
    units_needed: int = 1
    queued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much to answer, and what the dispatcher rules out."""

    alternatives: int = 2
    explain: Explain = Explain.NEAREST
    route: bool = False
    exclude_unit_ids: frozenset[str] = frozenset()
    earlier_unit_ids: frozenset[str] = frozenset()
    """Units that an earlier recommendation for this call named (rule 9)."""
    competing: tuple[CompetingNeed, ...] = ()
    taken: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Units that other calls of the same batch have, with those calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What the answer's `basis` says about where the data came from."""

    release_id: str | None = None
    zone_version: int | None = None
    policy_version: int | None = None
    closures_active: int = 0
    unit_source: UnitSource = UnitSource.REQUEST
    software: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Situation:
    """Everything that a decision reads, of one moment; read by any thread, changed by none."""

    network: StreetNetwork
    streets: StreetIndex
    travel_times: "TravelTimes | None"
    """Of the routine profile; None when none are loaded: straight lines then."""
    emergency_times: "TravelTimes | None" = None
    """With lights and sirens, for SPD_ADD; None takes the routine ones."""
    rung: Eta = Eta.ROAD
    """The best rung of the ladder that may be used (rule 12)."""
    zones: ZoneMap
    policy: Policy
    """The city's; it also judges calls outside every zone."""
    zone_policies: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))
    """By `Zone.policy_id`; a zone that is not named here has the city's."""
    roster: UnitColumns
    placement: Placement
    """`place_units(...)` of this roster with these travel times."""
    homes: Homes = field(default_factory=Homes)
    beats: BeatMap | None = None
    """Police geography; None where none is loaded."""
    precinct_of: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Precinct by sector."""
    closed: ClosedNow | None = None
    """What closures close; the weights say the same. None where nothing is closed."""
    versions: Versions = field(default_factory=Versions)

    def policy_of(self, zone: Zone | None) -> Policy:
        """Return the policy of a zone."""
        return self.policy if zone is None else self.zone_policies.get(zone.policy_id, self.policy)
