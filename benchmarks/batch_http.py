"""Whether batches over HTTP keep their deadline, at every size up to the limit.

Starts a real service on the loopback address, asks it from this process and ends it. Each body is
new, as those of a CAD are; the deadline counts in the service from when the request is there, the
times here from before it is sent until the whole answer has been read.
"""

import http.client
import json
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from api.batch_schemas import INCIDENTS_MAX
from benchmarks.service import city_zone, request_body, running
from benchmarks.stopwatch import duration, machine, table
from benchmarks.streets import benchmark_network
from geodata.artifacts import save_network
from geodata.compiled import cache_folder
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from routing.road_hierarchy import HIERARCHY_FOLDER, build_hierarchy, save_hierarchy

SIZES = (1, 10, 50, 100, 150, INCIDENTS_MAX)
UNITS = (120, 500)
DEADLINE_S = 1.0
SLACK_S = 0.05
ROUNDS = 12


def batch_body(
    network: StreetNetwork, index: StreetIndex, size: tuple[int, int], seed: int
) -> bytes:
    """Return so many calls of four priorities with so many units, anywhere in the city."""
    n_calls, n_units = size
    made = json.loads(request_body(network, index, n_units, seed))
    del made["incident"]
    calls = [json.loads(request_body(network, index, 0, 1_000 * seed + k)) for k in range(n_calls)]
    incidents = [one["incident"] | {"priority": 1 + k % 4} for k, one in enumerate(calls)]
    options = {"deadline_ms": round(1000 * DEADLINE_S)}
    return json.dumps(made | {"incidents": incidents, "options": options}).encode()


def seconds_of(port: int, body: bytes) -> tuple[float, bool]:
    """Return how long a batch took, and whether its search was cut short."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"}
    begin = perf_counter()
    connection.request("POST", "/v1/recommend-units/batch", body, headers)
    reply = connection.getresponse()
    read = reply.read()
    took_s = perf_counter() - begin
    assert reply.status == 200, read[:500]
    return took_s, bool(json.loads(read)["batch"]["cut_short"])


def report() -> str:
    """Return the table."""
    network = benchmark_network()
    index = StreetIndex.build(network)
    sizes = [(n_calls, n_units) for n_units in UNITS for n_calls in SIZES]
    with tempfile.TemporaryDirectory() as made:
        folder, zones = Path(made) / "streets", Path(made) / "zones.geojson"
        save_network(network, folder)
        save_hierarchy(folder / HIERARCHY_FOLDER, network, build_hierarchy(network)[1])
        zones.write_text(json.dumps(city_zone(network)), encoding="utf-8")
        with running(folder, zones, cache_folder() or Path(made) / "kernels") as (port, _, _):
            for seed in range(3):
                seconds_of(port, batch_body(network, index, (20, 60), seed))
            rows = [_row(port, network, index, size) for size in sizes]
    title = (
        f"Batches over HTTP, deadline {DEADLINE_S:.0f} s, {ROUNDS} of each size; "
        f"{network.source.network_id}; {machine()}"
    )
    head = ("calls x units", "p50", "max", "within deadline + 50 ms", "cut short")
    return table(title, head, rows)


def _row(
    port: int, network: StreetNetwork, index: StreetIndex, size: tuple[int, int]
) -> tuple[str, ...]:
    found = [
        seconds_of(port, batch_body(network, index, size, seed)) for seed in range(1, ROUNDS + 1)
    ]
    took_s = [seconds for seconds, _ in found]
    return (
        " x ".join(map(str, size)),
        duration(float(np.median(took_s))),
        duration(max(took_s)),
        f"{sum(s <= DEADLINE_S + SLACK_S for s in took_s)} of {ROUNDS}",
        f"{sum(cut for _, cut in found)} of {ROUNDS}",
    )


if __name__ == "__main__":
    print(report())
