"""What is kept of a closure, and since when it holds.

What lives here: the nouns. What does not: rows (`closure_rows`), what may be done with them
(`operations`), and the edges of a place, which are found anew on whatever streets are loaded
(`placing`).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from geodata.closures import Effect, Traffic

ID_PREFIX: Final = "clo_"


class ClosureState(StrEnum):
    """Where a closure stands.

    PROPOSED: drawn, and closes nothing. ACTIVE: closes its streets within its times. EXPIRED: its
    end has passed. ENDED: somebody ended it before.
    """

    PROPOSED = "PROPOSED"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    ENDED = "ENDED"


class Direction(StrEnum):
    """Which way of a drawn line is closed."""

    BOTH = "BOTH"
    ALONG = "ALONG"
    AGAINST = "AGAINST"


class DailyWindow(Struct, frozen=True, kw_only=True):
    """Hours by the wall clock of the city within which the streets are closed."""

    days: tuple[int, ...]
    """On which it begins, Monday 0 to Sunday 6."""
    start: str
    """Such as 17:30, included."""
    end: str
    """Excluded; not after the start: on the next day."""


class ClosureContent(Struct, frozen=True, kw_only=True):
    """What somebody says of a closure."""

    name: str
    note: str = ""
    traffic: Traffic = Traffic.ALL
    effect: Effect = Effect.CLOSES
    starts_at: datetime | None = None
    """None: with its activation."""
    ends_at: datetime | None = None
    """None: until somebody ends it."""
    windows: tuple[DailyWindow, ...] = ()
    direction: Direction = Direction.BOTH
    geometry: dict[str, Any] | None = None
    """GeoJSON point, line or area, WGS 84; None where streets are named."""
    street: str | None = None
    from_street: str | None = None
    to_street: str | None = None


class KeptClosure(Struct, frozen=True, kw_only=True):
    """One closure as it is kept."""

    closure_id: str
    version: int
    """From 1, one more with each change."""
    state: ClosureState
    """PROPOSED, ACTIVE or ENDED: that it expired is nothing that anybody writes."""
    content: ClosureContent
    proposed_by: str
    proposed_at: datetime
    changed_by: str
    changed_at: datetime
    activated_by: str | None = None
    activated_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    end_reason: str = ""

    def state_at(self, instant: datetime) -> ClosureState:
        """Return where it stands at an instant."""
        ends_at = self.content.ends_at
        passed = ends_at is not None and ends_at <= instant
        if passed and self.state is ClosureState.ACTIVE:
            return ClosureState.EXPIRED
        return self.state

    @property
    def holds_from(self) -> datetime | None:
        """Since when it may close anything: its start, and not before it was activated."""
        if self.activated_at is None:
            return None
        starts_at = self.content.starts_at
        return self.activated_at if starts_at is None else max(starts_at, self.activated_at)

    @property
    def holds_until(self) -> datetime | None:
        """Until when, whoever or whatever ended it; None without an end."""
        ends = [one for one in (self.content.ends_at, self.ended_at) if one is not None]
        return min(ends, default=None)
