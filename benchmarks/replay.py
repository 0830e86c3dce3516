"""What it costs to keep what a recommendation saw, and to decide it again, in processor time.

500 units whose places have 5 to 7 decimals, or all the digits of a double, and the worst case:
every number of a fix with all its digits.
"""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from time import thread_time
from typing import TypeVar

import numpy as np

from api.live_view import LiveView, load_view
from api.operations import Answered, recommend_units
from api.replay.block import UnitBlocks, block_of, units_of
from api.replay.library import Library, Streets
from api.replay.record import SeenRecord, Witness, decode, encode, seen_record
from api.replay.reproduce import reproduce
from api.replay.sources import MemoryShelf, Sources, sources_of
from api.settings import Settings
from benchmarks.stopwatch import duration, machine, table
from routing.live import with_roster
from routing.model import Agency, Fix, Status, Unit, UnitColumns, UnitId, unit_columns

NOW = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)
UNITS = 500
RUNS = 100
SECTORS = "KMDQCEGORSBJNLUWF"
STATUSES = (Status.AVAILABLE,) * 5 + (Status.ENROUTE, Status.ON_SCENE, Status.BUSY)
ALL = 17
"""Digits of a double behind the point: none is cut off."""
Argument = TypeVar("Argument")


def city(digits: int, *, all_numbers: bool = False) -> UnitColumns:
    """Return units on duty in the pilot's area whose fixes have so many digits."""
    rng = np.random.default_rng(1)
    return unit_columns(_unit(rng, i, digits, all_numbers=all_numbers) for i in range(UNITS))


def _unit(rng: np.random.Generator, number: int, digits: int, *, all_numbers: bool) -> Unit:
    is_care, sector = number % 8 == 0, SECTORS[int(rng.integers(len(SECTORS)))]
    name = f"CARE-{number}" if is_care else f"{1 + number % 3}{sector}{number}"
    since = NOW - dt.timedelta(seconds=int(rng.integers(10, 20_000)))
    heading, speed, accuracy = rng.random(3) * (360, 15, 20)
    fixed_at = NOW - dt.timedelta(milliseconds=int(rng.integers(60_000)))
    if not all_numbers:
        heading, speed, accuracy = np.rint(heading), np.round(speed, 1), np.rint(accuracy)
    return Unit(
        unit_id=UnitId(f"{name}#20260721"),
        agency=Agency.CARE if is_care else Agency.SPD,
        call_sign=name,
        version=int(rng.integers(1, 900)),
        crew_count=2 if is_care else int(rng.integers(1, 3)),
        skills=frozenset(["CIT"] if rng.random() < 0.4 else []),
        status=STATUSES[int(rng.integers(len(STATUSES)))],
        status_since=since,
        shift_end=NOW + dt.timedelta(hours=3 + number % 3),
        home_sector=sector,
        home_beat=f"{sector}{int(rng.integers(1, 4))}",
        position=Fix(
            lon=round(float(rng.uniform(-122.348, -122.326)), digits),
            lat=round(float(rng.uniform(47.594, 47.619)), digits),
            fixed_at=fixed_at,
            heading_deg=float(heading),
            speed_mps=float(speed),
            accuracy_m=float(accuracy),
        ),
    )


def sizes() -> list[tuple[str, str, str, str]]:
    """Return the bytes of a block and what it takes to make and to read, by kind of roster."""
    rosters = {f"places with {digits} decimals": city(digits) for digits in (5, 6, 7)}
    rosters["places with all digits"] = city(ALL)
    rosters["every number of a fix with all digits"] = city(ALL, all_numbers=True)
    return [
        (
            name,
            f"{len(block_of(units)):,} bytes",
            cost(block_of, units),
            cost(units_of, block_of(units)),
        )
        for name, units in rosters.items()
    ]


def seen_by(view: LiveView, sources: Sources) -> tuple[Answered, bytes, SeenRecord]:
    """Return one answer from the roster, its request and its record."""
    call = {
        "incident_id": "2026000214377", "version": 1, "call_type": "PERSON DOWN",
        "location": {"lon": -122.3372, "lat": 47.6104}, "priority": 3,
        "received_at": "2026-07-21T13:03:20-07:00",
        "screening": {
            "completed_at": "2026-07-21T13:04:30-07:00", "weapon": "NO", "violence": "NO",
            "medical": "NO", "place": "STREET",
        },
    }  # fmt: skip
    body = json.dumps({"incident": call}).encode()
    answered = recommend_units(view, body, now=lambda: NOW)
    return answered, body, seen_record(answered, body, sources, UnitBlocks())


def records() -> list[tuple[str, str]]:
    """Return what one record takes, and how long it takes to keep and to decide again."""
    view = load_view(Settings(), lambda _stage: None)
    view = replace(view, on_duty=with_roster(view.on_duty, city(6)), roster_version=1)
    sources = sources_of(Settings(), view.situation.network)
    answered, body, record = seen_by(view, sources)
    library = Library(MemoryShelf(sources), Streets.of(view.situation))
    witness = Witness(sources)
    assert reproduce(record, library).identical
    return [
        ("what it saw, of 500 units", f"{len(witness.seen(answered, body).seen):,} bytes"),
        ("its answer", f"{len(record.answer):,} bytes"),
        ("made, the roster's block known", cost(lambda one: witness.seen(*one), (answered, body))),
        (
            "read and decided again, the roster placed before",
            cost(lambda one: reproduce(decode(one), library), encode(record)),
        ),
    ]


def cost(run: Callable[[Argument], object], argument: Argument) -> str:
    """Return the median of the processor's time that a call takes, after some not counted."""
    took = []
    for _ in range(RUNS):
        began_s = thread_time()
        run(argument)
        took.append(thread_time() - began_s)
    return duration(float(np.median(took[RUNS // 10 :])))


def report() -> str:
    """Return two Markdown tables."""
    blocks = table("The block of a roster", ("500 units", "block", "made in", "read in"), sizes())
    whole = table("A recommendation", ("what", "measured"), records())
    return "\n".join((machine(), blocks, whole))


if __name__ == "__main__":
    print(report())
