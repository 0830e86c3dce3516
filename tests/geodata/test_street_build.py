"""Ways become streets without losing a metre, a second or a sign."""

import dataclasses
import random

import numpy as np
import pytest

from geodata.errors import CoordinateError, NoStreetsError
from geodata.network import RoadClass, StreetFlag, StreetNetwork
from geodata.raw_streets import RawStreets, RawWay
from geodata.street_build import build_network
from tests.geodata.raw_streets_builder import (
    ONE_WAY,
    REVERSIBLE,
    edge_between,
    line,
    raw_streets,
    same_columns,
    way,
)
from tests.street_drawing import draw, one_way_edges


def ends(network: StreetNetwork) -> list[tuple[int, int]]:
    """Return the node ids of every edge, tail first, sorted."""
    pairs = zip(network.edge_tail.tolist(), network.edge_head.tolist(), strict=True)
    ids = network.junction_id.tolist()
    return sorted((ids[tail], ids[head]) for tail, head in pairs)


def dropped(network: StreetNetwork) -> dict[str, int]:
    return dict(network.source.dropped)


def test_a_way_is_one_street_until_something_changes() -> None:
    network = build_network(raw_streets(line(4), way(7, 1, 2, 3, 4)))
    assert ends(network) == [(1, 4), (4, 1)]
    np.testing.assert_allclose(network.street_length_m, [300.0], rtol=1e-5)
    np.testing.assert_allclose(network.point_m, [0, 100, 200, 300], rtol=1e-5)


def test_a_street_is_cut_where_another_meets_it() -> None:
    places = line(4) | {9: (100.0, 100.0)}
    network = build_network(raw_streets(places, way(7, 1, 2, 3, 4), way(8, 2, 9)))
    assert ends(network) == sorted([(1, 2), (2, 1), (2, 4), (4, 2), (2, 9), (9, 2)])


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Pine Street"},
        {"road_class": RoadClass.PRIMARY},
        {"flags": StreetFlag.BRIDGE},
    ],
)
def test_a_street_is_cut_where_its_attributes_change(change: dict[str, object]) -> None:
    network = build_network(raw_streets(line(3), way(7, 1, 2), way(8, 2, 3, **change)))
    assert network.n_streets == 2


def test_ways_of_one_kind_are_joined_and_their_times_summed_before() -> None:
    rows = way(7, 1, 2, limit_kmh=36.0), way(8, 2, 3, limit_kmh=72.0), way(9, 3, 4, limit_kmh=None)
    network = build_network(raw_streets(line(4), *rows))
    assert network.n_streets == 1
    np.testing.assert_allclose(network.edge_posted_s, [15.0, 15.0], rtol=1e-5)
    np.testing.assert_allclose(network.edge_unposted_m, [100.0, 100.0], rtol=1e-5)


def test_limits_follow_a_way_that_is_joined_the_other_way_round() -> None:
    east = way(7, 1, 2, limit_along_kmh=36.0, limit_against_kmh=72.0)
    west = way(8, 3, 2, limit_along_kmh=72.0, limit_against_kmh=36.0)
    network = build_network(raw_streets(line(3), east, west))
    np.testing.assert_allclose(network.edge_posted_s[edge_between(network, 1, 3)], 20, rtol=1e-5)
    np.testing.assert_allclose(network.edge_posted_s[edge_between(network, 3, 1)], 10, rtol=1e-5)


def test_one_way_streets_are_joined_only_head_to_tail() -> None:
    square = {1: (0.0, 0.0), 2: (100.0, 0.0), 3: (100.0, 100.0), 4: (0.0, 100.0)}
    through = [way(7, 1, 2, direction=ONE_WAY), way(8, 2, 3, direction=ONE_WAY)]
    back = way(9, 3, 4, 1, direction=ONE_WAY, name="Back")
    assert ends(build_network(raw_streets(square, *through, back))) == [(1, 3), (3, 1)]


def test_where_one_way_streets_converge_nothing_is_joined() -> None:
    converge = [way(7, 1, 2, direction=ONE_WAY), way(8, 3, 2, direction=ONE_WAY)]
    home = [way(9, 1, 4, name="Home"), way(10, 3, 4, name="Home")]
    places = line(3) | {4: (100.0, 100.0)}
    network = build_network(raw_streets(places, *converge, *home))
    assert ends(network) == [(1, 3), (3, 1)]
    assert dropped(network)["streets outside the connected core"] == 2


def test_a_closed_loop_without_a_junction_begins_at_a_chosen_node() -> None:
    square = {5: (0.0, 0.0), 2: (100.0, 0.0), 3: (100.0, 100.0), 4: (0.0, 100.0)}
    network = build_network(raw_streets(square, way(7, 5, 2, 3, 4, 5, direction=ONE_WAY)))
    assert ends(network) == [(2, 2)]
    np.testing.assert_allclose(network.street_length_m, [400.0], rtol=1e-5)
    assert len(network.point_lon) == 5


def test_a_loop_at_a_junction_is_kept_with_its_shape() -> None:
    drawn = draw("""
        .---.
        |   |
        A---.
        |
        |
        B
    """)
    loops = np.flatnonzero(drawn.network.edge_tail == drawn.network.edge_head)
    assert len(loops) == 2
    street = drawn.network.edge_street[loops[0]]
    shape = drawn.network.street_line(int(street))
    assert tuple(shape[0]) == tuple(shape[-1])
    np.testing.assert_allclose(drawn.network.street_length_m[street], 400.0, rtol=1e-4)


def test_parallel_streets_between_two_junctions_are_both_kept() -> None:
    drawn = draw("""
        .---.
        |   |
        A---B
        |   |
        C---D
    """)
    network = drawn.network
    found = (network.edge_tail == drawn.junction("A")) & (network.edge_head == drawn.junction("B"))
    lengths = network.street_length_m[network.edge_street[found]]
    np.testing.assert_allclose(sorted(lengths), [100.0, 300.0], rtol=1e-4)


def test_streets_that_cross_without_a_shared_node_do_not_meet() -> None:
    places = {1: (0.0, 0.0), 2: (200.0, 0.0), 3: (100.0, -100.0), 4: (100.0, 100.0)}
    ring = way(9, 1, 3, 2, 4, 1, name="Ring")
    network = build_network(raw_streets(places, way(7, 1, 2), way(8, 3, 4), ring))
    assert network.n_junctions == 4


def test_repeated_nodes_and_nodes_at_one_place_leave_no_empty_street() -> None:
    places = line(3) | {4: (100.0, 0.0), 5: (100.0, 100.0)}
    network = build_network(raw_streets(places, way(7, 1, 2, 2, 4, 3), way(8, 4, 5)))
    assert network.street_length_m.min() > 99
    assert ends(network) == sorted([(1, 2), (2, 1), (2, 3), (3, 2), (2, 5), (5, 2)])


def test_reversible_lanes_are_kept_both_ways_and_gated() -> None:
    rows = way(7, 1, 2), way(8, 2, 3, direction=REVERSIBLE, flags=StreetFlag.GATED)
    network = build_network(raw_streets(line(3), *rows))
    assert ends(network) == [(1, 2), (2, 1), (2, 3), (3, 2)]
    gated = network.street_flags[network.edge_street] & StreetFlag.GATED != 0
    assert gated[edge_between(network, 2, 3)]
    assert not gated[edge_between(network, 1, 2)]


def test_a_ramp_that_hangs_on_reversible_lanes_alone_is_gated_too() -> None:
    places = line(3) | {4: (200.0, 100.0), 5: (0.0, 100.0)}
    express = way(8, 2, 3, direction=REVERSIBLE, flags=StreetFlag.GATED, name="Express")
    ramp = way(9, 3, 4, 5, direction=ONE_WAY, name="Ramp")
    network = build_network(raw_streets(places, way(7, 1, 2), express, ramp, way(10, 5, 1)))
    flags = {network.name_of(s): int(network.street_flags[s]) for s in range(network.n_streets)}
    assert flags["Ramp"] == flags["Express"] == StreetFlag.GATED
    assert flags[""] == 0


def test_islands_and_one_way_traps_are_left_out_and_counted() -> None:
    places = line(4) | {8: (0.0, 900.0), 9: (100.0, 900.0)}
    main = way(7, 1, 2, 3)
    network = build_network(
        raw_streets(places, main, way(8, 8, 9), way(9, 3, 4, direction=ONE_WAY))
    )
    assert ends(network) == [(1, 3), (3, 1)]
    assert dropped(network) == {
        "junctions outside the connected core": 3,
        "streets outside the connected core": 2,
        "directed edges outside the connected core": 3,
    }


def test_a_missing_node_drops_its_part_of_the_way_and_is_counted() -> None:
    places = {node: place for node, place in line(5).items() if node != 4}
    network = build_network(raw_streets(places, way(7, 1, 2, 3, 4, 5)))
    assert ends(network) == [(1, 3), (3, 1)]
    assert dropped(network)["parts of ways with nodes missing from the source"] == 2


@pytest.mark.parametrize("rows", [(), (way(7, 98, 99),), (way(7, 1),), (way(7, 1, 1),)])
def test_no_roads_is_an_error_that_says_what_was_expected(rows: tuple[RawWay, ...]) -> None:
    with pytest.raises(NoStreetsError, match=r"'rows' has no car roads .*highway"):
        build_network(raw_streets(line(2), *rows))


def test_roads_that_lead_nowhere_and_back_are_an_error() -> None:
    with pytest.raises(NoStreetsError, match="No two places of 'rows'"):
        build_network(raw_streets(line(2), way(7, 1, 2, direction=ONE_WAY)))


@pytest.mark.parametrize("lon", [1_270_000.0, float("nan"), float("inf"), -181.0])
def test_a_node_that_is_not_in_degrees_is_named(lon: float) -> None:
    raw = raw_streets(line(3), way(7, 1, 2, 3))
    raw = dataclasses.replace(raw, node_lon=np.array([raw.node_lon[0], lon, raw.node_lon[2]]))
    with pytest.raises(CoordinateError, match=r"Node 2 .* EPSG:4326"):
        build_network(raw)


def test_columns_have_the_documented_types_and_cannot_be_written() -> None:
    columns = build_network(raw_streets(line(3), way(7, 1, 2, 3))).columns()
    hints = StreetNetwork.__annotations__
    for name, column in columns.items():
        assert f"numpy.{column.dtype.name}]" in str(hints[name]), name
        with pytest.raises(ValueError, match="read-only"):
            column[...] = column


def test_edges_are_sorted_by_their_tail_and_found_by_it() -> None:
    network = draw("A---B---C\n|   |   |\nD---E---F").network
    for junction in range(network.n_junctions):
        leaving = slice(*network.edge_first[junction : junction + 2])
        assert set(network.edge_tail[leaving].tolist()) == {junction}
    np.testing.assert_array_equal(network.edge_street[network.street_along], range(7))
    np.testing.assert_array_equal(network.edge_street[network.street_against], range(7))


def shuffled(raw: RawStreets) -> RawStreets:
    """Return the same streets, told in another order and in pieces of one segment."""
    pieces = [
        dataclasses.replace(row, node_ids=pair)
        for row in raw.ways
        for pair in zip(row.node_ids, row.node_ids[1:], strict=False)
    ]
    random.shuffle(pieces)
    order = np.array(random.sample(range(len(raw.node_id)), len(raw.node_id)))
    return dataclasses.replace(
        raw,
        ways=tuple(pieces),
        node_id=raw.node_id[order],
        node_lon=raw.node_lon[order],
        node_lat=raw.node_lat[order],
        node_control=raw.node_control[order],
    )


def test_the_order_of_the_source_does_not_matter() -> None:
    drawn = draw("""
        A---B-->C---G
        |   ^   |   |
        D---E---F<--H
    """)
    assert one_way_edges(drawn) == {"BC", "EB", "HF"}
    for _ in range(5):
        assert same_columns(drawn.network, build_network(shuffled(drawn.raw))) == []


def test_progress_names_each_stage() -> None:
    told: list[str] = []
    build_network(raw_streets(line(2), way(7, 1, 2)), lambda stage, _: told.append(stage))
    assert told[0] == "cut ways into pieces"
    assert len(told) == 5
