"""From chosen units to the lines of an answer: who goes, when they arrive, how they drive up.

What lives here: `Assignment`, the pair's times and the next-best pairs. What does not: who may go
(`halves`), and the text (`wording`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from math import inf, isnan
from typing import TYPE_CHECKING, NamedTuple

from routing.answer import Alternative, Assignment, DrawnRoute, PairTimes, PositionUsed, Stage
from routing.assign import IMPOSSIBLE, pair_units
from routing.codes import Agency, Approach, PositionBasis, SelectedBecause
from routing.halves import Half
from routing.model import Incident, Options, Situation
from routing.placement import NOWHERE
from routing.staging import stage_on_line, stage_on_route, waits

if TYPE_CHECKING:
    from routing.travel_time import Route

SHOWN = (Agency.SPD, Agency.CARE)
"""The order of an answer."""

CANDIDATES = 4
"""The nearest units of each kind that the solver sees; for one call the first is the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call in its situation, and how much is to be told about it."""

    situation: Situation
    incident: Incident
    options: Options


def choose_pair(halves: Mapping[Agency, Half]) -> bool:
    """Let the solver choose, and tell whether its choice is proven to be the best.

    Candidates stand in the order in which they are preferred, so the choice must be the first of
    each; a kept unit is priced as the nearest. Anything else is a bug and stops here.
    """
    table = {agency: [_prices(half)] for agency, half in halves.items()}
    pairing = pair_units(table[Agency.CARE], table[Agency.SPD])
    assert (pairing.care, pairing.spd) == ((0,), (0,)), "the order of candidates is not rule 9's"
    return pairing.proven_optimal


def _prices(half: Half) -> list[int]:
    if half.fixed:
        return [half.arrive_s(0) or 0]
    arrivals = half.muster.arrive_s[list(half.rows[:CANDIDATES])].tolist()
    arrivals[0] = min(arrivals)
    return [min(int(s), IMPOSSIBLE) for s in arrivals]


def assignments(case: Case, halves: Mapping[Agency, Half]) -> tuple[Assignment, ...]:
    """Return every unit of the answer: SPD, then CARE; all fixed ones, else the first."""
    police = halves[Agency.SPD]
    return tuple(
        assignment(case, half, place, police)
        for half in (halves[agency] for agency in SHOWN)
        for place in range(len(half.rows) if half.fixed else 1)
    )


def assignment(case: Case, half: Half, place: int, police: Half | None) -> Assignment:
    """Return one unit as the answer shows it; `police` is whom CARE waits for."""
    muster, row = half.muster, half.rows[place]
    arrive_s = half.arrive_s(place)
    since = half.on_scene[place] if half.fixed else None
    there = since is not None
    route = _route(case, half, place) if not there and arrive_s is not None else None
    turnout_s = 0 if there else int(muster.turnout_s[row])
    return Assignment(
        agency=half.agency,
        unit_id=muster.roster.unit_id[row],
        call_sign=muster.roster.call_sign[row],
        unit_version=muster.roster.version[row],
        already_assigned=half.fixed,
        arrive_at=since or (None if arrive_s is None else muster.arrive_at(row)),
        arrive_s=arrive_s,
        arrive_range_s=_range(half, place),
        turnout_s=turnout_s,
        drive_s=None if arrive_s is None else arrive_s - turnout_s,
        drive_m=0 if there else None if route is None else round(route.length_m),
        position=_ON_SCENE if there else muster.position_used(row),
        approach=_approach(case, half),
        stage=_stage(case, half, place, route, police),
        selected_because=_because(half),
        route=_drawn(route) if case.options.route else None,
    )


_ON_SCENE = PositionUsed(basis=PositionBasis.ON_SCENE, age_s=None, snapped=None, snap_m=None)


def _range(half: Half, place: int) -> tuple[int, int] | None:
    arrive_s = half.arrive_s(place)
    if arrive_s is None:
        return None
    there = half.fixed and half.on_scene[place] is not None
    return (0, 0) if there else half.muster.arrival_range_s(half.rows[place])


def _route(case: Case, half: Half, place: int) -> "Route | None":
    muster, row, times = half.muster, half.rows[place], case.situation.travel_times
    if times is None or not muster.target.on_street or muster.by_line[row]:
        return None
    if muster.placement.source[row] == NOWHERE:
        return None
    return times.route(muster.placement.positions[row], muster.target.snapped)


def _drawn(route: "Route | None") -> DrawnRoute | None:
    if route is None:
        return None
    line = [(round(lon, 6), round(lat, 6)) for lon, lat in route.line.tolist()]
    return DrawnRoute(line=tuple(line), streets=route.streets)


def _because(half: Half) -> SelectedBecause:
    if half.fixed:
        return SelectedBecause.ALREADY_ASSIGNED
    if half.last_resort:
        return SelectedBecause.LAST_RESORT
    if half.kept:
        return SelectedBecause.KEPT
    care = half.agency is Agency.CARE
    return SelectedBecause.FASTEST_CARE if care else SelectedBecause.FASTEST_SPD


def _approach(case: Case, half: Half) -> Approach:
    """CARE stages until the scene is safe, even when police arrive first (rule 4).

    A scene that is safe only later than now, beyond what clocks differ by, is not safe yet.
    """
    if half.agency is not Agency.CARE:
        return Approach.PROCEED
    safe_at = case.incident.scene_safe_at
    latest = half.muster.decided_at + timedelta(seconds=half.muster.policy.future_fix_s)
    safe = safe_at is not None and safe_at <= latest
    return Approach.PROCEED if safe else Approach.STAGE_UNTIL_SCENE_SAFE


def _stage(
    case: Case, half: Half, place: int, route: "Route | None", police: Half | None
) -> Stage | None:
    """Return where CARE waits; None for police, a safe scene, or a unit whose way is not known."""
    if _approach(case, half) is Approach.PROCEED or police is None:
        return None
    muster, row = half.muster, half.rows[place]
    there = half.fixed and half.on_scene[place] is not None
    if there or muster.placement.source[row] == NOWHERE:
        return None
    since = police.on_scene[0] if police.fixed else None
    there_for = timedelta(0) if since is None else muster.decided_at - since
    waiting = waits(
        half.arrive_s(place), police.arrive_s(0), int(there_for.total_seconds()), muster.policy
    )
    network = case.situation.network
    if route is not None:
        return stage_on_route(network, route, waiting, muster.policy)
    start = float(muster.placement.lon[row]), float(muster.placement.lat[row])
    streets = case.situation.streets
    return stage_on_line(network, streets, start, muster.target, waiting, muster.policy)


def pair_times(halves: Mapping[Agency, Half]) -> PairTimes:
    """Return when both are there; None where one arrival is not known."""
    care_s, spd_s = halves[Agency.CARE].arrive_s(0), halves[Agency.SPD].arrive_s(0)
    if care_s is None or spd_s is None:
        return PairTimes(both_at_s=None, gap_s=None, first=None)
    first = "BOTH" if care_s == spd_s else str(Agency.SPD if spd_s < care_s else Agency.CARE)
    return PairTimes(both_at_s=max(care_s, spd_s), gap_s=care_s - spd_s, first=first)


def alternatives(halves: Mapping[Agency, Half], count: int) -> tuple[Alternative, ...]:
    """Return the next-best pairs in the order of rule 9.

    That order is least max, least sum, longest available CARE then SPD, unit_id of CARE then SPD.
    The best n pairs lie within the first n of each kind, because no pair beats one that has an
    earlier unit in both places.
    """
    if all(half.fixed for half in halves.values()):
        return ()
    care = _contenders(halves[Agency.CARE], count)
    spd = _contenders(halves[Agency.SPD], count)
    ranked = sorted(
        (_pair_key(one, other), i, j)
        for (i, one), (j, other) in product(enumerate(care), enumerate(spd))
        if (i, j) != (0, 0)
    )
    return tuple(
        Alternative(
            rank=rank,
            units={Agency.SPD: spd[j].unit_id, Agency.CARE: care[i].unit_id},
            arrive_s={Agency.SPD: spd[j].arrive_s, Agency.CARE: care[i].arrive_s},
            behind_s={Agency.SPD: _behind(spd, j), Agency.CARE: _behind(care, i)},
        )
        for rank, (_, i, j) in enumerate(ranked[:count], 2)
    )


class _Contender(NamedTuple):
    """One unit among those that could stand in an alternative."""

    unit_id: str
    arrive_s: int | None
    available_since_s: float


def _contenders(half: Half, count: int) -> list[_Contender]:
    roster = half.muster.roster
    places = range(1 if half.fixed else min(len(half.rows), count + 1))
    since = [float(roster.available_since_s[half.rows[place]]) for place in places]
    return [
        _Contender(half.unit_id(place), half.arrive_s(place), inf if isnan(at) else at)
        for place, at in zip(places, since, strict=True)
    ]


_PairKey = tuple[int, int, float, float, str, str]


def _pair_key(care: _Contender, spd: _Contender) -> _PairKey:
    care_s, spd_s = care.arrive_s or 0, spd.arrive_s or 0
    since = care.available_since_s, spd.available_since_s
    return max(care_s, spd_s), care_s + spd_s, *since, care.unit_id, spd.unit_id


def _behind(contenders: list[_Contender], place: int) -> int:
    return (contenders[place].arrive_s or 0) - (contenders[0].arrive_s or 0)
