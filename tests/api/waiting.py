"""Waiting for another thread or process: bounded by tries, each a short wait on an event."""

from collections.abc import Callable
from threading import Event
from typing import Final

TRIES_MAX: Final = 1_200
TRY_S: Final = 0.1


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Return when a condition holds; fail when it does not within TRIES_MAX tries."""
    never = Event()
    for _ in range(TRIES_MAX):
        if holds():
            return
        never.wait(TRY_S)
    raise AssertionError(f"never came true: {what}")
