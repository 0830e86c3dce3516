"""The public keys of an identity provider (a JWKS), from a file or from its address.

They are read beside the requests, bounded in size and time, and read again now and then; a token
that names an unknown key makes it sooner. Keys that could not be read anew for a day open nothing.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

from api.errors import CredentialsRefused, StartError

REFRESH_S: Final = 300.0
REFRESH_S_MIN: Final = 30.0
"""However many tokens name unknown keys, the provider is asked no more often."""
AGE_S_MAX: Final = 86_400.0
FETCH_S_MAX: Final = 5.0
BYTES_MAX: Final = 262_144
KEYS_MAX: Final = 100
RSA_BITS_MIN: Final = 2_048
NONE_IN_USE: Final = -1
_ALGORITHM_OF: Final[Mapping[tuple[Any, Any], str]] = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
}
_REMEDY: Final = "TANDEM_OIDC_JWKS names what the provider publishes at its `jwks_uri`."


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """One key that verifies, and the one algorithm it is for."""

    key: Any
    algorithm: str


class KeySet:
    """The provider's keys by their ids.

    Parameters
    ----------
    source
        A file, or an https address (http on this machine alone).
    now_s
        A clock that only goes forward.
    """

    def __init__(self, source: str, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self.now_s = now_s
        self._keys: Mapping[str | None, PublicKey] = MappingProxyType({})
        self._version = 0
        self._read_s = self._tried_s = float("-inf")
        self._wanted = False

    def version(self) -> int:
        """Return another number than before when other keys are in use."""
        return NONE_IN_USE if self._is_too_old() else self._version

    def _is_too_old(self) -> bool:
        return self.now_s() - self._read_s > AGE_S_MAX

    def find(self, key_id: Any) -> PublicKey:
        """Return a key; a token need not name it where there is only one.

        Raises
        ------
        CredentialsRefused
            It is not known, though it may be soon.
        """
        found = self._keys.get(key_id) if isinstance(key_id, str | None) else None
        if found is None or self._is_too_old():
            self._wanted = True
            raise CredentialsRefused(
                "The token is signed with a key that is not known.",
                remedy="Ask again in a minute, when the provider's keys have been read anew.",
            )
        return found

    def refresh(self) -> None:
        """Read the keys where it is time to; not on the event loop.

        Raises
        ------
        OSError
            They cannot be read; those that are known stay, for a day at most.
        """
        since_s = self.now_s() - self._tried_s
        if since_s < (REFRESH_S_MIN if self._wanted else REFRESH_S):
            return
        self._tried_s, self._wanted = self.now_s(), False
        try:
            keys = keys_in(read_source(self.source))
        except (OSError, StartError) as error:
            raise OSError(f"The keys of tokens cannot be read: {error}") from error
        self.take(keys)

    def take(self, keys: Mapping[str | None, PublicKey]) -> None:
        """Use keys that were read now."""
        self._read_s = self.now_s()
        if names_and_numbers(keys) != names_and_numbers(self._keys):
            self._keys, self._version = keys, self._version + 1


def read_source(source: str) -> bytes:
    """Return a JWKS as it is.

    Raises
    ------
    OSError
        The file or the address cannot be read.
    StartError
        It is too large, or the address is not one that may be read.
    """
    if "://" in source:
        content = _fetch(source)
    else:
        with Path(source).open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise StartError(f"The JWKS has more than {BYTES_MAX:,} bytes.")
    return content


def _fetch(address: str) -> bytes:
    require_safe(address)
    try:
        with build_opener(_NoRedirect).open(address, timeout=FETCH_S_MAX) as answer:
            content: bytes = answer.read(BYTES_MAX + 1)
            return content
    except (URLError, ValueError) as error:
        raise OSError(str(getattr(error, "reason", error))) from None


class _NoRedirect(HTTPRedirectHandler):
    """A redirect could lead to an address that nobody chose."""

    def redirect_request(self, *_asked: Any, **_more: Any) -> None:
        """Follow none."""


def require_safe(address: str) -> None:
    """Refuse an address whose answer others could change on the way.

    Raises
    ------
    StartError
        It is neither https nor http on this machine.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}:
        return
    raise StartError(
        "The address of the JWKS is not https.",
        remedy="Name an https address, or a file, in TANDEM_OIDC_JWKS.",
    )


def keys_in(content: bytes) -> Mapping[str | None, PublicKey]:
    """Return the keys of a JWKS that may verify tokens; others are passed over.

    Raises
    ------
    StartError
        It is no JWKS, or has no key that may be used.
    """
    try:
        listed = json.loads(content)["keys"]
        found = {one.get("kid"): key for one in listed[:KEYS_MAX] if (key := _public_key(one))}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StartError("The JWKS cannot be understood.", remedy=_REMEDY) from None
    if not found:
        raise StartError("The JWKS has no RSA or P-256 key for signatures.", remedy=_REMEDY)
    if len(found) == 1:
        found = {**found, None: next(iter(found.values()))}
    else:
        found.pop(None, None)
    return MappingProxyType(found)


def _public_key(described: dict[str, Any]) -> PublicKey | None:
    """Return a key for RS256 or ES256, or None: never one whose secret could be public."""
    import jwt

    algorithm = _ALGORITHM_OF.get((described.get("kty"), described.get("crv")))
    if algorithm is None or described.get("use", "sig") != "sig" or "d" in described:
        return None
    if described.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(described, algorithm).key
    except jwt.PyJWTError:
        return None
    if algorithm == "RS256" and key.key_size < RSA_BITS_MIN:
        return None
    return PublicKey(key=key, algorithm=algorithm)


def names_and_numbers(keys: Mapping[str | None, PublicKey]) -> dict[str | None, Any]:
    """Return what makes two sets of keys equal."""
    return {name: (one.algorithm, one.key.public_numbers()) for name, one in keys.items()}
