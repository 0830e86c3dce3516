"""How much of an edge runs along a street, and the calls close to it, by independent means."""

import gzip
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from geodata.network import StreetNetwork
from geodata.zone_streets import CallFileError, PastCalls, measure_edges, read_calls
from geodata.zones import Zone, ZoneKind
from tests.builders import network_from_edges

LAT = 47.6
PER_LON, PER_LAT = 75_190.0, 111_180.0


def in_degrees(*metres: tuple[float, float]) -> np.ndarray:
    return np.array(metres) / (PER_LON, PER_LAT) + (-122.33, LAT)


def zone(*corners: tuple[float, float]) -> Zone:
    outline = shapely.Polygon(in_degrees(*corners))
    return Zone(zone_id="A", name="A", kind=ZoneKind.BASE, precedence=0, geometry=outline)


BLOCK = zone((0, 0), (300, 0), (300, 100), (0, 100))


def one_street(y_m: float) -> StreetNetwork:
    return network_from_edges(in_degrees((0, y_m), (300, y_m)), [(0, 1, True)])


@pytest.mark.parametrize(("y_m", "along_m"), [(-3.0, 300.0), (4.8, 300.0), (-5.3, 0.0), (30, 20)])
def test_an_edge_within_five_metres_of_a_centre_line_runs_along_it(
    y_m: float, along_m: float
) -> None:
    # A street that crosses the zone meets its two sides for 10 m each.
    (measured,) = measure_edges([BLOCK], one_street(y_m))
    near_sides_m = 2 * max(0.0, 5.0 + y_m) if -5 < y_m < 5 else 0.0
    assert measured.along_street_m == pytest.approx(along_m + near_sides_m, abs=1.0)
    assert measured.edge_m == pytest.approx(800, rel=0.002)
    assert measured.area_km2 == pytest.approx(0.03, rel=0.004)
    assert measured.yearly_calls_10_m is None


def test_calls_near_the_edge_are_counted_by_the_year() -> None:
    places = in_degrees((50, 50), (50, 8), (50, -9), (50, 20), (50, -24), (50, -40))
    calls = PastCalls(lonlat=places, years=0.5)
    (measured,) = measure_edges([BLOCK], one_street(30), calls)
    assert measured.yearly_calls_inside == 2 * 3
    assert measured.yearly_calls_10_m == 2 * 2
    assert measured.yearly_calls_25_m == 2 * 4


def test_calls_are_read_by_the_names_of_columns(tmp_path: Path) -> None:
    text = "Longitude,Latitude,At Scene Time\n-122.3,47.6,2015-01-01 00:00:00\n,,\n0,0,\n"
    text += "-122.3,47.6,2016-01-01 06:00:00\n"
    (tmp_path / "calls.csv.gz").write_bytes(gzip.compress(text.encode()))
    calls = read_calls(tmp_path / "calls.csv.gz")
    assert calls.lonlat.tolist() == [[-122.3, 47.6]] * 2
    assert calls.years == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "lon,lat\n,\n", "lon,lat\n0,0\n"])
def test_a_file_without_calls_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "calls.csv").write_text(text)
    with pytest.raises(CallFileError, match=r"calls\.csv"):
        read_calls(tmp_path / "calls.csv")


def test_the_pilot_outline_has_the_figures_of_another_computation(
    seattle: StreetNetwork, tandem_data: Path
) -> None:
    """Points every 5 m in UTM 10 for streets; 6.5 % of its calls lie within 10 m of its edge."""
    candidates = geopandas.read_file(
        tandem_data / "boundaries/pilot_boundary_candidates.geojson", engine="pyogrio"
    ).set_index("candidate")[["geometry"]]
    outline = candidates.geometry["mcpp_downtown_pioneer_cid_sodo"]
    pilot = Zone(zone_id="P", name="P", kind=ZoneKind.BASE, precedence=0, geometry=outline)
    calls = read_calls(tandem_data / "calls/spd_911_incident_response_2015.csv.gz")
    (measured,) = measure_edges([pilot], seattle, calls)
    assert measured.along_street_share == pytest.approx(
        share_by_points(seattle, outline), abs=0.005
    )
    assert measured.yearly_calls_10_m is not None
    assert measured.yearly_calls_inside is not None
    near = measured.yearly_calls_10_m / measured.yearly_calls_inside
    assert near == pytest.approx(0.065, abs=0.001)


def share_by_points(network: StreetNetwork, outline: shapely.Geometry) -> float:
    lines = [shapely.LineString(network.street_line(street)) for street in range(network.n_streets)]
    streets = geopandas.GeoSeries(lines, crs=4326).to_crs(26910).to_numpy()
    edge = geopandas.GeoSeries([outline.boundary], crs=4326).to_crs(26910).iloc[0]
    points = [
        point
        for part in shapely.get_parts(edge)
        for point in shapely.line_interpolate_point(part, np.arange(0.0, part.length, 5.0))
    ]
    _, apart_m = shapely.STRtree(streets).query_nearest(
        points, return_distance=True, all_matches=False
    )
    return float((apart_m <= 5.0).mean())
