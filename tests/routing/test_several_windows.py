"""Several windows of one policy answer as one, on the days when clocks change as on others."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.hours import Opening, TimeWindow, TimeWindows
from routing.policy import PACIFIC

WEEKDAYS = frozenset(range(5))
LATE = TimeWindow(start=time(12), end=time(22), zone=PACIFIC, days=WEEKDAYS)
NIGHT = TimeWindow(start=time(20), end=time(4), zone=PACIFIC, days=frozenset({5, 6}))
MORNING = TimeWindow(start=time(7), end=time(9, 30), zone=PACIFIC, days=frozenset({0, 6}))
ALL = TimeWindows(windows=(LATE, NIGHT, MORNING))

SPRING = datetime(2026, 3, 5, 8, tzinfo=UTC)  # clocks go forward on 8 March, back on 1 November
AUTUMN = datetime(2026, 10, 29, 8, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


def is_open_by_the_wall(instant: datetime) -> bool:
    """Read the wall clock and the calendar, as a person would."""
    wall = instant.astimezone(PACIFIC)
    day, at = wall.weekday(), wall.time()
    return (
        (day in WEEKDAYS and time(12) <= at < time(22))
        or (day in {5, 6} and at >= time(20))
        or (day in {6, 0} and at < time(4))
        or (day in {6, 0} and time(7) <= at < time(9, 30))
    )


@pytest.mark.parametrize("begin", [SPRING, AUTUMN])
def test_they_are_open_when_the_wall_clock_says_so_over_a_clock_change(begin: datetime) -> None:
    instants = [begin + n * HALF_HOUR for n in range(9 * 48)]
    wrong = [at for at in instants if (ALL.open_at(at) is not None) != is_open_by_the_wall(at)]
    assert wrong == []
    assert {is_open_by_the_wall(at) for at in instants} == {True, False}


@pytest.mark.parametrize("begin", [SPRING, AUTUMN])
def test_the_openings_around_an_instant_are_those_of_a_list_of_all(begin: datetime) -> None:
    days = [(begin + timedelta(days=n)).date() for n in range(-12, 24)]
    every = [o for w in ALL.windows for day in days if (o := w.opening_on(day)) is not None]
    for at in (begin + n * 7 * HALF_HOUR for n in range(60)):
        closed = [o for o in every if o.closes_at <= at]
        coming = [o for o in every if o.opens_at > at]
        assert ALL.last_before(at) == max(closed, key=lambda o: o.closes_at)
        assert ALL.next_after(at) == min(coming, key=lambda o: o.opens_at)


def test_the_night_of_the_change_is_an_hour_shorter_and_an_hour_longer() -> None:
    def length(day: int, month: int) -> timedelta:
        opening = ALL.open_at(datetime(2026, month, day, 21, tzinfo=PACIFIC))
        assert isinstance(opening, Opening)
        return opening.closes_at - opening.opens_at

    assert [length(7, 3), length(31, 10), length(18, 7)] == [
        timedelta(hours=hours) for hours in (7, 9, 8)
    ]


def test_they_are_of_one_time_zone_and_at_least_one() -> None:
    elsewhere = TimeWindow(start=time(1), end=time(2), zone=ZoneInfo("America/New_York"))
    for windows in ((), (LATE, elsewhere)):
        with pytest.raises(ValueError, match="one time zone"):
            TimeWindows(windows=windows)


def test_their_text_names_equal_hours_once() -> None:
    again = TimeWindow(start=time(12), end=time(22), zone=PACIFIC, days=frozenset({6}))
    assert str(TimeWindows(windows=(LATE, again, NIGHT))) == "12:00-22:00, 20:00-04:00"
