"""A recommendation becomes a record: its row, its call, its audit record, in one transaction.

What lives here: what is kept of a decision and how. What does not: what the record lets one do
again (`api.replay`), and where it waits while the store is down (`api.spool`).
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.dialects.postgresql import insert

from api.claims.call_facts import begun_call
from api.claims.reports import keep_told_safe
from api.replay.keeping import keep_needs
from api.replay.needs import Need, Seen
from api.request_schemas import OperatorEntry
from api.store.calls import Decided, KnownCall
from api.store.sql_calls import Shown, keep_decision
from api.store.statements import Statement
from api.store.tables import recommendations, to_us
from api.store.writer import Transaction
from routing.codes import Mode, Outcome

if TYPE_CHECKING:
    from api.batch_operations import BatchAnswered
    from api.operations import Answered

_NOT_YET: Final = b'"recorded":false'
_KEPT: Final = b'"recorded":true'


class Record(Struct, frozen=True, kw_only=True):
    """One recommendation as it is kept."""

    recommendation_id: str
    incident_id: str
    incident_version: int
    decided_at: datetime
    outcome: Outcome
    mode: Mode | None
    answer: bytes
    """As it is sent when it is kept: `recorded` is true."""
    seen: bytes
    """What the decision saw (`api.replay`)."""
    request: bytes | None
    """The request of the call, for solving a HOLD again; None keeps the one before."""
    operator: tuple[str, str] | None
    """Id and role of the person for whom the CAD asked."""
    scene_safe_at: datetime | None = None
    """Since when the scene is safe, where the request says so."""
    decided: Decided | None
    """What the memory of calls keeps; None where another version is known already."""
    needs: tuple[Need, ...] = ()
    """What it names as the first, to be kept with it."""


def record_of(answered: "Answered", request: bytes, saw: Seen) -> Record:
    """Return what is kept of an answer to a request; `saw` is what it saw (`api.replay`)."""
    found = answered.found
    return Record(
        recommendation_id=answered.recommendation_id,
        incident_id=found.incident_id,
        incident_version=found.incident_version,
        decided_at=found.decided_at,
        outcome=found.outcome,
        mode=found.mode,
        answer=as_recorded(answered.body),
        seen=saw.seen,
        needs=saw.needs,
        request=request,
        operator=_operator(answered.request.operator),
        scene_safe_at=_utc(answered.request.incident.scene_safe_at),
        decided=answered.remembered.decided,
    )


def records_of(answered: "BatchAnswered", saw: Sequence[Seen]) -> list[Record]:
    """Return what is kept of the answers of a batch, each as a request of its own."""
    from api.batch_operations import requests_of  # brings the solver: 0.1 s of a start

    made = zip(
        answered.found,
        answered.recommendation_ids,
        answered.answers,
        requests_of(answered.request),
        answered.request.incidents,
        answered.remembered,
        saw,
        strict=True,
    )
    return [
        Record(
            recommendation_id=recommendation_id,
            incident_id=found.incident_id,
            incident_version=found.incident_version,
            decided_at=found.decided_at,
            outcome=found.outcome,
            mode=found.mode,
            answer=as_recorded(answer),
            seen=seen_by_it.seen,
            needs=seen_by_it.needs,
            request=request,
            operator=_operator(answered.request.operator),
            scene_safe_at=_utc(entry.scene_safe_at),
            decided=remembered.decided,
        )
        for found, recommendation_id, answer, request, entry, remembered, seen_by_it in made
    ]


def _operator(told: OperatorEntry | None) -> tuple[str, str] | None:
    return None if told is None else (told.id, told.role)


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)


def as_recorded(body: bytes) -> bytes:
    """Return an answer that says it is kept; one of a batch says so of each call.

    A quote inside a text is escaped, so the words can only be the field itself.
    """
    return body.replace(_NOT_YET, _KEPT)


def as_not_recorded(record: Record) -> Record:
    """Return a record whose answer goes out before it is kept."""
    return replace(record, answer=record.answer.replace(_KEPT, _NOT_YET))


def keep_records(
    tx: Transaction, records: Sequence[Record], shown: Shown | None = None
) -> list[KnownCall | None]:
    """Keep recommendations, each once however often it is told; return the calls after them.

    Parameters
    ----------
    shown
        Tells after the commit which of these calls memory holds, so that they are not read back.
    """
    return [_keep(tx, record, shown) for record in records]


_ADD: Final = Statement(
    insert(recommendations).on_conflict_do_nothing(
        index_elements=[recommendations.c.recommendation_id]
    )
)
"""SQLite reads it as PostgreSQL does."""


def _keep(tx: Transaction, record: Record, shown: Shown | None) -> KnownCall | None:
    row = {
        "recommendation_id": record.recommendation_id,
        "incident_id": record.incident_id,
        "incident_version": record.incident_version,
        "decided_at": to_us(record.decided_at),
        "outcome": str(record.outcome),
        "mode": None if record.mode is None else str(record.mode),
        "answer": record.answer,
        "seen": record.seen,
    }
    if not _ADD.run(tx.connection, row):
        return None
    if record.needs:
        keep_needs(tx, record.needs)
    said = {
        "incident_id": record.incident_id,
        "incident_version": record.incident_version,
        "outcome": record.outcome,
        "operator": record.operator,
        "answer_sha256": hashlib.sha256(record.answer).hexdigest(),
        "seen_sha256": hashlib.sha256(record.seen).hexdigest(),
    }
    tx.note("RECOMMENDED", record.recommendation_id, said, at=record.decided_at)
    if record.decided is None:
        return None
    call = keep_decision(
        tx,
        record.decided,
        record.request,
        begun=begun_call,
        waited=_NOT_YET in record.answer,
        shown=shown,
    )
    if record.scene_safe_at is not None:
        keep_told_safe(tx, record.incident_id, record.scene_safe_at)
    return call
