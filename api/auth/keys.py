"""API keys: what one looks like, what is kept of it, and what an engine that keeps them promises.

A key is `tdm_<key_id>_<secret>`: the id may be logged, the secret is shown once. Of the secret only
its SHA-256 is kept; it has 192 random bits, so nothing slower is needed to keep it from guessing.
"""

import secrets
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from api.auth.principal import Principal
from api.auth.roles import Roles
from api.errors import StartError

PREFIX: Final = "tdm"
KEY_ID_BYTES: Final = 6
SECRET_BYTES: Final = 24
"""192 bits."""
KEY_PATTERN: Final = rf"{PREFIX}_[0-9a-f]{{{2 * KEY_ID_BYTES}}}_[0-9a-f]{{{2 * SECRET_BYTES}}}"
"""For tools that look for secrets where none may stand."""
KEYS_MAX: Final = 10_000
"""Keys that one store keeps, revoked and expired ones included."""
LABEL_CHARACTERS_MAX: Final = 80


class KeysFull(StartError):
    """The store takes no more keys."""

    code = "KEYS_FULL"
    title = "The store takes no more keys"


class NoSuchKey(StartError):
    """No key has this id."""

    code = "KEY_NOT_KNOWN"
    title = "No key has this id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key."""

    key_id: str
    secret_sha256: bytes
    """32 bytes."""
    label: str
    roles: Roles
    asserts: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    """From when on it opens nothing; of a key that was rotated this may lie ahead."""
    last_used_at: datetime | None = None

    def is_revoked(self, at: datetime) -> bool:
        """Tell whether it was revoked by then."""
        return self.revoked_at is not None and self.revoked_at <= at

    def is_live(self, at: datetime) -> bool:
        """Tell whether it opens anything at an instant."""
        return at < self.expires_at and not self.is_revoked(at)

    def principal(self) -> Principal:
        """Return who somebody with this key is."""
        return Principal(key_id=self.key_id, roles=self.roles, asserts=self.asserts)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key at the one moment at which its secret is known."""

    kept: ApiKey
    text: str
    """What its holder sends; it is not kept."""

    def __repr__(self) -> str:
        return f"NewKey(key_id={self.kept.key_id!r})"


class KeyStore(Protocol):
    """Where keys are kept; every method raises `StoreUnavailable` when that cannot be reached.

    Calls may wait for a disk or a server, so they are made off the event loop.
    """

    def add(self, key: ApiKey) -> None:
        """Keep a new key.

        Raises
        ------
        KeysFull
            The store has KEYS_MAX of them.
        """

    def find(self, key_id: str) -> ApiKey | None:
        """Return a key, revoked and expired ones too."""

    def list(self) -> Sequence[ApiKey]:
        """Return all keys, the oldest first."""

    def mark(self) -> Hashable:
        """Return what is another value after a key was added or revoked; cheaper than `list`."""

    def revoke(self, key_id: str, at: datetime) -> ApiKey:
        """Let a key open nothing from an instant on; of several instants the earliest stands.

        Raises
        ------
        NoSuchKey
            No key has this id.
        """

    def touch(self, key_ids: Collection[str], at: datetime) -> None:
        """Note that keys were used; ids that are not known are passed over."""


def make_key(
    label: str, roles: Roles, asserts: frozenset[str], *, at: datetime, lifetime: timedelta
) -> NewKey:
    """Make a key from the system's random numbers; it opens nothing until it is kept."""
    key_id, secret = secrets.token_hex(KEY_ID_BYTES), secrets.token_hex(SECRET_BYTES)
    kept = ApiKey(
        key_id=key_id,
        secret_sha256=sha256(secret.encode()).digest(),
        label=label,
        roles=roles,
        asserts=asserts,
        created_at=at,
        expires_at=at + lifetime,
    )
    return NewKey(kept=kept, text=f"{PREFIX}_{key_id}_{secret}")
