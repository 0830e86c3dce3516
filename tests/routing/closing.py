"""Seeded closures of all shapes, and places on, beside and far from what they close."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import DrivingProfile, EdgeTimes, edge_times
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import Position
from tests.builders import position_on, random_positions

Flags = NDArray[np.bool_]


def random_closure(network: StreetNetwork, rng: np.random.Generator) -> Flags:
    """Return (n_edges,) what one closure closes: a street, some blocks of one, or an area."""
    closed = np.zeros(network.n_edges, np.bool_)
    kind, begin = rng.integers(4), int(rng.integers(network.n_streets))
    if kind == 0:
        closed[rng.choice(_edges(network, begin))] = True
    elif kind == 1:
        closed[_edges(network, begin)] = True
    elif kind == 2:
        edge = _edges(network, begin)[0]
        for _ in range(int(rng.integers(1, 12))):
            closed[_edges(network, int(network.edge_street[edge]))] = True
            first, last = network.edge_first[network.edge_head[edge] :][:2]
            if first == last:
                break
            edge = int(rng.integers(first, last))
    else:
        n = int(rng.integers(2, max(3, min(60, network.n_junctions // 5))))
        middle = network.edge_tail[_edges(network, begin)[0]]
        lon, lat = network.junction_lon, network.junction_lat
        away = np.hypot(lon - lon[middle], lat - lat[middle])
        near = away <= np.partition(away, min(n, len(away) - 1))[min(n, len(away) - 1)]
        closed = near[network.edge_tail] & near[network.edge_head]
    return closed


def _edges(network: StreetNetwork, street: int) -> list[int]:
    both = int(network.street_along[street]), int(network.street_against[street])
    return [edge for edge in both if edge != NO_EDGE]


def closed_weights(
    network: StreetNetwork, profile: DrivingProfile, closed: Flags, number: int
) -> EdgeTimes:
    return edge_times(network, profile, closed_edges=closed, closure_id=f"t{number}")


def places_around(
    network: StreetNetwork, closed: Flags, rng: np.random.Generator, n: int
) -> list[Position]:
    """Return n places: half on closed streets, a quarter beside them, the others anywhere."""
    shut = np.unique(network.edge_street[closed])
    ends = np.unique(network.edge_tail[closed])
    beside = np.unique(network.edge_street[np.isin(network.edge_head, ends)])
    streets = [*_drawn(shut, n // 2, rng), *_drawn(beside, n // 4, rng)]
    found = [position_on(network, street, _fraction(rng)) for street in streets]
    return found + random_positions(network, rng, n - len(found))


def _drawn(streets: NDArray[np.int32], n: int, rng: np.random.Generator) -> Iterator[int]:
    if len(streets):
        yield from rng.choice(streets, n).tolist()


def _fraction(rng: np.random.Generator) -> float:
    return float(rng.integers(2)) if rng.random() < 0.2 else float(rng.random())
