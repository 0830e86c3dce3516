"""One app with a clock of its own, and versions of one call that are told to it over HTTP."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.requests_made import ROSTER, request

NOW = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)
"""Five past one in the afternoon in Seattle, when the pilot is open."""
CALL = "2026000214377"
ADDRESS = f"/v1/incidents/{CALL}"
ASK = "/v1/recommend-units"
OPERATOR = {"operator": {"id": "D417", "role": "DISPATCHER"}}


class FakeClock:
    """An instant that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> dt.datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


def on_the_call(unit_id: str, agency: str, status: str = "ENROUTE") -> dict[str, Any]:
    return {"unit_id": unit_id, "agency": agency, "status": status}


CARE = on_the_call("CARE2#a", "CARE")
POLICE = on_the_call("2M1#b", "SPD")


def told(
    version: int = 1,
    *units: Any,
    screening: Mapping[str, str] | None = None,
    as_of: str | None = None,
    **incident: Any,
) -> dict[str, Any]:
    """Return a version of the call: live, eligible, with four units unless others are given."""
    made = request(*(units or ROSTER), as_of=as_of)
    made["incident"] |= {"version": version, **incident}
    made["incident"]["screening"] |= screening or {}
    return made


class CallStory:
    """Tells versions of the call, asks about it, and acknowledges its alerts."""

    def __init__(self, client: TestClient, clock: FakeClock) -> None:
        self.client = client
        self.clock = clock

    def ask(self, version: int = 1, *units: Any, **changes: Any) -> Any:
        """Return the recommendation for a version of the call."""
        reply = self.client.post(ASK, json=told(version, *units, **changes))
        assert reply.status_code == 200, reply.text
        return reply.json()

    def put(self, version: int = 1, *units: Any, **changes: Any) -> Any:
        """Return what became of a version that is told."""
        reply = self.client.put(ADDRESS, json=told(version, *units, **changes))
        assert reply.status_code == 200, reply.text
        return reply.json()

    def known(self) -> Any:
        return self.client.get(ADDRESS).json()

    def alerts(self) -> Any:
        return self.client.get("/v1/alerts").json()["alerts"]

    def acknowledge(self, alert: Any, body: Any = OPERATOR) -> Response:
        return self.client.post(f"/v1/alerts/{alert['alert_id']}/acknowledge", json=body)


def orders(alert: Any) -> list[tuple[str, list[str]]]:
    return [(one["action"], one["unit_ids"]) for one in alert["orders"]]


def named(answer: Any) -> list[str]:
    """Return the units that an answer sends."""
    return [one["unit_id"] for one in answer["assign"] if not one["already_assigned"]]
