"""How long each form of a city's streets takes to become a network, and how much memory.

    python -m benchmarks.network_import [FILE.osm.gz]

Every source is read in a fresh process that does nothing else, so its peak memory is its own.
Without a file the whole of Seattle is taken from the folder that `TANDEM_DATA` names.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.stopwatch import duration, machine, peak_memory_mb, table

SEATTLE = "network/seattle_drive_2026-07-18.osm.gz"
MINUTES_MAX = 20

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One source, read once from its file, libraries not yet imported."""

    seconds: float
    memory_mb: float
    file_mb: float
    streets: int
    km: float


def import_osm(path: Path) -> Reading:
    """Read OSM XML or PBF."""
    from geodata.osm_import import import_osm_file

    return _measure(path, import_osm_file)


def import_graphml(path: Path) -> Reading:
    """Read an OSMnx graph."""
    from geodata import osm_import

    return _measure(path, osm_import.import_graphml)


def load_saved(path: Path) -> Reading:
    """Map a saved network, with its checksums compared."""
    from geodata.artifacts import load_network

    return _measure(path, load_network)


def _measure(path: Path, read: Callable[[Path], object]) -> Reading:
    from geodata.network import StreetNetwork

    begin = time.perf_counter()
    network = read(path)
    seconds = time.perf_counter() - begin
    assert isinstance(network, StreetNetwork)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return Reading(
        seconds=seconds,
        memory_mb=peak_memory_mb(),
        file_mb=sum(file.stat().st_size for file in files) / 1e6,
        streets=network.n_streets,
        km=float(network.street_length_m.sum()) / 1000,
    )


def write_pbf(source: Path, target: Path) -> None:
    """Write the same elements as PBF."""
    import osmium

    with osmium.SimpleWriter(str(target)) as writer:
        for element in osmium.FileProcessor(str(source)):
            writer.add(element)


def write_graphml(source: Path, target: Path) -> None:
    """Write the same streets as an unsimplified OSMnx graph that loses nothing."""
    import osmnx

    from geodata.osm_tags import NODE_TAGS, WAY_TAGS

    osmnx.settings.all_oneway = True
    osmnx.settings.useful_tags_way = list(WAY_TAGS)
    osmnx.settings.useful_tags_node = list(NODE_TAGS)
    graph = osmnx.graph_from_xml(source, simplify=False, retain_all=True)
    osmnx.save_graphml(graph, target)


def save(source: Path, target: Path) -> None:
    """Build the network and save it."""
    from geodata.artifacts import save_network
    from geodata.osm_import import import_osm_file

    save_network(import_osm_file(source), target)


def in_fresh_process(run: Callable[..., Result], *paths: Path) -> Result:
    """Return what a function gives in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply_async(run, paths).get(timeout=60 * MINUTES_MAX)


def report(source: Path) -> str:
    """Return the table for one OSM file and what can be made of it."""
    with tempfile.TemporaryDirectory(prefix="tandem-import-") as folder:
        pbf, graphml = Path(folder) / "streets.pbf", Path(folder) / "streets.graphml"
        saved = Path(folder) / "streets"
        in_fresh_process(write_pbf, source, pbf)
        in_fresh_process(write_graphml, source, graphml)
        in_fresh_process(save, source, saved)
        readings = {
            "OSM XML, packed": in_fresh_process(import_osm, source),
            "PBF": in_fresh_process(import_osm, pbf),
            "OSMnx GraphML, unsimplified": in_fresh_process(import_graphml, graphml),
            "saved network, verified": in_fresh_process(load_saved, saved),
        }
    base = readings["OSM XML, packed"]
    rows = [
        (
            name,
            f"{row.file_mb:.1f} MB",
            duration(row.seconds),
            f"{row.seconds / base.seconds:.3g} x",
            f"{row.memory_mb:.0f} MB",
            f"{row.streets:,}",
            f"{row.km:,.3f}",
        )
        for name, row in readings.items()
    ]
    head = ("source", "size", "time", "of OSM XML", "peak memory", "streets", "km")
    return table(f"{source.name}; {machine()}", head, rows)


def main() -> None:
    """Print the table."""
    data = os.environ.get("TANDEM_DATA", Path(__file__).parents[2] / "shared" / "data")
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(data) / SEATTLE
    if not source.is_file():
        sys.exit(f"{source}: no such file. Name an .osm.gz file, or set TANDEM_DATA.")
    print(report(source))


if __name__ == "__main__":
    main()
