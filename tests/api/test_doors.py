"""The door past the framework's router answers as the router does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.routes.recommend_units import PATH
from api.settings import Settings
from tests.api.requests_made import as_bytes, request, request_about
from tests.api.waiting import wait_until

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def routed(view: LiveView) -> Iterator[TestClient]:
    """A client of the app without its doors."""
    app = make_app(Settings(log_level="error"), load=lambda _settings, _stage: view)
    assert set(app.doors) == {("POST", PATH)}
    app.doors.clear()
    with TestClient(app, raise_server_exceptions=False) as made:
        wait_until(lambda: made.get("/readyz").status_code == 200, "the app is ready")
        yield made


def told(response: Response) -> tuple[int, dict[str, str], Any]:
    """Return what must not differ: all but times, lengths and the id."""
    answer = response.json()
    answer.pop("recommendation_id", None)
    changing = {"server-timing", "content-length"}
    headers = {name: value for name, value in response.headers.items() if name not in changing}
    return response.status_code, headers, answer


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (as_bytes(request()), JSON, 200),
        (as_bytes(request(units=None)), JSON, 200),
        (as_bytes(request_about(version="x")), JSON, 422),
        (as_bytes(request_about(location={"lon": 0, "lat": 0})), JSON, 422),
        (b"{", JSON, 422),
        (b" " * 1_000_001, JSON, 413),
        (as_bytes(request()), {}, 415),
    ],
)
def test_both_ways_give_the_same_answer(
    client: TestClient, routed: TestClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    by_door = client.post(PATH, content=body, headers=headers)
    assert by_door.status_code == status
    assert told(by_door) == told(routed.post(PATH, content=body, headers=headers))


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_other_methods_go_to_the_router(
    client: TestClient, routed: TestClient, method: str
) -> None:
    ours, theirs = (asked.request(method, PATH) for asked in (client, routed))
    assert ours.status_code == theirs.status_code == 405
    assert ours.headers["allow"] == theirs.headers["allow"] == "POST"


def test_a_fault_behind_the_door_is_a_bare_500_and_is_logged_without_its_message(
    view: LiveView, capsys: pytest.CaptureFixture[str]
) -> None:
    def decide(*_asked: Any, **_more: Any) -> Any:
        raise ValueError("Jane Doe")

    app = make_app(Settings(log_level="error"), load=lambda _s, _t: view, decide=decide)
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "ready")
        response = client.post(PATH, content=as_bytes(request()), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_FAULT")
    said = capsys.readouterr().err
    assert json.loads(said.splitlines()[-1])["kind"] == "ValueError"
    assert "Jane" not in response.text + said
