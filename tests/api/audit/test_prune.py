"""What is past its time is forgotten, what is in use is not, and the chain still verifies."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from api.audit.faults import Why
from api.audit.pages import Pages
from api.audit.prune import prune, prune_audit_step
from api.audit.verify import verify
from api.errors import StartError
from api.store import tables
from api.store.database import Database
from api.store.sql_heads import read_heads
from api.store.sql_prune import Kind, count_old, prune_step
from api.store.tables import audit, audit_checkpoints, instances, to_us
from api.store.writer import Transaction, Writer
from tests.api.audit.chains import notes

Kept = tuple[Database, Writer]
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
OLD, YOUNG = NOW - dt.timedelta(days=20), NOW - dt.timedelta(days=2)
BEFORE = NOW - dt.timedelta(days=10)
KEEP = dict.fromkeys(Kind, dt.timedelta(days=10))
ROWS: dict[str, dict[str, Any]] = {
    "position_history": {"unit_id": "u", "lon": 0, "lat": 0, "received_at": 0},
    "status_events": {"event_id": 0, "unit_id": "u", "status": "S", "at": 0, "received_at": 0,
                      "body": "{}"},
    "recommendations": {"recommendation_id": 0, "incident_id": "i", "incident_version": 1,
                        "decided_at": 0, "outcome": "HOLD", "answer": b"", "seen": b""},
    "overrides": {"override_id": 0, "incident_id": "i", "action": "A", "reason": "R", "at": 0,
                  "body": "{}"},
    "idempotency": {"caller": "c", "key": 0, "route": "r", "body_sha256": b"", "at": 0,
                    "status": 200, "answer": b""},
}  # fmt: skip
KINDS = {
    "position_history": Kind.POSITIONS, "status_events": Kind.STATUS_EVENTS,
    "recommendations": Kind.RECOMMENDATIONS, "overrides": Kind.CLAIMS,
    "idempotency": Kind.IDEMPOTENCY,
}  # fmt: skip
INSTANTS = {"received_at", "decided_at", "at"}


def add(tx: Transaction, table: str, at: dt.datetime, names: range) -> None:
    """Add rows of an instant to a table; a 0 of the model becomes the name or the instant."""
    rows = [
        {
            key: to_us(at) if key in INSTANTS else str(name) if value == 0 else value
            for key, value in ROWS[table].items()
        }
        for name in names
    ]
    if table == "position_history":
        rows = [{**row, "lon": 0.0, "lat": 0.0} for row in rows]
    tx.connection.execute(tables.TABLES.tables[table].insert(), rows)


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("table", KINDS)
def test_old_rows_go_in_bounded_steps_and_young_ones_stay(kept: Kept, table: str) -> None:
    database, writer = kept
    writer.call(lambda tx: add(tx, table, OLD, range(3)))
    writer.call(lambda tx: add(tx, table, OLD + dt.timedelta(hours=1), range(3, 5)))
    writer.call(lambda tx: add(tx, table, YOUNG, range(5, 9)))
    step = partial(prune_step, kind=KINDS[table], before=BEFORE, most=3)
    with database.reading() as connection:
        assert count_old(connection, KINDS[table], BEFORE) == 5
    assert [writer.call(step) for _ in range(3)] == [3, 2, 0]
    assert count(database, tables.TABLES.tables[table]) == 4
    assert count(database, audit) == 2  # one record for each step that forgot something


def add_claims(tx: Transaction) -> None:
    states = {"live": ("LIVE", None), "old": ("RELEASED", OLD), "young": ("EXPIRED", YOUNG)}
    for claim_id, (state, ended_at) in states.items():
        ended = None if ended_at is None else to_us(ended_at)
        tx.connection.execute(tables.claims.insert(), {
            "claim_id": claim_id, "incident_id": "i", "state": state, "made_at": to_us(OLD),
            "expires_at": to_us(OLD), "ended_at": ended, "body": "{}",
        })  # fmt: skip
        tx.connection.execute(tables.claim_units.insert(), {
            "claim_id": claim_id, "unit_id": claim_id, "agency": "SPD", "is_live": ended is None,
        })  # fmt: skip
        tx.connection.execute(tables.assignments.insert(), {
            "incident_id": "i", "unit_id": claim_id, "agency": "SPD", "is_open": ended is None,
            "assigned_at": to_us(OLD), "cleared_at": ended, "body": "{}",
        })  # fmt: skip


def test_live_claims_and_open_assignments_stay_however_old(kept: Kept) -> None:
    database, writer = kept
    writer.call(add_claims)
    step = partial(prune_step, kind=Kind.CLAIMS, before=BEFORE)
    assert [writer.call(step), writer.call(step)] == [2, 0]
    with database.reading() as connection:
        for column in (tables.claims.c.claim_id, tables.claim_units.c.claim_id,
                       tables.assignments.c.unit_id):  # fmt: skip
            assert set(connection.execute(select(column)).scalars()) == {"live", "young"}


def test_an_assignment_that_moved_to_another_call_goes_too(kept: Kept) -> None:
    database, writer = kept
    for unit_id, at in (("old", OLD), ("young", YOUNG)):
        row = {
            "incident_id": "i", "unit_id": unit_id, "agency": "SPD", "is_open": False,
            "assigned_at": to_us(at), "cleared_at": None, "body": "{}",
        }  # fmt: skip
        writer.call(lambda tx, row=row: tx.connection.execute(tables.assignments.insert(), row))
    writer.call(partial(prune_step, kind=Kind.CLAIMS, before=BEFORE))
    with database.reading() as connection:
        assert connection.execute(select(tables.assignments.c.unit_id)).scalars().all() == ["young"]


def add_incidents(tx: Transaction) -> None:
    for name, at, pending in (
        ("old", OLD, False), ("held", OLD, True), ("alert", OLD, False), ("young", YOUNG, False),
    ):  # fmt: skip
        tx.connection.execute(tables.incidents.insert(), {
            "incident_id": name, "version": 1, "outcome": "HOLD", "touched_at": to_us(at),
            "is_pending": pending, "body": "{}",
        })  # fmt: skip
        tx.connection.execute(tables.alerts.insert(), {
            "alert_id": name, "incident_id": name, "is_open": name == "alert",
        })  # fmt: skip


def test_calls_that_are_held_or_alert_stay_however_old(kept: Kept) -> None:
    database, writer = kept
    writer.call(add_incidents)
    step = partial(prune_step, kind=Kind.INCIDENTS, before=BEFORE)
    assert [writer.call(step), writer.call(step)] == [1, 0]
    with database.reading() as connection:
        left = set(connection.execute(select(tables.incidents.c.incident_id)).scalars())
    assert left == {"held", "alert", "young"}


# -- the audit log --------------------------------------------------------------------------------


def clocked(database: Database, at: dt.datetime) -> Writer:
    return Writer(database, instance="test", now=lambda: at)


def write(database: Database, at: dt.datetime, times: int) -> None:
    writer = clocked(database, at)
    for number in range(times):
        writer.call(notes(number))
    writer.close()


@pytest.fixture
def aged(kept: Kept) -> Kept:
    """A chain of 20 old and 5 young records, and the writer that prunes it."""
    write(kept[0], OLD, 20)
    write(kept[0], YOUNG, 5)
    return kept


def test_a_pruned_chain_verifies_from_its_checkpoint(aged: Kept, pages: Pages) -> None:
    database, writer = aged
    with database.reading() as connection:
        heads = read_heads(connection)
    told: list[tuple[Kind, int]] = []
    gone = prune(writer, KEEP, NOW, lambda kind, rows: told.append((kind, rows)))
    assert gone[Kind.AUDIT] == 20
    assert told == [(Kind.AUDIT, 20)]
    verdict = verify(pages, heads)
    assert verdict.faults == ()
    assert [(c.start, c.end) for c in verdict.chains] == [(20, 26)]
    write(database, NOW, 3)
    assert verify(pages, heads).records == 9


def test_pruning_goes_on_in_steps_and_may_take_everything(aged: Kept, pages: Pages) -> None:
    _database, writer = aged
    step = partial(prune_audit_step, before=NOW, most=8)
    assert [writer.call(step) for _ in range(4)] == [8, 8, 8, 1]
    assert verify(pages).faults == ()
    assert verify(pages).records == 4  # those of the steps


def test_a_chain_that_only_others_pruned_stays_attested(aged: Kept, pages: Pages) -> None:
    database, _writer = aged
    with database.writing() as connection:
        from api.store.audit_chain import enter_instance

        enter_instance(connection, "other", NOW)
    for days in (0, 30, 60):
        other = Writer(database, instance="other", now=lambda d=days: NOW + dt.timedelta(days=d))
        other.call(notes(1))
        prune(other, {Kind.AUDIT: dt.timedelta(days=1)}, other.now(), lambda *_: None)
        other.close()
        assert verify(pages).faults == ()
    assert [(c.instance, c.start, c.end) for c in verify(pages).chains][1] == ("test", 25, 25)


def remove_more(tx: Transaction) -> None:
    """Remove records and move the checkpoint, without the record that a pruning leaves."""
    row = tx.connection.execute(select(audit).where(audit.c.number == 22)).one()
    tx.connection.execute(update(audit_checkpoints).values(number=22, hash=row.hash))
    tx.connection.execute(audit.delete().where(audit.c.number <= 22))


def remove_checkpoint(tx: Transaction) -> None:
    tx.connection.execute(audit_checkpoints.delete())


def put_back(tx: Transaction) -> None:
    """Make up a record where one was pruned."""
    row = tx.connection.execute(select(audit).where(audit.c.number == 22)).one()
    tx.connection.execute(audit.insert(), {**row._mapping, "number": 19})


@pytest.mark.parametrize(
    ("tamper", "number", "why"),
    [(remove_more, 22, Why.CHECKPOINT_MISMATCH), (remove_checkpoint, 1, Why.MISSING),
     (put_back, 19, Why.INSERTED)],
)  # fmt: skip
def test_a_made_up_pruning_is_found(
    aged: Kept, pages: Pages, tamper: Callable[[Transaction], None], number: int, why: Why
) -> None:
    _database, writer = aged
    prune(writer, KEEP, NOW, lambda *_: None)
    writer.call(tamper)
    fault = verify(pages).faults[0]
    assert (fault.number, fault.why) == (number, why)


def test_kept_heads_in_what_was_pruned_are_named_as_not_comparable(
    kept: Kept, pages: Pages
) -> None:
    database, writer = kept
    write(database, OLD, 5)
    with database.reading() as connection:
        early = read_heads(connection)
    write(database, OLD, 5)
    prune(writer, KEEP, NOW, lambda *_: None)
    verdict = verify(pages, early)
    assert verdict.faults == ()
    assert list(verdict.not_comparable) == early


def test_a_bad_record_is_not_pruned_away(aged: Kept, pages: Pages) -> None:
    database, writer = aged
    edit = text("UPDATE audit SET subject = 'x' WHERE number = 9")
    writer.call(lambda tx: tx.connection.execute(edit))
    with pytest.raises(StartError, match="record 9: EDITED"):
        prune(writer, KEEP, NOW, lambda *_: None)
    assert count(database, audit) == 25
    assert verify(pages).faults[0].number == 9


def test_records_older_than_a_young_one_before_them_stay(kept: Kept, pages: Pages) -> None:
    database, writer = kept
    for at in (OLD, YOUNG, OLD):  # what was spooled enters later under its own instant
        write(database, at, 1)
    assert prune(writer, KEEP, NOW, lambda *_: None)[Kind.AUDIT] == 1
    assert verify(pages).faults == ()


def test_a_count_of_records_is_the_count_of_writes(aged: Kept) -> None:
    database, _writer = aged
    with database.reading() as connection:
        assert connection.execute(select(instances.c.audit_count)).scalar_one() == 25
