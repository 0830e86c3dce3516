"""The heads of all chains of audit records, as `instances` has them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from api.store.tables import instances


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last record of a chain."""

    instance: str
    number: int
    """0 before the first record."""
    hash: bytes


def read_heads(connection: Connection) -> list[Head]:
    """Return the heads of all chains, in the order of their names."""
    return [
        Head(instance=row.instance, number=row.audit_count, hash=row.audit_head)
        for row in connection.execute(_HEADS)
    ]


_HEADS: Final = select(
    instances.c.instance, instances.c.audit_count, instances.c.audit_head
).order_by(instances.c.instance)
