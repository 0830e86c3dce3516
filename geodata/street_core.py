"""What of the streets is kept: the connected core, and what hangs on it by reversible lanes.

A network with islands or one-way traps answers "unreachable" at random, so only streets from which
everywhere can be reached, and that can be reached from everywhere, are kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.network import StreetFlag
from geodata.raw_streets import Direction
from geodata.street_cut import Pieces, Streets


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The kept streets and junctions."""

    kept_streets: NDArray[np.int64]
    """(n_kept,) ascending by way id, first and second node."""
    street_gated: NDArray[np.bool_]
    """(n_streets,) True for all that is kept but not in the core."""
    junction_node: NDArray[np.int64]
    """(n_junctions,) nodes at the ends of kept streets, ascending."""
    end_node: NDArray[np.int64]
    """Nodes at the ends of all streets, kept or not, ascending."""
    dropped: dict[str, int]


def find_core(pieces: Pieces, streets: Streets) -> Core:
    """Find the largest strongly connected part without GATED streets, and its part with them."""
    junctions, ends = np.unique(np.stack((streets.tail, streets.head)), return_inverse=True)
    tail, head = ends.reshape(2, -1)
    way = streets.first_way
    one_way = pieces.way_direction[way] == Direction.ALONG
    gated = (pieces.way_flags[way] & StreetFlag.GATED) != 0
    in_core = _largest(_component(len(junctions), tail, head, one_way, ~gated))
    part = _component(len(junctions), tail, head, one_way, np.ones(len(tail), np.bool_))
    in_reach = part == part[np.argmax(in_core)]
    kept = in_reach[tail] & in_reach[head]
    closed = kept & (gated | ~in_core[tail] | ~in_core[head])
    kept_streets = np.flatnonzero(kept)
    second = np.where(
        np.diff(streets.first) > 1,
        streets.piece_head(pieces)[streets.first[:-1]],
        streets.head,
    )[kept]
    order = np.lexsort((second, streets.tail[kept], pieces.way_id[way[kept]]))
    n_edges = np.where(one_way, 1, 2)
    used = np.isin(junctions, np.concatenate((streets.tail[kept], streets.head[kept])))
    return Core(
        kept_streets=kept_streets[order],
        street_gated=closed,
        junction_node=junctions[used],
        end_node=junctions,
        dropped={
            "junctions outside the connected core": int((~used).sum()),
            "streets outside the connected core": int((~kept).sum()),
            "directed edges outside the connected core": int(n_edges[~kept].sum()),
        },
    )


def _component(
    n_junctions: int,
    tail: NDArray[np.int64],
    head: NDArray[np.int64],
    one_way: NDArray[np.bool_],
    open_: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Return the number of the strongly connected part of each junction."""
    back = open_ & ~one_way
    rows = np.concatenate((tail[open_], head[back]))
    columns = np.concatenate((head[open_], tail[back]))
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(n_junctions,) * 2)
    _, part = connected_components(graph.tocsr(), connection="strong")
    return part


def _largest(part: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which junctions are in the largest part; of equals, that of the lowest junction."""
    size = np.bincount(part)
    largest: NDArray[np.bool_] = part == part[np.argmax(size[part])]
    return largest
