"""One thread that calls something at the instants which it names itself, and when it is woken."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

Clock = Callable[[], datetime]
Noted = Callable[[BaseException, str], None]
WAIT_S_MAX: Final = 30.0
"""Longest time between two calls: this machine's clock may be set."""
WAIT_S_MIN: Final = 0.01
"""Shortest one: nothing is wrong where it is late, and a clock that stands must not make it run."""
AGAIN_S: Final = 1.0
"""After so long it is called again when it failed."""


class ClosureClock:
    """Calls `apply` with the instant of now; it returns when to be called next."""

    def __init__(self, apply: Callable[[datetime], datetime], now: Clock, noted: Noted) -> None:
        self._apply = apply
        self._now = now
        self._noted = noted
        self._turn = threading.Condition()
        self._is_woken = False
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="closures", daemon=True)

    def start(self) -> None:
        """Begin to call."""
        self._thread.start()

    def wake(self) -> None:
        """Call now."""
        with self._turn:
            self._is_woken = True
            self._turn.notify()

    def close(self) -> None:
        """Call no more."""
        with self._turn:
            self._is_open = False
            self._turn.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while self._is_open:
            wait_s = self._called()
            with self._turn:
                self._turn.wait_for(lambda: self._is_woken or not self._is_open, wait_s)
                self._is_woken = False

    def _called(self) -> float:
        """Call once and return how long to wait."""
        try:
            now = self._now()
            left_s = (self._apply(now) - now).total_seconds()
        except Exception as error:  # noqa: BLE001  a bug of ours must not end the thread
            self._noted(error, "closures")
            return AGAIN_S
        return min(max(left_s, WAIT_S_MIN), WAIT_S_MAX)
