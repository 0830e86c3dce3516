"""What an instance wrote itself is not read back, unless memory may hold something else."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from api.errors import StoreUnavailable
from api.follower import OWN_MAX, Follower
from api.mirrors import CallsMirror
from api.queue.book import QueueBook
from api.store.calls import KnownCall, MemoryCalls
from api.store.changes import NumberedChange, changes_after
from api.store.database import Database
from api.store.sql_calls import keep_decision
from api.store.writer import Transaction, Writer
from routing.codes import Outcome
from tests.api.followed import SOON_S, Heard, announce, following, writing
from tests.api.store.engines import DATABASES, INSTANCE, new_location, opened
from tests.api.store.test_calls import decided
from tests.api.story import NOW


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


@pytest.fixture
def store() -> Iterator[tuple[Database, Writer]]:
    with opened(":memory:") as made:
        yield made


# -- the follower ---------------------------------------------------------------------------------


class Believing(Follower):
    """Takes its own changes as all there are."""

    def _own_after(self) -> list[NumberedChange]:
        return [one for one in self._own if one.change_id > self.number]


def all_are_told(location: str, make: type[Follower]) -> bool:
    """Tell whether changes of this instance and of another are told once each and in order."""
    heard = Heard()
    with (
        writing(location, "ours") as ours,
        writing(location, "theirs") as theirs,
        following(location, heard, make=make) as follower,
    ):
        ours.told = follower.take_own
        for number in range(60):
            announce(theirs if number % 3 == 1 else ours, f"K{number}")
        assert follower.wait_for(60, SOON_S)
    return heard.numbers == list(range(1, 61)) and heard.keys == [f"K{n}" for n in range(60)]


def test_changes_of_ours_and_of_others_are_told_once_and_in_order(location: str) -> None:
    assert all_are_told(location, Follower)


def test_a_follower_that_takes_its_own_changes_as_all_is_found(location: str) -> None:
    assert not all_are_told(location, Believing)


def test_a_change_of_another_instance_is_not_kept_waiting_by_ours(location: str) -> None:
    heard = Heard()
    with (
        writing(location, "theirs") as theirs,
        following(location, heard) as follower,
    ):
        announce(theirs, "A", "B")
        follower.take_own([own(1, "A"), own(3, "C")])  # as if ours were the first and the third
        assert follower.wait_for(2, SOON_S)
    assert heard.keys == ["A", "B"]


def test_more_of_ours_than_is_kept_is_read(location: str) -> None:
    heard = Heard()
    with writing(location, "ours") as ours, following(location, heard) as follower:
        announce(ours, *[f"K{n}" for n in range(5)])
        follower.take_own([own(number, "late") for number in range(6, 7 + OWN_MAX)])
        assert follower.wait_for(5, SOON_S)
        assert heard.keys == [f"K{n}" for n in range(5)]


def own(number: int, key: str, **said: Any) -> NumberedChange:
    return NumberedChange(
        change_id=number, instance=INSTANCE, topic="call", key=key, said=said, at=NOW
    )


def test_what_is_told_of_a_commit_is_what_is_read_of_it(location: str) -> None:
    with opened(location) as (database, writer):
        told: list[NumberedChange] = []
        writer.told = told.extend

        def operation(tx: Transaction) -> None:
            at = dt.datetime(2026, 7, 21, 20, 5, 0, 123456, tzinfo=dt.UTC)
            tx.announce("call", "A", {"outcome": Outcome.HOLD, "at": at, "units": ("S1", "C1")})
            tx.announce("units", "7")

        writer.call(operation)
        with database.reading() as connection:
            assert told == changes_after(connection, 0)


# -- what is remembered of calls ------------------------------------------------------------------


def told_of(writer: Writer, calls: MemoryCalls) -> tuple[KnownCall, list[NumberedChange]]:
    """Keep a decision; return the call and what the follower is told."""
    told: list[NumberedChange] = []
    writer.told = told.extend
    kept = writer.call(lambda tx: keep_decision(tx, decided("A"), shown=calls.holds))
    assert kept is not None
    return kept, told


def remembered(calls: MemoryCalls) -> str:
    known = calls.known("A")
    assert known is not None
    return known.recommendation_id


def test_a_call_that_memory_holds_as_it_was_kept_is_not_read(
    store: tuple[Database, Writer],
) -> None:
    calls = MemoryCalls()
    calls.record(decided("A"))
    _, told = told_of(store[1], calls)
    nowhere = Database("/nowhere/store.sqlite")
    CallsMirror(nowhere, calls, 10).follow(told)
    with pytest.raises(StoreUnavailable):  # what another instance says is read
        CallsMirror(nowhere, calls, 10).follow([own(1, "A")])
    nowhere.close()


@pytest.mark.parametrize("known", [None, decided("A", seconds=-5)])
def test_a_call_that_memory_holds_otherwise_is_read(
    store: tuple[Database, Writer], known: Any
) -> None:
    database, writer = store
    calls = MemoryCalls()
    if known is not None:
        calls.record(known)
    kept, told = told_of(writer, calls)
    CallsMirror(database, calls, 10).follow(told)
    assert remembered(calls) == kept.recommendation_id


# -- the calls that wait --------------------------------------------------------------------------


def reads(*changes: NumberedChange, before: Sequence[str] = ()) -> bool:
    """Tell whether the book of calls that wait asks the store after changes."""
    nowhere = Database("/nowhere/store.sqlite")
    book = QueueBook(nowhere, lambda: None)
    book._waiting.update(dict.fromkeys(before))  # type: ignore[arg-type]
    try:
        book.follow(changes)
    except StoreUnavailable:
        return True
    finally:
        nowhere.close()
    return False


def test_the_book_reads_only_calls_that_wait_or_did() -> None:
    done = own(1, "A", outcome="DISPATCH")
    assert not reads(done)
    assert reads(done, before=["A"])
    assert reads(own(1, "A", outcome="HOLD"))
    assert reads(own(1, "A"))
    assert reads(done, NumberedChange(
        change_id=2, instance="b", topic="queue", key="A", said={"event": "UNITS"}, at=NOW
    ))  # fmt: skip
