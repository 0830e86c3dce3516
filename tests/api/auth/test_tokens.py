"""Tokens: what they must say, who signed them, and what is remembered of them."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.auth.key_set import (
    AGE_S_MAX,
    BYTES_MAX,
    REFRESH_S,
    REFRESH_S_MIN,
    KeySet,
    keys_in,
    read_source,
    require_safe,
)
from api.auth.roles import Role
from api.auth.tokens import REMEMBERED_MAX, TokenRules, Tokens
from api.errors import CredentialsExpired, CredentialsRefused, StartError, Unauthorized
from tests.api.auth.credentials import (
    AUDIENCE,
    ISSUER,
    claims,
    ec_key,
    jwks,
    provider,
    public,
    rsa_key,
    token,
)


def test_a_token_says_roles_and_who_and_names_nobody() -> None:
    found = provider().principal(token("supervisor", "auditor", "wizard").encode())
    assert found.roles == {Role.SUPERVISOR, Role.AUDITOR}
    assert found.asserts == {"SUPERVISOR"}
    assert found.key_id.startswith("jwt_")
    assert "Jane" not in repr(found)


def test_another_subject_or_issuer_is_another_principal() -> None:
    tokens = provider()
    ids = {tokens.principal(token("cad", sub=sub).encode()).key_id for sub in ("a", "b", "a")}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("roles", {"roles": ["cad", "auditor"]}),
        ("roles", {"roles": "cad auditor"}),
        ("realm_access.roles", {"realm_access": {"roles": ["auditor", "cad", 7, None]}}),
        ("https://city.example/roles", {"https://city.example/roles": ["cad", "auditor"]}),
    ],
)
def test_the_roles_may_stand_in_any_claim(claim: str, said: dict[str, Any]) -> None:
    found = provider(claim=claim).principal(token(**{"roles": None, **said}).encode())
    assert found.roles == {Role.CAD, Role.AUDITOR}


@pytest.mark.parametrize("said", [None, 7, {"cad": True}, [["cad"]], "", [], "CAD"])
def test_a_claim_that_says_no_role_gives_none(said: Any) -> None:
    assert provider().principal(token(roles=said).encode()).roles == frozenset()


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "iat", "exp"])
def test_each_claim_is_required(name: str) -> None:
    with pytest.raises(CredentialsRefused):
        provider().principal(token("cad", **{name: None}).encode())


@pytest.mark.parametrize(
    ("said", "is_good"),
    [
        ({"exp": -20}, True), ({"exp": -40}, False), ({"iat": 20}, True), ({"iat": 60}, False),
        ({"nbf": 20}, True), ({"nbf": 60}, False), ({"iat": -86_000}, False),
        ({"iat": -80_000}, True),
    ],
)  # fmt: skip
def test_clocks_may_differ_by_half_a_minute_and_a_token_lives_a_day(
    said: dict[str, int], is_good: bool
) -> None:
    now_s = int(time.time())
    text = token("cad", **{name: now_s + by_s for name, by_s in said.items()}).encode()
    if is_good:
        assert provider().principal(text).roles == {Role.CAD}
        return
    with pytest.raises(Unauthorized):
        provider().principal(text)


@pytest.mark.parametrize("said", [{"exp": "soon"}, {"iat": True, "exp": 1e300}, {"aud": 7}])
def test_claims_of_other_kinds_are_refused_and_no_fault(said: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        provider().principal(token("cad", **said).encode())


@pytest.mark.parametrize(
    "text",
    [b"", b"a", b"a.b.c", b"....", b"\xff.\xff.\xff", b"e30.e30.", b"[]", b"bnVsbA.bnVsbA.x"],
)
def test_what_is_no_token_is_refused(text: bytes) -> None:
    with pytest.raises(CredentialsRefused):
        provider().principal(text)


def test_several_audiences_may_be_named() -> None:
    assert provider().principal(token("cad", aud=["mail", AUDIENCE]).encode()).roles == {Role.CAD}


def test_a_token_is_verified_once_and_ends_when_it_ends() -> None:
    tokens = provider()
    text = token("cad", exp=int(time.time()) + 60).encode()
    first = tokens.principal(text)
    tokens._claims = None  # type: ignore[method-assign, assignment]  # what verifies is gone
    assert tokens.principal(text) is first
    tokens = provider()
    tokens.principal(text)
    tokens.now_s = lambda: time.time() + 91
    tokens._claims = _expired  # type: ignore[method-assign]
    with pytest.raises(CredentialsExpired):
        tokens.principal(text)


def _expired(_text: bytes) -> Any:
    raise CredentialsExpired("it is asked again")


def test_a_token_that_was_verified_falls_with_its_key() -> None:
    tokens, text = provider(), token("cad").encode()
    assert tokens.principal(text).roles == {Role.CAD}
    tokens.keys.take(keys_in(jwks(public(ec_key(), "ES256", "ec-1"))))
    with pytest.raises(CredentialsRefused):
        tokens.principal(text)


def test_what_is_remembered_is_bounded() -> None:
    tokens = provider()
    made = {"exp": time.time() + 60, "iat": time.time(), "iss": ISSUER, "sub": "a"}
    tokens._claims = lambda _text: made  # type: ignore[method-assign]
    for i in range(REMEMBERED_MAX + 50):
        tokens.principal(b"%d" % i)
    assert len(tokens._verified) == REMEMBERED_MAX


# -- the provider's keys --------------------------------------------------------------------------


def test_only_keys_for_the_two_algorithms_are_taken() -> None:
    small = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    p384 = ec.generate_private_key(ec.SECP384R1())
    others = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        public(p384, "ES384", "p384"),
        public(small, "RS256", "small"),
        {**public(rsa_key(), "RS256", "enc"), "use": "enc"},
        {**public(rsa_key(), "RS256", "hs"), "alg": "HS256"},
        {**public(rsa_key(), "RS256", "private"), "d": "AQAB"},
        {"kty": "RSA", "kid": "empty"},
    ]
    assert set(keys_in(jwks(*others, public(rsa_key(), "RS256", "good")))) == {"good", None}
    with pytest.raises(StartError, match="no RSA or P-256 key"):
        keys_in(jwks(*others))


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"keys": 7}', b'{"keys": [7]}', b"\xff"])
def test_what_is_no_key_set_is_refused(content: bytes) -> None:
    with pytest.raises(StartError):
        keys_in(content)


def test_a_token_need_not_name_the_only_key() -> None:
    text = jwt.encode(claims("cad"), rsa_key(), "RS256").encode()
    assert provider(jwks(public(rsa_key(), "RS256", "a"))).principal(text).roles == {Role.CAD}
    with pytest.raises(CredentialsRefused):
        provider().principal(text)


class _Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_keys_are_read_now_and_then_and_sooner_for_an_unknown_one(tmp_path: Path) -> None:
    file, clock = tmp_path / "jwks.json", _Clock()
    file.write_bytes(jwks(public(ec_key(), "ES256", "ec-1")))
    keys = KeySet(str(file), now_s=clock)
    tokens = Tokens(TokenRules(issuer=ISSUER, audience=AUDIENCE), keys)
    tokens.refresh()
    file.write_bytes(jwks())
    clock.now_s += REFRESH_S - 1
    tokens.refresh()
    with pytest.raises(CredentialsRefused, match="not known"):
        tokens.principal(token("cad").encode())
    tokens.refresh()  # more than half a minute after the last
    assert tokens.principal(token("cad").encode()).roles == {Role.CAD}


def test_unknown_keys_do_not_make_the_provider_be_asked_all_the_time(tmp_path: Path) -> None:
    file, clock = tmp_path / "jwks.json", _Clock()
    file.write_bytes(jwks(public(ec_key(), "ES256", "ec-1")))
    keys = KeySet(str(file), now_s=clock)
    keys.refresh()
    file.unlink()  # reading again would be noticed
    for _ in range(5):
        clock.now_s += REFRESH_S_MIN / 10
        with pytest.raises(CredentialsRefused):
            keys.find("unknown")
        keys.refresh()
    clock.now_s += REFRESH_S_MIN
    with pytest.raises(OSError, match="cannot be read"):
        keys.refresh()


def test_keys_that_cannot_be_read_anew_last_a_day(tmp_path: Path) -> None:
    file, clock = tmp_path / "jwks.json", _Clock()
    file.write_bytes(jwks())
    keys = KeySet(str(file), now_s=clock)
    tokens = Tokens(TokenRules(issuer=ISSUER, audience=AUDIENCE), keys)
    tokens.refresh()
    text = token("cad").encode()
    file.write_bytes(b"{")
    clock.now_s += AGE_S_MAX - 1
    with pytest.raises(OSError, match="cannot be read"):
        tokens.refresh()
    assert tokens.principal(text).roles == {Role.CAD}
    clock.now_s += 2
    with pytest.raises(CredentialsRefused):
        tokens.principal(text)


def test_a_key_set_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(b" " * (BYTES_MAX + 1))
    with pytest.raises(StartError, match="bytes"):
        read_source(str(file))


class _Provider(BaseHTTPRequestHandler):
    """A provider on this machine: its keys, another address for them, and too many bytes."""

    def do_GET(self) -> None:
        moved = self.path == "/moved"
        self.send_response(302 if moved else 200 if self.path != "/gone" else 503)
        if moved:
            self.send_header("location", "/keys")
        self.end_headers()
        self.wfile.write(b" " * (BYTES_MAX + 1) if self.path == "/large" else jwks())

    def log_message(self, *_said: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Provider) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_keys_are_read_from_the_providers_address(address: str) -> None:
    keys = KeySet(f"{address}/keys")
    tokens = Tokens(TokenRules(issuer=ISSUER, audience=AUDIENCE), keys)
    tokens.refresh()
    assert tokens.principal(token("cad").encode()).roles == {Role.CAD}


@pytest.mark.parametrize("path", ["moved", "large", "gone"])
def test_other_answers_of_the_provider_are_not_taken(address: str, path: str) -> None:
    keys = KeySet(f"{address}/{path}")
    with pytest.raises(OSError, match="cannot be read"):
        keys.refresh()
    with pytest.raises(CredentialsRefused):
        keys.find("rsa-1")


@pytest.mark.parametrize(
    "address", ["http://login.example.org/keys", "ftp://login.example.org/keys", "file:///etc/x",
                "https://", "http://127.0.0.1.example.org/", "data://x"],
)  # fmt: skip
def test_keys_are_read_by_https_alone(address: str) -> None:
    with pytest.raises(StartError, match="https"):
        require_safe(address)
    with pytest.raises(StartError, match="https"):
        read_source(address)


@pytest.mark.parametrize("address", ["https://login.example.org/keys", "http://127.0.0.1:9/keys"])
def test_https_and_this_machine_are_safe(address: str) -> None:
    require_safe(address)


def test_a_key_set_says_nothing_private() -> None:
    """The test's own provider publishes public parts only, or these tests would prove nothing."""
    assert all("d" not in one for one in json.loads(jwks())["keys"])
