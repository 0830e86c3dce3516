"""The oracle of drive times: scipy's Dijkstra on edges, independent of every kernel of ours.

A state is "at the head of this edge, after these edges", as many as the longest ban asks for; a
step drives one more edge, unless that completes a banned turn or path. Part-way positions and
one-way streets therefore need no special case. State e is the edge e by itself: who begins on it
has no past.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import Position, Way


class EdgeDijkstra:
    """Drive times of one network with one weight set, the slow and plain way."""

    def __init__(self, network: StreetNetwork, times: EdgeTimes, hour: int = 0) -> None:
        self.network = network
        self.times = times
        self.bans = banned_walks(network, hour)
        self.last, before, after = _walks(network, self.bans)
        move = times.move_ms[self.last]
        open_ = (move[before] < UNREACHABLE_MS) & (move[after] < UNREACHABLE_MS)
        self.before, self.after = before[open_], after[open_]
        self.n_states = len(self.last)
        self.step_ms = (move + times.end_ms[self.last])[self.after].astype(float)

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
        n = self.n_states
        rows, columns, data = [self.after], [self.before], [self.step_ms]
        for edge, used, _ in self.ways(incident):
            last_step = self.before[self.last[self.after] == edge]
            # One millisecond more, taken off again below: scipy reads a stored 0 as no arc.
            rows.append(np.full(len(last_step), n))
            columns.append(last_step)
            data.append(np.full(len(last_step), used + 1.0))
        graph = _least(np.concatenate(rows), np.concatenate(columns), np.concatenate(data), n + 1)
        from_head = dijkstra(graph, indices=n) - 1
        return np.array([self._best(from_head, incident, unit) for unit in units])

    def _from_unit(self, unit: Position) -> NDArray[np.float64]:
        """Return (n_states + 1,) milliseconds from a unit to the end of each state's last edge."""
        n, ways = self.n_states, self.ways(unit)
        rows = np.concatenate((self.before, np.full(len(ways), n)))
        heads = np.concatenate((self.after, [edge for edge, _, _ in ways])).astype(np.int64)
        data = np.concatenate((self.step_ms, [left + 1.0 for _, _, left in ways]))
        to_head: NDArray[np.float64] = dijkstra(_least(rows, heads, data, n + 1), indices=n) - 1
        return to_head

    def to_targets(
        self, units: Sequence[Position], targets: Sequence[Position]
    ) -> NDArray[np.int64]:
        """Return (n_targets, n_units) milliseconds, by one forward Dijkstra for each unit."""
        columns = []
        for unit in units:
            at_tail = self.at_tails(unit)
            columns.append([self._best_to(at_tail, unit, target) for target in targets])
        return np.array(columns).T

    def at_tails(self, unit: Position) -> NDArray[np.float64]:
        """Return (n_edges,) milliseconds until a unit may begin each edge, by an allowed turn."""
        to_head = self._from_unit(unit)
        at_tail = np.full(self.network.n_edges, np.inf)
        np.minimum.at(at_tail, self.last[self.after], to_head[self.before])
        return at_tail

    def to_junctions(self, unit: Position) -> NDArray[np.int64]:
        """Return (n_junctions,) milliseconds from a unit to the end of an edge at each junction."""
        to_head = np.minimum(self._from_unit(unit)[: self.n_states], UNREACHABLE_MS)
        arrived = np.full(self.network.n_junctions, UNREACHABLE_MS, np.int64)
        np.minimum.at(arrived, self.network.edge_head[self.last], to_head.astype(np.int64))
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


def banned_walks(network: StreetNetwork, hour: int) -> set[tuple[int, ...]]:
    """Return the turns and paths that must not be driven in an hour of the week."""
    bans = {(int(a), int(b)) for a, b in network.banned_turns}
    bounds = list(pairwise(network.path_first.tolist()))
    paths = [tuple(network.path_edge[begin:end].tolist()) for begin, end in bounds]
    return bans | {
        path for path, hours in zip(paths, network.path_hours, strict=True) if hours[hour]
    }


def drives_a_ban(edges: Sequence[int], bans: set[tuple[int, ...]]) -> bool:
    """Tell whether a banned turn or path is part of these edges."""
    places = range(len(edges))
    return any(tuple(edges[k : k + n]) in bans for n in set(map(len, bans)) for k in places)


def _walks(
    network: StreetNetwork, bans: set[tuple[int, ...]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the last edge of each state, and the states before and after each allowed step.

    States are all walks of 1 ... depth edges that begin anywhere, where bans have depth + 1 edges.
    """
    n = network.n_edges
    depth = max([2, *map(len, bans)]) - 1
    states = np.arange(n)[:, None]
    last, befores, afters, base = [np.arange(n)], [], [], 0
    for length in range(1, depth + 1):
        walk, edge = _longer(network, states)
        whole = np.column_stack((states[walk], edge))
        allowed = ~_ends_with_a_ban(whole, bans, n)
        walk, edge, whole = walk[allowed], edge[allowed], whole[allowed]
        befores.append(base + walk)
        if length < depth:
            base += len(states)
            states = whole
            last.append(edge)
            afters.append(base + np.arange(len(edge)))
        else:
            afters.append(base + _found(states, whole[:, 1:], n))
    return np.concatenate(last), np.concatenate(befores), np.concatenate(afters)


def _longer(
    network: StreetNetwork, walks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of a walk and an edge that leaves where it ends, for all of them."""
    head = network.edge_head[walks[:, -1]]
    degree = np.diff(network.edge_first)[head].astype(np.int64)
    walk = np.repeat(np.arange(len(walks)), degree)
    rank = np.arange(len(walk)) - np.repeat(np.cumsum(degree) - degree, degree)
    return walk, network.edge_first[head[walk]] + rank


def _keys(walks: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    assert float(n) ** walks.shape[1] < 2**63, "walks too long for one number each"
    return np.dot(walks.astype(np.int64), n ** np.arange(walks.shape[1])[::-1])


def _ends_with_a_ban(
    walks: NDArray[np.int64], bans: set[tuple[int, ...]], n: int
) -> NDArray[np.bool_]:
    found = np.zeros(len(walks), np.bool_)
    for length in {len(ban) for ban in bans if len(ban) <= walks.shape[1]}:
        alike = np.array(sorted(ban for ban in bans if len(ban) == length), np.int64)
        found |= np.isin(_keys(walks[:, -length:], n), _keys(alike, n))
    return found


def _found(states: NDArray[np.int64], walks: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the place of each walk among the states, all of which are there."""
    keys, wanted = _keys(states, n), _keys(walks, n)
    order = np.argsort(keys)
    place = order[np.searchsorted(keys[order], wanted)]
    assert (keys[place] == wanted).all(), "a walk whose end would be no walk"
    return place


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
