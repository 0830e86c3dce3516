"""The streets that benchmarks run on: the real city where its data is, else the built-in pilot."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.network import NO_EDGE, StreetNetwork
from geodata.osm_import import import_osm_file
from geodata.pilot.streets import pilot_network

EXTRACT = "network/seattle_drive_2026-07-18.osm.gz"
COPIES = 13
ARTERIALS = 5
"""Streets that join each copy of the city to the next."""


def data_folder() -> Path:
    """Return the folder of real data: TANDEM_DATA, by default beside the project."""
    project = Path(__file__).resolve().parents[1]
    return Path(os.environ.get("TANDEM_DATA") or project.parent / "shared" / "data")


def benchmark_network() -> StreetNetwork:
    """Return Seattle where the real data is, else the schematic of the pilot area."""
    extract = data_folder() / EXTRACT
    return import_osm_file(extract) if extract.exists() else pilot_network()


def joined_copies(network: StreetNetwork, n: int = COPIES) -> StreetNetwork:
    """Return n copies of a network side by side, each joined to the next by a few arterials.

    The arterials are straight two-way streets at 40 mph between seeded junctions of the eastern
    edge of one copy and of the western edge of the next.
    """
    columns = _shifted_columns(network, n)
    ends = _arterial_ends(network, n)
    return _with_streets(network, columns, ends)


def _shifted_columns(network: StreetNetwork, n: int) -> dict[str, NDArray[Any]]:
    """Return all columns n times over, each copy moved east and its numbers moved on."""
    west, _, east, _ = network.bounds
    step = (east - west) * 1.05
    numbers = {
        "edge_tail": network.n_junctions, "edge_head": network.n_junctions,
        "edge_street": network.n_streets, "street_along": network.n_edges,
        "street_against": network.n_edges, "banned_turns": network.n_edges,
        "path_edge": network.n_edges,
    }  # fmt: skip
    moved: dict[str, NDArray[Any]] = {}
    for name in network.columns():
        column: NDArray[Any] = getattr(network, name)
        if name in ("edge_first", "street_point_first", "path_first"):
            continue
        copies = []
        for k in range(n):
            if name in ("junction_lon", "point_lon"):
                copies.append(column + k * step)
            elif name in numbers:
                copies.append(np.where(column == NO_EDGE, NO_EDGE, column + k * numbers[name]))
            else:
                copies.append(column)
        moved[name] = np.concatenate(copies).astype(column.dtype)
    return moved


def _arterial_ends(network: StreetNetwork, n: int) -> NDArray[np.int64]:
    """Return (n_arterials, 2) junctions of the joined network."""
    rng = np.random.default_rng(13)
    by_lon = np.argsort(network.junction_lon)
    margin = max(ARTERIALS, network.n_junctions // 50)
    ends = []
    for k in range(n - 1):
        from_east = rng.choice(by_lon[-margin:], ARTERIALS, replace=False)
        to_west = rng.choice(by_lon[:margin], ARTERIALS, replace=False)
        offset = k * network.n_junctions
        ends += list(zip(from_east + offset, to_west + offset + network.n_junctions, strict=True))
    return np.array(ends)


def _with_streets(
    network: StreetNetwork, columns: dict[str, NDArray[Any]], ends: NDArray[np.int64]
) -> StreetNetwork:
    """Return a network of the columns and one two-way street for each pair of junctions."""
    c = columns
    n_junctions, n_new = len(c["junction_id"]), len(ends)
    old_edges, old_streets = len(c["edge_tail"]), len(c["street_name"])
    lon, lat = c["junction_lon"][ends], c["junction_lat"][ends]
    length = 95_000.0 * np.hypot(lon[:, 0] - lon[:, 1], lat[:, 0] - lat[:, 1])
    street = old_streets + np.arange(n_new)
    both = np.concatenate
    added: dict[str, NDArray[Any]] = {
        "edge_tail": both((ends[:, 0], ends[:, 1])),
        "edge_head": both((ends[:, 1], ends[:, 0])),
        "edge_street": both((street, street)),
        "edge_along": np.repeat([True, False], n_new),
        "edge_posted_s": np.tile(length / (40 * 0.44704), 2),
        "edge_unposted_m": np.zeros(2 * n_new),
        "edge_signals": np.zeros(2 * n_new),
        "edge_stops": np.zeros(2 * n_new),
        "street_along": old_edges + np.arange(n_new),
        "street_against": old_edges + n_new + np.arange(n_new),
        "street_name": np.zeros(n_new),
        "street_class": np.full(n_new, 4),
        "street_flags": np.zeros(n_new),
        "street_way_id": -1 - np.arange(n_new),
        "street_length_m": length,
        "point_lon": lon.ravel(),
        "point_lat": lat.ravel(),
        "point_m": np.column_stack((np.zeros(n_new), length)).ravel(),
    }
    for name, values in added.items():
        c[name] = both((c[name], values)).astype(c[name].dtype)
    order = np.lexsort((c["edge_head"], c["edge_tail"]))
    new_number = np.empty(len(order), np.int32)
    new_number[order] = np.arange(len(order))
    for name in [name for name in c if name.startswith("edge_")]:
        c[name] = c[name][order]
    for name in ("street_along", "street_against"):
        c[name] = np.where(c[name] == NO_EDGE, NO_EDGE, new_number[c[name]]).astype(np.int32)
    for name in ("banned_turns", "path_edge"):
        c[name] = new_number[c[name]]
    paths = np.tile(np.diff(network.path_first), n_junctions // network.n_junctions)
    c["path_first"] = both(([0], np.cumsum(paths))).astype(np.int32)
    points = both(
        (
            np.tile(
                np.diff(network.street_point_first), len(c["junction_id"]) // network.n_junctions
            ),
            np.full(n_new, 2),
        )
    )
    c["street_point_first"] = both(([0], np.cumsum(points))).astype(np.int32)
    c["edge_first"] = np.searchsorted(c["edge_tail"], np.arange(n_junctions + 1)).astype(np.int32)
    source = replace(network.source, network_id=f"{network.source.network_id}-copies")
    return StreetNetwork(source=source, names=network.names, **c)
