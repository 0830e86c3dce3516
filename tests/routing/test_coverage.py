"""Surfaces, shares and isochrones: equal to Dijkstra, to counting by hand and to fine sampling."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from geodata.driving_time import ROUTINE, UNREACHABLE_MS, EdgeTimes, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Position, Positions
from routing.coverage import (
    Pieces,
    PieceTimes,
    Surface,
    as_targets,
    cut_streets,
    cuts_at,
    incident_streets,
    isochrone,
    metres_within,
    shares_of_points,
    shares_of_streets,
    surface_from,
    times_over,
)
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.builders import (
    network_from_edges,
    position_on,
    random_bans,
    random_positions,
    random_weights,
)
from tests.routing.closed_dijkstra import ClosedDijkstra
from tests.routing.closing import closed_weights, places_around, random_closure
from tests.routing.edge_dijkstra import EdgeDijkstra
from tests.street_drawing import draw

DELAY_MS = 120_000


def ready(network: StreetNetwork, weights: EdgeTimes | None = None) -> TravelTimes:
    weights = edge_times(network, ROUTINE) if weights is None else weights
    return TravelTimes(network, *build_hierarchy(network), weights)


def oracle_ms(
    times: TravelTimes, origins: list[Position], targets: list[Position]
) -> NDArray[np.int64]:
    """Return (n_targets,) the least of scipy's times from all origins, with the delay."""
    found = EdgeDijkstra(times.network, times.edge_times).to_targets(origins, targets)
    least = found.min(axis=1)
    return np.where(least >= UNREACHABLE_MS, UNREACHABLE_MS, least + DELAY_MS)


def some_targets(network: StreetNetwork, rng: np.random.Generator, n: int) -> list[Position]:
    """Return places all over, and both ends and the middle of streets."""
    streets = rng.integers(0, network.n_streets, n)
    ends = [position_on(network, int(s), f) for s in streets for f in (0.0, 0.5, 1.0)]
    return [*random_positions(network, rng, n), *ends]


@pytest.mark.parametrize("share_banned", [0.0, 0.05])
def test_a_surface_of_seattle_equals_scipy_at_every_end_of_every_street(
    seattle: StreetNetwork, share_banned: float
) -> None:
    rng = np.random.default_rng(5)
    network = replace(seattle, banned_turns=random_bans(seattle, rng, share_banned))
    times = ready(network)
    origins = random_positions(network, rng, 4)
    surface = surface_from(times, Positions.of(*origins), DELAY_MS)
    streets = range(network.n_streets)
    targets = [position_on(network, s, f) for s in streets for f in (0.0, 1.0)]
    targets += some_targets(network, rng, 300)
    targets += [position_on(network, o.street, f) for o in origins for f in (0.1, 0.5, 0.9)]
    found = surface.ms_at(Positions.of(*targets))
    assert (found == oracle_ms(times, origins, targets)).all()


def test_surfaces_of_random_small_networks_equal_scipy_islands_and_one_way_traps_included() -> None:
    rng = np.random.default_rng(6)
    unreachable = 0
    for _ in range(60):
        network = small_network(rng)
        times = ready(network, random_weights(network, rng, "w"))
        origins = random_positions(network, rng, int(rng.integers(1, 4)))
        targets = some_targets(network, rng, 8)
        found = surface_from(times, Positions.of(*origins), DELAY_MS).ms_at(Positions.of(*targets))
        expected = oracle_ms(times, origins, targets)
        assert (found == expected).all()
        unreachable += int((expected == UNREACHABLE_MS).sum())
    assert unreachable > 0


def small_network(rng: np.random.Generator) -> StreetNetwork:
    n = int(rng.integers(3, 12))
    lonlat = np.column_stack((rng.uniform(-122.34, -122.33, n), rng.uniform(47.6, 47.61, n)))
    ends = rng.integers(0, n, (int(rng.integers(2, 2 * n)), 2))
    streets = [(int(a), int(b), bool(rng.random() < 0.6)) for a, b in ends]
    network = network_from_edges(lonlat, streets)
    return replace(network, banned_turns=random_bans(network, rng, float(rng.choice([0, 0.3]))))


def test_places_without_a_street_are_unreached_and_never_zero() -> None:
    times = ready(draw("A---B\n|   |\nC---D").network)
    nowhere = replace(position_on(times.network, 0, 0.5), street=-1)
    surface = surface_from(times, Positions.of(position_on(times.network, 0, 0.5)))
    assert surface.ms_at(Positions.of(nowhere)).tolist() == [UNREACHABLE_MS]
    assert surface_from(times, Positions.of(nowhere)).begin_ms.min() == UNREACHABLE_MS


def test_a_call_at_a_junction_is_as_far_as_the_decision_says(seattle: StreetNetwork) -> None:
    times, rng = ready(seattle), np.random.default_rng(7)
    origins = Positions.of(*random_positions(seattle, rng, 3))
    ends = [position_on(seattle, int(s), 1.0) for s in rng.integers(0, seattle.n_streets, 200)]
    found = surface_from(times, origins).ms_at(as_targets(times, Positions.of(*ends)))
    labels = times.unit_labels(origins)
    assert found.tolist() == [
        int(times.drive_ms(labels, times.at_junction(end)).min()) for end in ends
    ]


# -- stretches ------------------------------------------------------------------------------------


def stretches(
    times: TravelTimes, care: list[Position], spd: list[Position]
) -> tuple[Pieces, list[Surface], list[PieceTimes]]:
    surfaces = [surface_from(times, Positions.of(*kind)) for kind in (care, spd)]
    streets = incident_streets(times.network)
    pieces = cut_streets(times.network, streets, *map(cuts_at, surfaces))
    return pieces, surfaces, [times_over(surface, pieces) for surface in surfaces]


def sampled_m(network: StreetNetwork, surfaces: list[Surface], ms: float) -> float:
    """Return metres within, by asking at 200 points of every street."""
    shares = (np.arange(200) + 0.5) / 200
    streets = range(network.n_streets)
    points = Positions.of(*(position_on(network, s, float(f)) for s in streets for f in shares))
    worst = np.max([surface.ms_at(points) for surface in surfaces], axis=0)
    return float((network.street_length_m[points.street] * (worst <= ms)).sum() / 200)


def test_metres_of_one_kind_and_of_the_pair_equal_fine_sampling() -> None:
    rng = np.random.default_rng(8)
    for _ in range(12):
        network = small_network(rng)
        times = ready(network, random_weights(network, rng, "w"))
        care, spd = (random_positions(network, rng, 2) for _ in range(2))
        pieces, surfaces, kinds = stretches(times, care, spd)
        assert pieces.length_m.sum() == pytest.approx(network.street_length_m.sum())
        for ms in (15_000, 40_000, 90_000):
            for chosen in ([0], [1], [0, 1]):
                some = [kinds[k] for k in chosen]
                sampled = sampled_m(network, [surfaces[k] for k in chosen], ms)
                found = metres_within(pieces, some, ms).sum()
                assert found == pytest.approx(sampled, abs=0.02 * network.street_length_m.sum())


def test_shares_of_a_street_are_those_counted_by_hand() -> None:
    """CARE at A, police at C, 10 s a block times 1.1: both meet in the middle at 11 s."""
    drawn = draw("A---B---C")
    times = ready(drawn.network)
    at_a, at_c = (position_on(drawn.network, s, f) for s, f in ((0, 0.0), (1, 1.0)))
    pieces, _, kinds = stretches(times, [at_a], [at_c])
    care = shares_of_streets(pieces, kinds[:1], (11.0, 22.0))
    pair = shares_of_streets(pieces, kinds, (11.0, 16.5, 22.0))
    assert care.within == pytest.approx((0.5, 1.0), abs=0.01)
    assert pair.within == pytest.approx((0.0, 0.5, 1.0), abs=0.02)
    assert (pair.p50_s, care.p50_s) == (pytest.approx(16.5, abs=0.1), pytest.approx(11, abs=0.1))


def test_isochrones_are_stretches_of_streets_that_end_part_way() -> None:
    drawn = draw("A---B---C")
    times = ready(drawn.network)
    pieces, _, kinds = stretches(times, [position_on(drawn.network, 0, 0.5)], [])
    lines = isochrone(pieces, kinds[:1], 8_250.0)  # half a block back, three quarters of one ahead
    lon = np.concatenate([line[:, 0] for line in lines])
    block = drawn.network.junction_lon[1] - drawn.network.junction_lon[0]
    assert lon.min() == pytest.approx(drawn.network.junction_lon[0])
    assert (lon.max() - drawn.network.junction_lon[0]) / block == pytest.approx(1.25, abs=0.01)
    assert isochrone(pieces, kinds, 8_250.0) == []  # no police anywhere, so no pair


# -- shares of points -----------------------------------------------------------------------------


def test_shares_of_points_equal_a_plain_count() -> None:
    rng = np.random.default_rng(9)
    for _ in range(200):
        n = int(rng.integers(1, 40))
        ms = rng.integers(0, 600_000, n).astype(np.int32)
        ms[rng.random(n) < 0.2] = UNREACHABLE_MS
        weight = rng.integers(0, 4, n).astype(float)
        found = shares_of_points(ms, weight, (120.0, 300.0))
        each = sorted(ms.repeat(weight.astype(int)).tolist())
        assert found.total == len(each)
        if each:
            within = [sum(t <= s * 1000 for t in each) / len(each) for s in (120, 300)]
            assert found.within == pytest.approx(within)
            for share, said in ((0.5, found.p50_s), (0.9, found.p90_s)):
                at = each[int(np.ceil(share * len(each) - 1e-9)) - 1]
                assert said == (None if at == UNREACHABLE_MS else at / 1000)


def test_nothing_has_no_share() -> None:
    found = shares_of_points(np.zeros(0, np.int32), np.zeros(0), (60.0,))
    assert (found.total, found.within, found.p50_s, found.unreached) == (0.0, (0.0,), None, 0.0)


def test_the_pair_is_there_when_both_are() -> None:
    """A known-bad twin: the sooner of the two, which a wrong pair would have, is told apart."""
    drawn = draw("A---B---C---D")
    times = ready(drawn.network)
    care = surface_from(times, Positions.of(position_on(drawn.network, 0, 0.0)))
    spd = surface_from(times, Positions.of(position_on(drawn.network, 2, 1.0)))
    call = Positions.of(position_on(drawn.network, 0, 0.5))
    both = np.maximum(care.ms_at(call), spd.ms_at(call))
    labels = times.unit_labels(Positions.of(care.origins[0], spd.origins[0]))
    assert both.tolist() == [int(times.drive_ms(labels, call[0]).max())]
    assert both.tolist() != np.minimum(care.ms_at(call), spd.ms_at(call)).tolist()


# -- closures -------------------------------------------------------------------------------------


def seeded_closure(seed: int) -> tuple[TravelTimes, ClosedDijkstra, NDArray[np.bool_]]:
    """Return the drive times of a joined network with something closed, and its oracle."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(25, 50))
    lonlat = np.column_stack((rng.uniform(-122.34, -122.33, n), rng.uniform(47.6, 47.61, n)))
    streets = [(a, a + 1, True) for a in range(n - 1)]
    streets += [(int(a), int(b), bool(rng.random() < 0.3)) for a, b in rng.integers(0, n, (n, 2))]
    network = network_from_edges(lonlat, streets)
    network = replace(network, banned_turns=random_bans(network, rng, float(seed % 2) / 10))
    closed = random_closure(network, rng)
    weights = closed_weights(network, ROUTINE, closed, seed)
    return ready(network, weights), ClosedDijkstra(network, weights), closed


def test_surfaces_with_closures_equal_dijkstra_from_inside_and_to_inside() -> None:
    inside = 0
    for seed in range(80):
        times, oracle, closed = seeded_closure(seed)
        rng = np.random.default_rng([seed, 1])
        origins = places_around(times.network, closed, rng, 3)
        targets = places_around(times.network, closed, rng, 6)
        found = surface_from(times, Positions.of(*origins), DELAY_MS).ms_at(Positions.of(*targets))
        drives = [int(oracle.to_incident(target, origins).min()) for target in targets]
        expected = [min(ms + DELAY_MS, UNREACHABLE_MS) for ms in drives]
        assert found.tolist() == expected, seed
        inside += sum(times.inside_m(target) > 0 for target in targets)
    assert inside > 50


def test_a_closed_street_is_no_reached_street() -> None:
    drawn = draw("A---B---C\n|   |   |\nD---E---F")
    shut = np.zeros(drawn.network.n_edges, np.bool_)
    shut[[drawn.edge("BC"), drawn.edge("CB")]] = True
    times = ready(drawn.network, closed_weights(drawn.network, ROUTINE, shut, 1))
    pieces, _, kinds = stretches(times, [position_on(drawn.network, 0, 0.5)], [])
    reached = metres_within(pieces, kinds[:1], 10_000_000)
    assert pieces.street[reached == 0].tolist() == [drawn.street("BC")]
