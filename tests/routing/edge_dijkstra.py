"""The oracle of drive times: scipy's Dijkstra on edges, independent of every kernel of ours.

A state is "at the head of this edge"; a step drives one more edge, where its turn is allowed.
Banned turns, part-way positions and one-way streets therefore need no special case.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import Position, Way


class EdgeDijkstra:
    """Drive times of one network with one weight set, the slow and plain way."""

    def __init__(self, network: StreetNetwork, times: EdgeTimes) -> None:
        self.network = network
        self.times = times
        self.banned = {(int(a), int(b)) for a, b in network.banned_turns}
        before, after = self._turns()
        open_ = (times.move_ms[before] < UNREACHABLE_MS) & (times.move_ms[after] < UNREACHABLE_MS)
        self.before, self.after = before[open_], after[open_]

    def _turns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        net = self.network
        degree = np.diff(net.edge_first)[net.edge_head]
        before = np.repeat(np.arange(net.n_edges), degree)
        rank = np.arange(len(before)) - np.repeat(np.cumsum(degree) - degree, degree)
        after = net.edge_first[net.edge_head[before]] + rank
        keys = before * net.n_edges + after
        banned = np.array([a * net.n_edges + b for a, b in self.banned], np.int64)
        allowed = ~np.isin(keys, banned)
        return before[allowed], after[allowed]

    def ways(self, position: Position) -> list[tuple[int, int, int]]:
        """Return (edge, ms used from its tail, ms left to its head) of each direction of travel."""
        net, found = self.network, []
        for way, column in ((Way.ALONG, net.street_along), (Way.AGAINST, net.street_against)):
            edge = int(column[position.street]) if position.street >= 0 else NO_EDGE
            if not position.leaves & way or edge == NO_EDGE:
                continue
            move = int(self.times.move_ms[edge])
            if move == UNREACHABLE_MS:
                continue
            share = position.fraction if way == Way.ALONG else 1 - position.fraction
            used = math.floor(share * move + 0.5)
            found.append((edge, used, move - used + int(self.times.end_ms[edge])))
        return found

    def to_incident(self, incident: Position, units: Sequence[Position]) -> NDArray[np.int64]:
        """Return (n_units,) milliseconds to the incident, UNREACHABLE_MS without a way."""
        n = self.network.n_edges
        times = self.times
        step_ms = (times.move_ms[self.after] + times.end_ms[self.after]).astype(float)
        rows, columns, data = [self.after], [self.before], [step_ms]
        for edge, used, _ in self.ways(incident):
            last_step = self.before[self.after == edge]
            # One millisecond more, taken off again below: scipy reads a stored 0 as no arc.
            rows.append(np.full(len(last_step), n))
            columns.append(last_step)
            data.append(np.full(len(last_step), used + 1.0))
        graph = _least(np.concatenate(rows), np.concatenate(columns), np.concatenate(data), n + 1)
        from_head = dijkstra(graph, indices=n) - 1
        return np.array([self._best(from_head, incident, unit) for unit in units])

    def to_targets(
        self, units: Sequence[Position], targets: Sequence[Position]
    ) -> NDArray[np.int64]:
        """Return (n_targets, n_units) milliseconds, by one forward Dijkstra for each unit."""
        n = self.network.n_edges
        times = self.times
        step_ms = (times.move_ms[self.after] + times.end_ms[self.after]).astype(float)
        columns = []
        for unit in units:
            ways = self.ways(unit)
            rows = np.concatenate((self.before, np.full(len(ways), n)))
            heads = np.concatenate((self.after, [edge for edge, _, _ in ways])).astype(np.int64)
            data = np.concatenate((step_ms, [left + 1.0 for _, _, left in ways]))
            to_head = dijkstra(_least(rows, heads, data, n + 1), indices=n) - 1
            at_tail = np.full(n, np.inf)
            np.minimum.at(at_tail, self.after, to_head[self.before])
            columns.append([self._best_to(at_tail, unit, target) for target in targets])
        return np.array(columns).T

    def to_junctions(self, unit: Position) -> NDArray[np.int64]:
        """Return (n_junctions,) milliseconds from a unit to the end of an edge at each junction."""
        n = self.network.n_edges
        step_ms = self.times.move_ms[self.after] + self.times.end_ms[self.after]
        ways = self.ways(unit)
        rows = np.concatenate((self.before, np.full(len(ways), n)))
        heads = np.concatenate((self.after, [edge for edge, _, _ in ways])).astype(np.int64)
        data = np.concatenate((step_ms, [left + 1.0 for _, _, left in ways]))
        to_head = np.minimum(
            dijkstra(_least(rows, heads, data, n + 1), indices=n) - 1, UNREACHABLE_MS
        )
        arrived = np.full(self.network.n_junctions, UNREACHABLE_MS, np.int64)
        np.minimum.at(arrived, self.network.edge_head, to_head[:n].astype(np.int64))
        return arrived

    def _best_to(self, at_tail: NDArray[np.float64], unit: Position, target: Position) -> int:
        entered = [at_tail[edge] + used for edge, used, _ in self.ways(target)]
        return int(min([*entered, *self._straight(unit, target), float(UNREACHABLE_MS)]))

    def _straight(self, unit: Position, target: Position) -> list[float]:
        """Return the time straight along a street that both are on, in each direction."""
        if unit.street != target.street:
            return []
        return [
            float(used_there - used)
            for edge, used, _ in self.ways(unit)
            for other, used_there, _ in self.ways(target)
            if other == edge and _share(self, edge, target) >= _share(self, edge, unit)
        ]

    def _best(self, from_head: NDArray[np.float64], incident: Position, unit: Position) -> int:
        round_about = [left + from_head[edge] for edge, _, left in self.ways(unit)]
        return int(min([*round_about, *self._straight(unit, incident), float(UNREACHABLE_MS)]))


def _share(oracle: EdgeDijkstra, edge: int, position: Position) -> float:
    return position.fraction if oracle.network.edge_along[edge] else 1 - position.fraction


def _least(
    rows: NDArray[np.int64], columns: NDArray[np.int64], data: NDArray[np.float64], n: int
) -> csr_array:
    """Return the matrix with the least of all entries in each place, instead of their sum."""
    order = np.lexsort((data, columns, rows))
    rows, columns, data = rows[order], columns[order], data[order]
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    return csr_array(coo_array((data[new], (rows[new], columns[new])), shape=(n, n)))
