"""Statements given to the driver: the same rows and failures as by SQLAlchemy, one moment read."""

from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.exc import IntegrityError

from api.store.database import CONNECTIONS_MAX, Database
from api.store.statements import Statement
from api.store.tables import status_events
from api.store.writer import Writer
from tests.api.store.engines import new_location, opened
from tests.api.store.held_writer import keeps

Durable = tuple[Database, Writer]
NAMED = select(status_events.c.event_id, status_events.c.at).where(
    status_events.c.event_id == bindparam("of"), status_events.c.status == "BUSY"
)
ADD = insert(status_events)


def row(name: str, **values: Any) -> dict[str, Any]:
    told = {"event_id": name, "unit_id": "u", "status": "BUSY", "at": 1, "received_at": 0}
    return told | {"incident_id": None, "body": "{}"} | values


def test_rows_are_those_that_sqlalchemy_finds(durable: Durable) -> None:
    with durable[0].writing() as connection:
        Statement(ADD).run_each(connection, [row("a"), row("b", at=2**40), row("c", status="X")])
        for name in "abcd":
            found = Statement(NAMED).rows(connection, {"of": name})
            assert found == [tuple(one) for one in connection.execute(NAMED, {"of": name})]


def test_a_row_that_is_there_is_told_from_a_new_one(durable: Durable) -> None:
    once = Statement(insert_or_not(status_events).on_conflict_do_nothing())
    with durable[0].writing() as connection:
        assert [once.run(connection, row(name)) for name in "aba"] == [1, 1, 0]


@pytest.mark.parametrize("many", [False, True])
def test_a_refusal_of_the_engine_is_sqlalchemys_and_repeats_no_value(
    durable: Durable, many: bool
) -> None:
    add, rows = Statement(ADD), [row("secret")] * 2
    with durable[0].writing() as connection:
        if not many:
            add.run(connection, rows.pop())
    with pytest.raises(IntegrityError) as refused, durable[0].writing() as connection:
        add.run_each(connection, rows)
    assert refused.value.params is None
    assert not refused.value.connection_invalidated


def test_a_reader_sees_one_moment_from_its_first_statement_on(durable: Durable) -> None:
    database, writer = durable
    asked = Statement(NAMED)
    with database.reading() as connection:
        assert asked.rows(connection, {"of": "a"}) == []
        writer.call(keeps("a"))
        assert asked.rows(connection, {"of": "a"}) == []
    with database.reading() as connection:
        assert asked.rows(connection, {"of": "a"}) == [("a", 0)]


# -- the connection of a writer -------------------------------------------------------------------


def test_no_number_of_readers_keeps_a_writer_waiting(durable: Durable) -> None:
    database, writer = durable
    readers = [database.reading() for _ in range(CONNECTIONS_MAX)]
    for one in readers:
        one.__enter__()
    try:
        assert writer.call(keeps("a")) == "a"
        with database.writing() as connection:
            assert Statement(NAMED).rows(connection, {"of": "a"})
    finally:
        for one in readers:
            one.__exit__(None, None, None)


def test_a_connection_that_was_lost_between_two_writes_costs_none() -> None:
    with new_location("postgresql") as location, opened(location) as (database, writer):
        assert writer.call(keeps("a")) == "a"
        with database.reading() as connection:
            connection.execute(ENDED)
        assert writer.call(keeps("b")) == "b"
        assert writer.failure is None


ENDED = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
