"""The numba kernel: elimination-tree labels on a customizable contraction hierarchy.

Sources: Dibbelt, Strasser and Wagner, "Customizable Contraction Hierarchies" (2016); Buchhold and
Wagner, "Nearest-Neighbor Queries in Customizable Contraction Hierarchies" (2021).

All kernels number nodes by *rank*: rank 0 is contracted first, and every upward arc leads to a
higher rank. The upward neighbours of a node are a clique, so they lie on its path to the root of
the elimination tree. A *label* of a node is one row: entry k is the time to (or from) its ancestor
at depth k, so the common ancestors of two nodes are the common beginning of their two rows.

What lives here: the kernels, as pure functions on arrays. What does not: positions along streets,
turn restrictions and units, which are `places`'. Times are int32 milliseconds;
`UNREACHABLE_MS` is so chosen that two of them still add up within int32.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.driving_time import UNREACHABLE_MS

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

NODE_COLUMNS: Final = (
    "label_first", "depth", "enter", "leave", "parent", "walk_first", "walk_stop", "unused",
)  # fmt: skip
"""What a table of nodes (n_nodes, 8) holds by rank: see `elimination_tree`; the arcs that leave v
are `walk_first:walk_stop`."""
LABEL_FIRST: Final = 0
DEPTH: Final = 1
ENTER: Final = 2
LEAVE: Final = 3
PARENT: Final = 4
WALK_FIRST: Final = 5
WALK_STOP: Final = 6


@njit
def contract(first: Ints, neighbour: Ints) -> tuple[Ints, Ints]:
    """Return (up_first, up_head): for each rank its upward neighbours after all fill-in, sorted.

    `neighbour[first[v]:first[v + 1]]` is the undirected graph in ranks. The upward neighbours of v
    are its own higher neighbours and those of its tree children, less v itself.
    """
    n = len(first) - 1
    up_first = np.zeros(n + 1, np.int32)
    up_head = np.empty(max(16, 4 * len(neighbour)), np.int32)
    child = np.full(n, -1, np.int32)
    sibling = np.full(n, -1, np.int32)
    seen = np.full(n, -1, np.int32)
    size = 0
    for v in range(n):
        begin = size
        if size + n - v > len(up_head):
            grown = np.empty(max(2 * len(up_head), size + n - v), np.int32)
            grown[:size] = up_head[:size]
            up_head = grown
        for arc in range(first[v], first[v + 1]):
            w = neighbour[arc]
            if w > v and seen[w] != v:
                seen[w] = v
                up_head[size] = w
                size += 1
        c = child[v]
        while c >= 0:
            for arc in range(up_first[c], up_first[c + 1]):
                w = up_head[arc]
                if w > v and seen[w] != v:
                    seen[w] = v
                    up_head[size] = w
                    size += 1
            c = sibling[c]
        up_head[begin:size].sort()
        up_first[v + 1] = size
        if size > begin:
            parent = up_head[begin]
            sibling[v] = child[parent]
            child[parent] = v
    return up_first, up_head[:size].copy()


@njit
def elimination_tree(
    up_first: Ints, up_head: Ints
) -> tuple[Ints, Ints, NDArray[np.int64], Ints, Ints]:
    """Return (parent, depth, label_first, enter, leave), each by rank.

    `parent` is -1 at a root, `depth` 0 there. `label_first` (n + 1,) is where each node's row of
    depth + 1 entries begins. `enter[v] <= enter[w] < leave[v]` exactly when v is w or above it.
    """
    n = len(up_first) - 1
    parent = np.full(n, -1, np.int32)
    depth = np.zeros(n, np.int32)
    size = np.ones(n, np.int32)
    for v in range(n):
        if up_first[v + 1] > up_first[v]:
            parent[v] = up_head[up_first[v]]
            size[parent[v]] += size[v]
    enter = np.zeros(n, np.int32)
    leave = np.zeros(n, np.int32)
    free = np.zeros(n, np.int32)
    n_rooted = 0
    for v in range(n - 1, -1, -1):
        p = parent[v]
        if p < 0:
            enter[v] = n_rooted
            n_rooted += size[v]
        else:
            depth[v] = depth[p] + 1
            enter[v] = free[p]
            free[p] += size[v]
        leave[v] = enter[v] + size[v]
        free[v] = enter[v] + 1
    label_first = np.zeros(n + 1, np.int64)
    for v in range(n):
        label_first[v + 1] = label_first[v] + depth[v] + 1
    return parent, depth, label_first, enter, leave


@njit
def lower_arcs(up_first: Ints, up_head: Ints) -> tuple[Ints, Ints, Ints]:
    """Return (low_first, low_arc, low_tail): the upward arcs that arrive at each rank."""
    n = len(up_first) - 1
    low_first = np.zeros(n + 1, np.int32)
    for head in up_head:
        low_first[head + 1] += 1
    for v in range(n):
        low_first[v + 1] += low_first[v]
    cursor = low_first[:-1].copy()
    low_arc = np.empty(len(up_head), np.int32)
    low_tail = np.empty(len(up_head), np.int32)
    for v in range(n):
        for arc in range(up_first[v], up_first[v + 1]):
            slot = cursor[up_head[arc]]
            low_arc[slot] = arc
            low_tail[slot] = v
            cursor[up_head[arc]] += 1
    return low_first, low_arc, low_tail


@njit
def find_slots(up_first: Ints, up_head: Ints, tail: Ints, head: Ints) -> Ints:
    """Return (n_arcs,) the upward arc that carries each arc tail -> head, given in ranks."""
    slots = np.empty(len(tail), np.int32)
    for arc in range(len(tail)):
        low = min(tail[arc], head[arc])
        high = max(tail[arc], head[arc])
        begin = up_first[low]
        slots[arc] = begin + np.searchsorted(up_head[begin : up_first[low + 1]], high)
    return slots


@njit
def customise(
    arc_slot: Ints,
    arc_is_up: Flags,
    arc_ms: Ints,
    up_first: Ints,
    up_head: Ints,
    low_first: Ints,
    low_arc: Ints,
    low_tail: Ints,
) -> tuple[Ints, Ints]:
    """Return (up_ms, down_ms): for each upward arc v-x the times v -> x and x -> v by lower ranks.

    Every lower triangle v, x, y (v < x < y) is relaxed once, in both directions, from the lowest
    rank up; an arc is final when its lower end is reached.
    """
    up_ms = np.full(len(up_head), UNREACHABLE_MS, np.int32)
    down_ms = np.full(len(up_head), UNREACHABLE_MS, np.int32)
    for arc in range(len(arc_slot)):
        slot = arc_slot[arc]
        if arc_is_up[arc]:
            up_ms[slot] = min(up_ms[slot], arc_ms[arc])
        else:
            down_ms[slot] = min(down_ms[slot], arc_ms[arc])
    n = len(up_first) - 1
    slot_of = np.zeros(n, np.int32)
    for x in range(n):
        for arc in range(up_first[x], up_first[x + 1]):
            slot_of[up_head[arc]] = arc
        for i in range(low_first[x], low_first[x + 1]):
            below = low_arc[i]
            from_x = down_ms[below]
            to_x = up_ms[below]
            for side in range(below + 1, up_first[low_tail[i] + 1]):
                slot = slot_of[up_head[side]]
                up_ms[slot] = min(up_ms[slot], from_x + up_ms[side])
                down_ms[slot] = min(down_ms[slot], down_ms[side] + to_x)
    return up_ms, down_ms


@njit
def label_table(
    up_first: Ints, up_head: Ints, arc_ms: Ints, depth: Ints, label_first: NDArray[np.int64]
) -> Ints:
    """Return the labels of all nodes in one array: row v is `label_first[v]:label_first[v + 1]`.

    With `up_ms` entry k is the time from v to its ancestor at depth k, with `down_ms` the time
    from that ancestor to v.
    """
    table = np.full(label_first[-1], UNREACHABLE_MS, np.int32)
    for v in range(len(depth) - 1, -1, -1):
        row = table[label_first[v] : label_first[v + 1]]
        row[depth[v]] = 0
        for arc in range(up_first[v], up_first[v + 1]):
            x = up_head[arc]
            ms = arc_ms[arc]
            if ms < UNREACHABLE_MS:
                above = table[label_first[x] : label_first[x + 1]]
                for k in range(len(above)):
                    row[k] = min(row[k], ms + above[k])
    return table


@njit
def root_path(base: int, nodes: Ints) -> Ints:
    """Return (2, depth + 1): `enter` and `leave` of the ancestors of base by their depth."""
    path = np.empty((2, nodes[base, DEPTH] + 1 if base >= 0 else 0), np.int32)
    v = base
    while v >= 0:
        depth = nodes[v, DEPTH]
        path[0, depth] = nodes[v, ENTER]
        path[1, depth] = nodes[v, LEAVE]
        v = nodes[v, PARENT]
    return path


@njit
def n_common(entered: int, path: Ints) -> int:
    """Return how many ancestors, from the root, the node entered there shares with a path."""
    low = 0
    high = path.shape[1]
    while low < high:
        middle = (low + high) >> 1
        if path[0, middle] <= entered < path[1, middle]:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def least_sum(row: Ints, other: Ints, n: int) -> np.int32:
    """Return the least of row[k] + other[k] for k < n, at most UNREACHABLE_MS."""
    least = np.int32(UNREACHABLE_MS)
    for k in range(n):
        least = min(least, np.int32(row[k] + other[k]))
    return least


@njit
def sweep(
    base: int, row: Ints, parent: Ints, depth: Ints, up_first: Ints, up_head: Ints, arc_ms: Ints
) -> Ints:
    """Return (n_nodes,) by rank: the time between one place and every node, from the root down.

    With an up-label and `down_ms` it is the time from the place to the nodes, with a down-label and
    `up_ms` the time from the nodes to the place.
    """
    n = len(parent)
    times = np.full(n, UNREACHABLE_MS, np.int32)
    v = base
    while v >= 0:
        times[v] = row[depth[v]]
        v = parent[v]
    for v in range(n - 1, -1, -1):
        least = times[v]
        for arc in range(up_first[v], up_first[v + 1]):
            least = min(least, np.int32(times[up_head[arc]] + arc_ms[arc]))
        times[v] = least
    return times
