"""The oracle of drives in a simulation: Dijkstra with a heap, and where somebody is on the way.

Written from the documented meaning of a place and of the weights (`geodata.driving_time.EdgeTimes`,
the docstring of `routing.places`); no kernel, label or route of ours is used. Streets without
banned turns only.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from geodata.driving_time import UNREACHABLE_MS, EdgeTimes
from geodata.network import NO_EDGE, StreetNetwork

Place = tuple[int, float, int]
"""Street, fraction of it in its drawing direction, and ways: 1 along, 2 against, 3 both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of a way: an edge from a share of it to another, and what it takes."""

    edge: int
    low: float
    high: float
    move_ms: int
    end_ms: int


class SlowRoads:
    """Streets with one set of weights."""

    def __init__(self, network: StreetNetwork, times: EdgeTimes) -> None:
        self.network, self.times = network, times
        self.known: dict[tuple[Place, Place], tuple[int, list[Leg]] | None] = {}
        self.whole = [self._leg(edge, 0.0, 1.0) for edge in range(network.n_edges)]

    def _edges(self, place: Place) -> Iterator[tuple[int, float]]:
        """Yield each edge on which one may be at a place, and how far along it that is."""
        street, fraction, ways = place
        net = self.network
        for bit, column in ((1, net.street_along), (2, net.street_against)):
            edge = int(column[street])
            if ways & bit and edge != NO_EDGE and self.times.move_ms[edge] < UNREACHABLE_MS:
                yield edge, fraction if bit == 1 else 1.0 - fraction

    def _until(self, edge: int, share: float) -> int:
        return math.floor(share * int(self.times.move_ms[edge]) + 0.5)

    def _leg(self, edge: int, low: float, high: float) -> Leg:
        """Return a stretch; the delay of its end is paid by who drives on from there."""
        ms = self._until(edge, high) - self._until(edge, low)
        end_ms = int(self.times.end_ms[edge]) if high == 1.0 else 0
        return Leg(edge=edge, low=low, high=high, move_ms=ms, end_ms=end_ms)

    def way(self, begin: Place, goal: Place) -> tuple[int, list[Leg]] | None:
        """Return milliseconds and stretches of a quickest way; None without one."""
        if (begin, goal) not in self.known:
            self.known[begin, goal] = self._way(begin, goal)
        return self.known[begin, goal]

    def _way(self, begin: Place, goal: Place) -> tuple[int, list[Leg]] | None:
        found = []
        for edge, share in self._edges(begin):
            for other, there in self._edges(goal):
                if edge == other and there >= share:
                    leg = self._leg(edge, share, there)
                    found.append((leg.move_ms, [leg]))
        return min([*found, *self._round_about(begin, goal)], key=lambda one: one[0], default=None)

    def _round_about(self, begin: Place, goal: Place) -> Iterator[tuple[int, list[Leg]]]:
        net, number, done = self.network, count(), set()
        heap = []
        for edge, share in self._edges(begin):
            leg = self._leg(edge, share, 1.0)
            ms = leg.move_ms + int(self.times.end_ms[edge])
            heapq.heappush(heap, (ms, next(number), int(net.edge_head[edge]), [leg]))
        into = [(int(net.edge_tail[edge]), edge, share) for edge, share in self._edges(goal)]
        while heap:
            ms, _, at, legs = heapq.heappop(heap)
            if at in done:
                continue
            done.add(at)
            for tail, edge, share in into:
                if tail == at:
                    last = self._leg(edge, 0.0, share)
                    yield ms + last.move_ms, [*legs, last]
            for edge in range(int(net.edge_first[at]), int(net.edge_first[at + 1])):
                if self.times.move_ms[edge] < UNREACHABLE_MS:
                    leg = self.whole[edge]
                    step = (ms + leg.move_ms + leg.end_ms, next(number))
                    heapq.heappush(heap, (*step, int(net.edge_head[edge]), [*legs, leg]))

    def ms(self, begin: Place, goal: Place) -> int | None:
        """Return the milliseconds of a quickest way; None without one."""
        found = self.way(begin, goal)
        return None if found is None else found[0]

    def after(self, legs: list[Leg], gone_ms: float) -> Place | None:
        """Return where somebody is on a way; None who has arrived. At a signal one stands."""
        for place, leg in enumerate(legs):
            whole_ms = leg.move_ms + (leg.end_ms if place < len(legs) - 1 else 0)
            if gone_ms < whole_ms:
                share = min(leg.high, leg.low + gone_ms / int(self.times.move_ms[leg.edge]))
                is_along = bool(self.network.edge_along[leg.edge])
                street = int(self.network.edge_street[leg.edge])
                return street, share if is_along else 1.0 - share, 1 if is_along else 2
            gone_ms -= whole_ms
        return None
