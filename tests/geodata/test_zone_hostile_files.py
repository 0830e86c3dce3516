"""Hostile files: refused with a reason, nothing read, the reader ready for the next."""

import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from geodata.zone_archive import JSON_DEPTH_MAX, json_depth
from geodata.zone_reading import ZoneReader, ZoneReaderError
from tests.geodata.zone_files import (
    OPTIONS,
    assert_refused,
    geojson,
    members_of,
    square,
    still_reads,
    two_squares,
    write,
    zipped,
)


@pytest.fixture(scope="module")
def reader() -> Iterator[ZoneReader]:
    with ZoneReader(wall_s_max=60) as made:
        yield made


@pytest.fixture
def vrt(tmp_path: Path) -> bytes:
    """A VRT that would hand out a file of the machine."""
    secret = write(two_squares(name=["SECRET", "SECRET"]), tmp_path, "gpkg", "secret")
    source = f"<SrcDataSource>{secret}</SrcDataSource><SrcLayer>secret</SrcLayer>"
    layer = f'<OGRVRTLayer name="s">{source}</OGRVRTLayer>'
    return f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>".encode()


@pytest.mark.parametrize("name", ["zones.geojson", "zones.gpkg", "zones.vrt", "zones.zip"])
def test_a_vrt_is_refused_whatever_it_is_called(
    reader: ZoneReader, tmp_path: Path, vrt: bytes, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(vrt)
    assert_refused(reader.read(file, OPTIONS), "UNKNOWN_FORMAT")
    assert still_reads(reader, tmp_path)


def test_gdal_itself_would_open_that_vrt(tmp_path: Path, vrt: bytes) -> None:
    pyogrio = pytest.importorskip("pyogrio")
    file = tmp_path / "zones.geojson"
    file.write_bytes(vrt)
    assert set(pyogrio.read_dataframe(file).name) == {"SECRET"}


def test_the_reader_could_not_open_it_either(tmp_path: Path, vrt: bytes) -> None:
    file = tmp_path / "zones.geojson"
    file.write_bytes(vrt)
    program = (
        "import sys, pyogrio; from geodata.zone_worker import close_other_drivers as close; "
        "close(); print(sorted(pyogrio.list_drivers())); pyogrio.read_dataframe(sys.argv[1])"
    )
    done = run_python(program, str(file))
    assert "['ESRI Shapefile', 'GPKG', 'GeoJSON', 'OpenFileGDB']" in done.stdout
    assert "not recognized" in done.stderr
    assert "SECRET" not in done.stdout


def run_python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False,
        timeout=120, cwd=Path(__file__).parents[2],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["z.vrt", "z.shp.vrt", "z.shp/z.vrt", "z.gdb/evil.vrt"])
def test_a_vrt_in_an_archive_is_refused(
    reader: ZoneReader, tmp_path: Path, vrt: bytes, name: str
) -> None:
    good = members_of(write(two_squares(), tmp_path, "shp.zip"))
    file = zipped(tmp_path / "bad.zip", {**good, name: vrt})
    assert_refused(reader.read(file, OPTIONS), "ARCHIVE_MEMBER", "vrt")


def test_a_vrt_in_the_place_of_a_shapefile_is_refused(
    reader: ZoneReader, tmp_path: Path, vrt: bytes
) -> None:
    good = members_of(write(two_squares(), tmp_path, "shp.zip"))
    done = reader.read(zipped(tmp_path / "bad.zip", {**good, "z.shp": vrt}), OPTIONS)
    assert_refused(done, "DAMAGED")


@pytest.mark.parametrize("body", [
    "http://127.0.0.1:9/zones.geojson", '"http://127.0.0.1:9/z"', "/vsicurl/http://127.0.0.1:9/z",
    "/etc/hostname", "GeoJSON:http://127.0.0.1:9/z", '["http://127.0.0.1:9/z"]', "", "   ",
])  # fmt: skip
def test_a_body_that_is_an_address_is_refused(
    reader: ZoneReader, tmp_path: Path, body: str
) -> None:
    file = tmp_path / "zones.geojson"
    file.write_text(body)
    assert_refused(reader.read(file, OPTIONS), "UNKNOWN_FORMAT")


@pytest.mark.parametrize("crs", [
    {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs", "type": "proj4"}},
    {"type": "name", "properties": {"name": "http://127.0.0.1:9/crs"}},
    {"type": "name", "properties": {"name": "/etc/hostname"}}, "EPSG:4326", 4326, [],
])  # fmt: skip
def test_a_system_that_would_be_fetched_is_refused(
    reader: ZoneReader, tmp_path: Path, crs: object
) -> None:
    file = geojson(tmp_path, square(0, 0), crs=crs)
    assert_refused(reader.read(file, OPTIONS), "CRS_UNKNOWN")


def test_of_two_systems_in_one_file_the_judged_one_is_read(
    reader: ZoneReader, tmp_path: Path
) -> None:
    link = '"crs": {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs"}}'
    name = '"crs": {"type": "name", "properties": {"name": "EPSG:4326"}}'
    features = f'"features": {json.dumps([square(0, 0)])}'
    for first, second, accepted in ((link, name, True), (name, link, False)):
        file = tmp_path / "two.geojson"
        file.write_text(f'{{"type": "FeatureCollection", {first}, {second}, {features}}}')
        assert reader.read(file, OPTIONS).is_accepted == accepted


@pytest.mark.parametrize(
    "name", ["../z.shp", "/tmp/z.shp", "a/../../z.shp", "..\\z.shp", "C:\\z.shp"]
)
def test_a_member_outside_the_archive_is_refused(
    reader: ZoneReader, tmp_path: Path, name: str
) -> None:
    file = zipped(tmp_path / "bad.zip", {name: b"x"})
    assert_refused(reader.read(file, OPTIONS), "ARCHIVE_MEMBER")
    assert not (tmp_path.parent / "z.shp").exists()


def test_a_link_in_an_archive_is_refused(reader: ZoneReader, tmp_path: Path) -> None:
    good = members_of(write(two_squares(), tmp_path, "shp.zip"))
    file = zipped(tmp_path / "bad.zip", {**good, "z.shp": b"/etc/passwd"}, links=("z.shp",))
    assert_refused(reader.read(file, OPTIONS), "ARCHIVE_MEMBER", "link")


def test_a_link_in_the_place_of_a_file_is_refused(reader: ZoneReader, tmp_path: Path) -> None:
    good = write(two_squares(), tmp_path, "geojson")
    (tmp_path / "link.geojson").symlink_to(good)
    assert_refused(reader.read(tmp_path / "link.geojson", OPTIONS), "NOT_A_FILE")


def test_a_zip_bomb_is_refused(reader: ZoneReader, tmp_path: Path) -> None:
    good = members_of(write(two_squares(), tmp_path, "shp.zip"))
    bomb = zipped(tmp_path / "bomb.zip", {**good, "z.dbf": bytes(60_000_000)})
    assert bomb.stat().st_size < 100_000
    assert_refused(reader.read(bomb, OPTIONS), "EXPANDS_TOO_FAR")


def test_a_zip_bomb_that_lies_about_its_size_is_refused(reader: ZoneReader, tmp_path: Path) -> None:
    good = members_of(write(two_squares(), tmp_path, "shp.zip"))
    bomb = zipped(tmp_path / "bomb.zip", {**good, "z.dbf": bytes(60_000_000)})
    said = (60_000_000).to_bytes(4, "little")
    bomb.write_bytes(bomb.read_bytes().replace(said, (1_000).to_bytes(4, "little")))
    assert_refused(reader.read(bomb, OPTIONS), "DAMAGED")


def test_too_many_members_are_refused(reader: ZoneReader, tmp_path: Path) -> None:
    file = zipped(tmp_path / "many.zip", {f"z{i}.shp": b"" for i in range(600)})
    assert_refused(reader.read(file, OPTIONS), "ARCHIVE_MEMBER", "600")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_deep_nest_is_refused(reader: ZoneReader, tmp_path: Path, opening: str) -> None:
    file = tmp_path / "deep.geojson"
    file.write_text('{"type": "FeatureCollection", "features": ' + opening * 100_000)
    assert_refused(reader.read(file, OPTIONS), "TOO_DEEP")
    assert still_reads(reader, tmp_path)


def test_depth_counts_brackets_and_not_those_in_texts() -> None:
    assert json_depth(b'{"a": [[1], [2]], "b": "[[[[[\\"[[[["}') == 3
    assert json_depth(b"[" * 9 + b"]" * 9) == 9 < JSON_DEPTH_MAX


def test_a_view_in_a_geopackage_is_refused(reader: ZoneReader, tmp_path: Path) -> None:
    file = write(two_squares(), tmp_path, "gpkg")
    with closing(sqlite3.connect(file)) as tables:
        tables.execute("CREATE VIEW other AS SELECT * FROM zones")
        tables.commit()
    assert_refused(reader.read(file, OPTIONS), "NOT_A_TABLE", "other")


# -- a reader that crashes, hangs, lies or takes all memory ---------------------------------------

READY = (
    "import sys, json; from geodata.zone_worker import DRIVERS; "
    "print(json.dumps({'drivers': sorted(DRIVERS)}), flush=True); sys.stdin.readline(); "
)
BAD_READERS = {
    "crashes": READY + "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "hangs": READY + "import threading; threading.Event().wait()",
    "lies": READY + "print('[1, 2'); ",
    "says no object": READY + "print('[1, 2]'); ",
    "ends": READY,
}


@pytest.mark.parametrize("how", sorted(BAD_READERS))
def test_a_reader_that_breaks_is_a_refusal_and_the_next_file_gets_a_new_one(
    tmp_path: Path, how: str
) -> None:
    file = write(two_squares(), tmp_path, "geojson")
    with ZoneReader(command=[sys.executable, "-c", BAD_READERS[how]], wall_s_max=0.5) as broken:
        for _ in range(2):
            assert_refused(broken.read(file, OPTIONS), "READER_ENDED")


def test_a_reader_that_cannot_start_is_an_error_of_ours(tmp_path: Path) -> None:
    file = write(two_squares(), tmp_path, "geojson")
    with (
        ZoneReader(command=[sys.executable, "-c", ""]) as broken,
        pytest.raises(ZoneReaderError, match="at its start"),
    ):
        broken.read(file, OPTIONS)


def test_a_reader_with_another_driver_is_not_used(tmp_path: Path) -> None:
    file = write(two_squares(), tmp_path, "geojson")
    program = READY.replace("sorted(DRIVERS)", "sorted({*DRIVERS, 'OGR_VRT'})")
    with (
        ZoneReader(command=[sys.executable, "-c", program]) as broken,
        pytest.raises(ZoneReaderError, match="OGR_VRT"),
    ):
        broken.read(file, OPTIONS)


def test_the_process_in_use_has_its_limits(reader: ZoneReader, tmp_path: Path) -> None:
    assert still_reads(reader, tmp_path)
    assert reader._process is not None
    limits = {
        name: resource.prlimit(reader._process.pid, getattr(resource, f"RLIMIT_{name}"))
        for name in ("AS", "CPU", "NOFILE", "FSIZE", "CORE")
    }
    assert limits["NOFILE"] == (128, 128)
    assert limits["CORE"] == (0, 0)
    assert 0 < limits["FSIZE"][1] <= 250_000_000
    assert 0 < limits["AS"][1] < 2 * 2**30
    assert 0 < limits["CPU"][0] < 120


def test_memory_open_files_and_work_are_bounded_in_the_process() -> None:
    program = (
        "import resource as r; from geodata.zone_worker import _limit, _memory_bytes, "
        "MEMORY_BYTES_MAX as most, _allow_cpu; _limit(); _allow_cpu(); "
        "before = _memory_bytes()[1]\n"
        "try:\n    bytearray(most - before + 1_000_000)\n"
        "except MemoryError:\n    print('bounded')\n"
        "print(r.getrlimit(r.RLIMIT_NOFILE)[1], r.getrlimit(r.RLIMIT_CORE)[1], "
        "r.getrlimit(r.RLIMIT_CPU)[0] < 60)"
    )
    done = run_python(program)
    assert done.stdout.split() == ["bounded", "128", "0", "True"], done.stderr


def test_the_reader_gets_no_setting_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_STORE", "postgresql://secret")
    program = READY + ("import os; open(sys.argv[1], 'w').write(repr(dict(os.environ)))")
    told = tmp_path / "told"
    with ZoneReader(command=[sys.executable, "-c", program, str(told)]) as reader:
        reader.read(write(two_squares(), tmp_path, "geojson"), OPTIONS)
    assert "secret" not in told.read_text()
    assert "secret" in os.environ["TANDEM_STORE"]
