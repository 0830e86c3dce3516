"""Signals and stop signs count where a driver meets them, and only there."""

import pytest

from geodata.network import RoadClass, StreetNetwork
from geodata.raw_streets import Control
from geodata.street_build import build_network
from tests.geodata.raw_streets_builder import ONE_WAY, edge_between, line, raw_streets, way

SIGNAL = Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST
NEAREST, MINOR = Control.STOP_NEAREST, Control.STOP_NEAREST | Control.STOP_MINOR
CROSS = {1: (0.0, 0.0), 2: (200.0, 0.0), 3: (400.0, 0.0), 4: (200.0, 100.0), 5: (200.0, -100.0)}
SIDES = (1, 3, 4, 5)


def signals(network: StreetNetwork, tail: int, head: int) -> int:
    return int(network.edge_signals[edge_between(network, tail, head)])


def stops(network: StreetNetwork, tail: int, head: int) -> int:
    return int(network.edge_stops[edge_between(network, tail, head)])


def crossing(control: Control, **south: object) -> StreetNetwork:
    """Return a crossing at node 2 with this control; `south` changes the way that goes 4-2-5."""
    rows = way(7, 1, 2, 3, name="Main"), way(8, 4, 2, 5, name="Cross", **south)
    return build_network(raw_streets(CROSS, *rows, controls={2: control}))


def test_a_signal_at_a_crossing_counts_for_all_who_arrive_and_none_who_leave() -> None:
    network = crossing(SIGNAL)
    assert [signals(network, side, 2) for side in SIDES] == [1, 1, 1, 1]
    assert [signals(network, 2, side) for side in SIDES] == [0, 0, 0, 0]


@pytest.mark.parametrize("control", [Control.SIGNAL_ALONG, Control.SIGNAL_AGAINST])
def test_a_signal_inside_a_street_counts_in_its_direction_only(control: Control) -> None:
    network = build_network(raw_streets(line(4), way(7, 1, 2, 3, 4), controls={3: control}))
    along = control is Control.SIGNAL_ALONG
    assert (signals(network, 1, 4), signals(network, 4, 1)) == (along, not along)


def test_a_direction_at_a_crossing_is_that_of_the_way_of_arrival() -> None:
    network = crossing(Control.STOP_ALONG)
    assert [stops(network, side, 2) for side in SIDES] == [1, 0, 1, 0]


def test_signals_are_counted_through_ways_joined_the_other_way_round() -> None:
    rows = way(7, 1, 2, 3), way(8, 5, 4, 3)
    controls = {2: Control.SIGNAL_ALONG, 4: Control.SIGNAL_ALONG}
    network = build_network(raw_streets(line(5), *rows, controls=controls))
    assert (signals(network, 1, 5), signals(network, 5, 1)) == (1, 1)


def test_a_way_that_was_turned_round_keeps_the_meaning_of_its_signs() -> None:
    there = way(7, 1, 2, 3, direction=ONE_WAY, turned=True)
    back = way(8, 3, 4, 1, direction=ONE_WAY, name="Back")
    controls = {2: Control.STOP_AGAINST}
    network = build_network(raw_streets(CROSS, there, back, controls=controls))
    assert stops(network, 1, 3) == 1


@pytest.mark.parametrize(("node", "towards"), [(2, 1), (7, 8)])
def test_a_stop_sign_without_a_direction_counts_towards_the_nearer_crossing(
    node: int, towards: int
) -> None:
    network = _street_between_crossings({node: NEAREST})
    assert stops(network, 8 if towards == 1 else 1, towards) == 1
    assert stops(network, towards, 8 if towards == 1 else 1) == 0


def _street_between_crossings(controls: dict[int, Control]) -> StreetNetwork:
    """Return a street 1 ... 8 of 700 m whose ends are crossings."""
    places = line(8) | {11: (0, 100), 12: (0, -100), 18: (700, 100), 19: (700, -100)}
    rows = way(7, *range(1, 9)), way(8, 11, 1, 12), way(9, 18, 8, 19)
    return build_network(raw_streets(places, *rows, controls=controls))


def test_a_stop_sign_in_the_middle_counts_both_ways() -> None:
    places = line(3) | {11: (0, 100), 12: (0, -100), 18: (200, 100), 19: (200, -100)}
    rows = way(7, 1, 2, 3), way(8, 11, 1, 12), way(9, 18, 3, 19)
    network = build_network(raw_streets(places, *rows, controls={2: NEAREST}))
    assert stops(network, 1, 3) == stops(network, 3, 1) == 1


def test_a_stop_sign_near_a_dead_end_belongs_to_the_crossing() -> None:
    places = line(8) | {18: (700, 100), 19: (700, -100)}
    rows = way(7, *range(1, 9)), way(9, 18, 8, 19)
    network = build_network(raw_streets(places, *rows, controls={2: NEAREST}))
    assert (stops(network, 1, 8), stops(network, 8, 1)) == (1, 0)


def test_on_a_one_way_street_every_stop_sign_counts() -> None:
    there = way(7, 1, 2, 3, direction=ONE_WAY)
    back = way(8, 3, 4, 1, direction=ONE_WAY, name="Back")
    places = CROSS | {2: (20.0, 0.0)}
    network = build_network(raw_streets(places, there, back, controls={2: NEAREST}))
    assert stops(network, 1, 3) == 1


def test_a_stop_sign_where_the_name_changes_counts_towards_the_nearer_crossing() -> None:
    places = line(3) | {2: (170, 0), 11: (0, 100), 12: (0, -100), 18: (200, 100), 19: (200, -100)}
    ends = way(8, 11, 1, 12), way(9, 18, 3, 19)
    rows = way(6, 1, 2, name="Long"), way(7, 2, 3, name="Short")
    network = build_network(raw_streets(places, *rows, *ends, controls={2: NEAREST}))
    assert (stops(network, 1, 2), stops(network, 3, 2)) == (1, 0)


def test_an_all_way_stop_counts_for_all_who_arrive() -> None:
    network = crossing(NEAREST, road_class=RoadClass.SERVICE)
    assert [stops(network, side, 2) for side in SIDES] == [1, 1, 1, 1]


def test_a_minor_stop_counts_for_the_lower_class() -> None:
    network = crossing(MINOR, road_class=RoadClass.SERVICE)
    assert [stops(network, side, 2) for side in SIDES] == [0, 0, 1, 1]


def test_a_minor_stop_among_equals_counts_for_all() -> None:
    network = crossing(MINOR)
    assert [stops(network, side, 2) for side in SIDES] == [1, 1, 1, 1]
