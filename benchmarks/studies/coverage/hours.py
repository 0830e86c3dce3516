"""Hours of the week: which one a call came in, which are open, and how they are said."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.impact.reach import policy_of
from benchmarks.studies.generated_demand import hour_of_week_at
from geodata.network import HOURS_PER_WEEK
from routing.release import Release

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEK_TRIED: Final = (2026, 7, 20)
"""A Monday of a week without a change of clocks."""


def hours_of(release: Release, at_s: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return (n,) hours of the week, local, of instants in seconds since 1970."""
    return hour_of_week_at(at_s, release.city_policy.window.zone).astype(np.int32)


def open_hours(release: Release) -> NDArray[np.bool_]:
    """Return (168,) whether the policy of any zone is open in the middle of each hour."""
    policies = [policy_of(release, zone.zone_id) for zone in release.zones.zones]
    windows = [policy.window for policy in policies or [release.city_policy]]
    begin = datetime(*WEEK_TRIED, tzinfo=release.city_policy.window.zone)
    middles = [begin + timedelta(hours=hour, minutes=30) for hour in range(HOURS_PER_WEEK)]
    return np.array([any(w.open_at(m) is not None for w in windows) for m in middles])


def in_words(hour: int) -> str:
    """Return an hour of the week such as `Tue 13:00`."""
    return f"{DAYS[hour // 24]} {hour % 24:02}:00"


def hours_in_words(hours: Iterable[int]) -> str:
    """Return hours of the week such as `daily 11-23` or `Mon-Fri 08-18, Sat 10-14`."""
    by_day: list[tuple[int, ...]] = [()] * 7
    for hour in sorted(hours):
        by_day[hour // 24] += (hour % 24,)
    said, day = [], 0
    for some, alike in groupby(by_day):
        n = len(list(alike))
        if some:
            named = DAYS[day] if n == 1 else f"{DAYS[day]}-{DAYS[day + n - 1]}"
            said.append(f"{'daily' if n == 7 else named} {_ranges(some)}")
        day += n
    return ", ".join(said)


def _ranges(hours: Sequence[int]) -> str:
    begins = [h for h in hours if h - 1 not in hours]
    ends = [h + 1 for h in hours if h + 1 not in hours]
    return " and ".join(f"{a:02}-{b:02}" for a, b in zip(begins, ends, strict=True))
