"""Keys in the memory of one process: for tests, and for a service that has no store."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from api.auth.keys import KEYS_MAX, ApiKey, KeysFull, NoSuchKey


class MemoryKeys:
    """The engine without durability."""

    def __init__(self, keys: Iterable[ApiKey] = (), *, keys_max: int = KEYS_MAX) -> None:
        self.keys_max = keys_max
        self._keys = {key.key_id: key for key in keys}
        self._writing = Lock()
        self._version = 0

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        with self._writing:
            if len(self._keys) >= self.keys_max:
                raise keys_full(self.keys_max)
            self._keys[key.key_id] = key
            self._version += 1

    def find(self, key_id: str) -> ApiKey | None:
        """Return a key, revoked and expired ones too."""
        return self._keys.get(key_id)

    def list(self) -> Sequence[ApiKey]:
        """Return all keys, the oldest first."""
        with self._writing:
            return sorted(self._keys.values(), key=lambda key: (key.created_at, key.key_id))

    def mark(self) -> int:
        """Return how often a key was added or revoked."""
        return self._version

    def revoke(self, key_id: str, at: datetime) -> ApiKey:
        """Let a key open nothing from an instant on."""
        with self._writing:
            kept = self._keys.get(key_id)
            if kept is None:
                raise no_such_key()
            if kept.revoked_at is None or at < kept.revoked_at:
                kept = self._keys[key_id] = replace(kept, revoked_at=at)
                self._version += 1
            return kept

    def touch(self, key_ids: Collection[str], at: datetime) -> None:
        """Note that keys were used."""
        with self._writing:
            for key_id in self._keys.keys() & key_ids:
                self._keys[key_id] = replace(self._keys[key_id], last_used_at=at)


def keys_full(keys_max: int) -> KeysFull:
    """Return the refusal of one more key."""
    return KeysFull(
        f"The store holds {keys_max:,} keys and takes no more.",
        remedy="One key for each system is enough; a person signs in with a token.",
    )


def no_such_key() -> NoSuchKey:
    """Return the refusal of an id that no key has."""
    return NoSuchKey("No key has this id.", remedy="`tandem keys list` shows the ids of all keys.")
