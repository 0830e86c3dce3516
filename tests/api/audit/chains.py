"""Chains of two instances in one open connection, for tampering with them and taking it back."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection

from api.audit.anchors import anchor_heads
from api.audit.pages import Pages
from api.audit.verify import Verdict, verify
from api.store.audit_chain import enter_instance
from api.store.database import Database
from api.store.schema import migrate
from api.store.writer import Operation, Transaction, Writer

START: Final = dt.datetime(2026, 7, 21, 18, tzinfo=dt.UTC)
LONG: Final = 60
"""Records of the chain `a`, which is tampered with."""
SHORT: Final = 20
"""Records of the chain `b`."""


def clock() -> Callable[[], dt.datetime]:
    """Return a clock that goes on by a second whenever it is asked."""
    told = iter(range(10**9))
    return lambda: START + dt.timedelta(seconds=next(told))


def notes(number: int) -> Operation[None]:
    """Return a write with one record, of one of three kinds."""
    kind = ("RECOMMENDED", "ROSTER", "CLAIMED")[number % 3]

    def operation(tx: Transaction) -> None:
        tx.note(kind, f"2026-{number:06}", {"outcome": "DISPATCH", "number": number})

    return operation


@contextmanager
def two_chains(location: str = ":memory:", *, anchored: bool = False) -> Iterator[Database]:
    """Yield a database in which `a` and `b` have written, in turns."""
    database = Database(location)
    migrate(database)
    now = clock()
    writers = []
    for instance in "ab":
        with database.writing() as connection:
            enter_instance(connection, instance, START)
        writers.append(Writer(database, instance=instance, now=now))
    a, b = writers
    for number in range(1, LONG + 1):
        a.call(anchor_heads if anchored and number % 20 == 10 else notes(number))
        if number % (LONG // SHORT) == 0:
            b.call(anchor_heads if anchored and number % 15 == 0 else notes(number))
    for writer in writers:
        writer.close()
    yield database
    database.close()


class Tampered:
    """An open transaction in which rows are changed, checked, and put back."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.pages = Pages(self._same)

    @contextmanager
    def _same(self) -> Iterator[Connection]:
        yield self.connection

    def check(self, tamper: Callable[[Connection], object]) -> Verdict:
        """Return what is found after a tampering, which is taken back."""
        change = self.connection.begin_nested()
        try:
            tamper(self.connection)
            return verify(self.pages)
        finally:
            change.rollback()


@contextmanager
def tampered(database: Database) -> Iterator[Tampered]:
    """Yield the chains of a database, open to tampering."""
    with database.writing() as connection:
        yield Tampered(connection)


def seeded(number: int) -> random.Random:
    """Return the random numbers of one case."""
    return random.Random(20231001 + number)
