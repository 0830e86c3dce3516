"""Waiting for another thread or process: bounded by tries, each a short wait on an event."""

from collections.abc import Callable
from threading import Event
from typing import Final

TRIES_MAX: Final = 1_200
TRY_S: Final = 0.1


def wait_until(holds: Callable[[], bool], what: str, tries_max: int = TRIES_MAX) -> None:
    """Return when a condition holds; fail when it does not within so many tries."""
    never = Event()
    for _ in range(tries_max):
        if holds():
            return
        never.wait(TRY_S)
    raise AssertionError(f"never came true: {what}")
