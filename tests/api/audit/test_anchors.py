"""Chains record each other's heads: a chain rewritten with its own head is found by the others."""

import datetime as dt

import pytest
from sqlalchemy import Connection, select, text

from api.audit.anchors import Anchoring
from api.audit.faults import Why
from api.audit.pages import Pages
from api.audit.verify import verify
from api.store.audit_chain import chained, enter_instance
from api.store.database import Database
from api.store.tables import audit
from api.store.writer import Writer
from tests.api.audit.chains import notes, tampered, two_chains
from tests.api.waiting import wait_until


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


def entered(database: Database, instance: str) -> Writer:
    with database.writing() as connection:
        enter_instance(connection, instance, dt.datetime.now(dt.UTC))
    return Writer(database, instance=instance)


def test_a_service_anchors_at_start_after_writes_and_at_stop(
    kept: tuple[Database, Writer], pages: Pages
) -> None:
    database, writer = kept
    other = entered(database, "other")
    other.call(notes(1))
    anchoring = Anchoring(writer, every_s=0.001)
    wait_until(lambda: anchors(database) == 1, "an anchor at the start")
    writer.call(notes(1))
    wait_until(lambda: anchors(database) == 2, "an anchor after a write")
    anchoring.close()
    assert anchors(database) == 2  # nothing was written since
    anchoring = Anchoring(writer, every_s=1_000)
    wait_until(lambda: anchors(database) == 3, "an anchor at the next start")
    writer.call(notes(1))
    anchoring.close()
    assert anchors(database) == 4
    assert verify(pages).faults == ()
    other.close()


def test_a_chain_that_is_alone_has_nothing_to_tell(kept: tuple[Database, Writer]) -> None:
    database, writer = kept
    writer.call(notes(1))
    before = writer.committed
    anchoring = Anchoring(writer)
    wait_until(lambda: writer.committed > before, "the look for other chains")
    anchoring.close()
    assert anchors(database) == 0


def test_a_store_that_is_closed_does_not_stop_the_stop(kept: tuple[Database, Writer]) -> None:
    other = entered(kept[0], "other")
    anchoring = Anchoring(other, every_s=1_000)
    other.close()
    anchoring.close()
