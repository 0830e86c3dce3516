"""When a closure closes: against a walk of every minute, and what several close together."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geodata.closures import (
    EVERY_DAY,
    ClosedNow,
    Closure,
    Effect,
    Traffic,
    Window,
    is_closed,
    next_change,
)
from tests.mutants import Mutant, bites
from tests.reliability.lengths import length
from tests.routing.wall_clock import MINUTE, PACIFIC, clock_changes, stretches, walk

DAY = timedelta(days=1)
CHANGES = clock_changes(2021, 2030)
HOURS = {
    "stadium": [(time(17), time(23))],
    "night": [(time(22), time(5))],
    "over the skipped hour": [(time(1, 30), time(2, 30))],
    "within the skipped hour": [(time(2, 15), time(2, 45))],
    "ends before it starts": [(time(2, 30), time(3, 15))],
    "within the repeated hour": [(time(1, 15), time(1, 45))],
    "whole days": [(time(0), time(0))],
    "whole days from the hour": [(time(1, 30), time(1, 30))],
    "bus hours": [(time(6), time(9)), (time(15), time(19))],
    "meeting": [(time(8), time(12)), (time(12), time(2, 30)), (time(2, 30), time(4))],
}


def closure(
    *windows: Window, starts_at: datetime = datetime(2020, 1, 1, tzinfo=UTC), **changes: Any
) -> Closure:
    """Return a closure of edges 3 and 5 that has begun and does not end."""
    given = {
        "closure_id": "c1", "name": "Event", "traffic": Traffic.ALL, "ends_at": None,
        "time_zone": PACIFIC, "edges": np.array([3, 5], np.int32), **changes,
    }  # fmt: skip
    return Closure(starts_at=starts_at, windows=windows, **given)


def windows_of(hours: str, days: frozenset[int] = EVERY_DAY) -> list[Window]:
    return [Window(start=start, end=end, days=days) for start, end in HOURS[hours]]


Told = tuple[datetime, bool]


def walked(
    windows: list[Window], change: datetime, limits: tuple[datetime, datetime]
) -> list[Told]:
    """Return for every minute of the days around a change whether it is closed, off the walk."""
    seen = walk(change)
    closed = [
        stretch
        for window in windows
        for stretch in stretches(seen, window.start, window.end, window.days).values()
    ]
    return [
        (minute, limits[0] <= minute < limits[1] and any(a <= minute < b for a, b in closed))
        for minute in seen.minutes
        if abs(minute - change) < DAY + DAY / 2
    ]


def wrong_minutes(one: Closure, told: list[Told], closed_at: Callable[..., bool]) -> list[datetime]:
    return [minute for minute, closed in told if closed_at(one, minute) != closed]


def wrong_changes(
    one: Closure, told: list[Told], changed_after: Callable[..., datetime | None], step: int
) -> list[datetime]:
    """Return the minutes of which the next change is not the first minute that differs."""
    found, coming = None, {}
    for (_, before), (minute, closed) in reversed(list(pairwise(told))):
        found = minute if closed != before else found
        coming[minute - MINUTE] = found
    return [
        minute
        for minute in list(coming)[::step]
        if coming[minute] is not None and changed_after(one, minute) != coming[minute]
    ]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change:%Y-%m}")
def test_every_minute_around_ten_years_of_clock_changes_is_as_the_walk_says(
    change: datetime,
) -> None:
    rng = random.Random(change.year)
    for hours in HOURS:
        days = frozenset(rng.sample(range(7), 5)) if rng.random() < 0.5 else EVERY_DAY
        windows = windows_of(hours, days)
        limits = (change - timedelta(minutes=rng.randrange(1000)), change + DAY)
        for one, bounds in (
            (closure(*windows), (change - 9 * DAY, change + 9 * DAY)),
            (closure(*windows, starts_at=limits[0], ends_at=limits[1]), limits),
        ):
            told = walked(windows, change, bounds)[:: length(29, 1)]
            assert wrong_minutes(one, told, is_closed) == []
            told = walked(windows, change, bounds)
            assert wrong_changes(one, told, next_change, length(499, 7)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (".replace(fold=1)", ""),
        ("ends = ends.replace(fold=0)", "pass"),
        ("begins.astimezone(UTC), ends", "begins.replace(tzinfo=UTC), ends"),
    ],
)
def test_windows_that_take_the_clock_for_the_time_are_noticed(old: str, new: str) -> None:
    def check(code: Callable[[str], Any]) -> None:
        closures = code("geodata.closures")
        for change in CHANGES[:2]:
            for hours in HOURS:
                windows = windows_of(hours)
                told = walked(windows, change, (change - 9 * DAY, change + 9 * DAY))[::5]
                one = code("geodata.closures").Closure(
                    closure_id="c", name="", traffic=Traffic.ALL, time_zone=PACIFIC,
                    starts_at=datetime(2020, 1, 1, tzinfo=UTC), ends_at=None,
                    windows=tuple(
                        closures.Window(start=w.start, end=w.end, days=w.days) for w in windows
                    ),
                    edges=np.array([1], np.int32),
                )  # fmt: skip
                assert wrong_minutes(one, told, closures.is_closed) == []

    bites(Mutant(module="geodata.wall_clock", old=old, new=new), check)


# -- begin, end and the second ------------------------------------------------------------------


def test_a_closure_holds_from_its_start_to_the_second_before_its_end() -> None:
    begin, end = datetime(2026, 7, 4, 17, tzinfo=PACIFIC), datetime(2026, 7, 4, 23, tzinfo=PACIFIC)
    one, second = closure(starts_at=begin, ends_at=end), timedelta(seconds=1)
    asked = [begin - second, begin, end - second, end]
    assert [is_closed(one, at) for at in asked] == [False, True, True, False]
    assert [next_change(one, at) for at in asked] == [begin, end, end, None]


def test_a_closure_without_windows_or_end_never_changes_again() -> None:
    now = datetime(2026, 7, 4, tzinfo=UTC)
    assert is_closed(closure(), now)
    assert next_change(closure(), now) is None


def test_a_closure_over_whole_days_changes_when_it_ends() -> None:
    end = datetime(2031, 5, 1, 3, 4, 5, tzinfo=UTC)
    one = closure(*windows_of("whole days"), ends_at=end)
    assert next_change(one, datetime(2026, 7, 4, tzinfo=UTC)) == end
    assert next_change(closure(*windows_of("whole days")), end) is None


def test_a_window_of_one_day_of_the_week_is_found_a_week_ahead() -> None:
    sunday = closure(Window(start=time(9), end=time(10), days=frozenset({6})))
    after = datetime(2026, 7, 5, 10, 0, 1, tzinfo=PACIFIC)
    assert next_change(sunday, after) == datetime(2026, 7, 12, 9, tzinfo=PACIFIC)


def test_the_next_change_of_daily_hours_is_found_within_a_few_days() -> None:
    days: list[date] = []

    class Seen(Window):
        def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
            days.append(day)
            return super().on(day, zone)

    at = datetime(2026, 11, 25, 20, tzinfo=UTC)
    daily = closure(Seen(start=time(7), end=time(9)))
    assert next_change(daily, at) == datetime(2026, 11, 26, 15, tzinfo=UTC)
    assert len(days) <= 4, "a thousand closures keep every write waiting"


@pytest.mark.parametrize("weekday", range(7))
def test_hours_that_meet_over_a_week_are_one_stretch(weekday: int) -> None:
    """Closed on all days but one: no look ahead takes the day where it ends for the change."""
    others = EVERY_DAY - {weekday}
    one = closure(Window(start=time(0), end=time(0), days=others))
    for day in range(8):
        at = datetime(2026, 6, 1, 9, tzinfo=UTC) + day * DAY
        local = at.astimezone(PACIFIC).date()
        ahead = next(n for n in range(1, 9) if (local + n * DAY).weekday() == weekday)
        if local.weekday() == weekday:
            ahead = 1
        midnight = datetime.combine(local + ahead * DAY, time(), PACIFIC)
        assert next_change(one, at) == midnight


def test_a_closure_that_begins_in_a_window_a_year_ahead_is_found() -> None:
    begin = datetime(2027, 7, 4, 18, 30, tzinfo=PACIFIC)
    one = closure(*windows_of("stadium"), starts_at=begin)
    assert next_change(one, datetime(2026, 7, 4, tzinfo=UTC)) == begin


def test_an_end_in_the_hour_that_occurs_twice_is_an_instant() -> None:
    begin = datetime(2026, 11, 1, 1, 30, tzinfo=PACIFIC)
    one = closure(starts_at=begin, ends_at=begin.replace(fold=1))
    assert is_closed(one, begin + timedelta(minutes=20))
    assert not is_closed(one, datetime(2026, 11, 1, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"starts_at": datetime(2026, 7, 4, tzinfo=UTC).replace(tzinfo=None)}, "offset"),
        ({"ends_at": datetime(2019, 7, 4, tzinfo=UTC)}, "after"),
        ({"edges": np.array([5, 3], np.int32)}, "rising"),
        ({"edges": np.array([], np.int32)}, "at least one"),
    ],
)
def test_a_closure_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        closure(**changes)


def test_a_window_on_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match="Monday"):
        Window(start=time(9), end=time(10), days=frozenset())


# -- several at once ------------------------------------------------------------------------------

NOON = datetime(2026, 7, 4, 12, tzinfo=UTC)


def edges(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.int32)


def test_overlapping_closures_end_independently() -> None:
    first = closure(closure_id="a", edges=edges(1, 2), ends_at=NOON)
    second = closure(closure_id="b", edges=edges(2, 3))
    before = ClosedNow.at([second, first], NOON - timedelta(seconds=1), 5)
    after = ClosedNow.at([second, first], NOON, 5)
    assert before.closed_routine.tolist() == [False, True, True, True, False]
    assert after.closed_routine.tolist() == [False, False, True, True, False]
    assert (before.n_active, after.n_active) == (2, 1)
    assert before.of_edge(2) == ("a", "b")
    assert after.of_edge(1) == ()


def test_what_lets_emergency_traffic_pass_is_open_to_it() -> None:
    now = ClosedNow.at([closure(traffic=Traffic.ALL_BUT_EMERGENCY)], NOON, 8)
    assert now.closed_routine.sum() == 2
    assert not now.closed_emergency.any()


def test_equal_edges_have_equal_ids_and_nothing_closed_is_0() -> None:
    one = ClosedNow.at([closure(edges=edges(1, 2)), closure(edges=edges(2, 4))], NOON, 8)
    other = ClosedNow.at([closure(closure_id="z", edges=edges(1, 2, 4))], NOON, 8)
    passed = ClosedNow.at(
        [closure(edges=edges(1, 2, 4), traffic=Traffic.ALL_BUT_EMERGENCY)], NOON, 8
    )
    assert one.closure_id == other.closure_id != passed.closure_id
    assert ClosedNow.at([closure(ends_at=NOON)], NOON, 8).closure_id == "0"


def test_an_edge_beyond_the_network_is_refused() -> None:
    with pytest.raises(ValueError, match="edge 5"):
        ClosedNow.at([closure()], NOON, 5)


def test_reversible_lanes_are_opened_by_their_hours_and_closed_by_a_closure() -> None:
    lanes = closure(*windows_of("bus hours"), effect=Effect.OPENS_LANES, edges=edges(1, 2))
    morning = datetime(2026, 7, 6, 7, tzinfo=PACIFIC)
    opened = ClosedNow.at([lanes], morning, 8)
    assert np.flatnonzero(opened.opened_lanes).tolist() == [1, 2]
    assert not opened.closed_routine.any()
    assert not opened.closed_emergency.any()
    assert ClosedNow.at([lanes], morning + timedelta(hours=3), 8).closure_id == "0"
    both = ClosedNow.at([lanes, closure(closure_id="works", edges=edges(2))], morning, 8)
    assert np.flatnonzero(both.closed_routine).tolist() == [2]
    assert len({opened.closure_id, both.closure_id, "0"}) == 3
