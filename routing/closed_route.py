"""The way of a unit or to a call inside closures, edge by edge.

What lives here: `drive_inside`, which joins the ways over closed streets (`closed_stretch`) with
the walk over open ones (`route_walk`). What does not: the times themselves; a way must take what
they say.
"""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS
from routing import places, route_walk
from routing.closed_stretch import ClosedStretch, Part, WayIn
from routing.hierarchy import ENTER, LABEL_FIRST, least_sum, n_common
from routing.places import Place
from routing.road_columns import RoadColumns
from routing.route_walk import Driven, Goal, Label
from routing.stretch_kernel import entered_label

Ints = NDArray[np.int32]


class InsideDrive(Struct, frozen=True, kw_only=True, eq=False):
    """What a weight set has for it."""

    closed: ClosedStretch
    columns: RoadColumns
    move_ms: Ints
    end_ms: Ints
    to_table: Ints
    from_table: Ints
    arcs: Ints
    width: int


class _Start(Struct, frozen=True, eq=False):
    """A node from which open streets are driven, and the way to it."""

    rank: int
    ms: int
    edges: list[int]


class _End(Struct, frozen=True, eq=False):
    """How a call is reached from open streets, and the edges after the first of its way in."""

    goal: Goal
    entries: Ints
    """(n, 3) as `route_walk.entries_of`."""
    edges: list[int]


def drive_inside(
    asked: InsideDrive,
    start: tuple[Place, Label],
    goal: Goal,
    way_in: WayIn | None,
    over_open: Driven,
) -> Driven:
    """Return what `route_walk.drive` returns of the quickest way.

    Of ways that take as long it is the one over open streets alone, then the one over the closed
    stretch alone, then that of the first open end.
    """
    unit, label = start
    closed, best, edges = asked.closed, over_open[0], over_open[1].tolist()
    driven = closed.driven_out(unit)
    between_ms = closed.between_ms(unit, driven, goal[0], way_in)
    if between_ms < best:
        best, edges = between_ms, closed.edges_between(unit, driven, goal[0], way_in)
    starts = [*_over_open(asked, unit, label), *_ways_out(asked, driven)]
    for end in _ends(asked, goal, way_in):
        for begin in starts:
            ms = begin.ms + _left(asked, begin.rank, end.goal)
            if ms < best:
                found = route_walk.walk(
                    begin.rank, ms - begin.ms, begin.edges[-1], end.goal,
                    (asked.columns.rank, asked.columns.nodes, asked.to_table), asked.arcs,
                    end.entries,
                )  # fmt: skip
                best, edges = ms, [*begin.edges[:-1], *found.tolist(), *end.edges]
    return _told(asked, best, edges, unit, goal[0])


def _over_open(asked: InsideDrive, unit: Place, label: Label) -> Iterator[_Start]:
    """Yield where a unit leaves its street by an open edge."""
    columns, move_ms = asked.columns, asked.move_ms
    for side in range(2) if label[1] >= 0 else ():
        edge = places.driven_edge(unit[0], unit[2], side, columns.edge_by_street, move_ms)
        if edge >= 0:
            move = move_ms.item(edge)
            ms = move - int(places.used_ms(unit[1], side, move)) + asked.end_ms.item(edge)
            yield _Start(columns.rank.item(columns.turns[0].item(edge)), ms, [edge])


def _ways_out(asked: InsideDrive, driven: tuple[Part, ...]) -> Iterator[_Start]:
    """Yield the open ends at which a unit inside is out."""
    if not driven:
        return
    closed = asked.closed
    nodes, all_ms, by_arc = closed.ways_out(driven)
    for node, ms in zip(nodes.tolist(), all_ms.tolist(), strict=True):
        edges = closed.edges_out(node, ms, driven, by_arc)
        yield _Start(asked.columns.rank.item(node), ms, edges)


def _ends(asked: InsideDrive, goal: Goal, way_in: WayIn | None) -> Iterator[_End]:
    """Yield how the call is reached over open streets, and from each node of its open end."""
    columns, place = asked.columns, goal[0]
    yield _End(
        goal,
        route_walk.entries_of(
            place, columns.edge_by_street, asked.move_ms, columns.turns, columns.rank
        ),
        [],
    )
    if way_in is None:
        return
    for node in way_in.nodes.tolist():
        first, *others = asked.closed.edges_in(node, way_in.ms, way_in)
        ways_in = np.array([(columns.rank[node], way_in.ms)], np.int32)
        row, path, _ = entered_label(ways_in, columns.nodes, asked.from_table, asked.width)
        entries = np.array([(columns.rank[node], way_in.ms, first)], np.int32)
        yield _End((place, row, path), entries, others)


def _left(asked: InsideDrive, rank: int, goal: Goal) -> int:
    """Return ms from a node to a goal over open streets."""
    _, row, path = goal
    nodes = asked.columns.nodes
    label = asked.to_table[nodes[rank, LABEL_FIRST] :]
    return int(least_sum(label, row, n_common(nodes[rank, ENTER], path)))


def _told(asked: InsideDrive, ms: int, edges: list[int], unit: Place, call: Place) -> Driven:
    if ms >= UNREACHABLE_MS:
        return ms, np.empty(0, np.int32), 0.0, 0.0, np.zeros(1)
    streets = asked.columns.streets
    along = streets[1]
    begin = unit[1] if along[edges[0]] else 1.0 - unit[1]
    end = call[1] if along[edges[-1]] else 1.0 - call[1]
    driven = np.array(edges, np.int32)
    return ms, driven, begin, end, route_walk.metres_begun(driven, begin, end, streets)
