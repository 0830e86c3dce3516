"""The order in which nodes are contracted: nested dissection by inertial flow.

Source: Schild and Sommer, "On Balanced Separators in Road Networks" (SEA 2015). A part of the
graph is swept in four directions; the first and the last of its nodes are tied to a source and a
sink, and the best of the minimum cuts, small and even, splits the part. The cut's endpoints on one
side become the separator, get the highest ranks of the part, and both halves are split likewise.
"""

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

SMALLEST_PART = 3
"""Parts of at most this many nodes keep the order they have."""

TIED_SHARES = (0.25, 0.33, 0.45)
"""Shares of a part's nodes tied to the source, and likewise to the sink, that are tried."""

LOW, HIGH, SEPARATOR = 0, 1, 2
"""Where the nodes of a part go when it is split."""

CUT = 4
"""Added to a place while the two ends of the cut are counted."""

UNEVEN_POWER = 0.5
"""What an uneven split costs: the cut counts times (half / smaller part) to this power."""


def nested_dissection(
    first: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
) -> NDArray[np.int32]:
    """Return the nodes in the order of contraction, shape (n_nodes,).

    Parameters
    ----------
    first, neighbour
        The undirected graph: `neighbour[first[v]:first[v + 1]]`, sorted, without loops or doubles.
    x_m, y_m
        (n_nodes,) coordinates in metres.
    """
    directions = (x_m, y_m, x_m + y_m, x_m - y_m)
    by_place = np.array([np.argsort(along, kind="stable") for along in directions], np.int32)
    return _dissect(first, neighbour, _opposite_arcs(first, neighbour), by_place)


@njit
def _opposite_arcs(first: Ints, neighbour: Ints) -> Ints:
    opposite = np.empty(len(neighbour), np.int32)
    cursor = first[:-1].copy()
    # Heads are sorted, so walking all tails upwards meets the arcs into each head in their order.
    for tail in range(len(first) - 1):
        for arc in range(first[tail], first[tail + 1]):
            head = neighbour[arc]
            opposite[arc] = cursor[head]
            cursor[head] += 1
    return opposite


@njit
def _dissect(first: Ints, neighbour: Ints, opposite: Ints, by_place: Ints) -> Ints:
    """Split part after part; `by_place` (4, n) holds the nodes sorted in each direction.

    A part is the same stretch of all four rows. Splitting moves its low half, its high half and the
    separator behind each other and keeps each of them sorted, so the first row ends as the order.
    """
    n = len(first) - 1
    part_of = np.zeros(n, np.int32)
    flow = np.zeros(len(neighbour), np.int8)
    level = np.empty(n, np.int32)
    cursor = np.empty(n, np.int32)
    tie = np.empty(n, np.int8)
    side = np.zeros(n, np.bool_)
    best_side = np.zeros(n, np.bool_)
    place = np.zeros(n, np.int8)
    stack = [(0, n)]
    next_part = 0
    while len(stack) > 0:
        begin, end = stack.pop()
        size = end - begin
        if size <= SMALLEST_PART:
            continue
        next_part += 1
        part = by_place[0, begin:end].copy()
        for v in part:
            part_of[v] = next_part
        best_cost = np.inf
        for direction in range(4):
            for share in TIED_SHARES:
                _tie_ends(by_place[direction, begin:end], share, tie)
                limit = int(min(best_cost, len(neighbour))) + 1
                cut = _minimum_cut(
                    part, next_part, part_of, first, neighbour, opposite, flow, level, cursor,
                    tie, limit,
                )  # fmt: skip
                if cut >= limit:
                    continue
                n_source = _balanced_side(
                    part, next_part, part_of, first, neighbour, opposite, flow, level, tie, side
                )
                cost = cut * (0.5 * size / min(n_source, size - n_source)) ** UNEVEN_POWER
                if cost < best_cost:
                    best_cost = cost
                    for v in part:
                        best_side[v] = side[v]
        _choose_places(part, next_part, part_of, first, neighbour, best_side, place)
        n_low, n_high = 0, 0
        for direction in range(4):
            n_low, n_high = _rearrange(by_place[direction, begin:end], place, part)
        stack.append((begin, begin + n_low))
        stack.append((begin + n_low, begin + n_low + n_high))
    order: Ints = by_place[0].copy()
    return order


@njit
def _tie_ends(sorted_part: Ints, share: float, tie: NDArray[np.int8]) -> None:
    size = len(sorted_part)
    n_tied = max(1, int(size * share))
    for i in range(size):
        tie[sorted_part[i]] = 1 if i < n_tied else (2 if i >= size - n_tied else 0)


@njit
def _minimum_cut(
    part: Ints,
    part_id: int,
    part_of: Ints,
    first: Ints,
    neighbour: Ints,
    opposite: Ints,
    flow: NDArray[np.int8],
    level: Ints,
    cursor: Ints,
    tie: NDArray[np.int8],
    limit: int,
) -> int:
    """Dinic's algorithm on unit capacities; afterwards `level >= 0` marks the source side.

    Gives up, returning `limit`, as soon as the flow reaches it. The many arguments are scratch
    that belongs to the caller, so that nothing is allocated for each of the small parts.
    """
    for v in part:
        for arc in range(first[v], first[v + 1]):
            flow[arc] = 0
    queue = np.empty(len(part), np.int32)
    path = np.empty(len(part) + 1, np.int32)
    total = 0
    while True:
        if not _levels(part, part_id, part_of, first, neighbour, flow, level, tie, queue):
            return total
        for v in part:
            cursor[v] = first[v]
        for source in part:
            if tie[source] != 1:
                continue
            while _augment(
                source, part_id, part_of, first, neighbour, opposite, flow, level, cursor, tie, path
            ):
                total += 1
                if total >= limit:
                    return limit


@njit
def _levels(
    part: Ints,
    part_id: int,
    part_of: Ints,
    first: Ints,
    neighbour: Ints,
    flow: NDArray[np.int8],
    level: Ints,
    tie: NDArray[np.int8],
    queue: Ints,
) -> bool:
    n_queued = 0
    for v in part:
        level[v] = -1
        if tie[v] == 1:
            level[v] = 0
            queue[n_queued] = v
            n_queued += 1
    found = False
    i = 0
    while i < n_queued:
        v = queue[i]
        i += 1
        if tie[v] == 2:
            found = True
            continue
        for arc in range(first[v], first[v + 1]):
            w = neighbour[arc]
            if part_of[w] == part_id and level[w] < 0 and flow[arc] < 1:
                level[w] = level[v] + 1
                queue[n_queued] = w
                n_queued += 1
    return found


@njit
def _balanced_side(
    part: Ints,
    part_id: int,
    part_of: Ints,
    first: Ints,
    neighbour: Ints,
    opposite: Ints,
    flow: NDArray[np.int8],
    level: Ints,
    tie: NDArray[np.int8],
    side: Flags,
) -> int:
    """Write the source side of a minimum cut into `side` and return its size.

    Of all minimum cuts, the one nearest to the source is what `level` holds and the one nearest to
    the sink is what a search backwards from the sink finds: the more even one is kept.
    """
    reached = np.empty(len(part), np.int32)
    n_reached = 0
    n_source = 0
    for v in part:
        side[v] = tie[v] != 2
        if level[v] >= 0:
            n_source += 1
        if tie[v] == 2:
            reached[n_reached] = v
            n_reached += 1
    i = 0
    while i < n_reached:
        v = reached[i]
        i += 1
        for arc in range(first[v], first[v + 1]):
            w = neighbour[arc]
            if part_of[w] == part_id and side[w] and flow[opposite[arc]] < 1:
                side[w] = False
                reached[n_reached] = w
                n_reached += 1
    if abs(2 * n_source - len(part)) > abs(2 * n_reached - len(part)):
        return len(part) - n_reached
    for v in part:
        side[v] = level[v] >= 0
    return n_source


@njit
def _augment(
    source: int,
    part_id: int,
    part_of: Ints,
    first: Ints,
    neighbour: Ints,
    opposite: Ints,
    flow: NDArray[np.int8],
    level: Ints,
    cursor: Ints,
    tie: NDArray[np.int8],
    path: Ints,
) -> bool:
    """Push one unit along the level graph from `source` to any sink; False when there is no way."""
    length = 0
    v = source
    while tie[v] != 2:
        advanced = False
        while cursor[v] < first[v + 1]:
            arc = cursor[v]
            w = neighbour[arc]
            if part_of[w] == part_id and level[w] == level[v] + 1 and flow[arc] < 1:
                path[length] = arc
                length += 1
                v = w
                advanced = True
                break
            cursor[v] += 1
        if advanced:
            continue
        if length == 0:
            return False
        length -= 1
        v = neighbour[opposite[path[length]]]
        cursor[v] += 1
    for i in range(length):
        flow[path[i]] += 1
        flow[opposite[path[i]]] -= 1
    return True


@njit
def _choose_places(
    part: Ints,
    part_id: int,
    part_of: Ints,
    first: Ints,
    neighbour: Ints,
    side: Flags,
    place: NDArray[np.int8],
) -> None:
    """Write the place of each node: LOW, HIGH, or SEPARATOR for the smaller end of the cut."""
    ends = np.zeros(2, np.int64)
    for v in part:
        place[v] = LOW if side[v] else HIGH
        for arc in range(first[v], first[v + 1]):
            w = neighbour[arc]
            if part_of[w] == part_id and side[w] != side[v]:
                place[v] += CUT
                ends[1 if side[v] else 0] += 1
                break
    separator_side = ends[1] <= ends[0]
    for v in part:
        if place[v] >= CUT:
            place[v] = SEPARATOR if side[v] == separator_side else place[v] - CUT


@njit
def _rearrange(row: Ints, place: NDArray[np.int8], scratch: Ints) -> tuple[int, int]:
    """Move the nodes of a row to their places, in the order they have; return the halves' sizes."""
    scratch[:] = row
    written = 0
    sizes = np.zeros(3, np.int64)
    for wanted in range(3):
        for v in scratch:
            if place[v] == wanted:
                row[written] = v
                written += 1
                sizes[wanted] += 1
    return sizes[LOW], sizes[HIGH]
