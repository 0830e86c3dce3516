"""The chain of audit records: one for each write, without a gap, whoever writes it."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.caller import CALLER
from api.store.audit_chain import enter_instance
from api.store.database import Database
from api.store.tables import audit, instances
from api.store.writer import Writer
from tests.api.store.engines import INSTANCE, new_location, opened
from tests.api.store.held_writer import in_one_group, keeps

REPOSITORY = Path(__file__).resolve().parents[3]
WRITES = 100
PROGRAM = """
import sys
from api.store.database import Database
from api.store.writer import Writer
from tests.api.store.held_writer import keeps

database = Database(sys.argv[1])
writer = Writer(database, instance="test")
for number in range(int(sys.argv[3])):
    writer.call(keeps(f"{sys.argv[2]}{number}"))
writer.close()
database.close()
"""


def chain(database: Database) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(audit).order_by(audit.c.instance, audit.c.number)))


def head(database: Database) -> tuple[int, bytes]:
    asked = select(instances.c.audit_count, instances.c.audit_head)
    with database.reading() as connection:
        count, last = connection.execute(asked.where(instances.c.instance == INSTANCE)).one()
        return count, last


def is_whole(rows: list[Any], end: tuple[int, bytes]) -> bool:
    """Tell whether rows are one chain up to its head: worked out anew from what stands there."""
    last = bytes(32)
    for row in rows:
        last = hashlib.sha256(last + row.record).digest()
        if row.hash != last:
            return False
    return [row.number for row in rows] == list(range(1, len(rows) + 1)) and end == (
        len(rows),
        last,
    )


def test_a_write_leaves_one_record_that_says_what_happened(
    durable: tuple[Database, Writer],
) -> None:
    database, writer = durable
    asked_by = CALLER.set("key1")
    writer.call(keeps("a", said="SAID"))
    CALLER.reset(asked_by)
    (row,) = chain(database)
    told = json.loads(row.record)
    assert told.pop("at").endswith("Z")
    assert told == {
        "instance": INSTANCE, "number": 1, "kind": "SAID", "subject": "a", "by": "key1",
        "said": {"id": "a"},
    }  # fmt: skip
    assert is_whole([row], head(database))


def test_equal_facts_have_equal_bytes_whatever_the_order_of_keys() -> None:
    from api.store.audit_chain import Note, record_bytes

    at = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)
    notes = [
        Note(kind="K", subject="s", said=said, at=at)
        for said in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    ]
    first, second = (record_bytes("test", 1, note) for note in notes)
    assert first == second


def test_the_chain_goes_on_over_groups_and_starts(kind: str) -> None:
    with new_location(kind) as location:
        for start in "abc":
            with opened(location) as (database, writer):
                in_one_group(writer, *(keeps(f"{start}{place}") for place in range(3)))
        with opened(location) as (database, _writer):
            rows = chain(database)
            assert len(rows) == 9
            assert is_whole(rows, head(database))
            assert not is_whole(rows[1:], head(database))
            assert not is_whole([rows[1], rows[0], *rows[2:]], head(database))


def test_two_processes_under_one_name_write_one_chain(kind: str) -> None:
    with new_location(kind) as location, opened(location) as (database, _writer):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, location, name, str(WRITES)], cwd=REPOSITORY
            )
            for name in "ab"
        ]
        assert [process.wait(60) for process in processes] == [0, 0]
        rows = chain(database)
        assert len(rows) == 2 * WRITES
        assert is_whole(rows, head(database))


def test_an_instance_that_was_not_entered_writes_nothing(kind: str) -> None:
    with new_location(kind) as location, opened(location) as (database, _writer):
        stranger = Writer(database, instance="stranger")
        with pytest.raises(LookupError, match="enter_instance"):
            stranger.call(keeps("a"))
        stranger.close()
        assert chain(database) == []


def test_entering_again_changes_no_head(durable: tuple[Database, Writer]) -> None:
    database, writer = durable
    writer.call(keeps("a"))
    before = head(database)
    with database.writing() as connection:
        enter_instance(connection, INSTANCE, dt.datetime.now(dt.UTC))
    assert head(database) == before
