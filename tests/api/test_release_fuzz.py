"""Whatever is done to a release file, it is read or refused with its problems: nothing else."""

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.release_errors import ReleaseFileError, ReleaseProblem
from api.release_file import read_release
from geodata.pilot.area import pilot_release_file, pilot_zone_features
from tests.api.release_texts import SMALL
from tests.api.test_release_lines import quoted, written

PILOT_TEXT = pilot_release_file().read_text(encoding="utf-8")
TEXTS = [PILOT_TEXT, SMALL]
SCRAPS = [
    "", "\n", "=", "[", "]", "[[", "{", "}", '"', "'''", ",", ".", "#", "-1", "1e999", "nan", "0",
    "true", "99999999999999999999", "é", "\x00", "[zones]", "[[zones]]", "1979-05-27",
    "inherits = 'PILOT'",
    "policies.PILOT.modes = 3", "zones = 1", "policies = []", "SOLO", "[policies.X]",
]  # fmt: skip
ODD: list[Any] = [
    0, -1, 1.5, True, "", "X", [], {}, [[]], {"": 1}, [1, "2"], float("1e300"), 2**70,
    "a" * 300, {"CARE": {}}, [{"from": "11:00"}], [[[0, 0], [0, 0], [0, 0]]], "SOLO", "\u0000",
]  # fmt: skip

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fuzz")
    (made / "zone.geojson").write_text(json.dumps(pilot_zone_features()), encoding="utf-8")
    return made


def read_or_refused(folder: Path, content: bytes) -> bool:
    """Return whether it was read; anything but a refusal with its problems fails the test."""
    file = folder / "release.toml"
    file.write_bytes(content)
    found: tuple[ReleaseProblem, ...] | None = None
    try:
        read_release(file)
    except ReleaseFileError as refused:
        found = refused.found
    lines = content.count(b"\n") + 1
    assert found != ()
    assert all(1 <= p.line <= lines and p.detail and p.remedy for p in found or ())
    return found is None


def test_the_texts_themselves_are_read(folder: Path) -> None:
    assert all(read_or_refused(folder, text.encode()) for text in TEXTS)


@quick
@given(st.sampled_from(TEXTS), st.data())
def test_a_text_cut_up_anywhere_is_refused_or_read(
    folder: Path, text: str, data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = begin + data.draw(st.integers(0, 30))
        text = text[:begin] + data.draw(st.sampled_from(SCRAPS)) + text[end:]
    read_or_refused(folder, text.encode())


@quick
@given(st.binary(max_size=200), st.integers(0, 5_000))
@example(b"[" * 4_000, 0)
@example(b"\na." + b"b." * 3_000 + b"c = 1\n", 0)
def test_bytes_put_in_anywhere_are_refused_or_read(folder: Path, scrap: bytes, at: int) -> None:
    content = PILOT_TEXT.encode()
    read_or_refused(folder, content[:at] + scrap + content[at:])


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else []
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path, *(place for key, part in inner for place in places_in(part, (*path, key)))]


@quick
@given(st.sampled_from(TEXTS), st.data())
def test_any_value_in_place_of_another_is_refused_or_read(
    folder: Path, text: str, data: st.DataObject
) -> None:
    tables = tomllib.loads(text)
    tables.pop("effective_at", None)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([place for place in places_in(tables) if place]))
        holder = tables
        for key in place[:-1]:
            holder = holder[key]
        odd = data.draw(st.sampled_from(ODD))
        holder[place[-1]] = copy.deepcopy(odd)
    text = "".join(f"{quoted(key)} = {written(value, True)}\n" for key, value in tables.items())
    read_or_refused(folder, text.encode())
