"""Zones, areas and closures with errors: each told with its line, the value and the remedy."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.studies.errors import BadScenario, Fault
from benchmarks.studies.scenario_file import read_scenario

RING = [[-122.34, 47.60], [-122.33, 47.60], [-122.33, 47.61], [-122.34, 47.61], [-122.34, 47.60]]
BOW = [RING[0], RING[2], RING[1], RING[3], RING[0]]
TABLES = {
    "zones": '[zone]\ngeojson = "drawn.geojson"\n',
    "areas": '[areas.dock]\nfile = "drawn.geojson"\n',
    "closures": '[streets]\nclosures = "drawn.geojson"\n',
}


def feature(told: dict[str, Any], ring: Any = RING) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": told, "geometry": shape}


def good(number: int) -> dict[str, Any]:
    """Return a square of its own that is a zone, an area and a closure."""
    ring = [[x + 0.001 * number, y - 0.01 * number] for x, y in RING]
    return feature({"zone_id": f"Z{number}", "name": f"n{number}", "dock": f"d{number}"}, ring)


def faults_of(folder: Path, kind: str, content: bytes) -> list[Fault]:
    (folder / "drawn.geojson").write_bytes(content)
    file = folder / "one.toml"
    file.write_text(f'name = "x"\n[demand.care]\nper_day = 3\n{TABLES[kind]}')
    try:
        read_scenario(file)
    except BadScenario as bad:
        return [one for one in bad.faults if one.file.endswith("drawn.geojson")]
    return []


def told(folder: Path, kind: str, bad: Any) -> tuple[list[Fault], list[str]]:
    """Return the faults of a file whose third feature is bad, and the lines of the file."""
    text = json.dumps({"type": "FeatureCollection", "features": [good(0), good(1), bad]}, indent=1)
    return faults_of(folder, kind, text.encode()), text.split("\n")


def wrong(**told: Any) -> dict[str, Any]:
    made = good(2)
    made["properties"] |= told
    return made


BAD = [
    ("zones", wrong(zone_id=7), '"zone_id": 7', "zone_id"),
    ("zones", wrong(kind="BAES"), '"kind": "BAES"', "BASE, OVERLAY, EXCLUDE"),
    ("zones", wrong(precedence="high"), '"precedence": "high"', "whole number"),
    ("zones", wrong(policy_id="NIGHT"), '"policy_id": "NIGHT"', "policies of the release"),
    ("zones", wrong(zone_id="Z1"), '"zone_id": "Z1"', "Every zone needs its own"),
    ("zones", good(2) | {"geometry": None}, '"geometry": null', "has no geometry"),
    ("zones", feature({"zone_id": "Z2"}, BOW), '"geometry": {', "Mend it in the GIS"),
    ("zones", feature({"zone_id": "Z2"}, [[1e6, 2e5]] * 4), '"geometry": {', "degrees (WGS 84)"),
    ("zones", feature({"zone_id": "Z2"}), '"geometry": {', "overlap by"),
    ("zones", good(2) | {"geometry": {"type": "Polygon"}}, '"geometry": {', "is missing"),
    ("zones", good(2) | {"properties": [3]}, '"properties": [', "is no object"),
    ("zones", 5, "5", "is no feature"),
    ("areas", wrong(dock=None), '"dock": null', "is empty"),
    ("areas", feature({"dock": "d2"}, BOW), '"geometry": {', "Mend it in the GIS"),
    ("areas", feature({"dock": "d2"}, [[0]]), '"geometry": {', "cannot be read"),
    ("closures", wrong(traffic="TRAMS"), '"traffic": "TRAMS"', "Give one of"),
    ("closures", wrong(effect="NONE"), '"effect": "NONE"', "Give one of"),
    ("closures", wrong(direction="UP"), '"direction": "UP"', "Give one of"),
    ("closures", feature({}, [[9.9, 50], [9.9, 50.1], [9.8, 50]]), "{", "closure"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "bad", "stands", "says"), BAD)
def test_a_wrong_feature_is_told_with_its_line(
    tmp_path: Path, kind: str, bad: Any, stands: str, says: str
) -> None:
    faults, lines = told(tmp_path, kind, bad)
    (fault,) = [one for one in faults if "features[2]" in one.where]
    assert fault.line is not None
    third = len(lines) - len(json.dumps([bad], indent=1).split("\n"))
    assert fault.line > third - 1
    assert stands in lines[fault.line - 1]
    assert says in str(fault)
    assert fault.remedy


@pytest.mark.parametrize("kind", TABLES)
def test_every_wrong_feature_is_told_at_once(tmp_path: Path, kind: str) -> None:
    keys = [{"zone_id": f"Z{k}", "dock": f"d{k}", "effect": "NO"} for k in range(3)]
    bad = [feature(one, BOW) for one in keys]
    lines = [json.dumps(one) for one in bad]
    text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}"
    assert [one.line for one in faults_of(tmp_path, kind, text.encode())] == [2, 3, 4]


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b'{\n"features": [\n,]}', 3, "column 1"),
        (b"", 1, "is no JSON"),
        (b"[1]", None, "is no FeatureCollection"),
        (b'{"features": 3}', None, "is no FeatureCollection"),
        (b"\xff\xfe\x00", None, "cannot be read"),
        (b"[" * 100_000, None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_geojson_is_told(
    tmp_path: Path, kind: str, content: bytes, line: int | None, says: str
) -> None:
    (fault,) = faults_of(tmp_path, kind, content)
    assert (fault.where, fault.line) == ("the file", line)
    assert says in fault.message
    assert "GeoJSON FeatureCollection" in fault.remedy


@pytest.mark.parametrize("kind", TABLES)
def test_a_good_file_has_no_fault(tmp_path: Path, kind: str) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": [good(0), good(1)]})
    assert faults_of(tmp_path, kind, text.encode()) == []
    assert faults_of(tmp_path, kind, b"\xef\xbb\xbf" + text.encode()) == []
