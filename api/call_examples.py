"""Examples of every request about remembered calls: one story, answered at fixed instants.

`python -m api.call_examples` writes `call_examples.json` anew; a test fails when the file is no
longer what the code returns. The API description and docs/calls.md show these.
"""

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

from api.examples import read_examples

FILE: Final = Path(__file__).with_suffix(".json")
NOW: Final = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)
MINUTE: Final = dt.timedelta(minutes=1)
ACKNOWLEDGE: Final = {"operator": {"id": "D417", "role": "DISPATCHER"}}

Examples = dict[str, dict[str, Any]]


def read_call_examples() -> Examples:
    """Return `{name: {"request": ..., "answer": ...}}`; the request of a reading is None."""
    examples: Examples = json.loads(FILE.read_text(encoding="utf-8"))
    return examples


def _version(number: int, **incident: Any) -> dict[str, Any]:
    """Return a version of the call, asked about now and with a short explanation."""
    made: dict[str, Any] = copy.deepcopy(read_examples()["DISPATCH"]["request"])
    made |= {"as_of": None, "options": {"alternatives": 0, "explain": "NONE"}}
    made["incident"] |= {"version": number, **incident}
    return made


def _sent(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the units that an answer names as they are on the call a minute later."""
    return [
        {"unit_id": one["unit_id"], "agency": one["agency"], "status": "ENROUTE"}
        for one in answer["recommendation"]["assign"]
    ]


def make_call_examples() -> Examples:
    """Return the story as this code answers it now."""
    from api.incident_operations import (
        acknowledgement_answer,
        incident_answer,
        list_alerts,
        read_acknowledgement,
        update_incident,
    )
    from api.live_view import load_view
    from api.operations import Manner
    from api.settings import Settings
    from api.store.calls import MemoryCalls

    view = load_view(Settings(network=None, release=None, zones=None), lambda _stage: None)
    calls = MemoryCalls()

    def put(request: dict[str, Any], minutes: int) -> dict[str, Any]:
        manner = Manner(
            now=lambda: NOW + minutes * MINUTE,
            name=lambda _made_at: f"rec_01K0P2V8S6EXAMPLE00000000{minutes}",
            calls=calls,
        )
        body = json.dumps(request).encode()
        updated = update_incident(view, request["incident"]["incident_id"], body, manner)
        return {"request": request, "answer": json.loads(updated.body)}

    def told(request: Any, answer: Any) -> dict[str, Any]:
        return {"request": request, "answer": json.loads(answer.model_dump_json())}

    first = put(_version(3), 0)
    screening = first["request"]["incident"]["screening"] | {"weapon": "YES"}
    weapon = put(_version(5, screening=screening, assigned=_sent(first["answer"])), 1)
    late = put(_version(4, assigned=_sent(first["answer"])), 2)
    alert_id = weapon["answer"]["safety_changed"]["alert_id"]
    known = incident_answer(calls.known(first["request"]["incident"]["incident_id"]))
    alerts, body = list_alerts(calls), json.dumps(ACKNOWLEDGE).encode()
    operator, warnings = read_acknowledgement(body)
    done = calls.acknowledge(alert_id, operator, NOW + 2 * MINUTE)
    acknowledged = acknowledgement_answer(done, warnings)
    return {
        "FIRST": first,
        "WEAPON": weapon,
        "LATE": late,
        "KNOWN": told(None, known),
        "ALERTS": told(None, alerts),
        "ACKNOWLEDGED": told(ACKNOWLEDGE, acknowledged),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make_call_examples(), indent=1) + "\n", encoding="utf-8")
