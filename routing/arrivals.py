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
from typing import Final

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from geodata.driving_time import ROUTINE
from geodata.earth import distance_m, metres_per_degree
from geodata.snap import Position
from routing.answer import PositionUsed
from routing.call_kernel import HEAD, N_COUNTS, look
from routing.candidates_kernel import (
    NEVER_S,
    NOWHERE,
    Clock,
    Columns,
    Limits,
    facts,
    nearest_rows,
    survey,
)
from routing.codes import Agency, Eta, PositionBasis
from routing.eligibility import (
    SHIFT_ENDING,
    UNFREE,
    needs_of,
    preference_s,
    skill_bits,
    turnouts_s,
)
from routing.model import Location, Situation
from routing.placement import Placement
from routing.policy import ModeRules, Policy
from routing.roster import AGENCIES, UnitColumns
from routing.route import Drive, drives_of
from routing.stretch_kernel import NOTHING_INSIDE
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


NO_MARKS: Final = np.empty((0, 2), np.int64)


class Wish(Struct, frozen=True, eq=False):
    """What is to be ranked along with the look at all units; see `call_kernel.Wanted`."""

    qualified: int = 0
    shown: int = 0
    named: tuple[int, int] = (0, 0)
    """How many units of CARE and SPD the mode names."""


NO_WISH: Final = Wish()


class Terms(Struct, frozen=True, eq=False):
    """By what units are judged."""

    policy: Policy
    decided_at: datetime
    rules: ModeRules | None = None
    """Of the mode, for what it requires and prefers; None for units that nobody chooses."""
    urgent: bool = False
    """Lights and sirens: the emergency profile's drive times, where they are loaded; and of the
    rules only availability counts."""
    marks: NDArray[np.int64] = NO_MARKS
    """(n, 2) rows, and the `UnitRule` bits that the request sets on them."""
    wish: Wish = NO_WISH

    @property
    def clock(self) -> Clock:
        """The instant, and how old a fix may be; see `candidates_kernel.facts`."""
        policy = self.policy
        now_s = self.decided_at.timestamp()
        return now_s, float(policy.avl_fresh_s), float(policy.avl_aged_s)


class UnitFacts(Struct, frozen=True, eq=False):
    """What an answer tells of a unit."""

    arrive_s: int
    position: PositionUsed


POSITION_BASES: Final = (
    PositionBasis.AVL, PositionBasis.AVL_AGED, PositionBasis.LAST_KNOWN,
    PositionBasis.HOME_POST, PositionBasis.BEAT_CENTRE, PositionBasis.UNKNOWN,
)  # fmt: skip
"""As `candidates_kernel.facts` numbers them."""


def _tell(
    known: dict[int, UnitFacts],
    rows: Sequence[int],
    told: Sequence[int],
    placement: Placement,
) -> None:
    """Note what `candidates_kernel.facts` said of some units."""
    point, by_unit = placement.street_point, (told[0::4], told[1::4], told[2::4], told[3::4])
    for row, arrive_s, basis, age_s, snap_m in zip(rows, *by_unit, strict=True):
        by_street = snap_m >= 0
        position = PositionUsed(
            basis=POSITION_BASES[basis],
            age_s=age_s if age_s >= 0 else None,
            snapped=point(row) if by_street else None,
            snap_m=snap_m if by_street else None,
        )
        known[row] = UnitFacts(arrive_s, position)


class Ranked(Struct, frozen=True, eq=False):
    """The first units of each kind, CARE and SPD, in the order of rule 9, and all counted."""

    qualified: tuple[list[int], list[int]]
    shown: tuple[list[int], list[int]]
    counts: tuple[list[int], list[int]]
    """As `candidates_kernel.tally`."""


class Muster(Struct, frozen=True, kw_only=True, eq=False):
    """All units of one roster as seen from one call; columns (n_units,) in roster order."""

    roster: UnitColumns
    placement: Placement
    target: Target
    policy: Policy
    decided_at: datetime
    now_s: float
    """`decided_at` in seconds since 1970."""
    turnouts_s: Sequence[int] | None
    """Of units that are under way already; None where the policy's holds."""
    arrive_s: NDArray[np.int64]
    """Whole seconds from the decision; NEVER_S without a way."""
    preference_s: NDArray[np.int64] | None = None
    """Seconds that preferred skills count against each unit; None where there are none."""
    times: TravelTimes | None
    """The drive times that the arrivals come from; of the emergency profile for SPD_ADD."""
    labels: UnitLabels | None
    """Of the units, for `times`."""
    by_line: NDArray[np.bool_]
    """True where the drive is a straight-line estimate."""
    broken: NDArray[np.int32]
    """`UnitRule` bits that each unit breaks by itself or by the request's word; 0 qualifies."""
    cost_s: NDArray[np.int64]
    """What units are compared by: the arrival, and the skills that are preferred."""
    whole_second: datetime
    """The decision cut to its second; arrivals as instants count from here."""
    ranked: Ranked | None = None
    """The first of each kind, where nothing but `broken` counts; None where they are sought."""
    known: dict[int, UnitFacts] = field(default_factory=dict)
    """What `look` and `look_at` have read."""
    driven: dict[int, Drive | None] = field(default_factory=dict)
    """The ways that `look` and `drive_from` have found."""

    @property
    def goal(self) -> IncidentLabel | None:
        """The call's label for `times`; None where straight lines were used."""
        if self.times is None or self.labels is None or not self.target.on_street:
            return None
        return self.times.incident_label(self.target.snapped)

    def turnout_s(self, row: int) -> int:
        """Return the seconds until a unit drives off."""
        if self.turnouts_s is not None:
            return self.turnouts_s[row]
        return turnouts_s(self.policy)[self.roster.agency.item(row)]

    def preference_of(self, row: int) -> int:
        """Return the seconds that preferred skills count against a unit."""
        return 0 if self.preference_s is None else int(self.preference_s[row])

    def arrive_at(self, row: int) -> datetime:
        """Return the arrival as an instant."""
        return self.whole_second + timedelta(seconds=self.facts_of(row).arrive_s)

    def look_at(self, rows: Sequence[int]) -> None:
        """Read what will be told of some units, all in one go."""
        at, placement = self.placement.positions, self.placement
        told = facts(
            np.array(rows, np.int64),
            self.arrive_s,
            self.by_line,
            self.roster.fixed_at_s,
            (placement.source, at.street, at.distance_m),
            Terms(self.policy, self.decided_at).clock,
        )
        _tell(self.known, rows, told.tolist(), placement)

    def facts_of(self, row: int) -> UnitFacts:
        """Return what is told of a unit."""
        known = self.known
        if row not in known:
            self.look_at([row])
        return known[row]

    def drive_from(self, rows: Sequence[int]) -> None:
        """Find the ways of some units, all in one go; None for those that have none by streets."""
        driven = self.driven
        rows = [row for row in rows if row not in driven]
        if not rows:
            return
        times, labels, goal = self.times, self.labels, self.goal
        if times is None or labels is None or goal is None:
            driven.update(dict.fromkeys(rows))
            return
        source, by_line = self.placement.source, self.by_line
        by_street = [row for row in rows if not by_line[row] and source[row] != NOWHERE]
        found = times.drives_to(labels, by_street, goal, self.policy.stage_short_m)
        driven.update(dict.fromkeys(rows) | dict(zip(by_street, found, strict=True)))

    def drive_of(self, row: int) -> Drive | None:
        """Return the way of a unit, None where it has none by the streets."""
        if row not in self.driven:
            self.drive_from([row])
        return self.driven[row]

    def arrival_range_s(self, row: int) -> tuple[int, int]:
        """Return the range of an arrival, outwards to whole seconds; see `ARRIVAL_SPREADS`."""
        told = self.facts_of(row)
        arrive_s, (low, high) = told.arrive_s, self.policy.arrival_spread[told.position.basis]
        if self.by_line.item(row):
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
    preferred_s = None if terms.rules is None else preference_s(roster, terms.rules)
    if target.on_street and times is not None and labels is not None:
        wish = terms.wish if preferred_s is None else NO_WISH
        seen = _by_streets(units, target, (terms, wish), (times, labels))
    else:
        seen = _by_lines(units, target, terms, times)
    arrive_s, policy = seen.arrive_s, terms.policy
    if turnout_s is not None:
        usual_s = np.array(turnouts_s(policy))[roster.agency]
        gained_s = np.array(turnout_s, np.int64) - usual_s
        arrive_s[arrive_s < NEVER_S] += gained_s[arrive_s < NEVER_S]
    return Muster(
        roster=roster,
        placement=placement,
        target=target,
        policy=policy,
        decided_at=terms.decided_at,
        now_s=terms.decided_at.timestamp(),
        turnouts_s=turnout_s,
        arrive_s=arrive_s,
        preference_s=preferred_s,
        cost_s=arrive_s if preferred_s is None else arrive_s + preferred_s,
        whole_second=terms.decided_at.replace(microsecond=0),
        by_line=seen.by_line,
        broken=seen.bits,
        times=times,
        labels=labels,
        ranked=seen.ranked,
        known=seen.known,
        driven=seen.driven,
    )


def _times_and_labels(
    situation: Situation, placement: Placement, target: Target, *, urgent: bool
) -> tuple[TravelTimes | None, UnitLabels | None]:
    """Return the drive times of the unit's profile and labels made with them."""
    times, labels = situation.travel_times, placement.labels
    if urgent and situation.emergency_times is not None and labels is not None:
        times = situation.emergency_times
        labels = times.unit_labels(placement.positions) if target.on_street else None
    return times, labels


class _Seen(Struct, frozen=True, eq=False):
    """All units as seen from a call: columns (n_units,), see `Muster`."""

    arrive_s: NDArray[np.int64]
    bits: NDArray[np.int32]
    by_line: NDArray[np.bool_]
    ranked: Ranked | None
    known: dict[int, UnitFacts]
    driven: dict[int, Drive | None]


def _by_streets(
    units: tuple[UnitColumns, Placement],
    target: Target,
    asked: tuple[Terms, Wish],
    by: tuple[TravelTimes, UnitLabels],
) -> _Seen:
    (roster, placement), (terms, wish), (times, labels) = units, asked, by
    at, snapped = placement.positions, target.snapped
    assert labels.weights_id == times.weights_id, "labels of other weights"
    inside = times.inside(labels, snapped)
    arrive_s, bits, by_line, packed, driven = look(
        times.kernel_columns,
        times.walk_columns,
        (labels.rows, labels.bases, labels.by_tree, at.street, at.fraction, at.leaves),
        (snapped.street, snapped.fraction, snapped.leaves),
        inside,
        (placement.source, at.distance_m, placement.lon, placement.lat),
        _columns(roster, terms),
        (roster.fixed_at_s, roster.available_since_s),
        (target.lon, target.lat),
        _limits(terms, times),
        needs_of(terms.policy, terms.rules),
        terms.marks,
        UNFREE if terms.urgent else -1,
        (wish.qualified, wish.shown, *wish.named),
        terms.clock,
        float(terms.policy.stage_short_m),
    )
    known: dict[int, UnitFacts] = {}
    ways: dict[int, Drive | None] = {}
    if not wish.qualified:
        return _Seen(arrive_s, bits, by_line, None, known, ways)
    ranked, told = _ranked(packed.tolist())
    _tell(known, [*ranked.shown[0], *ranked.shown[1]], told, placement)
    if len(driven) and inside is NOTHING_INSIDE:
        (care, spd), (n_care, n_spd) = ranked.qualified, wish.named
        ways = dict(zip([*care[:n_care], *spd[:n_spd]], drives_of(driven), strict=True))
    return _Seen(arrive_s, bits, by_line, ranked, known, ways)


def _ranked(packed: list[int]) -> tuple[Ranked, list[int]]:
    """Return the lists that `call_kernel.look` packed into one, and the facts of the shown rows."""
    begin, spd_counts = N_COUNTS + HEAD, N_COUNTS // 2
    n_care, n_spd, n_care_shown, n_spd_shown = packed[N_COUNTS:begin]
    spd_begin = begin + n_care
    shown_begin = spd_begin + n_spd
    spd_shown_begin = shown_begin + n_care_shown
    end = spd_shown_begin + n_spd_shown
    ranked = Ranked(
        (packed[begin:spd_begin], packed[spd_begin:shown_begin]),
        (packed[shown_begin:spd_shown_begin], packed[spd_shown_begin:end]),
        (packed[:spd_counts], packed[spd_counts:N_COUNTS]),
    )
    return ranked, packed[end:]


def _by_lines(
    units: tuple[UnitColumns, Placement],
    target: Target,
    terms: Terms,
    times: TravelTimes | None,
) -> _Seen:
    roster, placement = units
    arrive_s, bits, by_line = survey(
        _NO_STREETS,
        (placement.source, placement.positions.distance_m, placement.lon, placement.lat),
        _columns(roster, terms),
        (target.lon, target.lat, *metres_per_degree(target.lat)),
        _limits(terms, times),
        needs_of(terms.policy, terms.rules),
    )
    if terms.urgent:
        bits &= UNFREE
    for row, bit in terms.marks.tolist():
        bits[row] |= bit
    return _Seen(arrive_s, bits, by_line, None, {}, {})


def _columns(roster: UnitColumns, terms: Terms) -> Columns:
    return (
        roster.agency, roster.status, roster.crew_count, roster.claimed, roster.shift_end_s,
        skill_bits(roster, terms.rules),
    )  # fmt: skip


def _limits(terms: Terms, times: TravelTimes | None) -> Limits:
    policy = terms.policy
    return (
        policy.snap.refuse_m,
        1000.0 * policy.detour_factor / policy.straight_line_mps,
        1000 * policy.unknown_position_drive_s,
        START_AND_PARK_MS if times is None else times.start_and_park_ms,
        terms.decided_at.timestamp() + policy.shift_guard_s,
    )


_NO_STREETS: Final = np.empty(0, np.int32)


def line_m(lon: float, lat: float, target: Target) -> float:
    """Return metres from a point to the call as the crow flies."""
    return float(distance_m(lon, lat, target.lon, target.lat))
