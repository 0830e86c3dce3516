"""What the service counts, logs and tells of itself."""

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.settings import Settings
from tests.api.requests_made import SPD_1, as_bytes, request, request_about
from tests.api.waiting import wait_until

JSON = {"content-type": "application/json"}


@pytest.fixture
def fresh(view: LiveView, capsys: pytest.CaptureFixture[str]) -> Iterator[TestClient]:
    """A new app for each test; what it logs is caught from its first line on."""
    capsys.readouterr()
    app = make_app(Settings(), load=lambda _settings, _stage: view)
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "ready")
        yield client


def post(client: TestClient, made: object) -> None:
    client.post("/v1/recommend-units", content=as_bytes(made), headers=JSON)


def test_requests_outcomes_stages_and_rungs_are_counted(fresh: TestClient) -> None:
    post(fresh, request())
    post(fresh, request(SPD_1 | {"status": "MEAL"}))
    post(fresh, request_about(version="x"))
    lines = fresh.get("/metrics").text.splitlines()
    assert 'tandem_requests_total{route="/v1/recommend-units",status="200"} 2.0' in lines
    assert 'tandem_requests_total{route="/v1/recommend-units",status="422"} 1.0' in lines
    assert 'tandem_recommendations_total{mode="DUAL",outcome="DISPATCH"} 1.0' in lines
    assert 'tandem_rung_total{eta="ROAD"} 2.0' in lines
    assert 'tandem_stage_seconds_count{stage="gates"} 2.0' in lines
    assert 'tandem_warnings_total{code="UNIT_ENTRY_DEGRADED"} 1.0' in lines
    assert "tandem_ready 1.0" in lines
    assert any('network_id="pilot-schematic-1"' in line for line in lines)


def test_an_unknown_address_is_counted_without_its_name(fresh: TestClient) -> None:
    fresh.get("/v1/calls/jane-doe")
    text = fresh.get("/metrics").text
    assert 'tandem_requests_total{route="other",status="404"} 1.0' in text
    assert "jane" not in text


def test_two_apps_do_not_add_up(view: LiveView, fresh: TestClient) -> None:
    other = make_app(Settings(log_level="error"), load=lambda _settings, _stage: view)
    with TestClient(other) as client:
        client.get("/healthz")
    assert 'route="/healthz"' not in fresh.get("/metrics").text


def test_readiness_names_what_is_degraded(fresh: TestClient) -> None:
    state = fresh.get("/readyz").json()
    assert state["ready"] is True
    assert "SCHEMATIC_NETWORK" in state["degraded"]


def test_the_network_in_use_is_described(fresh: TestClient) -> None:
    about = fresh.get("/v1/network").json()
    assert about["network_id"] == "pilot-schematic-1"
    assert about["schematic"] is True


def test_log_lines_are_json_and_hold_nothing_of_the_request(
    fresh: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    made = request_about(call_type="PERSON DOWN", incident_id="SECRET-1") | {
        "request_id": "SECRET-2"
    }
    post(fresh, made)
    said = capsys.readouterr().err
    lines = [json.loads(line) for line in said.splitlines()]
    assert {line["event"] for line in lines} >= {"recommendation", "request"}
    assert "SECRET" not in said
    assert "47.61" not in said
    assert "2M1" not in said
