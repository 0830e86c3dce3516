"""Daily hours by the wall clock as stretches of real time, right on days on which clocks change.

What lives here: `stretch_on`. What does not: on which days, and what a stretch means (the hours of
a programme in `routing.hours`, the windows of a closure in `closures`).

A start that the clock skips counts an hour later, as the clock does; a time that occurs twice
begins at its first and ends at its last occurrence. So hours of 11:00-23:00 always end when the
wall shows 23:00, and those over the night of the change are an hour shorter or longer.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def stretch_on(day: date, start: time, end: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return from when to when, in UTC, hours last that begin on a local day.

    An end not after the start lies on the next day; equal to it, the hours last a whole day.
    Within an hour that the clock skips an end may come out before its start: then they are none.
    """
    last = day if end > start else day + timedelta(days=1)
    begins = datetime.combine(day, start, zone)
    ends = datetime.combine(last, end, zone).replace(fold=1)
    if _is_skipped(ends):
        ends = ends.replace(fold=0)
    return begins.astimezone(UTC), ends.astimezone(UTC)


def _is_skipped(wall: datetime) -> bool:
    """Tell whether a wall-clock time does not occur, because the clock jumps over it."""
    shown = wall.astimezone(UTC).astimezone(wall.tzinfo)
    return shown.replace(tzinfo=None) != wall.replace(tzinfo=None)
