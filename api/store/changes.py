"""What changed, in one order for all instances: the feed that readers follow.

Each change has a number; numbers rise by one in the order of commits, because the head of the feed
is moved in the transaction of the write and held until it ends. A reader that has seen number N
asks for what follows N and has missed nothing.

Topics: `units` (key: version of the roster), `call` (incident_id), `alert` (alert_id), `claim`
(claim_id), `keys` (key_id), `release` (number of the publication), `draft` (its name), `closure`
(closure_id). Every topic is told to other instances; which are told to listeners outside is said
where they are sent.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from api.store.statements import Statement
from api.store.tables import change_state, changes, from_us, to_us

CHANNEL: Final = "tandem_changes"
READ_MAX: Final = 1_000


class Change(Struct, frozen=True, kw_only=True):
    """One change, before it has its number."""

    topic: str
    key: str
    said: Mapping[str, Any]
    at: datetime
    is_shown: Callable[[], bool] | None = None
    """Tells, once it is committed, whether this process's memory holds what was written."""


class NumberedChange(Struct, frozen=True, kw_only=True):
    """One change as it stands in the feed."""

    change_id: int
    instance: str
    topic: str
    key: str
    said: Mapping[str, Any]
    at: datetime
    is_shown: bool = False
    """Whether this process's memory holds what was written; never of a change that was read."""


def append_changes(
    connection: Connection, instance: str, told: Sequence[Change]
) -> list[NumberedChange]:
    """Add changes to the end of the feed, in the transaction of the connection.

    Returns
    -------
    list
        What `changes_after` will read of them, once it is committed.
    """
    if not told:
        return []
    is_told = connection.dialect.name == "postgresql"
    head = (_MOVE_AND_TELL if is_told else _MOVE).rows(connection, {"by": len(told)})[0][0]
    first = head - len(told) + 1
    rows = [
        {
            "change_id": first + place,
            "at": to_us(change.at),
            "instance": instance,
            "topic": change.topic,
            "key": change.key,
            "body": msgspec.json.encode(change.said).decode(),
        }
        for place, change in enumerate(told)
    ]
    _APPEND.run_each(connection, rows)
    return [_numbered(row) for row in rows]


_COLUMNS: Final = ("change_id", "at", "instance", "topic", "key", "body")


def _numbered(row: Mapping[str, Any]) -> NumberedChange:
    return NumberedChange(
        change_id=row["change_id"],
        instance=row["instance"],
        topic=row["topic"],
        key=row["key"],
        said=msgspec.json.decode(row["body"]),
        at=from_us(row["at"]),
    )


_MOVED: Final = (
    update(change_state)
    .values(head=change_state.c.head + bindparam("by"))
    .returning(change_state.c.head)
)
_MOVE: Final = Statement(_MOVED)
_MOVE_AND_TELL: Final = Statement(_MOVED.returning(func.pg_notify(CHANNEL, "")))
"""Who listens is told with the commit."""
_APPEND: Final = Statement(insert(changes))
_HEAD: Final = Statement(select(change_state.c.head))


def head_of(connection: Connection) -> int:
    """Return the number of the last change, 0 before the first."""
    ((head,),) = _HEAD.rows(connection)
    return int(head)


def changes_after(
    connection: Connection, number: int, most: int = READ_MAX
) -> list[NumberedChange]:
    """Return what follows a number, in order, at most so many."""
    return [
        _numbered(dict(zip(_COLUMNS, row, strict=True)))
        for row in _AFTER.rows(connection, {"number": number, "most": most})
    ]


_AFTER: Final = Statement(
    select(changes)
    .where(changes.c.change_id > bindparam("number"))
    .order_by(changes.c.change_id)
    .limit(bindparam("most"))
)


def oldest_of(connection: Connection) -> int:
    """Return the number of the oldest change that is kept; one past the head when none is."""
    oldest = connection.execute(select(func.min(changes.c.change_id))).scalar_one()
    return head_of(connection) + 1 if oldest is None else int(oldest)


def prune_changes(connection: Connection, before: datetime, most: int) -> int:
    """Forget the oldest changes, those up to the first that is not older than an instant.

    Clocks of instances differ, so instants may fall from one number to the next; only a beginning
    of the feed is ever forgotten, or a reader would pass over a hole.

    Returns
    -------
    int
        How many were forgotten, `most` at the most.
    """
    oldest = func.min(changes.c.change_id)
    first, kept = connection.execute(
        select(
            oldest,
            select(oldest).where(changes.c.at >= to_us(before)).scalar_subquery(),
        )
    ).one()
    if first is None:
        return 0
    end = first + most if kept is None else min(kept, first + most)
    return connection.execute(delete(changes).where(changes.c.change_id < end)).rowcount
