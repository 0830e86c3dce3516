"""The two halves of a pair: who could be each, nearest first, or who it is already.

What lives here: `Half`, `Team`, the order of candidates of one kind, units kept from an earlier
answer, and the units that are on the call already. What does not: choosing the pair (`assign`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from geodata.network import StreetNetwork
from geodata.place_check import in_bounds
from routing.arrivals import (
    ALL_UNITS,
    EVERY_ROW,
    GUARDED,
    NO_WISH,
    QUALIFIED,
    SORTED_FROM,
    Muster,
    Ranked,
    Target,
    Terms,
    Wish,
    gather,
)
from routing.candidates_kernel import NEVER_S
from routing.codes import Agency, Explain, Mode, Status
from routing.gates import CallCheck
from routing.model import AssignedUnit, Incident, Options, Situation
from routing.placement import NOWHERE, place_units
from routing.policy import Policy
from routing.roster import AGENCIES, STATUSES, Fix, Unit, UnitColumns, unit_columns

UNDER_WAY: Final = frozenset({Status.ENROUTE, Status.STAGED, Status.ON_SCENE})
"""Assigned units that need no turnout any more."""


SHOWN: Final = (Agency.SPD, Agency.CARE)
"""The order of an answer."""

TOLD: Final = {Explain.NONE: 0, Explain.NEAREST: 5, Explain.ALL: EVERY_ROW}
"""How many units of a kind are explained, besides those that are chosen."""

CANDIDATES: Final = 4
"""How many more units of a kind are ranked than are sent and told."""


class Half(Struct, frozen=True, kw_only=True, eq=False):
    """One kind of unit of a call: those to choose from, or those that are on the call already."""

    agency: Agency
    muster: Muster
    """Of the roster, or of the assigned units when `fixed`."""
    rows: tuple[int, ...]
    """Rows of the muster, the first to be chosen first; a few more than are needed."""
    count: int = 1
    """How many of the rows the answer names: those to send, or all that are fixed."""
    fixed: bool = False
    """These units are on the call already; nobody is chosen."""
    arrivals_s: tuple[int, ...] = ()
    """For each row that is sought: its arrival, NEVER_S without a way."""
    costs_s: tuple[int, ...] = ()
    """For each row that is sought: what it is compared by, see `Muster.cost_s`."""
    shown: tuple[int, ...] = ()
    """Rows that the answer explains, nearest first."""
    on_scene: tuple[datetime | None, ...] = ()
    """For each fixed row: since when it is on scene; None when it is not there yet."""
    guarded: frozenset[int] = frozenset()
    """Rows of units within their shift-end guard, offered because too few others are left."""
    kept: bool = False
    """The first was named earlier and another would gain too little."""
    together: bool = False
    """The first is best for the calls of a batch together, another is faster for this one."""

    totals: list[int] | None = None
    """How many units of the kind there are and break each rule, as `candidates_kernel.tally`
    counts them; None where nobody has counted yet."""

    chosen: tuple[int, ...] = ()
    """The rows that the answer names: the first `count`."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "chosen", self.rows[: self.count])

    @property
    def complete(self) -> bool:
        """Whether there are as many units as are needed."""
        return len(self.rows) >= self.count

    def arrive_s(self, place: int) -> int | None:
        """Return the arrival of a unit by its place in `rows`; None when its way is not known."""
        if not self.fixed:
            return self.arrivals_s[place]
        if self.on_scene[place] is not None:
            return 0
        row = self.rows[place]
        arrive_s = int(self.muster.arrive_s[row])
        unknown = self.muster.placement.source[row] == NOWHERE
        return None if unknown or arrive_s == NEVER_S else arrive_s

    def there_s(self) -> int | None:
        """Return when this half is there: the last of those sent, the first of those assigned."""
        if self.fixed:
            return self.arrive_s(0)
        return max(self.arrivals_s[: self.count])

    def unit_id(self, place: int) -> str:
        """Return the unit_id of a unit by its place in `rows`."""
        return self.muster.roster.unit_id[self.rows[place]]


class Team(Struct, frozen=True, kw_only=True, eq=False):
    """Everybody that a call needs and has, SPD first."""

    sought: Mapping[Agency, Half]
    """The kinds that are chosen, perhaps from nobody."""
    fixed: Mapping[Agency, Half]
    """The kinds of which units are on the call already."""

    @property
    def missing(self) -> tuple[Agency, ...]:
        """The kinds of which there are too few."""
        return tuple([agency for agency, half in self.sought.items() if not half.complete])

    def named(self) -> Iterator[Half]:
        """Yield the halves that an answer names: of each kind those on the call come first."""
        for agency in SHOWN:
            if agency in self.fixed:
                yield self.fixed[agency]
            if agency in self.sought:
                yield self.sought[agency]

    def half(self, agency: Agency) -> Half | None:
        """Return by whom a kind is there: those that are sought, else those on the call."""
        return self.sought.get(agency) or self.fixed.get(agency)

    def there_s(self, agency: Agency) -> int | None:
        """Return when a kind is there; None when nobody knows, or none is needed."""
        half = self.half(agency)
        return None if half is None or not half.complete else half.there_s()


def needed_units(check: CallCheck, incident: Incident) -> Mapping[Agency, int]:
    """Return how many units of each kind are to be chosen, SPD first; kinds with none left out.

    Units on the call count towards what the mode needs, except for SPD_ADD, which asks for more.
    """
    needed = {}
    for agency in SHOWN:
        required = check.rules.requirements.get(agency)
        if required is None:
            continue
        count = required.units
        if incident.assigned and check.mode is not Mode.SPD_ADD:
            count -= len({unit.unit_id for unit in incident.assigned if unit.agency is agency})
        if count > 0:
            needed[agency] = count
    return needed


def wish_for(needed: Mapping[Agency, int], options: Options) -> Wish:
    """Return what is to be ranked along with the look at all units, if few enough are told."""
    shown = TOLD[options.explain]
    if shown > SORTED_FROM or options.taken or not needed:
        return NO_WISH
    named = needed.get(Agency.CARE, 0), needed.get(Agency.SPD, 0)
    return Wish(
        max(named) + max(options.alternatives, CANDIDATES),
        shown,
        (0, 0) if options.explain is Explain.NONE else named,
    )


def form_team(
    muster: Muster,
    bits: NDArray[np.int32],
    needed: Mapping[Agency, int],
    options: Options,
    fixed: Mapping[Agency, Half],
    ranked: Ranked | None,
) -> Team:
    """Return who is on the call and who could be added.

    Parameters
    ----------
    bits
        (n_units,) rules that each unit breaks; see `UnitRule`.
    ranked
        The first of each kind by these bits, if somebody has ranked them.
    """
    sought = {
        agency: candidates(muster, bits, agency, count, options, ranked)
        for agency, count in needed.items()
    }
    if ranked is None:
        told = [row for half in sought.values() for row in (*half.shown, *half.chosen)]
        muster.look_at(list(dict.fromkeys(told)))
    return Team(sought=sought, fixed=fixed)


def candidates(
    muster: Muster,
    bits: NDArray[np.int32],
    agency: Agency,
    count: int,
    options: Options,
    ranked: Ranked | None,
) -> Half:
    """Return who could be one half: those who break no rule, or else those near their shift's end.

    Guarded units are offered only when fewer than `count` others are left, and then behind them.
    """
    wanted = count + max(options.alternatives, CANDIDATES)
    code = AGENCIES.index(agency)
    if ranked is not None:
        ordered = ranked.qualified[code]
    else:
        # A unit named earlier may be anywhere among those that qualify.
        most = EVERY_ROW if options.earlier_unit_ids else wanted
        ordered = muster.nearest(agency, bits, QUALIFIED, most)
    guarded: list[int] = []
    if len(ordered) < count:
        guarded = muster.nearest(agency, bits, GUARDED, EVERY_ROW)
        ordered += guarded
    kept = _keep_earlier(muster, ordered, count, options.earlier_unit_ids)
    del ordered[wanted:]
    shown = (
        muster.nearest(agency, bits, ALL_UNITS, TOLD[options.explain])
        if ranked is None
        else ranked.shown[code]
    )
    if options.explain is not Explain.NONE:
        shown += [row for row in ordered[:count] if row not in shown]
    arrivals_s = tuple(map(muster.arrive_s.item, ordered))
    return Half(
        agency=agency,
        muster=muster,
        rows=tuple(ordered),
        arrivals_s=arrivals_s,
        costs_s=arrivals_s
        if muster.preference_s is None
        else tuple(map(muster.cost_s.item, ordered)),
        shown=tuple(shown),
        count=count,
        guarded=frozenset(guarded),
        kept=kept,
        totals=None if ranked is None else ranked.counts[code],
    )


def _keep_earlier(muster: Muster, ordered: list[int], count: int, earlier: frozenset[str]) -> bool:
    """Move units named earlier to the front, unless another gains at least `min_gain_s`."""
    if not earlier or not ordered:
        return False
    ids, cost_s, kept = muster.roster.unit_id, muster.cost_s, False
    for place, row in enumerate(list(ordered)):
        if ids[row] not in earlier:
            continue
        rival = next(
            (i for i, other in enumerate(ordered[:count]) if ids[other] not in earlier), None
        )
        if rival is None or place <= rival:
            continue
        if cost_s[row] - cost_s[ordered[rival]] < muster.policy.min_gain_s:
            ordered.remove(row)
            ordered.insert(rival, row)
            kept = True
    return kept


# -- units that are on the call already -----------------------------------------------------------


def fixed_halves(
    situation: Situation,
    incident: Incident,
    target: Target,
    terms: Terms,
) -> dict[Agency, Half]:
    """Return the halves that are filled already.

    A unit's own place in the request comes first, then the roster's; its home is no place for a
    unit that is under way. A unit without any place stays fixed, and its arrival is not known.
    """
    assigned = {unit.unit_id: unit for unit in reversed(incident.assigned)}
    if not assigned:
        return {}
    policy, decided_at = terms.policy, terms.decided_at
    latest_fix = decided_at + timedelta(seconds=policy.future_fix_s)
    units = [_as_unit(situation, unit, latest_fix) for unit in assigned.values()]
    roster = unit_columns(units)
    told = [assigned[unit_id] for unit_id in roster.unit_id]
    status = {unit.unit_id: unit.status for unit in units}
    placement = place_units(
        roster,
        network=situation.network,
        streets=situation.streets,
        travel_times=situation.travel_times,
        ignore_fix=roster.fixed_at_s > latest_fix.timestamp(),
    )
    muster = gather(
        situation,
        (roster, placement),
        target,
        Terms(policy=policy, decided_at=decided_at),
        turnout_s=[_turnout_s(u.agency, status[u.unit_id], policy) for u in told],
    )
    since = [_on_scene_since(unit, status[unit.unit_id], decided_at) for unit in told]
    return {
        agency: _fixed_half(muster, agency, since)
        for agency in SHOWN
        if any(unit.agency is agency for unit in told)
    }


def _as_unit(situation: Situation, told: AssignedUnit, latest_fix: datetime) -> Unit:
    """Return an assigned unit with what the roster can add, also where its own fix is no use."""
    roster = situation.roster
    row = roster.row_of(told.unit_id)
    fix, status = told.position, told.status
    call_sign, version = told.call_sign, None
    if row is not None:
        call_sign = call_sign or roster.call_sign[row]
        version = roster.version[row]
        if fix is None or not _usable(fix, situation.network, latest_fix):
            fix = _fix_of(roster, row) or fix
        status = roster_status(roster, row) if status is Status.UNKNOWN else status
    return Unit(
        unit_id=told.unit_id,
        agency=told.agency,
        call_sign=call_sign,
        version=version,
        status=status,
        position=fix,
    )


def _usable(fix: Fix, network: StreetNetwork, latest: datetime) -> bool:
    in_time = fix.fixed_at is None or fix.fixed_at <= latest
    return in_time and (fix.lon, fix.lat) != (0, 0) and in_bounds(network, fix.lon, fix.lat)


def roster_status(roster: UnitColumns, row: int) -> Status:
    """Return the status of a unit of the roster."""
    return STATUSES[int(roster.status[row])]


def _fix_of(roster: UnitColumns, row: int) -> Fix | None:
    if np.isnan(roster.lon[row]):
        return None
    fixed_at_s = float(roster.fixed_at_s[row])
    known = {
        name: None if np.isnan(value) else float(value)
        for name, value in (
            ("heading_deg", roster.heading_deg[row]),
            ("speed_mps", roster.speed_mps[row]),
            ("accuracy_m", roster.accuracy_m[row]),
        )
    }
    return Fix(
        lon=float(roster.lon[row]),
        lat=float(roster.lat[row]),
        fixed_at=None if np.isnan(fixed_at_s) else datetime.fromtimestamp(fixed_at_s, UTC),
        **known,
    )


def _turnout_s(agency: Agency, status: Status, policy: Policy) -> int:
    if status in UNDER_WAY:
        return 0
    return policy.turnout_care_s if agency is Agency.CARE else policy.turnout_spd_s


def _on_scene_since(unit: AssignedUnit, status: Status, decided_at: datetime) -> datetime | None:
    """Return since when a unit is there; the decision itself where nobody said since when."""
    if unit.on_scene_at is not None:
        return min(unit.on_scene_at, decided_at)
    return decided_at if status is Status.ON_SCENE else None


def _fixed_half(muster: Muster, agency: Agency, since: Sequence[datetime | None]) -> Half:
    """Return the assigned units of one kind, the first to be there first."""
    unsorted = [i for i, code in enumerate(muster.roster.agency) if AGENCIES[code] is agency]

    def half(rows: Sequence[int]) -> Half:
        return Half(
            agency=agency,
            muster=muster,
            rows=tuple(rows),
            count=len(rows),
            fixed=True,
            on_scene=tuple(since[row] for row in rows),
        )

    loose = half(unsorted)
    arrivals = [loose.arrive_s(place) for place in range(len(unsorted))]
    known = [NEVER_S if arrive_s is None else arrive_s for arrive_s in arrivals]
    return half([row for _, row in sorted(zip(known, unsorted, strict=True))])
