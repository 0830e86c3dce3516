"""The simulation's engine beside exact models: how often its intervals hold the exact value.

    python -m benchmarks.beside_theory       # 100 seeds on two processes
    python -m benchmarks.beside_theory 10

Calls at random at the one place where all units stand, so that nobody drives: M/M/c waits, Erlang
loss and the two-type loss chain, 100 fixed seeds each. Each run has its first tenth of the calls
removed as warm-up and a 95 % interval by batch means (20 batches, Student's t). The twin has
service times 5 % longer than theory is told.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.stopwatch import table
from benchmarks.studies.analytic.erlang import Queue, erlang_b
from benchmarks.studies.analytic.two_types import Losses, TwoTypes, losses_of
from benchmarks.studies.engine import Engine, Here, Processes
from benchmarks.studies.simulation.intervals import interval_of
from benchmarks.studies.simulation.plain import PlainCalls, PlainFleet, run_plain
from geodata.driving_time import ROUTINE, edge_times
from geodata.pilot.streets import pilot_network
from geodata.snap import Positions, StreetIndex
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

Reals = NDArray[np.float64]
Measured = dict[str, Reals]
SEEDS, CALLS, BATCHES = 100, 40_000, 20
INSIDE, MEAN_OFF = (88, 99), 0.01
"""What must hold: intervals of 100 that have the exact value; the mean of all seeds beside it."""
QUEUE = Queue(calls_per_s=3.5 / 1000, service_s=1000.0, servers=5)
SYSTEM = TwoTypes(
    care_units=3, spd_units=6, pairs_per_s=1.5e-3, jobs_per_s=3e-3, care_s=1400.0, spd_s=600.0,
    job_s=900.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Streets, and the one place of them where everything is."""

    times: TravelTimes
    index: StreetIndex
    lon: float
    lat: float

    def here(self, count: int) -> Positions:
        """Return the place, that often."""
        lon, lat = np.full(count, self.lon), np.full(count, self.lat)
        return self.index.snap_incidents(lon, lat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One figure of theory over all seeds."""

    name: str
    exact: float
    mean: float
    inside: int
    """Seeds whose interval holds the exact value."""
    seeds: int

    @property
    def holds(self) -> bool:
        """Whether the simulation is right, as far as these seeds say."""
        low, high = (share * self.seeds / 100 for share in INSIDE)
        return low <= self.inside <= high and abs(self.mean / self.exact - 1) <= MEAN_OFF


@cache
def pilot_scene() -> Scene:
    """Return the first junction of the pilot's schematic, made once in each process."""
    network = pilot_network()
    times = TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))
    lon, lat = float(network.junction_lon[0]), float(network.junction_lat[0])
    return Scene(times=times, index=StreetIndex.build(network), lon=lon, lat=lat)


def _one_type(scene: Scene, seed: int, longer: float, *, queues: bool) -> tuple[Reals, Reals]:
    """Return the wait of each call, NaN where it was lost, and whether it was lost."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, int(queues)])))
    at_s = np.cumsum(rng.exponential(1 / QUEUE.calls_per_s, CALLS))
    stay_s = longer * rng.exponential(QUEUE.service_s, CALLS)
    calls = PlainCalls(at_s=at_s, stay_s=stay_s, positions=scene.here(CALLS))
    fleet = PlainFleet(care=scene.here(0), spd=scene.here(QUEUE.servers))
    outcome = run_plain(scene.times, calls, fleet, queues=queues)
    return outcome.dispatched_s - at_s, outcome.lost.astype(np.float64)


def waits(scene: Scene, seed: int, longer: float) -> Measured:
    """Return the seconds that calls wait in M/M/c, and whether they wait."""
    wait_s = _one_type(scene, seed, longer, queues=True)[0]
    return {"M/M/c mean wait s": wait_s, "M/M/c share waiting": (wait_s > 0).astype(np.float64)}


def blocked(scene: Scene, seed: int, longer: float) -> Measured:
    """Return whether calls are lost in M/M/c/c."""
    return {"Erlang share lost": _one_type(scene, seed, longer, queues=False)[1]}


def pairs(scene: Scene, seed: int, longer: float) -> Measured:
    """Return whether calls of the pair and police jobs are lost."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 2])))
    rate = SYSTEM.pairs_per_s + SYSTEM.jobs_per_s
    at_s = np.cumsum(rng.exponential(1 / rate, CALLS))
    pair = rng.random(CALLS) < SYSTEM.pairs_per_s / rate
    draw = longer * rng.exponential(1.0, (2, CALLS))
    calls = PlainCalls(
        at_s=at_s,
        stay_s=draw[0] * np.where(pair, SYSTEM.spd_s, SYSTEM.job_s),
        care_stay_s=np.where(pair, draw[1] * SYSTEM.care_s, np.nan),
        positions=scene.here(CALLS),
    )
    fleet = PlainFleet(care=scene.here(SYSTEM.care_units), spd=scene.here(SYSTEM.spd_units))
    lost = run_plain(scene.times, calls, fleet, queues=False).lost.astype(np.float64)
    return {"two-type pairs lost": lost[pair], "two-type jobs lost": lost[~pair]}


def exact_values() -> dict[str, float]:
    """Return what theory says."""
    losses: Losses = losses_of(SYSTEM)
    return {
        "M/M/c mean wait s": QUEUE.mean_wait_s,
        "M/M/c share waiting": QUEUE.waiting_share,
        "Erlang share lost": erlang_b(QUEUE.load, QUEUE.servers),
        "two-type pairs lost": losses.pairs_lost,
        "two-type jobs lost": losses.jobs_lost,
    }


def interval(values: Reals) -> tuple[float, float]:
    """Return the mean after the warm-up and half the width of its 95 % interval."""
    kept = values[len(values) // 10 :]
    means = np.array([batch.mean() for batch in np.array_split(kept, BATCHES)])
    found = interval_of(means.tolist(), 0.95)
    return found.mean, found.high - found.mean


MODELS: tuple[Callable[[Scene, int, float], Measured], ...] = (waits, blocked, pairs)


def seed_intervals(part: tuple[int, float]) -> dict[str, tuple[float, float]]:
    """Return mean and half width of every figure for a seed and how much longer service is."""
    scene, (seed, longer) = pilot_scene(), part
    return {
        name: interval(values)
        for model in MODELS
        for name, values in model(scene, seed, longer).items()
    }


def beside(engine: Engine, seeds: int = SEEDS, longer: float = 1.0) -> list[Held]:
    """Return every figure of theory beside the engine's."""
    parts = [(seed, longer) for seed in range(1, seeds + 1)]
    by_seed = [found for _, found in sorted(engine.run(seed_intervals, parts), key=lambda x: x[0])]
    held = []
    for name, exact in exact_values().items():
        mean, half = np.array([found[name] for found in by_seed]).T
        inside = int((np.abs(mean - exact) <= half).sum())
        held.append(
            Held(name=name, exact=exact, mean=float(mean.mean()), inside=inside, seeds=seeds)
        )
    return held


def _rows(held: list[Held], twin: list[Held]) -> list[tuple[str, ...]]:
    return [
        (
            one.name, f"{one.exact:.5g}", f"{one.mean:.5g}",
            f"{100 * (one.mean / one.exact - 1):+.2f} %", f"{one.inside} of {one.seeds}",
            "holds" if one.holds else "FAILS",
            f"{other.inside}, {'holds' if other.holds else 'fails'}",
        )
        for one, other in zip(held, twin, strict=True)
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    workers = min(2, os.cpu_count() or 1)
    engine: Engine = Processes(workers) if workers > 1 else Here()
    heads = ("figure", "exact", "mean", "off", "inside 95 %", "verdict", "twin + 5 %")
    rows = _rows(beside(engine, seeds), beside(engine, seeds, longer=1.05))
    print(table("The engine beside theory", heads, rows))


if __name__ == "__main__":
    main()
