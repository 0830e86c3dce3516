"""OpenStreetMap, in every form we take it, becomes a `StreetNetwork`.

What lives here: the functions to call, and all use of OSMnx and networkx. What does not: reading
files with pyosmium (`osm_file`), OSMnx's graphs in memory (`osm_graph`), the meaning of tags
(`osm_tags`), cutting (`street_build`). The heavy libraries are imported inside the functions, so
that importing this module is light.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import ParseError

from geodata.errors import MapServiceError, StreetFileError
from geodata.network import RoadClass, Source, StreetNetwork
from geodata.osm_file import LICENCE, check_file, file_stem, read_osm_file
from geodata.osm_graph import Graph, streets_of_graph
from geodata.osm_tags import NODE_TAGS, WAY_TAGS
from geodata.raw_streets import Progress, say_nothing
from geodata.street_build import build_network

if TYPE_CHECKING:
    import requests

GRAPHML_ENDINGS: Final = (".graphml", ".graphml.gz")
BUSY_STATUS: Final = frozenset({429, 504})
BUSY_ANSWERS_MAX: Final = 3
"""OSMnx asks a busy server again after 55 s, for ever; after this many such answers we stop."""
OVERPASS_URL: Final = "https://overpass-api.de/api"
NOMINATIM_URL: Final = "https://nominatim.openstreetmap.org/"


def import_osm_file(
    path: str | Path, *, network_id: str | None = None, progress: Progress | None = None
) -> StreetNetwork:
    """Return the streets of an `.osm`, `.osm.gz`, `.osm.bz2` or `.pbf` file.

    `network_id` is the file's name without its ending unless given.

    Raises
    ------
    StreetFileError
        The file is missing, foreign, empty or truncated; the message says where.
    NoStreetsError
        The file has no connected car roads.
    CoordinateError
        A node is not at degrees of longitude and latitude.
    """
    path = Path(path)
    say = progress or say_nothing
    return build_network(read_osm_file(path, network_id or file_stem(path), say), say)


def import_graphml(
    path: str | Path, *, network_id: str | None = None, progress: Progress | None = None
) -> StreetNetwork:
    """Return the streets of a GraphML file that OSMnx has saved.

    A file made like this gives exactly the streets of the OSM file it was made from, but for turn
    restrictions, which OSMnx does not keep::

        ox.settings.useful_tags_way = list(osm_tags.WAY_TAGS)
        ox.settings.useful_tags_node = list(osm_tags.NODE_TAGS)
        ox.settings.all_oneway = True     # or `oneway=reversible` is lost
        graph = ox.graph_from_xml("streets.osm", simplify=False, retain_all=True)
        ox.save_graphml(graph, "streets.graphml")

    Simplified graphs are read too; `source.notes` then says what could not be told.

    Raises
    ------
    StreetFileError
        The file is missing, empty, or no GraphML; the message says where.
    StreetDataError
        The graph is projected or was not made by OSMnx.
    """
    path = Path(path)
    say = progress or say_nothing
    check_file(path, GRAPHML_ENDINGS)
    say("read graph", None)
    graph = _load_graphml(path)
    source = Source(
        network_id=network_id or file_stem(path),
        description=f"Car roads of the OSMnx graph {path.name}",
        kind="GRAPHML",
        extract_date=None,
        licence=LICENCE,
    )
    return build_network(streets_of_graph(graph, source), say)


def _load_graphml(path: Path) -> Graph:
    """Load a graph with every attribute of ways and nodes as OSM has it."""
    import networkx as nx
    import osmnx

    as_written = {"oneway": str, "reversed": str}
    try:
        graph: Graph = osmnx.load_graphml(path, edge_dtypes=as_written)
    except (ParseError, nx.NetworkXException, OSError, EOFError) as error:
        raise StreetFileError(
            f"{path}: not a readable GraphML file: {error}. Save it again with osmnx.save_graphml."
        ) from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise StreetFileError(
            f"{path}: not a graph that OSMnx has saved ({type(error).__name__}: {error}). "
            "Save it with osmnx.save_graphml."
        ) from error
    return graph


@dataclass(frozen=True, slots=True, kw_only=True)
class MapService:
    """Where and how places are asked for; the defaults are OpenStreetMap's public servers."""

    overpass_url: str = OVERPASS_URL
    nominatim_url: str = NOMINATIM_URL
    cache_folder: Path | None = None
    """Where OSMnx keeps answers; None keeps none."""
    timeout_s: float = 180.0


def import_place(
    name: str,
    *,
    network_id: str | None = None,
    service: MapService | None = None,
    progress: Progress | None = None,
) -> StreetNetwork:
    """Ask Nominatim for a place's outline and Overpass for its car roads.

    Parameters
    ----------
    name
        As one would type it in a map's search: "Seattle, Washington, USA". It must be an area.
    service
        Servers and cache; OpenStreetMap's own, without a cache, unless given.

    Raises
    ------
    MapServiceError
        A server cannot be reached, stays busy, or does not know the place as an area.
    StreetDataError
        The place has no connected car roads.
    """
    service = service or MapService()
    say = progress or say_nothing
    say("ask the map service", None)
    talk = _Talk()
    with _osmnx_settings(service, talk):
        graph = _ask(name, service)
    source = Source(
        network_id=network_id or re.sub(r"\W+", "_", name.lower()).strip("_"),
        description=f"Car roads of {name}, from OpenStreetMap by Overpass",
        kind="PLACE",
        extract_date=talk.extract_date,
        licence=LICENCE,
    )
    return build_network(streets_of_graph(graph, source), say)


def _ask(name: str, service: MapService) -> Graph:
    """Return the plain graph of a place, or raise `MapServiceError`."""
    import osmnx
    import requests

    classes = "|".join(value.name.lower() for value in RoadClass)
    try:
        requests.get(
            f"{service.overpass_url.rstrip('/')}/status", timeout=service.timeout_s
        ).close()
        graph: Graph = osmnx.graph_from_place(
            name,
            custom_filter=f'["highway"~"^({classes}|road)$"]["area"!~"yes"]',
            simplify=False,
            retain_all=True,
            truncate_by_edge=True,
        )
    except requests.RequestException as error:
        raise MapServiceError(
            f"The map service cannot be reached: {error}. Check the network and the addresses "
            f"{service.overpass_url} and {service.nominatim_url}, or build from a downloaded .osm "
            "or .pbf file."
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise MapServiceError(
            f"The map service gave no streets for '{name}': {error}. Check the spelling; the place "
            "must be an area, such as a city or a county, that has car roads."
        ) from error
    return graph


@dataclass(slots=True)
class _Talk:
    """Listens to every answer of the servers while OSMnx talks to them."""

    extract_date: str | None = None
    busy: int = field(default=0)

    def hear(self, response: "requests.Response", *_: object, **__: object) -> None:
        """Note the date of the data, and stop a talk with a server that stays busy."""
        if response.status_code in BUSY_STATUS:
            self.busy += 1
            if self.busy >= BUSY_ANSWERS_MAX:
                raise MapServiceError(
                    f"{response.url.split('?')[0]} was busy {self.busy} times (status "
                    f"{response.status_code}). Try again later or build from a file."
                )
        found = re.search(r'"timestamp_osm_base":\s*"(\d{4}-\d\d-\d\d)', response.text[:2000])
        if found:
            self.extract_date = found.group(1)


@contextmanager
def _osmnx_settings(service: MapService, talk: _Talk) -> Iterator[None]:
    """Set OSMnx's global settings for one talk, and put back all that it changes."""
    import osmnx

    wanted: dict[str, Any] = {
        "all_oneway": True,
        "useful_tags_way": list(WAY_TAGS),
        "useful_tags_node": list(NODE_TAGS),
        "overpass_url": service.overpass_url,
        "nominatim_url": service.nominatim_url,
        "requests_timeout": service.timeout_s,
        "requests_kwargs": {"hooks": {"response": talk.hear}},
        "use_cache": service.cache_folder is not None,
        "cache_folder": str(service.cache_folder or ""),
        "log_console": False,
        "log_file": False,
    }
    before = {name: getattr(osmnx.settings, name) for name in wanted}
    look_up = socket.getaddrinfo
    for name, value in wanted.items():
        setattr(osmnx.settings, name, value)
    try:
        yield
    finally:
        socket.getaddrinfo = look_up
        for name, value in before.items():
            setattr(osmnx.settings, name, value)
