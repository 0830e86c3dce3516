"""The oracle of shares: scipy's Dijkstra to both ends, then intervals of each street on paper.

A street is the line from 0 to 1. What a kind reaches of it in time is a union of intervals: from
each end that is reached, and both ways from a unit that stands on it. What both reach is where the
unions overlap. No kernel and no stretch of ours is used.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS
from geodata.network import NO_EDGE
from geodata.snap import Position, Way
from tests.routing.edge_dijkstra import EdgeDijkstra

Interval = tuple[float, float]
WHOLE: Interval = (0.0, 1.0)


class KindOracle:
    """What units of one kind reach."""

    def __init__(self, oracle: EdgeDijkstra, units: Sequence[Position], delay_ms: int) -> None:
        self.oracle, self.units, self.delay_ms = oracle, units, delay_ms
        self.tails = [oracle.at_tails(unit) for unit in units]
        never = np.full(oracle.network.n_edges, np.inf)
        self.tail = np.min([never, *self.tails], axis=0)

    def ms_to(self, places: Sequence[Position]) -> NDArray[np.int64]:
        """Return (n,) milliseconds to where calls are, UNREACHABLE_MS for never."""
        found = [self._one(place) for place in places]
        return np.array([min(ms + self.delay_ms, UNREACHABLE_MS) for ms in found], np.int64)

    def _one(self, place: Position) -> int:
        each = zip(self.units, self.tails, strict=True)
        best = [self.oracle._best_to(tail, unit, place) for unit, tail in each]
        return min(best, default=UNREACHABLE_MS)

    def ms_to_ends(self) -> NDArray[np.float64]:
        """Return (2, n_streets) ms to the begin and the end of streets without a unit."""
        net, move = self.oracle.network, self.oracle.times.move_ms.astype(float)
        move = np.append(np.where(move < UNREACHABLE_MS, move, np.inf), np.inf)
        tail = np.append(self.tail, np.inf)
        tail = np.where(np.isfinite(move), tail, np.inf)
        along, against = net.street_along, net.street_against  # NO_EDGE is the last: never
        begin = np.minimum(tail[along], tail[against] + move[against])
        end = np.minimum(tail[against], tail[along] + move[along])
        ends: NDArray[np.float64] = np.stack((begin, end)) + self.delay_ms
        return ends

    def within(self, street: int, limit_ms: float) -> list[Interval]:
        """Return what is reached of a street in time, intervals that may overlap."""
        net, move_ms = self.oracle.network, self.oracle.times.move_ms
        left_ms, found = limit_ms - self.delay_ms, []
        for column, way in ((net.street_along, Way.ALONG), (net.street_against, Way.AGAINST)):
            edge = int(column[street])
            if edge == NO_EDGE or move_ms[edge] >= UNREACHABLE_MS:
                continue
            move, begins = float(move_ms[edge]), [(0.0, self.tail[edge])]
            for unit in self.units:
                if unit.street == street and unit.leaves & way:
                    share = unit.fraction if way == Way.ALONG else 1 - unit.fraction
                    begins.append((share, 0.0))
            for share, ms in begins:
                if ms <= left_ms:
                    end = min(1.0, share + (left_ms - ms) / move)
                    found.append((share, end) if way == Way.ALONG else (1 - end, 1 - share))
        return found


def overlap(unions: Sequence[Sequence[Interval]]) -> float:
    """Return the length of what lies in every one of some unions of intervals."""
    marks = sorted({0.0, 1.0, *(mark for union in unions for one in union for mark in one)})
    total = 0.0
    for low, high in pairwise(marks):
        middle = 0.5 * (low + high)
        if all(any(a <= middle <= b for a, b in union) for union in unions):
            total += high - low
    return total


def metres_reached(
    kinds: Sequence[KindOracle], limit_ms: float, parts: Sequence[Interval] | None = None
) -> float:
    """Return the metres of all streets that every kind reaches.

    Parameters
    ----------
    parts
        The part of each street that counts; all of it unless told.
    """
    net = kinds[0].oracle.network
    return sum(
        metres * overlap([[part], *(kind.within(street, limit_ms) for kind in kinds)])
        for street, (metres, part) in enumerate(
            zip(net.street_length_m.tolist(), parts or [WHOLE] * net.n_streets, strict=True)
        )
    )
