"""What HTTP costs us: POST /v1/recommend-units beside the least that such a service can do.

The floor is an `async def` endpoint of the same app, behind the same layer that counts and logs: it
checks the same request against the same model and answers constant bytes, as many as ours. Both are
asked in turn, over sockets that stay open, by a process that does nothing else. Twice: once with a
decision made beforehand, so that the rest is seen alone, and once with all that a request does.

The units are the service's own (`units: null`), so the request is as small as requests are.
"""

import argparse
import json
import re
import selectors
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.service import (
    READY_S_MAX,
    city_zone,
    free_port,
    request_body,
    wait_until_ready,
)
from benchmarks.stopwatch import duration, machine, table
from benchmarks.streets import benchmark_network
from geodata.artifacts import save_network
from geodata.snap import StreetIndex
from routing.road_hierarchy import HIERARCHY_FOLDER, build_hierarchy, save_hierarchy

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.live_view import LiveView
    from routing.model import Recommendation

FLOOR_PATH = "/floor"
OURS_PATH = "/v1/recommend-units"
SEED = 7
UNITS = 120
KINDS = ("fixed", "decided")
KIND_WORDS = {"fixed": "a decision made beforehand", "decided": "all that a request does"}
CONNECTIONS = (1, 4)
ANSWER_S_MAX = 30.0

# -- the service, in a process of its own ---------------------------------------------------------


def serve(kind: str, port: int, folder: Path) -> None:
    """Serve the product's app with the floor beside it until the process is ended."""
    from api.commands.serve import make_server, open_listener
    from api.settings import Settings

    settings = Settings(network=folder / "streets", zones=folder / "zones.geojson", dev=True)
    body, units = (folder / "request.json").read_bytes(), (folder / "units.json").read_bytes()
    app = app_with_floor(settings, body, units, fixed=kind == "fixed")
    make_server(settings, app).run(sockets=[open_listener("127.0.0.1", port)])


def app_with_floor(settings: Any, body: bytes, units: bytes, *, fixed: bool) -> "FastAPI":
    """Return the product's app, its decision fixed or not, and the floor as one more route."""
    from fastapi import Request
    from starlette.responses import Response

    from api.app import make_app
    from api.auth.roles import EVERY_ROLE
    from api.live_view import load_view
    from api.operations import recommend_units
    from api.request_schemas import RecommendRequest
    from routing.recommend import recommend

    view = with_units(load_view(settings, lambda _stage: None), units)
    answered = recommend_units(view, body)
    require_pair(answered.found)
    decide = made_beforehand(answered.found) if fixed else recommend
    app = make_app(settings, load=lambda _settings, _stage: view, decide=decide)
    constant = answered.body
    app.state.gate.declare("POST", FLOOR_PATH, EVERY_ROLE)

    @app.post(FLOOR_PATH)
    async def floor(request: Request) -> Response:
        RecommendRequest.model_validate_json(await request.body())
        return Response(constant, media_type="application/json")

    return app


def with_units(view: "LiveView", body: bytes) -> "LiveView":
    """Return the view with the units of a request as the service's own."""
    from api.read_request import read_request

    request = read_request(body).request
    assert request.as_of is not None, "a request that says for which hour it is decided"
    return view.with_roster(1, request.as_of, units=request.units or ())


def require_pair(found: "Recommendation") -> None:
    """Stop where the decision is not the one that is meant: a pair, chosen from all the units.

    Without units it is half the work, and its figures say nothing.
    """
    from routing.codes import Outcome

    seen = sum(kind.seen for kind in found.explain.counts.values())
    if found.outcome is not Outcome.DISPATCH or seen < UNITS:
        raise RuntimeError(f"{found.outcome} from {seen} units; expected DISPATCH from {UNITS}")


def made_beforehand(found: "Recommendation") -> "Callable[..., Recommendation]":
    """Return what stands in for `recommend`: the stages begin, and the answer is there."""

    def decide(*_asked: Any, stage: Callable[[str], None]) -> "Recommendation":
        for name in ("GATES", "ARRIVALS", "RULES", "PAIR", "EXPLAIN"):
            stage(name)
        return found

    return decide


@contextmanager
def serving(kind: str, folder: Path) -> Iterator[int]:
    """Start a service and yield its port; its log goes to a file, as a service's does."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.http", "--serve", kind]
    command += ["--port", str(port), "--folder", str(folder)]
    with (folder / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)  # noqa: S603  our own command
        try:
            wait_until_ready(port, perf_counter() + READY_S_MAX)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


# -- asking ---------------------------------------------------------------------------------------

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Flight:
    """One connection with one request under way."""

    connection: socket.socket
    began: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def ask(self, sent: bytes) -> None:
        """Send the next request."""
        self.received.clear()
        self.began = perf_counter()
        self.connection.sendall(sent)

    def is_answered(self) -> bool:
        """Read what is there; whether the answer is complete."""
        self.received += self.connection.recv(1 << 18)
        head, separator, body = bytes(self.received).partition(b"\r\n\r\n")
        if not separator:
            return False
        length = _LENGTH.search(head + b"\r\n")
        if not head.startswith(b"HTTP/1.1 200 ") or length is None:
            raise RuntimeError(f"not an answer: {head[:200]!r}")
        return len(body) == int(length[1])


def ask_many(port: int, sent: bytes, *, n: int, connections: int) -> NDArray[np.float64]:
    """Return seconds (n,) from a request to its whole answer, on so many connections at once."""
    took_s: list[float] = []
    with selectors.DefaultSelector() as poll:
        flights = []
        for _ in range(connections):
            opened = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S_MAX)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            flight = Flight(connection=opened)
            poll.register(opened, selectors.EVENT_READ, flight)
            flights.append(flight)
            flight.ask(sent)
        asked = connections
        while len(took_s) < n:
            for key, _ in poll.select(ANSWER_S_MAX):
                flight = key.data
                if not flight.is_answered():
                    continue
                took_s.append(perf_counter() - flight.began)
                if asked < n:
                    asked += 1
                    flight.ask(sent)
        for flight in flights:
            flight.connection.close()
    return np.array(took_s)


def request_bytes(path: str, body: bytes) -> bytes:
    """Return a request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


# -- the report -----------------------------------------------------------------------------------


def rounds(
    port: int, body: bytes, *, n: int, n_rounds: int, connections: int
) -> NDArray[np.float64]:
    """Return seconds (n_rounds, 2, 2): floor and ours, p50 and p99; who is first alternates."""
    sent = [request_bytes(path, body) for path in (FLOOR_PATH, OURS_PATH)]
    for asked in sent:
        ask_many(port, asked, n=max(n // 10, connections), connections=connections)
    found = np.zeros((n_rounds, 2, 2))
    for i in range(n_rounds):
        for which in (0, 1) if i % 2 == 0 else (1, 0):
            took_s = ask_many(port, sent[which], n=n, connections=connections)
            found[i, which] = np.percentile(took_s, [50, 99])
    return found


def rows_of(kind: str, connections: int, found: NDArray[np.float64]) -> Iterator[tuple[str, ...]]:
    """Yield a row for the p50 and one for the p99: medians of the rounds, and the ratio's range."""
    ratio = found[:, 1] / found[:, 0]
    for k, name in enumerate(("p50", "p99")):
        floor_s, ours_s = np.median(found[:, :, k], axis=0)
        low, middle, high = np.percentile(ratio[:, k], [0, 50, 100])
        yield (
            KIND_WORDS[kind], str(connections), name, duration(float(floor_s)),
            duration(float(ours_s)), f"{middle:.2f}", f"{low:.2f} to {high:.2f}",
        )  # fmt: skip


def report(n: int = 3_000, n_rounds: int = 7) -> str:
    """Return the table for the README."""
    network = benchmark_network()
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        save_network(network, folder / "streets")
        save_hierarchy(folder / "streets" / HIERARCHY_FOLDER, network, build_hierarchy(network)[1])
        (folder / "zones.geojson").write_text(json.dumps(city_zone(network)), encoding="utf-8")
        full = request_body(network, StreetIndex.build(network), UNITS, SEED)
        body = json.dumps(json.loads(full) | {"units": None}).encode()
        (folder / "units.json").write_bytes(full)
        (folder / "request.json").write_bytes(body)
        for kind in KINDS:
            with serving(kind, folder) as port:
                for connections in CONNECTIONS:
                    found = rounds(port, body, n=n, n_rounds=n_rounds, connections=connections)
                    rows += rows_of(kind, connections, found)
    title = (
        f"HTTP: ours beside the floor, {n_rounds} rounds of {n:,} requests each in turn, "
        f"{UNITS} units of the service's own; {network.source.network_id}; {machine()}"
    )
    head = ("with", "connections", "", "floor", "ours", "ratio", "of the rounds")
    return table(title, head, rows)


def main() -> None:
    """Print the table, or serve for the process that measures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http", description=__doc__)
    parser.add_argument("--requests", type=int, default=3_000, help="requests in each round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each")
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve, chosen.port, chosen.folder)
    else:
        print(report(chosen.requests, chosen.rounds))


if __name__ == "__main__":
    main()
