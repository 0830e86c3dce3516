"""A lease is held by one at a time, and outlives nobody for long."""

import datetime as dt
import threading
from collections.abc import Iterator

import pytest

from api.queue.lease import LEASE_S, Lease
from api.store.database import Database
from tests.api.call_story import FakeClock
from tests.api.store.engines import DATABASES, new_location, opened

SECOND = dt.timedelta(seconds=1)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with new_location(request.param) as location, opened(location) as (made, _):
        yield made


def test_one_holds_it_until_it_is_released(database: Database) -> None:
    clock = FakeClock()
    first, second = (Lease(database, "queue", name, now=clock) for name in "ab")
    assert (first.hold(), second.hold(), first.hold()) == (True, False, True)
    first.release()
    assert (second.hold(), first.hold()) == (True, False)


def test_another_has_it_when_its_holder_is_silent(database: Database) -> None:
    clock = FakeClock()
    first, second = (Lease(database, "queue", name, now=clock) for name in "ab")
    assert first.hold()
    clock.pass_by(LEASE_S - 0.1)
    assert not second.hold()
    clock.pass_by(0.2)
    assert (first.is_held, second.hold(), first.hold()) == (False, True, False)


def test_its_holder_keeps_it_by_renewing(database: Database) -> None:
    clock = FakeClock()
    first, second = (Lease(database, "queue", name, now=clock) for name in "ab")
    for _ in range(10):
        assert (first.hold(), second.hold()) == (True, False)
        clock.pass_by(LEASE_S / 2)


def test_of_many_that_ask_at_once_one_has_it(database: Database) -> None:
    clock = FakeClock()
    leases = [Lease(database, "queue", f"i{i}", now=clock) for i in range(6)]
    held = list[bool]()
    threads = [threading.Thread(target=lambda one=one: held.append(one.hold())) for one in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == [False] * 5 + [True]


def test_two_leases_do_not_meet(database: Database) -> None:
    clock = FakeClock()
    assert Lease(database, "queue", "a", now=clock).hold()
    assert Lease(database, "other", "b", now=clock).hold()
