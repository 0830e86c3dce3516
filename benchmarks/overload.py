"""More calls than the service is rated for: what it still answers, what it refuses, and how soon.

The service keeps what it answers (SQLite) and has one core; the load comes from the other one, at a
rate that waits for nobody. Rated: 200 recorded recommendations a second.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load import Answer, Load, load_on, percentiles_ms
from benchmarks.recorded_service import (
    LOAD_CORE,
    SERVICE_CORE,
    Place,
    Running,
    calls,
    make_place,
    running,
)
from benchmarks.stopwatch import machine, table

RATED = 200.0
TIMES = (1.0, 2.0, 10.0)
GOODPUT_SHARE = 0.95
REFUSAL_P99_MS_MAX = 50.0
NORMAL_S_MAX = 10.0
CONNECTIONS_MAX = 800
WATCHED_S = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What one rate was answered."""

    times: float
    seconds: float
    answers: list[Answer]

    @property
    def recorded(self) -> list[Answer]:
        """What was answered and kept."""
        return [one for one in self.answers if one.is_recorded]

    @property
    def refused(self) -> list[Answer]:
        """What was refused with Retry-After."""
        return [one for one in self.answers if one.is_refused]

    @property
    def others(self) -> int:
        """What was neither: not kept, or refused without saying when to come back."""
        return len(self.answers) - len(self.recorded) - len(self.refused)

    @property
    def others_by_status(self) -> str:
        """How many of those had which status; 0 is a connection that was closed."""
        by_status = Counter(
            one.status for one in self.answers if not (one.is_recorded or one.is_refused)
        )
        return ", ".join(f"{n:,} of {status}" for status, n in by_status.items()) or "0"

    @property
    def goodput(self) -> float:
        """Recorded recommendations a second, until the last request was answered."""
        lasted_s = max(one.at_s + one.took_s for one in self.answers)
        return len(self.recorded) / max(self.seconds, lasted_s)

    @property
    def late_p99_ms(self) -> float:
        """By how much the load itself was late; what answers took counts from when it was due."""
        return float(np.percentile([one.late_s * 1000 for one in self.answers], 99))

    @property
    def row(self) -> tuple[str, ...]:
        """What is said of it."""
        answered, refused = percentiles_ms(self.recorded), percentiles_ms(self.refused)
        return (
            f"{self.times:g} x", f"{len(self.answers):,}",
            f"{self.goodput:.0f}/s ({self.goodput / RATED:.0%})",
            f"{answered[0]:.1f} / {answered[1]:.1f} ms", f"{len(self.refused):,}",
            f"{refused[0]:.1f} / {refused[1]:.1f} ms" if self.refused else "-",
            self.others_by_status, f"{self.late_p99_ms:.1f} ms",
        )  # fmt: skip


def phase(load: Load, place: Place, times: float, seconds: float, first: int) -> Phase:
    """Ask at so many times the rated rate."""
    asked = calls(place, first)
    return Phase(
        times=times,
        seconds=seconds,
        answers=load.at_rate(asked, rate=times * RATED, seconds=seconds),
    )


def normal_again_s(load: Load, place: Place, usual_p99_ms: float, first: int) -> float:
    """Return the seconds after an overload until a second at the rated rate is as usual.

    As usual: nothing is refused, all is recorded, p99 at most twice that before the overload.
    """
    for second in range(WATCHED_S):
        found = phase(load, place, 1.0, 1.0, first + second * 1_000)
        all_recorded = len(found.recorded) == len(found.answers)
        if all_recorded and percentiles_ms(found.answers)[1] <= 2 * usual_p99_ms:
            return second + 1.0
    return float("inf")


@contextmanager
def overloaded_service(folder: Path, **settings: Any) -> Iterator[tuple[Place, Running]]:
    """Start the service on its core and move this process to the other one, where there are two."""
    place = make_place(folder)
    cores = os.sched_getaffinity(0)
    apart = {SERVICE_CORE, LOAD_CORE} <= cores
    told = {"store": str(folder / "desk.sqlite")} | settings
    with running(place, told, core=SERVICE_CORE if apart else None) as service:
        if apart:
            os.sched_setaffinity(0, {LOAD_CORE})
        yield place, service
        os.sched_setaffinity(0, cores)


def measured(place: Place, service: Running, seconds: float) -> tuple[list[Phase], list[float]]:
    """Return the phases, and the seconds until all was normal after those above the rate."""
    phases, normal_s = [], []
    with load_on(service.port, CONNECTIONS_MAX) as load:
        phase(load, place, 1.0, 2.0, 0)  # warms up
        for number, times in enumerate(TIMES):
            first = (number + 1) * 1_000_000
            phases.append(phase(load, place, times, seconds, first))
            if times > 1:
                usual_p99_ms = percentiles_ms(phases[0].answers)[1]
                normal_s.append(normal_again_s(load, place, usual_p99_ms, first + 500_000))
    return phases, normal_s


def report(seconds: float = 20.0) -> str:
    """Return the table of docs/reliability.md."""
    with tempfile.TemporaryDirectory() as made, overloaded_service(Path(made)) as (place, service):
        phases, normal_s = measured(place, service, seconds)
    above = [one for one in phases if one.times > 1]
    held = all(one.goodput >= GOODPUT_SHARE * RATED for one in above)
    quick = all(
        percentiles_ms(one.refused)[1] <= REFUSAL_P99_MS_MAX for one in above if one.refused
    )
    soon = all(one <= NORMAL_S_MAX for one in normal_s)
    said = ", ".join(f"{one:.0f} s" for one in normal_s)
    title = (
        f"Open loop, {seconds:.0f} s each, rated {RATED:.0f}/s; {place.network_id}; {machine()}. "
        f"Goodput at least {GOODPUT_SHARE:.0%} of rated: {_met(held)}; refusals p99 at most "
        f"{REFUSAL_P99_MS_MAX:.0f} ms: {_met(quick)}; as usual again after {said}: {_met(soon)}"
    )
    head = ("offered", "requests", "recorded", "p50 / p99", "refused", "p50 / p99", "others",
            "sent late, p99")  # fmt: skip
    return table(title, head, [one.row for one in phases])


def _met(holds: bool) -> str:
    return "met" if holds else "missed"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    chosen = parser.parse_args()
    print(report(chosen.seconds))


if __name__ == "__main__":
    main()
