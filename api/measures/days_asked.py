"""Answering the measures of a day over HTTP: which day is meant, and a short memory of answers.

What anybody may ask without credentials must not cost a search of the store each time.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from api.errors import InvalidRequest, Problem
from api.measures.public import public
from api.measures.report import assumption_of, read_day
from api.settings import Settings
from api.store.database import Database

TIME_ZONE: Final = "America/Los_Angeles"
KEPT_S: Final = 60
KEPT_MAX: Final = 64
FIRST_YEAR: Final = 2000


def day_of(said: str | None, now: datetime, *, must_be_over: bool) -> date:
    """Return the day that is asked for; yesterday where none is.

    Raises
    ------
    InvalidRequest
        It is no day, or one that is not over where it must be.
    """
    today = now.astimezone(ZoneInfo(TIME_ZONE)).date()
    if said is None:
        return today - timedelta(days=1)
    day = _read(said)
    if day is None or not FIRST_YEAR <= day.year <= today.year + 1:
        raise _refused("DAY_INVALID", "is no day of this century; expected one like 2026-07-21")
    if must_be_over and day >= today:
        raise _refused("DAY_NOT_OVER", f"is not over in {TIME_ZONE}")
    return day


def _read(said: str) -> date | None:
    try:
        return date.fromisoformat(said) if len(said) == len("2026-07-21") else None
    except ValueError:
        return None


def _refused(code: str, detail: str) -> InvalidRequest:
    remedy = "Ask without it for yesterday, or read docs/measures.md."
    problem = Problem(path="/query/date", code=code, detail=detail, remedy=remedy)
    return InvalidRequest(f"/query/date: {detail}.", remedy=remedy, problems=(problem,))


class DaysAsked:
    """Answers about days, each kept for `KEPT_S`; asked by one thread at a time or by several.

    Two threads that ask for one day at once may both look it up; both answers are right.
    """

    def __init__(self, database: Database, settings: Settings, now: Callable[[], datetime]) -> None:
        self._database = database
        self._assumption = assumption_of(settings)
        self._now = now
        self._kept: OrderedDict[tuple[date, bool], tuple[datetime, bytes]] = OrderedDict()

    def answer(self, day: date, *, is_public: bool) -> bytes:
        """Return the measures of a day as JSON, or what of them the public may be told."""
        asked = (day, is_public)
        kept = self._kept.get(asked)
        if kept is not None and self._now() - kept[0] < timedelta(seconds=KEPT_S):
            return kept[1]
        found = read_day(self._database, day, TIME_ZONE, self._assumption)
        body = msgspec.json.encode(public(found) if is_public else found)
        self._kept[asked] = (self._now(), body)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return body
