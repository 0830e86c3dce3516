"""Restrictions over whole ways and by the hour become banned paths of edges with their hours."""

import numpy as np
import pytest

from geodata.network import StreetNetwork
from geodata.raw_streets import RawRestriction
from geodata.street_build import build_network
from tests.geodata.raw_streets_builder import edge_between, line, raw_streets, way
from tests.street_drawing import StreetMap, draw

NO_WAY_OUT = "turn restrictions that would leave no way out"
LADDER = """
A---B---C---D
    |   |
E---F---G---H
"""


def paths(drawn: StreetMap) -> dict[str, list[int]]:
    """Return the banned paths as letters, with the hours of the week in which they bind."""
    network, found = drawn.network, {}
    for number in range(network.n_paths):
        edges = network.path(number)
        letters = [drawn.letter(int(network.edge_tail[edge])) for edge in edges]
        name = "".join([*letters, drawn.letter(int(network.edge_head[edges[-1]]))])
        found[name] = np.flatnonzero(network.path_hours[number]).tolist()
    return found


def dropped(network: StreetNetwork) -> dict[str, int]:
    return dict(network.source.dropped)


def over(from_way: int, *via_ways: int, to_way: int, only: bool = False) -> RawRestriction:
    return RawRestriction(from_way=from_way, via_ways=via_ways, to_way=to_way, only=only)


ALWAYS = list(range(168))


def test_a_ban_over_a_way_is_one_path() -> None:
    drawn = draw(LADDER, bans=["EFBA"])
    assert paths(drawn) == {"EFBA": ALWAYS}
    assert len(drawn.network.banned_turns) == 0


def test_only_over_a_way_bans_all_else_after_the_way_and_not_before_it() -> None:
    drawn = draw(LADDER, only=["EFBC"])
    assert paths(drawn) == {"EFBA": ALWAYS, "EFBF": ALWAYS}


def test_only_over_two_ways_bans_all_else_after_each_of_them() -> None:
    drawn = draw(LADDER, only=["EFBCG"])
    assert set(paths(drawn)) == {"EFBA", "EFBF", "EFBCD", "EFBCB"}


def test_ways_in_between_may_be_named_in_any_order() -> None:
    places = line(4) | {5: (300.0, 100.0)}
    rows = [way(6 + k, k, k + 1, name=str(k)) for k in (1, 2, 3)]
    rows += [way(10, 4, 5, name="Side"), way(11, 2, 5, name="Short"), way(12, 3, 5, name="Long")]
    found = [
        build_network(raw_streets(places, *rows, restrictions=[over(7, *via, to_way=10)]))
        for via in ((8, 9), (9, 8))
    ]
    ends = (1, 2), (2, 3), (3, 4), (4, 5)
    expected = tuple(edge_between(found[0], *pair) for pair in ends)
    assert [network.path(0) for network in found] == [expected, expected]


def test_a_way_between_that_passes_a_crossing_is_driven_over_all_of_it() -> None:
    places = line(5) | {6: (200.0, 100.0), 7: (300.0, 100.0)}
    rows = [way(1, 1, 2), way(2, 2, 3, 4, name="Between"), way(3, 4, 5)]
    rows += [way(4, 3, 6, name="Side"), way(5, 4, 7, name="To"), way(6, 6, 7, name="Round")]
    network = build_network(raw_streets(places, *rows, restrictions=[over(1, 2, to_way=5)]))
    ends = (1, 2), (2, 3), (3, 4), (4, 7)
    assert network.path(0) == tuple(edge_between(network, *pair) for pair in ends)


def test_a_street_is_cut_where_a_way_between_begins() -> None:
    places = line(4) | {5: (200.0, 100.0)}
    rows = [way(1, 1, 2), way(2, 2, 3), way(3, 3, 4), way(4, 3, 5, name="Side")]
    plain = build_network(raw_streets(places, *rows))
    network = build_network(raw_streets(places, *rows, restrictions=[over(1, 2, to_way=4)]))
    assert network.n_streets == plain.n_streets + 1
    ends = (1, 2), (2, 3), (3, 5)
    assert network.path(0) == tuple(edge_between(network, *pair) for pair in ends)


def test_ways_that_fit_twice_are_ambiguous_and_ways_elsewhere_are_not_found() -> None:
    places = line(3) | {4: (100.0, 100.0), 5: (0.0, 100.0)}
    rows = [way(1, 1, 2, 3), way(2, 2, 4, name="Between"), way(3, 4, 5, name="To")]
    rows += [way(4, 5, 1, name="Back")]
    twice, elsewhere = over(1, 2, to_way=3), over(4, 2, to_way=3)
    network = build_network(raw_streets(places, *rows, restrictions=[twice, elsewhere]))
    assert network.n_paths == 0
    assert dropped(network) == {
        "turn restrictions that fit several streets of one way": 1,
        "turn restrictions whose node or ways are not in the network": 1,
    }


def test_a_turn_banned_by_the_hour_is_a_path_of_two_edges() -> None:
    drawn = draw(LADDER, bans=["ABF @ Tu 07:00-09:00"])
    assert paths(drawn) == {"ABF": [31, 32]}
    assert len(drawn.network.banned_turns) == 0


def test_bans_of_one_turn_are_joined_and_one_at_all_hours_holds_them_all() -> None:
    hours = [f"ABF @ {time}" for time in ("Mo 07:00-09:00", "Mo 08:00-10:00")]
    assert paths(draw(LADDER, bans=hours)) == {"ABF": [7, 8, 9]}
    always = draw(LADDER, bans=[*hours, "ABF"]).network
    assert (always.n_paths, len(always.banned_turns)) == (0, 1)


def test_only_turns_that_change_at_noon_leave_a_way_out_at_every_hour() -> None:
    drawn = draw(LADDER, only=["ABF @ 00:00-12:00", "ABC @ 12:00-24:00"])
    assert set(paths(drawn)) == {"ABF", "ABC"}
    assert NO_WAY_OUT not in dropped(drawn.network)


@pytest.mark.parametrize(
    "bans",
    [
        ["ABF", "ABC", "ABA"],
        ["ABF", "ABA", "ABCB", "ABCD", "ABCG"],
        ["ABF", "ABC @ Mo", "ABA @ Mo 08:00-09:00"],
    ],
)
def test_bans_that_leave_no_way_out_at_some_hour_are_not_all_applied(bans: list[str]) -> None:
    assert dropped(draw(LADDER, bans=bans).network)[NO_WAY_OUT] == 1


def test_a_way_without_a_way_out_for_some_is_not_to_be_entered_by_them() -> None:
    drawn = draw(LADDER, bans=["EFBA", "EFBC @ Mo 08:00-10:00", "EFBF @ Mo 09:00-11:00"])
    assert paths(drawn) == {"EFBA": ALWAYS, "EFBC": [8, 9], "EFBF": [9, 10], "EFB": [9]}
    assert dropped(drawn.network) == {}


def test_paths_do_not_depend_on_the_order_of_the_restrictions() -> None:
    bans = ["EFBA", "EFB @ Mo", "DCGH", "ABF @ Tu 07:00-09:00", "FBC"]
    one, other = draw(LADDER, bans=bans), draw(LADDER, bans=bans[::-1])
    assert list(paths(one).items()) == list(paths(other).items())
    assert one.network.banned_turns.tolist() == other.network.banned_turns.tolist()
