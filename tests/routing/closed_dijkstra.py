"""The oracle of closures: Dijkstra on the edited graph of edges, by scipy and by hand.

It says the rule over in terms of edges alone: a unit inside leaves by edges of which the last may
be closed; open streets are those of `EdgeDijkstra`; a call inside is reached by a walk over closed
edges from the nearest edge of the open network. No kernel and no turn graph of ours is used.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import StreetNetwork
from geodata.snap import Position
from tests.routing.edge_dijkstra import EdgeDijkstra, _least

Met = tuple[int, int, int]
"""Millimetres over closed edges, milliseconds, and the edge that is driven next."""
Steps = tuple[NDArray[np.int64], NDArray[np.int64]]
"""First step of each state, and the steps."""


def reopened(times: EdgeTimes) -> EdgeTimes:
    """Return the weights as if nothing were closed."""
    move, end, shut = times.move_ms.copy(), times.end_ms.copy(), times.closed
    if shut is not None:
        move[shut.edges], end[shut.edges] = shut.move_ms, shut.end_ms
    return replace(times, move_ms=move, end_ms=end, closed=None)


class Whole:
    """A network with nothing closed: its states and steps, by what stands before and after them."""

    def __init__(self, oracle: EdgeDijkstra) -> None:
        self.oracle = oracle
        self.by_before = _sorted_by(oracle.before, oracle.n_states)
        self.by_after = _sorted_by(oracle.after, oracle.n_states)
        self.by_edge = _sorted_by(oracle.last[oracle.after], oracle.network.n_edges)
        self.leads, self.reached = around(oracle, np.ones(len(oracle.after), bool))

    @classmethod
    def of(cls, network: StreetNetwork, times: EdgeTimes) -> "Whole":
        return cls(EdgeDijkstra(network, reopened(times)))


def _sorted_by(column: NDArray[np.int64], n: int) -> Steps:
    order = np.argsort(column, kind="stable")
    return np.searchsorted(column[order], np.arange(n + 1)), order


def around(
    w: EdgeDijkstra, allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which states lead to the largest part of all, and which are reached from it.

    Whoever has driven an edge is at its end, whatever came before.
    """
    n, ones = w.n_states, np.ones(int(allowed.sum()))
    steps = coo_array((ones, (w.before[allowed], w.after[allowed])), shape=(n, n)).tocsr()
    part = connected_components(steps, connection="strong")[1]
    root = int(np.argmax(part == np.argmax(np.bincount(part))))
    leads, reached = np.zeros(n, bool), np.zeros(n, bool)
    leads[breadth_first_order(steps.T.tocsr(), root, return_predecessors=False)] = True
    reached[breadth_first_order(steps, root, return_predecessors=False)] = True
    driven = np.zeros(w.network.n_edges, bool)
    driven[w.last[reached]] = True
    return leads, driven[w.last]


class ClosedDijkstra:
    """Drive times of one network with one weight set that closes edges."""

    def __init__(
        self, network: StreetNetwork, times: EdgeTimes, whole: Whole | None = None
    ) -> None:
        self.network = network
        self.known = known = whole or Whole.of(network, times)
        self.whole = w = known.oracle
        self.closed = np.zeros(network.n_edges, bool)
        if times.closed is not None:
            self.closed[times.closed.edges] = True
        self.open_step = ~self.closed[w.last[w.after]]
        self.leads, self.reached = around(w, self.open_step & ~self.closed[w.last[w.before]])
        # Who is at the head of a closed edge may go on over an open one that leads to the core.
        ends = self.open_step & self.leads[w.after]
        self.leads[w.before[ends]] = True
        self.any_leads = np.zeros(w.n_states, bool)
        self.any_leads[w.before[self.open_step]] = True
        inside = ~self.closed[w.last] & self.leads & self.reached
        self.core_edge = np.zeros(network.n_edges, bool)
        self.core_edge[w.last[inside]] = True

    # -- places -------------------------------------------------------------------------------

    def _is_free_out(self, edge: int) -> bool:
        return bool(not self.closed[edge] and (self.leads[edge] or not self.known.leads[edge]))

    def _is_free_in(self, edge: int) -> bool:
        w, into = self.whole, np.array(self._before(edge), np.int64)
        now = self.reached[into] & ~self.closed[w.last[into]]
        return bool(not self.closed[edge] and (now.any() or not self.known.reached[into].any()))

    def ways(
        self, place: Position, is_free: Callable[[int], bool]
    ) -> tuple[list[tuple[int, int, int]], bool]:
        """Return the ways by which a place is left or reached, and whether it is inside."""
        ways = self.whole.ways(place)
        inside = bool(ways) and not any(is_free(edge) for edge, _, _ in ways)
        return ways, inside

    def _mm(self, place: Position, edge: int) -> int:
        """Return millimetres of a closed edge up to a place."""
        net = self.network
        share = place.fraction if net.edge_along[edge] else 1.0 - place.fraction
        return round(1000 * float(net.street_length_m[place.street]) * share)

    # -- times --------------------------------------------------------------------------------

    def to_incident(self, call: Position, units: Sequence[Position]) -> NDArray[np.int64]:
        """Return (n_units,) milliseconds to the call, UNREACHABLE_MS without a way."""
        ways, inside = self.ways(call, self._is_free_in)
        goal: dict[int, int] = {}
        for edge, used, _ in ways:
            if not self.closed[edge]:
                for state in self._before(edge):
                    goal[state] = min(goal.get(state, used), used)
        if inside:
            for state, ms in self.way_in(call, ways)[0].items():
                goal[state] = min(goal.get(state, ms), ms)
        left = self._over_open(goal)
        return np.array([self._best(unit, call, left, ways, inside) for unit in units])

    def inside_m(self, call: Position) -> float:
        """Return the metres over closed edges to a call; 0 outside closures."""
        ways, inside = self.ways(call, self._is_free_in)
        return self.way_in(call, ways)[1] / 1000 if inside else 0.0

    def _over_open(self, goal: dict[int, int]) -> NDArray[np.float64]:
        """Return (n_states,) milliseconds from each state to a goal over open edges."""
        w, n = self.whole, self.whole.n_states
        taken, states = self.open_step, np.array(list(goal), np.int64)
        rows = np.concatenate((w.after[taken], np.full(len(states), n)))
        columns = np.concatenate((w.before[taken], states))
        data = np.concatenate((w.step_ms[taken], np.array(list(goal.values())) + 1.0))
        left: NDArray[np.float64] = dijkstra(_least(rows, columns, data, n + 1), indices=n) - 1
        return left

    def _best(
        self,
        unit: Position,
        call: Position,
        left: NDArray[np.float64],
        ways_in: list[tuple[int, int, int]],
        call_inside: bool,
    ) -> int:
        ways, inside = self.ways(unit, self._is_free_out)
        found = [UNREACHABLE_MS, *(ms + left[e] for e, _, ms in ways if not self.closed[e])]
        driven = [edge for edge, _, _ in ways if inside or not self.closed[edge]]
        found += [
            used_there - used
            for edge, used, _ in ways
            for other, used_there, _ in self.whole.ways(call)
            if edge == other and edge in driven and self._is_ahead(edge, unit, call)
        ]
        start = {edge: ms for edge, _, ms in ways} if inside else {}
        for leads in (self.leads, self.any_leads):
            ends = self._walk(start, stops=leads)
            out = [ms + left[state] for state, ms in ends.items() if leads[state]]
            if out:
                break
        found += out
        if call_inside:
            met = self._walk(start, stays=~self.core_edge)
            for edge, used, _ in ways_in:
                found += [met[state] + used for state in self._before(edge) if state in met]
        return int(min(found))

    def _is_ahead(self, edge: int, unit: Position, call: Position) -> bool:
        ahead = call.fraction - unit.fraction
        return ahead >= 0 if self.network.edge_along[edge] else ahead <= 0

    def _walk(
        self,
        start: dict[int, int],
        *,
        stops: NDArray[np.bool_] | None = None,
        stays: NDArray[np.bool_] | None = None,
    ) -> dict[int, int]:
        """Return the least ms to each state met from some, over whatever is closed.

        Parameters
        ----------
        stops
            (n_states,) states beyond which it does not go.
        stays
            (n_edges,) the only edges that it drives.
        """
        met, waiting = dict(start), [(ms, state) for state, ms in start.items()]
        heapq.heapify(waiting)
        first, order = self.known.by_before
        w = self.whole
        while waiting:
            ms, state = heapq.heappop(waiting)
            if ms > met[state] or (stops is not None and stops[state]):
                continue
            for step in order[first[state] : first[state + 1]].tolist():
                after, then = int(w.after[step]), ms + int(w.step_ms[step])
                if stays is not None and not stays[w.last[after]]:
                    continue
                if then < met.get(after, then + 1):
                    met[after] = then
                    heapq.heappush(waiting, (then, after))
        return met

    def way_in(
        self, call: Position, ways: list[tuple[int, int, int]]
    ) -> tuple[dict[int, int], int]:
        """Return ms to a call from the states of its nearest open end, and the millimetres.

        Where no way leads there from the rest of the network, any open street is an end.
        """
        for reached in (self.reached, np.ones(self.whole.n_states, bool)):
            met, ends = self._back_from(call, ways, reached)
            if ends:
                best = min(ends.values())
                # Whoever comes to this end over open streets may go in where the turn is allowed.
                last = self.whole.last
                alike = [s for s, cost in met.items() if cost == best and not self.closed[last[s]]]
                return dict.fromkeys(alike, best[1]), best[0]
        return {}, 0

    def _back_from(
        self, call: Position, ways: list[tuple[int, int, int]], reached: NDArray[np.bool_]
    ) -> tuple[dict[int, Met], dict[int, Met]]:
        """Return every state met on a walk backwards from a call, and the open ends among them.

        Of each the millimetres over closed edges, the ms and the edge that is driven next.
        """
        w = self.whole
        met: dict[int, Met] = {}
        waiting: list[tuple[int, int, int, int]] = []

        def meet(mm: int, ms: int, edge: int, state: int) -> None:
            if (mm, ms, edge) < met.get(state, (mm, ms, edge + 1)):
                met[state] = mm, ms, edge
                heapq.heappush(waiting, (mm, ms, edge, state))

        for edge, used, _ in ways:
            mm = self._mm(call, edge) if self.closed[edge] else 0
            for state in self._before(edge):
                meet(mm, used, edge, state)
        first, order = self.known.by_after
        ends: dict[int, Met] = {}
        while waiting:
            mm, ms, edge, state = heapq.heappop(waiting)
            if met[state] != (mm, ms, edge):
                continue
            if ends and (mm, ms) > min(ends.values())[:2]:
                break
            own = int(w.last[state])
            if reached[state] and not self.closed[own]:
                ends[state] = mm, ms, edge
                continue
            more = self._whole_mm(own) if self.closed[own] else 0
            took = int(w.times.move_ms[own]) + int(w.times.end_ms[own])
            for step in order[first[state] : first[state + 1]].tolist():
                meet(mm + more, ms + took, own, int(w.before[step]))
        return met, ends

    def _before(self, edge: int) -> list[int]:
        """Return the states after which an edge may be driven."""
        first, order = self.known.by_edge
        steps = order[first[edge] : first[edge + 1]]
        return self.whole.before[steps].tolist()  # type: ignore[no-any-return]

    def _whole_mm(self, edge: int) -> int:
        return round(1000 * float(self.network.street_length_m[self.network.edge_street[edge]]))
