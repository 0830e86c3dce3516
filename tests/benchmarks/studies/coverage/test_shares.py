"""Shares of calls and of street by CARE, by SPD and by both equal Dijkstra and interval algebra."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from api.impact.judging import tell_nobody
from benchmarks.studies.coverage.arrivals import Week
from benchmarks.studies.coverage.study import measure, tables_of
from benchmarks.studies.scenario import CoverageSpec
from benchmarks.studies.tables import Table
from geodata.driving_time import ROUTINE, UNREACHABLE_MS
from geodata.network import StreetNetwork
from geodata.snap import Position
from tests.benchmarks.studies.coverage.street_oracle import (
    Interval,
    KindOracle,
    metres_reached,
)
from tests.benchmarks.studies.worlds import calls_at, world_on
from tests.builders import (
    network_from_edges,
    position_on,
    random_bans,
    random_positions,
    random_weights,
    with_random_paths,
)
from tests.routing.closed_dijkstra import ClosedDijkstra
from tests.routing.closing import closed_weights, random_closure
from tests.routing.edge_dijkstra import EdgeDijkstra

WITHIN_S = (180.0, 240.0, 300.0, 420.0)
SPEC = CoverageSpec(within_s=WITHIN_S, by=("zone", "half"), isochrones_s=(240.0,))
DELAY_MS = {"CARE": 120_000, "SPD": 80_000}
"""Turnout of each kind, and a minute to start and park."""
KINDS = ("CARE", "SPD", "PAIR")


def generated(seed: int) -> StreetNetwork:
    """Return a network with one-way streets, banned turns and banned paths, not all joined."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 30))
    lonlat = np.column_stack((rng.uniform(-122.35, -122.33, n), rng.uniform(47.6, 47.615, n)))
    streets = [(a, a + 1, bool(rng.random() < 0.7)) for a in range(n - 1)]
    streets += [(int(a), int(b), bool(rng.random() < 0.5)) for a, b in rng.integers(0, n, (n, 2))]
    streets = [one for one in streets if one[0] != one[1]]
    network = network_from_edges(lonlat, streets)
    network = replace(network, banned_turns=random_bans(network, rng, 0.3 * (seed % 2)))
    return with_random_paths(network, rng, 3 * (seed % 3), edges_max=3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A study of a generated network, and its oracle."""

    network: StreetNetwork
    tables: dict[str, Table]
    kinds: dict[str, list[KindOracle]]
    calls: list[Position]
    halves: dict[str, shapely.Polygon]


def case(seed: int) -> Case:
    network, rng = generated(seed), np.random.default_rng([seed, 1])
    weights = random_weights(network, rng, f"w{seed}", hour=37)
    care, spd = random_positions(network, rng, 2), random_positions(network, rng, 3)
    calls = random_positions(network, rng, 60)
    calls = [replace(c, fraction=min(max(c.fraction, 0.01), 0.99)) for c in calls]
    west, south, east, north = network.bounds
    middle = 0.5 * (west + east)
    halves = {
        "WEST": shapely.box(west - 0.01, south - 0.01, middle, north + 0.01),
        "EAST": shapely.box(middle, south - 0.01, east + 0.01, north + 0.01),
    }
    world = world_on(
        network, care, spd, areas={"half": halves}, weights=lambda _hour: weights, coverage=SPEC
    )
    oracle = EdgeDijkstra(network, weights, hour=37)
    one = {
        "CARE": KindOracle(oracle, care, DELAY_MS["CARE"]),
        "SPD": KindOracle(oracle, spd, DELAY_MS["SPD"]),
    }
    return Case(
        network=network, tables=tables_of(measure(world, calls_at(calls), tell_nobody)),
        kinds={"CARE": [one["CARE"]], "SPD": [one["SPD"]], "PAIR": list(one.values())},
        calls=calls, halves=halves,
    )  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case(seed) for seed in range(6)]


def rows(found: Table, **wanted: str) -> Iterator[dict[str, object]]:
    names = list(found.columns)
    for values in zip(*(found.columns[name].tolist() for name in names), strict=True):
        row = dict(zip(names, values, strict=True))
        if all(row[key] == value for key, value in wanted.items()):
            yield row


def within(row: dict[str, object]) -> list[float]:
    return [float(str(row[f"within_{s / 60:.0f}_min_share"])) for s in WITHIN_S]


def arrivals(one: Case, kind: str) -> NDArray[np.int64]:
    return np.max([oracle.ms_to(one.calls) for oracle in one.kinds[kind]], axis=0)


def test_the_arrival_at_every_call_equals_dijkstra(cases: list[Case]) -> None:
    for one in cases:
        found = one.tables["coverage_calls"]
        for kind in KINDS:
            ms = arrivals(one, kind)
            expected = np.where(ms < UNREACHABLE_MS, ms / 1000, np.nan)
            np.testing.assert_array_equal(found.columns[f"{kind.lower()}_s"], expected)


def test_joint_shares_of_calls_equal_a_plain_count(cases: list[Case]) -> None:
    for one in cases:
        for kind in KINDS:
            (row,) = rows(one.tables["coverage_overall"], of="calls", unit=kind)
            ms = arrivals(one, kind)
            assert within(row) == [float(np.mean(ms <= 1000 * s)) for s in WITHIN_S]
            known = np.where(ms < UNREACHABLE_MS, ms / 1000, np.inf)
            for share, name in ((0.5, "p50_s"), (0.9, "p90_s")):
                at = float(np.quantile(known, share, method="inverted_cdf"))
                np.testing.assert_equal(row[name], at if at < np.inf else np.nan)
            assert row["unreached_share"] == pytest.approx(np.mean(ms >= UNREACHABLE_MS))


def test_joint_shares_of_street_equal_interval_algebra(cases: list[Case]) -> None:
    partly = 0
    for one in cases:
        total = one.network.street_length_m.sum()
        for kind in KINDS:
            (row,) = rows(one.tables["coverage_overall"], of="street_km", unit=kind)
            assert row["amount"] == pytest.approx(total / 1000)
            expected = [metres_reached(one.kinds[kind], 1000 * s) / total for s in WITHIN_S]
            assert within(row) == pytest.approx(expected, abs=1e-9)
            partly += sum(0.05 < share < 0.95 for share in expected)
    assert partly > 20


def test_a_pair_that_is_there_with_the_first_of_both_would_be_noticed(cases: list[Case]) -> None:
    """A known-bad twin: what either kind reaches is not what both reach."""
    total = cases[0].network.street_length_m.sum()
    (row,) = rows(cases[0].tables["coverage_overall"], of="street_km", unit="PAIR")
    either = [metres_reached(cases[0].kinds["SPD"], 1000 * s) / total for s in WITHIN_S]
    assert within(row) != pytest.approx(either, abs=1e-3)


def part_in(network: StreetNetwork, area: shapely.Polygon) -> list[Interval]:
    """Return from where to where each straight street lies in a box."""
    found = []
    for street in range(network.n_streets):
        line = shapely.LineString(network.street_line(street))
        inside = shapely.intersection(line, area)
        ends = [
            line.project(shapely.Point(at), normalized=True)
            for at in shapely.get_coordinates(inside)
        ]
        found.append((min(ends), max(ends)) if len(ends) > 1 else (0.0, 0.0))
    return found


def test_shares_by_area_equal_those_of_streets_cut_by_hand(cases: list[Case]) -> None:
    for one in cases[:3]:
        for name, area in one.halves.items():
            parts = part_in(one.network, area)
            metres = float(sum(
                m * (b - a) for m, (a, b) in zip(one.network.street_length_m, parts, strict=True)
            ))  # fmt: skip
            inside = np.array([area.covers(shapely.Point(c.lon, c.lat)) for c in one.calls])
            for kind in KINDS:
                found = one.tables["coverage_by_half"]
                (street,) = rows(found, area=name, of="street_km", unit=kind)
                (calls,) = rows(found, area=name, of="calls", unit=kind)
                assert street["amount"] == pytest.approx(metres / 1000, rel=1e-5)
                reached = [metres_reached(one.kinds[kind], 1000 * s, parts) for s in WITHIN_S]
                assert within(street) == pytest.approx([m / metres for m in reached], abs=1e-5)
                ms = arrivals(one, kind)[inside]
                assert calls["amount"] == len(ms)
                assert within(calls) == [float(np.mean(ms <= 1000 * s)) for s in WITHIN_S]


def test_the_pair_gap_is_signed_and_of_calls_that_both_reach(cases: list[Case]) -> None:
    signs = set()
    for one in cases:
        care, spd = (arrivals(one, kind) for kind in ("CARE", "SPD"))
        gap = (care - spd)[np.maximum(care, spd) < UNREACHABLE_MS] / 1000
        (row,) = rows(one.tables["coverage_overall"], of="calls", unit="PAIR")
        told = [row["gap_p10_s"], row["gap_p50_s"], row["gap_p90_s"]]
        if len(gap):
            assert told == np.quantile(gap, [0.1, 0.5, 0.9], method="inverted_cdf").tolist()
        else:
            assert np.isnan(np.array(told, float)).all()
        signs |= set(np.sign(gap).tolist())
    assert {-1.0, 1.0} <= signs


def test_isochrones_are_as_long_as_what_is_reached(cases: list[Case]) -> None:
    for one in cases:
        for row in rows(one.tables["isochrones"]):
            expected = metres_reached(one.kinds[str(row["unit"])], 240_000) / 1000
            assert row["reached_km"] == pytest.approx(expected, abs=1e-6)


def test_isochrones_lie_on_streets(cases: list[Case]) -> None:
    """No hull: every point of the lines is within a centimetre of a street."""
    for one in cases:
        lines = [one.network.street_line(s) for s in range(one.network.n_streets)]
        streets = shapely.MultiLineString(lines)
        shapely.prepare(streets)
        shapes = one.tables["isochrones"].geometry
        assert shapes is not None
        for shape in shapes:
            points = shapely.points(shapely.get_coordinates(shapely.segmentize(shape, 0.001)))
            assert shapely.distance(points, streets).max(initial=0.0) < 1e-7


# -- closures -------------------------------------------------------------------------------------


def closed_case(seed: int) -> tuple[Table, ClosedDijkstra, Sequence[Position]]:
    rng = np.random.default_rng([seed, 2])
    network = generated(2 * seed + 2)
    network = replace(network, path_hours=np.ones_like(network.path_hours))
    closed = random_closure(network, rng) | random_closure(network, rng)
    weights = closed_weights(network, ROUTINE, closed, seed)
    care, spd = random_positions(network, rng, 2), random_positions(network, rng, 2)
    streets = range(network.n_streets)
    places = [position_on(network, s, (k + 0.5) / 8) for s in streets for k in range(8)]
    world = world_on(network, care, spd, weights=lambda _hour: weights)
    tables = tables_of(measure(world, calls_at(places), tell_nobody))
    oracle = ClosedDijkstra(network, weights)
    expected = [
        np.min(np.array([oracle.to_incident(place, units) for place in places]), axis=1)
        for units in (care, spd)
    ]
    found = tables["coverage_calls"]
    for ms, kind in zip(expected, ("CARE", "SPD"), strict=True):
        reached = np.where(ms < UNREACHABLE_MS, (ms + DELAY_MS[kind]) / 1000, np.nan)
        np.testing.assert_array_equal(found.columns[f"{kind.lower()}_s"], reached)
    return found, oracle, places


@pytest.mark.parametrize("seed", range(4))
def test_calls_on_and_beside_closed_streets_equal_dijkstra(seed: int) -> None:
    found, oracle, places = closed_case(seed)
    assert any(oracle.inside_m(place) > 0 for place in places)
    assert len(found) == len(places)


def test_hours_with_the_same_times_and_units_are_computed_once() -> None:
    network = generated(0)
    rng = np.random.default_rng(3)
    slow, quick = (random_weights(network, rng, name) for name in ("slow", "quick"))
    world = world_on(
        network, random_positions(network, rng, 2), random_positions(network, rng, 2),
        weights=lambda hour: slow if 16 <= hour % 24 < 19 else quick,
    )  # fmt: skip
    week = Week(world)
    keys = {week.at(hour).key for hour in range(168)}
    assert len(keys) == week.n_different == 2
    assert week.at(17).times.weights_id == "slow"
