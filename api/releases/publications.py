"""Publications: which release is in force, since when, and who said so.

What lives here: `Publication`, its rows, and the rule that says which is in force at an instant.
What does not: making one (`publishing`), and decisions by it (`in_force`).
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, insert, select, update

from api.store.release_tables import publications
from api.store.tables import from_us, to_us


class PublicationKind(StrEnum):
    """Where a publication comes from.

    START: what the settings named when the first publication was made. PUBLISH: a draft. ROLLBACK:
    an earlier release again.
    """

    START = "START"
    PUBLISH = "PUBLISH"
    ROLLBACK = "ROLLBACK"


class Publication(Struct, frozen=True, kw_only=True):
    """One publication as it is kept."""

    number: int
    """From 1, without a gap."""
    release_key: str
    effective_at: datetime
    published_at: datetime
    published_by: str
    approved_by: str | None = None
    draft: str | None = None
    kind: PublicationKind
    reason: str = ""
    withdrawn_at: datetime | None = None

    @property
    def rank(self) -> tuple[datetime, int]:
        """Of those whose instant has come, the greatest is in force."""
        return self.effective_at, self.number


def in_force_at(told: Iterable[Publication], instant: datetime) -> Publication | None:
    """Return the publication in force at an instant; None before the first."""
    begun = [one for one in told if one.withdrawn_at is None and one.effective_at <= instant]
    return max(begun, key=lambda one: one.rank, default=None)


def scheduled_after(told: Iterable[Publication], instant: datetime) -> list[Publication]:
    """Return what is to be in force after an instant, the next first."""
    ahead = [one for one in told if one.withdrawn_at is None and one.effective_at > instant]
    return sorted(ahead, key=lambda one: one.rank)


def read_publications(connection: Connection) -> list[Publication]:
    """Return all publications by their numbers."""
    rows = connection.execute(select(publications).order_by(publications.c.number))
    return [_publication_of(row) for row in rows]


def insert_publication(connection: Connection, one: Publication) -> None:
    """Keep a new publication."""
    connection.execute(
        insert(publications).values(
            number=one.number,
            release_key=one.release_key,
            effective_at=to_us(one.effective_at),
            published_at=to_us(one.published_at),
            published_by=one.published_by,
            approved_by=one.approved_by,
            draft=one.draft,
            kind=one.kind,
            reason=one.reason,
        )
    )


def mark_withdrawn(connection: Connection, number: int, at: datetime) -> None:
    """Note that a publication was taken back."""
    connection.execute(
        update(publications).where(publications.c.number == number).values(withdrawn_at=to_us(at))
    )


def _publication_of(row: Row[Any]) -> Publication:
    return Publication(
        number=row.number,
        release_key=row.release_key,
        effective_at=from_us(row.effective_at),
        published_at=from_us(row.published_at),
        published_by=row.published_by,
        approved_by=row.approved_by,
        draft=row.draft,
        kind=PublicationKind(row.kind),
        reason=row.reason,
        withdrawn_at=None if row.withdrawn_at is None else from_us(row.withdrawn_at),
    )
