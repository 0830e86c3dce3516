"""Rule 1: hours are local, start included, end excluded, across midnight and clock changes."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from routing.hours import TimeWindow
from routing.model import Agency, AssignedUnit, Status, UnitId
from routing.policy import PACIFIC, PILOT, OnNoCare
from tests.routing.situations import ALL_NO, call, decide, fix, gate, unit

PAIR = [unit("C1", "AB", shift_end=None), unit("S1", "KL", shift_end=None)]
DAY = TimeWindow(start=time(11), end=time(23), zone=PACIFIC)
NIGHT = TimeWindow(start=time(19), end=time(4), zone=PACIFIC)


def local(day: int, hour: int, minute: int = 0, *, month: int = 7, second: int = 0, fold: int = 0):
    return datetime(2026, month, day, hour, minute, second, tzinfo=PACIFIC, fold=fold)


def asked(now: datetime, received: datetime | None = None, **changes):
    incident = call(
        received_at=received, queued_at=None, screening=replace(ALL_NO, completed_at=now)
    )
    return decide(PAIR, incident, now=now, **changes)


def test_the_start_is_inside_and_the_end_is_outside():
    assert DAY.open_at(local(21, 11)) is not None
    assert DAY.open_at(local(21, 22, 59, second=59)) is not None
    assert DAY.open_at(local(21, 10, 59, second=59)) is None
    assert DAY.open_at(local(21, 23)) is None


def test_a_window_may_cross_midnight():
    assert NIGHT.open_at(local(21, 3, 59)) is not None
    assert NIGHT.open_at(local(21, 19)) is not None
    assert NIGHT.open_at(local(21, 4)) is None
    assert NIGHT.open_at(local(21, 12)) is None


def test_a_window_counts_for_the_day_on_which_it_opens():
    monday_nights = replace(NIGHT, days=frozenset({0}))
    assert monday_nights.open_at(local(20, 20)) is not None  # 20 July 2026 is a Monday
    assert monday_nights.open_at(local(21, 3)) is not None
    assert monday_nights.open_at(local(21, 20)) is None
    assert monday_nights.open_at(local(20, 3)) is None


@pytest.mark.parametrize(("day", "month", "hours"), [(7, 3, 9), (31, 10, 9)])
def test_a_night_of_a_clock_change_is_an_hour_shorter_or_longer(day, month, hours):
    opening = NIGHT.opening_on(local(day, 12, month=month).date())
    changed = {3: hours - 1, 10: hours + 1}[month]
    assert opening.closes_at - opening.opens_at == timedelta(hours=changed)


@pytest.mark.parametrize("day", [7, 8, 9])
def test_the_pilot_closes_when_the_wall_shows_23_in_spring(day):
    opening = DAY.opening_on(local(day, 12, month=3).date())
    assert opening.opens_at == local(day, 11, month=3)
    assert opening.closes_at == local(day, 23, month=3)


def test_whole_days_have_23_and_25_hours_when_the_clocks_change():
    always = TimeWindow(start=time(0), end=time(0), zone=PACIFIC)
    for day, month, hours in ((8, 3, 23), (1, 11, 25), (21, 7, 24)):
        opening = always.opening_on(local(day, 12, month=month).date())
        assert opening.closes_at - opening.opens_at == timedelta(hours=hours)


def test_a_start_that_the_clock_skips_counts_an_hour_later():
    window = TimeWindow(start=time(2, 30), end=time(6), zone=PACIFIC)
    opening = window.opening_on(local(8, 12, month=3).date())
    assert opening.opens_at == datetime(2026, 3, 8, 10, 30, tzinfo=UTC)  # 03:30 by the new clock
    assert window.open_at(local(8, 3, 29, month=3)) is None


def test_an_end_that_the_clock_skips_counts_an_hour_later():
    window = TimeWindow(start=time(22), end=time(2, 30), zone=PACIFIC)
    opening = window.opening_on(local(7, 12, month=3).date())
    assert opening.closes_at == datetime(2026, 3, 8, 10, 30, tzinfo=UTC)


def test_an_end_that_occurs_twice_is_its_last_occurrence():
    window = TimeWindow(start=time(20), end=time(1, 30), zone=PACIFIC)
    assert window.open_at(local(1, 1, 45, month=11)) is not None
    assert window.open_at(local(1, 1, 29, month=11, fold=1)) is not None
    assert window.open_at(local(1, 1, 30, month=11, fold=1)) is None


def test_before_opening_a_call_is_held_until_it_opens():
    answer = asked(local(21, 10, 15))
    window = gate(answer, "TIME_WINDOW")
    assert (answer.outcome, window.code) == ("HOLD", "BEFORE_OPENING")
    assert window.opens_at == answer.hold.earliest_dispatch_at == local(21, 11)
    assert (answer.hold.estimate_basis, answer.hold.reasons) == (
        "WINDOW_OPENS", ("WINDOW_NOT_OPEN",),
    )  # fmt: skip
    assert answer.hold.resolve_on == ("TIMER",)


def test_police_are_not_held_back_while_a_call_waits_for_opening():
    answer = asked(local(21, 4))
    assert [one.unit_id for one in answer.hold.send_now] == ["S1"]
    silent = asked(local(21, 4), policy=replace(PILOT, on_no_care=OnNoCare.HOLD))
    assert silent.hold.send_now == ()


def test_police_on_their_way_do_not_start_again_at_the_opening():
    units = [unit("C1", fix("BG", age_s=4 * 3600)), unit("S1", fix("NO", age_s=4 * 3600))]
    answer = decide(units, now=local(21, 10, 15))
    care_s = decide(units).assign[1].arrive_s
    assert answer.hold.earliest_pair_at == local(21, 11) + timedelta(seconds=care_s)


def test_care_on_a_call_before_opening_is_not_left_without_police():
    care = AssignedUnit(unit_id=UnitId("C9"), agency=Agency.CARE, status=Status.ON_SCENE)
    answer = decide([unit("S1")], call(assigned=(care,)), now=local(21, 10, 15))
    assert answer.outcome == "DISPATCH"
    assert [(one.unit_id, one.already_assigned) for one in answer.assign] == [
        ("S1", False), ("C9", True),
    ]  # fmt: skip


def test_the_wait_for_opening_is_bounded_by_policy():
    short = replace(PILOT, hold_before_opening_max_s=3600)
    assert asked(local(21, 10), policy=short).outcome == "HOLD"
    assert asked(local(21, 9, 59), policy=short).outcome == "NOT_ELIGIBLE"


def test_after_closing_a_new_call_is_not_eligible():
    answer = asked(local(21, 23, 5), received=local(21, 23, 1))
    window = gate(answer, "TIME_WINDOW")
    assert (answer.outcome, window.code) == ("NOT_ELIGIBLE", "OUTSIDE_WINDOW")
    assert (window.overridable_by, window.opens_at) == ("SUPERVISOR", local(22, 11))


def test_a_call_accepted_before_closing_stays_eligible():
    answer = asked(local(22, 0, 30), received=local(21, 22, 59, second=59))
    assert (answer.outcome, gate(answer, "TIME_WINDOW").code) == (
        "DISPATCH", "ACCEPTED_BEFORE_CLOSING",
    )  # fmt: skip


def test_a_call_accepted_in_an_earlier_opening_than_the_last_is_not():
    answer = asked(local(22, 23, 30), received=local(21, 22))
    assert answer.outcome == "NOT_ELIGIBLE"


def test_a_call_received_before_opening_is_tested_at_the_decision():
    assert asked(local(21, 11), received=local(21, 10, 15)).outcome == "DISPATCH"


def test_another_failure_beats_the_wait_for_opening():
    incident = call(call_type="TREES DOWN")
    answer = decide(PAIR, incident, now=local(21, 10, 15))
    assert (answer.outcome, answer.hold) == ("NOT_ELIGIBLE", None)


def test_a_window_needs_days_and_wall_clock_times():
    with pytest.raises(ValueError, match="days"):
        replace(DAY, days=frozenset())
    with pytest.raises(ValueError, match="wall-clock"):
        replace(DAY, start=time(11, tzinfo=UTC))
