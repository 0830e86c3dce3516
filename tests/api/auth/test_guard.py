"""The layer before every request: what a refusal says, development mode, and the real stack."""

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import App, make_app
from api.auth.guard import CREDENTIALS_BYTES_MAX, Gate, Guarded, kept_current
from api.auth.memory_keys import MemoryKeys
from api.auth.ring import KeyRing
from api.auth.roles import Role
from api.errors import StoreUnavailable, Unauthorized
from api.live_view import LiveView
from api.log import make_log
from api.settings import Settings
from tests.api.asgi_caller import call, ready_app
from tests.api.auth.credentials import expired_key, flipped, key, provider, revoked, token
from tests.api.requests_made import as_bytes, request

JSON = {"content-type": "application/json"}
RECOMMEND = "/v1/recommend-units"


def secured(view: LiveView, *keys: Any, log_level: str = "error") -> App:
    app = ready_app(view, dev=False, log_level=log_level)
    assert isinstance(app, App)
    for one in keys:
        app.state.service.keys.add(one.kept)
    app.state.gate.tokens = provider()
    app.state.gate.ring.refresh()
    return app


def ask(app: App, path: str, *given: str, method: str = "GET") -> Any:
    headers = {"content-type": "application/json"}
    for value in given:
        headers[f"{'a' if 'authorization' not in headers else 'A'}uthorization"] = value
    return asyncio.run(call(app, method, path, b"", headers))


PLAIN, INVALID = b'Bearer realm="tandem"', b'Bearer realm="tandem", error="invalid_token"'


@pytest.mark.parametrize(
    ("value", "code", "challenge"),
    [
        (None, "CREDENTIALS_MISSING", PLAIN),
        ("Basic YTpi", "CREDENTIALS_REFUSED", INVALID),
        ("", "CREDENTIALS_REFUSED", INVALID),
        ("Bearer ", "CREDENTIALS_REFUSED", INVALID),
        ("Bearer tdm_", "CREDENTIALS_REFUSED", INVALID),
        ("Bearer tdm_\u00fc_\u00fc", "CREDENTIALS_REFUSED", INVALID),
        ("Bearer " + "x" * CREDENTIALS_BYTES_MAX, "CREDENTIALS_REFUSED", INVALID),
    ],
)
def test_a_refusal_challenges_as_the_standard_asks(
    view: LiveView, value: str | None, code: str, challenge: bytes
) -> None:
    found = ask(secured(view), "/v1/units", *([] if value is None else [value]))
    assert (found.status, found.media_type) == (401, "application/problem+json")
    assert dict(found.headers)[b"www-authenticate"] == challenge
    assert f'"code":"{code}"'.encode() in found.body
    assert b"xxx" not in found.body


def test_whoever_has_the_secret_is_told_what_became_of_it(view: LiveView) -> None:
    old, gone = expired_key(Role.CAD), revoked(key(Role.CAD))
    app = secured(view, old, gone)
    for made, code in ((old, b"CREDENTIALS_EXPIRED"), (gone, b"CREDENTIALS_REVOKED")):
        assert code in ask(app, "/v1/units", f"Bearer {made.text}").body
        forged = ask(app, "/v1/units", f"Bearer {flipped(made.text)}")
        assert b"CREDENTIALS_REFUSED" in forged.body


def test_a_role_that_may_not_is_told_which_may(view: LiveView) -> None:
    made = key(Role.GIS_EDITOR)
    found = ask(secured(view, made), "/v1/alerts", f"Bearer {made.text}")
    assert found.status == 403
    assert b"cad, dispatcher, supervisor, spd-sergeant, auditor" in found.body
    assert b"have gis-editor" in found.body
    assert dict(found.headers)[b"www-authenticate"].endswith(b'error="insufficient_scope"')


def test_several_roles_open_what_any_of_them_opens(view: LiveView) -> None:
    made = key(Role.GIS_EDITOR, Role.AUDITOR)
    assert ask(secured(view, made), "/v1/alerts", f"Bearer {made.text}").status == 200


def test_two_headers_are_refused_however_good_each_is(view: LiveView) -> None:
    made = key(Role.CAD)
    assert ask(secured(view, made), "/v1/units", f"bEARER {made.text}").status == 200
    assert ask(secured(view, made), "/v1/units", *[f"Bearer {made.text}"] * 2).status == 401


def test_strangers_do_not_learn_which_addresses_exist(view: LiveView) -> None:
    app = secured(view, made := key(Role.CAD))
    paths = ["/v1/units", "/v1/nothing", "/", "/docs", "/v1/recommend-units"]
    answers = [ask(app, path) for path in paths]
    assert {(one.status, one.body) for one in answers} == {(401, answers[0].body)}
    known = [ask(app, path, f"Bearer {made.text}").status for path in paths]
    assert known == [200, 404, 404, 404, 405]


def test_a_token_asks_as_a_key_does(view: LiveView) -> None:
    app, body = secured(view), as_bytes(request())
    headers = {**JSON, "authorization": f"Bearer {token('dispatcher')}"}
    assert asyncio.run(call(app, "POST", RECOMMEND, body, headers)).status == 200
    headers["authorization"] = f"Bearer {token('analyst')}"
    assert asyncio.run(call(app, "POST", RECOMMEND, body, headers)).status == 403


def test_the_door_and_the_router_refuse_alike(view: LiveView) -> None:
    made, other = key(Role.CAD), key(Role.ADMIN)
    app, routed = secured(view, made, other), secured(view, made, other)
    routed.doors.clear()
    assert set(app.doors) == {("POST", RECOMMEND)}
    for given in ([], ["Bearer x"], [f"Bearer {other.text}"], [f"Bearer {made.text}"]):
        ours, theirs = (ask(one, RECOMMEND, *given, method="POST") for one in (app, routed))
        assert (ours.status, ours.headers, ours.body) == (
            theirs.status,
            theirs.headers,
            theirs.body,
        )


def test_a_socket_is_closed_at_once() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def inner(*_asked: Any) -> None:
        raise AssertionError("nobody may come here")

    guarded = Guarded(inner, gate=Gate(KeyRing(MemoryKeys()), is_open=True))
    asyncio.run(guarded({"type": "websocket", "path": "/healthz"}, inner, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


# -- a running service ----------------------------------------------------------------------------


class _Watched(MemoryKeys):
    """Keys that say when they were asked, and may be taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.is_gone = False

    def mark(self) -> int:
        self.asked.set()
        if self.is_gone:
            raise StoreUnavailable("gone")
        return super().mark()


def test_a_running_service_learns_of_new_and_revoked_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.auth.guard.REFRESH_S", 0.001)
    made, log = key(Role.CAD), make_log("error")

    async def run() -> list[bool]:
        store = _Watched()
        gate, seen = Gate(KeyRing(store)), []
        async with kept_current(gate, log):
            for change in (
                lambda: store.add(made.kept),
                lambda: setattr(store, "is_gone", True),
                lambda: setattr(store, "is_gone", False),
                lambda: store.revoke(made.kept.key_id, made.kept.created_at),
            ):
                change()
                for _ in range(3):  # a look that had begun, one after the change, and its end
                    store.asked.clear()
                    await store.asked.wait()
                seen.append(_opens(gate, made.text))
        return seen

    assert asyncio.run(run()) == [True, True, True, False]


def _opens(gate: Gate, text: str) -> bool:
    headers = [(b"authorization", f"Bearer {text}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/v1/units", "headers": headers}
    try:
        gate.admit(scope)
    except Unauthorized:
        return False
    return True


def test_keys_that_cannot_be_looked_at_are_named_once_and_until_they_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("api.auth.guard.REFRESH_S", 0.001)

    async def run() -> list[list[str]]:
        store = _Watched()
        gate, told = Gate(KeyRing(store)), []
        async with kept_current(gate, make_log("warning")):
            for is_gone in (True, False):
                store.is_gone = is_gone
                for _ in range(4):
                    store.asked.clear()
                    await store.asked.wait()
                told.append(list(gate.degraded()))
        return told

    assert asyncio.run(run()) == [["KEYS_NOT_CURRENT"], []]
    assert capsys.readouterr().err.count("keys_not_refreshed") == 1


# -- development mode -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/units", "/healthz", "/v1/nothing", "/readyz", RECOMMEND])
def test_development_mode_asks_nobody_and_says_so_in_every_answer(
    view: LiveView, path: str
) -> None:
    app = make_app(Settings(dev=True, log_level="error"), load=lambda _s, _t: view)
    for method in ("GET", "POST"):
        found = ask(app, path, method=method)
        assert found.status not in {401, 403}
        assert dict(found.headers)[b"tandem-mode"] == b"development"


def test_development_mode_is_named_as_a_shortcoming(view: LiveView) -> None:
    assert b'"DEVELOPMENT_MODE"' in ask(ready_app(view, dev=True), "/readyz").body


def test_a_service_with_credentials_never_says_development(view: LiveView) -> None:
    app = secured(view, made := key(Role.CAD))
    for path, given in (("/readyz", []), ("/v1/units", []), ("/v1/units", [f"Bearer {made.text}"])):
        found = ask(app, path, *given)
        assert b"tandem-mode" not in dict(found.headers)
        assert b"DEVELOPMENT_MODE" not in found.body


def test_without_settings_of_any_kind_nothing_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Development mode is never the default."""
    monkeypatch.delenv("TANDEM_DEV")
    app = make_app(Settings(log_level="error"), load=_never)
    with TestClient(app) as client:
        assert client.get("/v1/units").status_code == 401
        assert client.get("/healthz").status_code == 200


def _never(_settings: Settings, _stage: Any) -> LiveView:
    raise OSError("no streets")
