"""A service over a store of its own, with four units on its roster and a clock that is moved."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from httpx2 import Response
from sqlalchemy import select
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.settings import Settings
from api.store.database import Database
from api.store.tables import audit
from tests.api.call_story import ADDRESS, ASK, CALL, OPERATOR, FakeClock, told
from tests.api.requests_made import ROSTER
from tests.api.store.engines import new_location
from tests.api.waiting import wait_until

OTHER_CALL = "2026000214399"


class HttpDesk:
    """Asks, confirms, overrides and reports over HTTP."""

    def __init__(self, client: TestClient, clock: FakeClock, location: str) -> None:
        self.client = client
        self.clock = clock
        self.location = location

    def ask(self, call: str = CALL, version: int = 1, **changes: Any) -> Any:
        """Return the recommendation for a call from the roster."""
        made = told(version, incident_id=call, **changes) | {"units": None}
        reply = self.client.post(ASK, json=made)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, body: Any = OPERATOR, key: str | None = None) -> Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.post(path, json=body, headers=headers)

    def confirm(self, answer: Any, key: str | None = None) -> Response:
        return self.post(f"/v1/recommendations/{answer['recommendation_id']}/confirm", key=key)

    def override(self, action: str, *unit_ids: str, **more: Any) -> Response:
        body = OPERATOR | {"action": action, "reason_code": "UNIT_CLOSER", "unit_ids": unit_ids}
        return self.post(f"{ADDRESS}/override", body | more)

    def report(self, unit_id: str, status: str, call: str | None = None, **more: Any) -> Any:
        self.clock.pass_by(1)
        body = {"status": status, "at": self.clock.at.isoformat(), "incident_id": call, **more}
        reply = self.post(f"/v1/units/{unit_id.replace('#', '%23')}/status", body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def claims(self) -> Any:
        return self.client.get("/v1/claims").json()["claims"]

    def audited(self) -> int:
        """Return how many audit records requests have left; the queue works beside them."""
        database = Database(self.location)
        with database.reading() as connection:
            told = [json.loads(one) for one in connection.execute(select(audit.c.record)).scalars()]
        database.close()
        return sum(one["by"] is not None for one in told)

    def metrics(self) -> list[str]:
        return self.client.get("/metrics").text.splitlines()


@contextmanager
def http_desk(kind: str, view: LiveView, **settings: Any) -> Iterator[HttpDesk]:
    """Yield a desk over an empty store of a kind."""
    with new_location(kind) as location, served(location, view, **settings) as desk:
        assert desk.client.put("/v1/units", json={"units": list(ROSTER)}).status_code == 200
        yield desk


@contextmanager
def served(location: str, view: LiveView, **settings: Any) -> Iterator[HttpDesk]:
    """Yield a desk over the store of a location."""
    clock = FakeClock()
    made = Settings(log_level="error", dev=True, store=location, **settings)
    app = make_app(made, load=lambda _settings, _stage: view, now=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
        yield HttpDesk(client, clock, location)
