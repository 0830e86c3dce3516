"""A whole recommendation: from lon and lat to the finished answer, and where the time goes.

A roster of 500 units with fixes, statuses, crews and shifts as on a working day; calls on streets
of the pilot zone, each decided with the default explanation. No HTTP: `benchmarks.http` has that.
"""

import gc
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from msgspec import json

from benchmarks.stopwatch import Timing, duration, machine, table, time_each
from benchmarks.streets import benchmark_network
from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetNetwork
from geodata.pilot.area import pilot_zone_features
from geodata.snap import StreetIndex
from geodata.zones import ZoneMap
from routing.live import with_roster
from routing.model import (
    PILOT,
    Agency,
    Answer,
    Fix,
    Incident,
    IncidentId,
    Location,
    Screening,
    Situation,
    Status,
    Unit,
    UnitId,
    place_units,
    unit_columns,
)
from routing.recommend import recommend
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

NOW = datetime(2026, 7, 21, 20, 5, 2, tzinfo=UTC)
UNITS = 500
CALLS = 2_000
STATUSES = (Status.AVAILABLE, Status.AVAILABLE, Status.ON_SCENE, Status.ENROUTE, Status.BUSY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was timed."""

    whole: Timing
    written: Timing
    stages: dict[str, float]
    """Median seconds by stage."""


def city_with_units(network: StreetNetwork, n_units: int, seed: int = 1) -> Situation:
    """Return a city whose roster has `n_units`, a fifth of them CARE, all over the network."""
    graph, hierarchy = build_hierarchy(network)
    times = TravelTimes(network, graph, hierarchy, edge_times(network, ROUTINE))
    streets, empty = StreetIndex.build(network), unit_columns(())
    situation = Situation(
        network=network,
        streets=streets,
        travel_times=times,
        zones=ZoneMap.from_geojson(pilot_zone_features()),
        policy=PILOT,
        roster=empty,
        placement=place_units(empty, network=network, streets=streets, travel_times=times),
    )
    return with_roster(situation, unit_columns(units_at(network, n_units, seed)))


def units_at(network: StreetNetwork, n_units: int, seed: int) -> list[Unit]:
    """Return seeded units with fixes near junctions of the network."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, network.n_junctions, n_units)
    lon = network.junction_lon[at] + rng.normal(0, 2e-4, n_units)
    lat = network.junction_lat[at] + rng.normal(0, 1e-4, n_units)
    return [
        Unit(
            unit_id=UnitId(f"{'C' if i % 5 == 0 else 'S'}{i:03d}#20260721A"),
            agency=Agency.CARE if i % 5 == 0 else Agency.SPD,
            call_sign=f"{'C' if i % 5 == 0 else 'S'}{i:03d}",
            version=i,
            crew_count=int(rng.integers(1, 4)),
            status=STATUSES[int(rng.integers(len(STATUSES)))],
            status_since=NOW - timedelta(seconds=int(rng.integers(30, 7200))),
            shift_end=NOW + timedelta(seconds=int(rng.integers(600, 30_000))),
            home_sector="KMDQ"[i % 4],
            position=Fix(
                lon=float(lon[i]),
                lat=float(lat[i]),
                fixed_at=NOW - timedelta(seconds=int(rng.integers(0, 90))),
                heading_deg=float(rng.uniform(0, 360)),
                speed_mps=float(rng.choice([0.0, 9.0])),
                accuracy_m=8.0,
            ),
        )
        for i in range(n_units)
    ]


def calls_in_zone(situation: Situation, n_calls: int, seed: int = 2) -> list[Incident]:
    """Return seeded eligible calls beside streets of the zone."""
    network = situation.network
    rng = np.random.default_rng(seed)
    screening = Screening(
        completed_at=NOW, weapon=Answer.NO, violence=Answer.NO, medical=Answer.NO,
        enforcement=Answer.NO,
    )  # fmt: skip
    found: list[Incident] = []
    while len(found) < n_calls:
        point = int(rng.integers(0, len(network.point_lon)))
        lon = float(network.point_lon[point] + rng.normal(0, 1e-4))
        lat = float(network.point_lat[point] + rng.normal(0, 7e-5))
        if situation.zones.zones_at(lon, lat):
            found.append(
                Incident(
                    incident_id=IncidentId(f"2026{len(found):09d}"),
                    received_at=NOW - timedelta(seconds=80),
                    queued_at=NOW - timedelta(seconds=20),
                    location=Location(lon=lon, lat=lat, uncertainty_m=25.0),
                    call_type="PERSON DOWN",
                    priority=3,
                    screening=screening,
                )
            )
    return found


def measure(situation: Situation, calls: list[Incident]) -> Measured:
    """Time each call once, then the writing of the answers, then the stages."""
    gc.collect()
    gc.freeze()
    for call in calls[:200]:
        recommend(situation, call, NOW)
    whole = time_each(lambda call: recommend(situation, call, NOW), calls)
    answers = [recommend(situation, call, NOW) for call in calls[:500]]
    encode = json.Encoder().encode
    written = time_each(encode, answers)
    took: dict[str, list[float]] = defaultdict(list)
    for call in calls[:1000]:
        begun: list[tuple[str, float]] = []
        recommend(
            situation, call, NOW,
            stage=lambda name, begun=begun: begun.append((name, time.perf_counter())),  # type: ignore[misc]
        )  # fmt: skip
        begun.append(("", time.perf_counter()))
        for (name, at), (_, until) in pairwise(begun):
            took[name].append(until - at)
    stages = {name: float(np.median(times)) for name, times in took.items()}
    return Measured(whole=whole, written=written, stages=stages)


def main() -> None:
    """Print Markdown tables."""
    network = benchmark_network()
    situation = city_with_units(network, UNITS)
    measured = measure(situation, calls_in_zone(situation, CALLS))
    whole = measured.whole
    print(f"{machine()}; {network.n_junctions:,} junctions, {UNITS} units, n = {whole.n:,} calls")
    rows = [
        ("recommend(), default explanation, p50 / p99", f"{whole.us} / {duration(whole.p99_s)}")
    ]
    rows += [(f"of which {name.lower()}", duration(s)) for name, s in measured.stages.items()]
    rows.append(("the answer written as JSON", measured.written.us))
    print(table(f"A recommendation against a roster of {UNITS} units", ("what", "measured"), rows))


if __name__ == "__main__":
    main()
