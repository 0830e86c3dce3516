"""The roster as it lives: the store that keeps it, and the view of it that decisions read.

What lives here: `LiveRoster`, the one place where both are changed, together, by one writer at a
time. What does not: what a change may contain (`roster_operations`, `position_feed`).

A reader takes `view` once and never waits: the next view is made beside it and swapped in whole.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from api.closures.schedule import Schedule
from api.live_view import LiveView
from api.store.contract import RosterChange, RosterRead, RosterStore, RosterWritten, Then
from api.store.records import unit_of
from routing.fixes import FixLimits
from routing.release import Release
from routing.roster import UnitId

if TYPE_CHECKING:
    from api.store.writer import Transaction

Decide = Callable[[RosterRead, LiveView], RosterChange | None]
"""From the units asked for, as they are kept, and the view: what to write, if anything."""
Keep = Callable[["Transaction", Any], None]
"""Keeps the answer to a write in the transaction of the write."""
Answer = TypeVar("Answer")


_LIMITS: Final = FixLimits()
SHOWN_MAX: Final = 1_000
"""Versions of the roster that are remembered as shown."""


class LiveRoster:
    """One store, one view of it, one writer at a time."""

    def __init__(self, store: RosterStore, view: LiveView, limits: FixLimits = _LIMITS) -> None:
        self.shown: Callable[[int], None] = _nobody
        """Told of each version of the roster once readers see it."""
        self.store = store
        self.view = view
        self.limits = limits
        self._shown = deque[int](maxlen=SHOWN_MAX)
        self._writing = Lock()
        self._showing = Lock()
        """Held for as long as the next view is made of the one that is shown, never while waiting
        for the store: claims are shown by the thread that commits."""

    @classmethod
    def opened(
        cls, store: RosterStore, view: LiveView, limits: FixLimits = _LIMITS
    ) -> "LiveRoster":
        """Return a roster whose view has all units that the store holds already."""
        kept = store.read()
        units = [unit_of(one) for one in kept.units.values()]
        latest = max((one.unit.received_at for one in kept.units.values()), default=None)
        if latest is not None:
            view = view.with_roster(kept.version, latest, units=units)
        return cls(store, view, limits)

    def write(
        self,
        decide: Decide,
        unit_ids: Collection[str] | None = None,
        then: Then | None = None,
    ) -> RosterWritten:
        """Read units (all for None), decide what to write, write it and show it to all readers.

        Parameters
        ----------
        then
            See `RosterStore.write`; not called where nothing is to be written.

        Raises
        ------
        StoreError
            The view is the one before. Nothing was written, or whoever follows the feed will find
            what was (`api.mirrors.RosterMirror`).
        """
        with self._writing:
            read = self.store.read(unit_ids)
            change = decide(read, self.view)
            if change is None:
                return RosterWritten(version=read.version)
            written = self.store.write(change, then)
            if written.anything:
                self._show(change, written)
                self.shown(written.version)
            return written

    def refresh(
        self,
        at: datetime,
        *,
        changed: Collection[str] | None,
        moved: Collection[str] = (),
        version: int | None = None,
    ) -> None:
        """Show what the store holds of units that others wrote; all of them for None.

        Parameters
        ----------
        at
            When they were written; says which weights the view is labelled with.
        moved
            Units of which only the fix is another.
        version
            Of the roster that one write of this process made, with just these units.

        Raises
        ------
        StoreError
            The view is the one before.
        """
        with self._writing:
            read = self.store.read(None if changed is None else {*changed, *moved})
            with self._showing:
                self.view = _shown(self.view, read, at, changed=changed, moved=moved)
            if version is not None:
                self.shown(version)

    def take_claims(self, unit_ids: Collection[str]) -> None:
        """Show these units as claimed, and no others."""
        with self._showing:
            self.view = self.view.with_claims(unit_ids)

    def take_release(self, release: Release, key: str, *, has_own_zones: bool = True) -> None:
        """Decide by another release from now on; see `LiveView.with_release`."""
        with self._showing:
            self.view = self.view.with_release(release, key, has_own_zones=has_own_zones)
            future_s = release.city_policy.future_fix_s
            self.limits = replace(self.limits, future_s=future_s)

    def show_closures(self, schedule: Schedule, at: datetime) -> None:
        """Show what closures close from an instant on."""
        with self._showing:
            self.view = self.view.with_closures(schedule, at)

    def _show(self, change: RosterChange, written: RosterWritten) -> None:
        told_anew = {*written.added, *written.changed}
        roster = self.view.on_duty.roster
        # Another instance may have added a unit that is not shown here yet.
        told_anew |= {one for one in written.moved if roster.row_of(one) is None}
        kept = self.store.read(told_anew).units if told_anew else {}
        with self._showing:
            self.view = self.view.with_roster(
                written.version,
                change.at,
                units=[unit_of(one) for one in kept.values()],
                fixes={one: change.fixes[one] for one in written.moved if one not in told_anew},
                removed=written.removed,
            )
        self._shown.append(written.version)

    def has_shown(self, version: int) -> bool:
        """Tell whether the write of this process that made a version is in the view.

        One that was kept, but whose answer or record was lost on the way back, is not.
        """
        with self._writing:
            return version in self._shown


def keep_nothing(_tx: "Transaction", _answer: object) -> None:
    """Keep no answer: nobody will ask for it again."""


def write_answered(
    live: LiveRoster,
    decide: Decide,
    unit_ids: Collection[str] | None,
    answer: Callable[[RosterWritten], Answer],
    keep: Keep,
) -> Answer:
    """Write a change of the roster, and keep and return the answer to it."""
    return answer(live.write(decide, unit_ids, lambda tx, written: keep(tx, answer(written))))


def _nobody(_version: int) -> None:
    return


def _shown(
    view: LiveView,
    read: RosterRead,
    at: datetime,
    *,
    changed: Collection[str] | None,
    moved: Collection[str],
) -> LiveView:
    """Return the view with units as they were read; one that was asked for and not found goes."""
    roster = view.on_duty.roster
    asked = map(UnitId, roster.unit_id if changed is None else [*changed, *moved])
    gone = {one for one in asked if one not in read.units and roster.row_of(one) is not None}
    only_moved = frozenset[str]() if changed is None else frozenset(moved).difference(changed)
    fixes = {
        one: kept.fix
        for one, kept in read.units.items()
        if one in only_moved and kept.fix is not None and roster.row_of(one) is not None
    }
    told_anew = [unit_of(kept) for one, kept in read.units.items() if one not in fixes]
    return view.with_roster(read.version, at, units=told_anew, fixes=fixes, removed=gone)
