"""What the service counts, logs and tells of itself."""

import json
import random
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.log import make_log
from api.metrics import SECONDS, Durations, Tally
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


def test_counts_are_told_as_prometheus_own_client_tells_them() -> None:
    rng = random.Random(20231001)
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally = Tally("calls", "Calls.", ("route", "status"), registry=ours)
    spread = Durations("took_seconds", "Time.", "stage", registry=ours)
    counter = Counter("calls", "Calls.", ["route", "status"], registry=theirs)
    histogram = Histogram("took_seconds", "Time.", ["stage"], buckets=SECONDS, registry=theirs)
    for _ in range(2_000):
        labels = rng.choice(["/a", 'b"\\\n']), rng.choice(["200", "422"])
        took_s = rng.choice([*SECONDS, rng.expovariate(50), 3.0])
        tally.add(*labels)
        counter.labels(*labels).inc()
        spread.observe((labels[0], took_s))
        histogram.labels(labels[0]).observe(took_s)
    assert samples(ours) == samples(theirs)
    tally.add("/a", "200")
    assert samples(ours) != samples(theirs)


def samples(registry: CollectorRegistry) -> list[str]:
    """Return the lines of a registry; when a counter was made is told by the library alone."""
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if "_created" not in line)


@pytest.mark.parametrize("said", ["plain", "Jos\u00e9", "\udce9", 2**80, {1: float("nan")}])
def test_whatever_is_logged_is_one_line_of_ascii_json(
    capsys: pytest.CaptureFixture[str], said: object
) -> None:
    make_log("info").info("library", message=said)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert line.isascii()
    assert json.loads(line)["event"] == "library"


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
    [line] = [line for line in lines if line.get("route") == "/v1/recommend-units"]
    assert (line["event"], line["status"], line["outcome"]) == ("request", 200, "DISPATCH")
    assert line["id"].startswith("rec_")
    assert line["ms"] > 0
    assert "SECRET" not in said
    assert "47.61" not in said
    assert "2M1" not in said
