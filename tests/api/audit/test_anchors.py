"""Chains record each other's heads: a chain rewritten with its own head is found by the others."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from api.audit.anchors import keep_anchored
from api.audit.faults import Why
from api.audit.verify import verify
from api.store.audit_chain import chained
from api.store.database import Database
from api.store.tables import audit
from api.store.writer import Writer
from tests.api.audit.chains import notes, tampered, two_chains


def rewrite(connection: Connection, instance: str, first: int) -> None:
    """Change a record and make all after it, and the head, follow: a whole new past."""
    of = audit.c.instance == instance
    rows = connection.execute(select(audit).where(of).order_by(audit.c.number)).all()
    last = rows[first - 2].hash
    for row in rows[first - 1 :]:
        said = row.record.replace(b"DISPATCH", b"NOT_ELIGIBLE")
        last = chained(last, said)
        here = audit.update().where(of, audit.c.number == row.number)
        connection.execute(here.values(record=said, hash=last))
    sql = text("UPDATE instances SET audit_head = :h WHERE instance = :i")
    connection.execute(sql, {"h": last, "i": instance})


@pytest.mark.parametrize(("anchored", "found"), [(True, True), (False, False)])
def test_a_rewritten_chain_is_found_by_the_anchors_of_another(anchored: bool, found: bool) -> None:
    with two_chains(anchored=anchored) as database, tampered(database) as chains:
        verdict = chains.check(lambda connection: rewrite(connection, "a", 12))
    assert bool(verdict.faults) is found
    if found:
        fault = verdict.faults[0]
        assert (fault.instance, fault.why) == ("a", Why.HEAD_MISMATCH)
        assert 12 <= fault.number <= 15  # the first anchor of `b` after the change was at 15


def test_a_cut_chain_is_found_by_the_anchors_of_another() -> None:
    def cut(connection: Connection) -> None:
        last = connection.execute(
            select(audit.c.hash).where(audit.c.instance == "a", audit.c.number == 10)
        ).scalar_one()
        connection.execute(text("DELETE FROM audit WHERE instance = 'a' AND number > 10"))
        sql = text("UPDATE instances SET audit_count=10, audit_head=:h WHERE instance='a'")
        connection.execute(sql, {"h": last})

    with two_chains(anchored=True) as database, tampered(database) as chains:
        assert chains.check(lambda _: None).faults == ()
        fault = chains.check(cut).faults[0]
    assert (fault.instance, fault.number, fault.why) == ("a", 11, Why.MISSING)


def anchors(database: Database) -> int:
    with database.reading() as connection:
        kinds = connection.execute(select(audit.c.kind)).scalars()
        return sum(kind == "ANCHOR" for kind in kinds)


def test_anchors_are_written_only_when_something_was_written(
    kept: tuple[Database, Writer], pages: Any
) -> None:
    database, writer = kept

    async def some_turns() -> int:
        task = asyncio.create_task(keep_anchored(writer, every_s=0.001))
        await asyncio.sleep(0)  # its first anchor is in the line now
        await writer.write(lambda _tx: None)
        await writer.write(notes(1))
        await asyncio.sleep(0.1)
        task.cancel()
        return writer.committed - before

    before = writer.committed
    written = asyncio.run(some_turns())
    assert 2 <= anchors(database) <= 3  # one at the start, and one or two for the two writes
    assert written == 2 + anchors(database)
    assert verify(pages).faults == ()
