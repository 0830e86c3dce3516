"""Rule 15: which zones a point lies in, which of them wins, and zones that cannot be used."""

import math
from time import perf_counter
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.earth import distance_m
from geodata.zones import ZoneKind, ZoneMap, ZoneMapError

WEST, SOUTH = -122.34, 47.60


def square(
    zone_id: Any, x: float = 0, y: float = 0, size: float = 1, **properties: Any
) -> dict[str, Any]:
    """Return a feature; coordinates count in hundredths of a degree from the corner."""
    w, s, side = WEST + x / 100, SOUTH + y / 100, size / 100
    ring = [[w, s], [w + side, s], [w + side, s + side], [w, s + side], [w, s]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {
        "type": "Feature", "properties": {"zone_id": zone_id, **properties}, "geometry": geometry,
    }  # fmt: skip


def zones(*features: Any, **settings: float) -> ZoneMap:
    return ZoneMap.from_geojson(
        {"type": "FeatureCollection", "features": list(features)}, **settings
    )


def at(zone_map: ZoneMap, x: float, y: float) -> list[str]:
    return [zone.zone_id for zone in zone_map.zones_at(WEST + x / 100, SOUTH + y / 100)]


def test_a_point_is_inside_outside_or_on_the_edge():
    one = zones(square("A"))
    assert at(one, 0.5, 0.5) == ["A"]
    assert at(one, 1.5, 0.5) == []
    for x, y in ((0, 0), (1, 0.5), (0.5, 1), (0, 1)):
        assert at(one, x, y) == ["A"]


@given(st.integers(0, 2**32))
def test_every_point_of_a_slanting_edge_is_inside(seed):
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform((WEST, SOUTH), (WEST + 0.1, SOUTH + 0.1), (3, 2))
    share = rng.random()
    ring = [a.tolist(), b.tolist(), c.tolist(), a.tolist()]
    feature = square("A") | {"geometry": {"type": "Polygon", "coordinates": [ring]}}
    lon, lat = a + share * (b - a)
    assert zones(feature).zones_at(float(lon), float(lat))


def test_exclude_beats_all_then_precedence_then_the_lower_id():
    city = zones(
        square("LOW", precedence=1),
        square("HIGH", x=0.1, precedence=5, kind="OVERLAY"),
        square("HOLE", x=0.5, precedence=0, kind="EXCLUDE"),
        square("B", x=2, precedence=3),
        square("A", x=3, precedence=3),
    )
    assert at(city, 0.05, 0.5) == ["LOW"]
    assert at(city, 0.3, 0.5) == ["HIGH", "LOW"]
    assert at(city, 0.7, 0.5) == ["HOLE", "HIGH", "LOW"]
    assert at(city, 3, 0.5) == ["A", "B"]  # on the edge that both share


def test_a_tolerance_reaches_where_no_zone_is_and_never_into_an_exclusion():
    near = WEST + 0.01 + 0.00005, SOUTH + 0.005  # 3.8 m east of A
    assert not zones(square("A")).zones_at(*near)
    assert not zones(square("A"), edge_tolerance_m=3.0).zones_at(*near)
    assert zones(square("A"), edge_tolerance_m=4.0).zones_at(*near)
    assert not zones(square("X", kind="EXCLUDE"), edge_tolerance_m=4.0).zones_at(*near)


def test_a_tolerance_does_not_take_a_point_from_the_zone_it_lies_in():
    city = zones(square("IN"), square("BESIDE", x=1, precedence=9), edge_tolerance_m=50.0)
    assert at(city, 0.9999, 0.5) == ["IN"]


def test_the_nearest_zone_that_takes_calls_is_named_with_the_metres_to_it():
    city = zones(square("A"), square("B", x=5), square("X", x=1.5, size=0.5, kind="EXCLUDE"))
    zone, metres = city.nearest(WEST + 0.014, SOUTH + 0.005)
    assert zone.zone_id == "A"
    expected = distance_m(WEST + 0.014, SOUTH + 0.005, WEST + 0.01, SOUTH + 0.005)
    assert metres == pytest.approx(expected, rel=0.002)
    assert city.nearest(WEST + 0.005, SOUTH + 0.005)[1] == 0
    assert zones(square("X", kind="EXCLUDE")).nearest(WEST, SOUTH) is None


def test_a_zone_far_away_changes_no_distance():
    near = square("A")
    far = square("FAR", x=130, y=-110)  # 100 km east, 120 km south
    alone, both = zones(near), zones(near, far)
    for x in np.linspace(1.1, 9.0, 40):
        place = WEST + float(x) / 100, SOUTH + 0.013
        assert both.nearest(*place)[1] == alone.nearest(*place)[1]
        assert both.edge_distance_m(*place) == alone.edge_distance_m(*place)
    assert both.areas_km2()[0] == alone.areas_km2()[0]


def test_metres_are_those_of_the_latitude_asked_at():
    tall = square("A", size=1) | {
        "geometry": shapely.geometry.mapping(shapely.box(WEST, 40.0, WEST + 0.01, 55.0))
    }
    for lat in (40.5, 47.6, 54.5):
        metres = zones(tall).nearest(WEST + 0.02, lat)[1]
        assert metres == pytest.approx(distance_m(WEST + 0.02, lat, WEST + 0.01, lat), abs=0.001)


def test_the_edge_is_near_from_both_sides():
    one = zones(square("A"))
    for x in (0.99, 1.01):
        place = WEST + x / 100, SOUTH + 0.005
        metres = one.edge_distance_m(*place)
        assert metres == pytest.approx(7.5, abs=0.1)
        assert one.is_near_edge(*place, 8.0)
        assert not one.is_near_edge(*place, 7.0)


def test_no_zones_at_all_is_a_map_without_zones():
    empty = ZoneMap([])
    assert (len(empty), empty.zones_at(WEST, SOUTH), empty.nearest(WEST, SOUTH)) == (0, (), None)
    assert empty.edge_distance_m(WEST, SOUTH) == math.inf
    assert not empty.is_near_edge(WEST, SOUTH, 1e6)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_many_zones_are_found_through_the_tree_as_without_it(seed):
    rng = np.random.default_rng(seed)
    features = [
        square(f"Z{i}", x=float(x), y=float(y), size=1.5, precedence=i)
        for i, (x, y) in enumerate(rng.uniform(0, 5, (40, 2)))
    ]
    many, alone = zones(*features), [zones(feature) for feature in features]
    for x, y in rng.uniform(0, 6, (20, 2)):
        one_by_one = [i for i, one in enumerate(alone) if at(one, float(x), float(y))]
        assert at(many, float(x), float(y)) == [f"Z{i}" for i in reversed(one_by_one)]


def test_polygons_with_holes_and_of_several_parts_work():
    hole = shapely.box(WEST, SOUTH, WEST + 0.03, SOUTH + 0.03) - shapely.box(
        WEST + 0.01, SOUTH + 0.01, WEST + 0.02, SOUTH + 0.02
    )
    geometry = shapely.union_all([hole, shapely.box(WEST + 0.05, SOUTH, WEST + 0.06, SOUTH + 0.01)])
    feature = square("A") | {"geometry": shapely.geometry.mapping(geometry)}
    city = zones(feature)
    assert [at(city, x, y) for x, y in ((0.5, 0.5), (1.5, 1.5), (5.5, 0.5))] == [["A"], [], ["A"]]


# -- zones that cannot be used --------------------------------------------------------------------

BOWTIE = [[WEST, SOUTH], [WEST + 0.01, SOUTH + 0.01], [WEST + 0.01, SOUTH], [WEST, SOUTH + 0.01]]


def with_ring(ring: list[list[float]]) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return square("A") | {"geometry": geometry}


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([square("")], r"features\[0\]: zone_id is ''"),
        ([square(None)], "zone_id is None"),
        ([square("A", kind="PARK")], "expected one of BASE, OVERLAY, EXCLUDE"),
        ([square("A", precedence=1.5)], "precedence is 1.5"),
        ([square("A", precedence=True)], "precedence is True"),
        ([square("A", precedence="first")], "features"),
        ([square("A") | {"geometry": None}], "has no geometry"),
        ([square("A") | {"geometry": {"type": "Point", "coordinates": [WEST, SOUTH]}}], "a Point"),
        ([square("A") | {"geometry": {"type": "Blob", "coordinates": []}}], "features"),
        ([with_ring(BOWTIE)], "not valid: Self-intersection"),
        ([with_ring([[b, a] for a, b in BOWTIE])], "swapped"),
        ([with_ring([[1.27e6, 2.2e5], [1.28e6, 2.2e5], [1.28e6, 2.3e5]])], "degrees"),
        ([square("A"), square("A", x=2)], "zone_id A occurs more than once"),
        ([square("A"), square("B", x=0.5)], "zones A and B overlap by"),
        ([square("A"), 7], r"features\[1\]"),
    ],
)
def test_what_is_wrong_with_a_zone_is_said(features, said):
    with pytest.raises(ZoneMapError, match=said):
        zones(*features)


def test_every_problem_is_listed_at_once():
    with pytest.raises(ZoneMapError) as caught:
        zones(square(""), square("A", kind="PARK"), square("B"))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "data", [{}, {"type": "Feature"}, {"type": "FeatureCollection", "features": None}]
)
def test_something_that_is_no_feature_collection_is_refused(data):
    with pytest.raises(ZoneMapError):
        ZoneMap.from_geojson(data)


def test_another_reference_system_is_refused():
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2926"}}
    data = {"type": "FeatureCollection", "features": [square("A")], "crs": crs}
    with pytest.raises(ZoneMapError, match="expected WGS 84"):
        ZoneMap.from_geojson(data)


def test_zones_may_overlap_with_other_precedence_or_exclusion_or_meet_at_an_edge():
    assert len(zones(square("A"), square("B", x=0.5, precedence=1))) == 2
    assert len(zones(square("A"), square("X", x=0.5, kind="EXCLUDE"))) == 2
    assert len(zones(square("A"), square("B", x=1))) == 2


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ZoneMapError, match="edge_tolerance_m"):
        zones(square("A"), edge_tolerance_m=-1.0)


def test_properties_have_defaults_and_the_policy_is_kept():
    zone = zones(square("A", policy_id="P2", name="Downtown")).zones[0]
    assert (zone.kind, zone.precedence, zone.policy_id, zone.name) == (
        ZoneKind.BASE, 0, "P2", "Downtown",
    )  # fmt: skip


def test_a_look_up_among_few_zones_takes_microseconds():
    city = zones(*(square(f"Z{i}", x=i) for i in range(8)))
    runs = []
    for _ in range(200):
        begin = perf_counter()
        city.zones_at(WEST + 0.035, SOUTH + 0.005)
        runs.append(perf_counter() - begin)
    assert np.median(runs) < 500e-6  # 10-20 us on a quiet machine
