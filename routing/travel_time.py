"""Drive times between positions on streets: what the rest of the software sees of the kernel.

What lives here: `TravelTimes`, one weight set made ready for queries, with unit labels, times,
surfaces and routes. What does not: where a point lies on a street (`geodata.snap`) and how long a
street takes (`geodata.driving_time`).

A position lies part-way along a street. A unit pays the rest of its street up to the junction where
it leaves, an incident costs the part of its street from the junction where it is entered. Where
both are on one street the time straight along it competes with the way round.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import StreetNetwork
from geodata.snap import Position, Positions
from routing import hierarchy as kernel
from routing import places
from routing.road_hierarchy import RoadHierarchy
from routing.turns import TurnGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLabels:
    """Labels of n units at their positions; valid for the weight set that made them."""

    weights_id: str
    positions: Positions
    rows: NDArray[np.int32]
    """(n, width) times to the ancestors of `bases`, padded with UNREACHABLE_MS."""
    bases: NDArray[np.int32]
    """(n,) deepest node that each label is merged over, as a rank; -1 without a way out."""

    def __len__(self) -> int:
        return len(self.bases)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLabel:
    """The label of one target, with the path to the root that it belongs to."""

    weights_id: str
    position: Position
    row: NDArray[np.int32]
    base: int
    path: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """A quickest way from one position to another; it is drawn only when it is looked at."""

    network: StreetNetwork
    ms: int
    """Drive time in milliseconds, without start and park."""
    edges: NDArray[np.int32]
    """(n_edges,) edges driven, the first and the last of them only in part."""
    begin_fraction: float
    """Where the route begins on its first edge, as a share of the edge from its tail."""
    end_fraction: float
    """Where it ends on its last edge, likewise."""

    @cached_property
    def edge_begin_m(self) -> NDArray[np.float64]:
        """(n_edges + 1,) metres driven when each edge is begun, and at the end of the route."""
        low, high = np.zeros(len(self.edges)), np.ones(len(self.edges))
        low[0], high[-1] = self.begin_fraction, self.end_fraction
        metres = self.network.street_length_m[self.network.edge_street[self.edges]] * (high - low)
        return np.concatenate(([0.0], np.cumsum(metres)))

    @property
    def length_m(self) -> float:
        """Metres driven."""
        return float(self.edge_begin_m[-1])

    @cached_property
    def streets(self) -> tuple[str, ...]:
        """Names in driving order, each once where it follows itself; '' for unnamed streets."""
        number = self.network.street_name[self.network.edge_street[self.edges]]
        first = np.concatenate(([True], number[1:] != number[:-1]))
        return tuple(self.network.names[k] for k in number[first])

    @cached_property
    def line(self) -> NDArray[np.float64]:
        """(n, 2) lon and lat in degrees, from the start to the end."""
        ends = range(len(self.edges))
        pieces = [self._piece(i, *self._shares(i))[0] for i in ends]
        return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])

    def point_before_end(self, metres: float) -> tuple[float, float, int]:
        """Return lon, lat and edge of the point so many metres before the end, or of the start."""
        at_m = max(0.0, self.length_m - metres)
        last = len(self.edges) - 1
        i = min(last, int(np.searchsorted(self.edge_begin_m[1:], at_m, side="left")))
        line, along_m = self._piece(i, *self._shares(i))
        within_m = at_m - self.edge_begin_m[i]
        lon = float(np.interp(within_m, along_m, line[:, 0]))
        lat = float(np.interp(within_m, along_m, line[:, 1]))
        return lon, lat, int(self.edges[i])

    def _shares(self, i: int) -> tuple[float, float]:
        begin = self.begin_fraction if i == 0 else 0.0
        return begin, self.end_fraction if i == len(self.edges) - 1 else 1.0

    def _piece(
        self, i: int, low: float, high: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the line of the i-th edge between two shares of it, and the metres along it."""
        net, edge = self.network, self.edges[i]
        street = int(net.edge_street[edge])
        line = net.street_line(street)
        metres = net.point_m[net.street_point_first[street] : net.street_point_first[street + 1]]
        if not net.edge_along[edge]:
            line, metres = line[::-1], metres[-1] - metres[::-1]
        total = float(metres[-1])
        inside = (metres > low * total) & (metres < high * total)
        at = np.concatenate(([low * total], metres[inside], [high * total]))
        lon, lat = np.interp(at, metres, line[:, 0]), np.interp(at, metres, line[:, 1])
        return np.column_stack((lon, lat)), at - at[0]


class TravelTimes:
    """One network with one weight set, ready for queries. Immutable; safe to read from any thread.

    Making one takes milliseconds (about 20 for a city), so a closure or a new hour means a new
    object beside the old one, never a change of it.
    """

    __slots__ = (
        "_arc_ms", "_down_ms", "_edge_by_street", "_from_table", "_label_width", "_to_table",
        "_up_ms", "_walk_ms", "edge_times", "graph", "hierarchy", "network",
    )  # fmt: skip

    def __init__(
        self,
        network: StreetNetwork,
        graph: TurnGraph,
        hierarchy: RoadHierarchy,
        edge_times: EdgeTimes,
    ) -> None:
        self.network = network
        self.graph = graph
        self.hierarchy = hierarchy
        self.edge_times = edge_times
        edge_ms = np.minimum(edge_times.move_ms + edge_times.end_ms, UNREACHABLE_MS).astype(
            np.int32
        )
        self._arc_ms = edge_ms[graph.arc_edge]
        h = hierarchy
        usable = h.arc_slot >= 0
        self._up_ms, self._down_ms = kernel.customise(
            h.arc_slot[usable], h.arc_is_up[usable], self._arc_ms[usable],
            h.up_first, h.up_head, h.low_first, h.low_arc, h.low_tail,
        )  # fmt: skip
        self._to_table = kernel.label_table(
            h.up_first, h.up_head, self._up_ms, h.depth, h.label_first
        )
        self._from_table = kernel.label_table(
            h.up_first, h.up_head, self._down_ms, h.depth, h.label_first
        )
        self._walk_ms = self._arc_ms[h.walk_arc]
        self._label_width = int(h.depth.max(initial=0)) + 1
        self._edge_by_street = (network.street_along, network.street_against)

    @property
    def weights_id(self) -> str:
        """Name of the weight set."""
        return self.edge_times.weights_id

    @property
    def start_and_park_ms(self) -> int:
        """Milliseconds that every trip takes beside driving; no drive time here includes them."""
        return self.edge_times.start_and_park_ms

    @property
    def memory_bytes(self) -> int:
        """Bytes of the label tables and weights that belong to this weight set alone."""
        own = (self._arc_ms, self._up_ms, self._down_ms, self._to_table, self._from_table)
        return sum(column.nbytes for column in (*own, self._walk_ms))

    def reweighed(self, edge_times: EdgeTimes) -> "TravelTimes":
        """Return the drive times of the same streets with other weights; this object stays."""
        return TravelTimes(self.network, self.graph, self.hierarchy, edge_times)

    # -- labels and times ---------------------------------------------------------------------

    def unit_labels(self, positions: Positions) -> UnitLabels:
        """Return the labels of units at their positions; kept until a unit moves."""
        h = self.hierarchy
        rows = np.empty((len(positions), self._label_width), np.int32)
        bases = np.empty(len(positions), np.int32)
        places.unit_labels(
            positions.street, positions.fraction, positions.leaves,
            self._edge_by_street, self.edge_times.move_ms, self.edge_times.end_ms,
            self.graph.edge_end, h.rank, h.depth, h.label_first, self._to_table, rows, bases,
        )  # fmt: skip
        return UnitLabels(weights_id=self.weights_id, positions=positions, rows=rows, bases=bases)

    def incident_label(self, position: Position) -> IncidentLabel:
        """Return the label of a target; one serves any number of units."""
        h = self.hierarchy
        row = np.empty(self._label_width, np.int32)
        base = places.incident_label(
            _place(position), self._edge_by_street, self.edge_times.move_ms,
            self.graph.entry_first, self.graph.entry_node,
            h.rank, h.depth, h.label_first, self._from_table, row,
        )  # fmt: skip
        path = kernel.root_path(base, h.parent, h.depth, h.enter, h.leave)
        return IncidentLabel(
            weights_id=self.weights_id, position=position, row=row, base=base, path=path
        )

    def drive_ms(self, units: UnitLabels, incident: Position | IncidentLabel) -> NDArray[np.int32]:
        """Return (n_units,) milliseconds to drive to the incident; UNREACHABLE_MS without a way.

        Start and park are not included. The labels must come from this weight set.
        """
        target = self.incident_label(incident) if isinstance(incident, Position) else incident
        assert units.weights_id == self.weights_id == target.weights_id, "labels of other weights"
        at = units.positions
        times: NDArray[np.int32] = places.times_to(
            units.rows, units.bases, self.hierarchy.enter, target.row, target.path,
            at.street, at.fraction, at.leaves, _place(target.position),
            self._edge_by_street, self.edge_times.move_ms,
        )  # fmt: skip
        return times

    # -- surfaces -----------------------------------------------------------------------------

    def ms_to_junctions(self, origin: Position) -> NDArray[np.int32]:
        """Return (n_junctions,) milliseconds from a unit's position to every junction."""
        labels = self.unit_labels(Positions.of(origin))
        return self._surface(int(labels.bases[0]), labels.rows[0], self._down_ms)

    def ms_from_junctions(self, target: Position) -> NDArray[np.int32]:
        """Return (n_junctions,) milliseconds from every junction to an incident's position.

        The time counts from the junction itself, free to turn into any street.
        """
        label = self.incident_label(target)
        return self._surface(label.base, label.row, self._up_ms)[: self.network.n_junctions]

    def _surface(
        self, base: int, row: NDArray[np.int32], arc_ms: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        h = self.hierarchy
        by_rank = kernel.sweep(base, row, h.parent, h.depth, h.up_first, h.up_head, arc_ms)
        by_node = by_rank[h.rank]
        n = self.network.n_junctions
        times = by_node[:n]
        if self.graph.n_nodes > n and arc_ms is self._down_ms:
            times = times.copy()
            np.minimum.at(times, self.graph.node_junction[n:], by_node[n:])
        return times

    # -- routes -------------------------------------------------------------------------------

    def route(self, unit: Position, incident: Position) -> Route | None:
        """Return a quickest way, always the same one, or None when there is none."""
        label = self.incident_label(incident)
        total_ms = int(self.drive_ms(self.unit_labels(Positions.of(unit)), label)[0])
        if total_ms >= UNREACHABLE_MS:
            return None
        straight_ms, edge = places.straight_ms(
            _place(unit), _place(incident), self._edge_by_street, self.edge_times.move_ms
        )
        straight = straight_ms == total_ms
        edges = [edge] if straight else self._edges_driven(unit, label, total_ms)
        return Route(
            network=self.network,
            ms=total_ms,
            edges=np.array(edges, np.int32),
            begin_fraction=self._share_from_tail(edges[0], unit.fraction),
            end_fraction=self._share_from_tail(edges[-1], incident.fraction),
        )

    def _share_from_tail(self, edge: int, fraction: float) -> float:
        return fraction if self.network.edge_along[edge] else 1.0 - fraction

    def _edges_driven(self, unit: Position, label: IncidentLabel, total_ms: int) -> list[int]:
        """Return the edges from the unit's street to the incident's by walking the labels."""
        h, graph = self.hierarchy, self.graph
        entries = [
            (int(h.rank[node]), used, edge)
            for edge, used, _ in self._ways(label.position)
            for node in graph.entry_node[graph.entry_first[edge] : graph.entry_first[edge + 1]]
        ]
        ends = np.array([(rank, used) for rank, used, _ in entries], np.int32)
        for edge, _, left in self._ways(unit):
            start = h.rank[graph.edge_end[edge]]
            arcs, end, rest = kernel.walk(
                start, total_ms - left, h.walk_first, h.walk_head, self._walk_ms, self._to_table,
                h.label_first, h.enter, label.row, label.path, ends,
            )  # fmt: skip
            if end >= 0:
                last = next(e for rank, used, e in entries if rank == end and used == rest)
                return [edge, *graph.arc_edge[h.walk_arc[arcs]].tolist(), last]
        raise AssertionError("no way out of the unit's street explains its drive time")

    def _ways(self, position: Position) -> list[tuple[int, int, int]]:
        """Return (edge, ms from its tail, ms to its head) for each way along the street."""
        times, found = self.edge_times, []
        for side in range(2):
            edge = places.driven_edge(
                position.street, position.leaves, side, self._edge_by_street, times.move_ms
            )
            if edge >= 0:
                used = int(places.used_ms(position.fraction, side, times.move_ms[edge]))
                left = int(times.move_ms[edge]) - used + int(times.end_ms[edge])
                found.append((int(edge), used, left))
        return found


def _place(position: Position) -> tuple[int, float, int]:
    """Return a position as the kernels take it."""
    return position.street, position.fraction, position.leaves
