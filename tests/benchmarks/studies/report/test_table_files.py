"""Files of tables: other programs read them back as they were; equal tables give equal bytes."""

import csv
import io

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
from shapely.geometry import LineString, Point

from benchmarks.studies.report.table_files import GEOPACKAGE, csv_of, files_of, parquet_of
from benchmarks.studies.tables import Table, texts


def plain(name: str = "by_zone") -> Table:
    return Table(
        name=name,
        title="By zone",
        columns={
            "zone": texts(["NORTH", 'SO"UTH, é', None]),
            "calls": np.array([3, 0, 7]),
            "pair_p50_s": np.array([412.5, np.nan, 0.1 + 0.2]),
            "is_open": np.array([True, False, True]),
        },
        definitions=dict.fromkeys(("zone", "calls", "pair_p50_s", "is_open"), "A count."),
    )


def shaped(name: str = "posts") -> Table:
    return Table(
        name=name,
        title="Posts",
        columns={"post_id": texts(["A", "B"]), "calls": np.array([1, 2])},
        definitions={"post_id": "Name.", "calls": "Calls."},
        geometry=[Point(-122.33, 47.6), LineString([(-122.3, 47.6), (-122.31, 47.61)])],
    )


def test_a_csv_reads_back_every_cell() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(plain()).decode())))
    assert [row["zone"] for row in rows] == ["NORTH", 'SO"UTH, é', ""]
    assert [row["pair_p50_s"] for row in rows] == ["412.5", "", repr(0.1 + 0.2)]
    assert [row["calls"] for row in rows] == ["3", "0", "7"]


def test_a_parquet_file_reads_back_every_value_and_tells_what_is_missing() -> None:
    found = pq.read_table(io.BytesIO(parquet_of(plain()))).to_pydict()
    assert found["zone"] == ["NORTH", 'SO"UTH, é', None]
    assert found["pair_p50_s"] == [412.5, None, 0.1 + 0.2]
    assert found["calls"] == [3, 0, 7]
    assert found["is_open"] == [True, False, True]


def test_shapes_are_read_by_gis_software_in_degrees(tmp_path) -> None:
    files = dict(files_of([shaped(), plain(), shaped("routes")]))
    (tmp_path / GEOPACKAGE).write_bytes(files[GEOPACKAGE])
    for layer in ("posts", "routes"):
        found = geopandas.read_file(tmp_path / GEOPACKAGE, layer=layer)
        assert found.crs.to_epsg() == 4326
        assert found.geometry.geom_equals(geopandas.GeoSeries(shaped().geometry, crs=4326)).all()
    (tmp_path / "posts.parquet").write_bytes(files["posts.parquet"])
    assert geopandas.read_parquet(tmp_path / "posts.parquet")["post_id"].tolist() == ["A", "B"]


def test_equal_tables_give_equal_bytes() -> None:
    first = dict(files_of([shaped(), plain()]))
    assert first == dict(files_of([shaped(), plain()]))


def test_a_table_of_no_rows_is_a_file_with_its_columns() -> None:
    empty = Table(
        name="none",
        title="None",
        columns={"zone": texts([]), "calls": np.array([], np.int64)},
        definitions={"zone": "Name.", "calls": "Calls."},
    )
    files = dict(files_of([empty]))
    assert files["none.csv"] == b"zone,calls\n"
    assert pq.read_table(io.BytesIO(files["none.parquet"])).column_names == ["zone", "calls"]


def test_two_tables_of_one_name_are_a_fault_of_ours() -> None:
    with pytest.raises(AssertionError, match="by_zone"):
        list(files_of([plain(), plain()]))


def test_a_column_without_a_definition_is_a_fault_of_ours() -> None:
    with pytest.raises(AssertionError, match="calls"):
        Table(name="t", title="T", columns={"calls": np.array([1])}, definitions={})
