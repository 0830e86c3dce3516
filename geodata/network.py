"""The street network as frozen columns: junctions, streets and the directed edges along them.

What lives here: `StreetNetwork` and what its columns mean. What does not: reading files
(`osm_import`), cutting ways into streets (`street_build`), saving (`artifacts`), seconds
(`driving_time`) and finding the street beside a point (`snap`).

A *street* is the drawn line between two junctions, without a direction. It has one *edge* for each
direction in which it may be driven: one for a one-way street, two for a two-way street. All
columns are numpy arrays that cannot be written.
"""

from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

NO_EDGE: Final = -1
KMH_PER_MPH: Final = 1.609344
HOURS_PER_WEEK: Final = 168


class RoadClass(IntEnum):
    """OpenStreetMap's `highway` values that carry cars; a link (ramp) has its own value."""

    MOTORWAY = 0
    MOTORWAY_LINK = 1
    TRUNK = 2
    TRUNK_LINK = 3
    PRIMARY = 4
    PRIMARY_LINK = 5
    SECONDARY = 6
    SECONDARY_LINK = 7
    TERTIARY = 8
    TERTIARY_LINK = 9
    UNCLASSIFIED = 10
    RESIDENTIAL = 11
    LIVING_STREET = 12
    SERVICE = 13


class StreetFlag(IntFlag):
    """What is special about a street.

    CONTROLLED: motorway, motorway or trunk ramp, `motorroad`: no place for an incident.
    TUNNEL: runs below ground: no place for an incident.
    BRIDGE: runs above ground.
    ROUNDABOUT: part of a roundabout or traffic circle.
    PRIVATE: barred to the public; responders may drive it, and an answer that uses it says so.
    GATED: reversible lanes and what hangs on them alone; closed unless a time window opens them.
    """

    CONTROLLED = 1
    TUNNEL = 2
    BRIDGE = 4
    ROUNDABOUT = 8
    PRIVATE = 16
    GATED = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a network came from; goes into its manifest and every answer's `basis.network_id`."""

    network_id: str
    description: str
    kind: str
    """`PLACE`, `OSM`, `PBF`, `GRAPHML`, `TABLE` or `DRAWING`."""
    extract_date: str | None
    """Date of the data, `YYYY-MM-DD`, or None where the source does not say."""
    licence: str
    schematic: bool = False
    """True for the built-in pilot: a drawing from facts, not a survey."""
    dropped: tuple[tuple[str, int], ...] = ()
    """What the build left out, as (reason, count) pairs."""
    notes: tuple[str, ...] = ()
    """What the source could not tell, in words for a person."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StreetNetwork:
    """Streets as read-only columns; n_junctions, n_edges, n_streets, n_points ... are sizes.

    Edges are sorted by their tail, so that `edge_first[j]:edge_first[j + 1]` are the edges that
    leave junction j. Angles are WGS 84 degrees, lengths metres.
    """

    source: Source
    names: tuple[str, ...]
    """Street names; `names[0]` is '' (unnamed)."""

    junction_id: NDArray[np.int64]
    """(n_junctions,) the source's node id."""
    junction_lon: NDArray[np.float64]
    """(n_junctions,) degrees."""
    junction_lat: NDArray[np.float64]
    """(n_junctions,) degrees."""

    edge_first: NDArray[np.int32]
    """(n_junctions + 1,) first edge that leaves each junction."""
    edge_tail: NDArray[np.int32]
    """(n_edges,) junction where the edge begins."""
    edge_head: NDArray[np.int32]
    """(n_edges,) junction where it ends; may equal the tail (a loop)."""
    edge_street: NDArray[np.int32]
    """(n_edges,) the street it runs along."""
    edge_along: NDArray[np.bool_]
    """(n_edges,) True when it runs in the street's drawing direction."""
    edge_posted_s: NDArray[np.float64]
    """(n_edges,) seconds at the posted limit over the parts that have one, summed part by part."""
    edge_unposted_m: NDArray[np.float64]
    """(n_edges,) metres without a posted limit; their speed follows from the road class."""
    edge_signals: NDArray[np.int16]
    """(n_edges,) traffic signals met after the tail, up to and including the head."""
    edge_stops: NDArray[np.int16]
    """(n_edges,) stop signs met after the tail, up to and including the head."""

    street_along: NDArray[np.int32]
    """(n_streets,) edge in the drawing direction, or NO_EDGE."""
    street_against: NDArray[np.int32]
    """(n_streets,) edge against the drawing direction, or NO_EDGE; one of the two exists."""
    street_name: NDArray[np.int32]
    """(n_streets,) index into `names`."""
    street_class: NDArray[np.uint8]
    """(n_streets,) `RoadClass`."""
    street_flags: NDArray[np.uint8]
    """(n_streets,) `StreetFlag` bits."""
    street_way_id: NDArray[np.int64]
    """(n_streets,) the source's id of the way where the street begins."""
    street_length_m: NDArray[np.float64]
    """(n_streets,) metres along the drawn line."""
    street_point_first: NDArray[np.int32]
    """(n_streets + 1,) first point of each street's line."""
    point_lon: NDArray[np.float64]
    """(n_points,) degrees."""
    point_lat: NDArray[np.float64]
    """(n_points,) degrees."""
    point_m: NDArray[np.float64]
    """(n_points,) metres from the start of the street to this point."""

    banned_turns: NDArray[np.int32]
    """(n_bans, 2) edge arrived by, edge that must not follow it; they meet at a junction."""
    path_first: NDArray[np.int32]
    """(n_paths + 1,) first edge of each banned path."""
    path_edge: NDArray[np.int32]
    """(n_path_edges,) the edges of a banned path: who has driven all but the last, one after the
    other, must not drive the last. Turns banned in some hours only are paths of two edges."""
    path_hours: NDArray[np.bool_]
    """(n_paths, 168) the hours of the week in which each path is banned, from Monday 00."""

    def __post_init__(self) -> None:
        for column in self.columns().values():
            column.setflags(write=False)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return every array by its name, in the order of declaration."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    @property
    def n_junctions(self) -> int:
        """Number of junctions."""
        return len(self.junction_id)

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return len(self.edge_tail)

    @property
    def n_streets(self) -> int:
        """Number of streets."""
        return len(self.street_name)

    @property
    def n_paths(self) -> int:
        """Number of banned paths."""
        return len(self.path_hours)

    def path(self, number: int) -> tuple[int, ...]:
        """Return the edges of a banned path."""
        return tuple(self.path_edge[self.path_first[number] : self.path_first[number + 1]].tolist())

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        lon, lat = self.point_lon, self.point_lat
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    @cached_property
    def edge_opposite(self) -> NDArray[np.int32]:
        """(n_edges,) the edge of the same street in the other direction, or NO_EDGE."""
        street = self.edge_street
        return np.where(self.edge_along, self.street_against[street], self.street_along[street])

    @cached_property
    def _names_by_junction(self) -> tuple[tuple[str, ...], ...]:
        """The names of the streets that meet at each junction, as `names_at`; 2 MB for a city."""
        alphabet = sorted(set(self.names) - {""})
        order = {name: place for place, name in enumerate(alphabet)}
        rank = np.array([order.get(name, -1) for name in self.names], np.int64)
        junction = np.concatenate((self.edge_tail, self.edge_head)).astype(np.int64)
        met = np.tile(rank[self.street_name[self.edge_street]], 2)
        n = max(len(alphabet), 1)
        keys = np.unique(junction[met >= 0] * n + met[met >= 0])
        first = np.searchsorted(keys, np.arange(self.n_junctions + 1) * n).tolist()
        names = [alphabet[place] for place in (keys % n).tolist()]
        return tuple([tuple(names[low:high]) for low, high in pairwise(first)])

    def names_at(self, junction: int) -> tuple[str, ...]:
        """Return the names of the streets that meet at a junction, in order of the alphabet.

        Each name once; unnamed streets are left out.
        """
        return self._names_by_junction[junction]

    def ends_of(self, street: int) -> tuple[int, int]:
        """Return the junctions at both ends of a street: tail and head of one of its edges."""
        edge = max(self.street_along.item(street), self.street_against.item(street))
        return self.edge_tail.item(edge), self.edge_head.item(edge)

    def street_line(self, street: int) -> NDArray[np.float64]:
        """Return the drawn line of a street, (n, 2) lon and lat in degrees."""
        part = slice(self.street_point_first[street], self.street_point_first[street + 1])
        return np.column_stack((self.point_lon[part], self.point_lat[part]))

    def name_of(self, street: int) -> str:
        """Return the street's name, '' when it has none."""
        return self.names[self.street_name.item(street)]
