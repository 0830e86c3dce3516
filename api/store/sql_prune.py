"""What is forgotten after its time, kind by kind, in bounded steps.

A step is one write of at most about `STEP_MAX` rows, so that pruning stands in nobody's way. What
is still in use is never forgotten: live claims, open assignments, calls that are held or alert. The
audit log has a pruning of its own (`api.audit.prune`).
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, delete, func, select

from api.store import tables
from api.store.changes import prune_changes
from api.store.tables import to_us
from api.store.writer import Transaction

STEP_MAX: Final = 1_000


class Kind(StrEnum):
    """What has a time of its own."""

    POSITIONS = "POSITIONS"
    """Where units were; the latest position of each is kept as long as the unit."""
    STATUS_EVENTS = "STATUS_EVENTS"
    RECOMMENDATIONS = "RECOMMENDATIONS"
    CLAIMS = "CLAIMS"
    """Ended claims, cleared assignments and overrides."""
    INCIDENTS = "INCIDENTS"
    IDEMPOTENCY = "IDEMPOTENCY"
    CHANGES = "CHANGES"
    AUDIT = "AUDIT"


Step = Callable[[Connection, datetime, int], int]
"""Forgets what is older than an instant, about so many rows at the most; returns how many."""


def prune_step(tx: Transaction, kind: Kind, before: datetime, most: int = STEP_MAX) -> int:
    """Do one step of a kind other than AUDIT, with its audit record; 0 when nothing was old."""
    gone = _STEPS[kind](tx.connection, before, most)
    if gone:
        tx.note("PRUNED", kind, {"before": before, "rows": gone})
    return gone


def count_old(connection: Connection, kind: Kind, before: datetime) -> int:
    """Return how many rows a pruning of a kind would forget, at the most."""
    return sum(
        int(connection.execute(select(func.count()).select_from(table).where(old)).scalar_one())
        for table, old in _old(kind, to_us(before))
    )


def _old(kind: Kind, before: int) -> list[tuple[Table, ColumnElement[bool]]]:
    """Return which rows of which tables are old."""
    t = tables
    over_since = func.coalesce(t.assignments.c.cleared_at, t.assignments.c.assigned_at)
    cleared = and_(~t.assignments.c.is_open, over_since < before)  # one that moved has no clearing
    ended = and_(t.claims.c.state != "LIVE", t.claims.c.ended_at < before)
    alerting = select(t.alerts.c.incident_id).where(t.alerts.c.is_open)
    done = and_(
        t.incidents.c.touched_at < before,
        ~t.incidents.c.is_pending,
        t.incidents.c.incident_id.not_in(alerting),
    )
    found: dict[Kind, list[tuple[Table, ColumnElement[bool]]]] = {
        Kind.POSITIONS: [(t.position_history, t.position_history.c.received_at < before)],
        Kind.STATUS_EVENTS: [(t.status_events, t.status_events.c.received_at < before)],
        Kind.RECOMMENDATIONS: [(t.recommendations, t.recommendations.c.decided_at < before)],
        Kind.CLAIMS: [
            (t.claims, ended),
            (t.assignments, cleared),
            (t.overrides, t.overrides.c.at < before),
        ],
        Kind.INCIDENTS: [(t.incidents, done)],
        Kind.IDEMPOTENCY: [(t.idempotency, t.idempotency.c.at < before)],
        Kind.CHANGES: [(t.changes, t.changes.c.at < before)],
        Kind.AUDIT: [(t.audit, t.audit.c.at < before)],
    }
    return found[kind]


def _oldest_of(column: Column[Any]) -> Step:
    """Return the step of a table whose rows are as old as one column says.

    Rows of one instant go together, whichever the number.
    """

    def step(connection: Connection, before: datetime, most: int) -> int:
        old = column < to_us(before)
        asked = select(column).where(old).order_by(column).offset(most - 1).limit(1)
        last = connection.execute(asked).scalar_one_or_none()
        which = old if last is None else column <= last
        return connection.execute(delete(column.table).where(which)).rowcount

    return step


def _claims(connection: Connection, before: datetime, most: int) -> int:
    (_, ended), (_, cleared), _overrides = _old(Kind.CLAIMS, to_us(before))
    t = tables
    names = select(t.claims.c.claim_id).where(ended).limit(most)
    claim_ids = list(connection.execute(names).scalars())
    gone = len(claim_ids)
    for table in (t.claim_units, t.claims):
        connection.execute(delete(table).where(table.c.claim_id.in_(claim_ids)))
    key = select(t.assignments.c.incident_id, t.assignments.c.unit_id).where(cleared).limit(most)
    rows = connection.execute(key).all()
    if rows:
        connection.execute(
            delete(t.assignments).where(
                t.assignments.c.incident_id.in_({row.incident_id for row in rows}), cleared
            )
        )
    return gone + len(rows) + _oldest_of(t.overrides.c.at)(connection, before, most)


def _incidents(connection: Connection, before: datetime, most: int) -> int:
    ((table, done),) = _old(Kind.INCIDENTS, to_us(before))
    names = list(connection.execute(select(table.c.incident_id).where(done).limit(most)).scalars())
    connection.execute(delete(table).where(table.c.incident_id.in_(names)))
    return len(names)


_STEPS: Final[dict[Kind, Step]] = {
    Kind.POSITIONS: _oldest_of(tables.position_history.c.received_at),
    Kind.STATUS_EVENTS: _oldest_of(tables.status_events.c.received_at),
    Kind.RECOMMENDATIONS: _oldest_of(tables.recommendations.c.decided_at),
    Kind.CLAIMS: _claims,
    Kind.INCIDENTS: _incidents,
    Kind.IDEMPOTENCY: _oldest_of(tables.idempotency.c.at),
    Kind.CHANGES: prune_changes,
}
