"""Seeded requests as a CAD may send them: all modes, units of the roster and of the request."""

import datetime as dt
import random
from typing import Any

TYPES = ("PERSON DOWN", "WELFARE CHECK", "WELLNESS / WELFARE CHECK", "down person") * 3 + (
    "BURGLARY",
)
MODES = ("BY_POLICY",) * 5 + ("DUAL", "SOLO", "CARE_ONLY_ADD", "SPD_ADD")
STATUSES = ("AVAILABLE",) * 5 + ("ENROUTE", "ON_SCENE", "BUSY", "OUT_OF_SERVICE", "MEAL")
SKILLS = ("TRANSPORT", "CIT", "SPANISH")
SECTORS = "DKMQ"

Box = tuple[float, float, float, float]
"""West, south, east, north."""


def text_of(instant: dt.datetime) -> str:
    return instant.astimezone(dt.timezone(dt.timedelta(hours=-7))).isoformat()


def place_in(rng: random.Random, box: Box) -> tuple[float, float]:
    """Return a point with the digits that devices send: five to seven, now and then all."""
    west, south, east, north = box
    digits = rng.choice((5, 6, 6, 7, 17))
    return round(rng.uniform(west, east), digits), round(rng.uniform(south, north), digits)


def unit_in(rng: random.Random, box: Box, name: str, at: dt.datetime) -> dict[str, Any]:
    """Return one unit, mostly with a fresh fix, sometimes with an old, a future or none."""
    agency = "CARE" if name.startswith("CARE") else "SPD"
    since = at - dt.timedelta(seconds=rng.randrange(5, 20_000))
    lon, lat = place_in(rng, box)
    age_s = rng.choice((rng.uniform(0, 50), rng.uniform(0, 50), rng.uniform(60, 4_000), -90.0))
    position = {
        "lon": lon, "lat": lat, "fixed_at": text_of(at - dt.timedelta(seconds=age_s)),
        "heading_deg": rng.choice((None, rng.randrange(360), rng.uniform(0, 359))),
        "speed_mps": rng.choice((None, 0, round(rng.uniform(0, 15), 1))),
        "accuracy_m": rng.choice((None, rng.randrange(3, 40))),
    }  # fmt: skip
    sector = rng.choice(SECTORS)
    return {
        "unit_id": name,
        "call_sign": rng.choice((None, name.partition("#")[0], f"Sign {name[:3]}")),
        "version": rng.randrange(1, 900),
        "agency": agency,
        "crew_count": rng.choice((1, 2, 2, 2, None)),
        "skills": rng.sample(SKILLS, rng.randrange(3)),
        "status": rng.choice(STATUSES),
        "status_since": text_of(since),
        "expected_clear_at": rng.choice((None, text_of(at + dt.timedelta(seconds=900)))),
        "shift_end": text_of(at + dt.timedelta(seconds=rng.choice((900, 9_000, 30_000)))),
        "home": {
            "post": rng.choice((None, "CARE_HQ")), "sector": sector, "beat": f"{sector}1",
        },
        "position": None if rng.random() < 0.06 else position,
    }  # fmt: skip


def names(n_care: int, n_spd: int) -> list[str]:
    care = [f"CARE-{i}#a" for i in range(n_care)]
    return care + [f"{1 + i % 3}{SECTORS[i % 4]}{i}#b" for i in range(n_spd)]


def id_of(number: int) -> str:
    return f"2026{number:09}"


def incident_in(rng: random.Random, box: Box, number: int, at: dt.datetime) -> dict[str, Any]:
    """Return one call, mostly eligible; one in six with units on it already."""
    west, south, east, north = box
    wide, high = 0.1 * (east - west), 0.1 * (north - south)
    lon, lat = place_in(rng, (west - wide, south - high, east + wide, north + high))
    asked_s = rng.choice((40, 40, 300, 2_000))
    yes = "YES" if rng.random() < 0.12 else "NO"
    screening = {
        "completed_at": None if rng.random() < 0.05 else text_of(at - dt.timedelta(seconds=30)),
        "weapon": yes if rng.random() < 0.4 else "NO", "violence": "NO",
        "medical": yes if rng.random() < 0.4 else "NO",
        "enforcement": "NO", "drug_use": rng.choice(("NO", "YES")),
        "place": rng.choice(("STREET", "RESIDENCE", "UNKNOWN")),
    }  # fmt: skip
    assigned = rng.sample((_on_it("2M1#b", "SPD", "ON_SCENE"), _on_it("CARE-1#a", "CARE")), 1)
    return {
        "incident_id": id_of(number),
        "version": 1,
        "received_at": text_of(at - dt.timedelta(seconds=asked_s + 50)),
        "queued_at": text_of(at - dt.timedelta(seconds=asked_s)),
        "location": {"lon": lon, "lat": lat, "uncertainty_m": rng.choice((0, 25, 120))},
        "call_type": rng.choice(TYPES),
        "priority": rng.choice((1, 2, 3, 3, None)),
        "origin": rng.choice(("CALL_911", "CALL_911", "OFFICER")),
        "requested_mode": rng.choice(MODES),
        "screening": screening,
        "scene_safe_at": rng.choice((None, None, text_of(at - dt.timedelta(seconds=5)))),
        "assigned": assigned if rng.random() < 0.16 else [],
        "overrides": [],
    }


def _on_it(unit_id: str, agency: str, status: str = "ENROUTE") -> dict[str, Any]:
    return {"unit_id": unit_id, "agency": agency, "status": status, "on_scene_at": None}


def beside(rng: random.Random, at: dt.datetime) -> dict[str, Any]:
    """Return what a request has beside its calls and units."""
    need = {
        "incident_id": "other", "agency": "SPD", "sector": rng.choice(SECTORS), "priority": 1,
        "units_needed": 1, "queued_at": text_of(at - dt.timedelta(seconds=600)),
    }  # fmt: skip
    return {
        "request_id": f"cad-{rng.randrange(10**6)}",
        "operator": {"id": "D417", "role": "DISPATCHER"},
        "exclude_unit_ids": ["CARE-0#a"] if rng.random() < 0.1 else [],
        "competing": [need] if rng.random() < 0.15 else [],
        "options": {
            "alternatives": rng.choice((0, 2, 2, 10)),
            "explain": rng.choice(("NEAREST", "NEAREST", "ALL", "NONE")),
            "route": rng.random() < 0.15, "deadline_ms": 1000,
        },
    }  # fmt: skip
