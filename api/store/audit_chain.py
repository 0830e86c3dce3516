"""The audit log: one chain of hashes for each instance, written in the transaction of the write.

A record is the canonical JSON of what happened; its hash covers the hash before it. So whoever
changes, removes, inserts or swaps records breaks the chain at that place. The head of each chain
stands in `instances` and is read in each transaction, so two processes under one name still write
one chain without a gap. Checking a chain, and pruning it, is in `api.audit`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, select, update

from api.store.statements import Statement
from api.store.tables import audit, instances, to_us

FIRST: Final = bytes(32)
"""The hash before the first record of a chain."""

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Note(Struct, frozen=True, kw_only=True):
    """One thing that happened, before it has its place in the chain."""

    kind: str
    subject: str
    """Id of what it happened to."""
    by: str | None = None
    """The key of who asked for it; None where the service acted by itself."""
    said: Mapping[str, Any]
    """Ids, codes and instants; no narrative and no names."""
    at: datetime


def record_bytes(instance: str, number: int, note: Note) -> bytes:
    """Return the bytes of a record that its hash covers."""
    return _ENCODER.encode(
        {
            "instance": instance,
            "number": number,
            "at": note.at,
            "kind": note.kind,
            "subject": note.subject,
            "by": note.by,
            "said": note.said,
        }
    )


def chained(before: bytes, record: bytes) -> bytes:
    """Return the hash (32 bytes) of a record that follows another hash."""
    return hashlib.sha256(before + record).digest()


ChainEnd = tuple[int, bytes]
"""Number and hash of the last record of a chain."""


def append_notes(
    connection: Connection, instance: str, notes: Sequence[Note], known: ChainEnd | None = None
) -> ChainEnd | None:
    """Add records to the end of an instance's chain, in the transaction of the connection.

    Parameters
    ----------
    known
        Where the chain ended when it was last written; another may have gone on with it since.

    Returns
    -------
    tuple
        Where the chain ends now.
    """
    if not notes:
        return known
    head = known or _head_of(connection, instance)
    rows = _rows(instance, head, notes)
    if not _moved(connection, instance, head, rows):
        head = _head_of(connection, instance)
        rows = _rows(instance, head, notes)
        if not _moved(connection, instance, head, rows):
            raise LookupError("the head of the chain moves while nobody else writes")
    _APPEND.run_each(connection, rows)
    return rows[-1]["number"], rows[-1]["hash"]


def _head_of(connection: Connection, instance: str) -> ChainEnd:
    heads = _HEAD.rows(connection, {"of": instance})
    if not heads:
        raise LookupError("this instance is not entered; expected `enter_instance` first")
    number, last = heads[0]
    return int(number), bytes(last)


def _moved(
    connection: Connection, instance: str, head: ChainEnd, rows: list[dict[str, Any]]
) -> bool:
    """Move the head of a chain to the last of new records; False when it is not where we think."""
    now = {"count": rows[-1]["number"], "head": rows[-1]["hash"]}
    return bool(_MOVE.run(connection, now | {"of": instance, "at": head[0], "last": head[1]}))


def _rows(instance: str, head: ChainEnd, notes: Sequence[Note]) -> list[dict[str, Any]]:
    number, last = head
    rows: list[dict[str, Any]] = []
    for note in notes:
        number += 1
        record = record_bytes(instance, number, note)
        last = chained(last, record)
        rows.append(
            {
                "instance": instance,
                "number": number,
                "at": to_us(note.at),
                "kind": note.kind,
                "subject": note.subject,
                "record": record,
                "hash": last,
            }
        )
    return rows


_HEAD: Final = Statement(
    select(instances.c.audit_count, instances.c.audit_head)
    .where(instances.c.instance == bindparam("of"))
    .with_for_update()
)
_APPEND: Final = Statement(insert(audit))
_MOVE: Final = Statement(
    update(instances)
    .where(
        instances.c.instance == bindparam("of"),
        instances.c.audit_count == bindparam("at"),
        instances.c.audit_head == bindparam("last"),
    )
    .values(audit_count=bindparam("count"), audit_head=bindparam("head"))
)


def enter_instance(connection: Connection, instance: str, at: datetime) -> None:
    """Enter this process among the instances; its chain goes on where it ended."""
    now = to_us(at)
    if _HEAD.rows(connection, {"of": instance}):
        again = update(instances).where(instances.c.instance == instance)
        connection.execute(again.values(started_at=now, seen_at=now))
        return
    connection.execute(
        insert(instances).values(
            instance=instance, started_at=now, seen_at=now, audit_count=0, audit_head=FIRST
        )
    )
