"""What follows a feed in tests: an instance that writes, one that follows, and what was told."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from api.follower import Follower, Listener, Mirror
from api.store.changes import NumberedChange
from api.store.database import Database
from api.store.writer import Transaction, Writer
from tests.api.store.engines import opened

SOON_S = 10.0
"""Longer than anything here takes; who waits so long fails."""


class Heard:
    """Keeps what a follower tells."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.keys: list[str] = []
        self.resyncs: list[int] = []

    def told(self, changes: Sequence[NumberedChange]) -> None:
        self.numbers += [change.change_id for change in changes]
        self.keys += [change.key for change in changes]

    def resync(self, number: int) -> None:
        self.resyncs.append(number)


@contextmanager
def following(
    location: str,
    listener: Listener,
    *,
    number: int = 0,
    mirrors: Sequence[Mirror] = (),
    make: type[Follower] = Follower,
) -> Iterator[Follower]:
    """Yield a follower that runs, with a database of its own, as another process would have."""
    database = Database(location)
    follower = make(database, number, mirrors=mirrors, listeners=[listener])
    follower.start()
    yield follower
    follower.close()
    database.close()


@contextmanager
def writing(location: str, instance: str = "other") -> Iterator[Writer]:
    """Yield the writer of another instance."""
    with opened(location, instance) as (_, writer):
        yield writer


def announce(writer: Writer, *keys: str, topic: str = "call") -> None:
    """Announce changes, all in one write."""

    def operation(tx: Transaction) -> None:
        for key in keys:
            tx.announce(topic, key, {})

    writer.call(operation)


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
