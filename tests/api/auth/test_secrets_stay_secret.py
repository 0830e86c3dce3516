"""No key and no token in a log, an answer, the API description or a list of processes.

One run uses and misuses keys in every way that the other tests know, with the log at its most
talkative, and everything that came out is searched for any piece of what went in.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import App
from api.auth.keys import KEY_PATTERN, NewKey
from api.auth.roles import Role
from api.live_view import LiveView
from api.openapi import describe
from tests.api.asgi_caller import call
from tests.api.auth.credentials import expired_key, flipped, key, provider, revoked, token
from tests.api.auth.test_guard import secured
from tests.api.requests_made import as_bytes, request

PIECE = 12
"""So many characters of a secret in a row, anywhere, are a leak."""


def leaks(secrets: list[str], text: str) -> set[str]:
    """Return the pieces of secrets that a text holds."""
    pieces = {one[i : i + PIECE] for one in secrets for i in range(len(one) - PIECE + 1)}
    return {text[i : i + PIECE] for i in range(len(text) - PIECE + 1)} & pieces


def secret_of(made: NewKey) -> str:
    return made.text[17:]


async def used_and_misused(app: App, keys: list[NewKey], tokens: list[str]) -> str:
    """Return all that was answered."""
    said = []
    credentials = [one.text for one in keys] + tokens
    credentials += [flipped(one.text) for one in keys] + [one.text + "0" for one in keys]
    credentials += [one.text[:17] + keys[0].text[17:] for one in keys] + [
        one[:-2] for one in tokens
    ]
    for credential in credentials:
        for scheme in ("Bearer ", "bearer", "Basic ", ""):
            for method, path in (
                ("POST", "/v1/recommend-units"), ("GET", "/v1/units"), ("GET", "/v1/nothing"),
                ("GET", "/openapi.json"), ("GET", "/readyz"), ("GET", "/metrics"),
                ("PATCH", "/v1/units"), ("GET", "/v1/fault"),
            ):  # fmt: skip
                headers = {"content-type": "application/json", "authorization": scheme + credential}
                reply = await call(app, method, path, as_bytes(request()), headers)
                said.append(reply.body.decode() + repr(reply.headers))
    return "\n".join(said)


@pytest.fixture
def app(view: LiveView) -> App:
    return secured(view, *_keys(), log_level="debug")


_MADE: list[NewKey] = []


def _keys() -> list[NewKey]:
    """Return good and ended keys; made once, so that the tests know what to look for."""
    if not _MADE:
        _MADE.extend([key(*Role, asserts=["DISPATCHER"]), key(Role.ANALYST)])
        _MADE.extend([expired_key(Role.CAD), revoked(key(Role.CAD))])
    return _MADE


def test_no_answer_and_no_log_line_holds_any_piece_of_a_credential(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    @app.get("/v1/fault")
    async def fault() -> None:
        raise RuntimeError(_keys()[0].text)  # even a bug that carries a key

    app.state.gate.declare("GET", "/v1/fault", frozenset(Role))
    keys, tokens = _keys(), [token("cad"), token("cad", exp=1)]
    answered = asyncio.run(used_and_misused(app, keys, tokens))
    printed = capsys.readouterr()
    secrets = [*map(secret_of, keys), *(one.partition(".")[2] for one in tokens)]
    assert leaks(secrets, answered) == set()
    assert leaks(secrets, printed.err + printed.out) == set()
    assert '"status":500' in printed.err
    assert not re.search(KEY_PATTERN, answered + printed.err)
    digests = [one.kept.secret_sha256.hex() for one in keys]
    assert leaks(digests, answered + printed.err) == set()


def test_a_log_line_names_the_key_by_its_id(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    good = _keys()[0]
    headers = {"content-type": "application/json", "authorization": f"Bearer {good.text}"}
    asyncio.run(call(app, "POST", "/v1/recommend-units", as_bytes(request()), headers))
    asyncio.run(call(app, "POST", "/v1/recommend-units", as_bytes(request()), {}))
    known, unknown = (json.loads(line) for line in capsys.readouterr().err.splitlines()[-2:])
    assert (known["status"], known["key_id"]) == (200, good.kept.key_id)
    assert (unknown["status"], unknown["key_id"]) == (401, None)


def test_a_leak_would_be_found() -> None:
    made = key(Role.CAD)
    assert leaks([secret_of(made)], f'{{"detail": "{made.text}"}}')
    assert leaks([secret_of(made)], made.text[20:40])
    assert not leaks([secret_of(made)], made.kept.key_id)


def test_the_api_description_has_the_scheme_and_no_key(app: App) -> None:
    document = describe(app)
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    text = json.dumps(document)
    assert not re.search(KEY_PATTERN, text)
    assert leaks([secret_of(one) for one in _keys()], text) == set()
    asked = document["paths"]["/v1/recommend-units"]["post"]
    assert asked["security"] == [{"bearer": []}]
    assert asked["description"].endswith("Roles: cad, dispatcher, supervisor, spd-sergeant.")
    assert {"401", "403"} <= set(asked["responses"])
    assert "security" not in document["paths"]["/healthz"]["get"]


def test_no_example_of_the_pages_is_a_key() -> None:
    folder = Path(__file__).parents[3]
    pages = [*folder.glob("*.md"), *(folder / "docs").glob("*"), *(folder / "deploy").glob("*")]
    for page in pages:
        assert not re.search(KEY_PATTERN.encode(), page.read_bytes()), page


def test_a_principal_and_a_gate_show_no_secret(view: LiveView) -> None:
    good = _keys()[0]
    app = secured(view, *_keys())
    shown = repr(app.state.gate) + repr(app.state.gate.ring.principal(good.text.encode()))
    assert leaks([secret_of(good)], shown + repr(good)) == set()
    assert "Jane" not in repr(provider().principal(token("cad").encode()))


# -- the command ----------------------------------------------------------------------------------

TANDEM = [sys.executable, "-c", "from api.cli import main; main()", "keys"]


def keys_command(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TANDEM, *arguments], capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"TANDEM_STORE": str(store), "NO_COLOR": "1", "COLUMNS": "160"},
    )  # fmt: skip


def test_a_key_is_printed_once_alone_and_never_again(tmp_path: Path) -> None:
    store = tmp_path / "tandem.db"
    made = keys_command(
        store, "create", "--label", "CAD", "--role", "cad", "--asserts", "DISPATCHER"
    )
    assert made.returncode == 0, made.stderr
    text = made.stdout.strip()
    assert re.fullmatch(KEY_PATTERN, text)
    secret, key_id = text[17:], text[4:16]
    listed = keys_command(store, "list")
    assert key_id in listed.stdout
    assert "DISPATCHER" in listed.stdout
    rotated = keys_command(store, "rotate", key_id)
    gone = keys_command(store, "revoke", rotated.stdout.strip()[4:16])
    wrong = keys_command(store, "revoke", text)  # the whole key in place of its id
    assert (listed.returncode, rotated.returncode, gone.returncode) == (0, 0, 0)
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (2, False)
    said = made.stderr + "".join(
        done.stdout + done.stderr for done in (listed, rotated, gone, wrong)
    )
    assert leaks([secret], said) == set()
    assert secret.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_no_option_takes_a_key() -> None:
    """What is given as an argument stands in the list of processes."""
    from typer.main import get_command

    from api.cli import app as command_line

    def options(command: object) -> Iterator[str]:
        for one in getattr(command, "params", ()):
            yield from one.opts
        for inner in getattr(command, "commands", {}).values():
            yield from options(inner)

    found = set(options(get_command(command_line)))
    assert {"--label", "--role", "--asserts", "--store", "key_id"} <= found
    assert not {name for name in found if re.search(r"secret|token|password|(?<!\w)key$", name)}
