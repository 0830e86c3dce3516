"""Drafts in the store: rows to values and back, and nothing of what may be done with them."""

import json
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from api.releases.drafts import Content, Draft
from api.store.release_tables import drafts
from api.store.tables import audit, from_us, to_us


def read_draft(connection: Connection, name: str) -> Draft | None:
    """Return a draft, or None when none has this name."""
    row = connection.execute(select(drafts).where(drafts.c.name == name)).one_or_none()
    return None if row is None else _draft_of(row)


def draft_owned_by(connection: Connection, owner: str) -> str | None:
    """Return the name of somebody's draft, or None."""
    asked = select(drafts.c.name).where(drafts.c.owner == owner)
    return connection.execute(asked).scalar_one_or_none()


def list_drafts(connection: Connection) -> list[Draft]:
    """Return all drafts in the order of their names."""
    return [_draft_of(row) for row in connection.execute(select(drafts).order_by(drafts.c.name))]


def records_of(connection: Connection, name: str) -> int:
    """Return how many records of the audit log are about drafts of a name, ended ones too."""
    kept = audit.c.subject == name, audit.c.kind.startswith("DRAFT_", autoescape=True)
    asked = select(func.count()).select_from(audit).where(*kept)
    return int(connection.execute(asked).scalar_one())


def insert_draft(connection: Connection, draft: Draft) -> None:
    """Keep a new draft."""
    connection.execute(insert(drafts).values(_row_of(draft)))


def keep_draft(connection: Connection, draft: Draft) -> None:
    """Keep a draft in the place of the one of its name."""
    connection.execute(update(drafts).where(drafts.c.name == draft.name).values(_row_of(draft)))


def delete_draft(connection: Connection, name: str) -> None:
    """Forget a draft."""
    connection.execute(delete(drafts).where(drafts.c.name == name))


def _row_of(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "owner": draft.owner,
        "base_key": draft.base_key,
        "version": draft.version,
        "text": draft.content.text,
        "zones": draft.content.zones,
        "note": draft.note,
        "editors": json.dumps(draft.editors),
        "created_at": to_us(draft.created_at),
        "changed_at": to_us(draft.changed_at),
        "approved_by": draft.approved_by,
        "approved_digest": draft.approved_digest,
    }


def _draft_of(row: Row[Any]) -> Draft:
    return Draft(
        name=row.name,
        owner=row.owner,
        base_key=row.base_key,
        version=row.version,
        content=Content(text=row.text, zones=row.zones),
        note=row.note,
        editors=tuple(json.loads(row.editors)),
        created_at=from_us(row.created_at),
        changed_at=from_us(row.changed_at),
        approved_by=row.approved_by,
        approved_digest=row.approved_digest,
    )
