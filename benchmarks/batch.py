"""Several pending calls at once on real drive times: time, proof, gap, against one after the other.

Prints Markdown: how long a batch takes and how far its answer is proven, what it gains over serving
one call after the other in canonical order, and how late a pure-Python thread wakes meanwhile.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np
from numpy.typing import NDArray

from benchmarks.stopwatch import duration, machine, table
from benchmarks.streets import benchmark_network
from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from routing.assign import IMPOSSIBLE
from routing.pairing_batch import BatchPairing, pair_batch
from routing.pairing_tables import PendingCall, make_tables, one_after_the_other
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

SIZES = ((1, 20, 100), (10, 20, 100), (20, 20, 20), (50, 20, 100))
"""Pending calls, CARE units, SPD units."""
DEADLINE_S = 1.0
TURNOUT_S = (60, 20)
TICK_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One batch: what came of it, beside one call after the other."""

    pairing: BatchPairing
    took_s: float
    gain_s: float
    """Of the sum of max over one after the other; inf where that serves worse calls."""
    better: int
    """1 better, 0 equal, -1 worse, over all levels of the objective."""


def seeded_calls(
    network: StreetNetwork, times: TravelTimes, size: tuple[int, int, int], seed: int
) -> list[PendingCall]:
    """Return calls and units anywhere in the city, with arrivals by road."""
    n_calls, *n_units = size
    rng = np.random.default_rng([*size, seed])
    index = StreetIndex.build(network)
    west, south, east, north = network.bounds

    def points(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return rng.uniform(west, east, n), rng.uniform(south, north, n)

    incidents = list(index.snap_incidents(*points(n_calls)))
    units = [index.snap_units(*points(n)) for n in n_units]
    labels = [times.unit_labels(u) for u in units]
    rows = [
        [_whole_seconds(times.drive_ms(label, i), turnout_s) for i in incidents]
        for label, turnout_s in zip(labels, TURNOUT_S, strict=True)
    ]
    return [
        PendingCall(
            incident_id=f"I{i:03}",
            priority=int(rng.integers(1, 5)),
            escalated=bool(rng.uniform() < 0.2),
            queued_s=int(rng.integers(0, 1800)),
            care_s=rows[0][i],
            spd_s=rows[1][i],
        )
        for i in range(n_calls)
    ]


def _whole_seconds(drive_ms: NDArray[np.int32], turnout_s: int) -> NDArray[np.int64]:
    """Return arrivals; a place without a way to the call is far beyond a day."""
    arrive_s = turnout_s + (drive_ms.astype(np.int64) + 500) // 1000
    return np.where(arrive_s > 86_400, IMPOSSIBLE, arrive_s)


def tried(calls: list[PendingCall], deadline_s: float = DEADLINE_S) -> Trial:
    """Solve one batch against the clock."""
    begin = time.perf_counter()
    end = begin + deadline_s
    pairing = pair_batch(calls, seconds_left=lambda: end - time.perf_counter())
    took_s = time.perf_counter() - begin
    tables = make_tables(calls)
    greedy = one_after_the_other(tables).worth
    served = [pairing.served[i] for i in tables.rank]
    counts = tuple(-sum(served[call] for call in group) for group in tables.classes)
    worth = counts, pairing.sum_of_max_s, pairing.sum_of_both_s
    return Trial(
        pairing=pairing,
        took_s=took_s,
        gain_s=greedy[1] - worth[1] if greedy[0] == counts else inf,
        better=(worth < greedy) - (worth > greedy),
    )


def report(n_batches: int) -> str:
    """Return the tables."""
    network = benchmark_network()
    graph, hierarchy = build_hierarchy(network)
    times = TravelTimes(network, graph, hierarchy, edge_times(network, ROUTINE))
    batches = {
        size: [seeded_calls(network, times, size, seed) for seed in range(n_batches)]
        for size in SIZES
    }
    tried(batches[SIZES[2]][0])  # loads the solver
    rows = [_row(size, [tried(calls) for calls in own]) for size, own in batches.items()]
    head = (
        "calls x CARE x SPD", "p50", "max", "within deadline + 50 ms", "proven best",
        "order of equals too", "gap where not", "better / equal / worse than in turn", "gain p50",
    )  # fmt: skip
    title = (
        f"{n_batches} batches each, deadline {DEADLINE_S:.0f} s, {network.source.network_id}; "
        f"{machine()}"
    )
    jitter = [_jitter_row(size, batches[size]) for size in SIZES[1:]]
    return "\n".join(
        (
            table(title, head, rows),
            table(
                "How late a Python thread that sleeps 1 ms wakes while batches are solved",
                ("calls x CARE x SPD", "idle p99", "p50", "p99", "max"),
                jitter,
            ),
        )
    )


def _row(size: tuple[int, int, int], trials: list[Trial]) -> tuple[str, ...]:
    took_s = [trial.took_s for trial in trials]
    n = len(trials)
    open_gaps = [
        t.pairing.gap_s / t.pairing.sum_of_max_s for t in trials if not t.pairing.proven_optimal
    ]
    counts = [sum(trial.better == sign for trial in trials) for sign in (1, 0, -1)]
    gains = [t.gain_s / max(1, sum(t.pairing.served)) for t in trials if t.gain_s < inf]
    return (
        " x ".join(map(str, size)),
        duration(float(np.median(took_s))),
        duration(max(took_s)),
        f"{sum(s <= DEADLINE_S + 0.05 for s in took_s)} of {n}",
        f"{sum(trial.pairing.proven_optimal for trial in trials)} of {n}",
        f"{sum(trial.pairing.canonical for trial in trials)} of {n}",
        f"at most {max(open_gaps):.2%}" if open_gaps else "-",
        " / ".join(map(str, counts)),
        f"{np.median(gains):.0f} s a call" if gains else "-",
    )


def _jitter_row(size: tuple[int, int, int], batches: list[list[PendingCall]]) -> tuple[str, ...]:
    idle_s = _lateness(partial(time.sleep, 0.3))
    late_s = _lateness(lambda: [tried(calls) for calls in batches[:5]])
    p50, p99 = np.percentile(late_s, [50, 99])
    return (
        " x ".join(map(str, size)),
        duration(float(np.percentile(idle_s, 99))),
        duration(float(p50)),
        duration(float(p99)),
        duration(max(late_s)),
    )


def _lateness(work: Callable[[], object]) -> list[float]:
    """Return how many seconds late each tick came while the work was done in another thread."""
    with _ticking() as late_s:
        work()
    return late_s


@contextmanager
def _ticking() -> Iterator[list[float]]:
    late_s: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            begin = time.perf_counter()
            time.sleep(TICK_S)
            late_s.append(time.perf_counter() - begin - TICK_S)

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        yield late_s
    finally:
        done.set()
        ticker.join()


def main() -> None:
    """Print the tables; fail where a batch is worse than one call after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--batches", type=int, default=40, help="batches for each size")
    print(report(parser.parse_args(sys.argv[1:]).batches))


if __name__ == "__main__":
    main()
