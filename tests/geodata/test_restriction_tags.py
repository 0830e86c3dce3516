"""What the tags of a restriction forbid a car, and in which hours."""

import pytest

from geodata.raw_streets import ALL_HOURS
from geodata.restriction_tags import (
    CARS_EXCEPTED,
    HOURS_NOT_READ,
    KIND_NOT_READ,
    OTHER_VEHICLES,
    TurnRule,
    read_restriction,
)

NO_TURN = TurnRule(only=False, u_turn=False)
CONDITIONAL = "restriction:conditional"


def hours(*wanted: int, days: range = range(7)) -> int:
    return sum(1 << 24 * day + hour for day in days for hour in wanted)


WEEKDAYS = range(5)


@pytest.mark.parametrize(
    ("tags", "meaning"),
    [
        ({"restriction": "no_left_turn"}, NO_TURN),
        ({"restriction": "no_u_turn"}, TurnRule(only=False, u_turn=True)),
        ({"restriction": "only_straight_on"}, TurnRule(only=True, u_turn=False)),
        ({"restriction:motorcar": "no_right_turn"}, NO_TURN),
        ({"restriction:motor_vehicle": "no_right_turn"}, NO_TURN),
        ({"restriction:vehicle": "no_right_turn"}, NO_TURN),
        ({"restriction:hgv": "only_straight_on", "restriction": "no_left_turn"}, NO_TURN),
        ({"restriction:motorcar": "no_entry", "restriction": "only_left_turn"}, NO_TURN),
        ({"restriction": "no_left_turn", "except": "bus;bicycle"}, NO_TURN),
        ({"restriction": "no_left_turn", "except": "emergency;bus"}, NO_TURN),
        ({"restriction": "no_left_turn", "except": "motorcar"}, CARS_EXCEPTED),
        ({"restriction": "no_left_turn", "except": "psv; motor_vehicle"}, CARS_EXCEPTED),
        ({"restriction:hgv": "no_left_turn"}, OTHER_VEHICLES),
        ({"restriction:bus": "no_left_turn"}, OTHER_VEHICLES),
        ({"restriction:hgv:conditional": "no_left_turn @ (Sa)"}, OTHER_VEHICLES),
        ({"restriction": "give_way"}, KIND_NOT_READ),
        ({"restriction": "no_left_turn @ (Sa)"}, KIND_NOT_READ),
        ({CONDITIONAL: "no_left_turn @ (weight>7.5)"}, HOURS_NOT_READ),
        ({CONDITIONAL: "no_left_turn"}, HOURS_NOT_READ),
        ({CONDITIONAL: "no_left_turn @ (Sa)", "except": "motorcar"}, CARS_EXCEPTED),
    ],
)
def test_one_rule_or_the_reason_why_there_is_none(
    tags: dict[str, str], meaning: TurnRule | str
) -> None:
    expected = ([], [meaning]) if isinstance(meaning, str) else ([meaning], [])
    assert read_restriction({"type": "restriction"} | tags) == expected


@pytest.mark.parametrize("key", [CONDITIONAL, "restriction:motorcar:conditional"])
@pytest.mark.parametrize(
    "text",
    [
        "no_left_turn @ (Mo-Fr 07:00-09:00,16:00-18:00)",
        "no_left_turn @ Mo-Fr 07:00-09:00,16:00-18:00",
        "no_left_turn@(Mo-Fr 07:00-08:30; Mo-Fr 07:00-09:00,16:00-18:00);",
        "no_left_turn @ (Mo-Fr 07:30-09:00,16:00-17:15)",
        "no_left_turn @ (Mo-Fr 07:00-09:00); no_right_turn @ (Mo-Fr 16:00-18:00)",
    ],
)
def test_a_rule_by_the_hour_binds_in_every_hour_it_touches(key: str, text: str) -> None:
    rules, left_out = read_restriction({key: text})
    assert left_out == []
    bound = 0
    for rule in rules:
        assert not rule.only
        bound |= rule.hours
    assert bound == hours(7, 8, 16, 17, days=WEEKDAYS)


def test_a_rule_that_lifts_another_frees_only_whole_hours() -> None:
    tags = {"restriction": "no_left_turn", CONDITIONAL: "none @ (Sa-Su 08:30-11:00)"}
    (rule,), left_out = read_restriction(tags)
    assert left_out == []
    assert rule.hours == ALL_HOURS & ~hours(9, 10, days=range(5, 7))


def test_the_last_rule_of_an_hour_wins() -> None:
    text = "no_left_turn @ (07:00-10:00); only_straight_on @ (08:00-09:00)"
    rules, _ = read_restriction({CONDITIONAL: text})
    assert {rule.only: rule.hours for rule in rules} == {False: hours(7, 9), True: hours(8)}


def test_the_key_of_cars_overrules_what_is_said_of_all_vehicles_by_the_hour() -> None:
    tags = {"restriction:motorcar": "no_left_turn", CONDITIONAL: "none @ (Sa)"}
    assert read_restriction(tags) == ([NO_TURN], [])
    lifted = {"restriction": "no_left_turn", "restriction:motorcar:conditional": "none @ (24/7)"}
    assert read_restriction(lifted) == ([], [])


def test_hours_that_are_not_read_leave_the_rest_in_force_and_are_named() -> None:
    tags = {"restriction": "no_left_turn", CONDITIONAL: "none @ (sunset-sunrise)"}
    assert read_restriction(tags) == ([NO_TURN], [HOURS_NOT_READ])
