"""Drive times are exact: no mismatch against Dijkstra, whatever streets, bans and positions."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from geodata.driving_time import ROUTINE, UNREACHABLE_MS, EdgeTimes, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Position, Positions
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.builders import (
    network_from_edges,
    position_on,
    random_bans,
    random_positions,
    random_weights,
)
from tests.routing.edge_dijkstra import EdgeDijkstra


def make_times(network: StreetNetwork, weights: EdgeTimes) -> TravelTimes:
    return TravelTimes(network, *build_hierarchy(network), weights)


def mismatches(
    times: TravelTimes, incidents: list[Position], units: list[Position]
) -> list[tuple[Position, Position]]:
    """Return the pairs of incident and unit whose time differs from the oracle's."""
    oracle = EdgeDijkstra(times.network, times.edge_times)
    labels = times.unit_labels(Positions.of(*units))
    wrong = []
    for incident in incidents:
        differs = times.drive_ms(labels, incident) != oracle.to_incident(incident, units)
        wrong += [(incident, units[i]) for i in np.flatnonzero(differs)]
    return wrong


def beside(network: StreetNetwork, incident: Position, rng: np.random.Generator) -> list[Position]:
    """Return units on the incident's own street: before it, behind it and where it is."""
    return [
        position_on(network, incident.street, float(fraction))
        for fraction in (*rng.random(3), incident.fraction)
    ]


@pytest.mark.parametrize("share_banned", [0.0, 0.02, 0.15])
def test_ten_thousand_pairs_on_seattle_equal_scipy(
    seattle: StreetNetwork, share_banned: float
) -> None:
    rng = np.random.default_rng(11)
    network = replace(seattle, banned_turns=random_bans(seattle, rng, share_banned))
    times = make_times(network, edge_times(network, ROUTINE))
    incidents = random_positions(network, rng, 100)
    units = random_positions(network, rng, 60)
    units += [near for incident in incidents[:10] for near in beside(network, incident, rng)]
    assert len(incidents) * len(units) == 10_000
    assert mismatches(times, incidents, units) == []


@pytest.mark.parametrize("share_banned", [0.02, 0.15])
def test_every_street_beside_a_banned_turn_on_seattle_is_exact(
    seattle: StreetNetwork, share_banned: float
) -> None:
    rng = np.random.default_rng(12)
    bans = random_bans(seattle, rng, share_banned)
    network = replace(seattle, banned_turns=bans)
    times = make_times(network, edge_times(network, ROUTINE))
    restricted = np.unique(network.edge_head[bans[:, 0]])
    touched = np.isin(network.edge_head, restricted) | np.isin(network.edge_tail, restricted)
    beside_bans = np.unique(network.edge_street[touched]).tolist()
    units = [position_on(network, street, float(rng.random())) for street in beside_bans]
    incidents = [
        position_on(network, int(s), float(rng.random())) for s in rng.choice(beside_bans, 8)
    ]
    assert mismatches(times, incidents, units) == []
    # And as targets: every such street is entered by all copies of its junctions.
    few_units = random_positions(network, rng, 4)
    assert _targets_equal(times, few_units, units) == []


def _targets_equal(
    times: TravelTimes, units: list[Position], targets: list[Position]
) -> list[Position]:
    """Compare as targets, by one Dijkstra a unit on the turned-round network."""
    oracle = EdgeDijkstra(times.network, times.edge_times)
    labels = times.unit_labels(Positions.of(*units))
    expected = oracle.to_targets(units, targets)
    found = np.array([times.drive_ms(labels, target) for target in targets])
    return [
        target
        for target, same in zip(targets, (found == expected).all(axis=1), strict=True)
        if not same
    ]


def random_small_network(rng: np.random.Generator) -> StreetNetwork:
    n = int(rng.integers(2, 14))
    lonlat = np.column_stack((rng.uniform(-122.4, -122.3, n), rng.uniform(47.5, 47.6, n)))
    n_streets = int(rng.integers(1, 2 * n + 1))
    ends = rng.integers(0, n, (n_streets, 2))
    streets = [(int(a), int(b), bool(rng.random() < 0.5)) for a, b in ends]
    network = network_from_edges(lonlat, streets)
    return replace(network, banned_turns=random_bans(network, rng, float(rng.choice([0, 0.3]))))


def networkx_ms(network: StreetNetwork, weights: EdgeTimes, a: Position, b: Position) -> int:
    """Return the time by networkx on a graph of edges, with the two positions as nodes."""
    graph = nx.DiGraph()
    banned = set(map(tuple, network.banned_turns.tolist()))
    for e in range(network.n_edges):
        for f in range(network.n_edges):
            if network.edge_head[e] == network.edge_tail[f] and (e, f) not in banned:
                graph.add_edge(e, f, ms=int(weights.move_ms[f] + weights.end_ms[f]))
    oracle = EdgeDijkstra(network, weights)
    for edge, _, left in oracle.ways(a):
        graph.add_edge("unit", edge, ms=left)
    for edge, used, _ in oracle.ways(b):
        for e in range(network.n_edges):
            if network.edge_head[e] == network.edge_tail[edge] and (e, edge) not in banned:
                graph.add_edge(e, ("to", edge), ms=0)
        graph.add_edge(("to", edge), "incident", ms=used)
        for own, own_used, _ in oracle.ways(a):
            if own == edge and used >= own_used and _ahead(network, edge, a, b):
                graph.add_edge("unit", ("direct", edge), ms=used - own_used)
                graph.add_edge(("direct", edge), "incident", ms=0)
    try:
        return int(nx.dijkstra_path_length(graph, "unit", "incident", weight="ms"))
    except (nx.NetworkXNoPath, nx.NodeNotFound):
        return UNREACHABLE_MS


def _ahead(network: StreetNetwork, edge: int, a: Position, b: Position) -> bool:
    return a.fraction <= b.fraction if network.edge_along[edge] else a.fraction >= b.fraction


def test_a_thousand_random_small_networks_equal_networkx_unreachable_parts_included() -> None:
    rng = np.random.default_rng(13)
    n_unreachable = 0
    for _ in range(1000):
        network = random_small_network(rng)
        weights = random_weights(network, rng, "w")
        times = make_times(network, weights)
        unit, incident = random_positions(network, rng, 2)
        if rng.random() < 0.2:
            incident = position_on(network, unit.street, float(rng.random()))
        found = int(times.drive_ms(times.unit_labels(Positions.of(unit)), incident)[0])
        assert found == networkx_ms(network, weights, unit, incident)
        n_unreachable += found == UNREACHABLE_MS
    assert n_unreachable > 100
