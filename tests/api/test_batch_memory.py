"""Rules 6, 9 and 10: a batch reads and keeps what the service remembers of its calls."""

import json
from datetime import datetime, timedelta
from typing import Any

from api.batch_operations import recommend_together
from api.live_view import LiveView
from api.store.calls import MemoryCalls
from tests.api.requests_made import request

NOON = datetime.fromisoformat("2026-07-21T20:05:02+00:00")


def batch(view: LiveView, calls: MemoryCalls, at: datetime, **changes: Any) -> list[dict[str, Any]]:
    made = request()
    incidents = [made["incident"] | {"incident_id": name} | changes for name in ("A1", "A2")]
    units = [unit for unit in made["units"] if unit["agency"] == "SPD"]  # so both are held
    body = {"incidents": incidents, "units": units}
    answered = recommend_together(view, json.dumps(body).encode(), now=lambda: at, calls=calls)
    found: list[dict[str, Any]] = json.loads(answered.body)["recommendations"]
    return found


def test_rule_10_a_second_batch_supersedes_the_first_and_holds_on(view: LiveView) -> None:
    calls = MemoryCalls()
    first = batch(view, calls, NOON)
    later = NOON + timedelta(seconds=30)
    second = batch(view, calls, later)
    assert [a["supersedes"] for a in first] == [None, None]
    assert [a["supersedes"] for a in second] == [a["recommendation_id"] for a in first]
    held = [(a, b) for a, b in zip(first, second, strict=True) if a["hold"] and b["hold"]]
    assert held
    assert all(a["hold"]["held_since"] == b["hold"]["held_since"] for a, b in held)


def test_rule_14_an_older_version_in_a_batch_changes_nothing(view: LiveView) -> None:
    calls = MemoryCalls()
    batch(view, calls, NOON, version=5)
    late = batch(view, calls, NOON, version=4)
    codes = [{warning["code"] for warning in answer["warnings"]} for answer in late]
    assert all("INCIDENT_VERSION_OLD" in found for found in codes)
    known = calls.known("A1")
    assert known is not None
    assert known.version == 5
