"""Turn restrictions ban the turns they name, and the counts tell of those that ban nothing."""

import pytest

from geodata.network import StreetNetwork
from geodata.raw_streets import RawRestriction
from geodata.street_build import build_network
from tests.geodata.raw_streets_builder import edge_between, line, raw_streets, way
from tests.street_drawing import StreetMap, draw

CROSSING = """
    N
    |
W---C---E
    |
    S
"""


def banned(drawn: StreetMap) -> set[str]:
    """Return the banned turns as three letters."""
    network = drawn.network
    return {
        drawn.letter(int(network.edge_tail[arriving]))
        + drawn.letter(int(network.edge_head[arriving]))
        + drawn.letter(int(network.edge_head[leaving]))
        for arriving, leaving in network.banned_turns.tolist()
    }


def dropped(network: StreetNetwork) -> dict[str, int]:
    return dict(network.source.dropped)


def ban(from_way: int, via_node: int, to_way: int, **kind: bool) -> RawRestriction:
    return RawRestriction(
        from_way=from_way, via_node=via_node, to_way=to_way, **{"only": False} | kind
    )


def test_a_ban_names_one_turn() -> None:
    assert banned(draw(CROSSING, bans=["WCN"])) == {"WCN"}


def test_an_only_turn_bans_all_others_and_turning_round() -> None:
    assert banned(draw(CROSSING, only=["WCE"])) == {"WCN", "WCS", "WCW"}


def test_turning_round_is_banned_for_one_approach() -> None:
    assert banned(draw(CROSSING, bans=["WCW"])) == {"WCW"}


def test_a_ban_on_every_way_out_is_not_applied_and_counted() -> None:
    drawn = draw(CROSSING, bans=["WCN", "WCE", "WCS", "WCW"])
    assert len(banned(drawn)) == 3
    assert dropped(drawn.network)["turn restrictions that would leave no way out"] == 1


def test_two_only_turns_that_contradict_each_other_leave_the_first() -> None:
    drawn = draw(CROSSING, only=["WCE", "WCN"])
    assert len(banned(drawn)) == 3
    assert dropped(drawn.network)["turn restrictions that would leave no way out"] == 1


def test_turning_round_on_one_way_through_a_crossing_leaves_straight_on() -> None:
    places = line(3) | {4: (100.0, 100.0)}
    rows = way(7, 1, 2, 3), way(8, 2, 4)
    around = ban(7, 2, 7, u_turn=True)
    network = build_network(raw_streets(places, *rows, restrictions=[around]))
    pairs = {tuple(pair) for pair in network.banned_turns.tolist()}
    assert pairs == {
        (edge_between(network, 1, 2), edge_between(network, 2, 1)),
        (edge_between(network, 3, 2), edge_between(network, 2, 3)),
    }


def test_a_restriction_into_a_way_that_passes_through_is_counted_as_ambiguous() -> None:
    places = line(3) | {4: (100.0, 100.0)}
    rows = way(7, 1, 2, 3), way(8, 2, 4)
    network = build_network(raw_streets(places, *rows, restrictions=[ban(8, 2, 7)]))
    assert len(network.banned_turns) == 0
    assert dropped(network)["turn restrictions that fit several streets of one way"] == 1


def test_straight_on_forbidden_at_a_plain_node_cuts_the_street_there() -> None:
    rows = way(7, 1, 2), way(8, 2, 3)
    network = build_network(raw_streets(line(3), *rows, restrictions=[ban(7, 2, 8)]))
    assert network.n_streets == 2
    turn = edge_between(network, 1, 2), edge_between(network, 2, 3)
    assert network.banned_turns.tolist() == [list(turn)]


@pytest.mark.parametrize("kind", [{"u_turn": True}, {"only": True}])
def test_a_restriction_inside_a_street_needs_no_ban(kind: dict[str, bool]) -> None:
    rows = way(7, 1, 2), way(8, 2, 3)
    network = build_network(raw_streets(line(3), *rows, restrictions=[ban(7, 2, 8, **kind)]))
    assert network.n_streets == 1
    assert dropped(network) == {"turn restrictions inside a street, where nobody can turn": 1}


@pytest.mark.parametrize("row", [ban(7, 2, 99), ban(99, 2, 7), ban(7, 98, 8), ban(8, 4, 7)])
def test_a_restriction_of_ways_or_nodes_not_in_the_network_is_counted(row: RawRestriction) -> None:
    places = line(3) | {4: (100.0, 100.0)}
    rows = way(7, 1, 2, 3), way(8, 2, 4)
    network = build_network(raw_streets(places, *rows, restrictions=[row]))
    reason = "turn restrictions whose node or ways are not in the network"
    assert dropped(network) == {reason: 1}


def test_restrictions_do_not_depend_on_their_order() -> None:
    turns = ["WCN", "ECS", "NCE"]
    one, other = draw(CROSSING, bans=turns), draw(CROSSING, bans=turns[::-1])
    assert one.network.banned_turns.tolist() == other.network.banned_turns.tolist()
    assert one.network.banned_turns.tolist() == sorted(one.network.banned_turns.tolist())


@pytest.mark.parametrize("from_way", [7, 6])
def test_the_way_beside_the_node_counts_where_ways_were_joined(from_way: int) -> None:
    places = line(4) | {5: (200.0, 100.0)}
    rows = way(7, 1, 2), way(6, 2, 3), way(8, 3, 4, name="On"), way(9, 3, 5, name="Side")
    turns = [ban(from_way, 3, 9), ban(9, 3, from_way)]
    network = build_network(raw_streets(places, *rows, restrictions=turns))
    there = [edge_between(network, 1, 3), edge_between(network, 3, 5)]
    back = [edge_between(network, 5, 3), edge_between(network, 3, 1)]
    assert network.banned_turns.tolist() == (sorted([there, back]) if from_way == 6 else [])
