"""Reading a chain of audit records page by page, each page as it is at one moment.

No transaction is held over a whole chain, so that a long check stands in nobody's way; the head and
the checkpoint come with each page, because the chain grows, and is pruned, while it is read.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    bindparam,
    cast,
    func,
    select,
)

from api.store.audit_chain import FIRST
from api.store.tables import audit, audit_checkpoints, instances

Reading = Callable[[], AbstractContextManager[Connection]]
ROWS_MAX: Final = 2_000
BEFORE_ALL: Final = -(2**63)
"""Below every number that a row can have."""


class Row(NamedTuple):
    """A record as it stands in the table."""

    number: int
    at: int
    kind: bytes
    subject: bytes
    record: bytes
    hash: bytes


class Place(NamedTuple):
    """A place in a chain: the number of a record and its hash."""

    number: int
    hash: bytes


START: Final = Place(0, FIRST)
"""Before the first record."""


class Told(Struct, frozen=True):
    """What the bytes of a record say."""

    instance: str
    number: int
    at: datetime
    kind: str
    subject: str
    said: msgspec.Raw


_TOLD: Final = msgspec.json.Decoder(Told)


def told_by(record: bytes) -> Told | None:
    """Return what the bytes of a record say, None where they are no record."""
    try:
        return _TOLD.decode(record)
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None


class Page(NamedTuple):
    """Some rows of a chain in order, with its ends at the same moment."""

    rows: list[Row]
    start: Place
    """The checkpoint, or the place before the first record."""
    head: Place | None
    """As `instances` has it; None when it does not know this instance."""


class Pages:
    """The chains of one database.

    Parameters
    ----------
    reading
        Makes connections that see one moment.
    """

    def __init__(self, reading: Reading, rows_max: int = ROWS_MAX) -> None:
        self._reading = reading
        self.rows_max = rows_max

    def instances(self) -> list[str]:
        """Return the names of all chains, also of those that only records or checkpoints name."""
        with self._reading() as connection:
            known = set(connection.execute(select(instances.c.instance)).scalars())
            known |= set(connection.execute(select(audit_checkpoints.c.instance)).scalars())
            return sorted(known | set(_names_in_audit(connection)))

    def page(self, instance: str, after: int) -> Page:
        """Return what follows a number."""
        of = {"of": instance}
        with self._reading() as connection:
            rows = connection.execute(
                _ROWS[connection.dialect.name], {**of, "after": after, "most": self.rows_max}
            )
            head = connection.execute(_HEAD, of).one_or_none()
            start = connection.execute(_CHECKPOINT, of).one_or_none()
            return Page(
                [Row._make(row) for row in rows.all()],
                START if start is None else Place._make(start),
                None if head is None else Place._make(head),
            )

    def from_number(self, instance: str, number: int, most: int) -> list[Row]:
        """Return the records from a number on, so many at the most."""
        asked = {"of": instance, "after": number - 1, "most": most}
        with self._reading() as connection:
            rows = connection.execute(_ROWS[connection.dialect.name], asked)
            return [Row._make(row) for row in rows.all()]

    def at_number(self, instance: str, number: int) -> Row | None:
        """Return one record."""
        found = self.from_number(instance, number, 1)
        return found[0] if found and found[0].number == number else None

    def place_at(self, instance: str, number: int) -> Place:
        """Return a place of a chain that is there: a record, the checkpoint or the beginning."""
        start, _head = self.ends(instance)
        row = self.at_number(instance, number)
        return start if row is None else Place(row.number, row.hash)

    def numbers_within(self, instance: str, since: int, until: int) -> tuple[int, int] | None:
        """Return the first and the last number whose instants lie in a period; None when none."""
        asked = select(func.min(audit.c.number), func.max(audit.c.number)).where(
            audit.c.instance == instance, audit.c.at >= since, audit.c.at < until
        )
        with self._reading() as connection:
            first, last = connection.execute(asked).one()
        return None if first is None else (first, last)

    def ends(self, instance: str) -> tuple[Place, Place | None]:
        """Return where a chain starts and where it ends now."""
        page = self.page(instance, 2**63 - 1)
        return page.start, page.head


def _names_in_audit(connection: Connection) -> Iterator[str]:
    """Yield each name once, by one look into the index for each."""
    name = connection.execute(select(func.min(audit.c.instance))).scalar_one()
    while name is not None:
        yield name
        following = select(func.min(audit.c.instance)).where(audit.c.instance > name)
        name = connection.execute(following).scalar_one()


def _rows(*texts: ColumnElement[bytes]) -> Select[Any]:
    return (
        select(audit.c.number, audit.c.at, *texts, audit.c.record, audit.c.hash)
        .where(audit.c.instance == bindparam("of"), audit.c.number > bindparam("after"))
        .order_by(audit.c.number)
        .limit(bindparam("most"))
    )


_TEXTS: Final = (audit.c.kind, audit.c.subject)
# Texts are read as bytes: SQLite may be made to hold what is no text, and reading that would fail.
_ROWS: Final = {
    "sqlite": _rows(*(cast(column, LargeBinary) for column in _TEXTS)),
    "postgresql": _rows(*(func.convert_to(column, "UTF8") for column in _TEXTS)),
}
_HEAD: Final = select(instances.c.audit_count, instances.c.audit_head).where(
    instances.c.instance == bindparam("of")
)
_CHECKPOINT: Final = (
    select(audit_checkpoints.c.number, audit_checkpoints.c.hash)
    .where(audit_checkpoints.c.instance == bindparam("of"))
    .order_by(audit_checkpoints.c.number.desc())
    .limit(1)
)
