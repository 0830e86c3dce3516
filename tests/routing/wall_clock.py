"""A slow, plain reading of the wall clock: one minute after the other, by zoneinfo alone.

What a window, a shift or a wait comes to is read off the minutes that were walked. Nothing of
`routing.hours` is used, and no arithmetic with wall-clock times but the look at what they show.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")
MINUTE = timedelta(minutes=1)
AROUND = timedelta(days=4)


@cache
def clock_changes(first_year: int, last_year: int) -> tuple[datetime, ...]:
    """Return the instants at which the clocks of Seattle were or will be put on or back."""
    end = datetime(last_year + 1, 1, 1, tzinfo=UTC)
    hours = [datetime(first_year, 1, 1, 8, tzinfo=UTC)]
    while hours[-1] < end:
        hours.append(hours[-1] + timedelta(hours=1))
    offsets = [hour.astimezone(PACIFIC).utcoffset() for hour in hours]
    return tuple(
        hours[i + 1] for i, (before, after) in enumerate(pairwise(offsets)) if before != after
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The minutes around a change of the clocks, and what the wall showed in each."""

    minutes: tuple[datetime, ...]
    """Instants in UTC."""
    shows: tuple[datetime, ...]
    """What the wall shows, without an offset."""
    when: Mapping[datetime, tuple[datetime, ...]]
    """The instants at which the wall shows a time: none, one or two."""

    def first(self, day: date, at: time) -> datetime:
        """Return when a time is first shown; a skipped one counts as much later as was skipped."""
        return self._shown(datetime.combine(day, at))[0]

    def last(self, day: date, at: time) -> datetime:
        """Return when a time is last shown, likewise."""
        return self._shown(datetime.combine(day, at))[-1]

    def _shown(self, wall: datetime) -> tuple[datetime, ...]:
        found = self.when.get(wall)
        return found if found is not None else self.when[wall + self.skipped]

    @property
    def skipped(self) -> timedelta:
        """How much the clock jumps over."""
        return max(after - before for before, after in pairwise(self.shows)) - MINUTE

    def days(self) -> list[date]:
        """Return the days of the walk of which everything was seen, the next one too."""
        return sorted({shown.date() for shown in self.shows})[1:-2]

    def minutes_between(self, begin: datetime, end: datetime) -> int:
        """Return how many minutes pass from one instant to another, by counting them."""
        return sum(begin <= minute < end for minute in self.minutes)


@cache
def walk(change: datetime) -> Walk:
    """Return the minutes around a change."""
    n = int(2 * AROUND / MINUTE)
    minutes = tuple(change - AROUND + i * MINUTE for i in range(n))
    shows = tuple(minute.astimezone(PACIFIC).replace(tzinfo=None) for minute in minutes)
    when = defaultdict(list)
    for minute, shown in zip(minutes, shows, strict=True):
        when[shown].append(minute)
    return Walk(minutes=minutes, shows=shows, when={wall: tuple(at) for wall, at in when.items()})


Stretch = tuple[datetime, datetime]


def stretches(seen: Walk, start: time, end: time, days: frozenset[int]) -> dict[date, Stretch]:
    """Return from when to when a window is open, by the day on which it opens."""
    found = {}
    for day in seen.days():
        if day.weekday() in days:
            last = day if end > start else day + timedelta(days=1)
            found[day] = (seen.first(day, start), seen.last(last, end))
    return found
