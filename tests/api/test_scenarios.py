"""The scenario book: every call is answered as the rules demand, and no expectation is idle."""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import typer

from api.commands.scenarios import run_scenarios
from api.errors import StartError
from api.live_view import LiveView
from api.scenarios.book import Ran, Scenario, find_scenario, read_book, run_scenario
from api.scenarios.expected import differences
from api.scenarios.setting import Setting
from api.scenarios.short_form import merged
from routing.model import Mode, Outcome

BOOK = read_book()
TITLE_LETTERS_MAX = 54
"""So that a row of the table fits into a terminal of 100 columns."""
TITLES = pytest.mark.parametrize("scenario", BOOK, ids=lambda one: f"{one.clock} {one.title}")


@pytest.fixture(scope="module")
def ran(view: LiveView) -> dict[str, Ran]:
    """Every call of the book, answered once."""
    return {scenario.name: run_scenario(view, scenario) for scenario in BOOK}


@TITLES
def test_a_call_is_answered_as_the_rules_demand(scenario: Scenario, ran: dict[str, Ran]) -> None:
    assert ran[scenario.name].differences == ()


@TITLES
def test_an_expectation_that_is_changed_anywhere_is_not_met(
    scenario: Scenario, ran: dict[str, Ran]
) -> None:
    answer = ran[scenario.name].answer
    idle = [what for what, bad in spoilt(scenario.expect) if not differences(bad, answer)]
    assert idle == []


def spoilt(expect: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an expectation once for each of its leaves, with that leaf made wrong."""
    plain = {key: value for key, value in expect.items() if key not in {"absent", "exactly"}}
    for path in list(leaves(plain)):
        bad = copy.deepcopy(plain)
        holder = bad
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = wrong(holder[path[-1]])
        yield ".".join(map(str, path)), bad
    for path in expect.get("exactly", ()):
        yield f"exactly {path}", {"exactly": [path], **one_more(path, expect)}
    yield "absent", {"absent": ["outcome"]}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value and not set(value) <= {"at_least", "at_most"}:
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, part in enumerate(value):
            yield from leaves(part, (*path, place))
    else:
        yield path


def wrong(value: Any) -> Any:
    """Return a value like another, and not it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime):
        return value + timedelta(seconds=1)
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return [*value, "NOBODY"]
    if isinstance(value, dict):
        return {"at_least": 10**9} if value else {"no_such_key": 1}
    return f"NOT {value}"


def one_more(path: str, expect: Mapping[str, Any]) -> dict[str, Any]:
    """Return an expectation of one element fewer in a list, so that one is more than expected."""
    *outer, last = path.split(".")
    part: Any = expect
    for step in outer:
        part = part.get(step, {})
    fewer: Any = {last: part.get(last, [{}])[:-1] or [{}, {}]}
    for step in reversed(outer):
        fewer = {step: fewer}
    return dict(fewer)


BROKEN_RULES = [
    ("1059", "the window opens earlier", {"window": {"start": "10:00:00"}}),
    ("2301", "the window closes later", {"window": {"end": "23:30:00"}}),
    ("1135", "a weapon refuses nothing", {"modes": {"DUAL": {"refuses_yes": []}}}),
    ("1203", "not knowing refuses nothing", {"modes": {"DUAL": {"refuses_unknown": []}}}),
    ("1302", "the officer's call type is tested", {"modes": {"CARE_ONLY_ADD": {"gates": [
        "LOCATION", "ZONE", "TIME_WINDOW", "CALL_TYPE", "SCREENING", "MODE"]}}}),
    ("1104", "CARE stages half a kilometre short", {"stage_short_m": 500.0}),
    ("1330", "police are held as well", {"on_no_care": "HOLD"}),
    ("1045", "nobody is told for an hour", {"escalate_after_s": 3600}),
    ("1500", "CARE may go alone", {"modes": {"DUAL": {"requirements": {"CARE": {"min_crew": 1}}}}}),
    ("1931", "no shift-end guard", {"shift_guard_s": 0}),
    ("1930", "a longer shift-end guard", {"shift_guard_s": 1801}),
    ("1536", "four minutes are fresh", {"avl_fresh_s": 250}),
    ("1530", "the future is believed", {"future_fix_s": 3600}),
    ("1518", "nobody is kept", {"min_gain_s": 0}),
    ("1521", "everybody is kept", {"min_gain_s": 600}),
    ("1604", "a larger reserve", {"reserve_per_sector": 2}),
    ("1620", "a skill is worth little", {"modes": {"DUAL": {"requirements": {"SPD": {
        "preferred_skills": {"CIT": 10}}}}}}),
    ("1126", "noise is a person down", {"call_types": {"kind_of": {
        "NOISE DISTURBANCE": "PERSON_DOWN"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("clock", "said", "policy"), BROKEN_RULES, ids=lambda one: str(one)[:40])
def test_a_broken_rule_is_noticed(
    clock: str, said: str, policy: dict[str, Any], view: LiveView
) -> None:
    scenario = find_scenario(clock, BOOK)
    told = merged(scenario.told, {"policy": policy})
    assert not run_scenario(view, replace(scenario, setting=Setting.of(told))).as_expected, said


# -- what the book covers -------------------------------------------------------------------------


def test_the_book_covers_every_rule_that_one_call_can_show() -> None:
    told = {rule for scenario in BOOK for rule in scenario.rules}
    assert {1, 2, 3, 4, 6, 7, 8, 9, 12, 13, 14, 15, 17} <= told <= set(range(1, 18))


def test_the_book_covers_every_outcome_and_mode(ran: dict[str, Ran]) -> None:
    answers = [one.answer for one in ran.values()]
    assert {answer["outcome"] for answer in answers} == {*Outcome, "REFUSED"}
    modes = {answer.get("mode") for answer in answers} - {None}
    assert modes == set(Mode) - {Mode.BY_POLICY}


def test_every_call_has_a_minute_of_its_own_and_a_title_that_fits() -> None:
    assert len(BOOK) >= 40
    assert [clock for clock, n in Counter(one.clock for one in BOOK).items() if n > 1] == []
    assert [one.name for one in BOOK if not one.name.startswith(one.clock.replace(":", ""))] == []
    assert [one.title for one in BOOK if len(one.title) > TITLE_LETTERS_MAX] == []
    assert [one.as_of.time() for one in BOOK] == sorted(one.as_of.time() for one in BOOK)


@TITLES
def test_a_call_says_why_by_the_rules_that_it_names(scenario: Scenario) -> None:
    assert scenario.rules
    assert "Rule" in scenario.why
    assert "outcome" in scenario.expect


# -- the command ----------------------------------------------------------------------------------


def test_a_differing_answer_is_shown_and_leaves_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    good = find_scenario("11:04", BOOK)
    bad = replace(good, expect={"outcome": "HOLD"})
    with pytest.raises(typer.Exit) as left:
        run_scenarios(None, as_request=False, book=(good, bad))
    assert left.value.exit_code == 1
    said = capsys.readouterr().out
    assert "DIFFERS" in said
    assert "outcome is DISPATCH; expected HOLD" in said
    assert "2 calls, 1 as the rules demand" in said


@pytest.mark.parametrize("wanted", ["11:04", "1104", "nearest-pair", "1104-nearest-pair"])
def test_a_call_is_found_by_its_time_its_name_or_a_part_of_it(wanted: str) -> None:
    assert find_scenario(wanted, BOOK).name == "1104-nearest-pair"


@pytest.mark.parametrize(("wanted", "word"), [("officer", "may be"), ("nowhere", "No scenario")])
def test_a_name_that_means_none_or_several_is_told(wanted: str, word: str) -> None:
    with pytest.raises(StartError, match=word):
        find_scenario(wanted, BOOK)
