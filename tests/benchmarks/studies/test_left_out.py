"""Bad rows of data are counted, listed and left out: in the page and in a file of the result."""

import csv
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from benchmarks.studies.call_tables import gdal_kept_off_the_screen, read_table
from benchmarks.studies.commands import Asked, check_scenario, run_study
from benchmarks.studies.errors import BadScenario
from benchmarks.studies.left_out import WHAT
from geodata.call_cells import BadCell, BadRow
from geodata.call_columns import CallFileError

HEAD = "call_id,lon,lat,queued_at,call_type,unit,sent,there"
GOOD = "E{k},-122.3370,47.6100,{day} 12:0{k}:00,WELFARE CHECK,C1,{day} 12:1{k}:00,"
BAD = [
    "B1,,47.61,2024-05-01 12:00:00,WELFARE CHECK,,,",
    "B2,-122.33,47.61,noon,WELFARE CHECK,,,",
    "B3,-122.33,47.61,2024-05-01 12:00:00,A,B,C,D,E,F",
    "B4,1271000,223000,2024-05-01 12:00:00,WELFARE CHECK,,,",
]
CELLS = "E9,-122.3370,47.6100,2024-05-03 12:00:00,WELFARE CHECK,C1,soon,2024-05-03 11:00:00"
EARLY = "E8,-122.3370,47.6100,2024-05-03 12:00:00,WELFARE CHECK,C1,2024-05-03 11:59:00,"
MAPPING = """[columns]
lon = "lon"
lat = "lat"
at = "queued_at"
call_type = "call_type"
call_id = "call_id"
[records.CARE]
unit = "unit"
dispatched_at = "sent"
at_scene_at = "there"
"""
POSITIONS = """agency,unit_id,lon,lat,at
CARE,C1,-122.3370,47.6100,2024-05-01T11:59:00
CARE,C1,-122.3370,0,2024-05-01T11:59:30
FIRE,F1,-122.3370,47.6100,2024-05-01T11:59:30
CARE,C1,-122.3370,47.6100,soon
CARE,C1,-122.3370,47.6100,2024-05-01T11:59:40,more
"""
SCENARIO = """name = "x"
[demand.care]
calls = "calls.csv"
mapping = "mapping.toml"
[coverage]
recorded_positions = "at.csv"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    good = [GOOD.format(k=k, day=f"2024-05-0{1 + k % 3}") for k in range(6)]
    (tmp_path / "calls.csv").write_text("\n".join([HEAD, *good, *BAD, CELLS, EARLY]) + "\n")
    (tmp_path / "mapping.toml").write_text(MAPPING)
    (tmp_path / "at.csv").write_text(POSITIONS)
    (tmp_path / "one.toml").write_text(SCENARIO)
    return tmp_path


EXPECTED = [
    ("calls.csv", "8", "lon, lat", "NO_PLACE", "LEFT_OUT"),
    ("calls.csv", "9", "queued_at", "BAD_TIME", "LEFT_OUT"),
    ("calls.csv", "10", "the row", "CELLS", "LEFT_OUT"),
    ("calls.csv", "11", "lon, lat", "NOT_DEGREES", "LEFT_OUT"),
    ("calls.csv", "12", "sent", "BAD_INSTANT", "UNKNOWN"),
    ("calls.csv", "13", "sent", "TOO_EARLY", "UNKNOWN"),
    ("at.csv", "3", "lat", "is '0'.", "LEFT_OUT"),
    ("at.csv", "4", "agency", "is 'FIRE'.", "LEFT_OUT"),
    ("at.csv", "5", "at", "is 'soon'.", "LEFT_OUT"),
    ("at.csv", "6", "the row", "has more cells than the header.", "LEFT_OUT"),
]


@pytest.mark.parametrize("kind", ["coverage", "replay"])
def test_each_bad_row_and_cell_is_in_the_file_and_in_the_page(folder: Path, kind: str) -> None:
    out = folder / kind
    run_study(Asked(kind=kind, scenario=folder / "one.toml", out=out, workers=1))
    with (out / "rows_not_used.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    found = [(r["file"], r["row"], r["column"], r["what"].split(":")[0], r["effect"]) for r in rows]
    assert found == EXPECTED
    assert all(row["remedy"] for row in rows)
    page = (out / "report.html").read_text()
    assert "calls.csv: 4 of 12 rows were left out" in page
    assert "calls.csv: 2 cells about CARE units count as unknown." in page
    assert "at.csv: 4 of 5 recorded positions were left out." in page
    assert all(row["value"] in page for row in rows if row["value"].isalnum())
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["calls"] == 8  # the bad rows do not count, those with a bad cell do


def test_rows_of_a_variation_are_listed_with_those_of_its_scenario(folder: Path) -> None:
    (folder / "more.csv").write_text((folder / "calls.csv").read_text())
    more = "[simulation]\ndays = 1\nwarm_up_days = 0\nreplications = 2\n[[variations]]\n"
    text = SCENARIO + more + 'name = "v"\n"demand.care.calls" = "more.csv"\n'
    (folder / "two.toml").write_text(text)
    run_study(Asked(kind="compare", scenario=folder / "two.toml", out=folder / "out", workers=1))
    with (folder / "out" / "rows_not_used.csv").open(newline="") as file:
        files = [row["file"] for row in csv.DictReader(file)]
    assert {name: files.count(name) for name in files} == {
        "calls.csv": 6,
        "more.csv": 6,
        "at.csv": 4,
    }


def test_good_data_has_no_such_table(folder: Path) -> None:
    lines = (folder / "calls.csv").read_text().splitlines()
    (folder / "calls.csv").write_text("\n".join(lines[:7]) + "\n")
    (folder / "at.csv").write_text("\n".join(POSITIONS.splitlines()[:2]) + "\n")
    run_study(Asked(kind="coverage", scenario=folder / "one.toml", out=folder / "out", workers=1))
    assert not (folder / "out" / "rows_not_used.csv").exists()


def test_check_tells_how_many_rows_would_be_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_scenario(folder / "one.toml", ())
    said = capsys.readouterr().out
    assert "4 of 12 rows were left out (1 NO_PLACE, 1 BAD_TIME, 1 CELLS, 1 NOT_DEGREES)" in said


def test_every_reason_has_words_and_a_remedy() -> None:
    assert set(WHAT) == {*BadRow, *BadCell}


def test_positions_without_one_good_row_are_refused_with_each_row(folder: Path) -> None:
    (folder / "at.csv").write_text("\n".join(POSITIONS.splitlines()[0::2]) + "\n")
    with pytest.raises(BadScenario) as told:
        check_scenario(folder / "one.toml", ())
    assert [(one.line, one.where) for one in told.value.faults] == [(2, "lat"), (3, "at")]


def geopackage(
    file: Path,
    places: Sequence[Sequence[float]] = ((-122.337, 47.61),) * 3,
    last: str = "2024-05-02",
) -> bytes:
    """Write three calls; return the bytes of the file."""
    import pyogrio

    points = shapely.to_wkb(shapely.points(places))
    times = np.array(["2024-05-01 12:00:00", "2024-05-01 12:00:01", last], object)
    pyogrio.raw.write(
        str(file), geometry=points, field_data=[times], fields=["queued_at"], geometry_type="Point",
        crs="EPSG:4326", driver="GPKG", layer="calls",
    )  # fmt: skip
    return file.read_bytes()


def test_rows_of_a_parquet_are_counted_from_one_and_named_by_its_columns(tmp_path: Path) -> None:
    table = {
        "Lon": [-122.33, None, -122.33],
        "lat": [47.6] * 3,
        "at": ["2024-05-01"] * 2 + ["soon"],
    }
    pq.write_table(pa.table(table), tmp_path / "calls.parquet")
    found = read_table(tmp_path / "calls.parquet", None)
    told = [(one.line, one.column, one.reason, one.value) for one in found.left_out]
    assert told == [
        (2, "Lon, lat", BadRow.NO_PLACE, ", 47.6"),
        (3, "at", BadRow.BAD_TIME, "soon"),
    ]


def test_rows_of_a_geopackage_are_named_by_their_columns_and_points(tmp_path: Path) -> None:
    file = tmp_path / "calls.gpkg"
    geopackage(file, [[-122.337, 47.61], [1_271_000, 223_000], [-122.337, 47.61]], "noon")
    found = read_table(file, None)
    told = [(one.line, one.column, one.reason) for one in found.left_out]
    assert told == [
        (2, "longitude, latitude", BadRow.NOT_DEGREES),
        (3, "queued_at", BadRow.BAD_TIME),
    ]


def test_other_warnings_are_not_hidden_with_those_of_gdal() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with gdal_kept_off_the_screen():
            warnings.warn("GDAL", RuntimeWarning, stacklevel=1)
            warnings.warn("another", DeprecationWarning, stacklevel=1)
    assert [str(one.message) for one in caught] == ["another"]


def test_what_gdal_warns_of_stays_off_the_screen(tmp_path: Path) -> None:
    file = tmp_path / "calls.gpkg"
    content = geopackage(file)
    file.write_bytes(content[:68] + bytes(4) + content[72:])  # GDAL warns of its application_id
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(read_table(file, None)) == 3
    assert caught == []


@pytest.mark.parametrize("size", [0, 90, 4_096, 50_000])
def test_a_broken_geopackage_is_one_clear_error(tmp_path: Path, size: int) -> None:
    file = tmp_path / "calls.gpkg"
    file.write_bytes(geopackage(file)[:size])
    with pytest.raises(CallFileError, match=r"no GeoPackage that can be read.*Write it anew"):
        read_table(file, None)
