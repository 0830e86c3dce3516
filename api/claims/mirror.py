"""Claims as decisions read them: which units are claimed, and who is on which call, in memory.

What lives here: `ClaimMirror`, which is filled from the database at the start, takes this
instance's own commits at once and those of others from the feed. What does not: how claims come
about, and the views and calls that it tells (`LiveRoster`, `MemoryCalls`).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import compress
from threading import Lock
from typing import Any, Final, Protocol

from api.claims.claim_rows import live_claims
from api.claims.records import ClaimState
from api.live_roster import LiveRoster
from api.store.calls import MemoryCalls
from api.store.database import Database
from api.store.writer import Transaction

OWED_MAX: Final = 1_000
"""Writes of the roster whose ended claims are not shown yet."""
_BY_FACT: Final = frozenset({ClaimState.FULFILLED, ClaimState.DISPLACED})
ENDED_MAX: Final = 20_000
"""Ends that are remembered, so that a beginning which arrives late is not believed."""


class Told(Protocol):
    """A change of the feed, numbered or not."""

    @property
    def topic(self) -> str:
        """What it is about."""

    @property
    def key(self) -> str:
        """Its id."""

    @property
    def said(self) -> Mapping[str, Any]:
        """What is told of it."""


class ClaimMirror:
    """Live claims by unit; called by the writer's thread and by that of the follower."""

    name: Final = "claims"

    def __init__(self, database: Database, live: LiveRoster, calls: MemoryCalls) -> None:
        self.database = database
        self.live = live
        self.calls = calls
        self._units: dict[str, tuple[str, ...]] = {}
        """Units of each live claim, by claim_id."""
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._owed: OrderedDict[int, list[Told]] = OrderedDict()
        """Claims that a status ended, by the version of the roster that has that status."""
        self._lock = Lock()

    def take_after(self, tx: Transaction) -> None:
        """Have the changes of a transaction taken once it is committed."""
        tx.after.append(lambda: self._take_own(tx))

    def _take_own(self, tx: Transaction) -> None:
        """Take the changes of a transaction, but for what must not be seen before a status is.

        A unit whose claim its own status ended is free of the claim only when that status shows:
        else a decision in between would find it available.
        """
        versions = [int(change.key) for change in tx.changes if change.topic == "units"]
        waits = [bool(versions) and _is_ended_by_fact(change) for change in tx.changes]
        if any(waits):
            with self._lock:
                self._owed[versions[-1]] = list(compress(tx.changes, waits))
                if len(self._owed) > OWED_MAX:
                    self._owed.popitem(last=False)
        self.follow([one for one, is_owed in zip(tx.changes, waits, strict=True) if not is_owed])
        for change in tx.changes:
            if change.topic == "call" and "on_call" in change.said:
                said = change.said
                self.calls.put_facts(change.key, said["on_call"], said["scene_safe_at"])

    def show_owed(self, version: int) -> None:
        """Take what waited for a version of the roster, which is shown now."""
        with self._lock:
            owed = self._owed.pop(version, ())
        self.follow(owed)

    def follow(self, changes: Sequence[Told]) -> None:
        """Take changes of claims, which may be known already, and show what follows from them.

        Who is on a call is read from the database with the call, by whoever follows calls.
        """
        with self._lock:
            told = [change for change in changes if change.topic == "claim"]
            for change in told:
                self._take(change)
            if told:
                self._show()

    def refill(self) -> None:
        """Read all live claims anew.

        Raises
        ------
        StoreUnavailable
            The store cannot be read.
        """
        with self._lock:
            with self.database.reading() as connection:
                found = live_claims(connection)
            self._units = {claim.claim_id: claim.unit_ids for claim in found}
            self._show()

    def _take(self, change: Told) -> None:
        if change.said["state"] == ClaimState.LIVE:
            if change.key not in self._ended:
                self._units[change.key] = tuple(unit_id for unit_id, _ in change.said["units"])
            return
        self._units.pop(change.key, None)
        self._ended[change.key] = None
        if len(self._ended) > ENDED_MAX:
            self._ended.popitem(last=False)

    def _show(self) -> None:
        self.live.take_claims({unit_id for ids in self._units.values() for unit_id in ids})


def _is_ended_by_fact(change: Told) -> bool:
    return change.topic == "claim" and change.said["state"] in _BY_FACT
