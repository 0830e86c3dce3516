"""When each unit would arrive at one call, and how sure that is.

What lives here: `Target` (where the call is), `Muster` (all units of one roster seen from it) and
the ladder of estimates: by the streets, else a straight line times a detour factor. What does not:
who may go (`eligibility`) and who goes (`recommend`).

Arrival = turnout + start and park + drive, rounded once to whole seconds, half up (rule 9); every
comparison uses these.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from geodata.driving_time import ROUTINE
from geodata.earth import distance_m, metres_per_degree
from geodata.snap import Position
from routing.answer import LonLat, PositionUsed
from routing.candidates_kernel import NEVER_S, facts, nearest_rows, survey
from routing.codes import Agency, Eta, PositionBasis
from routing.eligibility import SHIFT_ENDING, UNFREE, needs_of, preference_s, skill_bits
from routing.model import Location, Situation
from routing.placement import Placement
from routing.policy import ModeRules, Policy
from routing.roster import AGENCIES, UnitColumns

if TYPE_CHECKING:
    from routing.travel_time import IncidentLabel, TravelTimes, UnitLabels

Which = tuple[int, int]
QUALIFIED: Final[Which] = (-1, 0)
"""Units that break no rule."""
GUARDED: Final[Which] = (-1, SHIFT_ENDING)
"""Units that break one rule alone: their shift ends within the guard."""
ALL_UNITS: Final[Which] = (0, 0)
EVERY_ROW: Final = 2**31
SORTED_FROM: Final = 30
"""More rows than this are sorted, fewer are picked one by one."""

BY_STREET: Final = (Eta.ROAD, Eta.LAST_GOOD)
"""Rungs of the ladder that use the streets."""

START_AND_PARK_MS: Final = round(1000 * ROUTINE.start_and_park_s)
"""Of the routine profile, for straight lines when no drive times are loaded."""


class Target(Struct, frozen=True, kw_only=True, eq=False):
    """Where the call is."""

    lon: float
    lat: float
    snapped: Position
    on_street: bool
    """False when no street is near enough, or no drive times are loaded: straight lines then."""


def find_target(situation: Situation, location: Location, policy: Policy) -> Target:
    """Return the place on the streets that stands for the call."""
    snapped = situation.streets.snap_incident(location.lon, location.lat)
    near = snapped.distance_m <= policy.snap.refuse_m and situation.rung in BY_STREET
    if situation.travel_times is not None:
        snapped = situation.travel_times.at_junction(snapped)
    return Target(
        lon=location.lon,
        lat=location.lat,
        snapped=snapped,
        on_street=near and situation.travel_times is not None,
    )


class Terms(Struct, frozen=True, kw_only=True, eq=False):
    """By what units are judged."""

    policy: Policy
    decided_at: datetime
    rules: ModeRules | None = None
    """Of the mode, for the skills that it prefers; None for units that nobody chooses."""
    urgent: bool = False
    """Lights and sirens: the emergency profile's drive times, where they are loaded."""


class UnitFacts(NamedTuple):
    """What an answer tells of a unit."""

    arrive_s: int
    position: PositionUsed


POSITION_BASES: Final = (
    PositionBasis.AVL, PositionBasis.AVL_AGED, PositionBasis.LAST_KNOWN,
    PositionBasis.HOME_POST, PositionBasis.BEAT_CENTRE, PositionBasis.UNKNOWN,
)  # fmt: skip
"""As `candidates_kernel.facts` numbers them."""


class Muster(Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """All units of one roster as seen from one call; columns (n_units,) in roster order."""

    roster: UnitColumns
    placement: Placement
    target: Target
    policy: Policy
    decided_at: datetime
    now_s: float
    """`decided_at` in seconds since 1970."""
    turnout_s: NDArray[np.int64]
    arrive_s: NDArray[np.int64]
    """Whole seconds from the decision; NEVER_S without a way."""
    preference_s: NDArray[np.int64] | None = None
    """Seconds that preferred skills count against each unit; None where there are none."""
    times: "TravelTimes | None"
    """The drive times that the arrivals come from; of the emergency profile for SPD_ADD."""
    labels: "UnitLabels | None"
    """Of the units, for `times`."""
    goal: "IncidentLabel | None"
    """Of the call, for `times`; None where straight lines were used."""
    by_line: NDArray[np.bool_]
    """True where the drive is a straight-line estimate."""
    broken: NDArray[np.int32]
    """`UnitRule` bits that each unit breaks by itself; 0 qualifies."""

    @cached_property
    def cost_s(self) -> NDArray[np.int64]:
        """(n_units,) what units are compared by: the arrival, and the skills that are preferred."""
        return self.arrive_s if self.preference_s is None else self.arrive_s + self.preference_s

    def preference_of(self, row: int) -> int:
        """Return the seconds that preferred skills count against a unit."""
        return 0 if self.preference_s is None else int(self.preference_s[row])

    @cached_property
    def whole_second(self) -> datetime:
        """The decision cut to its second; arrivals as instants count from here."""
        return self.decided_at.replace(microsecond=0)

    def arrive_at(self, row: int) -> datetime:
        """Return the arrival as an instant."""
        return self.whole_second + timedelta(seconds=self.facts_of(row).arrive_s)

    @cached_property
    def _facts(self) -> dict[int, UnitFacts]:
        return {}

    def look_at(self, rows: Sequence[int]) -> None:
        """Read what will be told of some units, all in one go."""
        at, placement, policy = self.placement.positions, self.placement, self.policy
        told = facts(
            np.array(rows, np.int64),
            self.arrive_s,
            self.by_line,
            self.roster.fixed_at_s,
            (placement.source, at.street, at.lon, at.lat, at.distance_m),
            (self.now_s, float(policy.avl_fresh_s), float(policy.avl_aged_s)),
        )
        known = self._facts
        for row, (arrive_s, basis, age_s, lon, lat, snap_m) in zip(
            rows, told.tolist(), strict=True
        ):
            position = PositionUsed(
                basis=POSITION_BASES[int(basis)],
                age_s=None if age_s < 0 else int(age_s),
                snapped=None if snap_m < 0 else LonLat(lon=lon, lat=lat),
                snap_m=None if snap_m < 0 else int(snap_m),
            )
            known[row] = UnitFacts(int(arrive_s), position)

    def facts_of(self, row: int) -> UnitFacts:
        """Return what is told of a unit."""
        known = self._facts
        if row not in known:
            self.look_at([row])
        return known[row]

    def arrival_range_s(self, row: int) -> tuple[int, int]:
        """Return the range of an arrival, outwards to whole seconds; see `ARRIVAL_SPREADS`."""
        arrive_s, position = self.facts_of(row)
        low, high = self.policy.arrival_spread[position.basis]
        if self.by_line[row]:
            line_low, line_high = self.policy.straight_line_spread
            low, high = min(low, line_low), max(high, line_high)
        return math.floor(arrive_s * low), math.ceil(arrive_s * high)

    def nearest(
        self, agency: Agency, bits: NDArray[np.int32], which: Which, most: int
    ) -> list[int]:
        """Return the first rows of a kind in the order of rule 9.

        That is arrival (`cost_s`), longest available, unit_id. A unit of which nobody knows since
        when it is available comes last among equals.

        Parameters
        ----------
        bits
            (n_units,) rules that each unit breaks, see `UnitRule`.
        which
            Mask and value that the bits must have under it: QUALIFIED, GUARDED or ALL_UNITS.
        """
        code = AGENCIES.index(agency)
        mask, value = which
        since_s, kinds = self.roster.available_since_s, self.roster.agency
        if most <= SORTED_FROM:
            rows, _ = nearest_rows(self.cost_s, since_s, kinds, bits, code, mask, value, most)
            return rows.tolist()  # type: ignore[no-any-return]
        rows = np.flatnonzero((kinds == code) & (bits & mask == value))
        order = np.lexsort((since_s[rows], self.cost_s[rows]))
        return rows[order][:most].tolist()  # type: ignore[no-any-return]


def gather(
    situation: Situation,
    units: tuple[UnitColumns, Placement],
    target: Target,
    terms: Terms,
    *,
    turnout_s: Sequence[int] | None = None,
) -> Muster:
    """Return all units as seen from a call.

    Parameters
    ----------
    turnout_s
        (n_units,) for units already under way; None takes the policy's.
    """
    roster, placement = units
    times, labels = _times_and_labels(situation, placement, target, urgent=terms.urgent)
    goal, drive_ms = None, _NO_STREETS
    if target.on_street and times is not None and labels is not None:
        goal = times.incident_label(target.snapped)
        drive_ms = times.drive_ms(labels, goal)
    start_ms = START_AND_PARK_MS if times is None else times.start_and_park_ms
    arrive_s, bits, by_line, turnout = _survey(units, target, terms, drive_ms, start_ms)
    if turnout_s is not None:
        own = np.array(turnout_s, np.int64)
        arrive_s[arrive_s < NEVER_S] += (own - turnout)[arrive_s < NEVER_S]
        turnout = own
    return Muster(
        roster=roster,
        placement=placement,
        target=target,
        policy=terms.policy,
        decided_at=terms.decided_at,
        now_s=terms.decided_at.timestamp(),
        turnout_s=turnout,
        arrive_s=arrive_s,
        preference_s=None if terms.rules is None else preference_s(roster, terms.rules),
        by_line=by_line,
        broken=bits & UNFREE if terms.urgent else bits,
        times=times,
        labels=labels,
        goal=goal,
    )


def _times_and_labels(
    situation: Situation, placement: Placement, target: Target, *, urgent: bool
) -> "tuple[TravelTimes | None, UnitLabels | None]":
    """Return the drive times of the unit's profile and labels made with them."""
    times, labels = situation.travel_times, placement.labels
    if urgent and situation.emergency_times is not None and labels is not None:
        times = situation.emergency_times
        labels = times.unit_labels(placement.positions) if target.on_street else None
    return times, labels


def _survey(
    units: tuple[UnitColumns, Placement],
    target: Target,
    terms: Terms,
    drive_ms: NDArray[np.int32],
    start_ms: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_], NDArray[np.int64]]:
    """Return what `candidates_kernel.survey` says of all units under these terms."""
    roster, placement = units
    policy = terms.policy
    found: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_], NDArray[np.int64]]
    found = survey(
        drive_ms,
        (placement.source, placement.positions.distance_m, placement.lon, placement.lat),
        (
            roster.agency, roster.status, roster.crew_count, roster.claimed, roster.shift_end_s,
            skill_bits(roster, terms.rules),
        ),
        (target.lon, target.lat, *metres_per_degree(target.lat)),
        (
            policy.snap.refuse_m,
            1000.0 * policy.detour_factor / policy.straight_line_mps,
            1000 * policy.unknown_position_drive_s,
            start_ms,
            terms.decided_at.timestamp() + policy.shift_guard_s,
        ),
        needs_of(policy, terms.rules),
    )  # fmt: skip
    return found


_NO_STREETS: Final = np.empty(0, np.int32)


def line_m(lon: float, lat: float, target: Target) -> float:
    """Return metres from a point to the call as the crow flies."""
    return float(distance_m(lon, lat, target.lon, target.lat))
