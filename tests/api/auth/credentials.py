"""Keys and tokens of every state, made anew for each run; none is a secret of anybody."""

import datetime as dt
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.auth.guard import Gate
from api.auth.key_set import KeySet, keys_in
from api.auth.keys import ApiKey, NewKey, make_key
from api.auth.memory_keys import MemoryKeys
from api.auth.ring import KeyRing
from api.auth.roles import Role
from api.auth.tokens import TokenRules, Tokens

NOW: Final = dt.datetime.now(dt.UTC)
DAY: Final = dt.timedelta(days=1)
ISSUER, AUDIENCE = "https://login.example.org/city", "tandem"


def key(
    *roles: Role, asserts: Iterable[str] = (), age: dt.timedelta = DAY, days: int = 2
) -> NewKey:
    """Return a key that was made a day ago and lives for two."""
    lifetime = dt.timedelta(days=days)
    return make_key("test", frozenset(roles), frozenset(asserts), at=NOW - age, lifetime=lifetime)


def expired_key(*roles: Role) -> NewKey:
    return key(*roles, age=3 * DAY)


def revoked(made: NewKey) -> NewKey:
    return replace(made, kept=replace(made.kept, revoked_at=NOW - dt.timedelta(seconds=1)))


def flipped(text: str, place: int = -1) -> str:
    """Return a key with one bit of one of its last digits turned."""
    digits = list(text)
    digits[place] = f"{int(digits[place], 16) ^ 1:x}"
    return "".join(digits)


def gate_of(keys: Iterable[ApiKey], tokens: Tokens | None = None) -> Gate:
    gate = Gate(KeyRing(MemoryKeys(keys)), tokens)
    gate.ring.refresh()
    return gate


@cache
def rsa_key(name: str = "city") -> rsa.RSAPrivateKey:
    """Return a private key; the same for the same name."""
    assert name
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(private: Any, algorithm: str, name: str) -> dict[str, Any]:
    """Return a public key as a provider publishes it."""
    described = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
    return {**described, "kid": name, "use": "sig"}


def jwks(*keys: dict[str, Any]) -> bytes:
    default = public(rsa_key(), "RS256", "rsa-1"), public(ec_key(), "ES256", "ec-1")
    return json.dumps({"keys": keys or default}).encode()


def provider(content: bytes | None = None, claim: str = "roles") -> Tokens:
    """Return what reads the tokens of a provider whose keys were read just now."""
    keys = KeySet("unused")
    keys.take(keys_in(content or jwks()))
    return Tokens(TokenRules(issuer=ISSUER, audience=AUDIENCE, roles_claim=claim), keys)


def claims(*roles: str, **changes: Any) -> dict[str, Any]:
    """Return the claims of a token of an hour that is good for another; None takes one away."""
    now_s = int(time.time())
    made = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "Jane Doe", "iat": now_s - 3_600,
        "exp": now_s + 3_600, "roles": list(roles), **changes,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def token(*roles: str, **changes: Any) -> str:
    return jwt.encode(claims(*roles, **changes), rsa_key(), "RS256", headers={"kid": "rsa-1"})
