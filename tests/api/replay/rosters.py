"""Seeded rosters as they may be, from well-behaved devices to numbers with all their digits."""

import datetime as dt
import random
from dataclasses import fields
from typing import Any

import numpy as np

from routing.model import Agency, Fix, Status, Unit, UnitColumns, UnitId, unit_columns

NOW = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)
SECTORS = "KMDQCEGORSBJNLUWF"
COLUMNS = tuple(field.name for field in fields(UnitColumns) if field.init)


def unit(rng: random.Random, number: int, digits: int) -> Unit:
    """Return a unit on duty in the city whose fix has so many digits of a degree."""
    is_care = number % 8 == 0
    sector = rng.choice(SECTORS)
    status = rng.choice((Status.AVAILABLE,) * 5 + (Status.ENROUTE, Status.ON_SCENE, Status.BUSY))
    since = NOW - dt.timedelta(seconds=rng.randrange(10, 20_000))
    position = Fix(
        lon=round(rng.uniform(-122.43, -122.23), digits),
        lat=round(rng.uniform(47.49, 47.73), digits),
        fixed_at=NOW - dt.timedelta(milliseconds=rng.randrange(60_000)),
        heading_deg=float(rng.randrange(360)),
        speed_mps=round(rng.uniform(0, 15), 1),
        accuracy_m=float(rng.randrange(3, 23)),
    )
    name = f"CARE-{number}" if is_care else f"{1 + number % 3}{sector}{number}"
    is_busy = status is not Status.AVAILABLE and rng.random() < 0.5
    return Unit(
        unit_id=UnitId(f"{name}#20260721{'A' if is_care else 'B'}"),
        agency=Agency.CARE if is_care else Agency.SPD,
        call_sign=name if is_care else None,
        version=rng.randrange(1, 900),
        crew_count=2 if is_care else rng.choice((1, 2)),
        skills=frozenset(["CIT"] if rng.random() < 0.4 else []),
        status=status,
        status_since=since,
        expected_clear_at=since + dt.timedelta(seconds=rng.randrange(6_000)) if is_busy else None,
        shift_end=NOW.replace(hour=(3, 11, 20)[number % 3], minute=0, second=0, microsecond=0),
        home_sector=sector,
        home_beat=f"{sector}{rng.randrange(1, 4)}",
        position=position,
        claimed=rng.random() < 0.03,
    )


def city(n: int = 500, digits: int = 6, seed: int = 1) -> UnitColumns:
    rng = random.Random(seed)
    return unit_columns(unit(rng, number, digits) for number in range(n))


def bits(units: UnitColumns) -> dict[str, Any]:
    """Return every column as something that is equal only bit by bit."""
    found = {name: getattr(units, name) for name in COLUMNS}
    return {
        name: (one.dtype.str, one.tobytes()) if isinstance(one, np.ndarray) else one
        for name, one in found.items()
    }
