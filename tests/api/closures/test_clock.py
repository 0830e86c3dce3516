"""The thread that swaps the view: called at the instants it names, woken, ended by no bug."""

import datetime as dt
import threading

from api.closures.clock import ClosureClock
from tests.api.closures.closure_story import NOW
from tests.api.waiting import wait_until


class Applied:
    """Counts its calls, and fails at the first where that is asked for."""

    def __init__(self, next_s: float, *, fails: bool = False) -> None:
        self.next_s, self.fails = next_s, fails
        self.calls = 0
        self.faults: list[str] = []
        self.called = threading.Event()

    def __call__(self, now: dt.datetime) -> dt.datetime:
        self.calls += 1
        self.called.set()
        if self.fails:
            self.fails = False
            raise ValueError("a bug")
        return now + dt.timedelta(seconds=self.next_s)

    def noted(self, fault: BaseException, where: str) -> None:
        self.faults.append(f"{type(fault).__name__} in {where}")


def test_it_is_called_again_at_the_instant_it_names_and_when_it_is_woken() -> None:
    often, seldom = Applied(0.0), Applied(3600.0)
    clocks = [ClosureClock(one, lambda: NOW, one.noted) for one in (often, seldom)]
    for clock in clocks:
        clock.start()
    wait_until(lambda: often.calls > 3, "it is called again")
    assert seldom.calls == 1
    clocks[1].wake()
    wait_until(lambda: seldom.calls == 2, "it is woken")
    for clock in clocks:
        clock.close()
    calls = often.calls
    clocks[0].wake()
    assert often.calls == calls


def test_a_fault_is_noted_and_does_not_end_it() -> None:
    applied = Applied(3600.0, fails=True)
    clock = ClosureClock(applied, lambda: NOW, applied.noted)
    clock.start()
    wait_until(lambda: applied.faults == ["ValueError in closures"], "the fault is noted")
    clock.wake()
    wait_until(lambda: applied.calls == 2, "it goes on")
    clock.close()
