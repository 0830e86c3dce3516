"""Things that change by themselves at an instant: one thread that applies them when it has come.

    timetable.add("release", apply)     # apply(now) -> the next instant, or None
    timetable.wake("release")           # something else may be due now

What lives here: the thread and its clock. What does not: what is applied (`releases.in_force`).
A clock may be set while the thread waits, so it looks at it at least every second.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.errors import StoreError

LOOK_S_MAX: Final = 1.0
"""Longest time between two looks at the clock."""
RETRY_S: Final = 0.5
"""After so long a thing is applied again that could not be."""

Apply = Callable[[datetime], datetime | None]
"""Brings something up to an instant, and returns the next one at which it changes."""
Noted = Callable[[BaseException, str], None]


@dataclass(slots=True, kw_only=True)
class _Thing:
    apply: Apply
    asked: int = 1
    """How often it was woken; applied once at the start."""
    done: int = 0
    """How often it had been woken when it was applied last."""
    at: datetime | None = None
    """When it changes next."""

    def is_due(self, now: datetime) -> bool:
        return self.asked > self.done or (self.at is not None and self.at <= now)


def _unnoted(_error: BaseException, _name: str) -> None:
    return


class Timetable:
    """One thread for all things of a service."""

    def __init__(self, now: Callable[[], datetime], noted: Noted = _unnoted) -> None:
        self._now = now
        self.noted = noted
        """Told of a fault of ours, and of the thing that it came from."""
        self._things: dict[str, _Thing] = {}
        self._turn = threading.Condition()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="timetable", daemon=True)

    def add(self, name: str, apply: Apply) -> None:
        """Apply a thing from now on, whenever its instant has come or it is woken."""
        with self._turn:
            self._things[name] = _Thing(apply=apply)
            self._turn.notify_all()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self, name: str) -> int:
        """Apply a thing now, and return the number that `wait_for` takes; any thread may call."""
        with self._turn:
            thing = self._things[name]
            thing.asked += 1
            self._turn.notify_all()
            return thing.asked

    def wait_for(self, name: str, number: int, seconds: float) -> bool:
        """Wait until a thing was applied after it was woken, and tell whether it was in time."""
        with self._turn:
            return self._turn.wait_for(lambda: self._things[name].done >= number, seconds)

    def close(self) -> None:
        """Stop after what is being applied."""
        with self._turn:
            self._is_open = False
            self._turn.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    # -- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(self._is_wanted, self._wait_s())
                if not self._is_open:
                    return
                now = self._now()
                due = [(name, one) for name, one in self._things.items() if one.is_due(now)]
            failed = [name for name, thing in due if not self._applied(name, thing, now)]
            if failed:
                with self._turn:
                    self._turn.wait_for(lambda: not self._is_open, RETRY_S)

    def _is_wanted(self) -> bool:
        return not self._is_open or any(one.asked > one.done for one in self._things.values())

    def _wait_s(self) -> float:
        """Return seconds until the next instant, cut off at the next look at the clock."""
        instants = [one.at for one in self._things.values() if one.at is not None]
        if not instants:
            return LOOK_S_MAX
        return min(LOOK_S_MAX, max(0.0, (min(instants) - self._now()).total_seconds()))

    def _applied(self, name: str, thing: _Thing, now: datetime) -> bool:
        """Apply a thing; one that fails is applied again, whatever it failed by."""
        asked = thing.asked
        try:
            at = thing.apply(now)
        except StoreError:
            return False
        except Exception as error:  # noqa: BLE001  a bug of ours must not end the thread
            self.noted(error, name)
            return False
        with self._turn:
            thing.done, thing.at = asked, at
            self._turn.notify_all()
        return True
