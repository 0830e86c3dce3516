"""The hours of a programme: local wall-clock windows as stretches of real time.

What lives here: `TimeWindow`, `TimeWindows` and the search for the openings around an instant. What
does not: what a closed window means for a call (`eligibility`).

A window is local time, start included, end excluded; it may cross midnight. Each local day on which
it opens makes one *opening*, a stretch between two instants, so the days on which clocks change are
right: an opening of 11:00-23:00 always ends when the wall shows 23:00, an opening over the night of
the change is an hour shorter or longer. A start that the clock skips counts an hour later, as the
clock does; a time that occurs twice opens at its first and closes at its last occurrence.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from geodata.wall_clock import stretch_on

EVERY_DAY = frozenset(range(7))
DAYS_KNOWN_MAX = 64
"""Days whose opening a window remembers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One stretch of open hours; instants in UTC, the end excluded."""

    opens_at: datetime
    closes_at: datetime

    def holds(self, instant: datetime) -> bool:
        """Tell whether an instant lies within."""
        return self.opens_at <= instant < self.closes_at


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """Daily hours by the wall clock of one time zone."""

    start: time
    end: time
    """Not after the start: it lies on the next day. Equal to the start: open for a whole day."""
    zone: ZoneInfo
    days: frozenset[int] = EVERY_DAY
    """Days on which it opens, Monday 0 to Sunday 6."""
    _known: dict[date, "Opening | None"] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Openings by day: a live decision asks for the same two or three days again and again."""
    _label: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.days or not self.days <= EVERY_DAY:
            raise ValueError(f"days are {sorted(self.days)}; expected some of 0 (Monday) to 6")
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("start and end are wall-clock times and carry no offset")
        object.__setattr__(self, "_label", f"{self.start:%H:%M}-{self.end:%H:%M}")

    def __str__(self) -> str:
        return self._label

    def local_date(self, instant: datetime) -> date:
        """Return the day that the wall calendar shows."""
        return instant.astimezone(self.zone).date()

    def opening_on(self, day: date) -> Opening | None:
        """Return the opening that begins on a local day, or None."""
        known = self._known
        if day not in known:
            if len(known) >= DAYS_KNOWN_MAX:
                known.clear()
            known[day] = self._opening_on(day)
        return known[day]

    def _opening_on(self, day: date) -> Opening | None:
        if day.weekday() not in self.days:
            return None
        opens_at, closes_at = stretch_on(day, self.start, self.end, self.zone)
        return Opening(opens_at=opens_at, closes_at=closes_at)

    def open_at(self, instant: datetime) -> Opening | None:
        """Return the opening that an instant lies in, or None when it is closed."""
        today = self.local_date(instant)
        for day in (today, today - timedelta(days=1)):
            opening = self.opening_on(day)
            if opening is not None and opening.holds(instant):
                return opening
        return None

    def last_before(self, instant: datetime) -> Opening | None:
        """Return the opening that closed last, at most eight days back."""
        today = self.local_date(instant)
        for back in range(9):
            opening = self.opening_on(today - timedelta(days=back))
            if opening is not None and opening.closes_at <= instant:
                return opening
        return None

    def next_after(self, instant: datetime) -> Opening | None:
        """Return the opening that begins next, at most eight days ahead."""
        today = self.local_date(instant)
        for ahead in range(9):
            opening = self.opening_on(today + timedelta(days=ahead))
            if opening is not None and opening.opens_at > instant:
                return opening
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindows:
    """Several windows of one time zone, such as other hours at weekends; they answer as one."""

    windows: tuple[TimeWindow, ...]

    def __post_init__(self) -> None:
        if len({str(window.zone) for window in self.windows}) != 1:
            raise ValueError("windows are none or of several time zones; expected one time zone")

    def __str__(self) -> str:
        return ", ".join(dict.fromkeys(map(str, self.windows)))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of all windows."""
        return self.windows[0].zone

    def local_date(self, instant: datetime) -> date:
        """Return the day that the wall calendar shows."""
        return self.windows[0].local_date(instant)

    def open_at(self, instant: datetime) -> Opening | None:
        """Return the opening that an instant lies in, or None when all are closed."""
        found = [w.open_at(instant) for w in self.windows]
        return max((o for o in found if o is not None), key=_closes_at, default=None)

    def last_before(self, instant: datetime) -> Opening | None:
        """Return the opening that closed last, at most eight days back."""
        found = [w.last_before(instant) for w in self.windows]
        return max((o for o in found if o is not None), key=_closes_at, default=None)

    def next_after(self, instant: datetime) -> Opening | None:
        """Return the opening that begins next, at most eight days ahead."""
        found = [w.next_after(instant) for w in self.windows]
        return min((o for o in found if o is not None), key=_opens_at, default=None)


Hours = TimeWindow | TimeWindows
"""What a policy has: one window, or several."""


def _opens_at(opening: Opening) -> datetime:
    return opening.opens_at


def _closes_at(opening: Opening) -> datetime:
    return opening.closes_at
