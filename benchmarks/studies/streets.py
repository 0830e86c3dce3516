"""The streets of a study: a built folder, an OSM extract (imported once), or the built-in drawing.

What lives here: loading and the cache of imported extracts. What does not: importing itself
(`geodata.osm_import`), and drive times.

An extract takes some twenty seconds to import. What comes of it is kept in the folder of compiled
kernels (`TANDEM_CACHE_DIR`), named by the extract's sha256 and the versions of what is kept; it
appears there whole or not at all, and a damaged one is made anew.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from geodata.artifacts import MANIFEST, NETWORK, file_sha256, load_network, save_network
from geodata.compiled import FOLDER
from geodata.errors import ArtifactError
from geodata.network import StreetNetwork
from geodata.snap import StreetIndex
from routing.road_hierarchy import (
    HIERARCHY,
    HIERARCHY_FOLDER,
    RoadHierarchy,
    build_hierarchy,
    load_or_build_hierarchy,
    save_hierarchy,
)
from routing.turns import TurnGraph

Say = Callable[[str], None]
Streets = tuple[StreetNetwork, TurnGraph, RoadHierarchy]
LOADED_MAX: Final = 4


def say_nothing(_what: str) -> None:
    """Do nothing."""


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file; of a built folder that of its manifest, which has all others."""
    return file_sha256(file / MANIFEST if file.is_dir() else file)


@lru_cache(maxsize=LOADED_MAX)
def street_index(network: StreetNetwork) -> StreetIndex:
    """Return what finds places on streets, made once for a network that is loaded."""
    return StreetIndex.build(network)


def load_streets(network: Path | None, say: Say = say_nothing) -> Streets:
    """Return the streets with what the kernel knows of them.

    Raises
    ------
    GeodataError
        They cannot be loaded or imported; the message has the remedy.
    OSError
        The file cannot be read.
    """
    if network is None:
        return _built_in()
    digest = sha256_of(network)
    if network.is_dir():
        return _saved(network, digest)
    folder = _cached(digest)
    if folder is None:
        say("importing streets")
        return _imported(network)
    try:
        return _saved(folder, digest)
    except ArtifactError:
        say("importing streets (kept for the next time)")
        found = _imported(network)
        _keep(folder, found)
        return found


@lru_cache(maxsize=1)
def _built_in() -> Streets:
    from geodata.pilot.streets import pilot_network  # brings the street build, which is not light

    network = pilot_network()
    return network, *build_hierarchy(network)


@lru_cache(maxsize=LOADED_MAX)
def _saved(folder: Path, _digest: str) -> Streets:
    network = load_network(folder)
    return network, *load_or_build_hierarchy(folder, network)


def _imported(extract: Path) -> Streets:
    from geodata.osm_import import import_osm_file  # brings OSMnx, which is not light

    network = import_osm_file(extract)
    return network, *build_hierarchy(network)


def _cached(digest: str) -> Path | None:
    """Return where the streets of an extract are kept, None where nothing can be."""
    if FOLDER is None:
        return None
    return FOLDER.parent / f"streets-v{NETWORK.version}-{HIERARCHY.version}-{digest[:16]}"


def _keep(folder: Path, streets: Streets) -> None:
    """Save streets for the next time; a full disk means importing again then."""
    network, _, hierarchy = streets
    try:
        save_network(network, folder)
        save_hierarchy(folder / HIERARCHY_FOLDER, network, hierarchy)
    except (OSError, ArtifactError):
        return
