"""Turn restrictions become edges that must not follow each other: pairs, and longer paths.

Two streets of one restriction are found by the ways of their pieces beside the via node, those of a
restriction over whole ways by driving along these ways. A restriction at a node inside a street
bans nothing: one can only drive straight on there, and a ban on that has already cut the street in
two (`street_cut`).
"""

from collections import ChainMap, Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import and_, or_
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.network import HOURS_PER_WEEK
from geodata.raw_streets import ALL_HOURS, RawRestriction
from geodata.street_core import Core
from geodata.street_cut import Pieces
from geodata.street_edges import Edges

NOT_FOUND = "turn restrictions whose node or ways are not in the network"
INSIDE = "turn restrictions inside a street, where nobody can turn"
AMBIGUOUS = "turn restrictions that fit several streets of one way"
NO_WAY_OUT = "turn restrictions that would leave no way out"
WALK_STEPS_MAX: Final = 10_000
"""Steps of looking for the one walk along the ways of a restriction; beyond it is ambiguous."""

Prefix = tuple[int, ...]
"""Edges driven one after the other, after which something is banned."""
HoursOfBans = dict[Prefix, dict[int, int]]
"""The edges that must not follow, each with the hours of the week as bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bans:
    """The columns of `StreetNetwork` on banned turns and paths, which says what they mean."""

    turns: NDArray[np.int32]
    path_first: NDArray[np.int32]
    path_edge: NDArray[np.int32]
    path_hours: NDArray[np.bool_]


def ban_turns(
    restrictions: Sequence[RawRestriction], pieces: Pieces, core: Core, edges: Edges
) -> tuple[Bans, dict[str, int]]:
    """Return what is banned, sorted, and how many restrictions had no effect.

    A ban that would, in some hour, leave a street without a way out is not applied. Where a path
    loses every way out after more than one edge, its last edge is not to be driven at all. Short
    paths go before long ones, and bans at all hours before others.
    """
    counts: Counter[str] = Counter()
    turns = _Turns(pieces, core, edges)
    rows: list[tuple[Prefix, set[int], int]] = []
    for restriction in sorted(set(restrictions), key=_order):
        found = turns.of(restriction)
        if isinstance(found, str):
            counts[found] += 1
        else:
            rows += [(prefix, exits, restriction.hours) for prefix, exits in found]
    bans: HoursOfBans = {}
    for row in sorted(rows, key=lambda row: (len(row[0]), row[2] != ALL_HOURS)):
        added = turns.added_by(*row, bans)
        counts[NO_WAY_OUT] += not added
        bans |= added
    return _columns(bans), {reason: count for reason, count in counts.items() if count}


def _order(row: RawRestriction) -> tuple[object, ...]:
    """Sort key that makes the result independent of the source's order; bans go before `only`."""
    via = row.via_ways if row.via_node is None else (row.via_node,)
    return via, row.from_way, row.to_way, row.only, row.u_turn, row.hours


def _columns(bans: HoursOfBans) -> Bans:
    """Return pairs that are banned at all hours, and all other paths with their hours."""
    paths = sorted(
        ((*prefix, leaving), hours)
        for prefix, banned in bans.items()
        for leaving, hours in banned.items()
    )
    turns = [path for path, hours in paths if len(path) == 2 and hours == ALL_HOURS]
    others = [(path, hours) for path, hours in paths if len(path) > 2 or hours != ALL_HOURS]
    lengths = [len(path) for path, _ in others]
    bits = [[hours >> hour & 1 for hour in range(HOURS_PER_WEEK)] for _, hours in others]
    return Bans(
        turns=np.array(turns, np.int32).reshape(-1, 2),
        path_first=np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int32),
        path_edge=np.fromiter(chain.from_iterable(path for path, _ in others), np.int32),
        path_hours=np.array(bits, np.bool_).reshape(-1, HOURS_PER_WEEK),
    )


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

    def of(self, row: RawRestriction) -> list[tuple[Prefix, set[int]]] | str:
        """Return what must not follow after which edges, or why there is nothing."""
        if row.via_node is None:
            return self._over_ways(row)
        junction = self._junction.get(row.via_node)
        if junction is None:
            return INSIDE if self._is_inside(row.via_node) else NOT_FOUND
        arriving = self._arriving(junction, row.from_way)
        leaving = [edge for edge in self._exits(junction) if self._leaves_by(edge, row.to_way)]
        if row.u_turn and row.from_way == row.to_way:
            back = [((edge,), self._back(edge, leaving)) for edge in arriving]
            return [pair for pair in back if pair[1]] or NOT_FOUND
        if not arriving or not leaving:
            return NOT_FOUND
        if len(arriving) > 1 or len(leaving) > 1:
            return AMBIGUOUS
        banned = set(self._exits(junction)) - set(leaving) if row.only else set(leaving)
        return [((arriving[0],), banned)]

    def _over_ways(self, row: RawRestriction) -> list[tuple[Prefix, set[int]]] | str:
        """Return the bans of a restriction over whole ways.

        `only` bans, after each edge in between, all that leads elsewhere; whether the first of them
        is entered at all stays free.
        """
        walks = self._walks(row)
        if walks is None or len(walks) > 1:
            return AMBIGUOUS
        if not walks:
            return NOT_FOUND
        path = walks[0]
        if not row.only:
            return [(path[:-1], {path[-1]})]
        places = range(2, len(path))
        bans = [(path[:k], self.exits(path[k - 1]) - {path[k]}) for k in places]
        return [(prefix, exits) for prefix, exits in bans if exits]

    def _walks(self, row: RawRestriction) -> list[Prefix] | None:
        """Return the walks from the one way over all ways in between to the other.

        No street in between is driven twice. None where looking takes too many steps.
        """
        edges, wanted = self._edges, set(row.via_ways)
        begins = np.flatnonzero(edges.arrival_way == row.from_way).tolist()
        open_: list[Prefix] = [(edge,) for edge in begins]
        walks: list[Prefix] = []
        for _ in range(WALK_STEPS_MAX):
            if not open_:
                return walks
            path = open_.pop()
            between = path[1:]
            streets = {int(edges.street[edge]) for edge in between}
            done = between and {int(edges.arrival_way[edge]) for edge in between} == wanted
            for edge in self.exits(path[-1]):
                if done and self._leaves_by(edge, row.to_way):
                    walks.append((*path, edge))
                way = int(edges.arrival_way[edge])
                along = way in wanted and self._leaves_by(edge, way)
                if along and int(edges.street[edge]) not in streets:
                    open_.append((*path, edge))
        return None

    def added_by(
        self,
        prefix: Prefix,
        exits: set[int],
        hours: int,
        bans: MutableMapping[Prefix, dict[int, int]],
    ) -> HoursOfBans:
        """Return what a ban changes in the others, or nothing where it leaves no way out."""
        added: HoursOfBans = {}
        while exits:
            if not prefix:
                return {}
            known = bans.get(prefix, {})
            added[prefix] = known | {edge: known.get(edge, 0) | hours for edge in exits}
            hours = self._hours_without_exit(prefix, ChainMap(added, bans))
            prefix, exits = prefix[:-1], {prefix[-1]} if hours else set()
        return added

    def _hours_without_exit(
        self, prefix: Prefix, bans: MutableMapping[Prefix, dict[int, int]]
    ) -> int:
        """Return the hours in which all that leaves after some edges is banned."""
        in_force = [bans.get(prefix[begin:], {}) for begin in range(len(prefix))]
        hours = [
            reduce(or_, (banned.get(edge, 0) for banned in in_force))
            for edge in self.exits(prefix[-1])
        ]
        return reduce(and_, hours) if hours else 0

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
