"""Which streets meet at a junction, from one table that is made once."""

from dataclasses import replace

import numpy as np

from geodata.network import StreetNetwork
from tests.builders import network_from_edges

PLACES = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 0.001 + np.array([-122.3, 47.6])
STREETS = [(0, 1, True), (1, 2, False), (2, 3, True), (1, 1, False), (0, 2, False)]


def named(*names: str) -> StreetNetwork:
    """Return streets 0-1, 1-2 (one way), 2-3, a loop at 1 and 0-2 with these names."""
    network = network_from_edges(PLACES, STREETS)
    street_name = np.arange(1, len(names) + 1, dtype=np.int32)
    return replace(network, names=("", *names), street_name=street_name)


def test_names_are_those_of_every_street_that_meets_once_each_by_the_alphabet() -> None:
    network = named("Pike", "2nd", "Pike", "Alley", "Élan")
    assert [network.names_at(j) for j in range(4)] == [
        ("Pike", "Élan"), ("2nd", "Alley", "Pike"), ("2nd", "Pike", "Élan"), ("Pike",),
    ]  # fmt: skip


def test_unnamed_streets_have_no_name_anywhere() -> None:
    network = network_from_edges(PLACES, STREETS)
    bare = replace(network, names=("",), street_name=np.zeros(len(STREETS), np.int32))
    assert [bare.names_at(j) for j in range(4)] == [(), (), (), ()]


def test_names_on_seattle_are_those_found_by_looking_at_every_edge(seattle: StreetNetwork) -> None:
    rng = np.random.default_rng(61)
    for junction in rng.integers(0, seattle.n_junctions, 200).tolist():
        meets = (seattle.edge_tail == junction) | (seattle.edge_head == junction)
        names = {seattle.name_of(street) for street in seattle.edge_street[meets].tolist()}
        assert seattle.names_at(junction) == tuple(sorted(names - {""}))


def test_ends_of_a_street_are_those_of_its_edges() -> None:
    network = named("A", "B", "C", "D", "E")
    assert [set(network.ends_of(street)) for street in range(5)] == [
        {0, 1}, {1, 2}, {2, 3}, {1}, {0, 2},
    ]  # fmt: skip
