"""What changes of the live roster cost: feeds of positions, single units, snapshots, a new hour.

Measures the operations themselves, from the bytes of a body to the view that all requests read,
without HTTP; and decisions beside a writer that never stops.
"""

import datetime as dt
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from api.hour_situations import HourSituations
from api.live_roster import LiveRoster
from api.live_view import LiveView
from api.position_feed import move_units
from api.roster_operations import put_unit, reconcile
from api.store.memory import MemoryRoster
from api.store.records import unit_of
from benchmarks.stopwatch import Timing, duration, machine, table, time_each
from benchmarks.streets import benchmark_network
from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from geodata.zones import ZoneMap
from routing.live import with_roster, with_travel_times
from routing.model import PILOT, Situation, UnitSource, Versions, place_units, unit_columns
from routing.release import Release
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

BEGIN = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)


def first_view(network: StreetNetwork) -> LiveView:
    """Return a view of the network without zones and units."""
    streets = StreetIndex.build(network)
    times = TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))
    nobody = unit_columns(())
    situation = Situation(
        network=network,
        streets=streets,
        travel_times=times,
        zones=ZoneMap([]),
        policy=PILOT,
        roster=nobody,
        placement=place_units(nobody, network=network, streets=streets, travel_times=times),
        versions=Versions(unit_source=UnitSource.ROSTER),
    )
    release = Release(release_id="benchmark", zones=situation.zones, city_policy=PILOT)
    return LiveView(by_hour=HourSituations(situation), about={}, release=release, on_duty=situation)


class Fleet:
    """Units that drive about near streets, and the bodies that a CAD sends of them."""

    def __init__(self, network: StreetNetwork, n_units: int, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        at = self.rng.integers(0, network.n_junctions, n_units)
        self.lon, self.lat = network.junction_lon[at].copy(), network.junction_lat[at].copy()
        self.n_units = n_units
        self.tick = 0

    def now(self) -> dt.datetime:
        """Return the instant of the tick: ten seconds each."""
        return BEGIN + dt.timedelta(seconds=10 * self.tick)

    def drive(self) -> None:
        """Move every unit some 50 metres and begin the next tick."""
        self.tick += 1
        self.lon += self.rng.normal(0, 0.0005, self.n_units)
        self.lat += self.rng.normal(0, 0.0003, self.n_units)

    def position(self, unit: int) -> dict[str, Any]:
        """Return the position of a unit."""
        return {
            "lon": round(float(self.lon[unit]), 6), "lat": round(float(self.lat[unit]), 6),
            "fixed_at": self.now().isoformat(), "heading_deg": 90.0, "speed_mps": 8.0,
            "accuracy_m": 8.0,
        }  # fmt: skip

    def record(self, unit: int) -> dict[str, Any]:
        """Return the record of a unit with its position."""
        return {
            "unit_id": f"U{unit}", "call_sign": f"{unit}", "version": self.tick,
            "agency": "CARE" if unit % 5 == 0 else "SPD", "crew_count": 2, "skills": ["CIT"],
            "status": "AVAILABLE" if self.tick % 2 else "BUSY",
            "status_since": BEGIN.isoformat(), "shift_end": "2026-07-22T06:00:00Z",
            "home": {"post": None, "sector": "M", "beat": None}, "position": self.position(unit),
        }  # fmt: skip

    def snapshot(self) -> bytes:
        """Return a body of PUT /v1/units."""
        return json.dumps({"units": [self.record(i) for i in range(self.n_units)]}).encode()

    def feed(self, n: int) -> bytes:
        """Return a body of POST /v1/units/positions with the first n units."""
        rows = [{"unit_id": f"U{i}"} | self.position(i) for i in range(n)]
        return json.dumps({"positions": rows}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a change took: by the clock, and of one processor."""

    clock: Timing
    processor: Timing

    @property
    def cells(self) -> tuple[str, str, str]:
        """The figures for a person to read."""
        return (
            duration(self.clock.p50_s),
            duration(self.clock.p99_s),
            duration(self.processor.p50_s),
        )


def timing_of(took_s: list[float]) -> Timing:
    """Return the timing of runs, the first of which is not counted."""
    p50, p99 = np.percentile(took_s[1:], [50, 99])
    return Timing(n=len(took_s) - 1, p50_s=float(p50), p99_s=float(p99))


def timed(fleet: Fleet, body: Callable[[], bytes], run: Callable[[bytes], Any], n: int) -> Cost:
    """Time n runs, each with a body of its own; the fleet drives before each, untimed."""
    clock, processor = [], []
    for _ in range(n + 1):
        fleet.drive()
        sent = body()
        begin, worked = perf_counter(), thread_time()
        run(sent)
        processor.append(thread_time() - worked)
        clock.append(perf_counter() - begin)
    return Cost(clock=timing_of(clock), processor=timing_of(processor))


def report(n_units: int = 1_000, n_runs: int = 60) -> str:
    """Return the table for the README."""
    network = benchmark_network()
    fleet = Fleet(network, n_units)
    live = LiveRoster(MemoryRoster(), first_view(network))
    reconcile(live, fleet.snapshot(), now=fleet.now)

    def record() -> bytes:
        return json.dumps({"unit": fleet.record(7)}).encode()

    def move(body: bytes) -> None:
        applied(live, body, fleet, n_units)

    costs = {
        f"feed of {n_units:,} positions, from bytes to the new view": timed(
            fleet, lambda: fleet.feed(n_units), move, n_runs
        ),
        "the columns, places and labels of all units made anew, for comparison": timed(
            fleet, lambda: b"", lambda _: fresh(live), n_runs
        ),
        "feed of one position": timed(
            fleet, lambda: fleet.feed(1), lambda b: applied(live, b, fleet, 1), n_runs
        ),
        "record of one unit with a position": timed(
            fleet, record, lambda b: put_unit(live, "U7", b, now=fleet.now), n_runs
        ),
        f"snapshot of {n_units:,} units, all changed": timed(
            fleet, fleet.snapshot, lambda b: reconcile(live, b, now=fleet.now), n_runs
        ),
    }
    rows = [(what, *cost.cells) for what, cost in costs.items()]
    alone, beside = readers(network, live, fleet)
    reads = {
        f"labels of {n_units:,} units for another hour's weights": other_hour(
            network, live, n_runs
        ),
        f"{n_units:,} units to one call, no writer": alone,
        "the same beside a writer that never stops": beside,
    }
    rows += [(what, duration(t.p50_s), duration(t.p99_s), "") for what, t in reads.items()]
    title = f"The live roster, {n_units:,} units; {network.source.network_id}; {machine()}"
    return table(title, ("what", "p50", "p99", "p50 of one processor"), rows)


def fresh(live: LiveRoster) -> None:
    """Make the whole roster anew, as a change would without keeping what did not change."""
    kept = live.store.read().units.values()
    with_roster(live.view.on_duty, unit_columns([unit_of(one) for one in kept]))


def applied(live: LiveRoster, body: bytes, fleet: Fleet, n: int) -> None:
    """Move units and require that all rows were believed, so that no run measures refusals."""
    written = move_units(live, body, now=fleet.now)
    assert written.applied + written.unchanged + written.discarded == n
    assert written.discarded < 0.05 * n + 1, written.discarded_by_code


def other_hour(network: StreetNetwork, live: LiveRoster, n: int) -> Timing:
    """Time the labels of the roster for weights that it has not seen."""
    busy = replace(ROUTINE, hour_factor=(1.3,) * 168)
    now = live.view.on_duty
    assert now.travel_times is not None
    other = now.travel_times.reweighed(edge_times(network, busy))
    return time_each(lambda _: with_travel_times(now, other), range(n))


def readers(network: StreetNetwork, live: LiveRoster, fleet: Fleet) -> tuple[Timing, Timing]:
    """Time drive times of the whole roster to one call, without and beside a writer."""
    done = threading.Event()
    bodies = []
    for _ in range(40):
        fleet.drive()
        bodies.append(fleet.feed(fleet.n_units))

    def write() -> None:
        while not done.is_set():
            for body in bodies:
                move_units(live, body, now=fleet.now)

    def read(junction: int) -> None:
        now = live.view.on_duty
        assert now.travel_times is not None
        assert now.placement.labels is not None
        lon, lat = network.junction_lon[junction], network.junction_lat[junction]
        now.travel_times.drive_ms(now.placement.labels, now.streets.snap_incident(lon, lat))

    calls = np.random.default_rng(3).integers(0, network.n_junctions, 2_000).tolist()
    alone = time_each(read, calls)
    writer = threading.Thread(target=write)
    writer.start()
    beside = time_each(read, calls)
    done.set()
    writer.join(60)
    return alone, beside


if __name__ == "__main__":
    print(report())
