"""The keys of a running service: all of them in memory, so that a request waits for no store.

The store is asked beside the requests whether a key was added or revoked (`refresh`). While it
cannot be reached, the keys that are known go on opening what they opened.
"""

import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from api.auth.keys import KEY_ID_BYTES, PREFIX, SECRET_BYTES, ApiKey, KeyStore
from api.auth.principal import Principal
from api.errors import CredentialsExpired, CredentialsRefused, CredentialsRevoked

KEY_START: Final = f"{PREFIX}_".encode()
_ID_AT: Final = slice(len(KEY_START), len(KEY_START) + 2 * KEY_ID_BYTES)
_SECRET_AT: Final = slice(_ID_AT.stop + 1, None)
_LENGTH: Final = _SECRET_AT.start + 2 * SECRET_BYTES
TOUCH_S: Final = 60.0
"""How exactly the store knows when a key was last used."""

_UNSEEN: Final = object()
_REMEDY: Final = "`tandem keys list` shows which keys are live; `tandem keys create` makes one."


class KeyRing:
    """Who is behind a key."""

    def __init__(self, store: KeyStore, *, now_s: Callable[[], float] = time.time) -> None:
        self.store = store
        self.now_s = now_s
        self._held: dict[bytes, tuple[bytes, float, Principal, ApiKey]] = {}
        self._mark: Hashable = _UNSEEN
        self._used = set[str]()
        self._touched_s = now_s()

    def refresh(self) -> None:
        """Learn what changed in the store and tell it which keys were used; not on the loop.

        Raises
        ------
        StoreUnavailable
            The keys stay those that were known.
        """
        mark = self.store.mark()
        if mark != self._mark:
            self._held = {key.key_id.encode(): _held(key) for key in self.store.list()}
            self._mark = mark
        now_s = self.now_s()
        if self._used and now_s - self._touched_s >= TOUCH_S:
            used, self._used = self._used, set()
            self._touched_s = now_s
            self.store.touch(frozenset(used), datetime.fromtimestamp(now_s, UTC))

    def principal(self, text: bytes) -> Principal:
        """Return whose key this is.

        Raises
        ------
        Unauthorized
            The key is unknown, its secret is another, or its time is over.
        """
        held = self._held.get(text[_ID_AT])
        if held is None or len(text) != _LENGTH:
            raise _refused()
        digest, ends_s, principal, key = held
        if not compare_digest(sha256(text[_SECRET_AT]).digest(), digest):
            raise _refused()
        if self.now_s() >= ends_s:
            raise _ended(key, datetime.fromtimestamp(self.now_s(), UTC))
        self._used.add(principal.key_id)
        return principal


def _held(key: ApiKey) -> tuple[bytes, float, Principal, ApiKey]:
    ends_at = min(key.expires_at, key.revoked_at or key.expires_at)
    return key.secret_sha256, ends_at.timestamp(), key.principal(), key


def _refused() -> CredentialsRefused:
    return CredentialsRefused("This is no key of this service.", remedy=_REMEDY)


def _ended(key: ApiKey, at: datetime) -> CredentialsExpired | CredentialsRevoked:
    """Say what became of a key, to somebody who has its secret."""
    if key.is_revoked(at):
        return CredentialsRevoked(f"The key {key.key_id} was revoked.", remedy=_REMEDY)
    return CredentialsExpired(
        f"The key {key.key_id} expired at {key.expires_at:%Y-%m-%dT%H:%M:%SZ}.",
        remedy=f"Make a new one: tandem keys rotate {key.key_id}",
    )
