"""Closures as rows: read, written and announced in the transaction of a write."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from api.closures.records import ClosureState, KeptClosure
from api.store.closure_tables import closures
from api.store.tables import to_us
from api.store.writer import Transaction

TOPIC: Final = "closure"
_CLOSURE: Final = msgspec.json.Decoder(KeptClosure)
_BODY: Final = select(closures.c.body)
_IN_USE: Final = (str(ClosureState.PROPOSED), str(ClosureState.ACTIVE))


def read_closure(connection: Connection, closure_id: str) -> KeptClosure | None:
    """Return a closure, whatever became of it."""
    asked = _BODY.where(closures.c.closure_id == closure_id)
    body = connection.execute(asked).scalar_one_or_none()
    return None if body is None else _CLOSURE.decode(body)


def list_closures(
    connection: Connection, *, state: ClosureState | None, at: datetime, most: int
) -> list[KeptClosure]:
    """Return the latest closures in the order of their ids, which is that of their proposal.

    Parameters
    ----------
    state
        At the instant `at`; None for those that are proposed or active then.
    most
        So many of them; earlier ones are left out.
    """
    column, ends_at = closures.c.state, closures.c.ends_at
    unexpired = or_(ends_at.is_(None), ends_at > to_us(at))
    asked = {
        None: [column.in_(_IN_USE), or_(column == str(ClosureState.PROPOSED), unexpired)],
        ClosureState.PROPOSED: [column == str(ClosureState.PROPOSED)],
        ClosureState.ACTIVE: [column == str(ClosureState.ACTIVE), unexpired],
        ClosureState.EXPIRED: [column == str(ClosureState.ACTIVE), ~unexpired],
        ClosureState.ENDED: [column == str(ClosureState.ENDED)],
    }[state]
    latest = _BODY.where(*asked).order_by(closures.c.closure_id.desc()).limit(most)
    return _all(connection, latest)[::-1]


def closures_since(connection: Connection, since: datetime) -> list[KeptClosure]:
    """Return the closures that were activated and have held at an instant or hold later."""
    held = or_(closures.c.ends_at.is_(None), closures.c.ends_at > to_us(since))
    asked = _BODY.where(closures.c.state != str(ClosureState.PROPOSED), held)
    found = _all(connection, asked.order_by(closures.c.closure_id))
    return [one for one in found if one.ended_at is None or one.ended_at > since]


def count_in_use(connection: Connection, at: datetime) -> int:
    """Return how many closures are proposed or active, and not over."""
    over = closures.c.ends_at <= to_us(at)
    asked = select(func.count()).where(
        closures.c.state.in_(_IN_USE), or_(closures.c.ends_at.is_(None), ~over)
    )
    return int(connection.execute(asked).scalar_one())


def add_closure(tx: Transaction, closure: KeptClosure) -> None:
    """Keep a new closure."""
    tx.connection.execute(insert(closures).values(_row(closure)))
    tell_closure(tx, closure)


def keep_closure(tx: Transaction, closure: KeptClosure) -> None:
    """Keep a closure as it is now."""
    of = closures.c.closure_id == closure.closure_id
    tx.connection.execute(update(closures).where(of).values(_row(closure)))
    tell_closure(tx, closure)


def forget_closure(tx: Transaction, closure: KeptClosure) -> None:
    """Take a closure away."""
    of = closures.c.closure_id == closure.closure_id
    tx.connection.execute(delete(closures).where(of))
    tx.announce(TOPIC, closure.closure_id, {"state": None, "version": closure.version})


def tell_closure(tx: Transaction, closure: KeptClosure) -> None:
    """Announce a closure; who follows reads it."""
    said = {"state": str(closure.state), "version": closure.version}
    tx.announce(TOPIC, closure.closure_id, said)


def _all(connection: Connection, asked: Any) -> list[KeptClosure]:
    return [_CLOSURE.decode(body) for (body,) in connection.execute(asked)]


def is_told(topics: Iterable[str]) -> bool:
    """Tell whether any of the topics of some changes is that of closures."""
    return TOPIC in topics


def _row(closure: KeptClosure) -> dict[str, Any]:
    ends_at = closure.holds_until  # what is over is not read again, however it came to be
    return {
        "closure_id": closure.closure_id,
        "state": str(closure.state),
        "ends_at": None if ends_at is None else to_us(ends_at),
        "changed_at": to_us(closure.changed_at),
        "body": msgspec.json.encode(closure).decode(),
    }
