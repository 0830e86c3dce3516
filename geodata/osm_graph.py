"""An OSMnx graph, already in memory, is brought into the form that every source takes.

What lives here: the conversion of plain (unsimplified) and simplified graphs to `RawStreets`. What
does not: making or loading graphs (`osm_import`, the only importer of OSMnx and networkx).

A plain graph made with `all_oneway=True` and our `WAY_TAGS` and `NODE_TAGS` holds all that an OSM
file does but turn restrictions. Other graphs lack something, which `Source.notes` then says.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np

from geodata.errors import NoStreetsError, StreetDataError
from geodata.network import Source
from geodata.osm_file import raw_way
from geodata.osm_tags import (
    NODE_TAGS,
    ROAD_CLASSES,
    WAY_TAGS,
    Tags,
    WayTags,
    read_control,
    read_way,
)
from geodata.raw_streets import Direction, RawStreets, RawWay

NO_RESTRICTIONS: Final = (
    "OSMnx graphs hold no turn restrictions: every turn is taken to be allowed."
)
NO_REVERSIBLE: Final = (
    "The graph was made without `all_oneway=True`: reversible lanes are taken to be two-way, and "
    "on ways driven against their nodes the direction of stop signs may be mistaken."
)
NO_INSIDE: Final = (
    "The graph is simplified: signals and stop signs inside streets are lost, and where ways of "
    "different name, class or limit were joined the street has one of the names, the highest class "
    "and the mean limit."
)
NO_CONTROLS: Final = (
    "The graph's nodes have no `highway` tag: signals and stop signs are not counted."
)

TAGS: Final = frozenset({*WAY_TAGS, *NODE_TAGS})


class Graph(Protocol):
    """The part of `networkx.MultiDiGraph` that is used here."""

    graph: dict[str, Any]

    @property
    def nodes(self) -> Any:
        """Called with `data=True`: pairs of node id and attributes."""

    @property
    def edges(self) -> Any:
        """Called with `keys=True, data=True`: tail, head, key and attributes."""


class _Nodes:
    """Columns of nodes; points of a line without an id of their own get negative ones."""

    def __init__(self, graph: Graph) -> None:
        rows = sorted(graph.nodes(data=True))
        self.node_id = [int(node) for node, _ in rows]
        self.lon = [float(data["x"]) for _, data in rows]
        self.lat = [float(data["y"]) for _, data in rows]
        self.control = [int(read_control(_plain(data))) for _, data in rows]
        self.tagged = any("highway" in data for _, data in rows)

    def add_line(self, points: list[tuple[float, float]]) -> list[int]:
        """Add points and return their ids."""
        added = [-1 - len(self.node_id) - place for place in range(len(points))]
        self.node_id += added
        self.lon += [lon for lon, _ in points]
        self.lat += [lat for _, lat in points]
        self.control += [0] * len(points)
        return added


def streets_of_graph(graph: Graph, source: Source) -> RawStreets:
    """Return the car roads of an OSMnx graph, simplified or not.

    Raises
    ------
    StreetDataError
        The graph is projected, or lacks OSMnx's attributes (`x`, `y`, `osmid`, `highway`).
    NoStreetsError
        The graph has no edges.
    """
    crs = str(graph.graph.get("crs", "epsg:4326")).lower()
    if crs not in ("epsg:4326", "wgs84", "+init=epsg:4326"):
        raise StreetDataError(
            f"{source.description} is projected ({crs}); expected degrees (epsg:4326). "
            "Save it again after `osmnx.project_graph(graph, to_latlong=True)`."
        )
    edges = sorted(graph.edges(keys=True, data=True), key=lambda edge: edge[:3])
    if not edges:
        raise NoStreetsError(f"{source.description} has no edges. Make the graph of a larger area.")
    dropped: Counter[str] = Counter()
    try:
        nodes = _Nodes(graph)
        simplified = any("geometry" in data for *_, data in edges)
        simplified |= str(graph.graph.get("simplified", False)) == "True"
        rows = (
            _simplified_ways(edges, nodes, dropped) if simplified else _plain_ways(edges, dropped)
        )
        ways = tuple(rows)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StreetDataError(
            f"{source.description} is no street graph of OSMnx: {type(error).__name__} {error}. "
            "Make it with `osmnx.graph_from_place` or `graph_from_xml` and `save_graphml`."
        ) from error
    notes = [NO_RESTRICTIONS]
    if not simplified and {str(data.get("oneway")) for *_, data in edges} <= {"True", "False"}:
        notes.append(NO_REVERSIBLE)
    notes += [NO_INSIDE] if simplified else []
    notes += [] if nodes.tagged else [NO_CONTROLS]
    return RawStreets(
        source=replace(source, dropped=tuple(sorted(dropped.items())), notes=tuple(notes)),
        node_id=np.array(nodes.node_id, np.int64),
        node_lon=np.array(nodes.lon, np.float64),
        node_lat=np.array(nodes.lat, np.float64),
        node_control=np.array(nodes.control, np.uint8),
        ways=ways,
    )


def _plain_ways(
    edges: list[tuple[int, int, int, dict[str, Any]]], dropped: Counter[str]
) -> Iterator[RawWay]:
    """Yield one row per edge that runs with its way; each is a piece of the way `osmid`."""
    read: dict[int, WayTags | str] = {}
    for tail, head, _, data in edges:
        way_id = int(data["osmid"])
        if way_id not in read:
            read[way_id] = read_way(_plain(data))
            if isinstance(reason := read[way_id], str):
                dropped[reason] += 1
        tags = read[way_id]
        if isinstance(tags, str) or str(data.get("reversed")) == "True":
            continue
        yield raw_way(way_id, [head, tail] if tags.turned else [tail, head], tags)


def _simplified_ways(
    edges: list[tuple[int, int, int, dict[str, Any]]], nodes: _Nodes, dropped: Counter[str]
) -> Iterator[RawWay]:
    """Yield one row per drawn line; an edge and its twin in the other direction are one line."""
    place = {node: (nodes.lon[row], nodes.lat[row]) for row, node in enumerate(nodes.node_id)}
    twins: dict[tuple[Any, ...], list[int]] = {}
    lines = [_line(edge, place) for edge in edges]
    for row, (edge, line) in enumerate(zip(edges, lines, strict=True)):
        twins.setdefault((*edge[:2], _osmids(edge[3]), tuple(line)), []).append(row)
    used: set[int] = set()
    for row, ((tail, head, _, data), line) in enumerate(zip(edges, lines, strict=True)):
        if row in used:
            continue
        used.add(row)
        back = twins.get((head, tail, _osmids(data), tuple(reversed(line))), [])
        twin = next((other for other in back if other not in used), None)
        read = read_way(_plain(data))
        if isinstance(read, str):
            dropped[read] += 1
            continue
        if twin is not None:
            used.add(twin)
        two_way = Direction.BOTH if twin is not None else Direction.ALONG
        inside = nodes.add_line(line[1:-1])
        way = raw_way(_osmids(data)[0], [tail, *inside, head], replace(read, turned=False))
        gated = read.direction is Direction.REVERSIBLE
        yield replace(way, direction=read.direction if gated else two_way)


def _osmids(data: dict[str, Any]) -> tuple[int, ...]:
    """Return the ids of the ways that an edge runs along, ascending."""
    found = data["osmid"]
    return tuple(sorted(int(one) for one in found)) if isinstance(found, list) else (int(found),)


def _line(
    edge: tuple[int, int, int, dict[str, Any]], place: dict[int, tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return the points of an edge from tail to head."""
    tail, head, _, data = edge
    if "geometry" in data:
        return [(lon, lat) for lon, lat, *_ in data["geometry"].coords]
    return [place[tail], place[head]]


def _plain(data: dict[str, Any]) -> Tags:
    """Return the OSM tags among the attributes, each one string.

    Of the several values of a simplified edge: the highest class, all limits (their mean is taken),
    of `tunnel`, `bridge` and `motorroad` any that is not "no", and else the first in order.
    """
    tags = {}
    for key, value in data.items():
        if key not in TAGS or value is None:
            continue
        values = sorted({str(one) for one in value} if isinstance(value, list) else {str(value)})
        if key == "highway":
            values.sort(key=lambda one: ROAD_CLASSES.get(one, len(ROAD_CLASSES)))
        elif key.startswith("maxspeed"):
            values = [";".join(values)]
        elif key in ("tunnel", "bridge", "motorroad"):
            values.sort(key=lambda one: one == "no")
        text = values[0]
        tags[key] = {"True": "yes", "False": "no"}.get(text, text) if key == "oneway" else text
    return tags
