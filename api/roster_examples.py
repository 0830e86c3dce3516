"""Examples of every request about the roster: one story, answered by this code at fixed instants.

`python -m api.roster_examples` writes `roster_examples.json` anew; a test fails when the file is no
longer what the code returns. The API description and docs/roster.md show these.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_suffix(".json")
NOW: Final = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)

_OPERATOR: Final = {"id": "CAD-1", "role": "SYSTEM"}


def _unit(unit_id: str, agency: str, lon: float, lat: float, **changes: Any) -> dict[str, Any]:
    return {
        "unit_id": unit_id,
        "call_sign": unit_id.partition("#")[0],
        "version": 1,
        "agency": agency,
        "crew_count": 2,
        "status": "AVAILABLE",
        "status_since": "2026-07-21T12:31:00-07:00",
        "shift_end": "2026-07-21T23:00:00-07:00",
        "home": {"post": None, "sector": "M", "beat": None},
        "position": {"lon": lon, "lat": lat, "fixed_at": "2026-07-21T13:04:26-07:00"},
        **changes,
    }


CARE_1: Final = _unit("CARE-1#20260721A", "CARE", -122.3302, 47.6030)
CARE_2: Final = _unit("CARE-2#20260721A", "CARE", -122.3290, 47.5990)
SPD_1: Final = _unit("2M1#20260721B", "SPD", -122.3400, 47.6120)
SPD_2: Final = _unit("2K3#20260721B", "SPD", -122.3330, 47.6010)

SNAPSHOT: Final = {"operator": _OPERATOR, "units": [CARE_1, CARE_2, SPD_1, SPD_2]}
ONE_UNIT: Final = {
    "operator": _OPERATOR,
    "unit": CARE_2
    | {
        "version": 2,
        "status": "ON_SCENE",
        "status_since": "2026-07-21T13:04:50-07:00",
        "position": None,
    },
}
POSITIONS: Final = {
    "operator": _OPERATOR,
    "positions": [
        {
            "unit_id": "CARE-1#20260721A", "lon": -122.3309, "lat": 47.6041,
            "fixed_at": "2026-07-21T13:04:56-07:00", "heading_deg": 330, "speed_mps": 6.5,
        },
        {
            "unit_id": "2M1#20260721B", "lon": -122.3398, "lat": 47.6117,
            "fixed_at": "2026-07-21T14:04:57-07:00",
        },
        {
            "unit_id": "2M1#20260721B", "lon": -122.3397, "lat": 47.6116,
            "fixed_at": "2026-07-21T13:04:58-07:00",
        },
        {
            "unit_id": "2K3#20260721B", "lon": -122.2850, "lat": 47.5600,
            "fixed_at": "2026-07-21T13:04:58-07:00",
        },
        {
            "unit_id": "2Q7#20260721B", "lon": -122.3330, "lat": 47.6010,
            "fixed_at": "2026-07-21T13:04:58-07:00",
        },
    ],
}  # fmt: skip
LATER_SNAPSHOT: Final = {
    "operator": _OPERATOR,
    "units": [
        CARE_1 | {"version": 2, "crew_count": 1, "position": None},
        CARE_2 | {"version": 1, "position": None},
        SPD_1 | {"position": None},
        {"unit_id": "2M4#20260721B", "agency": "POLICE"},
        _unit("2M2#20260721B", "SPD", -122.3370, 47.6090),
    ],
}

Examples = dict[str, dict[str, Any]]


def read_roster_examples() -> Examples:
    """Return `{name: {"request": ..., "answer": ...}}`; the request of a reading is None."""
    examples: Examples = json.loads(FILE.read_text(encoding="utf-8"))
    return examples


def make_roster_examples() -> Examples:
    """Return the story as this code answers it now."""
    from api.live_roster import LiveRoster
    from api.live_view import load_view
    from api.position_feed import move_units
    from api.roster_operations import get_unit, list_units, put_unit, reconcile, remove_unit
    from api.settings import Settings
    from api.store.memory import MemoryRoster

    live = LiveRoster(MemoryRoster(), load_view(Settings(network=None, zones=None), lambda _: None))

    def now() -> dt.datetime:
        return NOW

    def told(request: Any, answer: Any) -> dict[str, Any]:
        return {"request": request, "answer": json.loads(answer.model_dump_json())}

    def body(request: Any) -> bytes:
        return json.dumps(request).encode()

    unit_id = CARE_2["unit_id"]
    return {
        "SNAPSHOT": told(SNAPSHOT, reconcile(live, body(SNAPSHOT), now=now)),
        "ONE_UNIT": told(ONE_UNIT, put_unit(live, unit_id, body(ONE_UNIT), now=now)),
        "POSITIONS": told(POSITIONS, move_units(live, body(POSITIONS), now=now)),
        "UNIT": told(None, get_unit(live.store, CARE_1["unit_id"])),
        "LATER_SNAPSHOT": told(LATER_SNAPSHOT, reconcile(live, body(LATER_SNAPSHOT), now=now)),
        "REMOVED": told(None, remove_unit(live, SPD_1["unit_id"], now=now)),
        "ROSTER": told(None, list_units(live.store)),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make_roster_examples(), indent=1) + "\n", encoding="utf-8")
