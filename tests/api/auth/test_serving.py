"""`tandem serve` with credentials: what it needs to start, and a real one that hears of changes."""

import datetime as dt
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from api.auth.opening import make_tokens, require_credentials
from api.auth.roles import Role
from api.auth.sql_keys import opened_keys
from api.commands.serve import keys_of
from api.errors import StartError
from api.settings import Settings
from tests.api.auth.credentials import AUDIENCE, ISSUER, expired_key, jwks, key, revoked, token
from tests.api.requests_made import as_bytes, request
from tests.api.waiting import wait_until

OIDC = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE}
REVOKED_S_MAX = 5.0
"""On a busy machine; the promise is a second (`benchmarks` measure, tests must not waver)."""


def test_a_service_that_nobody_could_use_does_not_start(tmp_path: Path) -> None:
    for settings in (Settings(dev=False), Settings(dev=False, store=str(tmp_path / "empty.db"))):
        with pytest.raises(StartError, match="tandem keys create") as refused, keys_of(settings):
            pass
        assert "--dev" in str(refused.value)


def test_ended_keys_are_not_enough_and_one_live_one_is(tmp_path: Path) -> None:
    settings = Settings(dev=False, store=str(tmp_path / "tandem.db"))
    with opened_keys(str(settings.store)) as keys:
        keys.add(expired_key(Role.CAD).kept)
        keys.add(revoked(key(Role.CAD)).kept)
    with pytest.raises(StartError, match="no live API key"), keys_of(settings):
        pass
    with opened_keys(str(settings.store)) as keys:
        keys.add((live := key(Role.CAD)).kept)
    with keys_of(settings) as found:
        assert found.find(live.kept.key_id) == live.kept


def test_an_identity_provider_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(jwks())
    require_credentials(Settings(dev=False, oidc_jwks=str(file), **OIDC), has_live_key=False)


@pytest.mark.parametrize("content", [None, b"", b'{"keys": []}'])
def test_a_file_of_keys_that_cannot_be_used_stops_the_start(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "jwks.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StartError, match="JWKS"):
        require_credentials(Settings(dev=False, oidc_jwks=str(file), **OIDC), has_live_key=True)


@pytest.mark.parametrize("missing", ["oidc_issuer", "oidc_audience", "oidc_jwks"])
def test_half_an_identity_provider_stops_the_start(missing: str) -> None:
    given = {**OIDC, "oidc_jwks": "https://login.example.org/keys"}
    assert make_tokens(Settings(dev=False, **given)) is not None
    del given[missing]
    with pytest.raises(StartError, match="TANDEM_OIDC_ISSUER"):
        make_tokens(Settings(dev=False, **given))


def test_keys_of_a_provider_are_not_fetched_over_plain_http() -> None:
    with pytest.raises(StartError, match="https"):
        make_tokens(Settings(dev=False, oidc_jwks="http://login.example.org/keys", **OIDC))


# -- a real service -------------------------------------------------------------------------------


@contextmanager
def served(**environment: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a real service that asks for credentials; it is ended whatever happens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve"]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"TANDEM_DEV": "false"} | environment,
    )  # fmt: skip
    try:
        wait_until(lambda: process.poll() is not None or status(port, "/readyz") == 200, "ready")
        yield process, port
    finally:
        process.kill()
        process.communicate()


def exchange(
    port: int, method: str, path: str, credential: str | None = None, body: bytes | None = None
) -> tuple[int, bytes]:
    headers = {"content-type": "application/json"}
    if credential is not None:
        headers["authorization"] = f"Bearer {credential}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def status(port: int, path: str, credential: str | None = None) -> int:
    try:
        return exchange(port, "GET", path, credential)[0]
    except OSError:
        return 0


def test_a_real_service_asks_for_keys_and_knows_at_once_which_are_revoked(tmp_path: Path) -> None:
    store, file = tmp_path / "tandem.db", tmp_path / "jwks.json"
    file.write_bytes(jwks())
    made, later = key(Role.CAD, asserts=["DISPATCHER"]), key(Role.AUDITOR)
    settings = {"TANDEM_STORE": str(store), "TANDEM_OIDC_JWKS": str(file),
                "TANDEM_OIDC_ISSUER": ISSUER, "TANDEM_OIDC_AUDIENCE": AUDIENCE}  # fmt: skip
    with opened_keys(str(store)) as keys:
        keys.add(made.kept)
        with served(**settings) as (process, port):
            asked = ("POST", "/v1/recommend-units")
            assert exchange(port, *asked, None, as_bytes(request()))[0] == 401
            code, answer = exchange(port, *asked, made.text, as_bytes(request()))
            assert (code, json.loads(answer)["outcome"]) == (200, "DISPATCH")
            assert status(port, "/v1/units", token("auditor")) == 200
            assert status(port, "/v1/units", later.text) == 401
            keys.add(later.kept)
            wait_until(lambda: status(port, "/v1/units", later.text) == 200, "a new key opens")
            began = monotonic()
            keys.revoke(made.kept.key_id, dt.datetime.now(dt.UTC))
            wait_until(lambda: status(port, "/v1/units", made.text) == 401, "a revoked key ends")
            assert monotonic() - began < REVOKED_S_MAX
            command = Path(f"/proc/{process.pid}/cmdline")
            if command.exists():
                assert b"tdm_" not in command.read_bytes()
            process.terminate()
            said = process.communicate(timeout=30)[1]
    assert made.text[17:].encode() not in said
    assert made.kept.key_id.encode() in said


def test_a_refusal_leaves_the_connection_usable_whatever_the_body(tmp_path: Path) -> None:
    """The body of a refused request was never read, and must not be taken for the next request."""
    with opened_keys(str(tmp_path / "tandem.db")) as keys:
        keys.add((made := key(Role.AUDITOR)).kept)
        with served(TANDEM_STORE=str(tmp_path / "tandem.db")) as (_, port):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            smuggled = (
                f"GET /v1/units HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {made.text}\r\n\r\n"
            )
            for body in (b"{}", b" " * 200_000, smuggled.encode()):
                connection.request("PUT", "/v1/units", body, {"content-type": "application/json"})
                response = connection.getresponse()
                assert (response.status, response.read()[:1]) == (401, b"{")
                connection.request("GET", "/healthz")
                response = connection.getresponse()
                assert (response.status, json.loads(response.read())) == (200, {"status": "alive"})
            connection.close()


def test_development_mode_says_so_when_it_starts(tmp_path: Path) -> None:
    with served(TANDEM_DEV="true", TANDEM_STORE=str(tmp_path / "unused.db")) as (process, port):
        assert b"DEVELOPMENT_MODE" in exchange(port, "GET", "/readyz")[1]
        assert status(port, "/v1/units") == 200
        process.terminate()
        lines = [json.loads(line) for line in process.communicate(timeout=30)[1].splitlines()]
    assert [line["event"] for line in lines[:2]] == ["listening", "development_mode"]
