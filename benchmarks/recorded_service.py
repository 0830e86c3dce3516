"""A service of a process of its own that keeps what it answers, and the requests to ask it with.

Its clock begins at one instant of a pilot's day, so that calls are open and units on duty whatever
the time of the run.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.service import (
    AS_OF,
    READY_S_MAX,
    city_zone,
    free_port,
    request_body,
    wait_until_ready,
)
from benchmarks.streets import benchmark_network
from geodata.artifacts import save_network
from geodata.snap import StreetIndex
from routing.road_hierarchy import HIERARCHY_FOLDER, build_hierarchy, save_hierarchy

N_UNITS = 120
SEED = 7
SERVICE_CORE = 0
LOAD_CORE = 1
HEADERS = {"Content-Type": "application/json"}
JSON = (
    "POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {n}\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with streets and zones of the benchmarks, and a call there."""

    folder: Path
    call: dict[str, Any]
    units: list[dict[str, Any]]
    network_id: str

    @property
    def settings(self) -> dict[str, str]:
        """What every service here is started with."""
        streets, zones = self.folder / "streets", self.folder / "zones.geojson"
        return {"network": str(streets), "zones": str(zones)}


def make_place(folder: Path) -> Place:
    """Write the streets of the benchmarks and a zone over all of them."""
    network = benchmark_network()
    save_network(network, folder / "streets")
    save_hierarchy(folder / "streets" / HIERARCHY_FOLDER, network, build_hierarchy(network)[1])
    (folder / "zones.geojson").write_text(json.dumps(city_zone(network)), encoding="utf-8")
    asked = json.loads(request_body(network, StreetIndex.build(network), N_UNITS, SEED))
    units = asked.pop("units")
    asked["as_of"] = None  # a replay would not be kept
    return Place(
        folder=folder,
        call=asked | {"units": None},
        units=units,
        network_id=network.source.network_id,
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is ready."""

    port: int
    process_id: int

    def put_units(self, units: list[dict[str, Any]]) -> None:
        """Fill its roster."""
        self.ask("PUT", "/v1/units", {"units": units})

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that stays open."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method: str, path: str, body: Any) -> None:
        """Ask once; anything but 200 is an error."""
        with closing(self.connect()) as connection:
            exchange(connection, path, json.dumps(body).encode(), method)


def exchange(
    connection: http.client.HTTPConnection, path: str, body: bytes, method: str = "POST"
) -> bytes:
    """Return the body of an answer; anything but 200 is an error."""
    connection.request(method, path, body, HEADERS)
    reply = connection.getresponse()
    came = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"{method} {path}: {reply.status} {came[:300]!r}")
    return came


@contextmanager
def running(
    place: Place, settings: Mapping[str, Any], *, core: int | None = None
) -> Iterator[Running]:
    """Start a service with these settings and yield it when its roster is filled."""
    port = free_port()
    told: dict[str, Any] = {"log_level": "info", "dev": True} | place.settings | dict(settings)
    command = [sys.executable, "-m", "benchmarks.recorded_service", str(port), json.dumps(told)]
    if core is not None:
        command += ["--core", str(core)]
    with (place.folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)  # noqa: S603  our own command
        try:
            wait_until_ready(port, perf_counter() + READY_S_MAX)
            made = Running(port, process.pid)
            made.put_units(place.units)
            yield made
        finally:
            process.terminate()
            process.wait(timeout=60)


def serve(port: int, settings: Mapping[str, Any], core: int | None) -> None:
    """Serve until the process is told to stop."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    from api.app import make_app
    from api.commands.serve import make_server, open_listener
    from api.settings import Settings

    made = Settings(**settings)
    make_server(made, make_app(made, now=clock())).run(sockets=[open_listener("127.0.0.1", port)])


def clock() -> Callable[[], datetime]:
    """Return a clock that goes on from the instant of the benchmarks' units and calls."""
    ahead = datetime.fromisoformat(AS_OF) - datetime.now(UTC)
    return lambda: datetime.now(UTC) + ahead


def calls(place: Place, first: int = 0) -> Callable[[int], bytes]:
    """Return what makes the n-th request, each about a call of its own."""
    mark = "CALL00000000"
    asked = place.call | {"incident": place.call["incident"] | {"incident_id": mark}}
    body = json.dumps(asked).encode()
    head = JSON.format(path="/v1/recommend-units", n=len(body)).encode() + b"\r\n"
    before, after = (head + body).split(mark.encode())
    return lambda n: b"%sCALL%08d%s" % (before, first + n, after)


def main() -> None:
    """Serve for the process that measures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recorded_service")
    parser.add_argument("port", type=int)
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("--core", type=int)
    chosen = parser.parse_args()
    serve(chosen.port, chosen.settings, chosen.core)


if __name__ == "__main__":
    main()
