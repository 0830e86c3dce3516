"""The order and the contraction: what must hold before any time is known."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from geodata.network import StreetNetwork
from routing.road_hierarchy import RoadHierarchy, build_hierarchy
from routing.turns import expand_turns
from tests.builders import network_from_edges, random_bans


def grid(side: int) -> StreetNetwork:
    """Return a square grid of two-way streets, 0.001 degrees apart."""
    at = np.arange(side * side).reshape(side, side)
    east = zip(at[:, :-1].flat, at[:, 1:].flat, strict=True)
    pairs = [*east, *zip(at[:-1].flat, at[1:].flat, strict=True)]
    lonlat = np.column_stack(np.divmod(np.arange(side * side), side)) * 0.001 + (-122.3, 47.6)
    return network_from_edges(lonlat, [(int(a), int(b), True) for a, b in pairs])


def test_upward_neighbours_of_every_node_are_a_clique_on_its_root_path() -> None:
    _, h = build_hierarchy(grid(9))
    for v in range(len(h.parent)):
        heads = h.up_head[h.up_first[v] : h.up_first[v + 1]]
        for low, high in pairwise(heads.tolist()):
            assert high in h.up_head[h.up_first[low] : h.up_first[low + 1]]
            assert h.enter[high] <= h.enter[low] < h.leave[high]


def test_order_of_a_grid_keeps_the_tree_shallow() -> None:
    _, h = build_hierarchy(grid(32))
    assert h.depth.max() < 32 * 8  # the plain order of the rows would make it 1,023 deep
    assert len(h.up_head) < 32 * 32 * 16


def test_same_network_gives_the_same_columns() -> None:
    first, second = (build_hierarchy(grid(12))[1].columns() for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_without_ties_the_labels_of_restricted_streets_lie_on_two_root_paths() -> None:
    """The known-bad twin of the ties: the build notices that merging would be wrong."""
    plain = grid(16)
    network = replace(plain, banned_turns=random_bans(plain, np.random.default_rng(5), 0.3))
    graph = expand_turns(network)
    RoadHierarchy.build(network, graph)
    untied = replace(graph, ties=np.zeros((0, 2), np.int32))
    with pytest.raises(AssertionError, match="two root paths"):
        RoadHierarchy.build(network, untied)


def test_edges_with_the_same_bans_share_a_copy_of_the_junction() -> None:
    plain = grid(3)
    centre = 4
    arrivals = np.flatnonzero(plain.edge_head == centre)
    departure = int(plain.edge_first[centre])
    bans = np.array([[arrivals[0], departure], [arrivals[1], departure]], np.int32)
    graph = expand_turns(replace(plain, banned_turns=bans))
    assert graph.n_nodes == plain.n_junctions + 1
    assert graph.edge_end[arrivals[0]] == graph.edge_end[arrivals[1]] == plain.n_junctions
    assert graph.edge_end[arrivals[2]] == centre
