"""Scenario files at random: each is a scenario or is refused with every fault told, never else."""

import gzip
import json
import os
import random
from pathlib import Path
from typing import Final

import pytest
from shapely.geometry import box, mapping

from benchmarks.studies.data_check import require_data
from benchmarks.studies.demand_making import calls_of
from benchmarks.studies.errors import BadScenario
from benchmarks.studies.scenario import Scenario
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.world_making import world_of
from geodata.artifacts import save_network
from geodata.pilot.streets import pilot_network

EXAMPLES = Path(__file__).resolve().parents[3] / "benchmarks" / "studies" / "examples"
SOURCES: Final = {
    name: (EXAMPLES / name).read_bytes() for name in ("builtin.toml", "city_year.toml")
}
SEEDS: Final = 2_000 if os.environ.get("TANDEM_STUDIES") == "long" else 150
VALUES: Final = (
    "nan", "-inf", "1e308", "-1", "9" * 400, "9" * 5_000,
    "0x" + "f" * 5_000, "0",
    "true", '""', '"\\u0000"',
    '"\\u202Ebeats"', '"../"', '"."', "[]", "{}", "[[[[]]]]", "[1, [2], {a = 3}]", "1979-05-27",
    "07:32:00", "1979-05-27T07:32:00Z", '"${NO_SUCH_VARIABLE}"', '"empty"', '"binary"', "{x = {}}",
    '["11:00-11:00"]', '[{hours = 3}]', '[{count = "x"}, 4]', "[{post_id = 1}]", '"a\\nb"',
)  # fmt: skip
KEYS: Final = (
    "recorded_positions", "candidates", "closures", "driving", "geojson", "release", "mapping",
    "calls", "pattern", "area_weights", "variations", "facility", "file", "per_day", "\"\"",
    '"a.b"', "units", "by", "hours", "network",
)  # fmt: skip


def _mutated(source: bytes, draw: random.Random) -> bytes:
    lines = source.decode().splitlines()
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(lines))
        key = lines[at].partition("=")[0].strip() if "=" in lines[at] else draw.choice(KEYS)
        new = {
            "drop": [], "double": [lines[at]] * 2, "cut": [lines[at][: len(lines[at]) // 2]],
            "retype": [f"{key} = {draw.choice(VALUES)}"],
            "add": [lines[at], f"{draw.choice(KEYS)} = {draw.choice(VALUES)}"],
            "table": [lines[at], f"[{draw.choice(KEYS)}]"],
            "array": [lines[at], f"[[{draw.choice(KEYS)}]]"],
        }  # fmt: skip
        lines[at : at + 1] = new[draw.choice(sorted(new))]
        lines = lines or [""]
    return "\n".join(lines).encode()


def _torn(content: bytes, draw: random.Random) -> bytes:
    """Return the content with some bytes of it anything at all."""
    torn = bytearray(content)
    for _ in range(draw.randint(1, 3)):
        torn[draw.randrange(len(torn))] = draw.randrange(256)
    return bytes(torn)


def _outcome(file: Path) -> Scenario | BadScenario:
    """Return the scenario if its file and all data that it names can be used."""
    try:
        scenario = read_scenario(file)
        require_data(world_of(scenario), {})
    except BadScenario as problem:
        return problem
    return scenario


def _assert_told(outcome: Scenario | BadScenario) -> None:
    if isinstance(outcome, BadScenario):
        assert outcome.faults
        for fault in outcome.faults:
            assert all((fault.file, fault.where, fault.message, fault.remedy)), fault
            assert fault.line is None or fault.line >= 1, fault


def _stand_in(data: Path) -> None:
    """Make what the example of a whole city names: the built-in streets, two beats, some calls."""
    for name in ("network", "boundaries", "calls"):
        (data / name).mkdir(parents=True)
    save_network(pilot_network(), data / "network" / "seattle_drive_2026-07-18.osm.gz")
    beats = [
        {"type": "Feature", "properties": {"beat": name},
         "geometry": mapping(box(west, 47.59, west + 0.004, 47.62))}
        for name, west in zip("KMENLRF", (-122.346 + 0.004 * k for k in range(7)), strict=True)
        for name in (f"{name}1",)
    ]  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": beats}, indent=1)
    (data / "boundaries" / "spd_beats_2018_present.geojson").write_text(text)
    rows = "\n".join(f"-122.33{k:02},47.60{k:02},2015-01-{1 + k % 28:02} 12:00:00,X"
                     for k in range(60))  # fmt: skip
    head = "Longitude,Latitude,At Scene Time,Initial Type Description\n"
    calls = gzip.compress((head + rows).encode(), mtime=0)
    (data / "calls" / "spd_911_incident_response_2015.csv.gz").write_bytes(calls)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "blank").write_bytes(b"\xef\xbb\xbf = \n\0")
    (tmp_path / "binary").write_bytes(random.Random(0).randbytes(3_000))
    (tmp_path / "city.geojson").write_bytes((EXAMPLES / "city.geojson").read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_of_any_content_is_a_scenario_or_told_faults(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _stand_in(folder / "data")
    monkeypatch.setenv("TANDEM_DATA", str(folder / "data"))
    file, good = folder / "fuzz.toml", 0
    file.write_bytes(SOURCES[name])
    assert isinstance(_outcome(file), Scenario)
    before = sorted(one.name for one in folder.iterdir())
    for seed in range(SEEDS // len(SOURCES)):
        draw = random.Random(seed)
        content = _mutated(SOURCES[name], draw)
        file.write_bytes(_torn(content, draw) if seed % 5 == 0 else content)
        outcome = _outcome(file)
        _assert_told(outcome)
        good += isinstance(outcome, Scenario)
    assert 0 < good < SEEDS
    assert sorted(one.name for one in folder.iterdir()) == before


@pytest.mark.parametrize("name", ["empty", "binary", ".", "no such file", "a\0b"])
def test_what_is_no_scenario_file_is_told(folder: Path, name: str) -> None:
    outcome = _outcome(folder / name)
    assert isinstance(outcome, BadScenario)
    _assert_told(outcome)


@pytest.mark.parametrize("told", ["blank", "binary", ".", "gone"])
@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("streets", "network"), ("streets", "driving"), ("streets", "closures"),
        ("zone", "release"), ("zone", "geojson"), ("areas.tract", "file"), ("units.SPD", "posts"),
    ],
)  # fmt: skip
def test_what_is_no_data_file_is_told(folder: Path, table: str, key: str, told: str) -> None:
    file = folder / "one.toml"
    calls = 'calls = "empty"\n' if key == "mapping" else ""
    file.write_text(f'name = "x"\n[demand.care]\nper_day = 3\n[{table}]\n{calls}{key} = "{told}"\n')
    outcome = _outcome(file)
    assert isinstance(outcome, BadScenario)
    _assert_told(outcome)


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5_000, "0x" + "f" * 5_000, "nan", "inf"])
def test_a_number_beyond_all_bounds_is_told_with_its_line(folder: Path, number: str) -> None:
    file = folder / "one.toml"
    file.write_text(f'name = "x"\n[demand.care]\nper_day = {number}\n')
    outcome = _outcome(file)
    assert isinstance(outcome, BadScenario)
    _assert_told(outcome)
    assert outcome.faults[0].line == 3


HEAD = b"call_id,lon,lat,queued_at,call_type\n"
BROKEN: Final = {
    "empty.csv": b"", "head.csv": HEAD, "latin.csv": HEAD + b"1,-122.3,47.6,2024-05-01,cris\xef\n",
    "utf16.csv": HEAD.decode().encode("utf-16"), "long.csv": HEAD + b"9" * 1_000_000,
    "quote.csv": HEAD + b'1,"-122.3,47.6\n', "zipped.csv.gz": b"\x1f\x8bjunk",
    "short.parquet": b"PAR1junkPAR1", "empty.gpkg": b"",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_table_of_calls_that_is_broken_is_told_with_a_remedy(folder: Path, name: str) -> None:
    (folder / name).write_bytes(BROKEN[name])
    file = folder / "one.toml"
    file.write_text(f'name = "x"\n[demand.care]\ncalls = "{name}"\n')
    world = world_of(read_scenario(file))
    with pytest.raises(BadScenario) as caught:
        calls_of(world, "CARE", 1)
    _assert_told(caught.value)
