"""Zones by our own kernel say what shapely says, at every kind of point and of outline."""

import math

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from geodata.earth import metres_per_degree
from geodata.zones import ROUNDING_M, Zone, ZoneKind, ZoneMap

WEST, SOUTH = -122.42, 47.50
Points = NDArray[np.float64]


def voronoi(rng: np.random.Generator, n: int) -> list[shapely.Geometry]:
    """Return cells that share their edges, with many corners, as police beats do."""
    box = shapely.box(WEST, SOUTH, WEST + 0.15, SOUTH + 0.2)
    seeds = shapely.MultiPoint(rng.uniform((WEST, SOUTH), (WEST + 0.15, SOUTH + 0.2), (n, 2)))
    cells = shapely.voronoi_polygons(seeds, extend_to=box).geoms
    return [shapely.segmentize(shapely.intersection(cell, box), 0.0008) for cell in cells]


def rings_and_parts(rng: np.random.Generator) -> list[shapely.Geometry]:
    """Return areas with holes, with islands in holes, of several parts, slanting and thin."""
    shapes = []
    for x, y in rng.uniform((WEST, SOUTH), (WEST + 0.13, SOUTH + 0.18), (12, 2)):
        star = shapely.affinity.rotate(shapely.box(x, y, x + 0.02, y + 0.01), rng.uniform(0, 90))
        hole = shapely.Point(x + 0.01, y + 0.005).buffer(0.003, quad_segs=3)
        island = shapely.Point(x + 0.01, y + 0.005).buffer(0.001, quad_segs=40)
        needle = shapely.box(x, y - 0.01, x + 0.00001, y + 0.03)
        shapes.append(shapely.union_all([shapely.difference(star, hole), island, needle]))
    return shapes


def map_of(shapes: list[shapely.Geometry], **settings: float) -> ZoneMap:
    """Return a map in which every third zone is excluded; precedence is the place in the list."""
    kinds = (ZoneKind.BASE, ZoneKind.OVERLAY, ZoneKind.EXCLUDE)
    named = [
        Zone(zone_id=f"Z{i:03d}", name="", kind=kinds[i % 3], precedence=i, geometry=each)
        for i, each in enumerate(shapes)
    ]
    return ZoneMap(named, **settings)


def seeded_points(shapes: list[shapely.Geometry], rng: np.random.Generator, n: int) -> Points:
    """Return (n, 2) points: anywhere, at corners, on edges, and a little beside them."""
    corners = shapely.get_coordinates(shapes)
    picked = rng.integers(0, len(corners) - 1, n)
    share = rng.random((n, 1))
    on_edge = corners[picked] + share * (corners[picked + 1] - corners[picked])
    anywhere = rng.uniform((WEST - 0.01, SOUTH - 0.01), (WEST + 0.16, SOUTH + 0.21), (n, 2))
    level = np.column_stack((anywhere[:, 0], corners[picked, 1]))  # at the height of a corner
    beside = on_edge + rng.normal(0, 3e-5, (n, 2))
    choice = rng.integers(0, 5, n)[:, None]
    return np.choose(choice, [anywhere, corners[picked], on_edge, level, beside])


class Shapely:
    """The same map by shapely, around each point in the plane that touches the earth there."""

    def __init__(self, zone_map: ZoneMap) -> None:
        self.areas = np.array([zone.geometry for zone in zone_map.zones], object)
        self.edges = shapely.boundary(self.areas)
        self.open = np.array([zone.kind is not ZoneKind.EXCLUDE for zone in zone_map.zones])

    def to_areas(self, points: Points, reach_deg: float = math.inf) -> NDArray[np.float64]:
        """Return (n_points, n_zones) metres, 0 inside; infinite beyond a reach."""
        return self._metres(self.areas, points, reach_deg)

    def to_edges(self, points: Points) -> NDArray[np.float64]:
        return self._metres(self.edges, points, math.inf)

    def _metres(
        self, shapes: NDArray[np.object_], points: Points, reach_deg: float
    ) -> NDArray[np.float64]:
        degrees = shapely.distance(shapes[None, :], shapely.points(points)[:, None])
        at, zone = np.nonzero(degrees <= reach_deg)
        scale = np.array([metres_per_degree(lat) for lat in points[:, 1].tolist()])
        corners, pair = shapely.get_coordinates(shapes[zone], return_index=True)
        around = (corners - points[at[pair]]) * scale[at[pair]]
        metres = np.full(degrees.shape, math.inf)
        metres[at, zone] = shapely.distance(
            shapely.set_coordinates(shapes[zone], around), shapely.Point(0, 0)
        )
        return metres


def expected_hits(oracle: Shapely, metres: NDArray[np.float64], tolerance_m: float) -> list[int]:
    hits = np.flatnonzero(metres <= ROUNDING_M)
    if len(hits) == 0 and tolerance_m > ROUNDING_M:
        hits = np.flatnonzero((metres <= tolerance_m) & oracle.open)
    return hits.tolist()


@pytest.mark.parametrize(("kind", "n"), [("beats", 40_000), ("parts", 10_000)])
@pytest.mark.parametrize("tolerance_m", [0.0, 12.0])
def test_a_hundred_thousand_points_lie_in_the_zones_that_shapely_says(
    kind: str, n: int, tolerance_m: float
) -> None:
    rng = np.random.default_rng(41)
    shapes = voronoi(rng, 40) if kind == "beats" else rings_and_parts(rng)
    city = map_of(shapes, edge_tolerance_m=tolerance_m)
    oracle, points = Shapely(city), seeded_points(shapes, rng, n)
    places = {zone.zone_id: place for place, zone in enumerate(city.zones)}
    for part in np.array_split(points, 20):
        metres = oracle.to_areas(part, reach_deg=0.001)
        for point, row in zip(part.tolist(), metres, strict=True):
            found = [places[zone.zone_id] for zone in city.zones_at(*point)]
            assert found == expected_hits(oracle, row, tolerance_m)


@pytest.mark.parametrize("kind", ["beats", "parts"])
def test_nearest_zones_and_edges_are_those_of_shapely(kind: str) -> None:
    rng = np.random.default_rng(42)
    shapes = voronoi(rng, 40) if kind == "beats" else rings_and_parts(rng)
    city = map_of(shapes)
    oracle, points = Shapely(city), seeded_points(shapes, rng, 2_000)
    points[::10] += (0.3, 0.2)  # far outside all
    parts = np.array_split(points, 10)
    to_areas = np.concatenate([oracle.to_areas(part) for part in parts])
    to_edges = np.concatenate([oracle.to_edges(part).min(axis=1) for part in parts])
    to_areas[:, ~oracle.open] = math.inf
    for point, metres, edge_m in zip(points.tolist(), to_areas, to_edges.tolist(), strict=True):
        nearest = city.nearest(*point)
        assert nearest is not None
        assert nearest[1] == pytest.approx(metres.min(), abs=1e-6)
        near_enough = np.flatnonzero(metres <= metres.min() + 1e-6)
        assert nearest[0] in [city.zones[i] for i in near_enough]
        assert city.edge_distance_m(*point) == pytest.approx(edge_m, abs=1e-6)
        assert city.is_near_edge(*point, edge_m + 1e-4)
        assert not city.is_near_edge(*point, edge_m - 1e-4)


def test_of_zones_equally_near_the_one_that_wins_is_named() -> None:
    left, right = (shapely.box(x, SOUTH, x + 0.01, SOUTH + 0.01) for x in (WEST, WEST + 0.01))
    for shapes, wins in (([left, right], "Z001"), ([right, left], "Z001")):
        city = map_of(shapes)
        nearest = city.nearest(WEST + 0.01, SOUTH + 0.02)  # above the corner that both share
        assert nearest is not None
        assert nearest[0].zone_id == wins


def test_a_tall_comb_of_stretches_is_found_in_few_copies() -> None:
    n = 400
    x = np.repeat(np.linspace(WEST, WEST + 0.1, n), 2)
    y = np.resize([SOUTH + 0.01, SOUTH + 0.1, SOUTH + 0.1, SOUTH + 0.01], 2 * n)
    comb = shapely.Polygon([*zip(x, y, strict=True), (WEST + 0.1, SOUTH), (WEST, SOUTH)])
    city = map_of([comb])
    assert len(city._edges.columns[3]) <= 4 * shapely.get_num_coordinates(comb)
    oracle, points = Shapely(city), seeded_points([comb], np.random.default_rng(43), 3_000)
    for point, metres in zip(points.tolist(), oracle.to_areas(points), strict=True):
        assert bool(city.zones_at(*point)) == bool(metres[0] <= ROUNDING_M)


def test_a_place_that_is_no_number_is_in_no_zone_and_near_none() -> None:
    city = map_of([shapely.box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01)])
    for lon, lat in ((math.nan, SOUTH), (WEST, math.nan), (math.inf, SOUTH), (WEST, -math.inf)):
        assert city.zones_at(lon, lat) == ()
        assert city.nearest(lon, lat) is None
        assert not city.is_near_edge(lon, lat, 100.0)
        assert city.edge_distance_m(lon, lat) == math.inf


def test_the_check_against_shapely_notices_a_missing_hole() -> None:
    """The known-bad twin: the same area with its holes filled."""
    rng = np.random.default_rng(41)
    shapes = rings_and_parts(rng)
    filled = [
        shapely.union_all([shapely.Polygon(r) for r in shapely.get_rings(shapely.get_parts(s))])
        for s in shapes
    ]
    oracle, points = Shapely(map_of(shapes)), seeded_points(shapes, rng, 2_000)
    city = map_of(filled)
    differ = [
        len(city.zones_at(*point)) != int((metres <= ROUNDING_M).sum())
        for point, metres in zip(points.tolist(), oracle.to_areas(points), strict=True)
    ]
    assert any(differ)
