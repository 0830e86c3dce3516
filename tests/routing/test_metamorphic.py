"""What must hold between two answers, on ten thousand drawn situations and on the real city."""

from collections import Counter
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import StreetNetwork
from routing.arrivals import find_target
from routing.model import Eta, Outcome, Recommendation
from tests.routing.edge_dijkstra import EdgeDijkstra
from tests.routing.seeded_cases import (
    Decide,
    Question,
    Town,
    decide,
    draw_call,
    draw_question,
    draw_unit,
    pick,
    placed,
    small_towns,
    town,
)
from tests.routing.situations import NOON, square, zone_map
from tests.side_by_side import side_by_side

SITUATIONS = 10_000
SEATTLE_SITUATIONS = 400

Relation = Callable[[Question, Town, np.random.Generator, Decide], list[str]]


# -- what an answer is worth ----------------------------------------------------------------------

Worth = tuple[int, int, int, int, int]


def worth(answer: Recommendation) -> Worth:
    """Return what is compared, less is better: whether there is a pair, of whom, max, then sum."""
    if answer.outcome is not Outcome.DISPATCH:
        missing = () if answer.hold is None else answer.hold.missing
        return 1, len(missing), 0, 0, 0
    sent = [one for one in answer.assign if not one.already_assigned]
    last_resort = sum(one.selected_because == "LAST_RESORT" for one in sent)
    costs = [(one.arrive_s or 0) + one.preference_s for one in sent]
    return 0, 0, last_resort, max(costs, default=0), sum(costs)


def plain(answer: Recommendation, since: datetime | None = None) -> Any:
    """Return an answer as plain values; instants as seconds since one, where it is given."""
    return _plain(msgspec.to_builtins(answer, builtin_types=(datetime,)), since)


def _plain(value: Any, since: datetime | None) -> Any:
    if isinstance(value, datetime):
        return value if since is None else (value - since).total_seconds()
    if isinstance(value, dict):
        return {key: _plain(below, since) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below, since) for below in value]
    return value


# -- the relations --------------------------------------------------------------------------------


def more_units_are_never_worse(
    asked: Question, place: Town, rng: np.random.Generator, answer: Decide
) -> list[str]:
    more = replace(asked, units=(*asked.units, draw_unit(place, rng, 99)))
    before, after = worth(answer(asked)[0]), worth(answer(more)[0])
    return [] if after <= before else [f"a unit more: {before} to {after}"]


def fewer_units_are_never_better(
    asked: Question, _place: Town, rng: np.random.Generator, answer: Decide
) -> list[str]:
    gone = int(rng.integers(len(asked.units)))
    fewer = replace(asked, units=asked.units[:gone] + asked.units[gone + 1 :])
    before, after = worth(answer(asked)[0]), worth(answer(fewer)[0])
    return [] if before <= after else [f"a unit less: {before} to {after}"]


def a_closed_street_never_shortens(
    asked: Question, place: Town, rng: np.random.Generator, answer: Decide
) -> list[str]:
    world = replace(asked.world, travel_times=pick(rng, place.closed).travel_times)
    before, after = (arrivals(answer(one)[0]) for one in (asked, replace(asked, world=world)))
    return [f"{unit}: {before[unit]} to {s}" for unit, s in after.items() if s < before[unit]]


def arrivals(answer: Recommendation) -> dict[str, float]:
    return {
        one.unit_id: np.inf if one.arrive_s is None else one.arrive_s
        for one in answer.explain.units
    }


def the_order_never_matters(
    asked: Question, _place: Town, rng: np.random.Generator, answer: Decide
) -> list[str]:
    other = shuffled(asked, rng)
    return [] if answer(asked) == answer(other) else ["another order, another answer"]


def the_order_of_calls_never_matters(
    asked: Question, place: Town, rng: np.random.Generator, answer: Decide
) -> list[str]:
    """Together with another call or two, in any order of calls and units."""
    calls = asked.calls + tuple(
        draw_call(place, rng, name) for name in pick(rng, ("B", "B", "B", "CB"))
    )
    together = replace(asked, calls=calls)
    found, again = (
        {one.incident_id: one for one in answer(each)}
        for each in (together, shuffled(together, rng))
    )
    wrong = [name for name, one in found.items() if again[name] != one]
    return [f"call {name} of {len(calls)} has another answer in another order" for name in wrong]


def shuffled(asked: Question, rng: np.random.Generator) -> Question:
    """Return the same question with all that is listed in it in another order."""

    def other(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(items[i] for i in rng.permutation(len(items)))

    return replace(
        asked,
        units=other(asked.units),
        calls=tuple(replace(one, assigned=other(one.assigned)) for one in other(asked.calls)),
        options=replace(asked.options, competing=other(asked.options.competing)),
    )


def who_cannot_come_is_never_named(
    asked: Question, _place: Town, _rng: np.random.Generator, answer: Decide
) -> list[str]:
    (found,) = answer(asked)
    named = {one.unit_id for one in found.assign if not one.already_assigned}
    named |= {unit_id for other in found.alternatives for unit_id in other.units.values()}
    named |= {one.unit_id for one in (found.hold.send_now if found.hold else ())}
    return [f"{unit_id} cannot come" for unit_id in sorted(named & cut_off(asked))]


def cut_off(asked: Question) -> set[str]:
    """Return the units without a way to the call, by Dijkstra; those without a place are none."""
    world = placed(asked)
    times, placement = world.travel_times, world.placement
    assert times is not None
    target = find_target(world, asked.incident.location, world.policy)
    there = np.flatnonzero(placement.positions.street >= 0)
    positions = [placement.positions[int(row)] for row in there]
    ms = dijkstra_of(world.network, times.edge_times).to_incident(target.snapped, positions)
    return {world.roster.unit_id[row] for row in there[ms >= UNREACHABLE_MS]}


@cache
def dijkstra_of(network: StreetNetwork, times: EdgeTimes) -> EdgeDijkstra:
    return EdgeDijkstra(network, times)


def the_hour_changes_nothing_but_times(
    asked: Question, _place: Town, rng: np.random.Generator, answer: Decide
) -> list[str]:
    by = timedelta(minutes=int(rng.integers(-120, 590)))
    later = replace(
        asked,
        now=asked.now + by,
        calls=shifted(asked.calls, by),
        units=tuple(shifted(unit, by) for unit in asked.units),
        options=replace(
            asked.options, competing=tuple(shifted(need, by) for need in asked.options.competing)
        ),
    )
    one, two = (plain(answer(each)[0], each.now) for each in (asked, later))
    return [] if one | {"message": ""} == two | {"message": ""} else [f"other {by} later"]


def shifted(value: Any, by: timedelta) -> Any:
    """Return a value with every instant in it moved."""
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, tuple):
        return tuple(shifted(below, by) for below in value)
    if is_dataclass(value) and not isinstance(value, type):
        moved = {part.name: shifted(getattr(value, part.name), by) for part in fields(value)}
        return replace(value, **moved)
    return value


def a_zone_far_away_changes_nothing(
    asked: Question, place: Town, _rng: np.random.Generator, answer: Decide
) -> list[str]:
    other = replace(asked, world=replace(asked.world, zones=place.with_far_zone.zones))
    return [] if answer(asked) == answer(other) else ["a zone far away matters"]


def points_are_snapped_one_by_one(
    asked: Question, _place: Town, _rng: np.random.Generator, answer: Decide
) -> list[str]:
    """Alone or among others, a unit is seen at the same place, with the same arrival."""
    among = answer(asked)[0].explain.units
    together = {one.unit_id: (one.position, one.arrive_s) for one in among}
    wrong = []
    for unit in asked.units[:3]:
        alone = answer(replace(asked, units=(unit,)))[0].explain.units
        wrong += [
            one.unit_id for one in alone if (one.position, one.arrive_s) != together[one.unit_id]
        ]
    return [f"{unit_id} is elsewhere alone" for unit_id in wrong]


ALWAYS: tuple[Relation, ...] = (
    more_units_are_never_worse,
    a_closed_street_never_shortens,
    the_order_never_matters,
    the_order_of_calls_never_matters,
    who_cannot_come_is_never_named,
)
"""Tested in every situation."""

IN_TURN: tuple[Relation, ...] = (
    fewer_units_are_never_better,
    the_hour_changes_nothing_but_times,
    a_zone_far_away_changes_nothing,
    points_are_snapped_one_by_one,
)
"""Of which every situation has one."""


# -- the promise ----------------------------------------------------------------------------------


def remembering(answer: Decide) -> Decide:
    """Return a decider that answers the same question object once."""
    known: dict[int, tuple[Question, tuple[Recommendation, ...]]] = {}

    def remembered(asked: Question) -> tuple[Recommendation, ...]:
        if id(asked) not in known:
            known[id(asked)] = asked, answer(asked)
        return known[id(asked)][1]

    return remembered


def run(
    places: tuple[Town, ...],
    seeds: range,
    always: tuple[Relation, ...],
    in_turn: tuple[Relation, ...] = (),
    answer: Decide = decide,
) -> tuple[list[str], Counter[str]]:
    """Return what was wrong, and how often each relation was tested and each outcome met."""
    wrong: list[str] = []
    met: Counter[str] = Counter()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        place = places[seed % len(places)]
        asked = draw_question(place, rng)
        ask = remembering(answer)
        met[str(ask(asked)[0].outcome)] += 1
        turn = seed // len(places) % max(len(in_turn), 1)
        for relation in (*always, *in_turn[turn : turn + 1]):
            found = relation(asked, place, rng, ask)
            met[relation.__name__] += 1
            wrong += [f"{seed} in {place.name}: {one}" for one in found]
    return wrong, met


def in_small_towns(seeds: range) -> tuple[list[str], Counter[str]]:
    return run(small_towns(), seeds, ALWAYS, IN_TURN)


def test_ten_thousand_drawn_situations_keep_every_relation() -> None:
    (wrong, met), (wrong_beside, met_beside) = side_by_side(in_small_towns, range(SITUATIONS))
    met += met_beside
    assert wrong + wrong_beside == []
    assert {met[relation.__name__] for relation in ALWAYS} == {SITUATIONS}
    assert min(met[relation.__name__] for relation in IN_TURN) >= SITUATIONS // 5
    assert met["DISPATCH"] >= SITUATIONS // 3
    assert met["HOLD"] >= SITUATIONS // 10


@pytest.fixture(scope="module")
def seattle_town(seattle: StreetNetwork) -> Town:
    return town(seattle, "seattle")


def test_hundreds_of_situations_in_the_real_city_keep_every_relation(seattle_town: Town) -> None:
    always = tuple(one for one in ALWAYS if one is not who_cannot_come_is_never_named)
    wrong, met = run((seattle_town,), range(SEATTLE_SITUATIONS), always, IN_TURN)
    assert wrong == []
    assert met["DISPATCH"] >= SEATTLE_SITUATIONS // 3


def test_the_drawn_situations_have_units_that_cannot_come() -> None:
    rng = np.random.default_rng(5)
    asked = [draw_question(place, rng) for place in small_towns() for _ in range(20)]
    assert sum(bool(cut_off(one)) for one in asked) > len(asked) // 10


# -- known-bad twins: deciders that break one relation each ---------------------------------------


def _sends_the_second(asked: Question) -> tuple[Recommendation, ...]:
    """Take the nearest unit away whenever their number is even."""
    units = asked.units
    if len(units) % 2 == 0:
        near = arrivals(decide(asked)[0])
        units = tuple(sorted(units, key=lambda one: near.get(one.unit_id, np.inf))[1:])
    return decide(replace(asked, units=units))


def _forgets_the_last(asked: Question) -> tuple[Recommendation, ...]:
    return decide(replace(asked, units=asked.units[:-1] or asked.units))


def _serves_in_the_order_given(asked: Question) -> tuple[Recommendation, ...]:
    """Decide one call after the other, each without the units of those before."""
    taken: dict[str, str] = {}
    found = []
    for call in asked.calls:
        options = replace(asked.options, taken=dict(taken))
        (one,) = decide(replace(asked, calls=(call,), options=options))
        taken |= {unit.unit_id: call.incident_id for unit in one.assign}
        found.append(one)
    return tuple(found)


def _opens_more_than_it_closes(asked: Question) -> tuple[Recommendation, ...]:
    times = asked.world.travel_times
    assert times is not None
    if not times.weights_id.startswith("closed"):
        return decide(asked)
    faster = replace(times.edge_times, move_ms=np.maximum(times.edge_times.move_ms // 2, 1))
    return decide(replace(asked, world=replace(asked.world, travel_times=times.reweighed(faster))))


def _as_the_crow_flies(asked: Question) -> tuple[Recommendation, ...]:
    return decide(replace(asked, world=replace(asked.world, rung=Eta.STRAIGHT_LINE)))


def _with_a_stopped_clock(asked: Question) -> tuple[Recommendation, ...]:
    return decide(replace(asked, now=NOON))


def _in_the_first_zone_only(asked: Question) -> tuple[Recommendation, ...]:
    first = asked.world.zones.zones[0]
    ring = [list(point) for point in first.geometry.exterior.coords]
    feature = square(*first.geometry.bounds, zone_id=first.zone_id)
    feature["geometry"]["coordinates"] = [ring]
    return decide(replace(asked, world=replace(asked.world, zones=zone_map(feature))))


def _snaps_to_the_middle(asked: Question) -> tuple[Recommendation, ...]:
    """Put all units where they are on average."""
    fixes = [one.position for one in asked.units if one.position is not None]
    if not fixes:
        return decide(asked)
    lon, lat = (float(np.mean([getattr(fix, axis) for fix in fixes])) for axis in ("lon", "lat"))
    units = tuple(
        one
        if one.position is None
        else replace(one, position=replace(one.position, lon=lon, lat=lat))
        for one in asked.units
    )
    return decide(replace(asked, units=units))


@pytest.mark.parametrize(
    ("relation", "bad"),
    [
        (more_units_are_never_worse, _sends_the_second),
        (fewer_units_are_never_better, _sends_the_second),
        (a_closed_street_never_shortens, _opens_more_than_it_closes),
        (the_order_never_matters, _forgets_the_last),
        (the_order_of_calls_never_matters, _serves_in_the_order_given),
        (who_cannot_come_is_never_named, _as_the_crow_flies),
        (the_hour_changes_nothing_but_times, _with_a_stopped_clock),
        (a_zone_far_away_changes_nothing, _in_the_first_zone_only),
        (points_are_snapped_one_by_one, _snaps_to_the_middle),
    ],
    ids=lambda one: one.__name__,
)
def test_a_decision_that_breaks_a_relation_is_found(relation: Relation, bad: Decide) -> None:
    seeds = range(4 * len(small_towns()))
    assert run(small_towns(), seeds, (relation,))[0] == []
    assert run(small_towns(), seeds, (relation,), answer=bad)[0] != []
