"""The kernel that drives a route: from a unit's place on its street to a call's, edge by edge.

What lives here: `drive`, which walks the labels (`walk`), `before_end`, a point part-way along what
was driven, and `drives`, which tells of several units what an answer says. What does not: labels
(`places`, `hierarchy`), names and drawn lines (`route`).

From node to node the walk takes the first arc that loses nothing against the labels. Every arc
takes at least 1 ms, so the time that is left falls and the walk ends. Most of what it takes is
waiting for memory: an arc joins a node with one of its ancestors or descendants, so what a
neighbour shares with the target's path to the root mostly follows from what the node shares; and
the ancestor over which the last step was the quickest (the hub) is looked at first.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.driving_time import UNREACHABLE_MS
from geodata.snap import NO_INCIDENT
from routing.hierarchy import (
    DEPTH,
    ENTER,
    LABEL_FIRST,
    WALK_FIRST,
    WALK_STOP,
    least_sum,
    n_common,
)
from routing.places import EdgeByStreet, Place, driven_edge, straight_ms, used_ms

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

Label = tuple[Ints, int]
"""Row of times to the ancestors of a node, and that node, -1 without a way out."""
Goal = tuple[Place, Ints, Ints]
"""Place, row and path to the root of the target."""
Streets = tuple[Ints, Flags, Reals]
"""Street of each edge, whether it runs along its drawing direction, metres of each street."""
Turns = tuple[Ints, Ints, Ints]
"""Node at which each edge arrives; first and nodes from which each edge may be driven."""
Tree = tuple[Ints, Ints, Ints]
"""Rank by node; the table of nodes by rank (`hierarchy.NODE_COLUMNS`); the labels to ancestors."""

Driven = tuple[int, Ints, float, float, Reals]
"""What `drive` returns."""
Labelled = tuple[Ints, Ints, Ints, Reals, NDArray[np.uint8]]
"""Rows and bases of unit labels; street, fraction and ways of their positions."""
Lines = tuple[Ints, Reals, Reals, Reals]
"""First point of each street; lon, lat and metres from its begin of each point."""
Junctions = tuple[Ints, Ints, Reals, Reals]
"""Tail and head of each edge; lon and lat of each junction."""

HEAD: Final = 0
MS: Final = 1
EDGE: Final = 2
"""Columns of the table of arcs (n_arcs, 3) by the rank of their tails."""
NOBODY: Final = -1
"""Stands for a unit that does not drive by the streets."""
N_TOLD: Final = 7
"""Columns of what `drives` returns."""


@njit
def entries_of(target: Place, ways: EdgeByStreet, move_ms: Ints, turns: Turns, rank: Ints) -> Ints:
    """Return (n, 3): rank, ms from there to the target and edge, for each way into its street."""
    _, first, node = turns
    n = 0
    for side in range(2):
        edge = driven_edge(target[0], target[2], side, ways, move_ms)
        if edge >= 0:
            n += first[edge + 1] - first[edge]
    found = np.empty((n, 3), np.int32)
    n = 0
    for side in range(2):
        edge = driven_edge(target[0], target[2], side, ways, move_ms)
        if edge >= 0:
            used = used_ms(target[1], side, move_ms[edge])
            for entry in range(first[edge], first[edge + 1]):
                found[n, 0], found[n, 1], found[n, 2] = rank[node[entry]], used, edge
                n += 1
    return found


@njit
def walk(
    start: int, left: int, first_edge: int, goal: Goal, tree: Tree, arcs: Ints, entries: Ints
) -> Ints:
    """Return the edges from a unit's street by way of a node, (0,) when it is not `left` away."""
    _, nodes, table = tree
    _, row, path = goal
    edges = np.empty(256, np.int32)
    v, before = start, -1
    shared = n_common(nodes[v, ENTER], path)
    if least_sum(table[nodes[v, LABEL_FIRST] :], row, shared) != left:
        return edges[:0]
    hub = path.shape[1]
    edges[0] = first_edge
    n = 1
    last_used = 0
    for i in range(len(entries)):
        last_used = max(last_used, entries[i, 1])
    while True:
        if n + 1 >= len(edges):
            grown = np.empty(2 * len(edges), np.int32)
            grown[:n] = edges[:n]
            edges = grown
        if left <= last_used:
            for i in range(len(entries)):
                if entries[i, 0] == v and entries[i, 1] == left:
                    edges[n] = entries[i, 2]
                    return edges[: n + 1].copy()
        depth = nodes[v, DEPTH]
        found = False
        for arc in range(nodes[v, WALK_FIRST], nodes[v, WALK_STOP]):
            w = arcs[arc, HEAD]
            rest = left - arcs[arc, MS]
            # Back to where we came from never gets nearer.
            if rest < 0 or w == before:
                continue
            if nodes[w, DEPTH] < depth:
                sharing = min(shared, nodes[w, DEPTH] + 1)
            elif shared <= depth:
                sharing = shared
            else:
                sharing = n_common(nodes[w, ENTER], path)
            first = nodes[w, LABEL_FIRST]
            same = hub < sharing and table[first + hub] + row[hub] == rest
            if not same and least_sum(table[first:], row, sharing) == rest:
                same = True
                hub = 0
                while table[first + hub] + row[hub] != rest:
                    hub += 1
            if same:
                edges[n] = arcs[arc, EDGE]
                n += 1
                before, v, left, shared = v, w, rest, sharing
                found = True
                break
        assert found


@njit
def metres_begun(edges: Ints, begin: float, end: float, streets: Streets) -> Reals:
    """Return (n_edges + 1,) metres driven when each edge is begun, and at the end."""
    edge_street, _, length_m = streets
    found = np.zeros(len(edges) + 1)
    for i in range(len(edges)):
        low = begin if i == 0 else 0.0
        high = end if i == len(edges) - 1 else 1.0
        found[i + 1] = found[i] + length_m[edge_street[edges[i]]] * (high - low)
    return found


@njit
def drive(
    unit: Place,
    label: Label,
    goal: Goal,
    ways: EdgeByStreet,
    move_ms: Ints,
    end_ms: Ints,
    turns: Turns,
    tree: Tree,
    arcs: Ints,
    streets: Streets,
) -> Driven:
    """Return (ms, edges, begin, end, metres) of a quickest way, always the same one.

    Begin and end are shares of the first and the last edge from their tails; the metres are those
    driven when each edge is begun and at the end, (n_edges + 1,). Without a way the time is
    UNREACHABLE_MS and there are no edges.
    """
    target, row, path = goal
    rank, nodes, _ = tree
    _, edge_along, _ = streets
    ms, edge = np.int32(UNREACHABLE_MS), -1
    if unit[0] == target[0]:
        ms, edge = straight_ms(unit, target, ways, move_ms)
    edges = np.full(1, edge, np.int32)
    if label[1] >= 0:
        round_ms = least_sum(label[0], row, n_common(nodes[label[1], ENTER], path))
        if round_ms < ms:
            ms = round_ms
            entries = entries_of(target, ways, move_ms, turns, rank)
            edges = edges[:0]
            for side in range(2):
                edge = driven_edge(unit[0], unit[2], side, ways, move_ms)
                if edge >= 0 and len(edges) == 0:
                    move = move_ms[edge]
                    left = ms - (move - used_ms(unit[1], side, move) + end_ms[edge])
                    start = rank[turns[0][edge]]
                    edges = walk(start, left, edge, goal, tree, arcs, entries)
            assert len(edges) > 0
    if ms >= UNREACHABLE_MS:
        return int(ms), edges[:0], 0.0, 0.0, np.zeros(1)
    begin = unit[1] if edge_along[edges[0]] else 1.0 - unit[1]
    end = target[1] if edge_along[edges[-1]] else 1.0 - target[1]
    return int(ms), edges, begin, end, metres_begun(edges, begin, end, streets)


@njit
def _along_line(metres: Reals, values: Reals, at: float) -> float:
    """Return a value where so many metres of a line are behind; metres never fall."""
    if at >= metres[-1]:
        return float(values[-1])
    i = 0
    while metres[i + 1] <= at:
        i += 1
    slope = (values[i + 1] - values[i]) / (metres[i + 1] - metres[i])
    return float(slope * (at - metres[i]) + values[i])


@njit
def before_end(
    metres: float,
    edges: Ints,
    begin_m: Reals,
    begin: float,
    end: float,
    edge_street: Ints,
    edge_along: Flags,
    point_first: Ints,
    point_lon: Reals,
    point_lat: Reals,
    point_m: Reals,
) -> tuple[float, float, int]:
    """Return lon, lat and place in `edges` of the point so many metres before the end, or start."""
    last = len(edges) - 1
    at_m = max(0.0, begin_m[last + 1] - metres)
    place = last
    while place > 0 and begin_m[place] >= at_m:
        place -= 1
    edge = edges[place]
    street = edge_street[edge]
    first, stop = point_first[street], point_first[street + 1]
    line_m = point_m[first:stop]
    low = begin if place == 0 else 0.0
    high = end if place == last else 1.0
    from_tail_m = min(low * line_m[-1] + (at_m - begin_m[place]), high * line_m[-1])
    at = from_tail_m if edge_along[edge] else line_m[-1] - from_tail_m
    lon, lat = point_lon[first:stop], point_lat[first:stop]
    return _along_line(line_m, lon, at), _along_line(line_m, lat, at), place


@njit
def waiting_place(
    short_m: float,
    edges: Ints,
    begin_m: Reals,
    begin: float,
    end: float,
    streets: Streets,
    lines: Lines,
    street_flags: NDArray[np.uint8],
) -> tuple[float, float, int]:
    """Return lon, lat and place in `edges` of the point `short_m` before the end, or of the start.

    Nobody waits on a motorway, a ramp or in a tunnel: the point is then where the route leaves it,
    unless that is less than half as far from the end.
    """
    edge_street, along, _ = streets
    lon, lat, place = before_end(short_m, edges, begin_m, begin, end, edge_street, along, *lines)
    ahead = place
    while ahead < len(edges) and street_flags[edge_street[edges[ahead]]] & NO_INCIDENT:
        ahead += 1
    if place < ahead < len(edges):
        left_m = begin_m[len(edges)] - begin_m[ahead]
        if left_m >= 0.5 * short_m:
            lon, lat, _ = before_end(left_m, edges, begin_m, begin, end, edge_street, along, *lines)
            place = ahead
    return lon, lat, place


@njit
def tell(
    told: Reals,
    edges: Ints,
    begin: float,
    end: float,
    begin_m: Reals,
    ways: EdgeByStreet,
    streets: Streets,
    lines: Lines,
    street_flags: NDArray[np.uint8],
    junctions: Junctions,
    short_m: float,
) -> None:
    """Write what an answer says of a drive into one row of `drives`, but for its milliseconds."""
    tail, head, junction_lon, junction_lat = junctions
    lon, lat, place = waiting_place(
        short_m, edges, begin_m, begin, end, streets, lines, street_flags
    )
    there = streets[0][edges[place]]
    edge = max(ways[0][there], ways[1][there])
    near, far = tail[edge], head[edge]
    near_2 = (junction_lon[near] - lon) ** 2 + (junction_lat[near] - lat) ** 2
    far_2 = (junction_lon[far] - lon) ** 2 + (junction_lat[far] - lat) ** 2
    if far_2 < near_2:
        near, far = far, near
    told[1], told[2], told[3], told[4] = begin_m[-1], lon, lat, there
    told[5], told[6] = near, far


@njit
def drives(
    which: Longs,
    labelled: Labelled,
    goal: Goal,
    ways: EdgeByStreet,
    weights: tuple[Ints, Ints],
    turns: Turns,
    tree: Tree,
    arcs: Ints,
    streets: Streets,
    lines: Lines,
    street_flags: NDArray[np.uint8],
    junctions: Junctions,
    short_m: float,
) -> Reals:
    """Return (n, N_TOLD) what an answer tells of the drives of some units, in one array.

    Columns: milliseconds, UNREACHABLE_MS without a way and for NOBODY; metres; lon and lat of
    `waiting_place`, its street, and the junctions at both ends of that street, the nearer first.
    """
    rows, bases, street, fraction, leaves = labelled
    move_ms, end_ms = weights
    told = np.zeros((len(which), N_TOLD))
    for i in range(len(which)):
        row = which[i]
        told[i, 0] = UNREACHABLE_MS
        if row == NOBODY:
            continue
        unit, label = (street[row], fraction[row], leaves[row]), (rows[row], bases[row])
        ms, edges, begin, end, begin_m = drive(
            unit, label, goal, ways, move_ms, end_ms, turns, tree, arcs, streets
        )
        told[i, 0] = ms
        if ms < UNREACHABLE_MS:
            tell(
                told[i], edges, begin, end, begin_m, ways, streets, lines, street_flags, junctions,
                short_m,
            )  # fmt: skip
    return told
