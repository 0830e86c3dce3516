"""The roster over HTTP: addresses, statuses, refusals, and what the service tells of it."""

import datetime as dt
import json
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.settings import Settings
from api.store.contract import RosterRead
from api.store.memory import MemoryRoster
from tests.api.requests_made import CARE_2, ROSTER, SPD_1, as_bytes, request
from tests.api.story import record
from tests.api.test_http import assert_problem
from tests.api.waiting import wait_until

JSON = {"content-type": "application/json"}
FEED = "/v1/units/positions"


@pytest.fixture
def fresh(view: LiveView) -> Iterator[TestClient]:
    """A new app with an empty roster for each test."""
    app = make_app(Settings(log_level="error"), load=lambda _settings, _stage: view)
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "ready")
        yield client


def address(unit_id: str) -> str:
    return f"/v1/units/{quote(unit_id, safe='')}"


def now_text(ahead_s: float = 0.0) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead_s)).isoformat()


def move(unit_id: str, **changes: Any) -> dict[str, Any]:
    row = {"unit_id": unit_id, "lon": -122.3390, "lat": 47.6110, "fixed_at": now_text()}
    return row | changes


def test_a_roster_is_kept_read_moved_and_recommended_from(fresh: TestClient) -> None:
    assert fresh.put("/v1/units", json={"units": ROSTER}).json()["roster_version"] == 1
    assert [u["unit_id"] for u in fresh.get("/v1/units").json()["units"]] == sorted(
        u["unit_id"] for u in ROSTER
    )
    moved = fresh.post(FEED, json={"positions": [move("2M1#b")]})
    assert (moved.status_code, moved.json()["applied"]) == (200, 1)
    one = fresh.get(address("2M1#b")).json()
    assert (one["unit"]["position"]["lon"], one["roster_version"]) == (-122.3390, 2)
    asked = fresh.post("/v1/recommend-units", content=as_bytes(request(units=None)), headers=JSON)
    assert asked.json()["basis"]["roster_version"] == 2
    assert asked.json()["explain"]["counts"]["SPD"]["seen"] == 2


@pytest.mark.parametrize("unit_id", ["CARE-2#20260721A", "a/b c", "positions", "é+1"])
def test_any_unit_id_has_an_address(fresh: TestClient, unit_id: str) -> None:
    told = {"unit": record(unit_id)}
    assert fresh.put(address(unit_id), json=told).status_code == 201
    assert fresh.put(address(unit_id), json=told).status_code == 200
    assert fresh.get(address(unit_id)).json()["unit"]["unit_id"] == unit_id
    assert fresh.delete(address(unit_id)).json()["result"] == "REMOVED"
    assert_problem(fresh.get(address(unit_id)), 404)
    assert_problem(fresh.delete(address(unit_id)), 404)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/v1/units"), ("PUT", "/v1/units/S1"), ("POST", FEED)]
)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"Jane": 1}', b"\xff", b'{"units": NaN}'])
def test_a_malformed_body_is_refused_with_field_and_remedy(
    fresh: TestClient, method: str, path: str, body: bytes
) -> None:
    response = fresh.request(method, path, content=body, headers=JSON)
    problem = assert_problem(response, 422)
    assert problem["errors"][0]["remedy"]
    assert "Jane" not in response.text
    assert_problem(fresh.request(method, path, content=b"{}"), 415)
    big = b" " * 1_000_001
    assert_problem(fresh.request(method, path, content=big, headers=JSON), 413)


def test_another_unit_than_in_the_address_is_refused(fresh: TestClient) -> None:
    problem = assert_problem(fresh.put("/v1/units/S2", json={"unit": record("S1")}), 422)
    assert problem["errors"][0]["code"] == "UNIT_ID_MISMATCH"


def test_two_thousand_units_are_kept_and_one_more_is_refused(fresh: TestClient) -> None:
    units = [{"unit_id": f"U{i}", "agency": "SPD"} for i in range(2_000)]
    assert len(fresh.put("/v1/units", json={"units": units}).json()["added"]) == 2_000
    assert_problem(fresh.put("/v1/units/S1", json={"unit": record("S1")}), 409)
    assert_problem(fresh.put("/v1/units", json={"units": [*units, units[0]]}), 422)


def test_two_thousand_positions_are_moved_at_once(fresh: TestClient) -> None:
    units = [{"unit_id": f"U{i}", "agency": "SPD"} for i in range(2_000)]
    fresh.put("/v1/units", json={"units": units})
    rows = [move(f"U{i}", lat=47.60 + i * 1e-6) for i in range(2_000)]
    assert fresh.post(FEED, json={"positions": rows}).json()["applied"] == 2_000


def test_readiness_tells_of_the_roster(fresh: TestClient) -> None:
    empty = fresh.get("/readyz").json()
    assert empty["roster"] == {
        "version": 0, "units": {"CARE": {}, "SPD": {}},
        "oldest_position_age_s": None, "newest_position_age_s": None,
    }  # fmt: skip
    assert "ROSTER_IN_MEMORY" in empty["degraded"]
    fresh.put(
        "/v1/units", json={"units": [record("S1", status="BUSY"), record("S2"), record("C1")]}
    )
    rows = [move("S1", fixed_at=now_text(-100)), move("S2", fixed_at=now_text(-10))]
    fresh.post(FEED, json={"positions": rows})
    told = fresh.get("/readyz").json()["roster"]
    assert told["units"] == {"CARE": {"AVAILABLE": 1}, "SPD": {"AVAILABLE": 1, "BUSY": 1}}
    assert 100 <= told["oldest_position_age_s"] < 110
    assert 10 <= told["newest_position_age_s"] < 20


def test_units_writes_and_conflicts_are_counted_without_ids(fresh: TestClient) -> None:
    fresh.put("/v1/units", json={"units": [record("S1"), record("C1")]})
    fresh.put("/v1/units/S1", json={"unit": record("S1", version=2, status="ON_SCENE")})
    fresh.put("/v1/units/S1", json={"unit": record("S1", version=1)})
    fresh.post(FEED, json={"positions": [move("S1"), move("S1", lon=0, lat=0), move("X")]})
    text = fresh.get("/metrics").text
    lines = text.splitlines()
    for line in (
        'tandem_units{agency="SPD",status="ON_SCENE"} 1.0',
        'tandem_units{agency="SPD",status="AVAILABLE"} 0.0',
        'tandem_unit_writes_total{result="ADDED"} 2.0',
        'tandem_unit_writes_total{result="IGNORED_OLDER"} 1.0',
        'tandem_unit_conflicts_total{code="ILLEGAL_STATUS_JUMP"} 1.0',
        'tandem_position_writes_total{result="APPLIED"} 1.0',
        'tandem_position_writes_total{result="FIX_ZERO"} 1.0',
        'tandem_position_writes_total{result="UNIT_NOT_IN_ROSTER"} 1.0',
        "tandem_roster_version 3.0",
        'tandem_requests_total{route="/v1/units/{unit_id}",status="200"} 2.0',
    ):
        assert line in lines
    assert any(line.startswith('tandem_position_age_seconds{which="oldest"}') for line in lines)
    assert "S1" not in text


def test_until_it_is_ready_the_roster_is_not_there(view: LiveView) -> None:
    may_load = Event()

    def load(_settings: Settings, _stage: Any) -> LiveView:
        may_load.wait(60)
        return view

    with TestClient(make_app(Settings(log_level="error"), load=load)) as client:
        for response in (client.get("/v1/units"), client.put("/v1/units", json={"units": []})):
            assert_problem(response, 503)
        may_load.set()


class HeldRoster(MemoryRoster):
    """A store whose writes take until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let_go = Event(), Event()

    def read(self, unit_ids: Any = None) -> RosterRead:
        if unit_ids is not None:
            self.entered.set()
            assert self.let_go.wait(60)
        return super().read(unit_ids)


def test_writes_wait_in_a_bounded_line_and_readers_never_wait(view: LiveView) -> None:
    app = make_app(
        Settings(log_level="error", roster_writes_waiting_max=1), load=lambda _s, _t: view
    )
    held = app.state.service.store = HeldRoster()
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "ready")
        first = Thread(
            target=lambda: client.put(address("CARE2#a"), json={"unit": CARE_2}), daemon=True
        )
        first.start()
        assert held.entered.wait(60)
        refused = client.put(address("2M1#b"), json={"unit": SPD_1})
        assert assert_problem(refused, 503)["code"] == "TOO_MANY_WRITES"
        assert refused.headers["retry-after"] == "1"
        asked = client.post("/v1/recommend-units", content=as_bytes(request()), headers=JSON)
        assert asked.json()["outcome"] == "DISPATCH"
        held.let_go.set()
        first.join(60)
        assert client.put(address("2M1#b"), json={"unit": SPD_1}).status_code == 201


def test_a_store_that_is_gone_is_told_and_recommendations_go_on(fresh: TestClient) -> None:
    fresh.put("/v1/units", json={"units": ROSTER})
    fresh.app.state.service.store.close()  # type: ignore[attr-defined]
    for response in (fresh.put("/v1/units", json={"units": []}), fresh.get("/v1/units")):
        assert assert_problem(response, 503)["code"] == "STORE_UNAVAILABLE"
        assert response.headers["retry-after"] == "1"
    asked = fresh.post("/v1/recommend-units", content=as_bytes(request(units=None)), headers=JSON)
    assert asked.json()["explain"]["counts"]["SPD"]["seen"] == 2


def test_a_log_line_has_no_unit(view: LiveView, capsys: pytest.CaptureFixture[str]) -> None:
    app = make_app(Settings(log_level="debug"), load=lambda _settings, _stage: view)
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "ready")
        client.put(address("SECRET-1"), json={"unit": record("SECRET-1")})
        client.get(address("SECRET-2"))
    said = capsys.readouterr().err
    assert "/v1/units/{unit_id}" in {json.loads(line).get("route") for line in said.splitlines()}
    assert "SECRET" not in said
