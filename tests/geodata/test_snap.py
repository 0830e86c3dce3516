"""From points to streets: rules on small towns laid out in metres, and shapely as the oracle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geodata.earth import distance_m, line_lengths_m, metres_per_degree
from geodata.network import StreetFlag, StreetNetwork
from geodata.pilot.streets import pilot_network
from geodata.place_check import PlaceCheck, check_place, in_bounds
from geodata.snap import (
    COLUMN_TYPES,
    NO_STREET,
    MotionRules,
    Position,
    Positions,
    SnapLimits,
    StreetIndex,
    Way,
)
from tests.builders import network_from_edges
from tests.street_drawing import draw

Reals = NDArray[np.float64]
LON, LAT = -122.33, 47.6
PER_LON, PER_LAT = metres_per_degree(LAT)
NO_FLAG = StreetFlag(0)
BOTH = Way.ALONG | Way.AGAINST
NORTH, EAST, SOUTH, WEST = 0.0, 90.0, 180.0, 270.0

CROSSING = """
A---H---B
|   |   |
C---+---D
|   |   |
E---F---G
"""


@dataclass(frozen=True)
class Line:
    """A street by its points, in metres east and north of the town's corner."""

    points: Sequence[tuple[float, float]]
    two_way: bool = True
    flags: StreetFlag = NO_FLAG


def place(east: float, north: float) -> tuple[float, float]:
    return LON + east / PER_LON, LAT + north / PER_LAT


def town(*lines: Line) -> StreetNetwork:
    """Return a network of these streets; they meet only where their ends are the same point."""
    ends = sorted({p for line in lines for p in (line.points[0], line.points[-1])})
    corners = np.array([place(*p) for p in ends])
    streets = [(ends.index(s.points[0]), ends.index(s.points[-1]), s.two_way) for s in lines]
    points = [np.array([place(*p) for p in line.points]) for line in lines]
    metres = [np.concatenate(([0.0], np.cumsum(line_lengths_m(*p.T)))) for p in points]
    return replace(
        network_from_edges(corners, streets),
        street_flags=np.array([line.flags for line in lines], np.uint8),
        street_length_m=np.array([m[-1] for m in metres]),
        street_point_first=np.cumsum([0, *map(len, points)]).astype(np.int32),
        point_lon=np.concatenate(points)[:, 0].copy(),
        point_lat=np.concatenate(points)[:, 1].copy(),
        point_m=np.concatenate(metres),
    )


def snap_incident(network: StreetNetwork, east: float, north: float) -> Position:
    return StreetIndex.build(network).snap_incident(*place(east, north))


def snap_unit(network: StreetNetwork, at: tuple[float, float], *motion: float) -> Position:
    """Return the place of a unit with this heading, speed and accuracy, all of them or none."""
    fix = [np.array([value]) for value in (*place(*at), *(motion or [math.nan] * 3))]
    return StreetIndex.build(network).snap_units(*fix)[0]


def moving(network: StreetNetwork, at: tuple[float, float], heading: float) -> Position:
    return snap_unit(network, at, heading, 10.0, 10.0)


def grid_town(n: int = 6, block_m: float = 90.0) -> StreetNetwork:
    """Return a chequerboard of two-way streets, some bent, with a one-way street at each edge."""
    lines = []
    for k in range(n):
        for j in range(n - 1):
            a, b = (j * block_m, k * block_m), ((j + 1) * block_m, k * block_m)
            bend = ((j + 0.5) * block_m, k * block_m + 7.0 * (j - k))
            lines.append(Line([a, bend, b], two_way=0 < k < n - 1))
            lines.append(Line([a[::-1], b[::-1]]))
    return town(*lines)


def bits_of(positions: Positions) -> bytes:
    return b"".join(getattr(positions, name).tobytes() for name in COLUMN_TYPES)


def random_fixes(network: StreetNetwork, n: int, seed: int) -> list[Reals]:
    """Return n fixes of units over the bounds and a little beyond; a third of them stand."""
    rng = np.random.default_rng(seed)
    west, south, east, north = network.bounds
    return [
        rng.uniform(west - 0.002, east + 0.002, n),
        rng.uniform(south - 0.002, north + 0.002, n),
        np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0, 360, n)),
        np.where(rng.random(n) < 1 / 3, 0.0, rng.uniform(0, 30, n)),
        np.where(rng.random(n) < 0.1, np.nan, rng.uniform(1, 60, n)),
    ]


def test_a_point_beside_a_street_pays_its_share_of_the_street() -> None:
    at = snap_incident(town(Line([(0, 0), (200, 0)])), 50, 12)
    assert at.fraction == pytest.approx(0.25, abs=1e-6)
    assert at.distance_m == pytest.approx(12, abs=1e-3)
    assert (at.lon, at.lat) == pytest.approx(place(50, 0), abs=1e-9)


@pytest.mark.parametrize(("north", "side"), [(8, 1), (-8, -1), (0, 0)])
def test_left_of_the_drawing_direction_is_plus_one(north: float, side: int) -> None:
    assert snap_incident(town(Line([(0, 0), (200, 0)])), 50, north).side == side
    assert snap_incident(town(Line([(200, 0), (0, 0)])), 50, north).side == -side


def test_a_point_outside_a_sharp_bend_lies_outside_for_both_of_its_stretches() -> None:
    hairpin = Line([(0, 0), (100, 0), (10, 40)])
    mirrored = Line([(0, 0), (100, 0), (10, -40)])
    for north in (-4, -1, 1, 4):
        assert snap_incident(town(hairpin), 110, north).side == -1
        assert snap_incident(town(mirrored), 110, north).side == 1


@pytest.mark.parametrize(("east", "fraction"), [(-60, 0.0), (0, 0.0), (200, 1.0), (260, 1.0)])
def test_beyond_an_end_the_street_ends_exactly_there(east: float, fraction: float) -> None:
    at = snap_incident(town(Line([(0, 0), (200, 0)])), east, 0)
    assert at.fraction == fraction
    assert (at.lon, at.lat) == place(200.0 * fraction, 0)


def test_a_one_way_street_is_left_and_entered_in_its_direction_only() -> None:
    one_way = Line([(0, 0), (200, 0)], two_way=False)
    along = town(one_way)
    against = replace(along, street_along=along.street_against, street_against=along.street_along)
    assert snap_incident(town(Line(one_way.points)), 50, 5).leaves == BOTH
    assert snap_incident(along, 50, 5).leaves == Way.ALONG
    assert snap_incident(against, 50, 5).leaves == Way.AGAINST


def test_the_fraction_counts_length_along_the_bends_of_a_hook_or_a_loop() -> None:
    hook = town(Line([(0, 0), (100, 0), (100, 300)]))
    loop = town(Line([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]))
    assert snap_incident(hook, 90, 200).fraction == pytest.approx(0.75, abs=1e-4)
    fractions = [snap_incident(loop, *p).fraction for p in ((50, 2), (98, 50), (50, 98))]
    assert fractions == pytest.approx([0.125, 0.375, 0.625], abs=1e-3)


def test_a_street_without_length_is_found_and_has_a_fraction() -> None:
    at = snap_incident(town(Line([(0, 0), (0, 0)]), Line([(500, 0), (900, 0)])), 3, 4)
    assert (at.street, at.fraction) == (0, 0.0)
    assert at.distance_m == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_at_a_junction_the_lowest_street_wins(order: tuple[int, int, int]) -> None:
    arms = [Line([(0, 0), (90, 0)]), Line([(80, 70), (0, 0)]), Line([(0, 0), (-60, 50)])]
    network = town(*(arms[k] for k in order))
    assert snap_incident(network, 0, 0).street == 0
    assert snap_incident(network, -2, -60).street == 0


def test_a_bridge_over_a_street_does_not_join_it() -> None:
    drawn = draw(CROSSING, streets={"CD": {"flags": StreetFlag.BRIDGE}})
    index = StreetIndex.build(drawn.network)
    for letters in ("CD", "HF"):
        at = index.snap_incident(*drawn.position(letters, 0.4))
        assert at.street == drawn.street(letters)
        assert min(at.fraction, 1 - at.fraction) == pytest.approx(0.4, abs=1e-6)
    where_they_cross = index.snap_incident(*drawn.position("CD", 0.5))
    assert where_they_cross.street == min(drawn.street("CD"), drawn.street("HF"))
    assert where_they_cross.fraction == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("flag", StreetFlag)
def test_an_incident_is_never_on_a_motorway_ramp_tunnel_or_gated_street(flag: StreetFlag) -> None:
    barred = {StreetFlag.CONTROLLED, StreetFlag.TUNNEL, StreetFlag.GATED}
    network = town(Line([(0, 0), (200, 0)], flags=flag), Line([(0, 80), (200, 80)]))
    at = snap_incident(network, 50, 0)
    street, distance = (1, 80) if flag in barred else (0, 0)
    assert (at.street, at.distance_m) == (street, pytest.approx(distance, abs=1e-2))
    alone = snap_incident(town(Line([(0, 0), (200, 0)], flags=flag)), 50, 0)
    assert alone.street == (NO_STREET if flag in barred else 0)


@pytest.mark.parametrize(("flag", "street"), [(1, 0), (2, 1), (32, 1)])
def test_a_unit_is_on_no_tunnel_or_gated_street(flag: int, street: int) -> None:
    network = town(Line([(0, 0), (200, 0)], flags=StreetFlag(flag)), Line([(0, 12), (200, 12)]))
    assert snap_unit(network, (50, 1)).street == street
    assert moving(network, (50, 1), EAST).street == street


EASTBOUND, WESTBOUND = [(0, 0), (400, 0)], [(400, 12), (0, 12)]
EDGE = Line([(-94, -94), (-90, -94)])
DIVIDED = town(Line(EASTBOUND, two_way=False), Line(WESTBOUND, two_way=False), EDGE)
UPRIGHT = town(*(Line([p[::-1] for p in x], False) for x in (EASTBOUND, WESTBOUND)), EDGE)
"""Eastbound, westbound 12 m above, and an edge between cells of the index between them."""


@pytest.mark.parametrize("north", [-3, 2, 6, 10, 15])
@pytest.mark.parametrize(("heading", "street"), [(EAST, 0), (WEST, 1), (110.0, 0), (250.0, 1)])
def test_heading_chooses_the_carriageway(north: float, heading: float, street: int) -> None:
    assert moving(DIVIDED, (200, north), heading).street == street
    assert moving(UPRIGHT, (north, 200), 90 - heading + 360 * (heading > 90)).street == street
    along, against = DIVIDED.street_along, DIVIDED.street_against
    turned = replace(DIVIDED, street_along=against, street_against=along)
    assert moving(turned, (200, north), (heading + 180) % 360).street == street


@pytest.mark.parametrize(
    ("heading", "speed"),
    [(WEST, 0.5), (WEST, math.nan), (math.nan, 10), (511, 10), (-1, 10), (WEST, -1)],
)
def test_without_motion_or_heading_the_nearest_wins(heading: float, speed: float) -> None:
    at = snap_unit(DIVIDED, (200, 2), heading, speed, 10)
    assert (at.street, at.leaves) == (0, Way.ALONG)
    assert moving(town(Line(EASTBOUND, two_way=False)), (100, 3), WEST).leaves == Way.ALONG


def test_a_moving_unit_is_not_on_the_crossing_street_two_metres_nearer() -> None:
    crossing = town(Line([(-100, 0), (100, 0)]), Line([(0, -100), (0, 100)]))
    assert snap_unit(crossing, (3, 5)).street == 1
    assert moving(crossing, (3, 5), EAST).street == 0
    assert moving(crossing, (5, 3), NORTH).street == 1


@pytest.mark.parametrize(
    ("heading", "leaves"),
    [(EAST, Way.ALONG), (50.0, Way.ALONG), (WEST, Way.AGAINST), (300.0, Way.AGAINST)],
)
def test_a_moving_unit_leaves_the_way_it_faces(heading: float, leaves: Way) -> None:
    assert moving(town(Line([(0, 0), (400, 0)])), (100, 3), heading).leaves == leaves


@pytest.mark.parametrize("heading", [NORTH, 20.0, 340.0, SOUTH])
def test_a_heading_across_a_two_way_street_leaves_both_ways_open(heading: float) -> None:
    assert moving(town(Line([(0, 0), (400, 0)])), (100, 3), heading).leaves == BOTH


def test_heading_never_reaches_for_a_street_beyond_the_accuracy() -> None:
    network = town(Line([(0, 0), (400, 0)], two_way=False), Line([(400, 40), (0, 40)]))
    assert snap_unit(network, (200, 2), WEST, 10, 10).street == 0
    assert snap_unit(network, (200, 2), WEST, 10, 50).street == 1


def test_an_absurd_accuracy_does_not_search_the_whole_town() -> None:
    network = town(Line([(0, 0), (400, 0)], two_way=False), Line([(400, 130), (0, 130)]))
    index = StreetIndex.build(network, motion=MotionRules(turned_m=1000.0))
    fix = [np.array([v]) for v in (*place(200, 2), WEST, 10.0, 1e9)]
    assert index.snap_units(*fix)[0].street == 0


def test_a_moving_unit_far_from_any_street_gets_the_nearest_and_both_ways() -> None:
    at = moving(town(Line([(0, 0), (400, 0)])), (100, 250), EAST)
    assert (at.street, at.leaves) == (0, BOTH)
    assert at.distance_m == pytest.approx(250, abs=0.1)


@pytest.mark.parametrize(("speed", "street"), [(10.0, 0), (30.0, 1)])
def test_motorway_speed_means_motorway_within_reason(speed: float, street: int) -> None:
    avenue = Line([(0, 0), (400, 0)])
    motorway = Line([(0, 12), (400, 12)], two_way=False, flags=StreetFlag.CONTROLLED)
    far = replace(motorway, points=[(0, 40), (400, 40)])
    assert snap_unit(town(avenue, motorway), (200, 3), EAST, speed, 10).street == street
    assert snap_unit(town(avenue, far), (200, 3), EAST, speed, 50).street == 0


def scores(network: StreetNetwork, fix: Sequence[float], rules: MotionRules) -> dict[int, float]:
    """Return the least score of each street in reach of a moving unit, as `MotionRules` has it."""
    lon, lat, heading, speed, accuracy = fix
    reach = min(max(rules.reach_m, accuracy), rules.reach_max_m)
    faces = np.array([math.sin(math.radians(heading)), math.cos(math.radians(heading))])
    found: dict[int, float] = {}
    for street in range(network.n_streets):
        line = (network.street_line(street) - (lon, lat)) * metres_per_degree(lat)
        for a, b in pairwise(line):
            away = shapely.LineString([a, b]).distance(shapely.Point(0, 0))
            cosine = float(faces @ (b - a)) / math.dist(a, b)
            if network.street_against[street] >= 0:
                cosine = abs(cosine)
            score = away + rules.turned_m * (1 - cosine) / 2
            score += rules.fast_m if speed >= rules.fast_mps else 0
            if away <= reach:
                found[street] = min(score, found.get(street, math.inf))
    return found


def test_the_street_of_a_moving_unit_has_the_least_score() -> None:
    network, rules = grid_town(), MotionRules()
    fixes = np.nan_to_num(np.column_stack(random_fixes(network, 300, seed=5)), nan=20.0)
    snapped = StreetIndex.build(network).snap_units(*fixes.T)
    judged = 0
    for at, fix in zip(snapped, fixes, strict=True):
        by_street = scores(network, fix, rules)
        if fix[3] >= rules.moving_mps and by_street:
            judged += 1
            assert by_street[at.street] == pytest.approx(min(by_street.values()), abs=1e-6)
    assert judged > 40


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, 181.0])
def test_a_coordinate_that_is_none_has_no_street_and_harms_nobody(bad: float) -> None:
    index = StreetIndex.build(grid_town())
    lon, lat = place(100, 100)
    at = index.snap_incidents(np.array([lon, bad, lon]), np.array([lat, lat, bad]))
    assert at.street[0] != NO_STREET
    assert at.street[1:].tolist() == [NO_STREET] * 2
    assert index.snap_incident(bad, lat).street == NO_STREET


def test_a_far_point_finds_the_nearest_street_but_not_from_another_continent() -> None:
    network = town(Line([(0, 0), (100, 0)]), Line([(20_000, 9_000), (20_100, 9_000)]))
    at = snap_incident(network, 9_000, 4_000)
    assert at.street == 0
    assert at.distance_m == pytest.approx(math.hypot(8_900, 4_000), rel=1e-3)
    assert StreetIndex.build(network).snap_incident(LAT, LON).street == NO_STREET


def test_no_points_are_no_positions_and_columns_of_different_lengths_are_refused() -> None:
    none, one, two = np.zeros(0), np.zeros(1), np.zeros(2)
    assert len(StreetIndex.build(grid_town()).snap_units(none, none, none, none, none)) == 0
    with pytest.raises(ValueError, match="one value for each point"):
        StreetIndex.build(grid_town()).snap_units(one, one, one, one, two)


def test_a_country_of_two_roads_needs_no_grid_of_millions_of_cells() -> None:
    wide = town(Line([(0, 0), (300_000, 300_000)]), Line([(0, 300_000), (300_000, 0)]))
    index = StreetIndex.build(wide)
    assert index.grid[4] * index.grid[5] <= 2**20
    assert index.snap_incident(*place(100_000, 100_500)).street == 0


@pytest.mark.parametrize(
    ("lon", "lat", "check"),
    [
        (LON, LAT, PlaceCheck.INSIDE),
        (LAT, LON, PlaceCheck.SWAPPED),
        (0.0, 0.0, PlaceCheck.ZERO),
        (1_270_000.0, 225_000.0, PlaceCheck.NOT_DEGREES),
        (math.nan, LAT, PlaceCheck.NOT_FINITE),
        (LON, math.inf, PlaceCheck.NOT_FINITE),
        (-122.68, 45.52, PlaceCheck.OUTSIDE),
    ],
)
def test_numbers_say_what_is_wrong_with_them(lon: float, lat: float, check: PlaceCheck) -> None:
    assert check_place(grid_town(), lon, lat) is check


def test_the_margin_of_the_bounds_is_in_metres() -> None:
    network = town(Line([(0, 0), (200, 200)]))
    for east, north in ((-300, 100), (500, 100), (100, -300), (100, 500)):
        assert in_bounds(network, *place(east, north), 310)
        assert not in_bounds(network, *place(east, north), 290)


@pytest.mark.parametrize("wrong", [{"warn_m": 0.0}, {"warn_m": 400.0}, {"refuse_m": math.nan}])
def test_limits_in_the_wrong_order_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected 0 < warn_m"):
        SnapLimits(**wrong)


@pytest.mark.parametrize("wrong", [{"reach_m": 200.0}, {"turned_m": -1.0}, {"crosswise_deg": 90}])
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        MotionRules(**wrong)


def test_one_position_and_a_column_of_one_say_the_same() -> None:
    at = snap_incident(grid_town(), 130, 77)
    assert Positions.of(at)[0] == at
    assert list(Positions.of(at, at)) == [at, at]


def check_independence(network: StreetNetwork, n: int) -> None:
    index = StreetIndex.build(network)
    fixes = random_fixes(network, n, seed=7)
    together = index.snap_units(*fixes)
    order = np.random.default_rng(8).integers(0, n, 2 * n)  # a subset, shuffled, with duplicates
    again = index.snap_units(*(column[order] for column in fixes))
    expected = Positions(**{name: getattr(together, name)[order] for name in COLUMN_TYPES})
    assert bits_of(again) == bits_of(expected)
    alone = [index.snap_units(*(column[k : k + 1] for column in fixes)) for k in range(n)]
    assert [bits_of(one) for one in alone] == [bits_of(Positions.of(at)) for at in together]
    calls = [index.snap_incident(x, y) for x, y in zip(*fixes[:2], strict=True)]
    assert bits_of(index.snap_incidents(*fixes[:2])) == bits_of(Positions.of(*calls))


@given(st.floats(-800, 1300), st.floats(-800, 1300), st.integers(0, 59), st.floats(0, 1))
def test_no_place_on_any_street_is_nearer(
    east: float, north: float, street: int, share: float
) -> None:
    network = grid_town()
    assert network.n_streets == 60
    at = snap_incident(network, east, north)
    line = network.street_line(street)
    k = min(int(share * (len(line) - 1)), len(line) - 2)
    t = share * (len(line) - 1) - k
    sample = line[k] + t * (line[k + 1] - line[k])
    assert at.distance_m <= distance_m(*place(east, north), *sample) * (1 + 1e-4) + 1e-3


def nearest_m(network: StreetNetwork, lon: Reals, lat: Reals, barred: StreetFlag) -> Reals:
    """Return metres to the nearest line, by shapely, in a projection made for each point."""
    allowed = np.flatnonzero((network.street_flags & barred) == 0)
    lines = np.array([shapely.LineString(network.street_line(s)) for s in allowed])
    tree = shapely.STRtree(lines)
    nearest = []
    for x, y in zip(lon, lat, strict=True):
        scale = np.array(metres_per_degree(y))
        point = shapely.Point(scale * (x, y))

        def metres(some: NDArray[np.object_], scale: Reals = scale, to=point):
            return shapely.distance(shapely.transform(some, lambda xy: xy * scale), to).min()

        wide, high = 1.01 * metres(lines[[tree.nearest(shapely.Point(x, y))]]) / scale + 1e-9
        around = shapely.box(x - wide, y - high, x + wide, y + high)
        nearest.append(metres(lines[tree.query(around)]))
    return np.array(nearest)


def check_against_shapely(network: StreetNetwork, index: StreetIndex, n: int) -> None:
    lon, lat, *_ = random_fixes(network, n, seed=3)
    below = StreetFlag.TUNNEL | StreetFlag.GATED
    for at, barred in (
        (index.snap_incidents(lon, lat), below | StreetFlag.CONTROLLED),
        (index.snap_units(lon, lat), below),
    ):
        expected_m = nearest_m(network, lon, lat, barred)
        np.testing.assert_allclose(at.distance_m, expected_m, rtol=1e-6, atol=1e-3)
        assert not (network.street_flags[at.street] & barred).any()
        check_places(network, at, lon, lat)


def check_places(network: StreetNetwork, at: Positions, lon: Reals, lat: Reals) -> None:
    """Check that each place is on its street, at its fraction, as far away as it says."""
    for k, place_ in enumerate(at):
        line = shapely.LineString(network.street_line(place_.street))
        scale = np.array(metres_per_degree(lat[k]))
        flat = shapely.transform(line, lambda xy, scale=scale: xy * scale)
        by_fraction = shapely.line_interpolate_point(flat, place_.fraction, normalized=True)
        snapped = shapely.Point(scale * (place_.lon, place_.lat))
        assert flat.distance(snapped) < 1e-3
        assert shapely.distance(by_fraction, snapped) < 0.01 + 1e-3 * flat.length
        apart = math.hypot(*(scale * (lon[k] - place_.lon, lat[k] - place_.lat)))
        assert apart == pytest.approx(place_.distance_m, abs=1e-3)


def test_distances_agree_with_shapely_on_a_small_town() -> None:
    network = grid_town()
    flags = np.random.default_rng(4).choice([0, 0, 1, 2, 16, 32], network.n_streets)
    network = replace(network, street_flags=flags.astype(np.uint8))
    check_against_shapely(network, StreetIndex.build(network), 500)


def test_distances_agree_with_shapely_on_the_built_in_pilot() -> None:
    network = pilot_network()
    check_against_shapely(network, StreetIndex.build(network), 500)


def test_distances_agree_with_shapely_on_the_real_network(seattle: StreetNetwork) -> None:
    check_against_shapely(seattle, StreetIndex.build(seattle), 2_000)


def test_other_points_never_change_an_answer() -> None:
    check_independence(grid_town(), 200)


def test_other_points_never_change_an_answer_on_the_real_network(seattle: StreetNetwork) -> None:
    check_independence(seattle, 500)


def test_the_check_against_shapely_notices_an_index_that_lacks_a_street() -> None:
    network = grid_town()
    flags = np.zeros(network.n_streets, np.uint8)
    flags[20] = StreetFlag.GATED
    lacking = StreetIndex.build(replace(network, street_flags=flags))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_against_shapely(network, lacking, 500)
