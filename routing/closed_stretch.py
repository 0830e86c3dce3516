"""Who is inside closures, and the least ways out, in and between places there.

What lives here: `ClosedStretch`, made with a weight set that closes edges. What does not: times
over open streets, which know nothing of it (`travel_time`), and when something is closed
(`geodata.closures`).

Nobody drives over closed edges to somewhere else. A *place* is inside where every edge by which it
could be left (a unit) or reached (a call) is closed, or open but cut off: closures have parted it
from the *core*, the largest part of the streets within which everywhere is reached from everywhere.
An *open end* is where a closed stretch meets streets that lead to the core, or come from it.

A unit inside drives out by the open end that suits it best, and over nothing closed beyond it. A
call inside is reached from its nearest open end: that of the least metres over closed edges, then
of the least time, then of the lowest edge. Where both are inside, the way over the stretch that
they share competes. One-way streets and banned turns hold inside as they do outside.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import StreetNetwork
from geodata.snap import Positions
from routing.places import Place, used_ms
from routing.stretch_kernel import NEVER, NOT_REACHED, SEED, Fan, around_core, spread
from routing.turns import TurnGraph

MM_BITS: Final = 26
"""Millimetres stand above so many bits of milliseconds, so that one number compares both."""


class Part(Struct, frozen=True, eq=False):
    """An edge by which a place is left or reached, and what the part of it takes."""

    edge: int
    ms: int
    closed_mm: int


class WayIn(Struct, frozen=True, kw_only=True, eq=False):
    """How a call inside is reached."""

    nodes: NDArray[np.int64]
    """(n,) of the turn graph, at the nearest open end; none where there is no way in."""
    ms: int
    """From there to the call."""
    closed_m: float
    """Metres of that over closed edges."""
    last: tuple[Part, ...]
    """The edges by which the call may be reached in the end."""
    by_arc: NDArray[np.int32]
    """(n_nodes,) the arc towards the call from each node on a way in."""
    between_ms: NDArray[np.int64]
    """(n_nodes,) from each node to the call over the stretch alone."""
    between_arc: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClosedStretch:
    """What closures have closed or cut off; columns of edges, arcs and nodes of the turn graph."""

    network: StreetNetwork
    graph: TurnGraph
    move_ms: NDArray[np.int32]
    """(n_edges,) as if closed edges were open."""
    end_ms: NDArray[np.int32]
    closed: NDArray[np.bool_]
    """(n_edges,) by closures alone."""
    drivable: NDArray[np.bool_]
    """(n_arcs,) arcs that may be driven but for closures."""
    stretch: NDArray[np.bool_]
    """(n_arcs,) those of edges that are closed or not in the core."""
    arc_ms: NDArray[np.int64]
    """(n_arcs,) as if closed edges were open."""
    arc_mm: NDArray[np.int64]
    """(n_arcs,) millimetres over closed edges and milliseconds in one number, see MM_BITS."""
    out: Fan
    back: Fan
    leaves: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """(n_nodes,) from where the core is reached; where any open arc leaves."""
    enters: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """(n_nodes,) what is reached from the core; where any open arc arrives."""
    free: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """(n_edges,) open edges by which a unit is not inside, and by which a call is not."""
    touched: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """(n_streets,) streets with another edge, for units and for calls."""

    @classmethod
    def of(
        cls,
        network: StreetNetwork,
        graph: TurnGraph,
        edge_times: EdgeTimes,
        timed_arcs: NDArray[np.int32],
        rank: NDArray[np.int32],
    ) -> Self | None:
        """Return what closures do to a network, None where nothing is closed.

        Parameters
        ----------
        timed_arcs
            Arcs that bans close at this hour.
        rank
            Of each node in the hierarchy. The highest ranks part the streets into halves, so a core
            is looked for from there.
        """
        shut = edge_times.closed
        if shut is None:
            return None
        move_ms, end_ms = edge_times.move_ms.copy(), edge_times.end_ms.copy()
        move_ms[shut.edges], end_ms[shut.edges] = shut.move_ms, shut.end_ms
        closed = np.zeros(network.n_edges, np.bool_)
        closed[shut.edges] = True
        drivable = move_ms[graph.arc_edge] < UNREACHABLE_MS
        drivable[timed_arcs] = False
        open_ = drivable & ~closed[graph.arc_edge]
        out, back = fans = _fans(graph)
        order = np.empty(graph.n_nodes, np.int32)
        order[graph.n_nodes - 1 - rank] = np.arange(graph.n_nodes, dtype=np.int32)
        leaves, enters = _ends(graph, fans, open_, order)
        once_leaves, once_enters = _ends(graph, fans, drivable, order)
        may = move_ms < UNREACHABLE_MS
        free = (
            may & ~closed & (leaves | ~once_leaves)[graph.edge_end],
            may & ~closed & (_entered(graph, enters) | ~_entered(graph, once_enters)),
        )
        core_edges = _within(graph, open_, leaves & enters)
        arc_ms = (move_ms + end_ms).astype(np.int64)[graph.arc_edge]
        mm = np.rint(1000 * network.street_length_m).astype(np.int64)[network.edge_street]
        return cls(
            network=network, graph=graph, move_ms=move_ms, end_ms=end_ms, closed=closed,
            drivable=drivable,
            stretch=drivable & ~core_edges[graph.arc_edge],
            arc_ms=arc_ms,
            arc_mm=arc_ms + (np.where(closed, mm, 0)[graph.arc_edge] << MM_BITS),
            out=out, back=back,
            leaves=(leaves, _marked(graph.arc_tail[open_], graph.n_nodes)),
            enters=(enters, _marked(graph.arc_head[open_], graph.n_nodes)),
            free=free,
            touched=(
                _marked(network.edge_street[may & ~free[0]], network.n_streets),
                _marked(network.edge_street[may & ~free[1]], network.n_streets),
            ),
        )  # fmt: skip

    # -- who is inside ------------------------------------------------------------------------

    def driven_out(self, place: Place) -> tuple[Part, ...]:
        """Return the edges by which a unit inside leaves its place, none when it is not inside."""
        return self._driven(place, 0)

    def driven_in(self, place: Place) -> tuple[Part, ...]:
        """Return the edges by which a call inside is reached, none when it is not inside."""
        return self._driven(place, 1)

    def _driven(self, place: Place, purpose: int) -> tuple[Part, ...]:
        street, fraction, ways = place
        if street < 0 or not self.touched[purpose].item(street):
            return ()
        found = []
        for side in range(2):
            net = self.network
            edge = (net.street_along if side == 0 else net.street_against).item(street)
            if not ways & (1 << side) or edge < 0 or self.move_ms[edge] >= UNREACHABLE_MS:
                continue
            if self.free[purpose][edge]:
                return ()
            found.append(self._part(edge, side, fraction, purpose))
        return tuple(found)

    def _part(self, edge: int, side: int, fraction: float, purpose: int) -> Part:
        """Return the part of an edge after a unit or before a call."""
        move = self.move_ms.item(edge)
        used = int(used_ms(fraction, side, move))
        share = fraction if side == 0 else 1.0 - fraction
        metres = self.network.street_length_m.item(self.network.edge_street.item(edge))
        mm = round(1000 * metres * share) if self.closed[edge] else 0
        left = move - used + self.end_ms.item(edge)
        return Part(edge, used, mm) if purpose else Part(edge, left, mm)

    def rows_inside(self, positions: Positions) -> tuple[int, ...]:
        """Return the rows of the units that are inside."""
        near = self.touched[0][positions.street] & (positions.street >= 0)
        rows = np.flatnonzero(near).tolist()
        return tuple([row for row in rows if self.driven_out(place_of(positions, row))])

    def cut_off_streets(self) -> NDArray[np.bool_]:
        """Return (n_streets,) streets with an open edge that closures part from the core."""
        open_ = ~self.closed & (self.move_ms < UNREACHABLE_MS)
        lost = open_ & ~(self.free[0] & self.free[1])
        return _marked(self.network.edge_street[lost], self.network.n_streets)

    # -- ways ---------------------------------------------------------------------------------

    def ways_out(
        self, driven: tuple[Part, ...]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Return the open ends of a unit inside, ms until each, and by which arc each node is met.

        Nodes and ms are (n,), arcs (n_nodes,). Where no way leads to the core, any open street is
        an end.
        """
        seeds = np.array([(self.graph.edge_end[d.edge], d.ms) for d in driven], np.int64)
        for ends in self.leaves:
            least, by_arc = spread(self.out, self.drivable, self.arc_ms, seeds, ends)
            nodes = np.flatnonzero(ends & (least < NEVER))
            if len(nodes):
                return nodes, least[nodes], by_arc
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32)

    def way_in(self, driven: tuple[Part, ...]) -> WayIn:
        """Return how a call inside is reached from its nearest open end."""
        seeds = [(node, d.ms, d.closed_mm) for d in driven for node in self._entries(d.edge)]
        by_mm = _column_pair([(node, ms + (mm << MM_BITS)) for node, ms, mm in seeds])
        by_ms = _column_pair([(node, ms) for node, ms, _ in seeds])
        nodes, cost, by_arc = self._nearest_end(by_mm, driven)
        between_ms, between_arc = spread(
            self.back, self.stretch, self.arc_ms, by_ms, np.zeros_like(self.enters[0])
        )
        return WayIn(
            nodes=nodes,
            ms=cost & ((1 << MM_BITS) - 1),
            closed_m=(cost >> MM_BITS) / 1000,
            last=driven,
            by_arc=by_arc,
            between_ms=between_ms,
            between_arc=between_arc,
        )

    def _nearest_end(
        self, seeds: NDArray[np.int64], driven: tuple[Part, ...]
    ) -> tuple[NDArray[np.int64], int, NDArray[np.int32]]:
        """Return the nodes of the nearest open end, what it costs, and the arcs from there.

        Where no way leads from the core, any open street is an end; with none the cost is 0.
        """
        for ends in self.enters:
            least, by_arc = spread(self.back, self.drivable, self.arc_mm, seeds, ends)
            cost = int(least[ends].min(initial=NEVER))
            if cost < NEVER:
                nodes = np.flatnonzero(least == cost)
                first = np.array(
                    [self._first_edge(n, by_arc, driven, seeds) for n in nodes.tolist()]
                )
                return nodes[first == first[ends[nodes]].min()], cost, by_arc
        return np.empty(0, np.int64), 0, np.empty(0, np.int32)

    def between_ms(
        self, unit: Place, driven: tuple[Part, ...], call: Place, way: WayIn | None
    ) -> int:
        """Return ms from a unit inside to a call over the stretch alone, or UNREACHABLE_MS."""
        return min(self._straight(unit, driven, call)[0], self._over_stretch(driven, way)[0])

    def _straight(self, unit: Place, driven: tuple[Part, ...], call: Place) -> tuple[int, int]:
        """Return (ms, edge) straight along the street that both are on."""
        best = UNREACHABLE_MS, -1
        for part in driven if unit[0] == call[0] else ():
            side = 0 if self.network.edge_along[part.edge] else 1
            ahead = (call[1] - unit[1]) * (1 - 2 * side)
            if ahead >= 0 and call[2] & (1 << side):
                move = self.move_ms.item(part.edge)
                ms = int(used_ms(call[1], side, move)) - int(used_ms(unit[1], side, move))
                best = min(best, (ms, part.edge))
        return best

    def _over_stretch(self, driven: tuple[Part, ...], way: WayIn | None) -> tuple[int, int]:
        """Return (ms, first edge) to a call by way of the nodes of the stretch."""
        if way is None:
            return UNREACHABLE_MS, -1
        ends = [(d, int(way.between_ms[self.graph.edge_end[d.edge]])) for d in driven]
        return min(
            ((d.ms + ms, d.edge) for d, ms in ends if ms < NEVER), default=(UNREACHABLE_MS, -1)
        )

    # -- the edges of a way -------------------------------------------------------------------

    def edges_between(
        self, unit: Place, driven: tuple[Part, ...], call: Place, way: WayIn | None
    ) -> list[int]:
        """Return the edges of the way that `between_ms` tells of."""
        straight, over = self._straight(unit, driven, call), self._over_stretch(driven, way)
        if straight[0] <= over[0] or way is None:
            return [straight[1]]
        node = self.graph.edge_end.item(over[1])
        return [
            over[1],
            *self.edges_in(node, over[0] - self._left(driven, over[1]), way, between=True),
        ]

    def edges_in(self, node: int, ms: int, way: WayIn, *, between: bool = False) -> list[int]:
        """Return the edges from a node, so many ms from a call inside, to the call."""
        graph, edges = self.graph, list[int]()
        by_arc = way.between_arc if between else way.by_arc
        while by_arc[node] != SEED:
            arc = by_arc.item(node)
            assert arc != NOT_REACHED, "a node on no way in"
            edges.append(graph.arc_edge.item(arc))
            ms -= int(self.arc_ms[arc])
            node = graph.arc_head.item(arc)
        last = [d.edge for d in way.last if d.ms == ms and node in self._entries(d.edge)]
        return [*edges, min(last)]

    def edges_out(
        self, node: int, ms: int, driven: tuple[Part, ...], by_arc: NDArray[np.int32]
    ) -> list[int]:
        """Return the edges of a unit inside to a node that it reaches after so many ms."""
        graph, edges = self.graph, list[int]()
        while by_arc[node] != SEED:
            arc = by_arc.item(node)
            edges.append(graph.arc_edge.item(arc))
            ms -= int(self.arc_ms[arc])
            node = graph.arc_tail.item(arc)
        first = [d.edge for d in driven if d.ms == ms and graph.edge_end[d.edge] == node]
        return [min(first), *reversed(edges)]

    def _first_edge(
        self,
        node: int,
        by_arc: NDArray[np.int32],
        driven: tuple[Part, ...],
        seeds: NDArray[np.int64],
    ) -> int:
        """Return the edge that is driven first from an open end."""
        if by_arc[node] != SEED:
            return self.graph.arc_edge.item(by_arc.item(node))
        cost = seeds[seeds[:, 0] == node, 1].min()
        return min(
            d.edge
            for d in driven
            if node in self._entries(d.edge) and d.ms + (d.closed_mm << MM_BITS) == cost
        )

    def _entries(self, edge: int) -> list[int]:
        first = self.graph.entry_first
        return self.graph.entry_node[first[edge] : first[edge + 1]].tolist()  # type: ignore[no-any-return]

    @staticmethod
    def _left(driven: tuple[Part, ...], edge: int) -> int:
        return next(d.ms for d in driven if d.edge == edge)


def place_of(positions: Positions, row: int) -> Place:
    """Return the place of a unit as kernels take it."""
    return positions.street.item(row), positions.fraction.item(row), positions.leaves.item(row)


def _fans(graph: TurnGraph) -> tuple[Fan, Fan]:
    arcs = np.arange(len(graph.arc_edge), dtype=np.int32)
    by_head = np.argsort(graph.arc_head, kind="stable").astype(np.int32)
    first = np.searchsorted(graph.arc_head[by_head], np.arange(graph.n_nodes + 1)).astype(np.int32)
    return (graph.arc_first, arcs, graph.arc_head), (first, by_head, graph.arc_tail[by_head])


def _ends(
    graph: TurnGraph, fans: tuple[Fan, Fan], open_: NDArray[np.bool_], order: NDArray[np.int32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (n_nodes,) from where the core is reached, and what is reached from it.

    The latter wherever an edge arrives that is reached, whatever was driven before it.
    """
    leads, reached = around_core(*fans, open_, order)
    driven = _marked(graph.arc_edge[open_ & reached[graph.arc_tail]], len(graph.edge_end))
    arrived = _marked(graph.arc_head[open_ & driven[graph.arc_edge]], graph.n_nodes)
    return leads & _marked(graph.arc_tail[open_], graph.n_nodes), arrived


def _within(
    graph: TurnGraph, open_: NDArray[np.bool_], in_core: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return (n_edges,) the edges of which an open arc joins two nodes of the core."""
    between = open_ & in_core[graph.arc_tail] & in_core[graph.arc_head]
    return _marked(graph.arc_edge[between], len(graph.edge_end))


def _entered(graph: TurnGraph, node_entered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (n_edges,) which edges may be driven from any of the marked nodes."""
    edge = np.repeat(np.arange(len(graph.edge_end)), np.diff(graph.entry_first))
    return _marked(edge[node_entered[graph.entry_node]], len(graph.edge_end))


def _column_pair(pairs: list[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(pairs, np.int64).reshape(-1, 2)


def _marked(places: NDArray[np.integer], n: int) -> NDArray[np.bool_]:
    marks = np.zeros(n, np.bool_)
    marks[places] = True
    return marks
