"""Recurring windows as one line of text, for files and programs that have no lists of objects.

    mon,tue,wed 17:30-23:00; sat,sun 10:00-02:00

Days are those on which a window begins; without days it is for every day. An end that is not after
its start lies on the next day.
"""

import re
from collections.abc import Iterable
from typing import Final

from api.closures.records import DailyWindow

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEXT_MAX: Final = 4_000
_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d"
_WINDOW: Final = re.compile(
    rf"(?:(?P<days>[a-z]{{3}}(?:,[a-z]{{3}})*) )?(?P<start>{_CLOCK})-(?P<end>{_CLOCK})"
)


def text_of(windows: Iterable[DailyWindow]) -> str:
    """Return windows as one line; '' for none."""
    return "; ".join(map(_text, windows))


def windows_of(text: str) -> tuple[DailyWindow, ...]:
    """Return the windows of a line.

    Raises
    ------
    ValueError
        It is no such line.
    """
    if len(text) > TEXT_MAX:
        raise ValueError(f"windows of {len(text):,} characters; expected at most {TEXT_MAX:,}")
    parts = [part.strip() for part in text.lower().split(";")]
    return tuple(_window(part) for part in parts if part)


def _text(window: DailyWindow) -> str:
    days = ",".join(DAYS[day] for day in window.days)
    hours = f"{window.start}-{window.end}"
    return hours if len(window.days) == len(DAYS) else f"{days} {hours}"


def _window(part: str) -> DailyWindow:
    found = _WINDOW.fullmatch(part)
    days = [] if found is None or found["days"] is None else found["days"].split(",")
    if found is None or not set(days) <= set(DAYS):
        raise ValueError("a window is not written like mon,tue 17:30-23:00")
    numbers = sorted({DAYS.index(day) for day in days}) or range(len(DAYS))
    return DailyWindow(days=tuple(numbers), start=found["start"], end=found["end"])
