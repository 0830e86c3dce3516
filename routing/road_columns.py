"""What the kernels read of streets, turns and tree for every query, whatever the weights.

What lives here: `RoadColumns`, views of columns that other objects own and one table of its own,
shared by all weight sets of a network. What does not: times (`travel_time`) and kernels.
"""

from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from geodata.network import StreetNetwork
from routing.hierarchy import NODE_COLUMNS
from routing.road_hierarchy import RoadHierarchy
from routing.turns import TurnGraph

Column = TypeVar("Column", bound=np.generic)
Ints = NDArray[np.int32]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoadColumns:
    """Columns that cannot be written, in the groups in which kernels take them."""

    edge_by_street: tuple[Ints, Ints]
    """Edge along and against the drawing direction, by street."""
    turns: tuple[Ints, Ints, Ints]
    """Node at which each edge arrives; first, and nodes from which each edge may be driven."""
    streets: tuple[Ints, NDArray[np.bool_], NDArray[np.float64]]
    """Street of each edge, whether it runs in its drawing direction, metres of each street."""
    rank: Ints
    """(n_nodes,) rank of each node of the turn graph."""
    nodes: Ints
    """(n_nodes, 8) by rank, see `hierarchy.NODE_COLUMNS`: 32 bytes a node, so that a kernel that
    looks at a node waits for memory once."""

    lines: tuple[Ints, Reals, Reals, Reals]
    """First point of each street; lon, lat and metres from its begin of each point."""
    street_flags: NDArray[np.uint8]
    junctions: tuple[Ints, Ints, Reals, Reals]
    """Tail and head of each edge; lon and lat of each junction."""

    @classmethod
    def of(cls, network: StreetNetwork, graph: TurnGraph, hierarchy: RoadHierarchy) -> Self:
        """Return the columns of a network; takes less than a millisecond for a city."""
        h = hierarchy
        assert h.label_first[-1] < 2**31, "labels of more than 8 GB"
        unused = np.zeros(len(h.rank), np.int32)
        nodes = np.column_stack(
            (
                h.label_first[:-1].astype(np.int32), h.depth, h.enter, h.leave, h.parent,
                h.walk_first[:-1], h.walk_first[1:], unused,
            )
        )  # fmt: skip
        assert nodes.shape[1] == len(NODE_COLUMNS), "the table of nodes lacks a column"
        return cls(
            edge_by_street=(read_only(network.street_along), read_only(network.street_against)),
            turns=_turns(graph),
            streets=(
                read_only(network.edge_street),
                read_only(network.edge_along),
                read_only(network.street_length_m),
            ),
            rank=read_only(h.rank),
            nodes=read_only(nodes),
            lines=(
                read_only(network.street_point_first),
                read_only(network.point_lon),
                read_only(network.point_lat),
                read_only(network.point_m),
            ),
            street_flags=read_only(network.street_flags),
            junctions=(
                read_only(network.edge_tail),
                read_only(network.edge_head),
                read_only(network.junction_lon),
                read_only(network.junction_lat),
            ),
        )

    def entered_as(self, graph: TurnGraph) -> Self:
        """Return the columns with the entries of a graph, which bans by the hour may change."""
        return replace(self, turns=_turns(graph)) if len(graph.timed_arc) else self


def _turns(graph: TurnGraph) -> tuple[Ints, Ints, Ints]:
    return read_only(graph.edge_end), read_only(graph.entry_first), read_only(graph.entry_node)


def read_only(column: NDArray[Column]) -> NDArray[Column]:
    """Return a view that cannot be written.

    Columns of a saved network cannot be written, those of a fresh one can, and a kernel is compiled
    anew for each kind of array: this way there is one.
    """
    view = column.view()
    view.setflags(write=False)
    return view
