"""Connections: their settings, what they see, and what is never shown of them."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from api.errors import StartError, StoreUnavailable
from api.store.database import Database
from api.store.tables import roster_state
from api.store.writer import Writer
from tests.api.store.engines import new_location, opened
from tests.api.store.held_writer import WAIT_S_MAX

Durable = tuple[Database, Writer]
SECRET = "hunter2"
IDLE = "idle_in_transaction_session_timeout"


def pragmas(database: Database) -> dict[str, Any]:
    with database.reading() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return {n: connection.execute(text(f"PRAGMA {n}")).scalar_one() for n in names}


def test_sqlite_syncs_every_commit_of_its_write_ahead_log(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "store.sqlite"))
    assert pragmas(database) == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()


def test_a_store_that_does_not_sync_is_found(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "store.sqlite"), synchronous="OFF")
    assert pragmas(database)["synchronous"] == 0
    database.close()


def test_every_connection_has_the_settings(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "store.sqlite"))
    with database.reading(), database.reading(), database.writing() as third:
        assert third.execute(text("PRAGMA synchronous")).scalar_one() == 2
    database.close()


def test_postgresql_gives_up_what_it_waits_for_and_a_writer_that_has_stopped() -> None:
    asked = {name: text(f"SHOW {name}") for name in ("lock_timeout", IDLE)}
    with new_location("postgresql") as location, opened(location) as (database, _writer):
        with database.writing() as connection:
            shown = [connection.execute(one).scalar_one() for one in asked.values()]
        assert shown == ["5s", "10s"]
        with database.reading() as connection:  # who reads stands in nobody's way
            assert connection.execute(asked[IDLE]).scalar_one() == "0"


def test_a_store_of_its_own_is_readable_to_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with opened(str(file)):
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert modes["store.sqlite"] == 0o600
    assert set(modes.values()) == {0o600}
    assert len(modes) == 3


def test_a_reader_sees_one_moment_while_another_writes(durable: Durable) -> None:
    database, writer = durable
    asked = select(roster_state.c.version)
    with database.reading() as connection:
        before = connection.execute(asked).scalar_one()
        writer.call(lambda tx: tx.connection.execute(update(roster_state).values(version=7)))
        assert connection.execute(asked).scalar_one() == before
    with database.reading() as connection:
        assert connection.execute(asked).scalar_one() == 7


def test_a_writer_sees_what_was_committed_while_it_waited_for_its_turn(durable: Durable) -> None:
    database, _writer = durable
    rise = update(roster_state).values(version=roster_state.c.version + 1)
    begun = threading.Barrier(2)

    def writes() -> None:
        begun.wait(WAIT_S_MAX)
        with database.writing() as connection:
            found = connection.execute(select(roster_state.c.version)).scalar_one()
            connection.execute(update(roster_state).values(version=found + 1))

    with ThreadPoolExecutor(1) as pool:
        with database.writing() as connection:
            connection.execute(rise)
            waiting = pool.submit(writes)
            begun.wait(WAIT_S_MAX)
        waiting.result(WAIT_S_MAX)
    with database.reading() as connection:
        assert connection.execute(select(roster_state.c.version)).scalar_one() == 2


def test_an_error_takes_everything_back(durable: Durable) -> None:
    database, _writer = durable
    with suppress(KeyError), database.writing() as connection:
        connection.execute(update(roster_state).values(version=99))
        raise KeyError
    with database.reading() as connection:
        assert connection.execute(select(roster_state.c.version)).scalar_one() == 0


def test_a_password_is_never_shown() -> None:
    location = f"postgresql://tandem:{SECRET}@127.0.0.1:1/tandem"
    database = Database(location)
    assert SECRET in location
    assert SECRET not in database.shown
    assert "127.0.0.1" in database.shown
    with pytest.raises(StoreUnavailable) as refused, database.reading():
        pass
    assert SECRET not in f"{refused.value!r} {refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize(
    "location", ["mysql://a:hunter2@b/c", "http://hunter2", "nothing://", "://"]
)
def test_a_location_that_names_no_known_engine_is_refused_with_the_remedy(location: str) -> None:
    with pytest.raises(StartError, match="postgresql://") as refused:
        Database(location)
    assert SECRET not in str(refused.value)


def test_a_file_that_is_no_database_is_a_failure_of_the_store(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    file.write_bytes(b"this is a letter to the editor, and no database" * 100)
    with pytest.raises(StoreUnavailable), Database(str(file)).reading() as connection:
        connection.execute(text("SELECT * FROM sqlite_master"))
    assert file.read_bytes().startswith(b"this is a letter")


def test_a_memory_store_is_the_same_for_all_threads() -> None:
    with opened(":memory:") as (database, writer):
        writer.call(lambda tx: tx.connection.execute(update(roster_state).values(version=5)))
        with ThreadPoolExecutor(1) as pool, database.reading() as connection:
            assert connection.execute(select(roster_state.c.version)).scalar_one() == 5
            assert pool.submit(lambda: database.is_embedded).result()
