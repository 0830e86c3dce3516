"""The feed: one order of numbers for all writers, and a reader that polls misses nothing."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, RootTransaction, text

from api.errors import StoreUnavailable
from api.store.changes import changes_after, head_of, oldest_of, prune_changes
from api.store.database import Database
from api.store.tables import status_events, to_us
from api.store.writer import Operation, Transaction, Writer
from tests.api.store.engines import new_location, opened
from tests.api.store.held_writer import WAIT_S_MAX, in_one_group, keeps

WRITES = 60
SECOND = dt.timedelta(seconds=1)
Durable = tuple[Database, Writer]


@pytest.fixture
def two(kind: str) -> Iterator[tuple[Durable, Durable]]:
    """Two instances that share a database, each with connections of its own."""
    with new_location(kind) as location, opened(location, "a") as a, opened(location, "b") as b:
        yield a, b


def announces(key: str) -> Operation[int]:
    def operation(tx: Transaction) -> int:
        tx.announce("units", key)
        tx.announce("units", f"{key}-again")
        return 2

    return operation


class Reader:
    """Follows the feed by the number that it saw last."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.seen: list[int] = []

    def poll(self) -> None:
        with self.database.reading() as connection:
            last = self.seen[-1] if self.seen else 0
            self.seen += [change.change_id for change in changes_after(connection, last, 7)]


def test_two_writers_number_without_a_gap_and_a_polling_reader_misses_nothing(
    two: tuple[Durable, Durable],
) -> None:
    (database, a), (_, b) = two
    reader = Reader(database)

    def write(writer: Writer) -> None:
        for number in range(WRITES):
            writer.call(announces(f"{writer.instance}{number}"))

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write, writer) for writer in (a, b)]
        while not all(one.done() for one in writing):
            reader.poll()
    for _ in range(4 * WRITES):
        reader.poll()
    assert [one.exception() for one in writing] == [None, None]
    assert reader.seen == list(range(1, 4 * WRITES + 1))


class NumbersTooEarly(Writer):
    """Takes its numbers from a counter that is not held until the commit."""

    numbered, commit = threading.Event(), threading.Event()

    def _operate(self, connection, group):  # type: ignore[no-untyped-def]
        with self.database.engine.begin() as early:
            head = early.execute(text("UPDATE change_state SET head = head + 1 RETURNING head"))
            number = head.scalar_one()
        self.numbered.set()
        self.commit.wait(WAIT_S_MAX)
        connection.execute(
            text(
                "INSERT INTO changes (change_id, at, instance, topic, key, body)"
                f" VALUES ({number}, 0, 'a', 'units', '', '{{}}')"
            )
        )
        group[0].result = number
        return [], []


class WithoutTurn(Database):
    """Lets several processes write at the same time."""

    def begun(self, connection: Connection) -> RootTransaction:
        return connection.begin()


def test_numbers_that_are_taken_before_the_commit_are_found() -> None:
    with new_location("postgresql") as location, opened(location, "b") as (database, good):
        early = NumbersTooEarly(WithoutTurn(location), instance="a")
        reader = Reader(database)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(early.call, announces("early"))
            NumbersTooEarly.numbered.wait(WAIT_S_MAX)
            good.call(announces("good"))
            reader.poll()
            NumbersTooEarly.commit.set()
            first.result(WAIT_S_MAX)
        reader.poll()
        assert reader.seen == [2, 3]  # and never 1
        early.close()
        early.database.close()


def rows_in_order(names: str, meet: threading.Barrier, wait_s: float) -> list[Operation[None]]:
    """Return operations that change rows, one each; both writers have the first before the next."""

    def operation(place: int, name: str) -> Operation[None]:
        def change(tx: Transaction) -> None:
            row = status_events.c.event_id == name
            tx.connection.execute(status_events.update().where(row).values(at=1))
            if place == 0:
                try:
                    meet.wait(wait_s)
                except threading.BrokenBarrierError:  # the other waits for its turn, as it should
                    return

        return change

    return [operation(place, name) for place, name in enumerate(names)]


def crossing(location: str, kind: type[Database], wait_s: float) -> list[BaseException | None]:
    """Let two instances change the same rows in opposite orders; return how each write ended."""
    databases = [kind(location), kind(location)]
    a, b = (Writer(d, instance=i) for d, i in zip(databases, "ab", strict=True))
    a.call(keeps("x"))
    a.call(keeps("y"))
    meet = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(in_one_group, writer, *rows_in_order(names, meet, wait_s))
            for writer, names in ((a, "xy"), (b, "yx"))
        ]
        ended = [one.exception() for group in both for one in group.result()]
    for writer in (a, b):
        writer.close()
        writer.database.close()
    return ended


@pytest.mark.parametrize(
    ("make", "wait_s", "locked_out"), [(Database, 0.3, 0), (WithoutTurn, WAIT_S_MAX, 2)]
)
def test_two_instances_never_lock_each_other_out(
    make: type[Database], wait_s: float, locked_out: int
) -> None:
    with (
        new_location("postgresql") as location,
        opened(location, "a"),
        opened(location, "b"),
    ):
        ended = crossing(location, make, wait_s)
    # PostgreSQL ends one of two that wait for each other, and with it that instance's group.
    assert sum(isinstance(one, StoreUnavailable) for one in ended) == locked_out


# -- what is kept of the feed -----------------------------------------------------------------


def clocked(database: Database, instants: Callable[[], dt.datetime]) -> Writer:
    return Writer(database, instance="test", now=instants)


def test_only_the_beginning_of_the_feed_is_forgotten(durable: Durable) -> None:
    start = dt.datetime(2026, 7, 21, tzinfo=dt.UTC)
    instants = iter([start, start, start + 9 * SECOND, start, start + 9 * SECOND])
    writer = clocked(durable[0], lambda: next(instants))
    for number in range(5):
        writer.call(lambda tx, n=number: tx.announce("units", str(n)))
    writer.close()
    with durable[0].writing() as connection:
        assert prune_changes(connection, start + SECOND, 1) == 1
        assert prune_changes(connection, start + SECOND, 9) == 1
        assert prune_changes(connection, start + SECOND, 9) == 0  # the fourth is old, but no hole
        assert [c.change_id for c in changes_after(connection, 0)] == [3, 4, 5]
        assert (oldest_of(connection), head_of(connection)) == (3, 5)
        assert prune_changes(connection, start + 99 * SECOND, 9) == 3
        assert (oldest_of(connection), head_of(connection)) == (6, 5)


def test_numbers_go_on_after_everything_is_forgotten(durable: Durable) -> None:
    database, writer = durable
    writer.call(announces("a"))
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    writer.call(lambda tx: prune_changes(tx.connection, later, 100))
    writer.call(announces("b"))
    with database.reading() as connection:
        (first, second) = changes_after(connection, 0)
    assert (first.change_id, second.change_id) == (3, 4)
    assert (first.instance, first.topic, first.key) == ("test", "units", "b")
    assert abs(to_us(first.at) - to_us(dt.datetime.now(dt.UTC))) < 60_000_000
