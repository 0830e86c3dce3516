"""Closures: which edges nobody may drive, from when to when, and what of them holds at an instant.

What lives here: `Closure` with its `Window`s, the two questions about time (`is_closed`,
`next_change`) and `ClosedNow`, what all closures together close at an instant. What does not: from
a place on the map to edges (`closure_places`), what a closure cuts off (`closure_effect`), how
somebody drives around it or reaches a call inside (`routing`).

A closure begins at an instant (included) and ends at one (excluded) or is open-ended. With windows
it closes its edges only within them: local time by the wall clock, which may cross midnight. All
instants are exact; the time zone's rules are applied only to windows (`wall_clock`).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final, Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.wall_clock import stretch_on

EVERY_DAY: Final = frozenset(range(7))
WINDOWS_MAX: Final = 100
"""Windows of one closure."""
LOOK_AHEAD_DAYS: Final = 22
"""A window opens or ends at least once in three weeks, whatever the clocks do in between."""
_LOOKS_DAYS: Final = (2, 8, LOOK_AHEAD_DAYS)
"""How far is looked for the next change, in turns: most windows are daily, most others weekly."""
_NEVER: Final[tuple[datetime | None, bool]] = None, True
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
NO_CLOSURES: Final = "0"
"""The `closure_id` of nothing closed."""


class Traffic(StrEnum):
    """Whom a closure keeps out."""

    ALL = "ALL"
    ALL_BUT_EMERGENCY = "ALL_BUT_EMERGENCY"
    """Whoever drives with lights and sirens may pass."""


class Effect(StrEnum):
    """What a closure does to its edges while it holds."""

    CLOSES = "CLOSES"
    OPENS_LANES = "OPENS_LANES"
    """Reversible lanes (`StreetFlag.GATED`), which are closed otherwise, may be driven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Daily hours by the wall clock: start included, end excluded."""

    start: time
    end: time
    """Not after the start: it lies on the next day. Equal to the start: closed for a whole day."""
    days: frozenset[int] = EVERY_DAY
    """Days on which it begins, Monday 0 to Sunday 6."""

    def __post_init__(self) -> None:
        if not self.days or not self.days <= EVERY_DAY:
            raise ValueError(f"days are {sorted(self.days)}; expected some of 0 (Monday) to 6")
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("start and end are wall-clock times and carry no offset")

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """Return from when to when it closes on a local day, None when it does not."""
        if day.weekday() not in self.days:
            return None
        begins, ends = stretch_on(day, self.start, self.end, zone)
        return (begins, ends) if begins < ends else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Closure:
    """Edges of one network that are closed for some time."""

    closure_id: str
    name: str
    """In the words of whoever closed it, such as `Stadium event`."""
    traffic: Traffic
    starts_at: datetime
    """With an offset, kept in UTC; included."""
    ends_at: datetime | None
    """Excluded; None until somebody ends it."""
    windows: tuple[Window, ...]
    """It closes within any of them; without any all the time."""
    time_zone: ZoneInfo
    edges: NDArray[np.int32]
    """(n_closed,) in rising order, each once."""
    effect: Effect = Effect.CLOSES

    def __post_init__(self) -> None:
        for name, instant in (("starts_at", self.starts_at), ("ends_at", self.ends_at)):
            if instant is not None and instant.utcoffset() is None:
                raise ValueError(f"{name} is {instant}; expected an instant with its offset")
        if self.ends_at is not None and self.ends_at.timestamp() <= self.starts_at.timestamp():
            raise ValueError(f"ends at {self.ends_at}; expected an end after {self.starts_at}")
        if len(self.windows) > WINDOWS_MAX:
            raise ValueError(f"{len(self.windows)} windows; expected at most {WINDOWS_MAX}")
        if self.edges.dtype != np.int32 or self.edges.ndim != 1 or not len(self.edges):
            raise ValueError("edges are none or no int32 column; expected at least one edge")
        if (np.diff(self.edges) <= 0).any() or self.edges[0] < 0:
            raise ValueError("edges are not in rising order, or named twice")
        self.edges.setflags(write=False)
        # Two instants of one time zone would be compared by what the wall shows.
        object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC))
        if self.ends_at is not None:
            object.__setattr__(self, "ends_at", self.ends_at.astimezone(UTC))


def is_closed(closure: Closure, instant: datetime) -> bool:
    """Tell whether the edges of a closure are closed at an instant."""
    at = instant.astimezone(UTC)
    return any(begins <= at < ends for begins, ends in _stretches(closure, at, 0))


def next_change(closure: Closure, instant: datetime) -> datetime | None:
    """Return the next instant, in UTC, at which a closure opens or closes; None when never again.

    It is the first after `instant` at which `is_closed` says other than it does at `instant`;
    windows that meet or overlap are one.
    """
    at = instant.astimezone(UTC)
    first = max(at, closure.starts_at)
    found, is_last = _NEVER
    for ahead_days in _LOOKS_DAYS:
        coming = sorted(_stretches(closure, first, ahead_days))
        found, is_last = _change(at, coming)
        # A day that was not looked at may lengthen a stretch that reaches it.
        if found is not None and found <= first + timedelta(days=ahead_days - 1):
            return found
    always = found is not None and found > at + timedelta(days=LOOK_AHEAD_DAYS - 1)
    return closure.ends_at if is_last and always else found


def _change(at: datetime, coming: list[tuple[datetime, datetime]]) -> tuple[datetime | None, bool]:
    """Return the first change after an instant, and whether no stretch begins after it."""
    closed_until = at
    for begins, ends in coming:
        if begins > closed_until:
            # Nothing is closed from here to the next stretch.
            return (begins if closed_until == at else closed_until), False
        closed_until = max(closed_until, ends)
    return (None if closed_until == at else closed_until), True


def _stretches(
    closure: Closure, instant: datetime, ahead_days: int
) -> Iterator[tuple[datetime, datetime]]:
    """Yield what it closes from the day before an instant to some days after it, in UTC."""
    last = _FOREVER if closure.ends_at is None else closure.ends_at
    if not closure.windows:
        yield closure.starts_at, last
        return
    today = instant.astimezone(closure.time_zone).date()
    for days in range(-1, ahead_days + 1):
        for window in closure.windows:
            stretch = window.on(today + timedelta(days=days), closure.time_zone)
            if stretch is not None:
                begins, ends = max(stretch[0], closure.starts_at), min(stretch[1], last)
                if begins < ends:
                    yield begins, ends


@dataclass(frozen=True, kw_only=True, eq=False)
class ClosedNow:
    """What is closed at an instant, whatever closures it comes from."""

    n_edges: int
    """Of the network."""
    active: tuple[Closure, ...]
    """The closures that close something now, in the order of their ids."""

    @classmethod
    def at(cls, closures: Iterable[Closure], instant: datetime, n_edges: int) -> Self:
        """Return what is closed at an instant.

        Raises
        ------
        ValueError
            A closure names an edge that the network does not have.
        """
        active = sorted((c for c in closures if is_closed(c, instant)), key=_by_id)
        for closure in active:
            if closure.edges[-1] >= n_edges:
                raise ValueError(
                    f"closure {closure.closure_id} names edge {closure.edges[-1]}; the network "
                    f"has {n_edges}: find the edges of its place again"
                )
        return cls(n_edges=n_edges, active=tuple(active))

    @property
    def n_active(self) -> int:
        """How many closures are active."""
        return len(self.active)

    @cached_property
    def closed_routine(self) -> NDArray[np.bool_]:
        """(n_edges,) True where nobody may drive who has no lights and sirens."""
        return self._marked(c for c in self.active if c.effect is Effect.CLOSES)

    @cached_property
    def closed_emergency(self) -> NDArray[np.bool_]:
        """(n_edges,) True where nobody may drive at all."""
        closing = (c for c in self.active if c.effect is Effect.CLOSES)
        return self._marked(c for c in closing if c.traffic is Traffic.ALL)

    @cached_property
    def opened_lanes(self) -> NDArray[np.bool_]:
        """(n_edges,) True where reversible lanes are open; what is closed as well is closed."""
        return self._marked(c for c in self.active if c.effect is Effect.OPENS_LANES)

    @cached_property
    def _touched(self) -> NDArray[np.bool_]:
        return self._marked(self.active)

    @cached_property
    def closure_id(self) -> str:
        """Names what is closed to each kind of traffic and opened; '0' where nothing is.

        Equal sets of edges have equal ids, whatever closures they come from.
        """
        if not self.active:
            return NO_CLOSURES
        digest = hashlib.sha256()
        for closed in (self.closed_routine, self.closed_emergency, self.opened_lanes):
            digest.update(np.packbits(closed).tobytes())
        return digest.hexdigest()[:12]

    def of_edge(self, edge: int) -> tuple[str, ...]:
        """Return the ids of the active closures of an edge."""
        return tuple(c.closure_id for c in self.active if _holds(c.edges, edge))

    def touching(self, edges: NDArray[np.integer]) -> tuple[Closure, ...]:
        """Return the active closures that hold for any of these edges."""
        if not self._touched[edges].any():
            return ()
        return tuple(c for c in self.active if np.isin(edges, c.edges).any())

    def _marked(self, closures: Iterable[Closure]) -> NDArray[np.bool_]:
        closed = np.zeros(self.n_edges, np.bool_)
        for closure in closures:
            closed[closure.edges] = True
        closed.setflags(write=False)
        return closed


def _holds(edges: NDArray[np.int32], edge: int) -> bool:
    place = int(np.searchsorted(edges, edge))
    return place < len(edges) and edges.item(place) == edge


def _by_id(closure: Closure) -> str:
    return closure.closure_id
