"""The drawings that other tests lean on say what they show."""

import numpy as np
import pytest

from geodata.network import StreetFlag
from geodata.raw_streets import Control
from tests.street_drawing import draw, one_way_edges

GRID = """
A---B-->C
|   ^   |
D---E---F
"""


def test_letters_are_junctions_and_lines_are_streets() -> None:
    drawn = draw(GRID)
    assert sorted(map(drawn.letter, range(drawn.network.n_junctions))) == list("ABCDEF")
    assert drawn.network.n_streets == 7
    assert one_way_edges(drawn) == {"BC", "EB"}


def test_a_block_is_a_hundred_metres_and_ten_seconds() -> None:
    network = draw(GRID).network
    np.testing.assert_allclose(network.street_length_m, 100.0, rtol=1e-4)
    np.testing.assert_allclose(network.edge_posted_s, 10.0, rtol=1e-4)


def test_a_street_can_be_given_attributes() -> None:
    drawn = draw(GRID, streets={"AB": {"name": "Pine", "flags": StreetFlag.PRIVATE}})
    street = drawn.street("AB")
    assert drawn.network.name_of(street) == "Pine"
    assert drawn.network.street_flags[street] == StreetFlag.PRIVATE
    assert drawn.network.name_of(drawn.street("DE")) == "DE"


def test_attributes_for_a_street_that_is_not_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="AF"):
        draw(GRID, streets={"AF": {"name": "Pine"}})


def test_lines_cross_at_a_plus_without_a_junction() -> None:
    drawn = draw("""
        A---B---C
        |   |   |
        |   |   |
        D---+---F
        |   |   |
        G---H---I
    """)
    assert drawn.network.edge_head[drawn.edge("DF")] == drawn.junction("F")
    assert drawn.network.edge_head[drawn.edge("BH")] == drawn.junction("H")


def test_a_bend_turns_the_line_and_a_loop_comes_back() -> None:
    drawn = draw("""
        .---.
        |   |
        A---.   B
        |       |
        C-------D
    """)
    with pytest.raises(KeyError):
        drawn.edge("AA")  # a two-way loop has an edge each way
    assert drawn.network.name_of(drawn.street("AC")) == "AC"
    loops = drawn.network.edge_tail == drawn.network.edge_head
    np.testing.assert_allclose(drawn.network.edge_posted_s[loops], 40.0, rtol=1e-4)


def test_controls_and_turns_are_placed_by_letters() -> None:
    drawn = draw(
        GRID,
        controls={"E": Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST},
        bans=["DEB"],
        only=["FEB"],
    )
    assert drawn.network.edge_signals[drawn.edge("DE")] == 1
    assert drawn.network.edge_signals[drawn.edge("ED")] == 0
    banned = {tuple(pair) for pair in drawn.network.banned_turns.tolist()}
    edge = drawn.edge
    assert banned == {
        (edge("DE"), edge("EB")),
        (edge("FE"), edge("ED")),
        (edge("FE"), edge("EF")),
    }
