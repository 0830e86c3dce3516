"""Kernels for places part-way along streets: their labels, and times between them.

What lives here: how a place becomes a label (merged over the nodes by which its street may be left
or entered, plus the part of the street that is driven), and the times from many units to one
incident. What does not: labels of nodes (`hierarchy`) and the Python side (`travel_time`).

A *place* is (street, fraction, ways): ways has bit 1 for travel in the street's drawing direction
and bit 2 for the other. Of a street with `move_ms` on its edge, the whole milliseconds up to a
place are rounded once, half up; what is left is the rest of it, so that both parts add up.
"""

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.driving_time import UNREACHABLE_MS
from geodata.snap import NO_INCIDENT
from routing.hierarchy import DEPTH, LABEL_FIRST, least_sum, root_path

Ints = NDArray[np.int32]
Reals = NDArray[np.float64]
Place = tuple[int, float, int]
"""Street, fraction and ways."""
EdgeByStreet = tuple[Ints, Ints]
"""Edge along and against the drawing direction, by street."""


@njit
def driven_edge(
    street: int, ways: int, side: int, edge_by_street: EdgeByStreet, move_ms: Ints
) -> int:
    """Return the open edge of a place in a direction (side 0 along, 1 against), or -1."""
    if street < 0 or not ways & (1 << side):
        return -1
    edge = edge_by_street[side][street]
    if edge < 0 or move_ms[edge] >= UNREACHABLE_MS:
        return -1
    return int(edge)


@njit
def used_ms(fraction: float, side: int, move: int) -> np.int32:
    """Return milliseconds from the tail of an edge to a place on its street."""
    share = fraction if side == 0 else 1.0 - fraction
    return np.int32(np.floor(share * move + 0.5))


@njit
def _merge(table: Ints, first: int, depth: int, offset_ms: np.int32, row: Ints) -> None:
    """Merge the label of a node at a depth, which begins at first, into a row."""
    above = table[first : first + depth + 1]
    for k in range(len(above)):
        row[k] = min(row[k], np.int32(offset_ms + above[k]))


@njit
def unit_labels(
    street: Ints,
    fraction: Reals,
    ways: NDArray[np.uint8],
    edge_by_street: EdgeByStreet,
    move_ms: Ints,
    end_ms: Ints,
    edge_end: Ints,
    rank: Ints,
    nodes: Ints,
    table: Ints,
    rows: Ints,
    bases: Ints,
) -> None:
    """Write the label of each unit, (n, width) and (n,): times to the ancestors of its base.

    The base is the deepest node at which the unit may leave its street; -1 without a way out.
    """
    for i in range(len(street)):
        rows[i, :] = UNREACHABLE_MS
        bases[i] = -1
        for side in range(2):
            edge = driven_edge(street[i], ways[i], side, edge_by_street, move_ms)
            if edge < 0:
                continue
            node = rank[edge_end[edge]]
            left = move_ms[edge] - used_ms(fraction[i], side, move_ms[edge]) + end_ms[edge]
            _merge(table, nodes[node, LABEL_FIRST], nodes[node, DEPTH], left, rows[i])
            if bases[i] < 0 or nodes[node, DEPTH] > nodes[bases[i], DEPTH]:
                bases[i] = node


@njit
def incident_label(
    place: Place,
    edge_by_street: EdgeByStreet,
    move_ms: Ints,
    entry_first: Ints,
    entry_node: Ints,
    rank: Ints,
    nodes: Ints,
    table: Ints,
    width: int,
) -> tuple[Ints, Ints, int]:
    """Return the label of an incident: row (width,), path to the root and base, -1 without a way.

    A street is entered from all copies of a restricted junction that allow the turn.
    """
    street, fraction, ways = place
    row = np.full(width, UNREACHABLE_MS, np.int32)
    base = -1
    for side in range(2):
        edge = driven_edge(street, ways, side, edge_by_street, move_ms)
        if edge < 0:
            continue
        used = used_ms(fraction, side, move_ms[edge])
        for entry in range(entry_first[edge], entry_first[edge + 1]):
            node = rank[entry_node[entry]]
            _merge(table, nodes[node, LABEL_FIRST], nodes[node, DEPTH], used, row)
            if base < 0 or nodes[node, DEPTH] > nodes[base, DEPTH]:
                base = node
    return row, root_path(base, nodes), base


@njit
def straight_ms(
    unit: Place, incident: Place, edge_by_street: EdgeByStreet, move_ms: Ints
) -> tuple[np.int32, int]:
    """Return (ms, edge) straight along a street that both places are on, or unreachable and -1."""
    best = np.int32(UNREACHABLE_MS)
    best_edge = -1
    for side in range(2):
        edge = driven_edge(unit[0], unit[2] & incident[2], side, edge_by_street, move_ms)
        ahead = incident[1] - unit[1] if side == 0 else unit[1] - incident[1]
        if edge >= 0 and ahead >= 0:
            move = move_ms[edge]
            ms = used_ms(incident[1], side, move) - used_ms(unit[1], side, move)
            if ms < best:
                best = ms
                best_edge = edge
    return best, best_edge


@njit
def times_to(
    rows: Ints,
    bases: Ints,
    by_tree: tuple[Ints, Ints],
    target_row: Ints,
    target_path: Ints,
    street: Ints,
    fraction: Reals,
    ways: NDArray[np.uint8],
    target: Place,
    edge_by_street: EdgeByStreet,
    move_ms: Ints,
) -> Ints:
    """Return (n_units,) milliseconds from units (their labels and places) to one target.

    Parameters
    ----------
    by_tree
        (n_units,) units in the order in which the tree enters their bases, and where it does. In
        this order the ancestors shared with the target rise to the target's own entry, then fall,
        so that nobody has to search for them.
    """
    times = np.full(len(bases), UNREACHABLE_MS, np.int32)
    order, entered = by_tree
    depth = target_path.shape[1]
    begun, shared = 0, 0
    n_shared = np.zeros(len(order), np.int32)
    for place in range(len(order)):
        while begun < depth and target_path[0, begun] <= entered[place]:
            begun += 1
            shared = begun
        while shared > 0 and target_path[1, shared - 1] <= entered[place]:
            shared -= 1
        n_shared[order[place]] = shared
    # Apart, so that the labels are read in the order in which they lie in memory.
    for i in range(len(bases)):
        if bases[i] >= 0:
            times[i] = least_sum(rows[i], target_row, n_shared[i])
        if street[i] == target[0]:
            unit = (street[i], fraction[i], ways[i])
            times[i] = min(times[i], straight_ms(unit, target, edge_by_street, move_ms)[0])
    return times


@njit
def street_beyond(
    arriving: int,
    edge_first: Ints,
    edge_head: Ints,
    edge_street: Ints,
    edge_by_street: EdgeByStreet,
    street_flags: NDArray[np.uint8],
    move_ms: Ints,
    turns: tuple[Ints, Ints, Ints],
) -> tuple[int, int]:
    """Return the edge that stands for the junction at which an edge arrives, or -1, and its ways.

    Of the open edges that leave it where a call may be, and into which the turn is allowed, it is
    the one into which most turns are allowed, then the one of the lowest street. It is entered from
    the junction only, so that all pay the same there, whichever street stands for it; but from both
    sides where who comes along the same street may not turn round.
    """
    edge_end, entry_first, entry_node = turns
    junction = edge_head[arriving]
    best, most = -1, 0
    for edge in range(edge_first[junction], edge_first[junction + 1]):
        street = edge_street[edge]
        if street_flags[street] & NO_INCIDENT or move_ms[edge] >= UNREACHABLE_MS:
            continue
        allowed = False
        for entry in range(entry_first[edge], entry_first[edge + 1]):
            allowed = allowed or entry_node[entry] == edge_end[arriving]
        n = entry_first[edge + 1] - entry_first[edge]
        if allowed and (n > most or (n == most and street < edge_street[best])):
            best, most = edge, n
    if best < 0:
        return -1, 0
    street = edge_street[best]
    side = 0 if edge_by_street[0][street] == best else 1
    back = edge_by_street[1 - side][street]
    turns_round = back < 0
    for entry in range(entry_first[best], entry_first[best + 1]):
        turns_round = turns_round or entry_node[entry] == edge_end[back]
    return best, 1 << side if turns_round else 3
