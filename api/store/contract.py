"""What every engine of the store promises of the roster; `tests/api/store` holds each to it.

1. **A write is whole.** All of a change is kept or, when an error is raised, nothing of it.
2. **Older never replaces newer**, whatever order writes arrive in and whoever sends them: a record
   of a lower version than the one kept, and a fix made before the one kept, are passed over and
   named. A record without a version, or beside one without, is not compared; nor is an undated fix
   that replaces an undated one.
3. **A write returns what it changed.** Records and fixes that are kept already change nothing.
4. **The roster's version** rises by one with each write that changed something, and only then. A
   reader that holds a version can tell whether it has seen the latest.
5. A fix for a unit that the roster does not have is passed over. What is removed goes with its fix.

Calls may wait for a disk or a server, so they are made off the event loop. An engine may be called
by several threads.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from api.store.records import OnDuty, Operator, StoredFix, StoredUnit
from routing.roster import UnitId

if TYPE_CHECKING:
    from api.store.writer import Transaction

_NOTHING: Mapping[UnitId, StoredFix] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChange:
    """One write: records to keep, then fixes to keep, then units that go off the roster."""

    at: datetime
    """When it was received, in UTC."""
    operator: Operator | None = None
    units: tuple[StoredUnit, ...] = ()
    """At most one record of each unit."""
    fixes: Mapping[UnitId, StoredFix] = field(default_factory=lambda: _NOTHING)
    removed: frozenset[UnitId] = frozenset()

    def __post_init__(self) -> None:
        told = [unit.unit_id for unit in self.units]
        if len(set(told)) < len(told):
            raise ValueError("a change holds two records of one unit; expected at most one of each")
        both = self.removed & {*told, *self.fixes}
        if both:
            raise ValueError(f"{sorted(both)} are told and removed by one change; expected either")


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterWritten:
    """What a write changed, each in the order of unit_id, and what it passed over."""

    version: int
    """Of the roster after the write."""
    added: tuple[UnitId, ...] = ()
    changed: tuple[UnitId, ...] = ()
    """Units whose record is another one now."""
    moved: tuple[UnitId, ...] = ()
    """Units whose fix is another one now."""
    removed: tuple[UnitId, ...] = ()
    older_records: tuple[UnitId, ...] = ()
    older_fixes: tuple[UnitId, ...] = ()
    unknown: tuple[UnitId, ...] = ()
    """Units that were to be moved or removed and are not on the roster."""

    @property
    def anything(self) -> bool:
        """Whether the roster is another one now."""
        return bool(self.added or self.changed or self.moved or self.removed)


Then = Callable[["Transaction", RosterWritten], None]
"""Keeps something together with a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRead:
    """Units of the roster as they were at one moment."""

    version: int
    """Of the roster then."""
    units: Mapping[UnitId, OnDuty]
    """In the order of unit_id."""


class RosterStore(Protocol):
    """The roster as it is kept; see the promises above.

    Every method raises `StoreUnavailable` when the engine cannot be reached.
    """

    def read(self, unit_ids: Collection[str] | None = None) -> RosterRead:
        """Return the units that are asked for and known, or all, of one moment."""

    def write(self, change: RosterChange, then: "Then | None" = None) -> RosterWritten:
        """Keep a change.

        Parameters
        ----------
        then
            Called in the transaction of the change, where the store has transactions.

        Raises
        ------
        RosterFull
            It would hold more units than the store takes; nothing was kept.
        """

    def close(self) -> None:
        """Let go of what the engine holds; afterwards every call raises `StoreUnavailable`."""
