"""The route that is walked from labels made beforehand: drivable, exact, and its points right."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from geodata.driving_time import ROUTINE, UNREACHABLE_MS, edge_times
from geodata.earth import line_lengths_m
from geodata.network import StreetNetwork
from geodata.snap import NO_INCIDENT, Positions
from routing.road_hierarchy import build_hierarchy
from routing.route import Route
from routing.travel_time import IncidentLabel, TravelTimes, UnitLabels
from tests.builders import network_from_edges, position_on, random_bans, random_positions
from tests.routing.edge_dijkstra import EdgeDijkstra

CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 0.001 + np.array([-122.3, 47.6])


def ready(network: StreetNetwork) -> TravelTimes:
    return TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))


def driven_ms(route: Route, times: TravelTimes) -> int:
    """Return the time of a route from its edges alone, each part rounded as a place is."""
    move_ms, end_ms = times.edge_times.move_ms, times.edge_times.end_ms
    first, last = route.edges[0], route.edges[-1]
    begun = int(np.floor(route.begin_fraction * move_ms[first] + 0.5))
    ended = int(np.floor(route.end_fraction * move_ms[last] + 0.5))
    whole = route.edges[:-1]
    return int(move_ms[whole].sum() + end_ms[whole].sum()) - begun + ended


def is_drivable(network: StreetNetwork, edges: NDArray[np.int32]) -> bool:
    banned = set(map(tuple, network.banned_turns.tolist()))
    return all(
        network.edge_head[a] == network.edge_tail[b] and (a, b) not in banned
        for a, b in pairwise(edges.tolist())
    )


@pytest.mark.parametrize("share_banned", [0.0, 0.15])
def test_routes_from_kept_labels_on_seattle_are_drivable_and_as_quick_as_dijkstra(
    seattle: StreetNetwork, share_banned: float
) -> None:
    rng = np.random.default_rng(31)
    network = replace(seattle, banned_turns=random_bans(seattle, rng, share_banned))
    times = ready(network)
    units = random_positions(network, rng, 40)
    labels = times.unit_labels(Positions.of(*units))
    for incident in random_positions(network, rng, 8):
        expected = EdgeDijkstra(network, times.edge_times).to_incident(incident, units)
        for row, ms in enumerate(expected.tolist()):
            route = times.route_to(labels, row, times.incident_label(incident))
            if route is None:
                assert ms == UNREACHABLE_MS
                continue
            assert is_drivable(network, route.edges)
            assert abs(route.ms - driven_ms(route, times)) <= 1  # half-up from the other end
            assert route.ms == ms


def along(line: NDArray[np.float64], metres: float, whole_m: float) -> tuple[float, float]:
    """Return the point of a drawn line so many metres (of its length) before its end."""
    steps_m = line_lengths_m(line[:, 0], line[:, 1])
    behind = np.concatenate(([0.0], np.cumsum(steps_m)))
    at = max(0.0, 1.0 - metres / whole_m) * behind[-1]
    return float(np.interp(at, behind, line[:, 0])), float(np.interp(at, behind, line[:, 1]))


def test_points_before_the_end_lie_on_the_drawn_line_at_their_distance(
    seattle: StreetNetwork,
) -> None:
    rng = np.random.default_rng(32)
    times = ready(seattle)
    for unit, incident in zip(*(random_positions(seattle, rng, 40) for _ in range(2)), strict=True):
        route = times.route(unit, incident)
        assert route is not None
        for metres in (0.0, 1.0, 150.0, 0.4 * route.length_m, route.length_m, 1e6):
            lon, lat, place = route.place_before_end(metres)
            assert (lon, lat) == pytest.approx(along(route.line, metres, route.length_m), abs=1e-5)
            left_m = route.length_m - min(metres, route.length_m)
            assert (
                route.edge_begin_m[place] <= left_m + 1e-6 <= route.edge_begin_m[place + 1] + 2e-6
            )
            assert route.point_before_end(metres) == (lon, lat, route.edges[place])


def corner_route(unit: tuple[int, float], incident: tuple[int, float]) -> Route:
    network = network_from_edges(CORNERS, [(0, 1, True), (2, 1, True), (2, 3, False)])
    found = ready(network).route(position_on(network, *unit), position_on(network, *incident))
    assert found is not None
    return found


def test_metres_count_part_of_the_first_and_of_the_last_street() -> None:
    route = corner_route((0, 0.25), (1, 0.5))
    assert route.edge_begin_m.tolist() == pytest.approx([0, 75, 125])
    assert route.length_m == pytest.approx(125)
    assert corner_route((1, 0.5), (1, 0.75)).edge_begin_m.tolist() == pytest.approx([0, 25])


def test_against_the_drawing_direction_points_are_counted_from_the_other_end() -> None:
    lon, lat, place = corner_route((0, 0.5), (1, 0.0)).place_before_end(25.0)
    assert (place, lon) == (1, pytest.approx(CORNERS[1, 0]))
    assert lat == pytest.approx(CORNERS[2, 1] - 0.00025)


def test_without_a_way_there_is_no_route() -> None:
    network = network_from_edges(CORNERS, [(0, 1, False), (2, 3, True)])
    times = ready(network)
    labels = times.unit_labels(Positions.of(position_on(network, 0, 0.5)))
    assert times.route_to(labels, 0, times.incident_label(position_on(network, 1, 0.5))) is None
    assert times.route(position_on(network, 0, 0.5), position_on(network, 0, 0.4)) is None


def labels_of(times: TravelTimes) -> tuple[UnitLabels, IncidentLabel]:
    place = position_on(times.network, 0, 0.5)
    return times.unit_labels(Positions.of(place)), times.incident_label(place)


def test_labels_of_other_weights_are_refused() -> None:
    """The known-bad twin: labels kept over a change of weights."""
    network = network_from_edges(CORNERS, [(0, 1, True)])
    before = ready(network)
    closed = np.zeros(network.n_edges, bool)
    after = before.reweighed(edge_times(network, ROUTINE, closed_edges=closed, closure_id="x"))
    with pytest.raises(AssertionError, match="other weights"):
        after.route_to(labels_of(before)[0], 0, labels_of(after)[1])
    with pytest.raises(AssertionError, match="other weights"):
        after.route_to(labels_of(after)[0], 0, labels_of(before)[1])


def test_a_route_of_more_edges_than_the_first_guess_is_whole() -> None:
    n = 700
    line = np.column_stack((np.linspace(-122.4, -122.3, n), np.full(n, 47.6)))
    network = network_from_edges(line, [(i, i + 1, True) for i in range(n - 1)])
    route = ready(network).route(position_on(network, 0, 0.5), position_on(network, n - 2, 0.5))
    assert route is not None
    assert network.edge_street[route.edges].tolist() == list(range(n - 1))


def place_to_wait(route: Route, network: StreetNetwork, short_m: float) -> tuple[float, int]:
    """Return metres before the end and the place of the edge, with streets that are barred."""
    barred = network.street_flags[network.edge_street[route.edges]] & NO_INCIDENT != 0
    place = route.place_before_end(short_m)[2]
    free = [i for i in range(place, len(barred)) if not barred[i]]
    left_m = route.length_m - route.edge_begin_m[free[0]] if free else 0.0
    if not barred[place] or left_m < 0.5 * short_m:
        return short_m, place
    return float(left_m), free[0]


def test_what_is_told_of_several_drives_is_what_their_routes_say(seattle: StreetNetwork) -> None:
    rng, short_m, moved = np.random.default_rng(33), 900.0, 0
    times = ready(seattle)
    labels = times.unit_labels(Positions.of(*random_positions(seattle, rng, 60)))
    for incident in random_positions(seattle, rng, 6):
        goal = times.incident_label(incident)
        for row, drive in enumerate(times.drives_to(labels, range(60), goal, short_m)):
            route = times.route_to(labels, row, goal)
            assert (route is None) == (drive is None)
            if route is None or drive is None:
                continue
            metres, place = place_to_wait(route, seattle, short_m)
            moved += metres != short_m
            street = int(seattle.edge_street[route.edges[place]])
            assert (drive.length_m, drive.street) == (route.length_m, street)
            assert (drive.lon, drive.lat) == route.place_before_end(metres)[:2]
            lon, lat = seattle.junction_lon, seattle.junction_lat
            away = [np.hypot(lon[k] - drive.lon, lat[k] - drive.lat) for k in drive.junctions]
            assert set(drive.junctions) == set(seattle.ends_of(street))
            assert away[0] <= away[1]
    assert moved > 0
