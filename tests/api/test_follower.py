"""The follower misses no change and tells none twice, whatever happens to its connection."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import text

from api.errors import StoreUnavailable
from api.follower import Follower
from api.store.changes import NumberedChange, prune_changes
from api.store.database import Database
from api.store.writer import Transaction, Writer
from tests.api.followed import SOON_S, Heard, announce, following, utc_now, writing
from tests.api.store.engines import DATABASES, new_location
from tests.api.waiting import wait_until


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


@pytest.fixture
def postgresql() -> Iterator[str]:
    with new_location("postgresql") as made:
        yield made


def written(writer: Writer, rng: random.Random, n: int) -> list[str]:
    """Write so many changes in writes of different sizes and return their keys."""
    keys, done = [f"K{i}" for i in range(n)], 0
    while done < n:
        size = rng.randint(1, 5)
        announce(writer, *keys[done : done + size])
        done += size
    return keys


def all_are_told(location: str, make: type[Follower]) -> bool:
    """Tell whether a kind of follower tells all changes of another instance, each once."""
    heard = Heard()
    with writing(location) as writer, following(location, heard, make=make) as follower:
        keys = written(writer, random.Random(20231001), 60)
        assert follower.wait_for(len(keys), SOON_S)
        return heard.keys == keys and heard.numbers == list(range(1, len(keys) + 1))


class Skipping(Follower):
    """Forgets the third change of every reading."""

    def _take(self, found: Sequence[NumberedChange]) -> None:
        super()._take([one for i, one in enumerate(found) if i != 2 or one is found[-1]])


def test_every_change_of_another_instance_is_told_once_and_in_order(location: str) -> None:
    assert all_are_told(location, Follower)


def test_a_follower_that_skips_a_number_is_noticed(location: str) -> None:
    assert not all_are_told(location, Skipping)


def test_it_goes_on_from_the_number_that_it_is_given(location: str) -> None:
    heard = Heard()
    with writing(location) as writer:
        announce(writer, "A", "B", "C")
        with following(location, heard, number=2) as follower:
            announce(writer, "D")
            assert follower.wait_for(4, SOON_S)
    assert heard.keys == ["C", "D"]


def test_a_feed_that_was_pruned_past_it_is_read_anew_and_said_so(location: str) -> None:
    heard, mirror = Heard(), Counting()
    with writing(location) as writer:
        announce(writer, "A", "B", "C")
        far = utc_now() + dt.timedelta(days=1)
        writer.call(lambda tx: prune_changes(tx.connection, far, 1_000))
        announce(writer, "D")
        with following(location, heard, number=1, mirrors=[mirror]) as follower:
            assert follower.wait_for(4, SOON_S)
            announce(writer, "E")
            assert follower.wait_for(5, SOON_S)
    assert (heard.resyncs, heard.keys, mirror.refills) == ([4], ["E"], 1)


def test_a_feed_that_was_emptied_is_noticed_too(location: str) -> None:
    heard = Heard()
    with writing(location) as writer:
        announce(writer, "A", "B")
        far = utc_now() + dt.timedelta(days=1)
        writer.call(lambda tx: prune_changes(tx.connection, far, 1_000))
        with following(location, heard, number=1) as follower:
            assert follower.wait_for(2, SOON_S)
    assert (heard.resyncs, heard.keys) == ([2], [])


def test_a_killed_connection_is_survived_and_reported(postgresql: str) -> None:
    heard, rng = Heard(), random.Random(20231001)
    with writing(postgresql) as writer, following(postgresql, heard) as follower:
        for round_ in range(1, 6):
            kill_listeners(postgresql)
            written(writer, rng, 10)
            assert follower.wait_for(round_ * 10, SOON_S)
        wait_until(lambda: follower.losses >= 1, "the loss is counted")
        wait_until(lambda: follower.degraded == (), "the connection is back")
    assert heard.numbers == list(range(1, 51))


def kill_listeners(location: str) -> None:
    database = Database(location)
    with database.writing() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'tandem-follower' AND datname = current_database()"
            )
        )
    database.close()


def test_while_the_store_is_gone_it_is_reported_and_afterwards_nothing_is_missing(
    location: str,
) -> None:
    heard, mirror = Heard(), Counting()
    with (
        writing(location) as writer,
        following(location, heard, mirrors=[mirror]) as follower,
    ):
        mirror.error = StoreUnavailable("gone")
        announce(writer, "A", "B")
        wait_until(lambda: follower.degraded == ("FEED_LOST",), "the loss is reported")
        assert (heard.keys, follower.number) == ([], 0)
        mirror.error = None
        assert follower.wait_for(2, SOON_S)
        wait_until(lambda: follower.degraded == (), "it is back")
    assert heard.keys == ["A", "B"]


def test_a_mirror_with_a_bug_is_read_anew_and_holds_nobody_up(location: str) -> None:
    heard, broken, whole = Heard(), Counting("broken"), Counting("whole")
    with (
        writing(location) as writer,
        following(location, heard, mirrors=[broken, whole]) as follower,
    ):
        broken.error = ZeroDivisionError()
        announce(writer, "A")
        assert follower.wait_for(1, SOON_S)
        wait_until(lambda: follower.degraded == ("MIRROR_STALE",), "the bug is reported")
        broken.error = None
        wait_until(lambda: follower.degraded == (), "it was read anew")
    assert (heard.keys, whole.keys, broken.refills) == (["A"], ["A"], 1)


def test_doubt_about_what_is_in_memory_has_everything_read_anew(location: str) -> None:
    heard, mirror = Heard(), Counting()
    with writing(location) as writer, following(location, heard, mirrors=[mirror]) as follower:
        writer.doubted = follower.doubt
        announce(writer, "A")
        assert follower.wait_for(1, SOON_S)
        assert mirror.refills == 0

        def operation(tx: Transaction) -> None:
            tx.after.append(lambda: {}[1])

        writer.call(operation)
        wait_until(lambda: mirror.refills == 1 and not follower.degraded, "it is read anew")


class Counting:
    """A mirror that keeps what it was given and fails when told to."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.keys: list[str] = []
        self.refills = 0
        self.error: Exception | None = None

    def follow(self, changes: Sequence[NumberedChange]) -> None:
        if self.error:
            raise self.error
        self.keys += [change.key for change in changes]

    def refill(self) -> None:
        if self.error:
            raise self.error
        self.refills += 1
