"""Files of GIS programs become zones in WGS 84, within 0.1 m, or are refused with the remedy."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from geodata.earth import metres_per_degree
from geodata.zone_reading import ZoneReader
from geodata.zones import ZoneKind, ZoneMap
from tests.geodata.zone_files import (
    FORMATS,
    OPTIONS,
    assert_refused,
    codes,
    geojson,
    members_of,
    two_squares,
    write,
    zipped,
)

MOVED_MAX_M = 0.1
SOURCES = [("spd_mcpp_areas", "mcpp"), ("spd_precincts_2015", "name"),
           ("spd_beats_2018_present", "beat")]  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[ZoneReader]:
    with ZoneReader(wall_s_max=60) as made:
        yield made


def moved_m(before: shapely.Geometry, after: shapely.Geometry) -> float:
    """Metres by which an outline has moved: the largest distance of any corner to the other."""
    scale = metres_per_degree(47.6)
    planes = [shapely.boundary(shapely.transform(g, lambda p: p * scale)) for g in (before, after)]
    return float(shapely.hausdorff_distance(*planes))


def assert_same(done: dict[str, shapely.Geometry], expected: geopandas.GeoDataFrame) -> None:
    assert sorted(done) == sorted(expected.zone_id)
    for zone_id, outline in zip(expected.zone_id, expected.geometry, strict=True):
        assert moved_m(outline, done[zone_id]) < MOVED_MAX_M


@pytest.mark.parametrize("written", [
    ("shp.zip", 2926), ("shp.zip", 2285), ("gpkg", 2926), ("gpkg", 2285), ("gdb.zip", 2926),
    ("gdb.zip", 2285), ("geojson", 2926), ("geojson", 4326),
])  # fmt: skip
@pytest.mark.parametrize("source", SOURCES)
def test_boundaries_come_back_within_a_decimetre(
    reader: ZoneReader, tandem_data: Path, tmp_path: Path, written: tuple[str, int],
    source: tuple[str, str],
) -> None:  # fmt: skip
    (suffix, epsg), (name, column) = written, source
    frame = geopandas.read_file(tandem_data / "boundaries" / f"{name}.geojson", engine="pyogrio")
    frame = frame[[column, "geometry"]].rename(columns={column: "zone_id"})
    done = reader.read(write(frame.to_crs(epsg), tmp_path, suffix), OPTIONS)
    assert done.is_accepted, [f.as_text() for f in done.findings]
    assert done.crs == f"EPSG:{epsg}"
    assert_same({z.zone.zone_id: z.zone.geometry for z in done.zones}, frame)


def test_a_move_of_a_decimetre_would_be_seen() -> None:
    box = two_squares().geometry.iloc[0]
    north = shapely.transform(box, lambda p: p + np.array([0.0, 0.11 / 111_170]))
    assert MOVED_MAX_M < moved_m(box, north) < 0.12


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_keeps_every_column(reader: ZoneReader, tmp_path: Path, suffix: str) -> None:
    frame = two_squares(
        kind=["base", "EXCLUDE"], precedence=np.array([100, 7], np.int32), policy_id=["night", ""]
    )
    done = reader.read(write(frame, tmp_path, suffix), OPTIONS)
    assert done.is_accepted, codes(done)
    left, right = sorted(done.zones, key=lambda z: z.zone.zone_id)
    assert (left.zone.name, left.zone.kind, left.zone.precedence) == ("Left", ZoneKind.BASE, 100)
    assert (left.zone.policy_id, left.note) == ("night", "drawn for a test")
    assert (right.zone.kind, right.zone.precedence) == (ZoneKind.EXCLUDE, 7)
    assert len(ZoneMap.from_geojson(done.as_geojson())) == 2


def test_both_windings_are_taken(reader: ZoneReader, tmp_path: Path) -> None:
    ways = []
    for stem, turned in (("one", False), ("other", True)):
        frame = two_squares()
        frame["geometry"] = [shapely.orient_polygons(g, exterior_cw=turned) for g in frame.geometry]
        ways.append(reader.read(write(frame, tmp_path, "geojson", stem), OPTIONS).as_geojson())
    assert ways[0] == ways[1]
    assert len(ways[0]["features"]) == 2


# -- the three mistakes with coordinates ----------------------------------------------------------


@pytest.mark.parametrize("suffix", ["shp.zip", "gpkg", "gdb.zip"])
def test_feet_taken_for_metres_are_refused(reader: ZoneReader, tmp_path: Path, suffix: str) -> None:
    frame = two_squares().to_crs(2926).set_crs(2855, allow_override=True)
    done = reader.read(write(frame, tmp_path, suffix), OPTIONS)
    assert_refused(done, "WRONG_UNIT", "feet were taken for metres", "EPSG:2926")


def test_metres_taken_for_feet_are_refused(reader: ZoneReader, tmp_path: Path) -> None:
    frame = two_squares().to_crs(2855).set_crs(2926, allow_override=True)
    done = reader.read(write(frame, tmp_path, "gpkg"), OPTIONS)
    assert_refused(done, "WRONG_UNIT", "metres were taken for feet", "EPSG:2855")


@pytest.mark.parametrize("suffix", FORMATS)
def test_swapped_lon_and_lat_are_refused(reader: ZoneReader, tmp_path: Path, suffix: str) -> None:
    frame = two_squares()
    frame["geometry"] = shapely.transform(frame.geometry.array, lambda p: p[:, ::-1])
    done = reader.read(write(frame, tmp_path, suffix), OPTIONS)
    assert_refused(done, "LON_LAT_SWAPPED", "Exchange")


def without_prj(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
    members = members_of(write(frame, folder, "shp.zip"))
    return zipped(folder / "bare.zip", {n: c for n, c in members.items() if "prj" not in n})


def test_a_file_without_a_system_is_refused_and_its_system_guessed(
    reader: ZoneReader, tmp_path: Path
) -> None:
    file = without_prj(two_squares().to_crs(2926), tmp_path)
    assert_refused(reader.read(file, OPTIONS), "CRS_MISSING", "EPSG:2926", "--assume-crs")


def test_a_system_may_be_said_for_a_file_without(reader: ZoneReader, tmp_path: Path) -> None:
    file = without_prj(two_squares().to_crs(2926), tmp_path)
    done = reader.read(file, replace(OPTIONS, assume_crs="EPSG:2926"))
    assert done.is_accepted
    assert_same({z.zone.zone_id: z.zone.geometry for z in done.zones}, two_squares())


def test_geojson_in_feet_without_saying_so_is_refused(reader: ZoneReader, tmp_path: Path) -> None:
    ring = shapely.get_coordinates(two_squares().to_crs(2926).geometry.iloc[0]).tolist()
    drawn = {"type": "Polygon", "coordinates": [ring]}
    file = geojson(tmp_path, {"type": "Feature", "properties": {"zone_id": "A"}, "geometry": drawn})
    assert_refused(reader.read(file, OPTIONS), "WRONG_CRS", "EPSG:2926")


def test_another_city_is_refused(reader: ZoneReader, tmp_path: Path) -> None:
    frame = two_squares()
    frame["geometry"] = shapely.transform(
        frame.geometry.array, lambda p: p + np.array([20.0, -5.0])
    )
    done = reader.read(write(frame, tmp_path, "gpkg"), OPTIONS)
    assert_refused(done, "OUTSIDE_STREETS", "--network")
