"""Things that change by themselves at an instant."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import StoreUnavailable
from api.timed import Timetable
from tests.api.call_story import NOW, FakeClock
from tests.api.waiting import wait_until

HOUR = dt.timedelta(hours=1)


class Bell:
    """Rings at instants, and remembers when it was applied."""

    def __init__(self, *instants: dt.datetime, faults: int = 0) -> None:
        self.instants = instants
        self.faults = faults
        self.applied: list[dt.datetime] = []
        self.rung = threading.Event()

    def __call__(self, now: dt.datetime) -> dt.datetime | None:
        if self.faults:
            self.faults -= 1
            raise StoreUnavailable("away") if self.faults % 2 else ValueError("a bug")
        self.applied.append(now)
        if any(one <= now for one in self.instants):
            self.rung.set()
        return min((one for one in self.instants if one > now), default=None)


@contextmanager
def running(clock: FakeClock, **bells: Bell) -> Iterator[tuple[Timetable, list[str]]]:
    faults: list[str] = []
    timetable = Timetable(clock, lambda error, name: faults.append(f"{name} {error}"))
    for name, bell in bells.items():
        timetable.add(name, bell)
    timetable.start()
    yield timetable, faults
    timetable.close()


def test_a_thing_is_applied_at_the_start_and_when_its_instant_has_come() -> None:
    clock, bell = FakeClock(), Bell(NOW + HOUR)
    with running(clock, bell=bell):
        wait_until(lambda: bell.applied == [NOW], "applied at the start")
        assert not bell.rung.is_set()
        clock.pass_by(3_600)
        assert bell.rung.wait(10)


def test_a_real_clock_is_met_within_half_a_second() -> None:
    at = dt.datetime.now(dt.UTC) + dt.timedelta(milliseconds=300)
    bell, table = Bell(at), Timetable(lambda: dt.datetime.now(dt.UTC))
    table.add("bell", bell)
    table.start()
    assert bell.rung.wait(10)
    table.close()
    assert at <= bell.applied[-1] < at + dt.timedelta(milliseconds=500)


def test_who_wakes_a_thing_can_wait_until_it_was_applied_after_that() -> None:
    bell = Bell()
    with running(FakeClock(), bell=bell) as (timetable, _):
        number = timetable.wake("bell")
        assert timetable.wait_for("bell", number, 10)
        assert bell.applied


def test_what_fails_is_tried_again_and_holds_up_no_other() -> None:
    bad, good = Bell(faults=2), Bell()
    with running(FakeClock(), bad=bad, good=good) as (_, faults):
        wait_until(lambda: bool(bad.applied), "it is applied at last")
    assert good.applied
    assert faults == ["bad a bug"]
