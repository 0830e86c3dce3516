"""What the queue writes: a later recommendation, and that a call waits no more.

Each is judged by what is kept when it is written: a call that was asked about meanwhile, or that
another instance has looked at, is left alone.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import bindparam, update

from api.queue.waiting import KeptAnswer, LeftWhy, QueueEvent, Waiting
from api.recording import Record, keep_records
from api.store.calls import KnownCall
from api.store.sql_calls import held_call
from api.store.tables import incidents, to_us
from api.store.writer import Transaction
from routing.codes import Outcome


class Looked(Struct, frozen=True, kw_only=True):
    """A call that was looked at, and what is to be said of it now."""

    waiting: Waiting
    event: QueueEvent
    answer: KeptAnswer
    record: Record


def keep_looked(tx: Transaction, looked: Looked) -> KnownCall | None:
    """Record a later recommendation and announce it; None when the call is another meanwhile."""
    if not _is_as_seen(tx, looked.waiting.call):
        return None
    (kept,) = keep_records(tx, [looked.record])
    if kept is None:
        return None
    waits = looked.answer.outcome is not Outcome.NOT_ELIGIBLE
    since = looked.waiting.since if looked.waiting.is_pending else tx.at
    _set_pending(tx, looked.waiting.incident_id, waits, since)
    hold = looked.answer.hold
    said = {
        "event": looked.event,
        "outcome": looked.answer.outcome,
        "recommendation_id": looked.record.recommendation_id,
        "unit_ids": looked.answer.going,
        "escalate_to": None if hold is None else hold.escalate_to,
    }
    tx.announce("queue", looked.waiting.incident_id, said)
    if not waits and looked.waiting.is_pending:
        _announce_left(tx, looked.waiting.incident_id, LeftWhy.NOT_ELIGIBLE)
    return kept


def keep_left(tx: Transaction, waiting: Waiting, why: LeftWhy) -> bool:
    """Note that a call waits no more; False when it is another meanwhile."""
    if not _is_as_seen(tx, waiting.call):
        return False
    _set_pending(tx, waiting.incident_id, False, waiting.since)  # noqa: FBT003
    tx.note("QUEUE_LEFT", waiting.incident_id, {"why": why})
    _announce_left(tx, waiting.incident_id, why)
    return True


def _announce_left(tx: Transaction, incident_id: str, why: LeftWhy) -> None:
    tx.announce("queue", incident_id, {"event": QueueEvent.LEFT, "why": why})


def _is_as_seen(tx: Transaction, seen: KnownCall) -> bool:
    kept = held_call(tx.connection, seen.incident_id)
    return kept is not None and _judged(kept) == _judged(seen)


def _judged(call: KnownCall) -> tuple[object, ...]:
    """Return what a look goes by: once its units are claimed, a call needs no others."""
    return call.version, call.recommendation_id, [one.unit_id for one in call.on_call]


def _set_pending(tx: Transaction, incident_id: str, waits: bool, since: datetime) -> None:
    row = {"of": incident_id, "waits": waits, "since": to_us(since)}
    tx.connection.execute(_SET, row)


_SET: Final = (
    update(incidents)
    .where(incidents.c.incident_id == bindparam("of"))
    .values(is_pending=bindparam("waits"), pending_since=bindparam("since"))
)
