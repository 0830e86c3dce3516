"""Days made of random calls: in a store as the CAD's reports leave them, and as flat rows."""

import datetime as dt
import json
import random
from typing import Any
from zoneinfo import ZoneInfo

from api.store.tables import assignments, claims, incidents, overrides, to_us
from api.store.writer import Transaction

ZONE = ZoneInfo("America/Los_Angeles")
DAY = dt.date(2026, 7, 21)
STATES = ("FULFILLED", "RELEASED", "EXPIRED", "DISPLACED", "LIVE", None)
REASONS = ("CLOSER_UNIT_KNOWN", "SAFETY", "OTHER")
Rows = list[dict[str, Any]]


def made(seed: int, calls: int = 40) -> tuple[Rows, Rows]:
    """Return units on calls, one row each, and overrides; some of the days around."""
    rng = random.Random(seed)
    start = dt.datetime.combine(DAY, dt.time(), ZONE)
    units: Rows = []
    for number in range(calls):
        assigned = start + dt.timedelta(seconds=rng.randint(-6 * 3600, 30 * 3600))
        queued = (
            assigned - dt.timedelta(seconds=rng.randint(0, 900)) if rng.random() < 0.9 else None
        )
        for agency in rng.choice([("CARE", "SPD"), ("CARE",), ("SPD",), ("CARE", "SPD", "SPD")]):
            at = assigned + dt.timedelta(seconds=rng.randint(0, 7200) if rng.random() < 0.2 else 0)
            units.append(
                {"call": f"c{number}", "queued": queued, "agency": agency, "assigned": at,
                 "unit": f"{agency}{len(units)}", **stamps(rng, at, agency)}
            )  # fmt: skip
    return units, [
        {"reason": rng.choice(REASONS), "state": rng.choice(STATES),
         "at": start + dt.timedelta(seconds=rng.randint(-6 * 3600, 30 * 3600))}
        for _ in range(rng.randint(0, 20))
    ]  # fmt: skip


def stamps(rng: random.Random, at: dt.datetime, agency: str) -> dict[str, dt.datetime | None]:
    """Return the instants that were reported of a unit; some never were."""
    arrived = at + dt.timedelta(seconds=rng.randint(60, 1800), microseconds=rng.randrange(10**6))
    gone = arrived + dt.timedelta(seconds=rng.randint(60, 5400))
    on_scene = arrived if rng.random() < 0.9 else None
    cleared = gone if rng.random() < 0.85 else None
    released = gone - dt.timedelta(seconds=30) if agency == "SPD" and rng.random() < 0.6 else None
    return {"on_scene": on_scene, "cleared": cleared, "spd_released": released}


def keep(tx: Transaction, units: Rows, changed: Rows) -> None:
    """Write a day into a store."""
    queued = {row["call"]: row["queued"] for row in units}
    for call, at in queued.items():
        told = {} if at is None else {"queued_at": at.isoformat()}
        tx.connection.execute(incidents.insert(), {
            "incident_id": call, "version": 1, "outcome": "DISPATCH", "touched_at": 0,
            "is_pending": False, "body": "{}", "request": json.dumps({"incident": told}).encode(),
        })  # fmt: skip
    for row in units:
        said = {k: row[k].isoformat() for k in ("on_scene", "cleared", "spd_released") if row[k]}
        tx.connection.execute(assignments.insert(), {
            "incident_id": row["call"], "unit_id": row["unit"], "agency": row["agency"],
            "is_open": False, "assigned_at": to_us(row["assigned"]), "cleared_at": None,
            "body": json.dumps({"stamps": said}),
        })  # fmt: skip
    for number, row in enumerate(changed):
        keep_override(tx, str(number), row)


def keep_override(tx: Transaction, name: str, row: dict[str, Any]) -> None:
    """Write an override, with the claim that it made."""
    if row["state"] is not None:
        tx.connection.execute(claims.insert(), {
            "claim_id": name, "incident_id": "c0", "state": row["state"], "made_at": 0,
            "expires_at": 0, "body": "{}",
        })  # fmt: skip
    tx.connection.execute(overrides.insert(), {
        "override_id": name, "incident_id": "c0", "action": "A", "reason": row["reason"],
        "claim_id": name if row["state"] else None, "at": to_us(row["at"]), "body": "{}",
    })  # fmt: skip
