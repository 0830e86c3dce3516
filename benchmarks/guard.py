"""What asking who comes costs: one call through the guard, beside the same call without it.

    python -m benchmarks.guard

The app behind it does nothing. Each way is measured in turn, several times; the least of the
medians counts, because whatever else the machine does only adds.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter, time
from typing import Any, Final

from benchmarks.stopwatch import duration, machine, table

CALLS: Final = 20_000
ROUNDS: Final = 5
UNITS: Final = "/v1/units/2M1"
RECOMMEND: Final = "/v1/recommend-units"
BUDGET_S: Final = 5e-6


async def _nothing(*_asked: Any) -> None:
    """Serve nothing."""


def scope_of(credential: str | None, method: str = "POST", path: str = RECOMMEND) -> dict[str, Any]:
    """Return what a server tells of a request of a CAD, its headers as a proxy leaves them."""
    headers = [
        (b"host", b"127.0.0.1:8911"),
        (b"user-agent", b"cad/1.0"),
        (b"accept", b"*/*"),
        (b"content-type", b"application/json"),
        (b"content-length", b"4000"),
        (b"x-forwarded-for", b"10.0.0.7"),
        (b"x-forwarded-proto", b"https"),
    ]
    if credential is not None:
        headers.append((b"authorization", f"Bearer {credential}".encode()))
    return {"type": "http", "method": method, "path": path, "headers": headers}


def cost_s(app: Callable[..., Any], scope: Mapping[str, Any]) -> float:
    """Return the median seconds of a call."""

    async def timed() -> float:
        took = []
        for _ in range(CALLS):
            began = perf_counter()
            await app(scope, _nothing, _nothing)
            took.append(perf_counter() - began)
        return median(took)

    return asyncio.run(timed())


def gate_and_key() -> tuple[Any, str]:
    """Return a gate that knows a hundred keys, and the text of one of them."""
    from api.auth.guard import Gate
    from api.auth.keys import make_key
    from api.auth.memory_keys import MemoryKeys
    from api.auth.ring import KeyRing
    from api.auth.roles import Role

    now, made = datetime.now(UTC), []
    for _ in range(100):
        roles, asserts = frozenset({Role.CAD}), frozenset({"DISPATCHER"})
        made.append(make_key("cad", roles, asserts, at=now, lifetime=timedelta(days=1)))
    gate = Gate(KeyRing(MemoryKeys(one.kept for one in made)))
    gate.refresh()
    return gate, made[50].text


def with_tokens(gate: Any) -> str:
    """Let a gate take tokens of a provider made up here, and return one of them."""
    import jwt
    from cryptography.hazmat.primitives.asymmetric import rsa

    from api.auth.key_set import KeySet, keys_in
    from api.auth.tokens import TokenRules, Tokens

    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    public = jwt.get_algorithm_by_name("RS256").to_jwk(private.public_key(), as_dict=True)
    keys = KeySet("", now_s=lambda: 0.0)
    keys.take(keys_in(json.dumps({"keys": [public | {"kid": "a"}]}).encode()))
    gate.tokens = Tokens(TokenRules(issuer="provider", audience="tandem"), keys)
    now_s = int(time())
    claims = {"iss": "provider", "aud": "tandem", "sub": "a", "iat": now_s, "exp": now_s + 3_600}
    return jwt.encode(claims | {"roles": ["cad"]}, private, "RS256", headers={"kid": "a"})


def main() -> None:
    """Measure and print."""
    from api.auth.guard import Guarded

    gate, key = gate_and_key()
    token = with_tokens(gate)
    guarded = Guarded(_nothing, gate=gate)
    cases: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "no guard": (_nothing, scope_of(None)),
        "a known key": (guarded, scope_of(key)),
        "a known key, an address with an id": (guarded, scope_of(key, "PUT", UNITS)),
        "a token met before": (guarded, scope_of(token)),
        "no credentials (answered 401)": (guarded, scope_of(None)),
    }
    best = {
        name: min(cost_s(app, scope) for _ in range(ROUNDS)) for name, (app, scope) in cases.items()
    }
    bare_s = best["no guard"]
    rows = [(name, duration(took_s), duration(took_s - bare_s)) for name, took_s in best.items()]
    print(machine())
    print(table("The guard, one call", ("request", "median", "beyond no guard"), rows))
    print(f"Budget for a known key: {duration(BUDGET_S)}.")


if __name__ == "__main__":
    main()
