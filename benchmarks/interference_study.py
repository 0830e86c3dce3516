"""Whether POST /v1/recommend-units stays quick while the service runs a study: p99 beside quiet.

    python -m benchmarks.interference_study
    python -m benchmarks.interference_study --rounds 2 --seconds 10      # the short form
    python -m benchmarks.interference_study --kind simulate

The study is asked for over HTTP and runs as the service runs it: a process of its own, behind
everything else. Calls come at a rate, so that they meet every stage of a study; how many met which
is told. Quiet and busy rounds alternate within one run. A busy round counts requests only where the
study was running before and after them; when it is over, the next is asked for.
"""

import argparse
import json
import shutil
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Final

from api.studies.jobs import OVER, StudyKind, StudyState
from benchmarks.load import Answer, load_on, percentiles_ms
from benchmarks.recorded_service import HEADERS, Place, Running, calls, make_place, running
from benchmarks.stopwatch import machine, table

RATIO_MAX: Final = 2.0
CONNECTIONS: Final = 4
PAIR: Final = b'"outcome":"DISPATCH"'
RATE: Final = 50
"""Calls a second: so many are sent between two looks at the study."""
FIRST: Final = 5
"""Requests of a new connection that are not counted."""
WARM_UP_S: Final = 6
WAIT_S_MAX: Final = 120.0
LOOK_S: Final = 0.05
SCENARIO: Final = """
name = "Beside recommendations"
seed = 7

[streets]
network = "streets"

[units.CARE]
count = 3
posts = "pilot"
shifts = ["11:00-23:00"]

[units.SPD]
count = 6
posts = [
    { post_id = "SPD_WEST", lon = -122.33668, lat = 47.61561 },
    { post_id = "PIONEER", lon = -122.3331, lat = 47.6015 },
    { post_id = "SODO", lon = -122.3287, lat = 47.5880 },
]

[demand.care]
per_day = 100

[demand.police]
per_day = 800

[simulation]
days = 364
"""


@dataclass(slots=True, eq=False)
class Studies:
    """The studies of a service over HTTP, of which one is kept running."""

    service: Running
    kind: StudyKind
    begun: int = 0
    ended: int = 0
    study_id: str = ""
    stages: Counter[str] = field(default_factory=Counter)
    """What the study said of itself, by requests that met it."""

    def stage(self) -> str:
        """Return what the study does now, '' where it has not begun or is over."""
        told = self._one()
        return str(told["stage"]) if told["state"] == StudyState.RUNNING else ""

    def begin(self) -> None:
        """Ask for a study where none is under way, and wait until it computes.

        Raises
        ------
        RuntimeError
            It failed, or did not compute in time.
        """
        ends = perf_counter() + WAIT_S_MAX
        while perf_counter() < ends:
            told = self._one() if self.study_id else {}
            if not told or told["state"] in OVER:
                self.ended += bool(told)
                asked = {"kind": self.kind, "scenario": SCENARIO}
                self.study_id = self._ask("POST", "/v1/studies", asked)["study_id"]
                self.begun += 1
            elif self.stage():
                return
            sleep(LOOK_S)
        raise RuntimeError(f"no study computed within {WAIT_S_MAX:.0f} s")

    def require_sound(self) -> None:
        """See that the study comes beyond its first stage, which one with faults does not.

        Raises
        ------
        RuntimeError
            It failed, or did not come so far in time.
        """
        self.begin()
        first, ends = self.stage(), perf_counter() + WAIT_S_MAX
        while self.stage() == first:
            if perf_counter() > ends:
                raise RuntimeError(f"the study did not come beyond {first!r}")
            sleep(LOOK_S)
        self.end()

    def end(self) -> None:
        """Cancel the study that is under way, and let its process leave."""
        if self.study_id and self._one()["state"] not in OVER:
            self._ask("POST", f"/v1/studies/{self.study_id}/cancel", {})
        self.study_id = ""
        sleep(1.0)

    def _one(self) -> dict[str, Any]:
        told = self._ask("GET", f"/v1/studies/{self.study_id}")
        if told["state"] == StudyState.FAILED:
            raise RuntimeError(f"the study failed: {told['faults']}")
        return told

    def _ask(self, method: str, path: str, told: object = None) -> dict[str, Any]:
        body = None if told is None else json.dumps(told)
        with closing(self.service.connect()) as connection:
            connection.request(method, path, body, HEADERS)
            reply = connection.getresponse()
            came = reply.read()
        if reply.status not in (200, 202):
            raise RuntimeError(f"{method} {path}: {reply.status} {came[:300]!r}")
        answer: dict[str, Any] = json.loads(came)
        return answer


@dataclass(slots=True, eq=False)
class Asking:
    """Requests to a service one after the other, each about a call of its own."""

    place: Place
    port: int
    asked: int = 0

    def some(self) -> list[Answer]:
        """Return the answers of a second.

        Raises
        ------
        RuntimeError
            One of them sends no pair, so that it is not what is to be measured.
        """
        with load_on(self.port, CONNECTIONS) as load:
            load.in_turn(calls(self.place, self.asked), n=FIRST)  # opens a connection
            found = load.at_rate(calls(self.place, self.asked + FIRST), rate=RATE, seconds=1.0)
        self.asked += FIRST + len(found)
        wrong = [one for one in found if one.status != 200 or PAIR not in one.body]
        if wrong:
            raise RuntimeError(f"no pair is sent: {wrong[0].status} {wrong[0].body[:300]!r}")
        return found

    def quiet(self, seconds: int) -> list[Answer]:
        """Return the answers of so many seconds with nothing beside them."""
        return [one for _ in range(seconds) for one in self.some()]

    def beside(self, studies: Studies, seconds: int) -> list[Answer]:
        """Return the answers of so many seconds in which the same study was computing."""
        kept: list[Answer] = []
        while len(kept) < seconds * RATE:
            studies.begin()
            found = self.some()
            stage = studies.stage()
            kept += found if stage else []
            studies.stages[stage] += len(found) if stage else 0
        return kept


def report(kind: StudyKind, *, rounds: int, seconds: int) -> str:
    """Return the table of docs/measured.md."""
    quiet: list[Answer] = []
    busy: list[Answer] = []
    with tempfile.TemporaryDirectory() as made:
        place = make_place(Path(made))
        folder = place.folder / "studies"
        shutil.copytree(place.folder / "streets", folder / "data" / "streets")
        with running(place, {"studies_folder": str(folder)}) as service:
            studies, asking = Studies(service, kind), Asking(place, service.port)
            studies.require_sound()
            asking.quiet(WARM_UP_S)
            for _ in range(rounds):
                quiet += asking.quiet(seconds)
                busy += asking.beside(studies, seconds)
                studies.end()
    return _said(place, studies, quiet, busy)


def _said(place: Place, studies: Studies, quiet: list[Answer], busy: list[Answer]) -> str:
    alone, beside = percentiles_ms(quiet), percentiles_ms(busy)
    ratio = beside[1] / alone[1]
    title = (
        f"POST /v1/recommend-units, {len(quiet):,} quiet, {len(busy):,} beside a study, "
        f"{RATE} a second; {len(place.units)} units of the roster; {place.network_id}; "
        f"{machine()}. "
        f"p99 {ratio:.2f} x its quiet p99, target <= {RATIO_MAX:.0f} x: "
        f"{'met' if ratio <= RATIO_MAX else 'missed'}"
    )
    head = ("beside it runs", "quiet p50 / p99", "busy p50 / p99", "p99 ratio")
    met = ", ".join(f"{stage}: {n:,}" for stage, n in studies.stages.items() if n)
    name = f"study {studies.kind}, {studies.begun} begun ({met})"
    shown = (f"{p50:.2f} ms / {p99:.2f} ms" for p50, p99 in (alone, beside))
    return table(title, head, [(name, *shown, f"{ratio:.2f}")])


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interference_study")
    parser.add_argument("--kind", type=StudyKind, choices=list(StudyKind), default="coverage")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=30, help="of each round, quiet and busy")
    chosen = parser.parse_args()
    print(report(chosen.kind, rounds=chosen.rounds, seconds=chosen.seconds))


if __name__ == "__main__":
    main()
