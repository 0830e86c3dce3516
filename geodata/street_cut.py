"""Ways are cut into pieces (node to node), and pieces joined to streets (junction to junction).

What lives here: `Pieces`, the drawn line between two consecutive nodes of a way as columns, and
`Streets`, the runs of pieces between junctions. What does not: directions of travel as edges
(`street_edges`) and what is kept of them (`street_core`).
"""

from dataclasses import dataclass
from itertools import chain
from typing import Final, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.earth import line_lengths_m
from geodata.errors import CoordinateError, NoStreetsError
from geodata.raw_streets import Direction, RawStreets, RawWay

NO_END: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Nodes, ways and the pieces between nodes, each as columns.

    Nodes are sorted by id and hold only those that a piece uses; pieces are sorted by way id and
    end nodes, so that nothing depends on the order in which the source tells them.
    """

    node_id: NDArray[np.int64]
    node_lon: NDArray[np.float64]
    node_lat: NDArray[np.float64]
    node_control: NDArray[np.uint8]
    node_degree: NDArray[np.int64]
    """(n_nodes,) piece ends that meet at the node."""
    node_forced: NDArray[np.bool_]
    """(n_nodes,) a turn restriction needs the street to end here."""

    way_id: NDArray[np.int64]
    way_kind: NDArray[np.int64]
    """(n_ways,) equal where name, class, flags and kind of direction are."""
    way_direction: NDArray[np.uint8]
    way_turned: NDArray[np.bool_]
    way_class: NDArray[np.uint8]
    way_flags: NDArray[np.uint8]
    way_name: NDArray[np.int64]
    """(n_ways,) index into `names`."""
    way_limits_kmh: NDArray[np.float64]
    """(2, n_ways) limit along and against, NaN where unposted."""
    names: tuple[str, ...]

    tail: NDArray[np.int64]
    """(n_pieces,) node where the piece begins, in the order of its way."""
    head: NDArray[np.int64]
    way: NDArray[np.int64]
    length_m: NDArray[np.float64]
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """Runs of pieces between junctions: street s has `order[first[s]:first[s + 1]]`."""

    order: NDArray[np.int64]
    """(n_pieces,) piece numbers, street after street."""
    flipped: NDArray[np.bool_]
    """(n_pieces,) True where the street runs against the way of `order`'s piece."""
    first: NDArray[np.int64]
    """(n_streets + 1,)"""
    tail: NDArray[np.int64]
    """(n_streets,) node where the street begins."""
    head: NDArray[np.int64]
    length_m: NDArray[np.float64]
    first_way: NDArray[np.int64]
    """(n_streets,) way of the first piece, as an index; `last_way` of the last."""
    last_way: NDArray[np.int64]

    def lines_of(
        self, kept: NDArray[np.int64], pieces: Pieces
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
        """Return first point (n_kept + 1,), node and metres (n_points,) of the kept streets."""
        n_pieces = np.diff(self.first)[kept]
        first = np.concatenate(([0], np.cumsum(n_pieces + 1)))
        at_end = np.repeat(np.arange(len(kept)), n_pieces)
        place = np.arange(n_pieces.sum()) + at_end
        source = np.arange(n_pieces.sum()) + np.repeat(
            self.first[kept] - (first[:-1] - np.arange(len(kept))), n_pieces
        )
        node = np.empty(first[-1], np.int64)
        metres = np.empty(first[-1], np.float64)
        node[place] = self.piece_tail(pieces)[source]
        metres[place] = self.start_m(pieces)[source]
        node[first[1:] - 1] = self.head[kept]
        metres[first[1:] - 1] = self.length_m[kept]
        return first.astype(np.int32), node, metres

    def piece_tail(self, pieces: Pieces) -> NDArray[np.int64]:
        """Return the node where each piece of `order` begins, in the street's direction."""
        return np.where(self.flipped, pieces.head[self.order], pieces.tail[self.order])

    def piece_head(self, pieces: Pieces) -> NDArray[np.int64]:
        """Return the node where each piece of `order` ends, in the street's direction."""
        return np.where(self.flipped, pieces.tail[self.order], pieces.head[self.order])

    def start_m(self, pieces: Pieces) -> NDArray[np.float64]:
        """Return metres from the street's start to the start of each piece of `order`."""
        length = pieces.length_m[self.order]
        before = np.concatenate(([0.0], np.cumsum(length)[:-1]))
        start_m: NDArray[np.float64] = before - np.repeat(
            before[self.first[:-1]], np.diff(self.first)
        )
        return start_m


def cut_pieces(raw: RawStreets) -> Pieces:
    """Return the pieces of all ways; parts at missing nodes and repeated nodes are left out.

    Different nodes at one place, joined by a piece without length, become one node.
    """
    ways = sorted(raw.ways, key=lambda way: way.way_id)
    order = np.argsort(raw.node_id, kind="stable")
    node_id = raw.node_id[order]
    refs = np.fromiter(chain.from_iterable(way.node_ids for way in ways), np.int64)
    if not len(refs) or not len(node_id):
        raise _no_streets(raw)
    ref_way = np.repeat(np.arange(len(ways)), [len(way.node_ids) for way in ways])
    node = np.minimum(np.searchsorted(node_id, refs), len(node_id) - 1)
    known = node_id[node] == refs
    lon, lat = raw.node_lon[order], raw.node_lat[order]
    _check_degrees(raw, node_id, lon, lat, np.unique(node[known]))
    length = line_lengths_m(lon[node], lat[node])
    same_way = ref_way[:-1] == ref_way[1:]
    usable = same_way & known[:-1] & known[1:]
    control = raw.node_control[order]
    merged, control = _merge_places(node, usable & (length == 0), control)
    piece = usable & (length > 0)
    if not piece.any():
        raise _no_streets(raw)
    ends = merged[np.column_stack((node[:-1], node[1:]))[piece]]
    used, ends = np.unique(ends, return_inverse=True)
    tail, head = ends.reshape(-1, 2).T
    way = ref_way[:-1][piece]
    way_id = np.array([row.way_id for row in ways], np.int64)
    canonical = np.lexsort((head, tail, way_id[way]))
    tail, head, way = tail[canonical], head[canonical], way[canonical]
    return Pieces(
        node_id=node_id[used],
        node_lon=lon[used],
        node_lat=lat[used],
        node_control=control[used],
        node_degree=np.bincount(np.concatenate((tail, head)), minlength=len(used)),
        node_forced=_forced(raw, node_id[used], set(way_id.tolist())),
        way_id=way_id,
        **_way_columns(ways),
        tail=tail,
        head=head,
        way=way,
        length_m=length[piece][canonical],
        dropped={
            "parts of ways with nodes missing from the source": int((same_way & ~usable).sum())
        },
    )


def _no_streets(raw: RawStreets) -> NoStreetsError:
    """Return the error for a source without a single piece of road."""
    return NoStreetsError(
        f"'{raw.source.network_id}' has no car roads ({len(raw.ways)} ways, {len(raw.node_id)} of "
        "their nodes). Expected ways with `highway` = residential, primary ... and their nodes; "
        "check the place and the filter of the extract."
    )


def _check_degrees(
    raw: RawStreets,
    node_id: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    used: NDArray[np.int64],
) -> None:
    """Raise `CoordinateError` for the first used node that is not on the globe."""
    good = (np.abs(lon[used]) <= 180) & (np.abs(lat[used]) <= 90)
    if good.all():
        return
    bad = used[~good][0]
    raise CoordinateError(
        f"Node {node_id[bad]} of '{raw.source.network_id}' is at lon {lon[bad]}, lat {lat[bad]}; "
        f"expected degrees within -180..180 and -90..90 ({int((~good).sum())} such nodes). "
        "Projected data (metres or feet) must be brought to EPSG:4326 first."
    )


def _merge_places(
    node: NDArray[np.int64], without_length: NDArray[np.bool_], control: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return for each node the lowest one at its place, and controls gathered there."""
    n_nodes = len(control)
    tail, head = node[:-1][without_length], node[1:][without_length]
    if (tail == head).all():
        return np.arange(n_nodes), control
    joined = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    _, group = connected_components(joined, directed=False)
    _, lowest = np.unique(group, return_index=True)
    merged = lowest[group]
    gathered = np.zeros(n_nodes, np.uint8)
    np.bitwise_or.at(gathered, merged, control)
    return merged, gathered


def _forced(raw: RawStreets, node_id: NDArray[np.int64], way_ids: set[int]) -> NDArray[np.bool_]:
    """Return the nodes where a street must end because of a restriction of known ways.

    There one known way must not be followed by another, or a way begins over which a restriction
    leads: whoever starts on it has not come over the way before it.
    """
    barred: set[int] = set()
    over: set[int] = set()
    for row in raw.restrictions:
        if not way_ids.issuperset((row.from_way, row.to_way, *row.via_ways)):
            continue
        over.update(row.via_ways)
        if row.via_node is not None and not (row.only or row.u_turn or row.from_way == row.to_way):
            barred.add(row.via_node)
    for way in raw.ways if over else ():
        if way.way_id in over:
            barred.update((way.node_ids[0], way.node_ids[-1]))
    return np.isin(node_id, np.fromiter(barred, np.int64))


class _WayColumns(TypedDict):
    way_kind: NDArray[np.int64]
    way_direction: NDArray[np.uint8]
    way_turned: NDArray[np.bool_]
    way_class: NDArray[np.uint8]
    way_flags: NDArray[np.uint8]
    way_name: NDArray[np.int64]
    way_limits_kmh: NDArray[np.float64]
    names: tuple[str, ...]


def _way_columns(ways: list[RawWay]) -> _WayColumns:
    """Return the columns of `Pieces` that hold what the ways have in common or not."""
    names = ("", *sorted({way.name for way in ways} - {""}))
    number = {name: index for index, name in enumerate(names)}
    kinds = [(way.name, way.road_class, way.flags, way.direction) for way in ways]
    kind_number = {kind: index for index, kind in enumerate(dict.fromkeys(kinds))}
    limits = [
        [
            np.nan if limit is None else limit
            for limit in (way.limit_along_kmh, way.limit_against_kmh)
        ]
        for way in ways
    ]
    return {
        "way_kind": np.array([kind_number[kind] for kind in kinds]),
        "way_direction": np.array([way.direction for way in ways], np.uint8),
        "way_turned": np.array([way.turned for way in ways], np.bool_),
        "way_class": np.array([way.road_class for way in ways], np.uint8),
        "way_flags": np.array([way.flags for way in ways], np.uint8),
        "way_name": np.array([number[way.name] for way in ways]),
        "way_limits_kmh": np.array(limits, np.float64).T,
        "names": names,
    }


def join_streets(pieces: Pieces) -> Streets:
    """Chain pieces over all nodes where exactly two of one kind and fitting direction meet.

    A street is drawn in the direction of its first piece in canonical order. A closed loop without
    any junction begins at the tail of that piece.
    """
    partner = _partners(pieces).tolist()
    n_pieces = len(pieces.tail)
    seen = bytearray(n_pieces)
    order: list[int] = []
    flipped: list[bool] = []
    first = [0]
    for piece in range(n_pieces):
        if seen[piece]:
            continue
        end = 2 * piece
        while (other := partner[end]) != NO_END and other >> 1 != piece:
            end = other ^ 1
        if partner[end] != NO_END:
            end = 2 * piece
        start = end >> 1
        while True:
            seen[end >> 1] = 1
            order.append(end >> 1)
            flipped.append(bool(end & 1))
            end = partner[end ^ 1]
            if end == NO_END or end >> 1 == start:
                break
        first.append(len(order))
    return _describe(pieces, np.array(order), np.array(flipped), np.array(first))


def _partners(pieces: Pieces) -> NDArray[np.int64]:
    """Return for each piece end (2 x piece, + 1 at the head) the end it continues with.

    A one-way piece continues from head to tail only; where two of them converge or part, and at
    every other kind of junction, the value is NO_END.
    """
    end_node = np.column_stack((pieces.tail, pieces.head)).ravel()
    partner = np.full(len(end_node), NO_END)
    if not len(end_node):
        return partner
    by_node = np.argsort(end_node, kind="stable")
    plain = (pieces.node_degree == 2) & ~pieces.node_forced
    here = by_node[plain[end_node[by_node]]].reshape(-1, 2)
    one, two = here.T
    way_one, way_two = pieces.way[one // 2], pieces.way[two // 2]
    alike = pieces.way_kind[way_one] == pieces.way_kind[way_two]
    fitting = (pieces.way_direction[way_one] != Direction.ALONG) | (one % 2 != two % 2)
    joined = alike & fitting
    partner[one[joined]] = two[joined]
    partner[two[joined]] = one[joined]
    return partner


def _describe(
    pieces: Pieces,
    order: NDArray[np.int64],
    flipped: NDArray[np.bool_],
    first: NDArray[np.int64],
) -> Streets:
    """Return the streets with their ends and lengths."""
    start, last = first[:-1], first[1:] - 1
    tail = np.where(flipped, pieces.head[order], pieces.tail[order])
    head = np.where(flipped, pieces.tail[order], pieces.head[order])
    return Streets(
        order=order,
        flipped=flipped,
        first=first,
        tail=tail[start],
        head=head[last],
        length_m=np.add.reduceat(pieces.length_m[order], start),
        first_way=pieces.way[order[start]],
        last_way=pieces.way[order[last]],
    )
