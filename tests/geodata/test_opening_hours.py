"""Opening hours become minutes of the week, and what is not read is never guessed."""

import numpy as np
import pytest

from geodata.opening_hours import hours_touched, minutes_of_week

DAYS = {"Mo": 0, "Tu": 1, "We": 2, "Th": 3, "Fr": 4, "Sa": 5, "Su": 6}


def by_hand(*spans: tuple[str, str]) -> np.ndarray:
    """Return the minutes of spans such as ("Mo Tu", "07:00-09:00"), none over midnight."""
    minutes = np.zeros(7 * 1440, np.bool_)
    for days, times in spans:
        begin, end = (int(t[:2]) * 60 + int(t[3:]) for t in times.split("-"))
        for day in days.split():
            minutes[DAYS[day] * 1440 + begin : DAYS[day] * 1440 + end] = True
    return minutes


WORK = "Mo Tu We Th Fr"


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        (
            "Mo-Fr 07:00-09:00,16:00-18:00",
            [(WORK, "07:00-09:00"), (WORK, "16:00-18:00")],
        ),
        ("Mo,We 7:30-8:15", [("Mo We", "07:30-08:15")]),
        ("Sa-Su", [("Sa Su", "00:00-24:00")]),
        ("Sa-Mo 10:00-12:00", [("Sa Su Mo", "10:00-12:00")]),
        ("15:00-19:00", [(WORK + " Sa Su", "15:00-19:00")]),
        ("24/7", [(WORK + " Sa Su", "00:00-24:00")]),
        (
            "Fr 22:00-02:00",
            [("Fr", "22:00-24:00"), ("Sa", "00:00-02:00")],
        ),
        ("Su 22:00-26:00", [("Su", "22:00-24:00"), ("Mo", "00:00-02:00")]),
        (
            "Mo-Fr 07:00-09:00; Sa 10:00-12:00",
            [(WORK, "07:00-09:00"), ("Sa", "10:00-12:00")],
        ),
        ("Mo-Fr 07:00-09:00; We off", [("Mo Tu Th Fr", "07:00-09:00")]),
        (
            "Mo-Fr 07:00-09:00; Fr 08:00-10:00",
            [("Mo Tu We Th", "07:00-09:00"), ("Fr", "08:00-10:00")],
        ),
        ("Mo-Fr 07:00-09:00, Fr 15:00-16:00", [(WORK, "07:00-09:00"), ("Fr", "15:00-16:00")]),
        ("Tu 07:00-11:00; 08:00-09:00 off", [("Tu", "07:00-08:00"), ("Tu", "09:00-11:00")]),
        ("Mo-Fr,PH 07:00-09:00", [(WORK, "07:00-09:00")]),
        ("Mo-Fr 07:00-09:00; PH off", [(WORK, "07:00-09:00")]),
        ("mo \N{EN DASH} fr 07:00 - 09:00", [(WORK, "07:00-09:00")]),
    ],
)
def test_the_common_part_of_opening_hours(text: str, spans: list[tuple[str, str]]) -> None:
    found = minutes_of_week(text)
    assert found is not None
    assert np.array_equal(found, by_hand(*spans))


@pytest.mark.parametrize(
    "text",
    [
        *("", ";", "PH", "PH off", "sunset-sunrise", "Apr-Sep", "SH Mo-Fr 07:00-09:00", "wet"),
        *("Mo-Fr 07:00-09:00 AND weight>7.5", "Mo[1] 07:00-09:00", "week 1-10 Mo", "Mo-Fr 07:00+"),
        *("07:00-09:00 Mo-Fr", "Mo-Fr 25:00-26:00", "Mo-Fr 07:60-09:00", "Mo-Fr 07:00-50:00"),
        *("Mo-Fr 07:00", 'Mo-Fr 07:00-09:00 "school"', "Monday", "Mo," * 400),
    ],
)
def test_other_texts_are_not_read(text: str) -> None:
    assert minutes_of_week(text) is None


def test_an_hour_of_which_a_minute_is_covered_counts_whole() -> None:
    minutes = minutes_of_week("Mo 07:59-09:00; Su 23:30-24:00")
    assert minutes is not None
    assert hours_touched(minutes) == 1 << 7 | 1 << 8 | 1 << 167
