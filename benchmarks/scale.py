"""Thirteen cities joined by a few arterials: build time, memory, queries and weight sets."""

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.stopwatch import duration, machine, peak_memory_mb, table, time_each
from benchmarks.streets import COPIES, benchmark_network, joined_copies
from geodata.driving_time import EMERGENCY, ROUTINE, edge_times
from geodata.network import StreetNetwork
from geodata.pilot.streets import pilot_network
from geodata.snap import StreetIndex
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes


def report(copies: int = COPIES, n_units: int = 500, n_runs: int = 200) -> str:
    """Return the table; run it in a process of its own, since it states that process's memory."""
    network = joined_copies(benchmark_network(), copies)
    build_hierarchy(joined_copies_of_a_part())  # compiles the kernels, which is no part of a build
    begin = time.perf_counter()
    graph, hierarchy = build_hierarchy(network)
    built_s = time.perf_counter() - begin
    begin = time.perf_counter()
    times = TravelTimes(network, graph, hierarchy, edge_times(network, ROUTINE))
    first_s = time.perf_counter() - begin
    emergency = times.reweighed(edge_times(network, EMERGENCY))
    tables_mb = (times.memory_bytes + emergency.memory_bytes) / 1e6
    peak_mb = peak_memory_mb()
    weights = time_each(
        lambda hour: times.reweighed(edge_times(network, ROUTINE, hour=hour)),
        range(5),
    )
    index = StreetIndex.build(network)
    units = index.snap_units(*_points(network.bounds, n_units, 1))
    incidents = list(index.snap_incidents(*_points(network.bounds, n_runs, 2)))
    labels = times.unit_labels(units)
    queries = time_each(lambda p: times.drive_ms(labels, p), incidents)
    sweep = time_each(times.ms_to_junctions, incidents[:50])
    rows = [
        ("order and contraction", duration(built_s)),
        ("first weight set", duration(first_s)),
        ("a later weight set, p50 of 5", weights.us),
        ("label tables of two weight sets", f"{tables_mb:,.0f} MB"),
        ("peak memory of the process with two weight sets", f"{peak_mb:,.0f} MB"),
        (f"{n_units} units to one incident, p50 of {n_runs}", queries.us),
        ("one place to all junctions, p50 of 50", sweep.us),
    ]  # fmt: skip
    title = (
        f"{copies} cities in one network ({network.source.network_id}): "
        f"{network.n_junctions:,} junctions, {network.n_edges:,} edges; {machine()}"
    )
    return table(title, ("what", "measured"), rows)


def joined_copies_of_a_part() -> StreetNetwork:
    """Return a small network of the same kind."""
    return joined_copies(pilot_network(), 2)


def _points(
    bounds: tuple[float, float, float, float], n: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    west, south, east, north = bounds
    return rng.uniform(west, east, n), rng.uniform(south, north, n)


if __name__ == "__main__":
    print(report())
