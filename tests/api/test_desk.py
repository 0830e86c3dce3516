"""What a service with a store remembers: roster, calls and recommendations outlive the process."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.settings import Settings
from api.store.audit_chain import FIRST, chained
from api.store.database import Database
from api.store.tables import audit, recommendations
from tests.api.call_story import ADDRESS, ASK, OPERATOR, FakeClock, told
from tests.api.requests_made import ROSTER
from tests.api.store.engines import DATABASES, new_location
from tests.api.waiting import wait_until

Start = Callable[[], AbstractContextManager[TestClient]]
WEAPON = {"weapon": "YES"}


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_location(request.param) as made:
        yield made


@pytest.fixture
def start(location: str, view: LiveView) -> Start:
    """Return what starts a service over the store of the test."""
    clock = FakeClock()

    @contextmanager
    def started() -> Iterator[TestClient]:
        settings = Settings(log_level="error", store=location)
        app = make_app(settings, load=lambda _settings, _stage: view, now=clock)
        with TestClient(app, raise_server_exceptions=False) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
            yield client

    return started


def roster_call(**changes: Any) -> dict[str, Any]:
    return told(**changes) | {"units": None}


def test_an_answer_says_that_it_is_recorded_and_is_kept_as_it_was_sent(
    start: Start, location: str
) -> None:
    with start() as client:
        reply = client.post(ASK, json=told())
    kept = rows(location, select(recommendations))
    assert reply.json()["recorded"] is True
    assert [(row.recommendation_id, row.answer) for row in kept] == [
        (reply.json()["recommendation_id"], reply.content)
    ]


def test_roster_and_calls_outlive_the_process(start: Start) -> None:
    with start() as client:
        assert client.put("/v1/units", json={"units": list(ROSTER)}).status_code == 200
        first = client.post(ASK, json=roster_call()).json()
        assert first["outcome"] == "DISPATCH"
    with start() as client:
        assert len(client.get("/v1/units").json()["units"]) == len(ROSTER)
        again = client.post(ASK, json=roster_call()).json()
        known = client.get(ADDRESS).json()
    assert again["supersedes"] == first["recommendation_id"]
    assert again["basis"]["roster_version"] == first["basis"]["roster_version"]
    assert known["recommendation_id"] == again["recommendation_id"]


def test_an_alert_stays_open_over_a_restart_until_it_is_acknowledged(start: Start) -> None:
    assigned = [{"unit_id": "CARE2#a", "agency": "CARE", "status": "ENROUTE"}]
    with start() as client:
        client.post(ASK, json=told())
        client.put(ADDRESS, json=told(2, screening=WEAPON, assigned=assigned))
    with start() as client:
        (alert,) = client.get("/v1/alerts").json()["alerts"]
        address = f"/v1/alerts/{alert['alert_id']}/acknowledge"
        assert client.post(address, json=OPERATOR).status_code == 200
        assert client.get("/v1/alerts").json()["alerts"] == []
    with start() as client:
        assert client.get("/v1/alerts").json()["alerts"] == []
        assert client.post(address, json=OPERATOR).status_code == 200


def test_a_batch_is_recorded_call_by_call(start: Start, location: str) -> None:
    calls = [told()["incident"] | {"incident_id": name} for name in "AB"]
    with start() as client:
        reply = client.post(ASK + "/batch", json={"incidents": calls, "units": list(ROSTER)})
    told_ids = [one["recommendation_id"] for one in reply.json()["recommendations"]]
    assert all(one["recorded"] for one in reply.json()["recommendations"])
    kept = rows(location, select(recommendations).order_by(recommendations.c.incident_id))
    assert [row.recommendation_id for row in kept] == told_ids


def test_a_replay_leaves_no_trace(start: Start, location: str) -> None:
    with start() as client:
        answer = client.post(ASK, json=told(as_of="2026-07-21T20:05:00Z")).json()
    assert answer["recorded"] is False
    assert rows(location, select(recommendations)) == []


def test_each_write_is_one_link_of_the_audit_chain(start: Start, location: str) -> None:
    with start() as client:
        client.put("/v1/units", json={"units": list(ROSTER)})
        client.post(ASK, json=roster_call())
        client.put(ADDRESS, json=roster_call(version=2))
    kept = rows(location, select(audit).order_by(audit.c.number))
    assert {json.loads(row.record)["by"] for row in kept} == {"development"}
    assert [row.kind for row in kept] == ["ROSTER", "RECOMMENDED", "RECOMMENDED"]
    before = FIRST
    for row in kept:
        assert row.hash == chained(before, row.record)
        before = row.hash


def rows(location: str, statement: Any) -> list[Any]:
    database = Database(location)
    with database.reading() as connection:
        found = connection.execute(statement).all()
    database.close()
    return list(found)
