"""Every route x every role x every state of a credential: as docs/security.md declares.

The table of the page is written by hand and read here; the service's own table must agree with it,
and the service must do what both say.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from fastapi import FastAPI
from starlette.routing import Match, Route

from api.app import App, make_app
from api.auth.keys import NewKey
from api.auth.memory_keys import MemoryKeys
from api.auth.roles import DECLARED, PUBLIC, Address, Role, Roles, addresses_of, require_declared
from api.errors import StartError
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.openapi import describe
from api.settings import Settings
from api.store.memory import MemoryRoster
from tests.api.auth.credentials import (
    claims,
    ec_key,
    expired_key,
    flipped,
    key,
    provider,
    public,
    revoked,
    rsa_key,
    token,
)

PAGE: Final = Path(__file__).parents[3] / "docs" / "security.md"
_ROW: Final = re.compile(r"^\| `([A-Z]+) (/\S*)` \|(.*)\|$", re.MULTILINE)


def table_of(page: str) -> dict[Address, frozenset[str]]:
    """Return who may use each address by the page: names of roles, or `open` alone."""
    heads = re.search(r"^\| address \|(.*)\|$", page, re.MULTILINE)
    assert heads
    names = [name.strip() for name in heads[1].split("|")]
    found = {}
    for method, path, cells in _ROW.findall(page):
        marks = [mark.strip() for mark in cells.split("|")]
        assert set(marks) <= {"yes", "", "open"}, (method, path)
        is_open = set(marks) == {"open"}
        allowed = {name for name, mark in zip(names, marks, strict=True) if mark == "yes"}
        found[method, path] = frozenset({"open"}) if is_open else frozenset(allowed)
    return found


TABLE: Final = table_of(PAGE.read_text(encoding="utf-8"))


def differing(
    table: Mapping[Address, frozenset[str]], declared: Mapping[Address, Roles]
) -> set[Any]:
    code = {
        address: frozenset({"open"}) if roles == PUBLIC else frozenset(role.value for role in roles)
        for address, roles in declared.items()
    }
    return {address for address in table.keys() | code if table.get(address) != code.get(address)}


def test_the_page_and_the_code_declare_the_same() -> None:
    assert differing(TABLE, DECLARED) == set()


def test_a_difference_between_page_and_code_is_found() -> None:
    wrong = PAGE.read_text(encoding="utf-8").replace(
        "| `GET /v1/units` | yes", "| `GET /v1/units` | "
    )
    assert differing(table_of(wrong), DECLARED) == {("GET", "/v1/units")}


# -- the matrix -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """One credential of one role, and whether it may open what the role opens."""

    role: Role
    state: str
    credential: str | None
    is_good: bool
    status: int = 401


def key_cases(role: Role, kept: dict[str, NewKey]) -> Iterator[Case]:
    good, other = kept[f"{role} good"], kept[f"{role} other"]
    yield Case(role, "key", good.text, is_good=True)
    yield Case(role, "no key", None, is_good=False)
    yield Case(role, "forged secret", flipped(good.text), is_good=False)
    yield Case(role, "forged secret, first digit", flipped(good.text, 17), is_good=False)
    yield Case(role, "forged id", flipped(good.text, 15), is_good=False)
    yield Case(role, "secret of another key", good.text[:17] + other.text[17:], is_good=False)
    yield Case(role, "cut", good.text[:-1], is_good=False)
    yield Case(role, "longer", good.text + "0", is_good=False)
    yield Case(role, "digest as secret", good.text[:17] + good.kept.secret_sha256.hex()[:48], False)
    yield Case(role, "expired", kept[f"{role} expired"].text, is_good=False)
    yield Case(role, "revoked", kept[f"{role} revoked"].text, is_good=False)


def token_cases(role: Role) -> Iterator[Case]:
    good, words = token(role), [role.value]
    header, body, signature = good.split(".")
    yield Case(role, "token", good, is_good=True)
    yield Case(role, "token of an EC key", signed(ec_key(), "ES256", "ec-1", words), is_good=True)
    yield Case(role, "token, forged", f"{header}.{body}.{'A' * len(signature)}", is_good=False)
    yield Case(
        role, "token, other claims", f"{header}.{token('cad').split('.')[1]}x.{signature}", False
    )
    yield Case(role, "token, alg none", jwt.encode(claims(*words), None, "none"), is_good=False)
    yield Case(role, "token, HS256 with the public key", confused(words), is_good=False)
    yield Case(
        role,
        "token of another provider's key",
        signed(rsa_key("other"), "RS256", "rsa-1", words),
        False,
    )
    yield Case(
        role, "token, unknown key", signed(rsa_key(), "RS256", "rsa-9", words), is_good=False
    )
    yield Case(role, "token, expired", token(role, exp=claims()["iat"] + 60), is_good=False)
    yield Case(role, "token, other audience", token(role, aud="payroll"), is_good=False)
    yield Case(role, "token, other issuer", token(role, iss="https://example.org"), is_good=False)
    yield Case(role, "token without exp", token(role, exp=None), is_good=False)
    yield Case(role, "token of another role's word", token(f"{role}s"), is_good=False, status=403)


def signed(private: Any, algorithm: str, name: str, words: list[str]) -> str:
    return jwt.encode(claims(*words), private, algorithm, headers={"kid": name})


def confused(words: list[str]) -> str:
    """Return a token that is signed with what everybody knows, as if that were the secret."""
    import base64
    import hashlib
    import hmac
    import json

    def part(value: Any) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    secret = json.dumps(public(rsa_key(), "RS256", "rsa-1")).encode()
    said = f"{part({'alg': 'HS256', 'kid': 'rsa-1', 'typ': 'JWT'})}.{part(claims(*words))}"
    return f"{said}.{part(hmac.new(secret, said.encode(), hashlib.sha256).digest())}"


@pytest.fixture(scope="module")
def kept() -> dict[str, NewKey]:
    made = {}
    for role in Role:
        made |= {
            f"{role} good": key(role), f"{role} other": key(*Role),
            f"{role} expired": expired_key(role), f"{role} revoked": revoked(key(role)),
        }  # fmt: skip
    return made


@pytest.fixture(scope="module")
def cases(kept: dict[str, NewKey]) -> list[Case]:
    return [case for role in Role for case in (*key_cases(role, kept), *token_cases(role))]


@pytest.fixture(scope="module")
def app(view: LiveView, kept: dict[str, NewKey]) -> App:
    return secured(view, kept)


def secured(view: LiveView, kept: dict[str, NewKey]) -> App:
    """Return the real app, ready, that knows these keys and the provider's."""
    made = make_app(
        Settings(dev=False, log_level="error"),
        load=lambda _settings, _stage: view,
        keys=MemoryKeys(one.kept for one in kept.values()),
    )
    made.state.service.live = LiveRoster(MemoryRoster(), view)
    made.state.gate.tokens = provider()
    made.state.gate.ring.refresh()
    return made


async def answer(
    app: FastAPI, address: Address, credential: str | None
) -> tuple[int, dict[bytes, bytes], int]:
    """Return the status and headers of the answer to an empty body, and how often it was read."""
    method, path = address
    filled = re.sub(r"\{\w+(:path)?\}", "2M1", path)
    headers = [(b"content-type", b"application/json")]
    if credential is not None:
        headers.append((b"authorization", f"Bearer {credential}".encode()))
    sent: list[Any] = []
    reads = 0

    async def receive() -> dict[str, Any]:
        nonlocal reads
        reads += 1
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": filled, "raw_path": filled.encode(), "query_string": b"",
        "root_path": "", "headers": headers, "client": ("127.0.0.1", 1), "server": ("::1", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), reads


async def wrong_cells(
    app: FastAPI, table: Mapping[Address, frozenset[str]], cases: list[Case]
) -> list[str]:
    """Return every cell in which the service does another thing than the table says."""
    wrong = []
    for address, allowed in table.items():
        for case in cases:
            await asyncio.sleep(0)  # each in a pass of its own, as from a caller: none waits
            status, headers, reads = await answer(app, address, case.credential)
            if allowed == {"open"} or (case.is_good and case.role.value in allowed):
                is_right = status not in {401, 403}
            else:
                refused = 403 if case.is_good else case.status
                is_right = status == refused and reads == 0 and b"www-authenticate" in headers
            if not is_right:
                wrong.append(f"{address} {case.role} {case.state}: {status}, read {reads} times")
    return wrong


def test_every_route_lets_pass_whom_the_page_names_and_nobody_else(
    app: App, cases: list[Case]
) -> None:
    assert len(TABLE) * len(cases) >= 18 * 9 * 24
    assert asyncio.run(wrong_cells(app, TABLE, cases)) == []


def test_a_wrong_cell_would_be_found(app: App, cases: list[Case]) -> None:
    """Each cell of the page, turned, differs from what the service does."""
    some = [case for case in cases if case.state in {"key", "token"}]
    for address, allowed in TABLE.items():
        for role in Role:
            turned = {address: frozenset({role.value}) ^ (allowed - {"open"})}
            if allowed == {"open"}:
                turned = {address: frozenset({r.value for r in Role} - {role.value})}
            asked = [case for case in some if case.role is role]
            assert len(asyncio.run(wrong_cells(app, turned, asked))) == 2, (address, role)


# -- a route that nobody declared -----------------------------------------------------------------


async def _hello(_request: Any) -> Any:
    raise AssertionError("nobody may come here")


def test_a_route_without_roles_does_not_start(app: App) -> None:
    require_declared(app.addresses)
    added = Route("/v1/secrets", _hello, methods=["POST"])
    with pytest.raises(StartError, match=r"without roles: POST /v1/secrets"):
        require_declared([*app.addresses, added])


def test_a_row_without_a_route_does_not_start(app: App) -> None:
    with pytest.raises(StartError, match=r"roles without a route: GET /v1/gone"):
        require_declared(app.addresses, {**DECLARED, ("GET", "/v1/gone"): frozenset(Role)})


def test_a_new_method_of_a_declared_path_needs_roles_too(app: App) -> None:
    added = Route("/v1/units", _hello, methods=["PATCH"])
    with pytest.raises(StartError, match="PATCH /v1/units"):
        require_declared([*app.addresses, added])


@pytest.mark.parametrize("role", [None, *Role])
def test_a_route_that_was_added_later_is_refused_to_everybody(
    view: LiveView, kept: dict[str, NewKey], role: Role | None
) -> None:
    app = secured(view, kept)
    app.add_api_route("/v1/secrets", _hello, methods=["POST"])
    credential = None if role is None else kept[f"{role} good"].text
    status, _, reads = asyncio.run(answer(app, ("POST", "/v1/secrets"), credential))
    assert (status, reads) == (401 if role is None else 403, 0)


def test_all_routes_of_the_app_are_looked_at(app: App) -> None:
    """What the router can reach is what `addresses` lists, so nothing hides from the table."""
    reachable = [route for route in app.router.routes if isinstance(route, Route)]
    assert set(addresses_of(reachable)) <= set(addresses_of(app.addresses)) == set(DECLARED)


def test_the_api_description_says_of_each_operation_who_may_use_it(app: App) -> None:
    paths = describe(app)["paths"]
    told = 0
    for (method, path), allowed in TABLE.items():
        operation = paths.get(path.replace(":path}", "}"), {}).get(method.lower())
        if operation is None:
            assert path == "/openapi.json"
            continue
        told += 1
        names = operation["description"].rpartition("Roles: ")[2].rstrip(".").split(", ")
        is_open = allowed == {"open"}
        assert operation["description"].endswith("Anybody.") if is_open else set(names) == allowed
        assert ("security" in operation) is not is_open
        assert ({"401", "403"} <= set(operation["responses"])) is not is_open
    assert told == sum(len(operations) for operations in paths.values())


# -- guard and router agree -----------------------------------------------------------------------

_PATHS: Final = [
    "/v1/units", "/v1/units/", "/v1/units/positions", "/v1/units/positions/x", "/v1/units/a/b",
    "/v1//units", "/v1/units//", "/V1/units", "/v1/alerts", "/v1/alerts/a/acknowledge",
    "/v1/alerts/a/b/acknowledge", "/v1/alerts//acknowledge", "/v1/incidents/a/b", "/v1/incidents/",
    "/v1/recommend-units", "/v1/recommend-units/", "/v1/recommend-units/batch", "/healthz",
    "/healthz/", "//healthz", "/openapi.json", "/metrics", "/", "",
    "/v1/units/..", "/v1/../healthz", "/v1/units/%2e", "/docs", "/redoc", "/v1/units/\u2028",
]  # fmt: skip


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"]
)
def test_the_gate_reads_an_address_as_the_router_does(app: App, method: str) -> None:
    plain = [path for _, path in DECLARED if "{" not in path]
    filled = [path.replace("{", "").replace("}", "").replace(":path", "/x") for _, path in DECLARED]
    for path in {*_PATHS, *plain, *filled}:
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        taken = [r for r in app.addresses if r.matches(dict(scope))[0] is Match.FULL]
        wanted = DECLARED[method, taken[0].path] if taken else None
        assert app.state.gate.roles_at(method, path) == wanted, (method, path)


@pytest.mark.parametrize("path", ["/healthz\n", "/v1/units\n"])
def test_where_they_differ_the_gate_is_the_stricter(
    app: App, kept: dict[str, NewKey], path: str
) -> None:
    """The router's patterns end before a last line break; to the gate that is another address."""
    for credential, status in ((None, 401), (kept["cad good"].text, 403)):
        assert asyncio.run(answer(app, ("GET", path), credential))[0] == status
