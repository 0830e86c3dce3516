"""Forgetting what is past its time, the audit log among it, without breaking a chain.

Only the beginning of a chain is ever forgotten. A checkpoint keeps the number and the hash of the
last forgotten record, from which the chain still verifies; a record of kind `PRUNED_AUDIT`, in the
same transaction, tells the checkpoints of all chains. So whoever removes records and makes up a
checkpoint is found out. Records are checked before they are forgotten: evidence of a tampering is
not pruned away.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, func, insert, select

from api.audit.heads import PRUNED_AUDIT
from api.audit.pages import Pages, Place
from api.audit.verify import first_fault
from api.errors import StartError
from api.store.sql_prune import STEP_MAX, Kind, prune_step
from api.store.tables import audit, audit_checkpoints, to_us
from api.store.writer import Transaction, Writer

Pruned = Callable[[Kind, int], None]
"""Is told how many rows of a kind a step forgot."""


def prune(
    writer: Writer, keep: Mapping[Kind, timedelta], now: datetime, told: Pruned
) -> dict[Kind, int]:
    """Forget what is older than its kind is kept, step by step; return how many rows.

    Raises
    ------
    StartError
        A record of the audit log that would be forgotten is bad; that chain is left as it is.
    """
    gone = dict.fromkeys(keep, 0)
    for kind, kept in keep.items():
        step = prune_audit_step if kind is Kind.AUDIT else partial(prune_step, kind=kind)
        while count := writer.call(partial(step, before=now - kept)):
            gone[kind] += count
            told(kind, count)
    return gone


def prune_audit_step(tx: Transaction, before: datetime, most: int = STEP_MAX) -> int:
    """Forget the beginning of one chain, if one has records that old; return how many."""
    pages = Pages(lambda: nullcontext(tx.connection), most)
    for instance in pages.instances():
        start, _head = pages.ends(instance)
        end = _last_old(tx, instance, to_us(before))
        rows = [row for row in pages.page(instance, start.number).rows if row.number <= end]
        if not rows:
            continue
        fault = first_fault(pages, instance, start, rows)
        if fault is not None:
            raise StartError(
                f"The audit log has a bad record ({fault}). It was not pruned.",
                remedy="Run `tandem audit verify`, and keep a backup of this store.",
            )
        _forget(tx, instance, Place(rows[-1].number, rows[-1].hash))
        return len(rows)
    return 0


def _last_old(tx: Transaction, instance: str, before: int) -> int:
    """Return the number up to which every record of a chain is older than an instant."""
    of = audit.c.instance == instance
    kept = select(func.min(audit.c.number)).where(of, audit.c.at >= before)
    first_kept = tx.connection.execute(kept).scalar_one()
    if first_kept is not None:
        return int(first_kept) - 1
    last = tx.connection.execute(select(func.max(audit.c.number)).where(of)).scalar_one()
    return 0 if last is None else int(last)


def _forget(tx: Transaction, instance: str, end: Place) -> None:
    of = audit_checkpoints.c.instance == instance
    tx.connection.execute(delete(audit_checkpoints).where(of))
    row = {"instance": instance, "number": end.number, "at": to_us(tx.at), "hash": end.hash}
    tx.connection.execute(insert(audit_checkpoints), row)
    old = (audit.c.instance == instance) & (audit.c.number <= end.number)
    tx.connection.execute(delete(audit).where(old))
    heads = {
        found.instance: [found.number, found.hash.hex()]
        for found in tx.connection.execute(select(audit_checkpoints))
    }
    tx.note(PRUNED_AUDIT, instance, {"heads": heads})
