"""The log is brought into SQLite's file beside the writer, stays small, and loses nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from api.store.checkpoints import Checkpoints
from api.store.database import LOG_BYTES_MAX, Database
from api.store.writer import Transaction, Writer
from tests.api.waiting import wait_until

BLOB = 40_000
NEVER = 1_000_000


@contextmanager
def writing(file: Path, between: int) -> Iterator[tuple[Database, Writer]]:
    """Yield a writer whose log is brought in beside it after so many operations."""
    database = Database(str(file), synchronous="OFF")  # what is judged here is no sync
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE change_state (head INTEGER)"))
        connection.execute(text("CREATE TABLE kept (number INTEGER, body BLOB)"))
    writer = Writer(database, instance="test")
    writer.checkpoints = Checkpoints(database, between)
    yield database, writer
    writer.close()
    database.close()


def keep(writer: Writer, number: int) -> None:
    def operation(tx: Transaction) -> None:
        row = {"number": number, "body": bytes(BLOB)}
        tx.connection.execute(text("INSERT INTO kept VALUES (:number, :body)"), row)

    writer.call(operation)


def log_bytes(file: Path) -> int:
    return file.with_name(file.name + "-wal").stat().st_size


def in_the_file_alone(file: Path, copy: Path) -> int:
    """Return how many rows the file has without its log."""
    copy.write_bytes(file.read_bytes())
    with closing(sqlite3.connect(copy)) as connection:
        return int(connection.execute("SELECT count(*) FROM kept").fetchone()[0])


def log_after(folder: Path, between: int, n: int) -> int:
    """Return how long the log has become after so many writes, each brought in before the next."""
    file = folder / "store.sqlite"
    with writing(file, between) as (_, writer):
        for number in range(n):
            keep(writer, number)
            due = (number + 1) // between
            wait_until(lambda due=due: writer.checkpoints.made >= due, "it is brought in")
        return log_bytes(file)


def test_a_log_that_is_brought_in_is_written_from_its_beginning_again(tmp_path: Path) -> None:
    assert log_after(tmp_path, 4, 60) < 10 * BLOB


def test_a_log_that_nobody_brings_in_is_found(tmp_path: Path) -> None:
    assert log_after(tmp_path, NEVER, 60) > 50 * BLOB


def test_what_was_brought_in_stands_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with writing(file, 10) as (_, writer):
        for number in range(10):
            keep(writer, number)
        wait_until(lambda: writer.checkpoints.made == 1, "it is brought in")
        assert in_the_file_alone(file, tmp_path / "copy") == 10


@pytest.mark.parametrize("between", [20, NEVER])
def test_the_log_is_bounded_whether_or_not_it_is_brought_in_beside(
    tmp_path: Path, between: int
) -> None:
    file, most = tmp_path / "store.sqlite", 0
    with writing(file, between) as (_, writer):
        for number in range(2 * LOG_BYTES_MAX // BLOB):
            keep(writer, number)
            most = max(most, log_bytes(file))
    assert most < LOG_BYTES_MAX + 3 * BLOB


def test_a_reader_of_an_old_moment_waits_for_nobody_and_sees_what_it_saw(tmp_path: Path) -> None:
    with writing(tmp_path / "store.sqlite", 2) as (database, writer):
        keep(writer, 0)
        with database.reading() as connection:
            counted = text("SELECT count(*) FROM kept")
            assert connection.execute(counted).scalar_one() == 1
            for number in range(1, 5):
                keep(writer, number)
            wait_until(lambda: writer.checkpoints.made >= 1, "one is tried")
            assert connection.execute(counted).scalar_one() == 1
        with database.reading() as connection:
            assert connection.execute(counted).scalar_one() == 5


def test_a_checkpoint_that_fails_stops_no_write_and_the_next_is_made(tmp_path: Path) -> None:
    with writing(tmp_path / "store.sqlite", 1) as (database, writer):
        right, made = writer.checkpoints, Checkpoints(database, 1)
        made._file = str(tmp_path / "nowhere" / "store.sqlite")
        writer.checkpoints = made
        keep(writer, 0)
        wait_until(lambda: made.failure == "OperationalError", "it is told")
        made._file = str(tmp_path / "store.sqlite")
        keep(writer, 1)
        wait_until(lambda: (made.failure, made.made) == (None, 1), "the next is made")
        right.close()


def test_a_database_in_memory_has_no_log(tmp_path: Path) -> None:
    del tmp_path
    database = Database(":memory:")
    made = Checkpoints(database, 1)
    made.committed(5)
    made.close()
    assert (made.made, made.failure) == (0, None)
    database.close()
