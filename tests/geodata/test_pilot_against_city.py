"""The built-in streets and zone against the real city, where its data is there.

Run with `-s` to see the figures that the README gives.
"""

import heapq
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree
from shapely.geometry import shape

from geodata.driving_time import ROUTINE, edge_times
from geodata.earth import metres_per_degree
from geodata.network import RoadClass, StreetFlag, StreetNetwork
from geodata.osm_import import import_osm_file
from geodata.pilot.area import pilot_zone_features
from geodata.pilot.streets import pilot_network
from geodata.pilot.tables import Corner, StreetRow, read_corners, read_street_rows
from geodata.raw_streets import Direction

FREEWAYS = (RoadClass.MOTORWAY, RoadClass.MOTORWAY_LINK)
PER_LON, PER_LAT = metres_per_degree(47.6)


def say(figures: str) -> None:
    print(figures)  # noqa: T201


@dataclass(frozen=True)
class City:
    """The real streets, and for each crossing of the schematic its junctions in them."""

    network: StreetNetwork
    corners: list[Corner]
    """Corners where two streets for everyone meet."""
    junctions: list[list[int]]
    """Real junctions within 40 m where two of the same names meet; [] where there are none."""


SAME_CORNER_M = 40.0


@pytest.fixture(scope="module")
def city(tandem_data: Path) -> City:
    network = import_osm_file(tandem_data / "network" / "seattle_drive_2026-07-18.osm.gz")
    names: list[set[str]] = [set() for _ in range(network.n_junctions)]
    for ends in (network.edge_tail, network.edge_head):
        for junction, street in zip(ends, network.edge_street, strict=True):
            names[junction].add(network.name_of(street))
    tree = KDTree(np.column_stack((network.junction_lon * PER_LON, network.junction_lat * PER_LAT)))
    corners = [corner for corner in read_corners() if len(surface_streets(corner)) > 1]
    junctions = [
        [
            near
            for near in tree.query_ball_point((c.lon * PER_LON, c.lat * PER_LAT), SAME_CORNER_M)
            if len(names[near] & surface_streets(c)) > 1
        ]
        for c in corners
    ]
    return City(network, corners, junctions)


def surface_streets(corner: Corner) -> set[str]:
    """Return the streets of a corner that are no freeways and no ramps."""
    return set(corner.streets) - FREEWAY_NAMES


FREEWAY_NAMES = {row.street for row in read_street_rows() if row.road_class in FREEWAYS}


def test_the_corners_are_where_the_same_streets_meet_in_the_city(city: City) -> None:
    share = np.mean([bool(found) for found in city.junctions])
    say(f"corners found in the city within {SAME_CORNER_M:.0f} m: {share:.1%}")
    assert share >= 0.99


def test_one_way_streets_agree_with_the_city(city: City) -> None:
    agree = one_way_agreement(city, read_street_rows())
    one_way = [same for both, same in agree if not both]
    say(
        f"directions agree on {np.mean([same for _, same in agree]):.1%} of {len(agree)} "
        f"stretches, {np.mean(one_way):.1%} of {len(one_way)} one-way ones"
    )
    assert np.mean([same for _, same in agree]) >= 0.97
    assert np.mean(one_way) >= 0.97


def test_turned_one_way_streets_do_not_agree_with_the_city(city: City) -> None:
    turned = [
        replace(row, corners=row.corners[::-1])
        for row in read_street_rows()
        if row.direction is Direction.ALONG
    ]
    assert np.mean([same for _, same in one_way_agreement(city, tuple(turned))]) < 0.05


def one_way_agreement(city: City, rows: Sequence[StreetRow]) -> list[tuple[bool, bool]]:
    """Return (two-way, same directions in the city) for each stretch between found corners."""
    junctions_at = {c.line: j for c, j in zip(city.corners, city.junctions, strict=True) if j}
    steps = steps_by_name(city.network)
    agree = []
    for row in rows:
        found = [corner for corner in row.corners if corner.line in junctions_at]
        for one, two in pairwise(found if row.road_class not in FREEWAYS else []):
            length = np.hypot((one.lon - two.lon) * PER_LON, (one.lat - two.lat) * PER_LAT)
            here, there = junctions_at[one.line], junctions_at[two.line]
            real = tuple(
                is_reached(steps[row.street], a, b, 1.4 * length + 60.0)
                for a, b in ((here, there), (there, here))
            )
            both = row.direction is Direction.BOTH
            drawn = pairs_drawn(rows, row.street, one, two) if not both else (True, True)
            agree.append((both, real == drawn))
    return agree


def pairs_drawn(
    rows: Sequence[StreetRow], street: str, one: Corner, two: Corner
) -> tuple[bool, bool]:
    """Return whether a street's one-way rows run from one corner to the next, and back."""
    runs = {
        pair
        for row in rows
        if row.street == street
        for pair in pairwise([c.line for c in row.corners if len(surface_streets(c)) > 1])
    }
    return (one.line, two.line) in runs, (two.line, one.line) in runs


Steps = dict[int, list[tuple[int, float]]]


def steps_by_name(network: StreetNetwork) -> dict[str, Steps]:
    steps: dict[str, Steps] = defaultdict(lambda: defaultdict(list))
    for tail, head, street in zip(
        network.edge_tail.tolist(),
        network.edge_head.tolist(),
        network.edge_street.tolist(),
        strict=True,
    ):
        length = float(network.street_length_m[street])
        steps[network.name_of(street)][tail].append((head, length))
    return steps


def is_reached(steps: Steps, start: list[int], goal: list[int], within_m: float) -> bool:
    """Tell whether a goal is reached along one street alone."""
    queue = [(0.0, junction) for junction in start]
    seen: set[int] = set()
    while queue:
        metres, junction = heapq.heappop(queue)
        if junction in goal:
            return True
        if junction in seen or metres > within_m:
            continue
        seen.add(junction)
        for head, length in steps.get(junction, []):
            heapq.heappush(queue, (metres + length, head))
    return False


def drive_graph(network: StreetNetwork, extra: int = 0) -> Callable[..., csr_array]:
    """Return a function that adds free arcs and gives the seconds of all arcs as a matrix."""
    times = edge_times(network, ROUTINE)
    seconds = (times.move_ms + times.end_ms) / 1000.0
    closed = (network.street_flags[network.edge_street] & StreetFlag.GATED) != 0
    tail, head, seconds = (c[~closed] for c in (network.edge_tail, network.edge_head, seconds))

    def with_arcs(tails: list[int] | None = None, heads: list[int] | None = None) -> csr_array:
        t = np.concatenate((tail, np.array(tails or [], np.int64)))
        h = np.concatenate((head, np.array(heads or [], np.int64)))
        s = np.concatenate((seconds, np.full(len(tails or []), 1e-6)))
        order = np.lexsort((s, h, t))
        t, h, s = t[order], h[order], s[order]
        first = np.append(True, (np.diff(t) != 0) | (np.diff(h) != 0))
        size = network.n_junctions + extra
        return csr_array((s[first], (t[first], h[first])), shape=(size, size))

    return with_arcs


def city_seconds(city: City, found: list[int]) -> NDArray[np.float64]:
    """Return seconds between corners; a corner is all its junctions, entered and left freely."""
    n, n_found = city.network.n_junctions, len(found)
    tails, heads = [], []
    for k, corner in enumerate(found):
        for junction in city.junctions[corner]:
            tails += [n + k, junction]
            heads += [junction, n + n_found + k]
    graph = drive_graph(city.network, 2 * n_found)(tails, heads)
    return dijkstra(graph, indices=n + np.arange(n_found))[:, n + n_found :]


def test_drive_times_are_close_to_those_of_the_city(city: City) -> None:
    network = pilot_network()
    at = {int(line): j for j, line in enumerate(network.junction_id)}
    found = [k for k, c in enumerate(city.corners) if city.junctions[k] and c.line in at]
    here = [at[city.corners[k].line] for k in found]
    drawn = dijkstra(drive_graph(network)(), indices=here)[:, here]
    real = city_seconds(city, found)
    rng = np.random.default_rng(20231001)
    one, two = rng.integers(0, len(found), (2, 2200))
    one, two = one[one != two][:2000], two[one != two][:2000]
    ratio = drawn[one, two] / real[one, two]
    error = np.abs(ratio - 1.0)
    median, p90 = np.quantile(error, [0.5, 0.9])
    say(
        f"drive times of {len(ratio)} pairs, schematic to city: median ratio "
        f"{np.median(ratio):.3f}, median error {median:.1%}, p90 {p90:.1%}, mean drive "
        f"{real[one, two].mean():.0f} s"
    )
    assert len(ratio) == 2000
    assert np.isfinite(ratio).all()
    assert abs(np.median(ratio) - 1.0) <= 0.01
    assert median <= 0.03
    assert p90 <= 0.12


def test_the_zone_overlaps_the_candidates_of_its_outline(tandem_data: Path) -> None:
    """Only ours is bounded by Denny Way and South Spokane Street, so they cannot be the same."""
    file = tandem_data / "boundaries" / "pilot_boundary_candidates.geojson"
    features = json.loads(file.read_text(encoding="utf-8"))["features"]
    candidates = {f["properties"]["candidate"]: shape(f["geometry"]) for f in features}
    ours = shape(pilot_zone_features()["features"][0]["geometry"])

    def overlap(name: str) -> float:
        other = candidates[name]
        return float(ours.intersection(other).area / ours.union(other).area)

    downtown, belltown = overlap("mcpp_downtown_pioneer_cid_sodo"), overlap("mcpp_plus_belltown")
    say(f"overlap (IoU): {downtown:.2f} without Belltown, {belltown:.2f} with Belltown")
    assert downtown >= 0.65
    assert belltown >= 0.70
