"""Bearer tokens of an identity provider (OIDC): signed JSON Web Tokens of persons and programs.

Only RS256 and ES256 are taken, and which of the two follows from the provider's key, never from
the token: a token that says `none`, or HS256 with the public key as the secret, is refused. The
claims iss, aud, sub, iat and exp are required. Verified tokens are remembered by their digest.

Only this module and `key_set` import jwt, when a service that has a provider meets its first token.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from typing import Any, Final

from api.auth.key_set import KeySet
from api.auth.principal import OWN_OPERATOR_ROLES, Principal
from api.auth.roles import Role, Roles
from api.errors import CredentialsExpired, CredentialsRefused

ALGORITHMS: Final = ("RS256", "ES256")
LEEWAY_S: Final = 30
"""How far the clocks of provider and service may differ."""
LIFETIME_S_MAX: Final = 86_400
"""A token cannot be revoked, so one that lives longer than a day is refused."""
REMEMBERED_MAX: Final = 4_096
REQUIRED: Final = ("exp", "iat", "aud", "iss", "sub")
_REMEDY: Final = "Sign in anew; docs/security.md says what a token must hold."


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token must say."""

    issuer: str
    audience: str
    roles_claim: str = "roles"
    """A name, or a path with dots such as `realm_access.roles`."""


class Tokens:
    """Who is behind a token."""

    def __init__(
        self, rules: TokenRules, keys: KeySet, *, now_s: Callable[[], float] = time.time
    ) -> None:
        self.rules = rules
        self.keys = keys
        self.now_s = now_s
        self._verified: OrderedDict[bytes, tuple[int, float, Principal]] = OrderedDict()

    def refresh(self) -> None:
        """Read the provider's keys where it is time to; not on the event loop."""
        self.keys.refresh()

    def principal(self, text: bytes) -> Principal:
        """Return whose token this is.

        Raises
        ------
        Unauthorized
            The token is forged, expired, or not meant for this service.
        """
        digest = sha256(text).digest()
        known = self._verified.get(digest)
        version = self.keys.version()
        if known is not None and known[0] == version and self.now_s() < known[1]:
            return known[2]
        claims = self._claims(text)
        principal = self._principal_of(claims)
        self._verified[digest] = version, float(claims["exp"]) + LEEWAY_S, principal
        if len(self._verified) > REMEMBERED_MAX:
            self._verified.popitem(last=False)
        return principal

    def _claims(self, text: bytes) -> Mapping[str, Any]:
        import jwt

        try:
            header = jwt.get_unverified_header(text)
            key = self.keys.find(header.get("kid"))
            claims = jwt.decode(
                text,
                key.key,
                algorithms=[key.algorithm],
                audience=self.rules.audience,
                issuer=self.rules.issuer,
                leeway=LEEWAY_S,
                options={"require": list(REQUIRED), "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError:
            raise CredentialsExpired("The token has expired.", remedy=_REMEDY) from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise _refused() from None
        if claims["exp"] - claims["iat"] > LIFETIME_S_MAX:
            raise _refused()
        return claims

    def _principal_of(self, claims: Mapping[str, Any]) -> Principal:
        roles = roles_in(claims, self.rules.roles_claim)
        who = f"{claims['iss']} {claims['sub']}".encode()
        return Principal(
            key_id=f"jwt_{sha256(who).hexdigest()[:12]}",  # a subject may be a person's name
            roles=roles,
            asserts=frozenset(OWN_OPERATOR_ROLES[role] for role in roles & set(OWN_OPERATOR_ROLES)),
        )


def roles_in(claims: Mapping[str, Any], claim: str) -> Roles:
    """Return the roles that a token names; words that are no roles of ours are passed over."""
    found = claims.get(claim)
    if found is None:
        found = reduce(_part, claim.split("."), claims)
    words = found.split() if isinstance(found, str) else found
    if not isinstance(words, list):
        return frozenset()
    known = {role.value: role for role in Role}
    return frozenset(known[word] for word in words if isinstance(word, str) and word in known)


def _part(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else None


def _refused() -> CredentialsRefused:
    return CredentialsRefused(
        "This is neither a key of this service nor a token that it takes.", remedy=_REMEDY
    )
