"""Turn restrictions become pairs of edges that must not follow each other.

Two streets of one restriction are found by the ways of their pieces beside the via node. A
restriction at a node inside a street bans nothing: one can only drive straight on there, and a ban
on that has already cut the street in two (`street_cut`).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geodata.raw_streets import RawRestriction
from geodata.street_core import Core
from geodata.street_cut import Pieces
from geodata.street_edges import Edges

NOT_FOUND = "turn restrictions whose node or ways are not in the network"
INSIDE = "turn restrictions inside a street, where nobody can turn"
AMBIGUOUS = "turn restrictions that fit several streets of one way"
NO_WAY_OUT = "turn restrictions that would leave no way out"


def ban_turns(
    restrictions: Sequence[RawRestriction], pieces: Pieces, core: Core, edges: Edges
) -> tuple[NDArray[np.int32], dict[str, int]]:
    """Return the banned pairs (n_bans, 2), sorted, and how many restrictions had no effect."""
    counts: Counter[str] = Counter()
    bans: dict[int, set[int]] = {}
    turns = _Turns(pieces, core, edges)
    for row in sorted(set(restrictions), key=_order):
        found = turns.of(row)
        if isinstance(found, str):
            counts[found] += 1
            continue
        for arriving, leaving in found:
            banned = bans.get(arriving, set()) | leaving
            if banned >= turns.exits(arriving):
                counts[NO_WAY_OUT] += 1
            else:
                bans[arriving] = banned
    pairs = sorted((arriving, out) for arriving, banned in bans.items() for out in banned)
    return np.array(pairs, np.int32).reshape(-1, 2), dict(counts)


def _order(row: RawRestriction) -> tuple[int, int, int, bool, bool]:
    """Sort key that makes the result independent of the source's order; bans go before `only`."""
    return row.via_node, row.from_way, row.to_way, row.only, row.u_turn


class _Turns:
    """Finds the edges of a restriction by its node and ways."""

    def __init__(self, pieces: Pieces, core: Core, edges: Edges) -> None:
        self._edges = edges
        self._node_id = pieces.node_id
        ids = pieces.node_id[core.junction_node].tolist()
        self._junction = {node_id: junction for junction, node_id in enumerate(ids)}
        self._by_head = np.argsort(edges.head, kind="stable")
        self._head_sorted = edges.head[self._by_head]
        self._ends = set(core.end_node.tolist())

    def of(self, row: RawRestriction) -> list[tuple[int, set[int]]] | str:
        """Return for each arriving edge the edges that must not follow, or why there are none."""
        junction = self._junction.get(row.via_node)
        if junction is None:
            return INSIDE if self._is_inside(row.via_node) else NOT_FOUND
        arriving = self._arriving(junction, row.from_way)
        leaving = [edge for edge in self._exits(junction) if self._leaves_by(edge, row.to_way)]
        if row.u_turn and row.from_way == row.to_way:
            back = [(edge, self._back(edge, leaving)) for edge in arriving]
            return [pair for pair in back if pair[1]] or NOT_FOUND
        if not arriving or not leaving:
            return NOT_FOUND
        if len(arriving) > 1 or len(leaving) > 1:
            return AMBIGUOUS
        banned = set(self._exits(junction)) - set(leaving) if row.only else set(leaving)
        return [(arriving[0], banned)]

    def exits(self, arriving: int) -> set[int]:
        """Return all edges that leave where this one ends."""
        return set(self._exits(int(self._edges.head[arriving])))

    def _exits(self, junction: int) -> range:
        return range(int(self._edges.first[junction]), int(self._edges.first[junction + 1]))

    def _arriving(self, junction: int, way_id: int) -> list[int]:
        first, last = np.searchsorted(self._head_sorted, (junction, junction + 1))
        edges: list[int] = np.sort(self._by_head[first:last]).tolist()
        return [edge for edge in edges if self._edges.arrival_way[edge] == way_id]

    def _leaves_by(self, edge: int, way_id: int) -> bool:
        return bool(self._edges.leaving_way[edge] == way_id)

    def _back(self, arriving: int, leaving: list[int]) -> set[int]:
        """Return the edge of the same street in the other direction, as a set of one or none."""
        street, along = self._edges.street[arriving], self._edges.along[arriving]
        same = [edge for edge in leaving if self._edges.street[edge] == street]
        return {edge for edge in same if self._edges.along[edge] != along}

    def _is_inside(self, node_id: int) -> bool:
        """Whether a node that is no junction of the network lies inside a street."""
        place = int(np.searchsorted(self._node_id, node_id))
        known = place < len(self._node_id) and self._node_id[place] == node_id
        return known and place not in self._ends
