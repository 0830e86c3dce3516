"""Labels, surfaces and routes on maps small enough to check by hand, and on the real city."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from geodata.driving_time import ROUTINE, UNREACHABLE_MS, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Positions, Way
from routing.road_hierarchy import (
    HIERARCHY_FOLDER,
    OtherStreetsError,
    build_hierarchy,
    load_hierarchy,
    load_or_build_hierarchy,
    save_hierarchy,
)
from routing.travel_time import TravelTimes
from tests.builders import (
    network_from_edges,
    position_on,
    random_bans,
    random_positions,
    random_weights,
)
from tests.routing.edge_dijkstra import EdgeDijkstra

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 0.001 + np.array([-122.3, 47.6])
ONE_WAY_RING = [(0, 1, False), (1, 2, False), (2, 3, False), (3, 0, False)]


def ready(network: StreetNetwork) -> TravelTimes:
    return TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))


def drive_ms(times: TravelTimes, unit: tuple[int, float], incident: tuple[int, float]) -> int:
    at, to = (position_on(times.network, *place) for place in (unit, incident))
    return int(times.drive_ms(times.unit_labels(Positions.of(at)), to)[0])


def test_ahead_on_the_same_one_way_street_is_the_way_straight_along_it() -> None:
    times = ready(network_from_edges(SQUARE, ONE_WAY_RING))
    assert drive_ms(times, (0, 0.25), (0, 0.75)) == pytest.approx(100 / 2 / 10 * 1100, abs=1)


def test_behind_on_the_same_one_way_street_is_all_the_way_round() -> None:
    times = ready(network_from_edges(SQUARE, ONE_WAY_RING))
    assert drive_ms(times, (0, 0.75), (0, 0.25)) == pytest.approx(100 * 3.5 / 10 * 1100, abs=3)


def test_behind_on_the_same_two_way_street_is_a_turn_on_the_spot() -> None:
    times = ready(network_from_edges(SQUARE, [(0, 1, True), *ONE_WAY_RING[1:]]))
    assert drive_ms(times, (0, 0.75), (0, 0.25)) == pytest.approx(100 / 2 / 10 * 1100, abs=1)


def test_a_place_without_a_way_is_unreachable_and_never_zero() -> None:
    network = network_from_edges(SQUARE, [(0, 1, True), (2, 3, True)])
    assert drive_ms(ready(network), (0, 0.5), (1, 0.5)) == UNREACHABLE_MS


def test_a_banned_left_turn_sends_the_route_round_the_block() -> None:
    both_ways = [(a, b, True) for a, b, _ in ONE_WAY_RING]
    plain = network_from_edges(SQUARE, both_ways)
    first = int(plain.street_along[0])
    second = int(plain.street_along[1])
    banned = replace(plain, banned_turns=np.array([[first, second]], np.int32))
    straight, round_about = (
        ready(n).route(position_on(n, 0, 0.5), position_on(n, 1, 0.5)) for n in (plain, banned)
    )
    assert straight is not None
    assert straight.edges.tolist() == [first, second]
    assert round_about is not None
    assert (first, second) not in pairwise(round_about.edges.tolist())
    assert round_about.ms > straight.ms


def check_route(times: TravelTimes, rng: np.random.Generator) -> None:
    """Assert that a route is drivable, takes the time it states, and is drawn from end to end."""
    net, weights = times.network, times.edge_times
    unit, incident = random_positions(net, rng, 2)
    route = times.route(unit, incident)
    expected = EdgeDijkstra(net, weights).to_incident(incident, [unit])[0]
    if route is None:
        assert expected == UNREACHABLE_MS
        return
    banned = {tuple(turn) for turn in net.banned_turns.tolist()}
    for before, after in pairwise(route.edges.tolist()):
        assert net.edge_head[before] == net.edge_tail[after]
        assert (before, after) not in banned
    shares = [1.0] * len(route.edges)
    shares[-1] = route.end_fraction
    shares[0] -= route.begin_fraction if len(shares) > 1 else 0
    shares[0] = route.end_fraction - route.begin_fraction if len(shares) == 1 else shares[0]
    move = sum(s * int(weights.move_ms[e]) for s, e in zip(shares, route.edges, strict=True))
    move += sum(int(weights.end_ms[edge]) for edge in route.edges[:-1])
    assert route.ms == expected == pytest.approx(move, abs=2)
    lengths = net.street_length_m[net.edge_street[route.edges]]
    assert route.length_m == pytest.approx(float(np.dot(lengths, shares)), rel=1e-6)
    assert tuple(route.line[0]) == pytest.approx((unit.lon, unit.lat), abs=1e-9)
    assert tuple(route.line[-1]) == pytest.approx((incident.lon, incident.lat), abs=1e-9)


def test_routes_on_random_networks_are_drivable_and_take_the_time_they_state() -> None:
    rng = np.random.default_rng(21)
    for _ in range(40):
        n = int(rng.integers(3, 40))
        ends = rng.integers(0, n, (3 * n, 2))
        lonlat = np.column_stack((rng.uniform(-122.4, -122.3, n), rng.uniform(47.5, 47.6, n)))
        net = network_from_edges(lonlat, [(int(a), int(b), bool(rng.integers(2))) for a, b in ends])
        net = replace(net, banned_turns=random_bans(net, rng, 0.2))
        times = TravelTimes(net, *build_hierarchy(net), random_weights(net, rng, "w"))
        for _ in range(5):
            check_route(times, rng)


def test_point_before_the_end_lies_that_far_along_the_route_or_at_its_start() -> None:
    net = network_from_edges(SQUARE, ONE_WAY_RING)
    route = ready(net).route(position_on(net, 0, 0.5), position_on(net, 1, 0.5))
    assert route is not None
    lon, lat, edge = route.point_before_end(75.0)
    assert edge == route.edges[0]
    assert lon == pytest.approx(SQUARE[0, 0] + 0.001 * (0.5 + 25 / 75 * 0.375), abs=2e-4)
    assert lat == pytest.approx(SQUARE[0, 1])
    assert route.point_before_end(10_000)[:2] == pytest.approx((route.line[0, 0], route.line[0, 1]))


@pytest.mark.parametrize("share_banned", [0.0, 0.15])
def test_surface_from_a_unit_equals_dijkstra_at_every_junction(
    seattle: StreetNetwork, share_banned: float
) -> None:
    rng = np.random.default_rng(22)
    network = replace(seattle, banned_turns=random_bans(seattle, rng, share_banned))
    times = ready(network)
    (unit,) = random_positions(network, rng, 1)
    oracle = EdgeDijkstra(network, times.edge_times)
    assert np.array_equal(times.ms_to_junctions(unit), oracle.to_junctions(unit))


def test_a_saved_hierarchy_is_the_one_that_was_built_and_fits_no_other_streets(
    tmp_path: Path,
) -> None:
    network = network_from_edges(SQUARE, ONE_WAY_RING)
    _, built = build_hierarchy(network)
    save_hierarchy(tmp_path / HIERARCHY_FOLDER, network, built)
    _, loaded = load_hierarchy(tmp_path / HIERARCHY_FOLDER, network)
    assert all(np.array_equal(a, loaded.columns()[name]) for name, a in built.columns().items())
    other = network_from_edges(SQUARE, [*ONE_WAY_RING, (0, 2, True)])
    with pytest.raises(OtherStreetsError, match="other streets"):
        load_hierarchy(tmp_path / HIERARCHY_FOLDER, other)
    graph, anew = load_or_build_hierarchy(tmp_path, other)
    assert len(anew.rank) == graph.n_nodes == other.n_junctions


def test_surface_to_a_call_is_what_units_at_the_ends_of_streets_need() -> None:
    rng = np.random.default_rng(23)
    lonlat = np.column_stack((rng.uniform(-122.4, -122.3, 30), rng.uniform(47.5, 47.6, 30)))
    ends = rng.integers(0, 30, (70, 2))
    net = network_from_edges(lonlat, [(int(a), int(b), bool(rng.integers(2))) for a, b in ends])
    times = TravelTimes(net, *build_hierarchy(net), random_weights(net, rng, "w"))
    oracle = EdgeDijkstra(net, times.edge_times)
    (call,) = random_positions(net, rng, 1)
    to_call = times.ms_from_junctions(call)
    for street in set(range(net.n_streets)) - {call.street}:
        edge = net.street_along[street]
        unit = replace(position_on(net, street, 1.0), leaves=int(Way.ALONG))
        wait_ms = int(times.edge_times.end_ms[edge])
        expected = min(UNREACHABLE_MS, int(to_call[net.edge_head[edge]]) + wait_ms)
        assert oracle.to_incident(call, [unit])[0] == expected
