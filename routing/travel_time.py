"""Drive times between positions on streets: what the rest of the software sees of the kernel.

What lives here: `TravelTimes`, one weight set made ready for queries, with unit labels, times,
surfaces and routes. What does not: where a point lies on a street (`geodata.snap`) and how long a
street takes (`geodata.driving_time`).

A position lies part-way along a street. A unit pays the rest of its street up to the junction where
it leaves, an incident costs the part of its street from the junction where it is entered. Where
both are on one street the time straight along it competes with the way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import StreetNetwork
from geodata.snap import COLUMN_TYPES, NO_STREET, Position, Positions, Way
from routing import hierarchy as kernel
from routing import places, route_walk
from routing.call_kernel import Streets, Ways
from routing.road_columns import RoadColumns, read_only
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
    by_tree: tuple[NDArray[np.int32], NDArray[np.int32]]
    """(n,) units in the order in which the tree enters their bases, and where it does."""

    def __len__(self) -> int:
        return len(self.bases)


class IncidentLabel(Struct, frozen=True, kw_only=True, eq=False):
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

    edge_begin_m: NDArray[np.float64]
    """(n_edges + 1,) metres driven when each edge is begun, and at the end of the route."""

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
        lon, lat, place = self.place_before_end(metres)
        return lon, lat, int(self.edges[place])

    def place_before_end(self, metres: float) -> tuple[float, float, int]:
        """Return the same point with the place of its edge in `edges`."""
        net = self.network
        found: tuple[float, float, int] = route_walk.before_end(
            metres, self.edges, self.edge_begin_m, self.begin_fraction, self.end_fraction,
            net.edge_street, net.edge_along,
            net.street_point_first, net.point_lon, net.point_lat, net.point_m,
        )  # fmt: skip
        return found

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


class Drive(NamedTuple):
    """What an answer tells of a quickest way that it does not draw."""

    length_m: float
    lon: float
    """Of the point on the way where somebody waits short of the call."""
    lat: float
    street: int
    """On which that point lies."""
    junctions: tuple[int, int]
    """Both ends of that street, the nearer one first."""


class TravelTimes:
    """One network with one weight set, ready for queries. Immutable; safe to read from any thread.

    Making one takes milliseconds (about 20 for a city), so a closure or a new hour means a new
    object beside the old one, never a change of it.
    """

    __slots__ = (
        "_arcs", "_columns", "_down_ms", "_end_ms", "_from_table", "_label_width", "_move_ms",
        "_to_table", "_up_ms", "edge_times", "graph", "hierarchy", "kernel_columns",
        "network", "walk_columns", "weights_id",
    )  # fmt: skip

    def __init__(
        self,
        network: StreetNetwork,
        graph: TurnGraph,
        hierarchy: RoadHierarchy,
        edge_times: EdgeTimes,
        *,
        columns: RoadColumns | None = None,
    ) -> None:
        """Make a weight set ready.

        Parameters
        ----------
        columns
            Of the same network, to be shared; None makes them anew.
        """
        self.network = network
        closed = graph.closed_arcs(edge_times.paths_binding)
        self.graph = graph = graph.entered_without(closed)
        self.hierarchy = h = hierarchy
        self.edge_times = edge_times
        self.weights_id = edge_times.weights_id
        """Name of the weight set."""
        shared = columns or RoadColumns.of(network, graph, hierarchy)
        self._columns = shared.entered_as(graph)
        self._move_ms, self._end_ms = read_only(edge_times.move_ms), read_only(edge_times.end_ms)
        edge_ms = np.minimum(edge_times.move_ms + edge_times.end_ms, UNREACHABLE_MS).astype(
            np.int32
        )
        arc_ms = edge_ms[graph.arc_edge]
        arc_ms[closed] = UNREACHABLE_MS
        usable = h.arc_slot >= 0
        self._up_ms, self._down_ms = kernel.customise(
            h.arc_slot[usable], h.arc_is_up[usable], arc_ms[usable],
            h.up_first, h.up_head, h.low_first, h.low_arc, h.low_tail,
        )  # fmt: skip
        tree = h.up_first, h.up_head
        to_table = kernel.label_table(*tree, self._up_ms, h.depth, h.label_first)
        from_table = kernel.label_table(*tree, self._down_ms, h.depth, h.label_first)
        self._to_table, self._from_table = read_only(to_table), read_only(from_table)
        walked = arc_ms[h.walk_arc], graph.arc_edge[h.walk_arc]
        self._arcs = read_only(np.column_stack((h.walk_head, *walked)))
        self._label_width = int(h.depth.max(initial=0)) + 1
        c = self._columns
        self.kernel_columns: Streets = (
            c.edge_by_street, self._move_ms, c.turns, c.rank, c.nodes, self._from_table,
            self._label_width,
        )  # fmt: skip
        """What `call_kernel.look` reads of the streets."""
        self.walk_columns: Ways = (
            self._end_ms, self._to_table, self._arcs, c.streets, c.lines, c.street_flags,
            c.junctions,
        )  # fmt: skip
        """What it reads of the ways besides."""

    @property
    def start_and_park_ms(self) -> int:
        """Milliseconds that every trip takes beside driving; no drive time here includes them."""
        return self.edge_times.start_and_park_ms

    @property
    def memory_bytes(self) -> int:
        """Bytes of the label tables and weights that belong to this weight set alone."""
        own = (self._up_ms, self._down_ms, self._to_table, self._from_table, self._arcs)
        return sum(column.nbytes for column in own)

    def reweighed(self, edge_times: EdgeTimes) -> "TravelTimes":
        """Return the drive times of the same streets with other weights; this object stays."""
        return TravelTimes(
            self.network, self.graph, self.hierarchy, edge_times, columns=self._columns
        )

    # -- labels and times ---------------------------------------------------------------------

    def unit_labels(self, positions: Positions) -> UnitLabels:
        """Return the labels of units at their positions; kept until a unit moves."""
        columns = self._columns
        rows = np.empty((len(positions), self._label_width), np.int32)
        bases = np.empty(len(positions), np.int32)
        places.unit_labels(
            positions.street, positions.fraction, positions.leaves,
            columns.edge_by_street, self._move_ms, self._end_ms,
            columns.turns[0], columns.rank, columns.nodes, self._to_table, rows, bases,
        )  # fmt: skip
        return self.labels_of(positions, rows, bases)

    def labels_of(
        self, positions: Positions, rows: NDArray[np.int32], bases: NDArray[np.int32]
    ) -> UnitLabels:
        """Return labels that this weight set has made, ready for `drive_ms`."""
        entered = np.where(bases >= 0, self._columns.nodes[bases, kernel.ENTER], np.int32(-1))
        order = np.argsort(entered, kind="stable").astype(np.int32)
        return UnitLabels(
            weights_id=self.weights_id,
            positions=positions,
            rows=rows,
            bases=bases,
            by_tree=(order, entered[order]),
        )

    def moved_labels(
        self, units: UnitLabels, rows: NDArray[np.integer], positions: Positions
    ) -> UnitLabels:
        """Return the labels of units at new positions, of which only some rows differ."""
        assert units.weights_id == self.weights_id, "labels of other weights"
        there = Positions(**{name: getattr(positions, name)[rows] for name in COLUMN_TYPES})
        moved = self.unit_labels(there)
        labels, bases = units.rows.copy(), units.bases.copy()
        labels[rows], bases[rows] = moved.rows, moved.bases
        return self.labels_of(positions, labels, bases)

    def incident_label(self, position: Position) -> IncidentLabel:
        """Return the label of a target; one serves any number of units."""
        columns = self._columns
        _, entry_first, entry_node = columns.turns
        row, path, base = places.incident_label(
            _place(position), columns.edge_by_street, self._move_ms, entry_first, entry_node,
            columns.rank, columns.nodes, self._from_table, self._label_width,
        )  # fmt: skip
        return IncidentLabel(
            weights_id=self.weights_id, position=position, row=row, base=base, path=path
        )

    def at_junction(self, place: Position) -> Position:
        """Return a place at the very head of a one-way street as the begin of a street that leaves.

        A call at a junction is reached by whoever reaches the junction, not only along the street
        that its place happens to be named by. Of the streets that leave, the one into which most
        turns are allowed, then the lowest, stands for it. Any other place is returned as it is.
        """
        ahead = place.fraction == 1.0
        if place.street == NO_STREET or not (ahead or place.fraction == 0.0):
            return place
        if place.leaves != (Way.ALONG if ahead else Way.AGAINST):
            return place
        net, columns = self.network, self._columns
        arriving = columns.edge_by_street[0 if ahead else 1].item(place.street)
        edge, ways = places.street_beyond(
            arriving, net.edge_first, net.edge_head, columns.streets[0], columns.edge_by_street,
            net.street_flags, self._move_ms, columns.turns,
        )  # fmt: skip
        if edge < 0:
            return place
        street = net.edge_street.item(edge)
        fraction = 0.0 if net.edge_along.item(edge) else 1.0
        return replace(place, street=street, fraction=fraction, leaves=ways)

    def drive_ms(self, units: UnitLabels, incident: Position | IncidentLabel) -> NDArray[np.int32]:
        """Return (n_units,) milliseconds to drive to the incident; UNREACHABLE_MS without a way.

        Start and park are not included. The labels must come from this weight set.
        """
        target = self.incident_label(incident) if isinstance(incident, Position) else incident
        assert units.weights_id == self.weights_id == target.weights_id, "labels of other weights"
        at, columns = units.positions, self._columns
        times: NDArray[np.int32] = places.times_to(
            units.rows, units.bases, units.by_tree, target.row, target.path,
            at.street, at.fraction, at.leaves, _place(target.position),
            columns.edge_by_street, self._move_ms,
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
        by_node = self._by_node(base, row, arc_ms)
        n = self.network.n_junctions
        times = by_node[:n]
        if self.graph.n_nodes > n and arc_ms is self._down_ms:
            times = times.copy()
            np.minimum.at(times, self.graph.node_junction[n:], by_node[n:])
        return times

    def _by_node(
        self, base: int, row: NDArray[np.int32], arc_ms: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        h = self.hierarchy
        by_rank = kernel.sweep(base, row, h.parent, h.depth, h.up_first, h.up_head, arc_ms)
        return by_rank[h.rank]

    def ms_to_edges(self, origin: Position) -> NDArray[np.int32]:
        """Return (n_edges,) milliseconds from a unit's position until each edge may be begun.

        At its tail, by a turn that is allowed; UNREACHABLE_MS where no way leads there or the edge
        is closed. The way straight along the unit's own street is not among these.
        """
        labels = self.unit_labels(Positions.of(origin))
        by_node = self._by_node(int(labels.bases[0]), labels.rows[0], self._down_ms)
        _, first, node = self._columns.turns
        entered = np.append(by_node[node], np.int32(UNREACHABLE_MS))
        least = np.minimum.reduceat(entered, first[:-1])
        none = (first[:-1] == first[1:]) | (self._move_ms >= UNREACHABLE_MS)
        return np.where(none, np.int32(UNREACHABLE_MS), least)

    # -- routes -------------------------------------------------------------------------------

    def route(self, unit: Position, incident: Position) -> Route | None:
        """Return a quickest way, always the same one, or None when there is none."""
        units = self.unit_labels(Positions.of(unit))
        return self.route_to(units, 0, self.incident_label(incident))

    def route_to(self, units: UnitLabels, row: int, target: IncidentLabel) -> Route | None:
        """Return the quickest way of the unit in a row of labels; what `route` says, sooner."""
        assert units.weights_id == self.weights_id == target.weights_id, "labels of other weights"
        at, columns = units.positions, self._columns
        ms, edges, begin, end, begin_m = route_walk.drive(
            (at.street.item(row), at.fraction.item(row), at.leaves.item(row)),
            (units.rows[row], units.bases.item(row)),
            (_place(target.position), target.row, target.path),
            columns.edge_by_street, self._move_ms, self._end_ms, columns.turns,
            (columns.rank, columns.nodes, self._to_table), self._arcs, columns.streets,
        )  # fmt: skip
        if ms >= UNREACHABLE_MS:
            return None
        return Route(
            network=self.network,
            ms=ms,
            edges=edges,
            begin_fraction=begin,
            end_fraction=end,
            edge_begin_m=begin_m,
        )

    def drives_to(
        self, units: UnitLabels, rows: Sequence[int], target: IncidentLabel, short_m: float
    ) -> list[Drive | None]:
        """Return the quickest ways of several units; None without a way.

        Parameters
        ----------
        short_m
            Metres before the call where somebody waits; see `route_walk.waiting_place`.
        """
        assert units.weights_id == self.weights_id == target.weights_id, "labels of other weights"
        at, columns = units.positions, self._columns
        told = route_walk.drives(
            np.array(rows, np.int64),
            (units.rows, units.bases, at.street, at.fraction, at.leaves),
            (_place(target.position), target.row, target.path),
            columns.edge_by_street, (self._move_ms, self._end_ms), columns.turns,
            (columns.rank, columns.nodes, self._to_table), *self.walk_columns[2:], short_m,
        )  # fmt: skip
        return drives_of(told)


def drives_of(told: NDArray[np.float64]) -> list[Drive | None]:
    """Return what `route_walk.drives` said, None for whoever has no way."""
    return [
        None
        if ms >= UNREACHABLE_MS
        else Drive(length_m, lon, lat, int(street), (int(near), int(far)))
        for ms, length_m, lon, lat, street, near, far in told.tolist()
    ]


def _place(position: Position) -> tuple[int, float, int]:
    """Return a position as the kernels take it."""
    return position.street, position.fraction, position.leaves
