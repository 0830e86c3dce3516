"""Drive times between positions on streets: what the rest of the software sees of the kernel.

What lives here: `TravelTimes`, one weight set made ready for queries, with unit labels, times,
surfaces and routes. What does not: what is told of a route (`route`), who is inside closures
(`closed_stretch`), where a point lies on a street (`geodata.snap`) and how long a street takes
(`geodata.driving_time`).

A position lies part-way along a street. A unit pays the rest of its street up to the junction where
it leaves, an incident costs the part of its street from the junction where it is entered. Where
both are on one street the time straight along it competes with the way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import StreetNetwork
from geodata.snap import COLUMN_TYPES, NO_STREET, Position, Positions, Way
from routing import hierarchy as kernel
from routing import places, route_walk
from routing.call_kernel import Streets, Ways
from routing.closed_route import InsideDrive, drive_inside
from routing.closed_stretch import ClosedStretch, WayIn, place_of
from routing.road_columns import RoadColumns, read_only
from routing.road_hierarchy import RoadHierarchy
from routing.route import Drive, Route, drives_of
from routing.stretch_kernel import NOTHING_INSIDE, Inside, entered_label, with_inside
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
    ways_out: NDArray[np.int32] = field(default_factory=lambda: NOTHING_INSIDE[0])
    """(n_ways, 3) of units inside a closure, see `stretch_kernel.Inside`."""
    rows_inside: tuple[int, ...] = ()
    """Units inside a closure, with a way out or not."""

    def __len__(self) -> int:
        return len(self.bases)


class IncidentLabel(Struct, frozen=True, kw_only=True, eq=False):
    """The label of one target, with the path to the root that it belongs to."""

    weights_id: str
    position: Position
    row: NDArray[np.int32]
    base: int
    path: NDArray[np.int32]
    way_in: WayIn | None = None
    """How a target inside a closure is reached; row, base and path are of open streets alone."""

    @property
    def inside_m(self) -> float:
        """Metres over closed streets from the nearest open end; 0 outside closures."""
        return 0.0 if self.way_in is None else self.way_in.closed_m


class TravelTimes:
    """One network with one weight set, ready for queries. Immutable; safe to read from any thread.

    Making one takes milliseconds (about 20 for a city), so a closure or a new hour means a new
    object beside the old one, never a change of it.
    """

    __slots__ = (
        "_arcs", "_closed", "_columns", "_down_ms", "_end_ms", "_from_table", "_label_width",
        "_move_ms", "_to_table", "_up_ms", "edge_times", "graph", "hierarchy", "kernel_columns",
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
        self._closed = ClosedStretch.of(network, graph, edge_times, closed, h.rank)
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
        rows_inside = () if self._closed is None else self._closed.rows_inside(positions)
        return UnitLabels(
            weights_id=self.weights_id,
            positions=positions,
            rows=rows,
            bases=bases,
            by_tree=(order, entered[order]),
            ways_out=self._ways_out(positions, rows_inside),
            rows_inside=rows_inside,
        )

    def _ways_out(self, positions: Positions, rows: Sequence[int]) -> NDArray[np.int32]:
        closed, found = self._closed, [NOTHING_INSIDE[0]]
        if closed is None:
            return found[0]
        for row in rows:
            nodes, ms, _ = closed.ways_out(closed.driven_out(place_of(positions, row)))
            ranks = self._columns.rank[nodes]
            found.append(np.column_stack((np.full(len(ms), row), ranks, ms)).astype(np.int32))
        return np.concatenate(found)

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
            weights_id=self.weights_id,
            position=position,
            row=row,
            base=base,
            path=path,
            way_in=self._way_in(position),
        )

    def _way_in(self, position: Position) -> WayIn | None:
        if self._closed is None:
            return None
        driven = self._closed.driven_in(_place(position))
        return self._closed.way_in(driven) if driven else None

    @property
    def has_closures(self) -> bool:
        """Whether closures close any edge of this weight set."""
        return self._closed is not None

    @property
    def touched_streets(self) -> NDArray[np.bool_]:
        """(n_streets,) streets that closures close, or part from the others, in any direction."""
        if self._closed is None:
            return np.zeros(self.network.n_streets, np.bool_)
        return self._closed.touched[0] | self._closed.touched[1]

    def inside_m(self, target: Position) -> float:
        """Return metres over closed streets to a target from its open end; 0 outside closures."""
        way_in = self._way_in(target)
        return 0.0 if way_in is None else way_in.closed_m

    def inside(self, units: UnitLabels, target: Position | IncidentLabel) -> Inside:
        """Return what closures add to times over open streets, for `with_inside`."""
        closed = self._closed
        if closed is None:
            return NOTHING_INSIDE
        if isinstance(target, IncidentLabel):
            position, way_in = target.position, target.way_in
        else:
            position, way_in = target, self._way_in(target)
        if way_in is None and not units.rows_inside:
            return NOTHING_INSIDE
        place, between = _place(position), list[tuple[int, int]]()
        for row in units.rows_inside:
            unit = place_of(units.positions, row)
            ms = closed.between_ms(unit, closed.driven_out(unit), place, way_in)
            if ms < UNREACHABLE_MS:
                between.append((row, ms))
        ways_in = NOTHING_INSIDE[2] if way_in is None else self._ranked(way_in)
        return units.ways_out, np.array(between, np.int32).reshape(-1, 2), ways_in

    def _ranked(self, way_in: WayIn) -> NDArray[np.int32]:
        """Return the ways in, (n, 2): rank and ms."""
        ms = np.full(len(way_in.nodes), way_in.ms)
        return np.column_stack((self._columns.rank[way_in.nodes], ms)).astype(np.int32)

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
        inside = self.inside(units, target)
        if inside is not NOTHING_INSIDE:
            table, nodes = self._from_table, columns.nodes
            row, path, _ = entered_label(inside[2], nodes, table, self._label_width)
            with_inside(
                times, units.rows, units.bases, (target.row, target.path), (row, path), inside,
                nodes, self._to_table,
            )  # fmt: skip
        return times

    # -- surfaces -----------------------------------------------------------------------------

    def ms_to_junctions(self, origin: Position) -> NDArray[np.int32]:
        """Return (n_junctions,) milliseconds from a unit's position to every junction."""
        by_node, n = self._from_unit(origin), self.network.n_junctions
        times = by_node[:n]
        if self.graph.n_nodes > n:
            times = times.copy()
            np.minimum.at(times, self.graph.node_junction[n:], by_node[n:])
        return times

    def _from_unit(self, origin: Position) -> NDArray[np.int32]:
        """Return (n_nodes,) milliseconds from a unit's position to every node of the turn graph."""
        labels = self.unit_labels(Positions.of(origin))
        times = self._by_node(int(labels.bases[0]), labels.rows[0], self._down_ms)
        for _, rank, ms in labels.ways_out.tolist():
            first, depth = self._columns.nodes[rank, [kernel.LABEL_FIRST, kernel.DEPTH]].tolist()
            row = np.full(self._label_width, UNREACHABLE_MS, np.int32)
            row[: depth + 1] = np.minimum(
                self._to_table[first : first + depth + 1] + ms, UNREACHABLE_MS
            )
            times = np.minimum(times, self._by_node(rank, row, self._down_ms))
        return times

    def ms_from_junctions(self, target: Position) -> NDArray[np.int32]:
        """Return (n_junctions,) milliseconds from every junction to an incident's position.

        The time counts from the junction itself, free to turn into any street.
        """
        label, n = self.incident_label(target), self.network.n_junctions
        times = self._by_node(label.base, label.row, self._up_ms)[:n]
        if label.way_in is None:
            return times
        ways_in = self._ranked(label.way_in)
        row, _, base = entered_label(
            ways_in, self._columns.nodes, self._from_table, self._label_width
        )
        return np.minimum(times, self._by_node(base, row, self._up_ms)[:n])

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
        by_node = self._from_unit(origin)
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
        ms, edges, begin, end, begin_m = self._drive(units, row, target)
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

    def _drive(self, units: UnitLabels, row: int, target: IncidentLabel) -> route_walk.Driven:
        """Return what `route_walk.drive` says, with the ways that closures add."""
        columns, closed, way_in = self._columns, self._closed, target.way_in
        unit, place = place_of(units.positions, row), _place(target.position)
        tree = columns.rank, columns.nodes, self._to_table
        over_open: route_walk.Driven = route_walk.drive(
            unit, (units.rows[row], units.bases.item(row)), (place, target.row, target.path),
            columns.edge_by_street, self._move_ms, self._end_ms, columns.turns, tree,
            self._arcs, columns.streets,
        )  # fmt: skip
        if closed is None or (way_in is None and row not in units.rows_inside):
            return over_open
        asked = InsideDrive(
            closed=closed, columns=columns, move_ms=self._move_ms, end_ms=self._end_ms,
            to_table=self._to_table, from_table=self._from_table, arcs=self._arcs,
            width=self._label_width,
        )  # fmt: skip
        goal = place, target.row, target.path
        label = units.rows[row], units.bases.item(row)
        return drive_inside(asked, (unit, label), goal, way_in, over_open)

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
        if self._closed is not None:
            self._tell_inside(told, units, rows, target, short_m)
        return drives_of(told)

    def _tell_inside(
        self,
        told: NDArray[np.float64],
        units: UnitLabels,
        rows: Sequence[int],
        target: IncidentLabel,
        short_m: float,
    ) -> None:
        """Write the ways that closures add over what is told of those over open streets."""
        c = self._columns
        for place, row in enumerate(rows):
            if target.way_in is None and row not in units.rows_inside:
                continue
            ms, edges, begin, end, begin_m = self._drive(units, row, target)
            told[place, 0] = ms
            if ms < UNREACHABLE_MS:
                route_walk.tell(
                    told[place], edges, begin, end, begin_m, c.edge_by_street, c.streets, c.lines,
                    c.street_flags, c.junctions, short_m,
                )  # fmt: skip


def _place(position: Position) -> tuple[int, float, int]:
    """Return a position as the kernels take it."""
    return position.street, position.fraction, position.leaves
