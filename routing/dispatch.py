"""From chosen units to the lines of an answer: who goes, when they arrive, how they drive up.

What lives here: `Assignment`, the pair's times and the next-best pairs. What does not: who may go
(`halves`), and the text (`wording`).
"""

from datetime import timedelta
from math import inf, isnan
from typing import TYPE_CHECKING

from msgspec import Struct

from routing.answer import (
    Alternative,
    Assignment,
    DrawnRoute,
    Line,
    PairTimes,
    PositionUsed,
    RouteProperties,
    Stage,
)
from routing.arrivals import Muster
from routing.codes import Agency, Approach, Mode, PositionBasis, SelectedBecause
from routing.gates import CallCheck
from routing.halves import Half, Team
from routing.model import Incident, Options, Situation
from routing.placement import NOWHERE
from routing.staging import Waits, stage_on_line, stage_on_way, waits

if TYPE_CHECKING:
    from routing.route import Drive


class Case(Struct, frozen=True, kw_only=True, eq=False):
    """One call in its situation, what its gates said, and how much is to be told about it."""

    situation: Situation
    incident: Incident
    options: Options
    check: CallCheck


def check_choice(team: Team) -> None:
    """Stop where a chosen unit is not the nearest of its kind: a bug, never a matter of data.

    For one call the nearest unit of each kind is best. Units stand in the order in which they are
    preferred; only kept units, units that are best together and units near their shift's end are
    chosen where they stand for another reason.
    """
    for half in team.sought.values():
        if not (half.kept or half.together or half.guarded):
            assert half.costs_s[0] == min(half.costs_s), "the order of candidates is not rule 9's"


def assignments(case: Case, team: Team) -> tuple[Assignment, ...]:
    """Return every unit of the answer: SPD, then CARE; of each those on the call first."""
    police = team.half(Agency.SPD)
    sent = [row for half in team.sought.values() for row in half.chosen]
    if sent:
        next(iter(team.sought.values())).muster.drive_from(sent)
    return tuple(
        [
            assignment(case, half, place, police)
            for half in team.named()
            for place in range(len(half.chosen))
        ]
    )


def assignment(case: Case, half: Half, place: int, police: Half | None) -> Assignment:
    """Return one unit as the answer shows it; `police` is whom CARE waits for."""
    muster, row = half.muster, half.rows[place]
    arrive_s = half.arrive_s(place)
    since = half.on_scene[place] if half.fixed else None
    there = since is not None
    drive = muster.drive_of(row) if not there and arrive_s is not None else None
    turnout_s = 0 if there else muster.turnout_s(row)
    approach = _approach(case, half)
    proceeds = approach is Approach.PROCEED
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
        drive_m=0 if there else None if drive is None else round(drive.length_m),
        position=_ON_SCENE if there else muster.facts_of(row).position,
        approach=approach,
        stage=None if proceeds else _stage(case, half, place, drive, police),
        selected_because=_because(half, place),
        preference_s=0 if half.fixed else muster.preference_of(row),
        route=_drawn(muster, row) if case.options.route and drive is not None else None,
    )


_ON_SCENE = PositionUsed(basis=PositionBasis.ON_SCENE, age_s=None, snapped=None, snap_m=None)


def _range(half: Half, place: int) -> tuple[int, int] | None:
    arrive_s = half.arrive_s(place)
    if arrive_s is None:
        return None
    there = half.fixed and half.on_scene[place] is not None
    return (0, 0) if there else half.muster.arrival_range_s(half.rows[place])


def _drawn(muster: Muster, row: int) -> DrawnRoute:
    times, labels, goal = muster.times, muster.labels, muster.goal
    assert times is not None, "driven without streets"
    assert labels is not None, "driven without labels"
    assert goal is not None, "driven without a goal"
    route = times.route_to(labels, row, goal)
    assert route is not None, "driven without a way"
    line = [(round(lon, 6), round(lat, 6)) for lon, lat in route.line.tolist()]
    return DrawnRoute(
        geometry=Line(coordinates=tuple(line)), properties=RouteProperties(streets=route.streets)
    )


def _because(half: Half, place: int) -> SelectedBecause:
    if half.fixed:
        return SelectedBecause.ALREADY_ASSIGNED
    muster, row = half.muster, half.rows[place]
    if row in half.guarded:
        return SelectedBecause.LAST_RESORT
    if half.together:
        return SelectedBecause.BEST_TOGETHER
    if half.kept:
        return SelectedBecause.KEPT
    if muster.preference_s is not None and _is_slower(half, place):
        return SelectedBecause.PREFERRED_SKILL
    care = half.agency is Agency.CARE
    return SelectedBecause.FASTEST_CARE if care else SelectedBecause.FASTEST_SPD


def _is_slower(half: Half, place: int) -> bool:
    """Tell whether a unit that was passed over would be there before this one."""
    others = range(half.count, len(half.rows))
    own_s = half.arrive_s(place) or 0
    return any((half.arrive_s(other) or 0) < own_s for other in others)


def _approach(case: Case, half: Half) -> Approach:
    """CARE stages until the scene is safe, even when police arrive first (rule 4).

    CARE alone proceeds, by policy or released by a sergeant, and so it does where it is the one
    that called for police. A scene that is safe only later than now, beyond what clocks differ by,
    is not safe yet.
    """
    if half.agency is not Agency.CARE or case.check.mode not in STAGES_CARE:
        return Approach.PROCEED
    safe_at = case.incident.scene_safe_at
    if safe_at is None:
        return Approach.STAGE_UNTIL_SCENE_SAFE
    latest = half.muster.decided_at + timedelta(seconds=half.muster.policy.future_fix_s)
    safe = safe_at <= latest
    return Approach.PROCEED if safe else Approach.STAGE_UNTIL_SCENE_SAFE


STAGES_CARE = frozenset({Mode.DUAL, Mode.CARE_ONLY_ADD})
"""Modes in which CARE waits for a safe scene."""


def _stage(
    case: Case, half: Half, place: int, drive: "Drive | None", police: Half | None
) -> Stage | None:
    """Return where CARE waits; None for a unit that is there or whose way is not known."""
    muster, row = half.muster, half.rows[place]
    there = half.fixed and half.on_scene[place] is not None
    if there or muster.placement.source.item(row) == NOWHERE:
        return None
    waiting = _waits(half, place, police)
    network = case.situation.network
    if drive is not None:
        return stage_on_way(network, drive, waiting, muster.policy)
    start = float(muster.placement.lon[row]), float(muster.placement.lat[row])
    streets = case.situation.streets
    return stage_on_line(network, streets, start, muster.target, waiting, muster.policy)


def _waits(half: Half, place: int, police: Half | None) -> Waits:
    """Return how long CARE waits for police and for a safe scene."""
    if police is None or not police.rows:
        return Waits(least_s=None, expected_s=None)
    since = police.on_scene[0] if police.fixed else None
    muster = half.muster
    there_for_s = 0 if since is None else int((muster.decided_at - since).total_seconds())
    return waits(half.arrive_s(place), police.arrive_s(0), there_for_s, muster.policy)


def pair_times(team: Team) -> PairTimes | None:
    """Return when both kinds are there; values are None where one arrival is not known.

    None for a call that only one kind answers.
    """
    if team.half(Agency.CARE) is None or team.half(Agency.SPD) is None:
        return None
    care_s, spd_s = team.there_s(Agency.CARE), team.there_s(Agency.SPD)
    if care_s is None or spd_s is None:
        return PairTimes(both_at_s=None, gap_s=None, first=None)
    first = "BOTH" if care_s == spd_s else str(Agency.SPD if spd_s < care_s else Agency.CARE)
    return PairTimes(both_at_s=max(care_s, spd_s), gap_s=care_s - spd_s, first=first)


def alternatives(team: Team, count: int) -> tuple[Alternative, ...]:
    """Return the next-best pairs in the order of rule 9.

    That order is least max, least sum, longest available CARE then SPD, unit_id of CARE then SPD.
    The best n pairs lie within the first n of each kind, because no pair beats one that has an
    earlier unit in both places. Where a kind sends several, the last of them is replaced.
    """
    if not team.sought or not count:
        return ()
    care = _contenders(team.half(Agency.CARE), count)
    spd = _contenders(team.half(Agency.SPD), count)
    # A pair is beaten by every pair of earlier units, so the n-th has at most n before it; a unit
    # that was put first for another reason beats nobody.
    moved = any(half.kept or half.together for half in team.sought.values())
    most = [len(spd) if moved else (count + 1) // (i + 1) for i in range(len(care))]
    ranked = sorted(
        [
            (_pair_key(one, other), i, j)
            for i, one in enumerate(care)
            for j, other in enumerate(spd[: most[i]])
            if i or j
        ]
    )
    return tuple(
        [
            _alternative(rank, ((Agency.SPD, spd, j), (Agency.CARE, care, i)))
            for rank, (_, i, j) in enumerate(ranked[:count], 2)
        ]
    )


_Contender = tuple[int, float, str, int | None]
"""What a unit costs, since when it is available, its unit_id, its arrival; by their weight."""
_NOBODY: _Contender = (0, inf, "", None)
"""For a kind that is not needed."""


def _contenders(half: Half | None, count: int) -> list[_Contender]:
    if half is None or not half.rows:
        return [_NOBODY]
    roster, first, most = half.muster.roster, half.count - 1, count + 2
    rows, costs_s = half.rows[first : first + most], half.costs_s[first : first + most]
    arrivals_s: tuple[int | None, ...] = half.arrivals_s[first : first + most]
    if half.fixed:
        told_s = half.arrive_s(0)
        rows, arrivals_s, costs_s = half.rows[:1], (told_s,), (told_s or 0,)
    since_s = [inf if isnan(s) else s for s in map(roster.available_since_s.item, rows)]
    return list(
        zip(costs_s, since_s, [roster.unit_id[row] for row in rows], arrivals_s, strict=True)
    )


_PairKey = tuple[int, int, float, float, str, str]


def _pair_key(care: _Contender, spd: _Contender) -> _PairKey:
    care_s, spd_s = care[0], spd[0]
    later_s = max(spd_s, care_s)
    return later_s, care_s + spd_s, care[1], spd[1], care[2], spd[2]


def _alternative(rank: int, kinds: tuple[tuple[Agency, list[_Contender], int], ...]) -> Alternative:
    units, arrive_s, behind_s = {}, {}, {}
    for agency, contenders, place in kinds:
        _, _, unit_id, own_s = contenders[place]
        if unit_id:
            units[agency] = unit_id
            arrive_s[agency] = own_s
            behind_s[agency] = (own_s or 0) - (contenders[0][3] or 0)
    return Alternative(rank=rank, units=units, arrive_s=arrive_s, behind_s=behind_s)
