"""The calls that wait, in the memory of every instance: filled from the store, kept by the feed.

Whoever looks at them, any instance can answer which there are, and go on where another ended.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from threading import Lock
from typing import Final

from api.queue.waiting import WAITING_MAX, Waiting, read_asked, read_waiting
from api.store.changes import NumberedChange
from api.store.database import Database
from routing.codes import Outcome

LOOK_NEEDED: Final = frozenset({"units", "claim", "release"})
"""Topics after which any call may have another answer."""


class QueueBook:
    """The calls that wait, and those that are to be looked at once.

    Parameters
    ----------
    wake
        Called by the follower's thread when something is to be looked at.
    """

    name: Final = "queue"

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._waiting: dict[str, Waiting] = {}
        self._once: dict[str, Waiting] = {}
        """Calls that do not wait and that somebody wants to be looked at, by their ids. Instances
        that do not look keep them too, until there is another answer: one may have to go on."""
        self._lock = Lock()
        self.roster_version = 0
        """Of the roster that was last told of: a view that is older is about to be followed."""

    def waiting(self) -> list[Waiting]:
        """Return the calls that wait, the most urgent first."""
        with self._lock:
            return sorted(self._waiting.values(), key=lambda one: one.order)

    def once(self) -> list[Waiting]:
        """Return the calls that are to be looked at once."""
        with self._lock:
            return list(self._once.values())

    def looked_at(self, calls: Iterable[Waiting]) -> None:
        """Forget that calls are to be looked at once, unless somebody has asked again."""
        with self._lock:
            for one in calls:
                if self._once.get(one.incident_id) is one:
                    del self._once[one.incident_id]

    @property
    def count(self) -> int:
        """How many calls wait."""
        return len(self._waiting)

    def oldest_s(self, now: datetime) -> float:
        """Return for how long the call waits that waits longest; 0 when none does."""
        with self._lock:
            since = [one.since for one in self._waiting.values()]
        return max(0.0, (now - min(since)).total_seconds()) if since else 0.0

    # -- from the follower's thread ---------------------------------------------------------------

    def follow(self, changes: Sequence[NumberedChange]) -> None:
        """Read the calls that changed, and wake where one may have another answer now."""
        for one in changes:
            if one.topic == "units":
                self.roster_version = max(self.roster_version, int(one.key))
        again = {one.key for one in changes if one.topic == "queue" and "event" not in one.said}
        names = again | {one.key for one in changes if self._may_wait(one)}
        other = self._read(names, again) if names else False
        if other or any(one.topic in LOOK_NEEDED for one in changes):
            self._wake()

    def _may_wait(self, change: NumberedChange) -> bool:
        """Tell whether a call may wait after a change, or did before it.

        A call begins to wait with a HOLD, or with what the queue itself says.
        """
        if change.topic != "call":
            return change.topic == "queue"
        if change.said.get("outcome", Outcome.HOLD) == Outcome.HOLD:
            return True
        return change.key in self._waiting or change.key in self._once

    def refill(self) -> None:
        """Read all calls that wait, and those that nobody has looked at yet."""
        with self._database.reading() as connection:
            found, asked = read_waiting(connection), read_asked(connection)
        with self._lock:
            self._waiting = dict(found)
            self.roster_version = 0  # of another feed, perhaps
            self._once = dict(asked)
        self._wake()

    def _read(self, names: Collection[str], again: Collection[str]) -> bool:
        """Read calls, and tell whether what is asked about one is another than before."""
        with self._database.reading() as connection:
            found = read_waiting(connection, names)
        with self._lock:
            before = {name: self._waiting.pop(name, None) for name in names}
            for name, one in found.items():
                asked = self._once.pop(name, None)
                if one.is_pending:
                    self._waiting[name] = one
                elif name in again or (asked is not None and _is_same(asked, one)):
                    self._once[name] = one
            for name in list(self._once)[:-WAITING_MAX]:
                del self._once[name]
        return bool(again) or any(_differs(before[name], found.get(name)) for name in names)


def _is_same(asked: Waiting, now: Waiting) -> bool:
    """Tell whether nobody has given a call another answer since it was to be looked at."""
    return asked.call.recommendation_id == now.call.recommendation_id


def _differs(before: Waiting | None, now: Waiting | None) -> bool:
    """Tell whether another answer may be right: not when the queue itself has just given one."""
    if before is None or now is None or not now.is_pending:
        return before is not None or (now is not None and now.is_pending)
    return (before.request, before.call.version, before.call.on_call) != (
        now.request,
        now.call.version,
        now.call.on_call,
    )
