"""OSMnx, networkx and scipy agree that cutting and joining lose no metre and no way through.

OSMnx reads the pilot area's file by itself. Where its rules differ from ours on purpose, the
fixture says so and brings its graph to ours: ways closed to cars are taken out, and traffic
circles and motorways without a `oneway` tag are one-way.
"""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import osmnx
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geodata.earth import line_lengths_m
from geodata.network import StreetNetwork
from geodata.osm_import import import_osm_file
from geodata.osm_tags import car_access, car_direction
from geodata.raw_streets import Direction
from tests.geodata.osm_writing import osmnx_settings

N_SOURCES = 60


@pytest.fixture(scope="module")
def pilot_file(tandem_data: Path) -> Path:
    return tandem_data / "network/seattle_pilot_area_2026-07-18.osm.gz"


@pytest.fixture(scope="module")
def ours(pilot_file: Path) -> StreetNetwork:
    return import_osm_file(pilot_file)


@pytest.fixture(scope="module")
def theirs(pilot_file: Path) -> Any:
    """The strongly connected part of OSMnx's graph of single pieces, by our rules of access."""
    with osmnx_settings(all_oneway=False):
        graph = osmnx.graph_from_xml(pilot_file, simplify=False, retain_all=True)
    for tail, head, key, data in list(graph.edges(keys=True, data=True)):
        tags = {name: value for name, value in data.items() if isinstance(value, str)}
        implied = car_direction(tags)[0] is Direction.ALONG and not data["oneway"]
        if car_access(tags) is None or (implied and data["reversed"]):
            graph.remove_edge(tail, head, key)
    core = max(nx.strongly_connected_components(graph), key=len)
    inside: Any = nx.MultiDiGraph(graph.subgraph(core))
    pairs = [(tail, head) for tail, head in graph.edges() if (tail in core) != (head in core)]
    inside.graph["beside_left_out"] = core & {node for pair in pairs for node in pair}
    return inside


def piece_lengths_m(graph: Any) -> NDArray[np.float64]:
    """Return the metres of each edge by the formula that the build uses."""
    place = {node: (data["x"], data["y"]) for node, data in graph.nodes(data=True)}
    ends = [[*place[tail], *place[head]] for tail, head in graph.edges(keys=False)]
    lon_a, lat_a, lon_b, lat_b = np.array(ends).T
    lon, lat = np.column_stack((lon_a, lon_b)).ravel(), np.column_stack((lat_a, lat_b)).ravel()
    lengths: NDArray[np.float64] = line_lengths_m(lon, lat)[::2]
    return lengths


def shortest_m(
    tail: NDArray[Any], head: NDArray[Any], length_m: NDArray[Any], n: int, sources: NDArray[Any]
) -> NDArray[np.float64]:
    """Return metres from each source to each node, the shortest of parallel edges counting."""
    order = np.lexsort((length_m, head, tail))
    pairs = np.stack((tail, head))[:, order]
    _, first = np.unique(pairs, axis=1, return_index=True)
    kept = order[first]
    graph = coo_array((length_m[kept], (tail[kept], head[kept])), shape=(n, n)).tocsr()
    metres: NDArray[np.float64] = dijkstra(graph, indices=sources)
    return metres


def test_the_metres_of_all_directed_pieces_are_all_there(ours: StreetNetwork, theirs: Any) -> None:
    driven_m = ours.street_length_m[ours.edge_street].sum()
    assert driven_m == pytest.approx(piece_lengths_m(theirs).sum(), rel=1e-9)


def test_shortest_ways_between_junctions_are_the_same(ours: StreetNetwork, theirs: Any) -> None:
    number = {node: row for row, node in enumerate(theirs.nodes)}
    tail, head = np.array([(number[a], number[b]) for a, b in theirs.edges(keys=False)]).T
    places = np.array([number[node] for node in ours.junction_id.tolist()])
    sources = np.random.default_rng(7).choice(ours.n_junctions, N_SOURCES, replace=False)
    wanted = shortest_m(tail, head, piece_lengths_m(theirs), len(number), places[sources])
    lengths = ours.street_length_m[ours.edge_street]
    found = shortest_m(ours.edge_tail, ours.edge_head, lengths, ours.n_junctions, sources)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, wanted[:, places], rtol=1e-6)


def test_a_street_made_shorter_would_be_found(ours: StreetNetwork, theirs: Any) -> None:
    lengths = ours.street_length_m[ours.edge_street].copy()
    lengths[0] -= 0.1
    assert lengths.sum() != pytest.approx(piece_lengths_m(theirs).sum(), rel=1e-9)


def test_further_junctions_are_where_attributes_change_or_a_left_out_street_meets(
    ours: StreetNetwork, theirs: Any
) -> None:
    simple = set(osmnx.simplify_graph(theirs.copy()).nodes)
    mine = set(ours.junction_id.tolist())
    assert simple - mine == set()
    assert len(mine - simple) < len(simple) / 5
    more = np.isin(ours.junction_id, list(mine - simple - theirs.graph["beside_left_out"]))
    ends = np.concatenate((ours.edge_tail, ours.edge_head))
    street = np.tile(ours.edge_street, 2)
    kinds = np.stack((ours.street_name, ours.street_class, ours.street_flags))[:, street]
    for junction in np.flatnonzero(more):
        assert len(np.unique(kinds[:, ends == junction], axis=1).T) >= 2
