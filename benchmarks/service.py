"""The service as its users meet it: how soon it is ready, how fast it answers, what it holds.

Starts real processes of `tandem serve` on the loopback address and ends those that it started.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stopwatch import (
    Timing,
    duration,
    machine,
    resident_memory_mb,
    table,
    time_each,
)
from benchmarks.streets import benchmark_network
from geodata.artifacts import save_network
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from routing.road_hierarchy import HIERARCHY_FOLDER, build_hierarchy, save_hierarchy

READY_S_MAX = 300.0
AS_OF = "2026-07-21T13:05:02-07:00"
STATUSES = ("AVAILABLE", "AVAILABLE", "ON_SCENE", "ENROUTE", "BUSY")


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, zones: Path, cache: Path) -> Iterator[tuple[int, int, float]]:
    """Start a service; yield its port, its process id and the seconds until it was ready."""
    port = free_port()
    settings = {"TANDEM_CACHE_DIR": str(cache), "TANDEM_LOG_LEVEL": "warning"}
    environment = os.environ | settings
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a second start finds compiled modules
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--dev"]
    command += ["--port", str(port), "--network", str(folder), "--zones", str(zones)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment)  # noqa: S603  our own command
    try:
        wait_until_ready(port, begin + READY_S_MAX)
        yield port, process.pid, time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(port: int, deadline: float) -> None:
    """Ask until the service says that it is ready."""
    while time.perf_counter() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with closing(connection), suppress(OSError):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.005)
    raise TimeoutError(f"the service was not ready within {READY_S_MAX:.0f} s")


def city_zone(network: StreetNetwork) -> dict[str, Any]:
    """Return one zone over the whole network, so that every call in it is decided."""
    west, south, east, north = network.bounds
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {"zone_id": "CITY", "name": "City", "kind": "BASE", "precedence": 1}
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    return {"type": "FeatureCollection", "features": [feature]}


def request_body(network: StreetNetwork, index: StreetIndex, n_units: int, seed: int) -> bytes:
    """Return a call and so many units near streets, a fifth of them CARE; the same for a seed."""
    rng = np.random.default_rng(seed)
    west, south, east, north = network.bounds
    call = index.snap_incident(rng.uniform(west, east), rng.uniform(south, north))
    near = rng.integers(0, network.n_junctions, n_units)
    at = np.column_stack((network.junction_lon[near], network.junction_lat[near]))
    at += rng.normal(0, 0.0002, at.shape)  # some 20 m, as fixes are
    units = [
        {
            "unit_id": f"U{i}", "agency": "CARE" if i % 5 == 0 else "SPD", "crew_count": 2,
            "status": STATUSES[int(rng.integers(5))], "status_since": "2026-07-21T12:31:00-07:00",
            "shift_end": "2026-07-21T23:00:00-07:00",
            "position": {
                "lon": round(at[i, 0], 6), "lat": round(at[i, 1], 6),
                "fixed_at": "2026-07-21T13:04:56-07:00", "heading_deg": int(rng.integers(360)),
                "speed_mps": 8.0, "accuracy_m": 8,
            },
        }
        for i in range(n_units)
    ]  # fmt: skip
    screening = dict.fromkeys(("weapon", "violence", "medical", "enforcement", "drug_use"), "NO")
    incident = {
        "incident_id": f"B{seed}", "received_at": "2026-07-21T13:03:20-07:00",
        "location": {"lon": call.lon, "lat": call.lat}, "call_type": "PERSON DOWN", "priority": 3,
        "screening": {"completed_at": "2026-07-21T13:04:30-07:00", "place": "STREET"} | screening,
    }  # fmt: skip
    request = {"request_id": f"b{seed}", "as_of": AS_OF, "incident": incident, "units": units}
    return json.dumps(request).encode()


class Client:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.outcomes: dict[str, int] = {}
        self.within_ms: list[float] = []
        """For each answer the sum of its stages: from the bytes of the body to its own."""

    def recommend(self, body: bytes) -> None:
        """Ask, read the whole answer and count its outcome."""
        headers = {"Content-Type": "application/json"}
        self.connection.request("POST", "/v1/recommend-units", body, headers)
        reply = self.connection.getresponse()
        answer = json.loads(reply.read())
        total = re.search(r"total;dur=([0-9.]+)", reply.getheader("server-timing", ""))
        self.within_ms.append(float(total[1]) if total else 0.0)
        outcome = answer.get("outcome", f"status {reply.status}")
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def report(n_starts: int = 5, n_large: int = 300, n_requests: int = 10_000) -> str:
    """Return the table for the README."""
    network = benchmark_network()
    index = StreetIndex.build(network)
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        folder, zones, cache = work / "streets", work / "zones.geojson", work / "kernels"
        save_network(network, folder)
        save_hierarchy(folder / HIERARCHY_FOLDER, network, build_hierarchy(network)[1])
        zones.write_text(json.dumps(city_zone(network)), encoding="utf-8")
        with running(folder, zones, cache) as (_, _, cold_s):
            pass
        warm = [_start_s(folder, zones, cache) for _ in range(n_starts)]
        with running(folder, zones, cache) as (port, process_id, _):
            client = Client(port)
            first_mb = resident_memory_mb(process_id)
            large = _timed(client, network, index, 500, n_large)
            within_s = float(np.median(client.within_ms)) / 1000
            small = _timed(client, network, index, 20, n_requests - n_large)
            held_mb = resident_memory_mb(process_id)
    rows = [
        ("start until ready, nothing compiled yet", duration(cold_s)),
        (
            f"start until ready, kernels compiled: median of {n_starts}",
            duration(float(np.median(warm))),
        ),
        (f"500 units in the request, p50 / p99 of {large.n}", _both(large)),
        ("of which from the bytes of the body to those of the answer, p50", duration(within_s)),
        (f"20 units in the request, p50 / p99 of {small.n:,}", _both(small)),
        ("memory when ready", f"{first_mb:.0f} MB"),
        (f"memory after {n_requests:,} requests", f"{held_mb:.0f} MB"),
        ("outcomes", ", ".join(f"{n:,} {name}" for name, n in sorted(client.outcomes.items()))),
    ]
    title = (
        "The service over HTTP, one connection, from request to parsed answer; "
        f"{network.source.network_id}; {machine()}"
    )
    return table(title, ("what", "measured"), rows)


def _start_s(folder: Path, zones: Path, cache: Path) -> float:
    with running(folder, zones, cache) as (_, _, seconds):
        return seconds


def _timed(
    client: Client, network: StreetNetwork, index: StreetIndex, n_units: int, n: int
) -> Timing:
    bodies = [request_body(network, index, n_units, seed) for seed in range(min(n, 100))]
    return time_each(client.recommend, [bodies[i % len(bodies)] for i in range(n)])


def _both(timing: Timing) -> str:
    return f"{duration(timing.p50_s)} / {duration(timing.p99_s)}"


if __name__ == "__main__":
    print(report())
