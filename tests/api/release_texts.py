"""A small release as text, changed in one place, and the line of that place found by counting."""

from pathlib import Path

import pytest

from api.release_errors import ReleaseFileError, ReleaseProblem
from api.release_file import read_release
from routing.release import Release

SMALL = """\
release_id = "small-1"
effective_at = 2024-01-01T00:00:00-08:00
city_policy = "CITY"
edge_tolerance_m = 2

[cad_statuses]
MEAL = "OUT_OF_SERVICE"
"In  Quarters" = "AVAILABLE"

[precincts]
WEST = ["D", "K"]
EAST = ["C"]

[policies.CITY]
time_zone = "America/Los_Angeles"
windows = [
    { days = ["mon", "tue"], from = "08:00", to = "12:00" },
    { days = ["mon"], from = "13:00", to = "24:00" },
]
turnout_spd_s = 30
avl_aged_s = 300
reserve_of_sector = { D = 2 }

[policies.CITY.call_types]
eligible = ["DOWN"]
texts.DOWN = ["PERSON DOWN", "MAN DOWN"]
texts.NOISE = ["LOUD PARTY"]

[policies.CITY.modes.DUAL]
refuses_yes = ["WEAPON"]
CARE = { min_crew = 2 }
SPD = { required_skills = ["CIT"], preferred_skills = { SPANISH = 90 } }

[policies.CITY.modes.SPD_ADD]
gates = ["LOCATION"]
[policies.CITY.modes.SPD_ADD.SPD]
units = 1

[policies.NIGHT]
inherits = "CITY"
windows = [{ from = "22:00", to = "02:00" }]
modes.DUAL.CARE.min_crew = 3

[[zones]]
zone_id = "CORE"
precedence = 10
policy_id = "NIGHT"
outline = [
    [-122.34, 47.60], [-122.33, 47.60],
    [-122.33, 47.61], [-122.34, 47.61],
]

[[zones]]
zone_id = "PARK"
kind = "EXCLUDE"
outline = [[-122.338, 47.602], [-122.336, 47.602], [-122.336, 47.604]]
"""


def read_text(text: str, folder: Path) -> Release:
    """Write a text as a file and read it."""
    file = folder / "release.toml"
    file.write_text(text, encoding="utf-8")
    return read_release(file)


def problems_of(text: str, folder: Path) -> tuple[ReleaseProblem, ...]:
    """Return the problems of a text, which must have some."""
    with pytest.raises(ReleaseFileError) as refused:
        read_text(text, folder)
    return refused.value.found


HERE = "@@"
"""Marks the line in a new text on which a problem must be told, where it is not the first."""


def changed(old: str, new: str) -> str:
    """Return SMALL with one text, which must be there once, replaced."""
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new.replace(HERE, ""))


def line_of_change(old: str, new: str) -> int:
    """Return the line on which a problem of `changed` must be told, counted in the text."""
    text = SMALL.replace(old, new if HERE in new else HERE + new)
    return text[: text.index(HERE)].count("\n") + 1
