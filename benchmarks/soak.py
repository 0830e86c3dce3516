"""A long run: whether memory and file handles stay flat, and the store grows as predicted.

A service that keeps what it answers (SQLite) is asked by sixteen connections, each request about a
call of its own, with a change of the roster for every hundred. The growth of memory is that of a
line through all samples after the warm-up; the store's size is predicted from the first tenth.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.load import Answer, Load, load_on
from benchmarks.recorded_service import Place, Running, calls, make_place, running
from benchmarks.stopwatch import machine, resident_memory_mb, table

CONNECTIONS = 16
SAMPLES = 40
WARM_UP_SHARE = 0.2
WARM_UP_CALLS = 12_000
"""The memory of calls is full after 10,000, and holds no more from then on."""
GROWTH_MAX = 0.01
SIZE_DEVIATION_MAX = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a service holds after so many requests."""

    requests: int
    memory_mb: float
    handles: int
    store_bytes: int


def sampled(service: Running, store: Path, requests: int) -> Sample:
    """Return what a service holds now."""
    return Sample(
        requests=requests,
        memory_mb=resident_memory_mb(service.process_id),
        handles=len(os.listdir(f"/proc/{service.process_id}/fd")),  # noqa: PTH208  names suffice
        store_bytes=store.stat().st_size,  # the log beside it is of one size, however long it runs
    )


def soaked(
    place: Place, service: Running, store: Path, n: int
) -> Iterator[tuple[Sample, list[Answer]]]:
    """Yield a sample and the answers since the one before, so many times in all."""
    each = max(1, n // SAMPLES)
    with load_on(service.port, CONNECTIONS) as load:
        for number in range(SAMPLES):
            answers: list[Answer] = []
            for first in range(number * each, (number + 1) * each, 100):
                answers += some(load, place, first, min(100, (number + 1) * each - first))
                change_a_unit(service, place, first)
            yield sampled(service, store, (number + 1) * each), answers


def some(load: Load, place: Place, first: int, n: int) -> list[Answer]:
    """Return the answers to n requests."""
    answers = load.in_turn(calls(place, first), n=n)
    wrong = [one for one in answers if one.status != 200]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {n} are refused: {wrong[0].head!r}")
    return answers


def change_a_unit(service: Running, place: Place, number: int) -> None:
    """Tell another crew of a unit, which changes the roster."""
    unit = place.units[number // 100 % len(place.units)]
    told = unit | {"crew_count": 2 + number // 100 % 2}
    service.ask("PUT", f"/v1/units/{unit['unit_id']}", {"unit": told})


def growth_of(samples: list[Sample]) -> float:
    """Return by what share memory grew, by the line through the samples."""
    requests = np.array([one.requests for one in samples])
    slope, start = np.polyfit(requests, [one.memory_mb for one in samples], 1)
    return float(slope * (requests[-1] - requests[0]) / (start + slope * requests[0]))


def answered_rows(took_s: list[float], recorded: int, lasted_s: float) -> list[tuple[str, str]]:
    """Return what is said of the answers of a run."""
    p50, p99 = np.percentile(np.array(took_s) * 1000, [50, 99])
    return [
        ("requests", f"{len(took_s):,} in {lasted_s:.0f} s"),
        ("recorded when they were answered", f"{recorded:,}"),
        ("p50 / p99", f"{p50:.1f} / {p99:.1f} ms"),
    ]


def held_rows(samples: list[Sample]) -> list[tuple[str, str]]:
    """Return what is said of what the service held."""
    last = samples[-1]
    warm = max(WARM_UP_CALLS, WARM_UP_SHARE * last.requests)
    steady = [one for one in samples if one.requests >= min(warm, last.requests / 2)]
    early = samples[: max(2, len(samples) // 10)]
    asked = early[-1].requests - early[0].requests
    bytes_each = (early[-1].store_bytes - early[0].store_bytes) / asked
    predicted = early[0].store_bytes + bytes_each * (last.requests - early[0].requests)
    deviation, growth = last.store_bytes / predicted - 1, growth_of(steady)
    handles = sorted({one.handles for one in steady})
    sizes = f"{steady[0].memory_mb:.1f}, {steady[-1].memory_mb:.1f} MB"
    close = abs(deviation) < SIZE_DEVIATION_MAX
    return [
        (f"memory after {steady[0].requests:,} requests, at the end", sizes),
        ("its growth (line through the samples)", f"{growth:+.2%}, {_met(growth < GROWTH_MAX)}"),
        ("file handles after the warm-up", f"{handles[0]} to {handles[-1]}"),
        ("bytes of the store for each recommendation", f"{bytes_each:,.0f}"),
        ("size of the store beside the prediction", f"{deviation:+.1%}, {_met(close)}"),
    ]


def _met(holds: bool) -> str:
    return "met" if holds else "missed"


def report(n: int = 20_000) -> str:
    """Return the table of docs/reliability.md."""
    began_s = perf_counter()
    with tempfile.TemporaryDirectory() as made:
        place, store = make_place(Path(made)), Path(made) / "desk.sqlite"
        with running(place, {"store": str(store), "log_level": "warning"}) as service:
            samples: list[Sample] = []
            took_s: list[float] = []
            recorded = 0
            for sample, answers in soaked(place, service, store, n):
                samples.append(sample)
                took_s += [one.took_s for one in answers]
                recorded += sum(one.is_recorded for one in answers)
    title = f"Soak: {CONNECTIONS} connections, SQLite; {place.network_id}; {machine()}"
    rows = answered_rows(took_s, recorded, perf_counter() - began_s) + held_rows(samples)
    return table(title, ("what", "measured"), rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    chosen = parser.parse_args()
    print(report(chosen.requests))


if __name__ == "__main__":
    main()
