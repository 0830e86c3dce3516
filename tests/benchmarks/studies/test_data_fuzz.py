"""Data files at random: rows are used or listed with a remedy, or the file is refused; never else.

Warnings are errors here, so that nothing of GDAL's reaches the screen either.
"""

import gzip
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from benchmarks.studies.data_check import require_data
from benchmarks.studies.errors import BadScenario
from benchmarks.studies.left_out import left_out_of
from benchmarks.studies.past_demand import history_of_file
from benchmarks.studies.scenario import PastCalls
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.world import World
from benchmarks.studies.world_making import world_of

SEEDS: Final = 1_500 if os.environ.get("TANDEM_STUDIES") == "long" else 30
N: Final = 60
CELLS: Final = (
    "", "NULL", "nan", "-inf", "0", "1e999", "9" * 5_000, "47,6", "1271000", "-122.33", '"', "\0",
    "\ufeff", "0001-01-01", "9999-12-31T23:59:59+14:00", "2024-02-30", "2024-05-01T25:00", "SPD",
    "x" * 200_000, "-1", "\u0664\u0667", "\r\n", ",,,,", "1969-12-31", "2024-05-01T01:02:03-07:00",
)  # fmt: skip
HEAD: Final = ("call_id", "lon", "lat", "queued_at", "call_type", "priority")


def rows(n: int = N) -> list[list[str]]:
    return [
        [f"E{k}", f"{-122.33 - k / 1e5}", f"{47.6 + k / 1e4}", f"2024-05-{1 + k % 28:02} 12:00:00",
         "WELFARE CHECK", "3"]
        for k in range(n)
    ]  # fmt: skip


def csv_of(head: tuple[str, ...], table: list[list[str]]) -> bytes:
    return "\n".join(",".join(row) for row in [list(head), *table]).encode()


def calls_csv(_folder: Path) -> bytes:
    return csv_of(HEAD, rows())


def calls_gzip(_folder: Path) -> bytes:
    return gzip.compress(calls_csv(_folder), mtime=0)


def calls_parquet(folder: Path) -> bytes:
    columns = dict(zip(HEAD, zip(*rows(), strict=True), strict=True))
    pq.write_table(pa.table(columns), folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def calls_gpkg(folder: Path) -> bytes:
    import pyogrio

    file = folder / "made.gpkg"
    points = shapely.to_wkb(shapely.points([[float(row[1]), float(row[2])] for row in rows()]))
    fields = [np.array([row[k] for row in rows()], object) for k in (0, 3, 4)]
    pyogrio.raw.write(
        str(file), geometry=points, field_data=fields, fields=[HEAD[0], HEAD[3], HEAD[4]],
        geometry_type="Point", crs="EPSG:4326", driver="GPKG", layer="calls",
    )  # fmt: skip
    content = file.read_bytes()
    file.unlink()
    return content


def positions(_folder: Path) -> bytes:
    made = [
        ["SPD", f"S{k % 9}", *row[1:3], row[3].replace(" ", "T")] for k, row in enumerate(rows())
    ]
    return csv_of(("agency", "unit_id", "lon", "lat", "at"), made)


def posts(_folder: Path) -> bytes:
    made = [["CARE", f"P{k}", "-122.3370", "47.6100"] for k in range(9)]
    return csv_of(("agency", "post_id", "lon", "lat"), made)


def geojson(_folder: Path) -> bytes:
    features = []
    for k in range(4):
        west, south = -122.344 + k / 250, 47.602
        box = shapely.box(west, south, west + 0.004, south + 0.008)
        told = {"zone_id": f"Z{k}", "name": f"n{k}", "kind": "BASE", "precedence": k}
        shape = shapely.geometry.mapping(box)
        features.append({"type": "Feature", "properties": told, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1).encode()


def driving(_folder: Path) -> bytes:
    return (
        b"[routine]\nsignal_s = 12\nprivate_open = false\n[routine.unposted_mph]\nPRIMARY = 30\n"
        b'[[routine.hours]]\ndays = ["mon", "fri"]\nfrom = 7\nto = 10\nfactor = 1.25\n'
        b"[emergency]\nspeed_factor = 1.3\n"
    )


def columns(folder: Path) -> bytes:
    (folder / "plain.csv").write_bytes(calls_csv(folder))
    return (
        b'name = "mine"\ntime_is = "QUEUED"\ntime_zone = "America/Los_Angeles"\n[columns]\n'
        b'lon = "lon"\nlat = "lat"\nat = "queued_at"\ncall_id = "call_id"\n[call_types]\n'
        b'"X" = "WELFARE CHECK"\n[records.CARE]\nunit = "priority"\n'
    )


def retyped(content: bytes, draw: random.Random) -> bytes:
    """Return a TOML with some values, keys or headers replaced by others."""
    lines = content.decode().split("\n")
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(lines))
        key = lines[at].partition("=")[0].strip() or "x"
        value = draw.choice(
            ("nan", "-1", "9" * 5_000, '""', "[]", "{}", "[[3]]", "true", "1979-05-27")
        )
        lines[at] = draw.choice(
            (f"{key} = {value}", f"[{key.strip('[]')}]", "", f"{key}x = 3", "]")
        )
    return "\n".join(lines).encode()


def torn(content: bytes, draw: random.Random) -> bytes:
    """Return the content with a few or many bytes of it anything at all, or cut off."""
    made = bytearray(content)
    if draw.random() < 0.2:
        return bytes(made[: draw.randrange(len(made))])
    first = draw.choice((0, 0, max(0, len(made) - 500)))  # a Parquet tells at its end what it is
    for _ in range(draw.choice((1, 3, 40))):
        made[draw.randrange(first, len(made))] = draw.randrange(256)
    return bytes(made)


def mistyped(content: bytes, draw: random.Random) -> bytes:
    """Return a CSV with some cells, or cuts of rows, that people and programs make."""
    lines = content.decode().split("\n")
    for _ in range(draw.randint(1, 12)):
        at = draw.randrange(len(lines))
        cells = lines[at].split(",")
        cells[draw.randrange(len(cells))] = draw.choice(CELLS)
        lines[at] = ",".join(draw.choice((cells, cells[:-1], cells[::-1], [*cells, "more"], cells)))
    return "\n".join(lines).encode()


def misdrawn(content: bytes, draw: random.Random) -> bytes:
    """Return a GeoJSON with some value anywhere in it replaced by another."""
    data = json.loads(content)
    at = data
    while isinstance(at, dict | list) and at:
        key = draw.choice(list(at) if isinstance(at, dict) else range(len(at)))
        if draw.random() < 0.25 or not isinstance(at[key], dict | list):
            at[key] = draw.choice(
                (None, 7, -1e400, "x", [], {}, [[]], [[[0, 0]]], True, "Polygon", [1, 2, 3])
            )
            break
        at = at[key]
    return json.dumps(data, indent=1).encode()


DRAWN: Final = "[demand.care]\nper_day = 3\n"
FORMS: Final[dict[str, tuple[str, Callable[[Path], bytes], str]]] = {
    "calls.csv": ('[demand.care]\ncalls = "calls.csv"\nassume_type = "X"\n', calls_csv, "cells"),
    "calls.csv.gz": ('[demand.care]\ncalls = "calls.csv.gz"\n', calls_gzip, "bytes"),
    "calls.parquet": ('[demand.care]\ncalls = "calls.parquet"\n', calls_parquet, "bytes"),
    "calls.gpkg": ('[demand.care]\ncalls = "calls.gpkg"\n', calls_gpkg, "bytes"),
    "at.csv": ('[coverage]\nrecorded_positions = "at.csv"\n' + DRAWN, positions, "cells"),
    "posts.csv": ('[units.CARE]\nposts = "posts.csv"\n' + DRAWN, posts, "cells"),
    "zones.json": ('[zone]\ngeojson = "zones.json"\n' + DRAWN, geojson, "json"),
    "areas.json": ('[areas.n]\nfile = "areas.json"\nfield = "name"\n' + DRAWN, geojson, "json"),
    "driving.toml": ('[streets]\ndriving = "driving.toml"\n' + DRAWN, driving, "toml"),
    "columns.toml": (
        '[demand.care]\ncalls = "plain.csv"\nmapping = "columns.toml"\nassume_type = "X"\n',
        columns, "toml",
    ),
    "closed.json": ('[streets]\nclosures = "closed.json"\n' + DRAWN, geojson, "json"),
}  # fmt: skip
MUTATIONS: Final = {"toml": retyped, "cells": mistyped, "json": misdrawn, "bytes": torn}


def outcome(file: Path) -> World | BadScenario:
    try:
        world = world_of(read_scenario(file))
        require_data(world, {})
    except BadScenario as bad:
        return bad
    return world


def assert_told(found: World | BadScenario) -> None:
    if isinstance(found, BadScenario):
        assert found.faults
        for fault in found.faults:
            assert all((fault.file, fault.where, fault.message, fault.remedy)), fault
            assert fault.line is None or fault.line >= 1, fault
        return
    for one in left_out_of(found):
        assert one.words
        assert one.rows
        for row in one.rows:
            assert row.row >= 1
            assert all((row.file, row.column, row.what, row.remedy, row.effect)), row
    care = found.scenario.demand.care
    if isinstance(care, PastCalls):
        history = history_of_file(found.scenario, care)
        assert len(history) + history.n_bad + history.n_repeats == history.n_rows


@pytest.mark.parametrize("name", FORMS)
def test_a_data_file_of_any_content_is_used_or_told(tmp_path: Path, name: str) -> None:
    text, made, kind = FORMS[name]
    content, file = made(tmp_path), tmp_path / "one.toml"
    file.write_text(f'name = "x"\n{text}')
    (tmp_path / name).write_bytes(content)
    good = outcome(file)
    assert isinstance(good, World), good
    assert left_out_of(good) == []
    refused = 0
    for seed in range(SEEDS):
        draw = random.Random(seed)
        change = torn if seed % 3 == 0 else MUTATIONS[kind]
        (tmp_path / name).write_bytes(change(content, draw))
        os.utime(tmp_path / name, ns=(seed, seed))
        found = outcome(file)
        assert_told(found)
        refused += isinstance(found, BadScenario)
    assert refused
