"""A simulated year of a whole city: seconds on one core, memory, and what two processes gain.

    python -m benchmarks.simulation [SCENARIO] [--days N] [--replications N]

The scenario is `benchmarks/studies/examples/city_year.toml`: about 3,000 CARE calls, 300,000 police
jobs and 150 units on Seattle's streets. It needs the real data (`TANDEM_DATA`).
"""

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.stopwatch import machine, table
from benchmarks.studies.engine import Processes
from benchmarks.studies.kept import bytes_of
from benchmarks.studies.scenario_file import read_scenario
from benchmarks.studies.simulation.measures import ReplicationResult, measures_of
from benchmarks.studies.simulation.replicating import parts_of, replicate
from benchmarks.studies.work import Work
from benchmarks.studies.world_making import world_of

SCENARIO = Path(__file__).parent / "studies" / "examples" / "city_year.toml"
SECONDS_MAX = 60.0
MEMORY_MB_MAX = 1000.0
GAIN_MIN = 1.7


def one_year(file: Path, days: int) -> None:
    """Simulate one replication on one core and print seconds, memory and counts."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    began_s = perf_counter()
    changes: dict[str, object] = {"simulation.days": days, "simulation.replications": 1}
    world = world_of(read_scenario(file, changes))
    (part,) = parts_of(world, changes)
    made_s = perf_counter()
    found = replicate(part)
    took_s = perf_counter() - made_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = measures_of(found)
    print(
        took_s, made_s - began_s, peak_mb, len(found.call_id), len(found.police_queued_s),
        len(found.unit_id), told["care_utilisation_share"], told["spd_utilisation_share"],
    )  # fmt: skip


def of_a_process(file: Path, days: int) -> list[float]:
    """Return what `one_year` prints in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.simulation", str(file), "--days", str(days), "--one"]
    said = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603  our own
    return [float(word) for word in said.stdout.split()[-8:]]


def gain_of_two(file: Path, days: int, replications: int) -> tuple[float, float, bool]:
    """Return seconds of some replications in one process and in two, and whether they are equal."""
    changes: dict[str, object] = {"simulation.days": days, "simulation.replications": replications}
    parts = parts_of(world_of(read_scenario(file, changes)), changes)
    took, found = [], []
    for workers in (1, 2):
        engine = Processes(workers)
        began_s = perf_counter()
        results = Work(engine=engine).map("replications", replicate, parts, ReplicationResult)
        took.append(perf_counter() - began_s)
        found.append([bytes_of(one) for one in results])
    return took[0], took[1], found[0] == found[1]


def report(file: Path, days: int, replications: int) -> str:
    """Return the table of docs/studies.md."""
    of_a_process(file, 1)  # kernels are compiled, streets are kept
    took_s, world_s, peak_mb, calls, jobs, units, care, spd = of_a_process(file, days)
    one_s, two_s, same = gain_of_two(file, days, replications)

    def met(holds: bool) -> str:
        return "met" if holds else "missed"

    rows = [
        ("what comes in", f"{calls:,.0f} CARE calls, {jobs:,.0f} police jobs, {units:.0f} units"),
        ("how busy", f"CARE {care:.0%}, police {spd:.0%} of their time on duty"),
        (
            f"{days} days on one core",
            f"{took_s:.1f} s [{SECONDS_MAX:.0f}], {met(took_s <= SECONDS_MAX)}; "
            f"making the world before: {world_s:.1f} s",
        ),
        ("peak memory", f"{peak_mb:.0f} MB [{MEMORY_MB_MAX:.0f}], {met(peak_mb <= MEMORY_MB_MAX)}"),
        (
            f"{replications} replications, one process and two",
            f"{one_s:.1f} s, {two_s:.1f} s: {one_s / two_s:.2f} x [{GAIN_MIN}], "
            f"{met(one_s / two_s >= GAIN_MIN)}",
        ),
        ("results of one process and two", "the same bytes" if same else "DIFFERENT"),
    ]
    return table(f"Simulation: {file.name}; {machine()}", ("what", "measured"), rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("scenario", nargs="?", type=Path, default=SCENARIO)
    parser.add_argument("--days", type=int, default=364)
    parser.add_argument("--replications", type=int, default=4)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        one_year(chosen.scenario, chosen.days)
    else:
        print(report(chosen.scenario, chosen.days, chosen.replications))


if __name__ == "__main__":
    main()
