"""All closures that are known, and what of them holds at an instant: no clock, no store.

A set that was right a moment ago may be wrong now, so whoever has one asks until when it holds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from geodata.closures import ClosedNow, Closure, next_change

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """Closures that have held or will hold, on one network."""

    closures: tuple[Closure, ...] = ()
    n_edges: int = 0

    def closed_at(self, instant: datetime) -> ClosedNow:
        """Return what is closed at an instant."""
        return ClosedNow.at(self.closures, instant, self.n_edges)

    def until(self, instant: datetime) -> datetime:
        """Return the next instant at which any closure opens or closes, `LAST` for never."""
        changes = (next_change(one, instant) for one in self.closures)
        return min((one for one in changes if one is not None), default=LAST)


NO_SCHEDULE: Final = Schedule()
