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
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

SMALLEST_PART = 3
"""Parts of at most this many nodes keep the order they have."""

TIED_SHARES = (0.25, 0.33, 0.45)
"""Shares of a part's nodes tied to the source, and likewise to the sink, that are tried."""

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
    return _dissect(first, neighbour, _opposite_arcs(first, neighbour), x_m, y_m)


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
def _dissect(first: Ints, neighbour: Ints, opposite: Ints, x_m: Reals, y_m: Reals) -> Ints:
    n = len(first) - 1
    order = np.arange(n).astype(np.int32)
    part_of = np.zeros(n, np.int32)
    flow = np.zeros(len(neighbour), np.int8)
    level = np.empty(n, np.int32)
    cursor = np.empty(n, np.int32)
    tie = np.empty(n, np.int8)
    side = np.zeros(n, np.bool_)
    is_separator = np.zeros(n, np.bool_)
    best_side = np.zeros(n, np.bool_)
    stack = [(0, n)]
    next_part = 0
    while len(stack) > 0:
        begin, end = stack.pop()
        size = end - begin
        if size <= SMALLEST_PART:
            continue
        next_part += 1
        part = order[begin:end].copy()
        for v in part:
            part_of[v] = next_part
        best_cost = np.inf
        for direction in range(4):
            by_place = np.argsort(_projection(part, x_m, y_m, direction))
            for share in TIED_SHARES:
                _tie_ends(part, by_place, share, tie)
                limit = int(min(best_cost, len(neighbour))) + 1
                cut = _minimum_cut(
                    part,
                    next_part,
                    part_of,
                    first,
                    neighbour,
                    opposite,
                    flow,
                    level,
                    cursor,
                    tie,
                    limit,
                )
                if cut >= limit:
                    continue
                n_source = _balanced_side(
                    part, next_part, part_of, first, neighbour, opposite, flow, level, tie, side
                )
                cost = cut * (0.5 * size / min(n_source, size - n_source)) ** UNEVEN_POWER
                if cost < best_cost:
                    best_cost = cost
                    best_side[part] = side[part]
        n_low, n_high = _place_separator(
            part, next_part, part_of, first, neighbour, best_side, is_separator, order, begin
        )
        stack.append((begin, begin + n_low))
        stack.append((begin + n_low, begin + n_low + n_high))
    return order


@njit
def _projection(part: Ints, x_m: Reals, y_m: Reals, direction: int) -> Reals:
    if direction == 0:
        return x_m[part]
    if direction == 1:
        return y_m[part]
    if direction == 2:
        return x_m[part] + y_m[part]
    return x_m[part] - y_m[part]


@njit
def _tie_ends(part: Ints, by_place: NDArray[np.int64], share: float, tie: NDArray[np.int8]) -> None:
    size = len(part)
    n_tied = max(1, int(size * share))
    for i in range(size):
        v = part[by_place[i]]
        tie[v] = 1 if i < n_tied else (2 if i >= size - n_tied else 0)


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
def _place_separator(
    part: Ints,
    part_id: int,
    part_of: Ints,
    first: Ints,
    neighbour: Ints,
    side: Flags,
    is_separator: Flags,
    order: Ints,
    begin: int,
) -> tuple[int, int]:
    """Write the part back into `order` as low half, high half, separator; return both sizes."""
    ends = np.zeros(2, np.int64)
    for v in part:
        for arc in range(first[v], first[v + 1]):
            w = neighbour[arc]
            if part_of[w] == part_id and side[w] != side[v]:
                ends[1 if side[v] else 0] += 1
                break
    separator_side = ends[1] <= ends[0]
    n_low = 0
    n_high = 0
    for v in part:
        is_separator[v] = False
        if side[v] == separator_side:
            for arc in range(first[v], first[v + 1]):
                w = neighbour[arc]
                if part_of[w] == part_id and side[w] != side[v]:
                    is_separator[v] = True
                    break
        if not is_separator[v]:
            if side[v]:
                n_low += 1
            else:
                n_high += 1
    low = begin
    high = begin + n_low
    separator = begin + n_low + n_high
    for v in part:
        if is_separator[v]:
            order[separator] = v
            separator += 1
        elif side[v]:
            order[low] = v
            low += 1
        else:
            order[high] = v
            high += 1
    return n_low, n_high
