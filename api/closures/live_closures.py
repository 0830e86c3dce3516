"""Closures as decisions read them: kept in step with the store, with the feed and with the clock.

What lives here: `LiveClosures`, which is filled from the store at the start, takes this instance's
own commits at once and those of others from the feed, and swaps the view when a closure begins or
ends. What does not: that a decision beyond that instant is right even before it does
(`LiveView.hours_at`), and how closures come about (`operations`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Final

from api.closures.closure_rows import TOPIC, closures_since
from api.closures.placing import Placing
from api.closures.records import KeptClosure
from api.closures.schedule import Schedule
from api.errors import InvalidRequest
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.store.changes import NumberedChange
from api.store.database import Database
from api.store.writer import Transaction
from geodata.closures import Closure

Clock = Callable[[], datetime]
PAST: Final = timedelta(days=7)
"""Closures that were over longer ago are not known; a decision `as_of` then is made without."""
AHEAD: Final = timedelta(seconds=30)
"""So long before a closure begins or ends, and before the hour, the next weights are made."""
_HOUR: Final = timedelta(hours=1)


class LiveClosures:
    """The schedule of closures and the view that shows it; for any thread."""

    name: Final = "closures"

    def __init__(self, database: Database, live: LiveRoster, now: Clock) -> None:
        situation = live.view.situation
        self.placing = Placing(situation.network, situation.streets)
        self.unplaced: tuple[str, ...] = ()
        """Active closures whose place is none on the streets that are loaded."""
        self.shown = 0
        """How often the view was swapped for another set of closures."""
        self._database = database
        self._live = live
        self._now = now
        self._kept: dict[str, KeptClosure] = {}
        self._taking = Lock()
        self._is_owed = False
        """What is known could not be shown, by a fault; the next reading of it all shows it."""
        self.woken: Callable[[], object] = _nobody
        """Called when the schedule is another, so that the next instant may be."""

    # -- what is known ------------------------------------------------------------------------

    def refill(self) -> None:
        """Read all closures anew.

        Raises
        ------
        StoreUnavailable
            The store cannot be read.
        """
        now = self._now()
        with self._taking:
            with self._database.reading() as connection:
                found = closures_since(connection, now - PAST)
            kept = {one.closure_id: one for one in found}
            if kept != self._kept or self._is_owed:
                self._kept = kept
                self._show(now)

    def follow(self, changes: Sequence[NumberedChange]) -> None:
        """Read closures anew when any of them changed, unless it is known already."""
        told = [one for one in changes if one.topic == TOPIC]
        if any(not self._is_known(one) for one in told):
            self.refill()

    def take_after(self, tx: Transaction, closure: KeptClosure) -> None:
        """Have a closure shown once its transaction is committed, before anybody is answered."""
        tx.after.append(partial(self._take, closure))

    def _take(self, closure: KeptClosure) -> None:
        with self._taking:
            known = self._kept.get(closure.closure_id)
            if known is None or known.version < closure.version:
                now = self._now()
                self._kept = _not_long_over(self._kept | {closure.closure_id: closure}, now)
                self._show(now)

    def _is_known(self, change: NumberedChange) -> bool:
        known = self._kept.get(change.key)
        if known is None:  # what closes nothing is none of ours
            return change.said.get("state") in (None, "PROPOSED")
        return known.version >= int(change.said.get("version", 0))

    @property
    def view(self) -> LiveView:
        """The view that decisions take now."""
        return self._live.view

    def placed(self, kept: KeptClosure) -> Closure | None:
        """Return a closure on the streets that are loaded; None for one that never held.

        Raises
        ------
        InvalidRequest
            Its place is none on these streets.
        """
        return self.placing.closure(kept, self.view.situation.policy.window.zone)

    # -- what is shown ------------------------------------------------------------------------

    def prepare(self, closure: KeptClosure, at: datetime) -> None:
        """Make the weights that will hold once a closure is active, before it is written.

        Raises
        ------
        InvalidRequest
            Its place is none on these streets.
        """
        added = self.placed(closure)
        if added is not None:
            self._make_with((*self.view.schedule.closures, added), at)

    def prepare_without(self, closure_id: str, at: datetime) -> None:
        """Make the weights that will hold once a closure is ended: no commit waits for them."""
        closures = self.view.schedule.closures
        left = tuple(one for one in closures if one.closure_id != closure_id)
        if len(left) < len(closures):
            self._make_with(left, at)

    def _make_with(self, closures: tuple[Closure, ...], at: datetime) -> None:
        _make(self.view, Schedule(closures=closures, n_edges=self.placing.network.n_edges), at)

    def apply(self, now: datetime) -> datetime:
        """Show what holds at an instant, make what comes next, and return when to be called again.

        Nothing is wrong where this comes late: a decision looks up its own instant.
        """
        with self._taking:
            view = self._live.view
            if not view.closed_since <= now < view.closed_until:
                self._swap(view.schedule, now)
        view = self._live.view
        if now >= view.closed_until - AHEAD:
            _make(view, view.schedule, view.closed_until)
        next_hour = now.replace(minute=0, second=0, microsecond=0) + _HOUR
        if now >= next_hour - AHEAD:
            _make(view, view.schedule, next_hour)
        instants = (next_hour - AHEAD, next_hour, view.closed_until - AHEAD, view.closed_until)
        return min(one for one in instants if one > now)

    def _show(self, now: datetime) -> None:
        self._is_owed = True
        closures, unplaced = list[Closure](), list[str]()
        for kept in _not_long_over(self._kept, now).values():
            try:
                closure = self.placed(kept)
            except (InvalidRequest, ValueError):  # one that cannot be hides no other
                unplaced.append(kept.closure_id)
                continue
            if closure is not None:
                closures.append(closure)
        self.unplaced = tuple(unplaced)
        n_edges = self.placing.network.n_edges
        self._swap(Schedule(closures=tuple(closures), n_edges=n_edges), now)
        self._is_owed = False
        self.woken()

    def _swap(self, schedule: Schedule, now: datetime) -> None:
        # The weights are made before the one place where views are made is held.
        _make(self._live.view, schedule, now)
        self._live.show_closures(schedule, now)
        self.shown += 1


def _not_long_over(kept: dict[str, KeptClosure], now: datetime) -> dict[str, KeptClosure]:
    since = now - PAST
    return {
        name: one
        for name, one in kept.items()
        if one.holds_until is None or one.holds_until > since
    }


def _nobody() -> None:
    return


def _make(view: LiveView, schedule: Schedule, at: datetime) -> None:
    """Have the weights of an instant made, so that no decision waits for them."""
    closed = schedule.closed_at(at)
    hours = view.by_hour.closing(closed)
    view.in_hour(hours, at)
