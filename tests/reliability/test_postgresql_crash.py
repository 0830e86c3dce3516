"""PostgreSQL crashes under many clients: what was acknowledged is there, and writes go on soon."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread
from time import perf_counter

import pytest

from api.errors import StoreUnavailable
from api.store.audit_chain import enter_instance
from api.store.database import Database
from api.store.schema import require_schema
from api.store.writer import Writer
from tests.reliability.crashing_server import CrashingServer, crashing_server
from tests.reliability.found import found_in, lost
from tests.reliability.lengths import length
from tests.reliability.told import tell
from tests.reliability.writing import INSTANCE, work

FAULTS = length(3, 50)
CLIENTS = 16
READY_S_MAX = 10.0
SEED = 20231001


@pytest.fixture(scope="module")
def server() -> Iterator[CrashingServer]:
    with crashing_server() as made:
        yield made


@dataclass(slots=True)
class Clients:
    """Threads that write until they are told to stop."""

    writer: Writer
    acknowledged: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Operations of which nobody can say whether they were kept."""
    faults: list[BaseException] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def run(self, thread: int) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                work(self.writer, run="0", thread=thread, number=number, seed=SEED)
            except StoreUnavailable:
                self.unknown.append(f"0.{thread}.{number}")
                self.over.wait(0.05)
            except Exception as error:  # noqa: BLE001  the test tells it
                self.faults.append(error)
                return
            else:
                self.acknowledged.append(f"0.{thread}.{number}")

    def wait_for(self, more: int) -> float:
        """Return the seconds until so many more are acknowledged."""
        began, wanted = perf_counter(), len(self.acknowledged) + more
        while len(self.acknowledged) < wanted and perf_counter() < began + 6 * READY_S_MAX:
            assert not self.faults, self.faults
            self.over.wait(0.001)
        assert len(self.acknowledged) >= wanted, "writes did not go on"
        return perf_counter() - began


def ready_again_s(clients: Clients, server: CrashingServer, number: int) -> float:
    """Return the seconds from a fault, at a seeded moment, until a write is acknowledged again."""
    rng = random.Random(f"{SEED} {number}")
    clients.wait_for(rng.randint(20, 200))
    began = perf_counter()
    if number % 2:
        server.crash()
    else:
        server.end_backends()
    clients.wait_for(1)
    return perf_counter() - began


def test_no_acknowledged_write_is_lost_and_writes_go_on_within_seconds(
    server: CrashingServer,
) -> None:
    database = Database(server.url)
    require_schema(database)
    with database.writing() as connection:
        enter_instance(connection, INSTANCE, dt.datetime.now(dt.UTC))
    clients = Clients(Writer(database, instance=INSTANCE))
    threads = [Thread(target=clients.run, args=(n,), daemon=True) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    took_s = [ready_again_s(clients, server, number) for number in range(FAULTS)]
    clients.over.set()
    for thread in threads:
        thread.join()
    clients.writer.close()
    acknowledged, found = set(clients.acknowledged), found_in(database)
    database.close()
    tell(
        f"{FAULTS} faults under {CLIENTS} clients: {len(acknowledged)} acknowledged, "
        f"{len(lost(acknowledged, found))} lost; {len(clients.unknown)} told as not known, of "
        f"which {len(found.tokens - acknowledged)} kept; ready again within {max(took_s):.2f} s"
    )
    assert (found.wrong, lost(acknowledged, found)) == ([], [])
    assert found.tokens - acknowledged <= set(clients.unknown)
    assert clients.unknown, "no fault hit a write"
    assert max(took_s) <= READY_S_MAX


def test_the_server_is_asked_to_sync_before_it_answers(server: CrashingServer) -> None:
    database = Database(server.url)
    with database.reading() as connection:
        asked = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]
    database.close()
    assert asked == ["on", "on", "on"]


def test_a_server_that_answers_before_it_syncs_is_found(server: CrashingServer) -> None:
    server.answer_before_sync()
    database = Database(server.url)
    require_schema(database)
    with database.writing() as connection:
        enter_instance(connection, INSTANCE, dt.datetime.now(dt.UTC))
    writer = Writer(database, instance=INSTANCE)
    acknowledged = {
        work(writer, run="1", thread=0, number=number, seed=SEED) for number in range(1, 10)
    }
    server.crash()
    writer.close()
    found = found_in(database)
    database.close()
    assert lost(acknowledged, found) != []
