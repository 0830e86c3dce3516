"""What a city has decided: every parameter of a decision, with its source.

What lives here: `Policy`, immutable, and `PILOT`, the policy of Seattle's pilot without a file; a
test holds it equal to `geodata/pilot/release.toml`. What does not: the rules that use it, and
reading it from a file (`api.release_file`). Zone, hours, call types and modes changed every few
months in the pilot, so they are data with an effective date; a policy is never edited, a new one
takes its place.

A figure marked *assumption* has no source; it is a setting to be changed and an axis of studies.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from geodata.snap import SnapLimits
from routing.codes import Agency, Gate, Mode, PositionBasis, Question, Role
from routing.hours import Hours, TimeWindow

ASKABLE: Final = frozenset({Mode.DUAL, Mode.CARE_ONLY_ADD, Mode.SPD_ADD, Mode.SOLO})
"""Modes that a call can be decided in, by request or by policy."""

Spread = tuple[float, float]
"""An arrival range as shares of the arrival, such as (0.8, 1.25)."""


class Area(StrEnum):
    """Where a mode is offered: in the zones of the programme, or anywhere on the network."""

    ZONE = "ZONE"
    CITY = "CITY"


class OnNoCare(StrEnum):
    """CARE is missing: police go now and CARE follows, or both wait."""

    SEND_SPD = "SEND_SPD"
    HOLD = "HOLD"


class OnNoSpd(StrEnum):
    """Police are missing: the pair waits, or CARE goes alone where the policy has SOLO."""

    HOLD = "HOLD"
    SOLO = "SOLO"


class SpdScope(StrEnum):
    """Which police may be taken for a call: any, those of its precinct, those of its sector."""

    ANY = "ANY"
    PRECINCT = "PRECINCT"
    SECTOR = "SECTOR"


ALL_GATES: Final = frozenset(Gate)
ALWAYS_TESTED: Final = frozenset({Gate.LOCATION, Gate.MODE})
UNITS_PER_KIND_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """How many units of one kind a mode sends, and what each must have."""

    units: int = 1
    min_crew: int = 1
    required_skills: frozenset[str] = frozenset()
    preferred_skills: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Seconds that each skill is worth: a unit without it counts as arriving so much later."""

    def __post_init__(self) -> None:
        if not 1 <= self.units <= UNITS_PER_KIND_MAX:
            raise ValueError(f"units is {self.units}; expected 1 to {UNITS_PER_KIND_MAX}")
        if self.min_crew < 1:
            raise ValueError(f"min_crew is {self.min_crew}; expected 1 or more")
        if any(worth_s < 0 for worth_s in self.preferred_skills.values()):
            raise ValueError("preferred_skills must be worth 0 seconds or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRules:
    """How one mode is decided."""

    requirements: Mapping[Agency, Requirement]
    """The kinds that the mode sends."""
    refuses_yes: frozenset[Question] = frozenset()
    """Questions whose answer must not be YES."""
    refuses_unknown: frozenset[Question] = frozenset()
    """Questions whose answer must not be UNKNOWN."""
    gates: frozenset[Gate] = ALL_GATES
    """The gates that are tested; LOCATION and MODE always are."""
    area: Area = Area.ZONE
    """What ZONE tests: a zone of the programme, or the whole city (only EXCLUDE zones refuse)."""

    def __post_init__(self) -> None:
        if not self.requirements:
            raise ValueError("requirements are empty; expected at least one kind of unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTypes:
    """From the CAD's raw text to a kind of call; exact after normalising, never by guess."""

    kind_of: Mapping[str, str]
    """Kind by normalised text, see `normalised`."""
    eligible: frozenset[str]
    """Kinds that the programme answers."""

    def kind(self, raw: str) -> str | None:
        """Return the kind of a raw text, or None when nobody has mapped it."""
        kind = self.kind_of.get(raw)
        return self.kind_of.get(normalised(raw)) if kind is None else kind


_NO_LETTER: Final = re.compile(r"[\W_]+")


def normalised(raw: str) -> str:
    """Return a text in capitals with every run of spaces and punctuation as one space."""
    return _NO_LETTER.sub(" ", raw).strip().upper()


ARRIVAL_SPREADS: Final[Mapping[PositionBasis, Spread]] = MappingProxyType(
    {
        PositionBasis.AVL: (0.80, 1.25),
        PositionBasis.AVL_AGED: (0.65, 1.45),
        PositionBasis.LAST_KNOWN: (0.50, 1.80),
        PositionBasis.HOME_POST: (0.50, 1.80),
        PositionBasis.BEAT_CENTRE: (0.40, 2.00),
        PositionBasis.UNKNOWN: (0.20, 2.00),
        PositionBasis.ON_SCENE: (1.0, 1.0),
    }
)
"""Arrival ranges by what is known of the position; every figure is an *assumption*.

The drive-time model is off by 12.2 % on average on 870 published drive times, so about twice that
either way for a fresh fix; the older and vaguer the position, the wider.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every parameter of a decision. Seconds, metres and metres per second by name."""

    policy_id: str
    window: Hours
    """Pilot: 11:00-23:00 America/Los_Angeles, daily (press release)."""
    call_types: CallTypes
    """Pilot: person down and wellness / welfare check (press release)."""
    modes: Mapping[Mode, ModeRules]
    """The modes that the policy has."""
    by_policy_mode: Mode = Mode.DUAL
    """What BY_POLICY means."""
    officer_mode: Mode = Mode.CARE_ONLY_ADD
    """What BY_POLICY means when an officer asks and police are on the call, if `modes` has it."""

    hold_before_opening_max_s: int = 12 * 3600
    """A call before opening waits at most this long, else it is not eligible (*assumption*)."""
    on_no_care: OnNoCare = OnNoCare.SEND_SPD
    """What police do while CARE is awaited (rule 6)."""
    on_no_spd: OnNoSpd = OnNoSpd.HOLD
    """What CARE does while police are awaited (rule 6)."""
    spd_scope: SpdScope = SpdScope.ANY
    """Which police may be taken (rule 8)."""
    reserve_per_sector: int = 0
    """Qualified police that a sector keeps for itself; 0 is off (rule 8)."""
    reserve_of_sector: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Sectors whose reserve is another."""
    escalate_after_s: int = 900
    """A HOLD goes to `escalate_to` after this long (rule 6)."""
    escalate_to: Role = Role.SUPERVISOR
    valid_for_s: int = 60
    """How long a recommendation may be confirmed as it stands (*assumption*)."""
    min_gain_s: int = 30
    """A unit named earlier is kept unless another gains this much (rule 9)."""

    turnout_care_s: int = 60
    """Dispatch to wheels rolling, CARE (*assumption*)."""
    turnout_spd_s: int = 20
    """The same for SPD (*assumption*)."""
    shift_guard_s: int = 30 * 60
    """No new call this close to the shift's end (Bellevue WA 23.00.090)."""
    mean_service_s: int = 34 * 60
    """Mean length of a CARE call (CARE two-year report); used for SPD too (*assumption*)."""
    avl_fresh_s: int = 60
    """A fix up to this age is AVL (*assumption*; AVL intervals of 5-60 s in tenders)."""
    avl_aged_s: int = 300
    """Up to this age AVL_AGED, beyond it LAST_KNOWN (*assumption*)."""
    future_fix_s: int = 5
    """A fix further in the future than this is discarded (*assumption*: clocks differ a little)."""
    arrival_spread: Mapping[PositionBasis, Spread] = field(default_factory=lambda: ARRIVAL_SPREADS)
    straight_line_spread: Spread = (0.60, 1.80)
    """At least this wide when the arrival is a straight-line estimate (*assumption*)."""
    unknown_position_drive_s: int = 1800
    """Drive time of a unit of which no place is known: such a unit is offered behind all units
    within this time, never before them (*assumption*)."""

    snap: SnapLimits = field(default_factory=SnapLimits)
    """100 m warn (*assumption*), 350 m refuse (openrouteservice)."""
    detour_factor: float = 1.27
    """Straight line to road length (geometry; fit it to the network)."""
    straight_line_mps: float = 7.0
    """Speed on a straight-line estimate, about 16 mph with signals (*assumption*)."""

    stage_short_m: float = 150.0
    """How far short of the call CARE stages (*assumption*)."""
    scene_safe_after_s: int = 600
    """SPD arrival to a safe scene: 600-900 s, study range 300-1800 (*assumption*)."""

    def __post_init__(self) -> None:
        for name, mode in (
            ("by_policy_mode", self.by_policy_mode),
            ("officer_mode", self.officer_mode),
        ):
            if mode not in ASKABLE:
                raise ValueError(f"{name} is {mode}; expected one of {', '.join(sorted(ASKABLE))}")
        if Mode.SPD_ADD in self.modes and self.modes[Mode.SPD_ADD].gates - ALWAYS_TESTED:
            raise ValueError("SPD_ADD has gates; nothing may stand in its way but the location")
        if min((self.reserve_per_sector, *self.reserve_of_sector.values())) < 0:
            raise ValueError("a reserve is below 0; expected 0 (off) or more units")
        if not 0 <= self.avl_fresh_s <= self.avl_aged_s:
            raise ValueError(
                f"avl_fresh_s is {self.avl_fresh_s} and avl_aged_s {self.avl_aged_s}; "
                "expected 0 <= avl_fresh_s <= avl_aged_s"
            )
        if self.detour_factor < 1 or self.straight_line_mps <= 0:
            raise ValueError("expected detour_factor of at least 1 and straight_line_mps above 0")
        missing = set(PositionBasis) - set(self.arrival_spread)
        if missing:
            raise ValueError(f"arrival_spread lacks {sorted(missing)}")


PACIFIC: Final = ZoneInfo("America/Los_Angeles")

PERSON_DOWN: Final = "PERSON_DOWN"
WELFARE_CHECK: Final = "WELFARE_CHECK"

PILOT_CALL_TYPES: Final = CallTypes(
    kind_of=MappingProxyType(
        {
            "PERSON DOWN": PERSON_DOWN,
            "DOWN PERSON": PERSON_DOWN,
            "CHECK FOR PERSON DOWN": PERSON_DOWN,
            "DOWN CHECK FOR PERSON DOWN": PERSON_DOWN,
            "WELFARE CHECK": WELFARE_CHECK,
            "WELLNESS CHECK": WELFARE_CHECK,
            "WELLNESS WELFARE CHECK": WELFARE_CHECK,
            "WELFARE WELLNESS CHECK": WELFARE_CHECK,
            "WELFARE CHECK WELLNESS CHECK": WELFARE_CHECK,
            "CHECK WELFARE": WELFARE_CHECK,
            "CHECK ON WELFARE": WELFARE_CHECK,
            "WELLBEING CHECK": WELFARE_CHECK,
            "WELL BEING CHECK": WELFARE_CHECK,
        }
    ),
    eligible=frozenset({PERSON_DOWN, WELFARE_CHECK}),
)
"""Texts of the press release, of Seattle's public call data, and plain variants of them."""

_UNFIT: Final = frozenset(
    {Question.WEAPON, Question.VIOLENCE, Question.MEDICAL, Question.ENFORCEMENT}
)
_MUST_KNOW: Final = frozenset({Question.WEAPON, Question.VIOLENCE, Question.MEDICAL})
_TWO_CARE: Final = Requirement(min_crew=2)
_ONE_SPD: Final = Requirement(min_crew=1)

DUAL_RULES: Final = ModeRules(
    requirements=MappingProxyType({Agency.CARE: _TWO_CARE, Agency.SPD: _ONE_SPD}),
    refuses_yes=_UNFIT,
    refuses_unknown=_MUST_KNOW,
)
"""CARE goes in twos (seattle.gov); non-violent, non-medical calls that need no enforcement."""

CARE_ONLY_ADD_RULES: Final = ModeRules(
    requirements=MappingProxyType({Agency.CARE: _TWO_CARE}),
    refuses_yes=frozenset({Question.WEAPON, Question.VIOLENCE, Question.MEDICAL}),
    gates=ALL_GATES - {Gate.CALL_TYPE},
)
"""An officer on scene asks: what the officer states counts, not the type of the first call."""

SPD_ADD_RULES: Final = ModeRules(
    requirements=MappingProxyType({Agency.SPD: Requirement()}), gates=ALWAYS_TESTED
)
"""An officer-safety request: location and availability, and nothing else."""

SPD_ONLY_RULES: Final = ModeRules(
    requirements=MappingProxyType({Agency.SPD: _ONE_SPD}), gates=ALWAYS_TESTED
)
"""A dispatcher chose police: the programme's gates are not asked."""

SOLO_RULES: Final = ModeRules(
    requirements=MappingProxyType({Agency.CARE: _TWO_CARE}),
    refuses_yes=_UNFIT,
    refuses_unknown=_MUST_KNOW,
)
"""CARE alone; some zones have it since October 2025, the pilot at its launch had not."""

PILOT: Final = Policy(
    policy_id="PILOT",
    window=TimeWindow(start=time(11), end=time(23), zone=PACIFIC),
    call_types=PILOT_CALL_TYPES,
    modes=MappingProxyType(
        {
            Mode.DUAL: DUAL_RULES,
            Mode.CARE_ONLY_ADD: CARE_ONLY_ADD_RULES,
            Mode.SPD_ADD: SPD_ADD_RULES,
            Mode.SPD_ONLY: SPD_ONLY_RULES,
        }
    ),
)
"""The policy of the pilot at its launch in October 2023."""
