"""Keys in the durable store; each creation and revocation is in its audit and its feed."""

import json
from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update

from api.auth.keys import KEYS_MAX, ApiKey
from api.auth.memory_keys import keys_full, no_such_key
from api.auth.roles import Role
from api.store.audit_chain import enter_instance
from api.store.database import Database
from api.store.schema import require_schema
from api.store.tables import api_keys, from_us, to_us
from api.store.writer import Transaction, Writer

INSTANCE: Final = "tandem-keys"
"""The name under which the command line writes; all of its processes write one chain."""
TOPIC: Final = "keys"


class SqlKeys:
    """The engine on SQLite and PostgreSQL."""

    def __init__(self, database: Database, writer: Writer, keys_max: int = KEYS_MAX) -> None:
        self.database = database
        self.writer = writer
        self.keys_max = keys_max

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""

        def keep(tx: Transaction) -> None:
            if tx.connection.execute(_COUNT).scalar_one() >= self.keys_max:
                raise keys_full(self.keys_max)
            tx.connection.execute(insert(api_keys).values(_row_of(key)))
            said = {
                "roles": sorted(key.roles),
                "asserts": sorted(key.asserts),
                "expires_at": key.expires_at,
            }
            tx.note("KEY_CREATED", key.key_id, said)
            tx.announce(TOPIC, key.key_id, {"event": "CREATED"})

        self.writer.call(keep)

    def find(self, key_id: str) -> ApiKey | None:
        """Return a key, revoked and expired ones too."""
        with self.database.reading() as connection:
            row = connection.execute(_one(key_id)).one_or_none()
        return None if row is None else _key_of(row)

    def list(self) -> Sequence[ApiKey]:
        """Return all keys, the oldest first."""
        with self.database.reading() as connection:
            return [_key_of(row) for row in connection.execute(_ALL)]

    def mark(self) -> Hashable:
        """Return how many keys there are, when the last was made, and the sum of revocations."""
        with self.database.reading() as connection:
            return tuple(connection.execute(_MARK).one())

    def revoke(self, key_id: str, at: datetime) -> ApiKey:
        """Let a key open nothing from an instant on."""

        def end(tx: Transaction) -> ApiKey:
            row = tx.connection.execute(_one(key_id)).one_or_none()
            if row is None:
                raise no_such_key()
            if row.revoked_at is None or to_us(at) < row.revoked_at:
                changed = update(api_keys).where(api_keys.c.key_id == key_id)
                tx.connection.execute(changed.values(revoked_at=to_us(at)))
                tx.note("KEY_REVOKED", key_id, {"from": at})
                tx.announce(TOPIC, key_id, {"event": "REVOKED"})
            return _key_of(tx.connection.execute(_one(key_id)).one())

        return self.writer.call(end)

    def touch(self, key_ids: Collection[str], at: datetime) -> None:
        """Note that keys were used."""
        used = update(api_keys).where(api_keys.c.key_id.in_(sorted(key_ids)))
        self.writer.call(lambda tx: tx.connection.execute(used.values(last_used_at=to_us(at))))


@contextmanager
def opened_keys(location: str) -> Iterator[SqlKeys]:
    """Yield the keys of a store, whose tables are made where it is new.

    Raises
    ------
    StartError
        The location names no engine, or the tables are of another version.
    StoreUnavailable
        The engine cannot be reached.
    """
    database = Database(location)
    try:
        require_schema(database)
        with database.writing() as connection:
            enter_instance(connection, INSTANCE, datetime.now(UTC))
        writer = Writer(database, instance=INSTANCE)
        try:
            yield SqlKeys(database, writer)
        finally:
            writer.close()
    finally:
        database.close()


_ALL: Final = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
_COUNT: Final = select(func.count()).select_from(api_keys)
_MARK: Final = select(
    func.count(),
    func.max(api_keys.c.created_at),
    func.coalesce(func.sum(api_keys.c.revoked_at), 0),
    func.count(api_keys.c.revoked_at),
)


def _one(key_id: str) -> Any:
    return select(api_keys).where(api_keys.c.key_id == key_id)


def _row_of(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "secret_sha256": key.secret_sha256,
        "label": key.label,
        "roles": json.dumps(sorted(key.roles)),
        "asserts": json.dumps(sorted(key.asserts)),
        "created_at": to_us(key.created_at),
        "expires_at": to_us(key.expires_at),
        "revoked_at": None if key.revoked_at is None else to_us(key.revoked_at),
        "last_used_at": None if key.last_used_at is None else to_us(key.last_used_at),
    }


def _key_of(row: Any) -> ApiKey:
    known = {role.value: role for role in Role}
    return ApiKey(
        key_id=row.key_id,
        secret_sha256=bytes(row.secret_sha256),
        label=row.label,
        # A role that this version does not know opens nothing.
        roles=frozenset(known[word] for word in json.loads(row.roles) if word in known),
        asserts=frozenset(json.loads(row.asserts)),
        created_at=from_us(row.created_at),
        expires_at=from_us(row.expires_at),
        revoked_at=None if row.revoked_at is None else from_us(row.revoked_at),
        last_used_at=None if row.last_used_at is None else from_us(row.last_used_at),
    )
