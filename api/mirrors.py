"""What this process holds in memory of the store, kept up to date with what others wrote.

A mirror reads the rows that changes name, instead of taking a change's word: so the same change may
come twice, or late, and what stands in memory afterwards is what the store holds.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from api.live_roster import LiveRoster
from api.operations import Clock
from api.store.calls import KnownCall, MemoryCalls
from api.store.changes import NumberedChange
from api.store.database import Database
from api.store.sql_calls import read_calls, read_latest_calls


class RosterMirror:
    """The view of the roster."""

    name: Final = "roster"

    def __init__(self, live: LiveRoster, instance: str, now: Clock) -> None:
        self._live = live
        self._instance = instance
        self._now = now

    def follow(self, changes: Sequence[NumberedChange]) -> None:
        """Read the units that others wrote, and what of this process is not in the view yet."""
        unseen = [one for one in changes if one.topic == "units" and not self._is_shown(one)]
        if unseen:
            changed = {name for one in unseen for name in _named(one, "changed", "removed")}
            moved = {name for one in unseen for name in _named(one, "moved")}
            self._live.refresh(unseen[-1].at, changed=changed, moved=moved - changed)

    def _is_shown(self, change: NumberedChange) -> bool:
        return change.instance == self._instance and self._live.has_shown(int(change.key))

    def refill(self) -> None:
        """Read all units."""
        self._live.refresh(self._now(), changed=None)


def _named(change: NumberedChange, *keys: str) -> Iterator[str]:
    for key in keys:
        yield from change.said.get(key, ())


class CallsMirror:
    """What is remembered of calls."""

    name: Final = "calls"

    def __init__(self, database: Database, calls: MemoryCalls, kept_max: int) -> None:
        self._database = database
        self._calls = calls
        self._kept_max = kept_max

    def follow(self, changes: Sequence[NumberedChange]) -> None:
        """Read the calls that changed, and those whose alerts did; ours too, unless they show."""
        names = {one.key for one in changes if one.topic == "call" and not one.is_shown}
        names |= {str(one.said["incident_id"]) for one in changes if one.topic == "alert"}
        if names:
            with self._database.reading() as connection:
                found = read_calls(connection, names)
            self._put(found)

    def refill(self) -> None:
        """Read all calls that are kept in memory."""
        with self._database.reading() as connection:
            found = read_latest_calls(connection, self._kept_max)
        self._put(found)

    def _put(self, found: Sequence[KnownCall]) -> None:
        for call in found:
            self._calls.put(call, is_settled=False)


class ReloadedMirror:
    """What is read whole whenever its topic changes: the keys, the release.

    Parameters
    ----------
    reload
        Reads it anew; called by the follower's thread.
    """

    def __init__(self, name: str, topic: str, reload: Callable[[], object]) -> None:
        self.name = name
        self._topic = topic
        self._reload = reload

    def follow(self, changes: Sequence[NumberedChange]) -> None:
        """Read it anew when it changed."""
        if any(one.topic == self._topic for one in changes):
            self._reload()

    def refill(self) -> None:
        """Read it anew."""
        self._reload()
