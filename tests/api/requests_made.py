"""A request that every test of the service starts from, and small changes of it."""

import copy
import json
from typing import Any

AS_OF = "2026-07-21T13:05:02.120-07:00"

REQUEST: dict[str, Any] = {
    "request_id": "cad-a1-0098213",
    "as_of": AS_OF,
    "operator": {"id": "D417", "role": "DISPATCHER"},
    "incident": {
        "incident_id": "2026000214377",
        "version": 3,
        "received_at": "2026-07-21T13:03:20-07:00",
        "queued_at": "2026-07-21T13:04:41-07:00",
        "location": {
            "lon": -122.3372, "lat": 47.6104, "uncertainty_m": 25, "source": "GEOCODE",
        },
        "call_type": "PERSON DOWN",
        "priority": 3,
        "origin": "CALL_911",
        "requested_mode": "BY_POLICY",
        "screening": {
            "completed_at": "2026-07-21T13:04:30-07:00", "weapon": "NO", "violence": "NO",
            "medical": "NO", "enforcement": "NO", "drug_use": "UNKNOWN", "place": "STREET",
        },
        "scene_safe_at": None,
        "assigned": [],
    },
    "exclude_unit_ids": [],
    "competing": [],
    "units": [],
    "options": {"alternatives": 2, "explain": "NEAREST", "route": False, "deadline_ms": 1000},
}  # fmt: skip


def unit(unit_id: str, agency: str, lon: float, lat: float, **changes: Any) -> dict[str, Any]:
    """Return an AVAILABLE unit with a fresh fix."""
    return {
        "unit_id": unit_id,
        "call_sign": unit_id.partition("#")[0],
        "version": 88,
        "agency": agency,
        "crew_count": 2,
        "skills": [],
        "status": "AVAILABLE",
        "status_since": "2026-07-21T12:31:00-07:00",
        "expected_clear_at": None,
        "shift_end": "2026-07-21T23:00:00-07:00",
        "home": {"post": None, "sector": "M", "beat": None},
        "position": {
            "lon": lon, "lat": lat, "fixed_at": "2026-07-21T13:04:56-07:00",
            "heading_deg": None, "speed_mps": 0, "accuracy_m": 8,
        },
        **changes,
    }  # fmt: skip


CARE_2 = unit("CARE2#a", "CARE", -122.3302, 47.6030)
CARE_3 = unit("CARE3#a", "CARE", -122.3290, 47.5990)
SPD_1 = unit("2M1#b", "SPD", -122.3400, 47.6120)
SPD_2 = unit("2K3#b", "SPD", -122.3330, 47.6010)
ROSTER = [CARE_2, CARE_3, SPD_1, SPD_2]


def request(*units: Any, **changes: Any) -> dict[str, Any]:
    """Return the request with these units (four good ones unless given) and changed top fields."""
    made = copy.deepcopy(REQUEST)
    made["units"] = copy.deepcopy(list(units or ROSTER))
    return made | changes


def request_about(**changes: Any) -> dict[str, Any]:
    """Return the request with changed fields of the incident."""
    made = request()
    made["incident"] |= changes
    return made


def many_units(n: int) -> list[dict[str, Any]]:
    """Return n units in rows over downtown, every fifth of them CARE."""
    return [
        unit(
            f"U{i}#x", "CARE" if i % 5 == 0 else "SPD",
            -122.342 + 0.016 * (i % 25) / 25, 47.598 + 0.014 * (i // 25) / max(1, n // 25),
        )
        for i in range(n)
    ]  # fmt: skip


def as_bytes(made: Any) -> bytes:
    """Return a request as it goes over the wire; NaN is written as some CADs do."""
    return json.dumps(made).encode()
