"""Kernels for what closures leave of a network: its core, and the least ways over what is closed.

What lives here: `around_core`, what hangs together with the largest part, `spread`, a plain
Dijkstra over a few arcs from a few nodes, and `with_inside`, which adds what it found to times over
open streets. What does not: what is closed and who is inside (`closed_stretch`).
"""

import heapq
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.driving_time import UNREACHABLE_MS
from routing.hierarchy import DEPTH, ENTER, LABEL_FIRST, least_sum, n_common, root_path

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]

Fan = tuple[Ints, Ints, Ints]
"""First arc of each node into the two columns that follow; the arcs; the node at their far end."""
NEVER: Final = 2**62
"""Cost of a node that is not reached."""
SEED: Final = -1
"""Stands for the arc by which a node was reached from which the search began."""
NOT_REACHED: Final = -2


@njit
def _reached(root: int, fan: Fan, allowed: Flags) -> Flags:
    """Return (n_nodes,) which nodes are reached from one over allowed arcs."""
    first, arcs, far = fan
    found = np.zeros(len(first) - 1, np.bool_)
    found[root] = True
    waiting = [root]
    while len(waiting) > 0:
        node = waiting.pop()
        for place in range(first[node], first[node + 1]):
            other = far[place]
            if allowed[arcs[place]] and not found[other]:
                found[other] = True
                waiting.append(other)
    return found


@njit
def _is_end(node: int, fan: Fan, allowed: Flags) -> bool:
    """Return whether no allowed arc leaves a node."""
    first, arcs, _ = fan
    return not np.any(allowed[arcs[first[node] : first[node + 1]]])


@njit
def around_core(out: Fan, back: Fan, allowed: Flags, order: Ints) -> tuple[Flags, Flags]:
    """Return (n_nodes,) which nodes lead to the core, and which are reached from it.

    The core is the largest strongly connected part over allowed arcs: the nodes that are both.

    Parameters
    ----------
    order
        Nodes in the order in which their parts are looked at; one of the largest part should come
        early. Of two parts of one size the first is returned.
    """
    n = len(order)
    seen = np.zeros(n, np.bool_)
    lead, reached = seen, seen
    n_seen = n_best = np.int64(0)
    for place in range(n):
        if n_best >= np.int64(n) - n_seen:
            break
        root = order[place]
        if seen[root]:
            continue
        if n_best > 0 and (_is_end(root, out, allowed) or _is_end(root, back, allowed)):
            seen[root] = True  # a part of its own, and no larger than another
            n_seen += 1
            continue
        after, before = _reached(root, out, allowed), _reached(root, back, allowed)
        part = after & before
        seen = seen | part
        n_part = np.int64(np.sum(part))
        n_seen += n_part
        if n_part > n_best:
            lead, reached, n_best = before, after, n_part
    return lead, reached


@njit
def spread(fan: Fan, allowed: Flags, cost: Longs, seeds: Longs, stops: Flags) -> tuple[Longs, Ints]:
    """Return (n_nodes,) the least cost of each node, NEVER beyond reach, and the arc towards it.

    Parameters
    ----------
    cost
        (n_arcs,) at least 0.
    seeds
        (n, 2) nodes from which the search begins, and what they cost.
    stops
        (n_nodes,) nodes beyond which it does not go.

    Notes
    -----
    Of several arcs by which a node costs the same, the lowest is returned.
    """
    first, arcs, far = fan
    n = len(first) - 1
    least, by_arc = np.full(n, NEVER, np.int64), np.full(n, NOT_REACHED, np.int32)
    waiting = [(np.int64(0), np.int64(0)) for _ in range(0)]
    for i in range(len(seeds)):
        node = seeds[i, 0]
        if seeds[i, 1] < least[node]:
            least[node], by_arc[node] = seeds[i, 1], SEED
            heapq.heappush(waiting, (seeds[i, 1], node))
    while len(waiting) > 0:
        so_far, node = heapq.heappop(waiting)
        if so_far > least[node] or stops[node]:
            continue
        for place in range(first[node], first[node + 1]):
            arc, other = arcs[place], np.int64(far[place])
            if not allowed[arc]:
                continue
            then = so_far + cost[arc]
            if then < least[other]:
                least[other], by_arc[other] = then, arc
                heapq.heappush(waiting, (then, other))
            elif then == least[other] and arc < by_arc[other]:
                by_arc[other] = arc
    return least, by_arc


Inside = tuple[Ints, Ints, Ints]
"""Ways out of units inside a closure, (n, 3): row of the unit, rank of the node where it is out,
and ms until then. Ways between places inside, (n, 2): row of the unit, and ms. Ways in to the call,
(n, 2): rank of the node where it is entered, and ms from there."""
NOTHING_INSIDE: Final = (
    np.empty((0, 3), np.int32),
    np.empty((0, 2), np.int32),
    np.empty((0, 2), np.int32),
)


@njit
def entered_label(ways_in: Ints, nodes: Ints, table: Ints, width: int) -> tuple[Ints, Ints, int]:
    """Return the label of a call inside: row (width,), path to the root and base, -1 without ways.

    The ways in begin at nodes of one street's end, which lie on one path to the root.
    """
    row = np.full(width, UNREACHABLE_MS, np.int32)
    base = -1
    for i in range(len(ways_in)):
        node, ms = ways_in[i, 0], ways_in[i, 1]
        first, depth = nodes[node, LABEL_FIRST], nodes[node, DEPTH]
        for k in range(depth + 1):
            row[k] = min(row[k], ms + table[first + k])
        if base < 0 or depth > nodes[base, DEPTH]:
            base = node
    return row, root_path(base, nodes), base


@njit
def with_inside(
    times: Ints,
    rows: Ints,
    bases: Ints,
    open_label: tuple[Ints, Ints],
    entered: tuple[Ints, Ints],
    inside: Inside,
    nodes: Ints,
    to_table: Ints,
) -> None:
    """Shorten times (n_units,) over open streets by the ways out, between and in.

    Parameters
    ----------
    open_label, entered
        Row and path to the root of the call: as entered over open streets, and as
        `entered_label` says.
    """
    out, between, ways_in = inside
    if len(ways_in) > 0:
        row, path = entered
        for i in range(len(bases)):
            if bases[i] >= 0:
                n = n_common(nodes[bases[i], ENTER], path)
                times[i] = min(times[i], least_sum(rows[i], row, n))
    for i in range(len(out)):
        unit, node, ms = out[i, 0], out[i, 1], out[i, 2]
        label = to_table[nodes[node, LABEL_FIRST] :]
        for row, path in (open_label, entered):
            left = least_sum(label, row, n_common(nodes[node, ENTER], path))
            times[unit] = min(times[unit], np.int32(ms + left))
    for i in range(len(between)):
        times[between[i, 0]] = min(times[between[i, 0]], between[i, 1])
