"""docs/release.md lists every key of a release file with its real default."""

import re
from enum import Enum
from pathlib import Path

import pytest
from pydantic import BaseModel

from api.release_file import read_release
from api.release_findings import name_in_file
from api.release_schema import (
    CallTypesPart,
    ModePart,
    PolicyPart,
    ReleasePart,
    RequirementPart,
    WindowPart,
    ZonePart,
)
from geodata.snap import SnapLimits
from routing.policy import PILOT, ModeRules, Requirement

DOCUMENT = (Path(__file__).parents[2] / "docs" / "release.md").read_text(encoding="utf-8")
PARTS: dict[str, type[BaseModel]] = {
    "The file": ReleasePart,
    "`[[zones]]`": ZonePart,
    "`[policies.NAME]`": PolicyPart,
    "`windows`": WindowPart,
    "`[policies.NAME.call_types]`": CallTypesPart,
    "`[policies.NAME.modes.MODE]`": ModePart,
    "`CARE` and `SPD`": RequirementPart,
}
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", re.MULTILINE)


def rows(document: str, heading: str) -> dict[str, str]:
    """Return the default by key of the table under a heading."""
    section = document.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    return {key: default.strip() for key, default in ROW.findall(section)}


def keys(part: type[BaseModel]) -> set[str]:
    return {name_in_file(part, name) for name in part.model_fields}


def all_parts() -> set[type[BaseModel]]:
    """Return every table that the whole file and its zones and policies are made of."""
    from api import release_schema

    found = {part for part in vars(release_schema).values() if isinstance(part, type)}
    return {p for p in found if issubclass(p, release_schema.Part)} - {release_schema.Part}


def as_written(value: object) -> str:
    """Return a value of the code as the document writes it."""
    if isinstance(value, Enum):
        return f'`"{value.value}"`'
    if isinstance(value, tuple | frozenset):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`"


@pytest.mark.parametrize("heading", PARTS)
def test_every_key_is_documented_and_every_documented_one_exists(heading: str) -> None:
    assert rows(DOCUMENT, heading).keys() == keys(PARTS[heading])


def test_every_table_has_its_section() -> None:
    assert set(PARTS.values()) == all_parts()


def test_an_undocumented_key_is_found() -> None:
    document = DOCUMENT.replace("| `min_gain_s` |", "| `min_gain` |")
    found = rows(document, "`[policies.NAME]`").keys() ^ keys(PolicyPart)
    assert found == {"min_gain_s", "min_gain"}


def test_documented_defaults_of_a_policy_are_the_real_ones() -> None:
    told = rows(DOCUMENT, "`[policies.NAME]`")
    snap = SnapLimits()
    real = {"snap_warn_m": snap.warn_m, "snap_refuse_m": snap.refuse_m}
    not_plain = {"inherits", "time_zone", "windows", "call_types", "modes", "arrival_spread"}
    real |= {key: getattr(PILOT, key) for key in told.keys() - real.keys() - not_plain}
    assert {key: told[key] for key in real} == {key: as_written(v) for key, v in real.items()}


def test_documented_defaults_of_modes_and_requirements_are_the_real_ones() -> None:
    rules, wanted = ModeRules(requirements={"CARE": Requirement()}), Requirement()
    for heading, real in (("`[policies.NAME.modes.MODE]`", rules), ("`CARE` and `SPD`", wanted)):
        told = rows(DOCUMENT, heading)
        for key in told.keys() - {"CARE", "SPD", "gates"}:
            assert told[key] == as_written(getattr(real, key))


def test_documented_defaults_of_the_file_and_of_zones_are_the_real_ones() -> None:
    for heading in ("The file", "`[[zones]]`"):
        part = PARTS[heading]
        for key, default in rows(DOCUMENT, heading).items():
            if default.startswith("`"):
                assert default == as_written(part.model_fields[key].default)


def test_the_example_is_a_release(tmp_path: Path) -> None:
    file = tmp_path / "release.toml"
    (example,) = re.findall(r"```toml\n(.+?)```", DOCUMENT, re.DOTALL)
    file.write_text(example, encoding="utf-8")
    release = read_release(file)
    assert str(release.zone_policies["LATE"].window) == "11:00-02:00"
    assert [zone.zone_id for zone in release.zones.zones] == ["NIGHTLIFE", "CORE"]
