"""What is told of a way: the edges driven, drawn when somebody looks, or a few facts of it.

What lives here: `Route` and `Drive`. What does not: how a way is found (`travel_time`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import UNREACHABLE_MS
from geodata.network import StreetNetwork
from routing import route_walk


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


def drives_of(told: NDArray[np.float64]) -> list[Drive | None]:
    """Return what `route_walk.drives` said, None for whoever has no way."""
    return [
        None
        if ms >= UNREACHABLE_MS
        else Drive(length_m, lon, lat, int(street), (int(near), int(far)))
        for ms, length_m, lon, lat, street, near, far in told.tolist()
    ]
