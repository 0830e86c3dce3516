"""How a scenario file is read: the short form, the setting, and the comparison."""

import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from api.scenarios.book import parse_scenario
from api.scenarios.expected import differences
from api.scenarios.setting import Setting, changed
from api.scenarios.short_form import merged, spelt_out
from routing.model import PILOT, Mode
from routing.policy import Policy

AS_OF = datetime.fromisoformat("2026-07-21T11:04:00-07:00")
DAY = tomllib.loads((files("api.scenarios") / "calls" / "day.toml").read_text(encoding="utf-8"))
FILE = """
title = "x"
why = "Rule 9"
rules = [9]
as_of = 2026-07-21T11:04:00-07:00
units = ["CARE1"]
[incident]
location.corner = "3rd Avenue / Pike Street"
[expect]
outcome = "HOLD"
"""
ANSWER: dict[str, Any] = {
    "outcome": "DISPATCH", "hold": None, "message": "Dispatch 2M1 now.",
    "at": "2026-07-21T18:00:00Z",
    "assign": [{"unit": "2M1", "arrive_s": 159, "stage": {"near": "Pike"}}, {"unit": "CARE1"}],
    "missing": ["SPD"], "urgent": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "expect",
    [{}, {"outcome": "DISPATCH"}, {"assign": [{"unit": "CARE1"}, {"arrive_s": 159}]},
     {"assign": [{"arrive_s": {"at_least": 159, "at_most": 159}, "stage": {}}]},
     {"missing": ["SPD"], "urgent": False}, {"absent": ["hold", "assign.1.stage", "assign.9.x"]},
     {"at": datetime(2026, 7, 21, 18, tzinfo=UTC)}, {"at": AS_OF.replace(minute=0)},
     {"assign": [{}, {}], "exactly": ["assign"]}, {"says": ["2M1"]}],
)  # fmt: skip
def test_what_stands_in_the_answer_is_met(expect: dict[str, Any]) -> None:
    assert differences(expect, ANSWER) == []


@pytest.mark.parametrize(
    "expect",
    [{"outcome": "HOLD"}, {"assign": [{"unit": "2M1"}, {"arrive_s": 159}]}, {"hold": {}},
     {"assign": [{"arrive_s": {"at_least": 160}}]}, {"assign": [{"arrive_s": {"at_most": 158}}]},
     {"missing": []}, {"missing": ["SPD", "CARE"]}, {"urgent": 0}, {"absent": ["assign.0.stage"]},
     {"at": datetime(2026, 7, 21, 18, 0, 1, tzinfo=UTC)}, {"outcome": AS_OF}, {"nothing": "x"},
     {"assign": [{}], "exactly": ["assign"]}, {"assign": [{}, {}, {}]}, {"says": ["2M2"]},
     {"outcome": {"at_least": 1}}, {"outcome": [{}]}],
)  # fmt: skip
def test_what_does_not_is_told_in_one_line(expect: dict[str, Any]) -> None:
    assert len(differences(expect, ANSWER)) == 1


@pytest.mark.parametrize(
    ("short", "full"),
    [("-80 s", "2026-07-21T11:02:40-07:00"), ("+20 min", "2026-07-21T11:24:00-07:00"),
     ("-1 h", "2026-07-21T10:04:00-07:00"), ("23:00", "2026-07-21T23:00:00-07:00"),
     ("04:00 next day", "2026-07-22T04:00:00-07:00"), ("2M1", "2M1")],
)  # fmt: skip
def test_an_instant_is_spelt_out(short: str, full: str) -> None:
    assert spelt_out({"at": [short]}, AS_OF) == {"at": [full]}


def test_a_corner_is_a_place_and_a_wrong_one_is_told() -> None:
    at = {"corner": "3rd Avenue / Pike Street", "uncertainty_m": 5}
    assert spelt_out(at, AS_OF) == {"lon": -122.33782, "lat": 47.60977, "uncertainty_m": 5}
    with pytest.raises(ValueError, match="3rd / Pike"):
        spelt_out({"corner": "3rd / Pike"}, AS_OF)


def test_changes_are_laid_over_and_left_out() -> None:
    base = {"a": 1, "b": {"c": 2, "d": 3}}
    assert merged(base, {"b": {"c": 4, "without": ["d"]}}) == {"a": 1, "b": {"c": 4}}
    assert base == {"a": 1, "b": {"c": 2, "d": 3}}


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [('title = "x"', "", "title"), ("[expect]", "[expcet]", "expcet"),
     ("[expect]", "[unit.2M1]\nstatus = 'BUSY'\n[expect]", "2M1"),
     ("[expect]", "[setting]\nweather = 'rain'\n[expect]", "weather"),
     ("Pike Street", "Pike St", "Pike St")],
)  # fmt: skip
def test_a_file_with_a_mistake_is_refused(old: str, new: str, word: str) -> None:
    assert parse_scenario("1104-x", FILE, DAY).request["units"][0]["crew_count"] == 2
    with pytest.raises(ValueError, match=word):
        parse_scenario("1104-x", FILE.replace(old, new), DAY)


def test_a_policy_is_changed_in_the_named_fields_alone() -> None:
    made = changed(PILOT, {"modes": {"SOLO": {}, "DUAL": {"area": "CITY"}}}, Policy)
    assert Mode.SOLO in made.modes
    assert made.modes[Mode.DUAL].area == "CITY"
    assert made.modes[Mode.DUAL].requirements == PILOT.modes[Mode.DUAL].requirements
    assert made.window == PILOT.window
    assert Mode.SOLO not in PILOT.modes


@pytest.mark.parametrize(
    ("policy", "word"),
    [({"shift_gaurd_s": 1}, "shift_gaurd_s"), ({"shift_guard_s": "long"}, "long"),
     ({"on_no_care": "WAIT"}, "WAIT"), ({"modes": {"DUO": {}}}, "DUO"),
     ({"reserve_per_sector": -1}, "reserve"),
     ({"modes": {"DUAL": {"requirements": {"SPD": {"min_crew": 0}}}}}, "min_crew")],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused(policy: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        changed(PILOT, policy, Policy)


def test_a_setting_that_says_nothing_changes_nothing() -> None:
    assert Setting.of({}) == Setting.of({"policy": {}, "zones": []})
