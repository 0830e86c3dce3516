"""Restrictions over whole ways and by the hour: on maps to check by eye, and exact on any."""

from dataclasses import replace

import numpy as np
import pytest

from geodata.driving_time import ROUTINE, UNREACHABLE_MS, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Position, Positions, Way
from routing.road_hierarchy import RoadHierarchy, build_hierarchy
from routing.travel_time import TravelTimes
from routing.turns import expand_turns
from tests.builders import (
    position_on,
    random_bans,
    random_positions,
    random_weights,
    with_banned_paths,
    with_random_paths,
)
from tests.routing.edge_dijkstra import EdgeDijkstra, banned_walks, drives_a_ban
from tests.routing.test_exactness import beside, random_small_network
from tests.street_drawing import StreetMap, draw

MONDAY_8, MONDAY_12 = 8, 12


def at_hour(network: StreetNetwork, hour: int = 0) -> TravelTimes:
    weights = edge_times(network, ROUTINE, hour=hour)
    return TravelTimes(network, *build_hierarchy(network), weights)


def heading(drawn: StreetMap, letters: str, fraction: float = 0.5) -> Position:
    """Return a place on a street that may be left in the direction of its letters alone."""
    edge = drawn.edge(letters)
    along = bool(drawn.network.edge_along[edge])
    place = position_on(
        drawn.network, int(drawn.network.edge_street[edge]), fraction if along else 1 - fraction
    )
    return replace(place, leaves=int(Way.ALONG if along else Way.AGAINST))


def driven(drawn: StreetMap, start: str, end: str, *, hour: int = 0) -> str:
    """Return the letters that are passed from the middle of one street to that of another."""
    route = at_hour(drawn.network, hour).route(heading(drawn, start), heading(drawn, end))
    if route is None:
        return ""
    tails = [drawn.letter(int(drawn.network.edge_tail[edge])) for edge in route.edges]
    return "".join([*tails, drawn.letter(int(drawn.network.edge_head[route.edges[-1]]))])


DIVIDED = """
P<--A<--B<--C<--Q
v       ^   ^   ^
R-->D-->E-->F-->S
"""


def test_turning_round_over_the_crossover_is_banned_for_those_who_come_along_the_road() -> None:
    assert driven(draw(DIVIDED), "DE", "BA") == "DEBA"
    drawn = draw(DIVIDED, bans=["DEBA"])
    assert driven(drawn, "DE", "BA") == "DEFCBA"
    assert driven(drawn, "EB", "BA") == "EBA"  # who stands on the crossover has not come along it


def test_a_ban_over_a_way_leaves_the_same_turn_to_those_who_come_another_way() -> None:
    drawn = draw(LADDER, bans=["EFBA"])
    assert driven(drawn, "GF", "BA") == "GFBA"
    assert driven(drawn, "EF", "BC") == "EFBC"
    assert driven(drawn, "EF", "BA") not in ("", "EFBA")


LADDER = """
A---B---C---D
|   |   |   |
E---F---G---H
"""


def test_only_straight_on_over_a_way_binds_who_has_entered_the_way() -> None:
    drawn = draw(LADDER, only=["EFGH"])
    assert driven(drawn, "EF", "GC") not in ("", "EFGC")
    assert driven(drawn, "EF", "FB") == "EFB"
    assert driven(drawn, "BF", "GC") == "BFGC"
    assert driven(drawn, "EF", "GH") == "EFGH"


def test_a_ban_over_two_ways_is_only_for_those_who_drive_both() -> None:
    drawn = draw(LADDER, bans=["EFGHD"])
    assert driven(drawn, "FG", "HD") == "FGHD"
    assert driven(drawn, "EF", "HD") not in ("", "EFGHD")


def test_a_left_turn_is_banned_at_eight_and_allowed_at_noon() -> None:
    drawn = draw(LADDER, bans=["FGC @ Mo-Fr 07:00-09:00,16:00-18:00"])
    assert driven(drawn, "FG", "GC", hour=MONDAY_12) == "FGC"
    assert driven(drawn, "FG", "GC", hour=MONDAY_8) not in ("", "FGC")
    assert driven(drawn, "FG", "GC", hour=5 * 24 + 8) == "FGC"


def test_a_call_on_a_street_that_nobody_may_enter_at_this_hour_is_out_of_reach() -> None:
    """The street is entered from no copy whose arc the hour has closed."""
    drawn = draw("A-->B-->C\n^   v   v\nD<--E<--F", bans=["ABC @ Mo 08:00-09:00"])
    unit, call = heading(drawn, "AB"), heading(drawn, "BC")
    noon, morning = (at_hour(drawn.network, hour) for hour in (MONDAY_12, MONDAY_8))
    units = Positions.of(unit)
    assert noon.drive_ms(noon.unit_labels(units), call)[0] < UNREACHABLE_MS
    assert morning.drive_ms(morning.unit_labels(units), call)[0] == UNREACHABLE_MS
    assert morning.route(unit, call) is None


@pytest.mark.parametrize(("closed", "open_way"), [("ABC", "ABDEF"), ("ABD", "ABCEF")])
def test_of_two_ways_of_equal_time_the_one_that_is_open_is_driven(
    closed: str, open_way: str
) -> None:
    drawn = draw(
        "A-->B-->C\n^   v   v\nG   D-->E-->F\n^           v\nH<----------I",
        bans=[f"{closed} @ Mo 08:00-09:00"],
    )
    assert driven(drawn, "AB", "EF", hour=MONDAY_8) == open_way
    unit, call = heading(drawn, "AB"), heading(drawn, "EF")
    morning, noon = (
        at_hour(drawn.network, hour).route(unit, call) for hour in (MONDAY_8, MONDAY_12)
    )
    assert morning is not None
    assert noon is not None
    assert morning.ms == noon.ms


def test_weights_of_another_hour_open_what_the_hour_before_had_closed() -> None:
    drawn = draw(LADDER, bans=["FGC @ Mo 08:00-09:00"])
    morning = at_hour(drawn.network, MONDAY_8)
    noon = morning.reweighed(edge_times(drawn.network, ROUTINE, hour=MONDAY_12))
    again = noon.reweighed(edge_times(drawn.network, ROUTINE, hour=MONDAY_8))
    unit, call = heading(drawn, "FG"), heading(drawn, "GC")
    times = [t.drive_ms(t.unit_labels(Positions.of(unit)), call)[0] for t in (morning, noon, again)]
    assert times[1] < times[0] == times[2]


def test_hours_with_other_bans_have_other_names_and_equal_ones_the_same() -> None:
    network = draw(LADDER, bans=["FGC @ Mo-Fr 07:00-09:00", "FBC @ Tu 08:00-09:00"]).network
    names = [edge_times(network, ROUTINE, hour=hour).weights_id for hour in range(168)]
    by_bans = {network.path_hours[:, hour].tobytes(): name for hour, name in enumerate(names)}
    assert len(set(names)) == len(by_bans) == 3
    assert all(by_bans[network.path_hours[:, h].tobytes()] == name for h, name in enumerate(names))
    assert names[7].removesuffix("-b7") == names[0] == edge_times(network, ROUTINE).weights_id


def test_prefixes_that_allow_the_same_share_a_copy() -> None:
    bans = ["EFGC", "BFGC"]
    one, both = (expand_turns(draw(LADDER, bans=some).network) for some in (bans[:1], bans))
    assert one.n_nodes == both.n_nodes == 8 + 2


def test_without_ties_the_labels_beside_banned_paths_lie_on_two_root_paths(
    seattle: StreetNetwork,
) -> None:
    """The known-bad twin of the ties between copies that remember."""
    network = with_random_paths(seattle, np.random.default_rng(31), 2000)
    graph = expand_turns(network)
    RoadHierarchy.build(network, graph)
    with pytest.raises(AssertionError, match="two root paths"):
        RoadHierarchy.build(network, replace(graph, ties=np.zeros((0, 2), np.int32)))


def mismatches(
    times: TravelTimes, hour: int, incidents: list[Position], units: list[Position]
) -> int:
    oracle = EdgeDijkstra(times.network, times.edge_times, hour)
    labels = times.unit_labels(Positions.of(*units))
    found = [times.drive_ms(labels, incident) for incident in incidents]
    expected = [oracle.to_incident(incident, units) for incident in incidents]
    return int((np.array(found) != np.array(expected)).sum())


def test_random_small_networks_with_overlapping_paths_are_exact_at_every_hour() -> None:
    rng = np.random.default_rng(32)
    n_forgotten = 0
    for _ in range(400):
        plain = random_small_network(rng)
        network = with_random_paths(plain, rng, int(rng.integers(1, 30)), edges_max=5)
        hierarchy = build_hierarchy(network)
        for hour in rng.integers(0, 168, 2).tolist():
            times = TravelTimes(network, *hierarchy, random_weights(network, rng, "w", hour))
            units, incidents = random_positions(network, rng, 6), random_positions(network, rng, 4)
            units += beside(network, incidents[0], rng)
            assert mismatches(times, hour, incidents, units) == 0
            forgets = replace(times.edge_times, paths_binding=np.zeros(0, np.bool_))
            free = TravelTimes(plain, *build_hierarchy(plain), forgets)
            n_forgotten += mismatches_without_paths(free, times, incidents, units)
    assert n_forgotten > 500  # the paths matter: without them these times would be wrong


def mismatches_without_paths(
    free: TravelTimes, bound: TravelTimes, incidents: list[Position], units: list[Position]
) -> int:
    at = Positions.of(*units)
    labels, bound_labels = free.unit_labels(at), bound.unit_labels(at)
    return sum(
        int((free.drive_ms(labels, place) != bound.drive_ms(bound_labels, place)).sum())
        for place in incidents
    )


def test_routes_over_banned_paths_are_never_driven() -> None:
    rng = np.random.default_rng(33)
    n_routes = 0
    for _ in range(150):
        network = with_random_paths(random_small_network(rng), rng, 25)
        hour = int(rng.integers(168))
        weights = random_weights(network, rng, "w", hour)
        times = TravelTimes(network, *build_hierarchy(network), weights)
        bans = banned_walks(network, hour)
        for unit, incident in zip(*[iter(random_positions(network, rng, 8))] * 2, strict=True):
            route = times.route(unit, incident)
            expected = EdgeDijkstra(network, weights, hour).to_incident(incident, [unit])[0]
            assert (UNREACHABLE_MS if route is None else route.ms) == expected
            if route is not None:
                assert not drives_a_ban(route.edges.tolist(), bans)
                n_routes += 1
    assert n_routes > 200


@pytest.mark.parametrize(("share_of_junctions", "edges_max"), [(0.02, 4), (0.15, 3)])
def test_every_street_beside_a_banned_path_on_seattle_is_exact(
    seattle: StreetNetwork, share_of_junctions: float, edges_max: int
) -> None:
    rng = np.random.default_rng(34)
    n_paths = round(share_of_junctions * seattle.n_junctions)
    plain = replace(seattle, banned_turns=random_bans(seattle, rng, share_of_junctions / 2))
    network = with_random_paths(plain, rng, n_paths, edges_max)
    near = np.unique(network.edge_head[network.path_edge])
    touched = np.isin(network.edge_head, near) | np.isin(network.edge_tail, near)
    streets = np.unique(network.edge_street[touched]).tolist()
    units = [position_on(network, street, float(rng.random())) for street in streets]
    incidents = [position_on(network, int(s), float(rng.random())) for s in rng.choice(streets, 6)]
    graph, hierarchy = build_hierarchy(network)
    for hour in (MONDAY_8, 100):
        times = TravelTimes(network, graph, hierarchy, edge_times(network, ROUTINE, hour=hour))
        assert mismatches(times, hour, incidents, units) == 0
    oracle = EdgeDijkstra(network, times.edge_times, 100)
    few = random_positions(network, rng, 3)
    labels = times.unit_labels(Positions.of(*few))
    found = np.array([times.drive_ms(labels, target) for target in units])
    assert np.array_equal(found, oracle.to_targets(few, units))
    assert np.array_equal(times.ms_to_junctions(few[0]), oracle.to_junctions(few[0]))


def test_a_path_that_binds_at_no_hour_changes_no_time() -> None:
    drawn = draw(LADDER)
    path = [drawn.edge("EF"), drawn.edge("FG"), drawn.edge("GC")]
    never = with_banned_paths(drawn.network, [path], np.zeros((1, 168), np.bool_))
    unit, call = heading(drawn, "EF"), heading(drawn, "GC")
    assert at_hour(never).route(unit, call).ms == at_hour(drawn.network).route(unit, call).ms  # type: ignore[union-attr]
