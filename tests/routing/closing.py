"""Seeded closures of all shapes, places on and beside what they close, and what the oracle says."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.driving_time import (
    ROUTINE,
    UNREACHABLE_MS,
    DrivingProfile,
    EdgeTimes,
    edge_times,
)
from geodata.network import NO_EDGE, StreetNetwork
from geodata.snap import Position, Positions
from routing.travel_time import TravelTimes
from tests.builders import position_on, random_positions
from tests.routing.closed_dijkstra import ClosedDijkstra, Whole
from tests.routing.edge_dijkstra import banned_walks, drives_a_ban

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


def mismatches(
    network: StreetNetwork, base: TravelTimes, whole: Whole, seed: int, n_units: int = 16
) -> list[str]:
    """Return where drives, metres inside and routes of one random closure differ from Dijkstra."""
    rng = np.random.default_rng(seed)
    closed = random_closure(network, rng)
    if rng.random() < 0.4:
        closed |= random_closure(network, rng)
    weights = closed_weights(network, ROUTINE, closed, seed)
    times, oracle = base.reweighed(weights), ClosedDijkstra(network, weights, whole)
    units = places_around(network, closed, rng, n_units)
    labels, wrong = times.unit_labels(Positions.of(*units)), []
    for goal in places_around(network, closed, rng, 2):
        label, found = times.incident_label(goal), times.drive_ms(labels, goal)
        if (found != oracle.to_incident(goal, units)).any():
            wrong.append(f"{seed}: drives to {goal.street}")
        if abs(label.inside_m - oracle.inside_m(goal)) > 1e-6:
            wrong.append(f"{seed}: {label.inside_m} m inside to {goal.street}")
        for row in range(0, n_units, 3):
            route = times.route_to(labels, row, label)
            if not is_driven(route, int(found[row]), units[row], oracle):
                wrong.append(f"{seed}: route of {row} to {goal.street}")
    return wrong


def is_driven(route: Any, ms_told: int, unit_at: Position, oracle: ClosedDijkstra) -> bool:
    """Tell whether a route can be driven, takes what was told and is on closed edges at its ends
    only."""
    if route is None:
        return ms_told == UNREACHABLE_MS
    network, edges, w = oracle.network, route.edges, oracle.whole.times
    joined = (network.edge_head[edges[:-1]] == network.edge_tail[edges[1:]]).all()
    bans = banned_walks(network, 0)
    whole = w.move_ms[edges[1:-1]].sum() + w.end_ms[edges[:-1]].sum()
    move = w.move_ms[edges]
    ends = int(round(move[0] * (1 - route.begin_fraction)) + round(move[-1] * route.end_fraction))
    parts = ends if len(edges) > 1 else round(move[0] * (route.end_fraction - route.begin_fraction))
    took = int(whole) + int(parts)
    begun = oracle.network.edge_street[edges[0]] == unit_at.street
    return bool(
        joined and begun and not drives_a_ban(edges.tolist(), bans) and abs(took - ms_told) <= 2
    )
