"""Boxes, times and systems against shapely, a slow reading and another formula."""

import math

import geopandas
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from api.live_view import LiveView
from api.ogc.layers import Box, During, Layer, Times
from api.ogc.live import street_layer, zone_layer
from api.ogc.systems import CRS84, EPSG_2926, EPSG_4326, System, from_system, to_system
from geodata.network import NO_EDGE, RoadClass, StreetFlag

CASES = 150


@pytest.fixture(scope="module")
def streets(view: LiveView) -> Layer:
    return street_layer(view.situation.network)


def drawn_boxes(layer: Layer, seed: int) -> list[tuple[float, float, float, float]]:
    """Return boxes in degrees of every size, whose corners are those of a feature now and then."""
    rng = np.random.default_rng(seed)
    west, south, east, north = layer.extent() or (0, 0, 0, 0)
    found = []
    for size in rng.choice([0.0, 1e-4, 3e-3, 0.05], CASES):
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        if rng.random() < 0.3:
            x, y = layer.bounds[rng.integers(len(layer)), :2].tolist()
        found.append((x, y, x + size, y + size))
    return found


def test_a_box_selects_what_shapely_selects(streets: Layer) -> None:
    hits = 0
    for bounds in drawn_boxes(streets, 1):
        rows = streets.rows(Box(bounds=bounds), None)
        expected = np.flatnonzero(shapely.intersects(streets.geometries, shapely.box(*bounds)))
        assert rows.tolist() == expected.tolist()
        hits += len(rows)
    assert hits > CASES


def in_feet(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return geometries of CRS84 in EPSG:2926, as geopandas has them."""
    return np.asarray(geopandas.GeoSeries(geometries, crs="OGC:CRS84").to_crs("EPSG:2926").values)


def test_a_box_in_feet_selects_what_shapely_selects_in_feet(streets: Layer) -> None:
    projected, hits = in_feet(streets.geometries), 0
    for west, south, east, north in drawn_boxes(streets, 2):
        corner = in_feet(np.array([shapely.Point(west, south)]))[0]
        wide, high = (east - west) * 246_000, (north - south) * 364_000
        bounds = (corner.x, corner.y, corner.x + wide, corner.y + high)
        rows = streets.rows(Box(bounds=bounds, system=EPSG_2926), None)
        expected = np.flatnonzero(shapely.intersects(projected, shapely.box(*bounds)))
        assert rows.tolist() == expected.tolist()
        hits += len(rows)
    assert hits > CASES


def test_a_box_of_bounds_alone_would_be_found(streets: Layer) -> None:
    """The bad twin: boxes around streets instead of the streets themselves."""
    wrong = 0
    for bounds in drawn_boxes(streets, 1):
        exact = shapely.intersects(streets.geometries, shapely.box(*bounds))
        coarse = shapely.intersects(shapely.envelope(streets.geometries), shapely.box(*bounds))
        wrong += int((exact != coarse).sum())
    assert wrong > 0


def test_a_box_across_180_degrees_has_two_parts() -> None:
    places = [shapely.Point(lon, 0) for lon in (-179, -90, 0, 90, 179)]
    layer = Layer.of([str(i) for i in range(5)], places, lambda row: {"row": row})
    assert layer.rows(Box(bounds=(170, -5, -170, 5)), None).tolist() == [0, 4]
    assert layer.rows(Box(bounds=(-100, -5, 100, 5)), None).tolist() == [1, 2, 3]


def no_properties(_row: int) -> dict[str, object]:
    return {}


def test_what_is_nowhere_is_in_no_box_and_in_every_list() -> None:
    layer = Layer.of(["a", "b"], [None, shapely.Point(1, 2)], lambda row: {"row": row})
    assert layer.rows(Box(bounds=(-180, -90, 180, 90)), None).tolist() == [1]
    assert layer.rows(None, None).tolist() == [0, 1]
    assert layer.extent() == (1, 2, 1, 2)
    assert Layer.of([], [], no_properties).extent() is None


def test_a_time_selects_what_it_meets() -> None:
    rng = np.random.default_rng(3)
    low = rng.integers(0, 20, 60).astype(float)
    high = low + rng.integers(0, 6, 60)
    low[::7], high[::5] = -math.inf, math.inf
    places = [shapely.Point(0, 0)] * 60
    times = Times(from_s=low, to_s=high)
    layer = Layer.of([str(i) for i in range(60)], places, no_properties, times=times)
    for from_s in range(-1, 27):
        for to_s in range(from_s, 27):
            during = During(from_s=from_s, to_s=to_s)
            instants = [s / 2 for s in range(2 * from_s, 2 * to_s + 1)]
            slow = [i for i in range(60) if any(low[i] <= s <= high[i] for s in instants)]
            assert layer.rows(None, during).tolist() == slow


def test_features_without_a_time_are_always(view: LiveView) -> None:
    assert zone_layer(view).rows(None, During(from_s=0, to_s=1)).tolist() == [0]


# -- systems --------------------------------------------------------------------------------------


def washington_north_ft(lon: float, lat: float) -> tuple[float, float]:
    """Return EPSG:2926 by Snyder's formulas of the conic, on GRS 80 in US survey feet."""
    axis_m, e = 6_378_137.0, math.sqrt(2 / 298.257222101 - 1 / 298.257222101**2)

    def m(lat_rad: float) -> float:
        return math.cos(lat_rad) / math.sqrt(1 - (e * math.sin(lat_rad)) ** 2)

    def t(lat_rad: float) -> float:
        s = e * math.sin(lat_rad)
        return math.tan(math.pi / 4 - lat_rad / 2) / ((1 - s) / (1 + s)) ** (e / 2)

    low, high, origin = (math.radians(x) for x in (47.5, 48 + 44 / 60, 47.0))
    n = math.log(m(low) / m(high)) / math.log(t(low) / t(high))
    scale_m = axis_m * m(low) / (n * t(low) ** n)
    rho, rho_0 = scale_m * t(math.radians(lat)) ** n, scale_m * t(origin) ** n
    theta = n * math.radians(lon + 120 + 50 / 60)
    east_m, north_m = 500_000 + rho * math.sin(theta), rho_0 - rho * math.cos(theta)
    return east_m * 3937 / 1200, north_m * 3937 / 1200


def test_feet_are_us_survey_feet_easting_first() -> None:
    """Between the datums lie 1.3 m here, which the formula alone does not know."""
    for lon, lat in ((-122.3372, 47.6104), (-122.42, 47.5), (-122.23, 47.73)):
        made = to_system(np.array([shapely.Point(lon, lat)]), EPSG_2926)[0]
        east_ft, north_ft = washington_north_ft(lon, lat)
        assert math.hypot(made.x - east_ft, made.y - north_ft) < 5
        assert math.hypot(made.x * 1200 / 3937 - east_ft, made.y - north_ft) > 1e5


def test_features_go_out_as_files_of_zones_are_converted(streets: Layer) -> None:
    ours, theirs = to_system(streets.geometries, EPSG_2926), in_feet(streets.geometries)
    assert shapely.equals_exact(ours, theirs, tolerance=1e-6).all()


@pytest.mark.parametrize("system", [CRS84, EPSG_4326, EPSG_2926])
def test_what_goes_out_comes_back(streets: Layer, system: System) -> None:
    for row in range(0, len(streets), 40):
        sent = to_system(streets.geometries[[row]], system)[0]
        assert shapely.equals_exact(from_system(sent, system), streets.geometries[row], 1e-10)


def test_4326_is_latitude_first() -> None:
    made = to_system(np.array([shapely.Point(-122.3, 47.6)]), EPSG_4326)[0]
    assert (made.x, made.y) == (47.6, -122.3)


def test_streets_tell_what_the_network_knows(view: LiveView, streets: Layer) -> None:
    network = view.situation.network
    for row in range(len(streets)):
        told, flags = streets.properties(row), StreetFlag(int(network.street_flags[row]))
        assert told["class"] == RoadClass(int(network.street_class[row])).name
        for name in ("tunnel", "bridge", "private", "gated"):
            assert told[name] is (StreetFlag[name.upper()] in flags)
        edges = (network.street_along[row], network.street_against[row])
        assert told["one_way"] is (NO_EDGE in edges)
        assert shapely.get_coordinates(streets.geometries[row]).tolist() == (
            network.street_line(row).tolist()
        )


def test_numbers_go_out_bit_for_bit(streets: Layer) -> None:
    rows = list(range(50))
    told = [one["geometry"] for one in streets.features(rows, CRS84)]
    back = shapely.from_geojson([bytes(one).decode() for one in told])
    assert shapely.equals_exact(np.asarray(back), streets.geometries[rows]).all()
