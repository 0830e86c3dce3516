"""The graph that is routed on: junctions and edges, with restricted junctions taken apart.

An edge from which some turn is banned arrives at its own *copy* of the junction, and that copy
lacks the banned arcs. Edges with the same bans share a copy. All other junctions stay single.

*Ties.* A label of a position is merged over all nodes by which its street may be left (or entered),
which is exact only when these nodes lie on one path to the root of the elimination tree. The two
ends of a street do, being neighbours, but copies need not: they are tied together by arcs that
nobody can drive, added before the order is computed. `RoadHierarchy` asserts the result.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from geodata.network import NO_EDGE, StreetNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnGraph:
    """Nodes 0 .. n_junctions - 1 are the junctions themselves, copies follow.

    Arcs are sorted by tail: `arc_first[v]:arc_first[v + 1]` leave node v.
    """

    node_junction: NDArray[np.int32]
    """(n_nodes,) the junction that each node is, or is a copy of."""
    arc_first: NDArray[np.int32]
    """(n_nodes + 1,) first arc that leaves each node."""
    arc_tail: NDArray[np.int32]
    """(n_arcs,) node."""
    arc_head: NDArray[np.int32]
    """(n_arcs,) node."""
    arc_edge: NDArray[np.int32]
    """(n_arcs,) the edge of the network that is driven."""
    edge_end: NDArray[np.int32]
    """(n_edges,) node at which each edge arrives."""
    entry_first: NDArray[np.int32]
    """(n_edges + 1,) first of the nodes from which each edge may be driven."""
    entry_node: NDArray[np.int32]
    """(n_arcs,) these nodes, by edge."""
    ties: NDArray[np.int32]
    """(n_ties, 2) pairs of nodes that must lie on one root path."""

    @property
    def n_nodes(self) -> int:
        """Number of nodes, copies included."""
        return len(self.node_junction)


def expand_turns(network: StreetNetwork) -> TurnGraph:
    """Return the graph that is routed on; junctions without banned turns are left as they are."""
    banned = _bans_by_arrival(network)
    edge_end = network.edge_head.copy()
    copies, bans_of_copy = _make_copies(network, banned, edge_end)
    tails, edges = _arcs(network, copies, bans_of_copy)
    order = np.lexsort((edges, tails))
    tails, edges = tails[order], edges[order]
    n_nodes = network.n_junctions + len(copies)
    by_edge = np.argsort(edges, kind="stable")
    entry_first = _offsets(edges, network.n_edges)
    entry_node = tails[by_edge]
    return TurnGraph(
        node_junction=np.concatenate(
            (np.arange(network.n_junctions, dtype=np.int32), np.array(copies, np.int32))
        ),
        arc_first=_offsets(tails, n_nodes),
        arc_tail=tails,
        arc_head=edge_end[edges],
        arc_edge=edges,
        edge_end=edge_end,
        entry_first=entry_first,
        entry_node=entry_node,
        ties=_ties(network, edge_end, entry_first, entry_node),
    )


def _bans_by_arrival(network: StreetNetwork) -> dict[int, frozenset[int]]:
    banned: dict[int, set[int]] = {}
    for arrival, departure in network.banned_turns.tolist():
        banned.setdefault(arrival, set()).add(departure)
    return {arrival: frozenset(departures) for arrival, departures in sorted(banned.items())}


def _make_copies(
    network: StreetNetwork, banned: dict[int, frozenset[int]], edge_end: NDArray[np.int32]
) -> tuple[list[int], list[frozenset[int]]]:
    """Return the junction and the bans of each copy; points the arriving edges at their copy."""
    copies: list[int] = []
    bans_of_copy: list[frozenset[int]] = []
    known: dict[tuple[int, frozenset[int]], int] = {}
    for arrival, bans in banned.items():
        junction = int(network.edge_head[arrival])
        node = known.get((junction, bans))
        if node is None:
            node = known[junction, bans] = network.n_junctions + len(copies)
            copies.append(junction)
            bans_of_copy.append(bans)
        edge_end[arrival] = node
    return copies, bans_of_copy


def _arcs(
    network: StreetNetwork, copies: list[int], bans_of_copy: list[frozenset[int]]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return tail and edge of every arc: those of the junctions, then those of the copies."""
    tails = [network.edge_tail]
    edges = [np.arange(network.n_edges, dtype=np.int32)]
    for copy, (junction, bans) in enumerate(zip(copies, bans_of_copy, strict=True)):
        begin, end = network.edge_first[junction], network.edge_first[junction + 1]
        allowed = [edge for edge in range(begin, end) if edge not in bans]
        tails.append(np.full(len(allowed), network.n_junctions + copy, np.int32))
        edges.append(np.array(allowed, np.int32))
    return np.concatenate(tails), np.concatenate(edges)


def _offsets(group: NDArray[np.int32], n_groups: int) -> NDArray[np.int32]:
    counts = np.bincount(group, minlength=n_groups)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)


def _ties(
    network: StreetNetwork,
    edge_end: NDArray[np.int32],
    entry_first: NDArray[np.int32],
    entry_node: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return every pair of nodes of one street that a label merges, beside restricted junctions."""
    n = network.n_junctions
    many_entries = np.diff(entry_first) > 1
    touched = (edge_end >= n) | many_entries
    ties: set[tuple[int, int]] = set()
    for street in np.unique(network.edge_street[touched]).tolist():
        edges = [int(network.street_along[street]), int(network.street_against[street])]
        edges = [edge for edge in edges if edge != NO_EDGE]
        leaving = {int(edge_end[edge]) for edge in edges}
        entering = {
            int(node)
            for edge in edges
            for node in entry_node[entry_first[edge] : entry_first[edge + 1]]
        }
        for group in (leaving, entering):
            ties.update(combinations(sorted(group), 2))
    return np.array(sorted(ties), np.int32).reshape(-1, 2)
