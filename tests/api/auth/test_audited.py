"""What a key writes is audited under its id, beside the operator that it asserts (rule 17)."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select
from starlette.testclient import TestClient

from api.app import make_app
from api.auth.memory_keys import MemoryKeys
from api.auth.roles import Role
from api.live_view import LiveView
from api.settings import Settings
from api.store.database import Database
from api.store.tables import audit
from tests.api.auth.credentials import key
from tests.api.call_story import ASK, told
from tests.api.requests_made import ROSTER
from tests.api.waiting import wait_until


def audited(location: str) -> dict[str, dict[str, Any]]:
    """Return the audit records of a store, one of each kind."""
    database = Database(location)
    with database.reading() as connection:
        found = {row.kind: json.loads(row.record) for row in connection.execute(select(audit))}
    database.close()
    return found


def test_what_a_key_writes_is_audited_under_its_id(tmp_path: Path, view: LiveView) -> None:
    location, made = str(tmp_path / "tandem.db"), key(Role.CAD, asserts=["DISPATCHER"])
    app = make_app(
        Settings(dev=False, store=location, log_level="error"),
        load=lambda _settings, _stage: view,
        keys=MemoryKeys([made.kept]),
    )
    operator = {"id": "D417", "role": "DISPATCHER"}
    with TestClient(app, headers={"authorization": f"Bearer {made.text}"}) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
        body = {"operator": operator, "units": list(ROSTER)}
        assert client.put("/v1/units", json=body).status_code == 200
        assert client.post(ASK, json={**told(), "operator": operator}).status_code == 200
        body["operator"] = {"id": "S1", "role": "SUPERVISOR"}
        assert client.put("/v1/units", json={**body, "units": []}).status_code == 403
    found = audited(location)
    assert {found[kind]["by"] for kind in ("ROSTER", "RECOMMENDED")} == {made.kept.key_id}
    assert "D417" in json.dumps(found["ROSTER"])
    assert "D417" in json.dumps(found["RECOMMENDED"])
    assert "S1" not in json.dumps(found["ROSTER"])
