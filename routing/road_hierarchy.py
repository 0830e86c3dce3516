"""What the kernel knows of a network before any times: node order, contraction, elimination tree.

Built once for each network (it survives every closure and every hour) and saved beside it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from geodata.artifacts import ArtifactKind, load_columns, save_columns
from geodata.earth import metres_per_degree
from geodata.errors import ArtifactDamagedError, ArtifactMissingError
from geodata.network import StreetNetwork
from routing import hierarchy as kernel
from routing.node_order import nested_dissection
from routing.turns import TurnGraph, expand_turns

Progress = Callable[[str, float | None], None]


def _no_progress(stage: str, fraction: float | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadHierarchy:
    """Columns by rank (n_nodes) unless they say otherwise; see `hierarchy` for what they mean."""

    rank: NDArray[np.int32]
    """(n_nodes,) rank of each node of the turn graph."""
    up_first: NDArray[np.int32]
    up_head: NDArray[np.int32]
    low_first: NDArray[np.int32]
    low_arc: NDArray[np.int32]
    low_tail: NDArray[np.int32]
    parent: NDArray[np.int32]
    depth: NDArray[np.int32]
    label_first: NDArray[np.int64]
    enter: NDArray[np.int32]
    leave: NDArray[np.int32]
    arc_slot: NDArray[np.int32]
    """(n_arcs,) upward arc that carries each arc of the turn graph; -1 for a loop."""
    arc_is_up: NDArray[np.bool_]
    """(n_arcs,) True when the arc leads to the higher rank."""
    walk_first: NDArray[np.int32]
    """(n_nodes + 1,) first arc that leaves each rank, into the two columns that follow."""
    walk_head: NDArray[np.int32]
    """(n_arcs,) rank at which it arrives."""
    walk_arc: NDArray[np.int32]
    """(n_arcs,) the arc of the turn graph."""

    @classmethod
    def build(
        cls, network: StreetNetwork, graph: TurnGraph, progress: Progress = _no_progress
    ) -> Self:
        """Order and contract the graph of a network.

        Deterministic: the same network gives the same columns.
        """
        progress("ordering junctions", None)
        first, neighbour = _undirected(graph)
        lon, lat = (
            network.junction_lon[graph.node_junction],
            network.junction_lat[graph.node_junction],
        )
        per_lon, per_lat = metres_per_degree(float(np.mean(lat)))
        order = nested_dissection(first, neighbour, lon * per_lon, lat * per_lat)
        rank = np.empty(graph.n_nodes, np.int32)
        rank[order] = np.arange(graph.n_nodes, dtype=np.int32)

        progress("contracting junctions", None)
        up_first, up_head = kernel.contract(*_renumbered(first, neighbour, rank))
        low_first, low_arc, low_tail = kernel.lower_arcs(up_first, up_head)
        parent, depth, label_first, enter, leave = kernel.elimination_tree(up_first, up_head)
        tail, head = rank[graph.arc_tail], rank[graph.arc_head]
        arc_slot = kernel.find_slots(up_first, up_head, tail, head)
        arc_slot[tail == head] = -1
        by_rank = np.argsort(tail, kind="stable")
        built = cls(
            rank=rank, up_first=up_first, up_head=up_head,
            low_first=low_first, low_arc=low_arc, low_tail=low_tail,
            parent=parent, depth=depth, label_first=label_first, enter=enter, leave=leave,
            arc_slot=arc_slot, arc_is_up=tail < head,
            walk_first=_offsets(tail[by_rank], graph.n_nodes),
            walk_head=head[by_rank], walk_arc=by_rank.astype(np.int32),
        )  # fmt: skip
        built.check_streets(network, graph)
        return built

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return every array by its name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def check_streets(self, network: StreetNetwork, graph: TurnGraph) -> None:
        """Assert for every street that the nodes which a label merges lie on one path to the root.

        These are the nodes at which its edges arrive, and the nodes from which they are driven.
        """
        edges = np.arange(network.n_edges)
        entered = np.repeat(edges, np.diff(graph.entry_first))
        self._check_paths(network.edge_street[edges], graph.edge_end)
        self._check_paths(network.edge_street[entered], graph.entry_node)

    def _check_paths(self, street: NDArray[np.int32], node: NDArray[np.int32]) -> None:
        """Assert that of the nodes of each street every next higher one is an ancestor."""
        rank = self.rank[node]
        order = np.lexsort((rank, street))
        street, rank = street[order], rank[order]
        same = street[1:] == street[:-1]
        low, high = rank[:-1][same], rank[1:][same]
        above = (self.enter[high] <= self.enter[low]) & (self.enter[low] < self.leave[high])
        assert above.all(), f"labels of {(~above).sum()} streets would lie on two root paths"


def _undirected(graph: TurnGraph) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the graph without directions, loops and doubles, ties included."""
    ends = np.concatenate((np.column_stack((graph.arc_tail, graph.arc_head)), graph.ties))
    ends = ends[ends[:, 0] != ends[:, 1]].astype(np.int64)
    both = np.concatenate((ends, ends[:, ::-1]))
    keys = np.unique(both[:, 0] * graph.n_nodes + both[:, 1])
    tail, head = keys // graph.n_nodes, keys % graph.n_nodes
    return _offsets(tail, graph.n_nodes), head.astype(np.int32)


def _offsets(sorted_tail: NDArray[np.integer], n_nodes: int) -> NDArray[np.int32]:
    """Return (n_nodes + 1,) where the arcs of each node begin."""
    return np.searchsorted(sorted_tail, np.arange(n_nodes + 1)).astype(np.int32)


def _renumbered(
    first: NDArray[np.int32], neighbour: NDArray[np.int32], rank: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the undirected graph with its nodes numbered by rank."""
    tail = rank[np.repeat(np.arange(len(rank)), np.diff(first))]
    by_rank = np.argsort(tail, kind="stable")
    return _offsets(tail[by_rank], len(rank)), rank[neighbour[by_rank]]


HIERARCHY_FOLDER: Final = "hierarchy"
"""Where the hierarchy is kept within the folder of its network."""

HIERARCHY: Final = ArtifactKind(
    name="road-hierarchy",
    version=1,
    remedy="Build the network again with: tandem network build SOURCE --out FOLDER",
)


class OtherStreetsError(ArtifactDamagedError):
    """A hierarchy that was built for other streets than it is asked for."""


def save_hierarchy(folder: Path, network: StreetNetwork, hierarchy: RoadHierarchy) -> None:
    """Save the hierarchy of a network, together with what tells that it belongs to it."""
    extra = {"streets": streets_digest(network)}
    save_columns(folder, HIERARCHY, hierarchy.columns(), extra)


def load_hierarchy(folder: Path, network: StreetNetwork) -> tuple[TurnGraph, RoadHierarchy]:
    """Return the turn graph of a network and its saved hierarchy.

    Raises
    ------
    OtherStreetsError
        It is the hierarchy of other streets, as after a build that was interrupted.
    ArtifactError
        The folder holds none, an older one or a damaged one.
    """
    bundle = load_columns(folder, HIERARCHY)
    if bundle.extra["streets"] != streets_digest(network):
        raise OtherStreetsError(
            f"{folder}: this hierarchy belongs to other streets than {network.source.network_id}. "
            + HIERARCHY.remedy
        )
    return expand_turns(network), RoadHierarchy(**bundle.columns)


def load_or_build_hierarchy(
    folder: Path | None, network: StreetNetwork, progress: Progress = _no_progress
) -> tuple[TurnGraph, RoadHierarchy]:
    """Return the hierarchy saved beside a network, or a new one where none fits its streets.

    Raises
    ------
    ArtifactError
        The folder holds an older or a damaged one.
    """
    if folder is not None:
        try:
            return load_hierarchy(folder / HIERARCHY_FOLDER, network)
        except (ArtifactMissingError, OtherStreetsError):
            progress("no saved hierarchy fits these streets", None)
    return build_hierarchy(network, progress)


def streets_digest(network: StreetNetwork) -> str:
    """Return 32 hex digits of everything that the order and the contraction depend on."""
    digest = hashlib.sha256()
    bans = ("banned_turns", "path_first", "path_edge", "path_hours")
    for name in ("junction_lon", "junction_lat", "edge_tail", "edge_head", *bans):
        digest.update(np.ascontiguousarray(network.columns()[name]).tobytes())
    return digest.hexdigest()[:32]


def build_hierarchy(
    network: StreetNetwork, progress: Progress = _no_progress
) -> tuple[TurnGraph, RoadHierarchy]:
    """Return the turn graph of a network and its hierarchy."""
    graph = expand_turns(network)
    return graph, RoadHierarchy.build(network, graph, progress)
