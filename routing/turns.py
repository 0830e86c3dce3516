"""The graph that is routed on: junctions and edges, with restricted junctions taken apart.

An edge from which some turn is banned arrives at its own *copy* of the junction, and that copy
lacks the banned arcs. A ban on a longer path (first edge, edges between, last edge) needs memory:
whoever has driven its beginning is at a copy that stands for these edges (a *prefix*), and each arc
leads to the copy of the longest prefix that has now been driven. Copies from which the same is
possible are one. A unit that stands on a street has driven that street's edge and no other. All
other junctions stay single.

A path that is banned in some hours only keeps its arc, which a weight set of these hours closes.

*Ties.* A label of a position is merged over all nodes by which its street may be left (or entered),
which is exact only when these nodes lie on one path to the root of the elimination tree. The two
ends of a street do, being neighbours, but copies need not: they are tied together by arcs that
nobody can drive, added before the order is computed. `RoadHierarchy` asserts the result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from geodata.network import NO_EDGE, StreetNetwork

Prefix = tuple[int, ...]
"""The edges driven last, as far as a ban asks for them."""
Bans = dict[int, frozenset[int]]
"""The edges that must not follow, each with the paths that ban it; no path: at all hours."""
AT_ALL_HOURS: frozenset[int] = frozenset()


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
    timed_arc: NDArray[np.int32]
    """(n_timed,) arcs that are closed while a banned path binds, one row for each path."""
    timed_path: NDArray[np.int32]
    """(n_timed,) these paths, as numbered in the network."""
    edge_end: NDArray[np.int32]
    """(n_edges,) node at which each edge arrives for whoever began on it."""
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

    def closed_arcs(self, paths_binding: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return the arcs that may not be driven while these banned paths (n_paths,) bind."""
        return np.unique(self.timed_arc[paths_binding[self.timed_path]])

    def entered_without(self, closed_arcs: NDArray[np.int32]) -> "TurnGraph":
        """Return the graph with the entries of the arcs that are not closed, and no others."""
        if not len(self.timed_arc):
            return self
        open_ = np.delete(np.arange(len(self.arc_edge)), closed_arcs)
        first, node = _entries(self.arc_tail[open_], self.arc_edge[open_], len(self.edge_end))
        return replace(self, entry_first=first, entry_node=node)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Automaton:
    """What is banned after each prefix, and where longer prefixes lead.

    What holds after some edges holds after more edges that end with them. An edge that leads to no
    prefix of two or more edges is not among those that follow. Prefixes are in sorted order.
    """

    bans: Mapping[Prefix, Bans]
    follows: Mapping[Prefix, Mapping[int, Prefix]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arcs:
    """Columns of arcs: those of the junctions, then those of the copies."""

    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    edge: NDArray[np.int32]
    timed: NDArray[np.int32]
    """(n_timed, 2) arc and banned path."""


def expand_turns(network: StreetNetwork) -> TurnGraph:
    """Return the graph that is routed on; junctions without banned turns are left as they are."""
    automaton = _automaton(_own_bans(network))
    copy_of = _copies(network, automaton)
    edge_end = network.edge_head.copy()
    for prefix, copy in copy_of.items():
        if len(prefix) == 1:
            edge_end[prefix[0]] = network.n_junctions + copy
    arcs = _arcs(network, automaton, copy_of, edge_end)
    order = np.lexsort((arcs.edge, arcs.tail))
    tails, edges = arcs.tail[order], arcs.edge[order]
    place = np.argsort(order).astype(np.int32)
    junction_of = dict(sorted((copy, network.edge_head[p[-1]]) for p, copy in copy_of.items()))
    copied = np.array(list(junction_of.values()), np.int32)
    entry_first, entry_node = _entries(tails, edges, network.n_edges)
    return TurnGraph(
        node_junction=np.concatenate((np.arange(network.n_junctions, dtype=np.int32), copied)),
        arc_first=_offsets(tails, network.n_junctions + len(copied)),
        arc_tail=tails,
        arc_head=arcs.head[order],
        arc_edge=edges,
        timed_arc=place[arcs.timed[:, 0]],
        timed_path=arcs.timed[:, 1],
        edge_end=edge_end,
        entry_first=entry_first,
        entry_node=entry_node,
        ties=_ties(network, edge_end, entry_first, entry_node),
    )


def _own_bans(network: StreetNetwork) -> dict[Prefix, Bans]:
    """Return every prefix of a ban with what is banned after just these edges."""
    own: dict[Prefix, Bans] = {}
    for arrival, departure in network.banned_turns.tolist():
        own.setdefault((arrival,), {})[departure] = AT_ALL_HOURS
    always = np.all(network.path_hours, axis=1)
    for number in range(network.n_paths):
        *before, last = network.path(number)
        for length in range(1, len(before) + 1):
            own.setdefault(tuple(before[:length]), {})
        paths = AT_ALL_HOURS if always[number] else frozenset({number})
        _ban(own[tuple(before)], last, paths)
    return dict(sorted(own.items()))


def _ban(bans: Bans, edge: int, paths: frozenset[int]) -> None:
    """Add a ban; one at all hours makes the others void."""
    known = bans.get(edge, paths)
    bans[edge] = known | paths if known and paths else AT_ALL_HOURS


def _automaton(own: Mapping[Prefix, Bans]) -> _Automaton:
    begun: dict[Prefix, list[int]] = {}
    for prefix in own:
        begun.setdefault(prefix[:-1], []).append(prefix[-1])
    bans: dict[Prefix, Bans] = {}
    follows: dict[Prefix, dict[int, Prefix]] = {}
    for prefix in own:
        bans[prefix], follows[prefix] = {}, {}
        # From the shortest to the longest, which is the one that stays.
        for begin in range(len(prefix) - 1, -1, -1):
            suffix = prefix[begin:]
            for edge, paths in own.get(suffix, {}).items():
                _ban(bans[prefix], edge, paths)
            follows[prefix].update((edge, (*suffix, edge)) for edge in begun.get(suffix, ()))
    return _Automaton(bans=bans, follows=follows)


def _copies(network: StreetNetwork, automaton: _Automaton) -> dict[Prefix, int]:
    """Return the number of each prefix's copy; prefixes that allow the same share one."""
    copy_of = dict.fromkeys(automaton.bans, 0)
    n_copies = 0
    while True:
        number: dict[tuple[object, ...], int] = {}
        latest: dict[Prefix, int] = {}
        for prefix, bans in automaton.bans.items():
            leads = frozenset((e, copy_of[to]) for e, to in automaton.follows[prefix].items())
            key = int(network.edge_head[prefix[-1]]), frozenset(bans.items()), leads
            latest[prefix] = number.setdefault(key, len(number))
        copy_of = latest
        if len(number) == n_copies:
            return copy_of
        n_copies = len(number)


def _arcs(
    network: StreetNetwork,
    automaton: _Automaton,
    copy_of: Mapping[Prefix, int],
    edge_end: NDArray[np.int32],
) -> _Arcs:
    """Return the arcs from the junctions, which remember nothing, and those from the copies."""
    rows: list[tuple[int, int, int]] = []
    timed: list[tuple[int, int]] = []
    done: set[int] = set()
    for prefix, copy in copy_of.items():
        if copy in done:
            continue
        done.add(copy)
        junction = network.edge_head[prefix[-1]]
        bans, follows = automaton.bans[prefix], automaton.follows[prefix]
        for edge in range(network.edge_first[junction], network.edge_first[junction + 1]):
            paths = bans.get(edge)
            if paths == AT_ALL_HOURS:
                continue
            timed += [(network.n_edges + len(rows), path) for path in sorted(paths or ())]
            after = follows.get(edge)
            head = int(edge_end[edge]) if after is None else network.n_junctions + copy_of[after]
            rows.append((network.n_junctions + copy, head, edge))
    tail, head_, edge_ = np.array(rows, np.int32).reshape(-1, 3).T
    every = np.arange(network.n_edges, dtype=np.int32)
    return _Arcs(
        tail=np.concatenate((network.edge_tail, tail)),
        head=np.concatenate((edge_end, head_)),
        edge=np.concatenate((every, edge_)),
        timed=np.array(timed, np.int32).reshape(-1, 2),
    )


def _entries(
    tails: NDArray[np.int32], edges: NDArray[np.int32], n_edges: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return (n_edges + 1,) the first entry of each edge, and the nodes by edge."""
    return _offsets(edges, n_edges), tails[np.argsort(edges, kind="stable")]


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
