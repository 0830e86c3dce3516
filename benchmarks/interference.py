"""Whether recommendations stay quick while something else runs: p99 beside the quiet p99.

Beside it run, each in turn: batches of 50 pending calls, decided in a thread of the same process
and solved in the solver's, as the service does it; new weight sets made in a thread; and the import
of a street network in another process at low priority. Quiet and busy rounds alternate within one
run.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

from api.solver_process import SolverProcess
from benchmarks.decision import NOW, UNITS, calls_in_zone, city_with_units
from benchmarks.stopwatch import duration, machine, table
from benchmarks.streets import EXTRACT, benchmark_network, data_folder
from geodata.driving_time import ROUTINE, edge_times
from routing.model import Incident, Options, Situation
from routing.recommend import recommend
from routing.recommend_batch import recommend_batch

ROUNDS = 6
CALLS = 1_500
PENDING = 50
SWITCH_INTERVAL_S = 0.0002
"""As the service sets it: how long a thread may keep the interpreter when another wants it."""
PAUSE_S = 0.0005
"""Between two calls, as they do not arrive back to back."""

Beside = Callable[[], AbstractContextManager[None]]
Busy = Callable[[], object]


@contextmanager
def in_thread(work: Busy) -> Iterator[None]:
    """Repeat some work in another thread until the block ends."""
    stop = threading.Event()

    def repeat() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def in_process(command: list[str]) -> Iterator[None]:
    """Run a command at low priority until the block ends."""
    process = subprocess.Popen(  # noqa: S603  our own command
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.nice(19),  # noqa: PLW1509  nothing else runs threads here yet
    )
    try:
        sleep(1.0)
        yield
    finally:
        process.kill()
        process.wait()


def seconds_each(situation: Situation, calls: list[Incident]) -> list[float]:
    """Return the seconds of each recommendation, calls arriving with a pause between them."""
    took = []
    for call in calls:
        begin = perf_counter()
        recommend(situation, call, NOW)
        took.append(perf_counter() - begin)
        sleep(PAUSE_S)
    return took


def main() -> None:
    """Print a Markdown table."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    network = benchmark_network()
    situation = city_with_units(network, UNITS)
    calls = calls_in_zone(situation, CALLS)
    pending = [(call, Options()) for call in calls_in_zone(situation, PENDING, seed=3)]
    times = situation.travel_times
    assert times is not None, "the city has drive times"
    weights = edge_times(network, ROUTINE)
    seconds_each(situation, calls[:200])
    solver = SolverProcess()
    solver.start()
    solver.wait(60.0)
    work: dict[str, Beside] = {
        f"batches of {PENDING} calls": lambda: in_thread(
            lambda: _batch(situation, pending, solver)
        ),
        "weight sets": lambda: in_thread(lambda: times.reweighed(weights)),
    }
    extract = data_folder() / EXTRACT
    with tempfile.TemporaryDirectory() as folder:
        if extract.exists():
            command = [sys.executable, "-m", "api.cli", "network", "build", str(extract)]
            command += ["--out", str(Path(folder) / "net")]
            work["a network import, another process"] = lambda: in_process(command)
        rows = [_row(name, situation, calls, make) for name, make in work.items()]
    solver.close()
    print(f"{machine()}; {ROUNDS} rounds of {CALLS:,} calls each, quiet and busy in turn")
    head = ("beside it runs", "quiet p50 / p99", "busy p50 / p99", "p99 ratio")
    print(table("Recommendations while something else runs", head, rows))


def _batch(
    situation: Situation, pending: list[tuple[Incident, Options]], solver: SolverProcess
) -> object:
    ends = perf_counter() + 1.0
    return recommend_batch(
        situation, pending, NOW, seconds_left=lambda: ends - perf_counter(), solve=solver.solve
    )


def _row(
    name: str, situation: Situation, calls: list[Incident], busy: Beside
) -> tuple[str, str, str, str]:
    quiet_s: list[float] = []
    busy_s: list[float] = []
    for _ in range(ROUNDS):
        quiet_s += seconds_each(situation, calls)
        with busy():
            busy_s += seconds_each(situation, calls)
    quiet, loaded = np.percentile(quiet_s, [50, 99]), np.percentile(busy_s, [50, 99])
    alone, beside = (f"{duration(p[0])} / {duration(p[1])}" for p in (quiet, loaded))
    return name, alone, beside, f"{loaded[1] / quiet[1]:.2f}"


if __name__ == "__main__":
    main()
