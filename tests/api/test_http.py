"""What the service refuses and how: problem+json, never a 5xx, never a value of the request."""

import importlib
import json
import pkgutil
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

import api
from api.app import make_app
from api.auth.roles import EVERY_ROLE
from api.error_answers import STATUS, problem_response
from api.errors import InvalidRequest, ServiceError, StartError, TandemError
from api.live_view import LiveView
from api.settings import Settings
from tests.api.requests_made import as_bytes, request, request_about
from tests.api.waiting import wait_until

PATH = "/v1/recommend-units"
JSON = {"content-type": "application/json"}


def post(client: TestClient, body: bytes, **headers: str) -> Response:
    return client.post(PATH, content=body, headers={**JSON, **headers})


def assert_problem(response: Response, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert set(problem) == {
        "type", "title", "status", "code", "detail", "remedy", "errors", "errors_left_out",
    }  # fmt: skip
    assert problem["status"] == status
    assert problem["detail"]
    return problem


HOSTILE = [
    b"", b"{", b"[]", b"null", b"NaN", b"\xff\xfe\x00", b"[" * 100_000, b'{"incident":' * 5_000,
    b'{"incident": "\\ud800 Jane"}', b'{"incident": {"location": {"lon": NaN, "lat": 1e999}}}',
    b'{"incident": {"location": {"lon": -1e999, "lat": Infinity}}}', b'"Jane"', b"1e400",
    b'{"incident": {"incident_id": "Jane\\u0000"}}', b"9" * 6_000, b'{"units": [' + b"0," * 9_000,
    b'{"Jane": 1, "Jane": 2}', b"\x00" * 50, "{\"incident\": \"Jané\"}".encode("latin-1"),
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_body_is_refused_and_not_repeated(client: TestClient, body: bytes) -> None:
    response = post(client, body)
    problem = assert_problem(response, 422)
    assert problem["errors"]
    assert "Jan" not in response.text


def test_a_refusal_names_the_field_the_reason_and_the_remedy(client: TestClient) -> None:
    response = post(client, as_bytes(request_about(queued_at="2026-07-21T13:04:41")))
    found = assert_problem(response, 422)["errors"][0]
    assert found["path"] == "/incident/queued_at"
    assert found["code"] == "NO_UTC_OFFSET"
    assert "offset" in found["detail"]
    assert "-07:00" in found["remedy"]


@pytest.mark.parametrize(
    ("lon", "lat", "code", "word"),
    [
        (47.6104, -122.3372, "LOCATION_SWAPPED", "swapped"),
        (0, 0, "LOCATION_ZERO", "unknown"),
        (-122.20, 47.61, "LOCATION_OUTSIDE", "outside"),
        (1_271_000, 225_000, "LOCATION_NOT_DEGREES", "degrees"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused_tellingly(
    client: TestClient, lon: float, lat: float, code: str, word: str
) -> None:
    response = post(client, as_bytes(request_about(location={"lon": lon, "lat": lat})))
    problem = assert_problem(response, 422)
    assert problem["errors"][0]["code"] == code
    assert word in problem["detail"]
    assert problem["remedy"]


def test_errors_are_listed_up_to_a_bound_and_the_rest_is_counted(client: TestClient) -> None:
    made = request(exclude_unit_ids="x", competing="x", units="x")
    made["incident"] = {"assigned": [], **dict.fromkeys(("location", "version", "origin"), "x")}
    problem = assert_problem(post(client, as_bytes(made)), 422)
    assert len(problem["errors"]) == 8
    assert problem["errors_left_out"] == 0


def test_another_content_type_is_refused(client: TestClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/xml"):
        assert_problem(post(client, as_bytes(request()), **{"content-type": kind}), 415)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.cad+json"])
def test_json_by_another_name_is_taken(client: TestClient, kind: str) -> None:
    assert post(client, as_bytes(request()), **{"content-type": kind}).status_code == 200


def test_a_body_over_the_limit_is_refused_announced_or_not(client: TestClient) -> None:
    big = b" " * 1_000_001
    assert assert_problem(post(client, big), 413)["code"] == "BODY_TOO_LARGE"
    chunks = client.post(PATH, content=iter([big[:600_000], big[:600_000]]), headers=JSON)
    assert_problem(chunks, 413)


def test_a_body_at_the_limit_is_read(client: TestClient) -> None:
    body = as_bytes(request())
    assert post(client, body + b" " * (1_000_000 - len(body))).status_code == 200


def test_unknown_addresses_and_methods_are_problems_too(client: TestClient) -> None:
    assert_problem(client.get("/v1/Jane"), 404)
    refused = client.get(PATH)
    assert_problem(refused, 405)
    assert refused.headers["allow"] == "POST"
    for path, methods in (("/v1/units", "GET, PUT"), ("/v1/units/2M1", "DELETE, GET, PUT")):
        refused = client.request("BREW", path)
        assert (refused.status_code, refused.headers["allow"]) == (405, methods)
    for page in ("/docs", "/redoc"):
        assert_problem(client.get(page), 404)


def test_until_it_is_ready_the_service_says_so(view: LiveView) -> None:
    from threading import Event

    may_load = Event()

    def load(_settings: Settings, stage: Any) -> LiveView:
        stage("waiting for the test")
        may_load.wait(60)
        return view

    app = make_app(Settings(log_level="error"), load=load)
    with TestClient(app) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        refused = post(client, as_bytes(request()))
        assert_problem(refused, 503)
        assert refused.headers["retry-after"] == "1"
        may_load.set()
        wait_until(lambda: client.get("/readyz").status_code == 200, "ready")
        assert post(client, as_bytes(request())).status_code == 200


def test_a_start_that_fails_is_told_without_its_message() -> None:
    def load(_settings: Settings, _stage: Any) -> LiveView:
        raise OSError("/home/jane/streets")

    with TestClient(make_app(Settings(log_level="error"), load=load)) as client:
        wait_until(lambda: client.get("/readyz").json()["failure"] is not None, "failed")
        assert client.get("/readyz").status_code == 503
        assert "OSError at test_http.py:" in client.get("/readyz").json()["failure"]
        assert "jane" not in post(client, as_bytes(request())).text


def test_a_fault_of_ours_is_a_bare_500_and_the_log_has_no_message(
    view: LiveView, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app(Settings(log_level="error"), load=lambda _settings, _stage: view)

    @app.get("/fault")
    async def fault() -> None:
        raise ValueError("Jane Doe")

    app.state.gate.declare("GET", "/fault", EVERY_ROLE)
    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/fault")
    assert_problem(response, 500)
    said = capsys.readouterr().err
    assert json.loads(said.splitlines()[-1])["kind"] == "ValueError"
    assert "Jane" not in response.text + said


def test_every_error_of_the_tree_that_can_be_answered_has_a_status() -> None:
    for module in pkgutil.walk_packages(api.__path__, "api."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    def leaves(kind: type[TandemError]) -> set[type[TandemError]]:
        below = kind.__subclasses__()
        return set().union(*map(leaves, below)) if below else {kind}

    without = leaves(TandemError) - set(STATUS)
    assert {kind for kind in without if not issubclass(kind, StartError)} == set()


def test_an_error_missing_from_the_table_is_our_own_fault() -> None:
    class Forgotten(ServiceError):
        """An error that nobody gave a status."""

    assert problem_response(Forgotten("x")).status_code == 500
    assert problem_response(InvalidRequest("x")).status_code == 422


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/recommend-units", "POST"),
        ("/v1/units", "GET, PUT"),
        ("/v1/units/S1", "DELETE, GET, PUT"),
        ("/v1/units/positions", "POST"),
        ("/v1/incidents/1", "GET, PUT"),
        ("/healthz", "GET"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_refused_with_those_it_takes(
    client: TestClient, path: str, methods: str
) -> None:
    response = client.request("BREW", path)
    assert_problem(response, 405)
    assert response.headers.get_list("allow") == [methods]
