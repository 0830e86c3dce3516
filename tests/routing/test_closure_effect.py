"""What a closure would close and cut off, said before it takes effect."""

import networkx as nx
import numpy as np
import pytest

from geodata.driving_time import ROUTINE, edge_times
from geodata.network import StreetNetwork
from routing.closure_effect import closure_effect
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.builders import network_from_edges, position_on
from tests.routing.closing import random_closure
from tests.street_drawing import StreetMap, draw

TOWN = "A---B---C---D\n|   |       |\nE---F       H"


def ready(network: StreetNetwork) -> TravelTimes:
    return TravelTimes(network, *build_hierarchy(network), edge_times(network, ROUTINE))


def shut(town: StreetMap, *streets: str) -> np.ndarray:
    closed = np.zeros(town.network.n_edges, bool)
    closed[[town.edge(one) for letters in streets for one in (letters, letters[::-1])]] = True
    return closed


def test_what_lies_behind_a_closed_street_is_cut_off_with_its_posts() -> None:
    town = draw(TOWN)
    posts = {
        name: position_on(town.network, town.street(letters), 0.5)
        for name, letters in {"west": "AB", "closed": "BC", "east": "DH"}.items()
    }
    told = closure_effect(ready(town.network), shut(town, "BC"), posts=posts)
    assert sorted(told.cut_off.tolist()) == sorted(town.street(one) for one in ("CD", "DH"))
    assert told.cut_off_names == ("CD", "DH")
    assert told.posts == ("closed", "east")
    assert told.closed_m == pytest.approx(100, abs=0.5)
    assert told.closed_share == pytest.approx(1 / 7, abs=0.01)
    assert told.cut_off_m == pytest.approx(200, abs=0.5)


def test_a_street_with_a_way_round_cuts_nothing_off() -> None:
    town = draw(TOWN)
    told = closure_effect(ready(town.network), shut(town, "AB"))
    assert (len(told.cut_off), told.posts) == (0, ())


def test_what_others_cut_off_already_is_not_told_again() -> None:
    town = draw(TOWN)
    told = closure_effect(
        ready(town.network), shut(town, "AB", "AE"), closed_already=shut(town, "BC")
    )
    assert told.cut_off.tolist() == []
    two = closure_effect(ready(town.network), shut(town, "AB"), closed_already=shut(town, "EF"))
    assert sorted(two.cut_off.tolist()) == [town.street("AE")]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_cut_off_equals_networkx(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 40
    ends = [*((i, (i + 1) % n, True) for i in range(n))]
    ends += [(int(a), int(b), bool(rng.random() < 0.5)) for a, b in rng.integers(0, n, (12, 2))]
    network = network_from_edges(rng.random((n, 2)) * 0.01, [e for e in ends if e[0] != e[1]])
    closed = random_closure(network, rng) | random_closure(network, rng)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(n))
    for edge in np.flatnonzero(~closed).tolist():
        graph.add_edge(int(network.edge_tail[edge]), int(network.edge_head[edge]), key=edge)
    core = max(nx.strongly_connected_components(graph), key=len)
    parted = [k for a, b, k in graph.edges(keys=True) if not (a in core and b in core)]
    closed_streets = set(network.edge_street[closed].tolist())
    expected = set(network.edge_street[parted].tolist()) - closed_streets
    # A street beside a part that is still reached one way only counts at that end alone.
    into, out = nx.descendants(graph, min(core)) | core, nx.ancestors(graph, min(core)) | core
    whole = {
        street
        for a, b, k in graph.edges(keys=True)
        if (street := int(network.edge_street[k])) in expected and (b not in out or a not in into)
    }
    assert set(closure_effect(ready(network), closed).cut_off.tolist()) == whole
