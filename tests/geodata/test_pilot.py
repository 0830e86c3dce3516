"""The built-in pilot is readable, connected, true to facts, and says where a line is wrong."""

import json
from collections import Counter
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geodata.earth import metres_per_degree
from geodata.errors import StreetFileError
from geodata.network import RoadClass, StreetFlag, StreetNetwork
from geodata.pilot.area import pilot_demo_calls, pilot_posts, pilot_zone_features
from geodata.pilot.streets import pilot_network, pilot_raw_streets, raw_streets
from geodata.pilot.tables import (
    CORNER_COLUMNS,
    STREET_COLUMNS,
    Corner,
    parse_corners,
    parse_street_rows,
    read_corners,
    read_street_rows,
)
from geodata.raw_streets import Control, Direction
from geodata.snap import StreetIndex
from geodata.street_build import build_network
from geodata.zones import ZoneMap

FREEWAYS = (RoadClass.MOTORWAY, RoadClass.MOTORWAY_LINK)
PER_LON, PER_LAT = metres_per_degree(47.6)
CORNERS_TEXT = "\n".join(
    (
        ",".join(CORNER_COLUMNS),
        "1st Avenue / Pike Street,-122.340,47.609,signal",
        "1st Avenue / Pine Street,-122.341,47.610,none",
        "2nd Avenue / Pike Street,-122.339,47.610,side stop",
        "2nd Avenue / Pine Street,-122.340,47.611,all stop",
    )
)
STREETS_TEXT = "\n".join(
    (
        ",".join(STREET_COLUMNS),
        "1st Avenue,secondary,both,25,Pine Street; Pike Street",
        "2nd Avenue,primary,one way,25,Pine Street; Pike Street",
        "Pike Street,residential,one way,,2nd Avenue; 1st Avenue",
        "Pine Street,residential,one way,20,1st Avenue; 2nd Avenue",
    )
)


def parse(corners: str = CORNERS_TEXT, streets: str = STREETS_TEXT) -> list[str]:
    return [row.street for row in parse_street_rows(streets, parse_corners(corners))]


@pytest.fixture(scope="module")
def network() -> StreetNetwork:
    return pilot_network()


@pytest.fixture(scope="module")
def corner_of() -> dict[str, Corner]:
    return {corner.name: corner for corner in read_corners()}


def directions(street: str, here: str, there: str) -> set[str]:
    """Return which ways a street runs between two of its corners, named by the other street."""
    found = set()
    for row in read_street_rows():
        if row.street != street:
            continue
        place = {name: i for i, corner in enumerate(row.corners) for name in corner.streets}
        if here in place and there in place:
            forward = place[here] < place[there]
            both = row.direction is Direction.BOTH
            found |= {"there"} if forward or both else set()
            found |= {"back"} if not forward or both else set()
    return found


# ------------------------------------------------------------------------------- the tables


def test_a_small_table_is_read() -> None:
    assert parse() == ["1st Avenue", "2nd Avenue", "Pike Street", "Pine Street"]
    rows = parse_street_rows(STREETS_TEXT, parse_corners(CORNERS_TEXT))
    assert [row.limit_mph for row in rows] == [25, 25, None, 20]
    assert build_network(raw_streets(rows)).n_edges == 5


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("-122.340,47.609,signal", "47.609,-122.340,signal", 2, "longitude first"),
        ("-122.340,47.609,signal", "here,47.609,signal", 2, "lon is 'here'"),
        ("47.610,none", "47.610,lights", 3, "write one of signal, all stop, side stop, none"),
        ("47.610,none", "47.610", 3, "3 columns; expected 4"),
        ("1st Avenue / Pine", "1st Avenue / Pike", 3, "is on line 2 already"),
        ("2nd Avenue / Pine", "2nd Avenue / 5th Avenue / Pine", 5, "no row of 5th Avenue"),
        ("corner,lon", "corner,x", 1, "write 'corner,lon,lat,control'"),
    ],
)
def test_a_wrong_corner_is_named_by_its_line(old: str, new: str, line: int, message: str) -> None:
    with pytest.raises(StreetFileError) as error:
        parse(corners=CORNERS_TEXT.replace(old, new))
    assert f"geodata/pilot/corners.csv, line {line}: " in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("secondary,both", "big,both", 2, "class is 'big'; write one of motorway"),
        ("secondary,both", "secondary,two-way", 2, "travel is 'two-way'; write one of both"),
        ("both,25", "both,27", 2, "limit_mph is '27'"),
        ("both,25,Pine Street", "both,25,Pin Street", 2, "names the corner 'Pin Street'"),
        ("both,25,Pine Street; ", "both,25,", 2, "at least two corners"),
        ("one way,25,Pine Street; Pike", "one way,25,Pike Street; Pike", 3, "runs twice"),
        ("Pike Street\n2nd", "Pike Street; Pine Street\n2nd", 2, "runs twice"),
        ("; 1st Avenue\n", ", 1st Avenue\n", 4, "6 columns; expected 5"),
    ],
)
def test_a_wrong_street_is_named_by_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in STREETS_TEXT
    with pytest.raises(StreetFileError) as error:
        parse(streets=STREETS_TEXT.replace(old, new))
    assert f"geodata/pilot/streets.csv, line {line}: " in str(error.value)
    assert message in str(error.value)


def test_two_corners_of_the_same_streets_need_a_word_in_brackets() -> None:
    twice = CORNERS_TEXT + "\n1st Avenue / Pine Street (north),-122.342,47.611,none"
    streets = STREETS_TEXT.replace("Pine Street; Pike", "Pine Street (north); Pine Street; Pike", 1)
    with pytest.raises(StreetFileError, match=r"corners.csv, line 6: no row of Pine Street"):
        parse(twice, streets)
    assert parse(twice, streets.replace("20,1st", "20,1st Avenue (north); 1st"))


def test_the_tables_are_sorted_so_that_a_line_is_found() -> None:
    names = [row.street for row in read_street_rows()]
    corners = [corner.name for corner in read_corners()]

    def padded(name: str) -> str:
        return " ".join(word.zfill(5) if word[0].isdigit() else word for word in name.split())

    assert names == sorted(names, key=padded)
    assert corners == sorted(corners, key=padded)


def test_ids_are_lines_of_the_tables() -> None:
    raw = pilot_raw_streets()
    text = (files("geodata.pilot") / "streets.csv").read_text(encoding="utf-8").splitlines()
    for way in raw.ways:
        assert text[way.way_id - 1].startswith(f"{way.name},")


# ------------------------------------------------------------------------------ the network


def test_every_corner_can_be_reached_from_every_other(network: StreetNetwork) -> None:
    assert network.source.dropped == ()
    ones = np.ones(network.n_edges)
    graph = csr_array((ones, (network.edge_tail, network.edge_head)))
    assert connected_components(graph, connection="strong")[0] == 1
    assert 400 <= network.n_junctions <= 500


def test_the_network_says_that_it_is_a_schematic(network: StreetNetwork) -> None:
    source = network.source
    assert (source.kind, source.schematic, source.network_id) == (
        "TABLE",
        True,
        "pilot-schematic-1",
    )
    assert "not a survey" in source.description


@pytest.mark.parametrize(
    ("street", "here", "there", "expected"),
    [
        ("1st Avenue", "Pine Street", "Union Street", {"there", "back"}),
        ("2nd Avenue", "Pine Street", "Pike Street", {"there"}),
        ("3rd Avenue", "Pine Street", "Pike Street", {"there", "back"}),
        ("4th Avenue", "Pike Street", "Pine Street", {"there"}),
        ("5th Avenue", "Pine Street", "Pike Street", {"there"}),
        ("6th Avenue", "Pike Street", "Pine Street", {"there"}),
        ("Pike Street", "4th Avenue", "5th Avenue", {"there"}),
        ("Pine Street", "5th Avenue", "4th Avenue", {"there"}),
        ("Cherry Street", "3rd Avenue", "4th Avenue", {"there"}),
        ("James Street", "3rd Avenue", "4th Avenue", {"there", "back"}),
        ("Stewart Street", "6th Avenue", "5th Avenue", {"there"}),
        ("Denny Way", "Broad Street", "Dexter Avenue", {"there", "back"}),
        ("South Jackson Street", "5th Avenue South", "12th Avenue South", {"there", "back"}),
        ("4th Avenue South", "South Holgate Street", "South Lander Street", {"there", "back"}),
    ],
)
def test_streets_run_as_they_do_in_seattle(
    street: str, here: str, there: str, expected: set[str]
) -> None:
    assert directions(street, here, there) == expected


@pytest.mark.parametrize(
    "name",
    [
        "4th Avenue / Pike Street",
        "2nd Avenue / Pine Street",
        "3rd Avenue / James Street",
        "5th Avenue South / South Jackson Street",
        "1st Avenue South / South Royal Brougham Way",
        "4th Avenue South / South Lander Street",
        "5th Avenue / Cherry Street",
    ],
)
def test_the_large_corners_have_signals(name: str, corner_of: dict[str, Corner]) -> None:
    assert corner_of[name].control == Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST


def test_freeways_and_ramps_are_no_place_for_an_incident(network: StreetNetwork) -> None:
    freeway = np.isin(network.street_class, FREEWAYS)
    controlled = (network.street_flags & StreetFlag.CONTROLLED) != 0
    assert freeway.any()
    np.testing.assert_array_equal(controlled, freeway)


def test_no_stretch_is_long_enough_to_be_a_misplaced_corner() -> None:
    for row in read_street_rows():
        for one, two in pairwise(row.corners):
            length = np.hypot((one.lon - two.lon) * PER_LON, (one.lat - two.lat) * PER_LAT)
            assert 5 < length < (2000 if row.road_class in FREEWAYS else 1250), row.street


# ------------------------------------------------------------------------ zone, posts, calls


@pytest.fixture(scope="module")
def zones() -> ZoneMap:
    return ZoneMap.from_geojson(pilot_zone_features())


def test_the_zone_is_a_simple_polygon_of_few_corners(zones: ZoneMap) -> None:
    (zone,) = zones.zones
    assert (zone.zone_id, zone.kind, zone.precedence) == ("PILOT_CORE", "BASE", 100)
    assert zone.geometry.is_valid
    assert 20 <= shapely.get_num_coordinates(zone.geometry) - 1 <= 60


@pytest.mark.parametrize(
    ("landmark", "lon", "lat", "inside"),
    [
        ("Pioneer Square", -122.33400, 47.60180, True),
        ("Hing Hay Park", -122.32490, 47.59875, True),
        ("Lumen Field", -122.33160, 47.59520, True),
        ("Westlake Park", -122.33690, 47.61110, True),
        ("Pike Place Market", -122.34090, 47.60960, True),
        ("Seattle Aquarium", -122.34310, 47.60740, True),
        ("SODO station", -122.32730, 47.58110, True),
        ("Space Needle", -122.34930, 47.62050, False),
        ("Capitol Hill station", -122.32020, 47.61900, False),
        ("Harborview Medical Center", -122.32370, 47.60430, False),
        ("West Seattle Junction", -122.38690, 47.56110, False),
        ("Beacon Hill station", -122.31160, 47.57920, False),
    ],
)
def test_the_zone_holds_what_it_should(
    zones: ZoneMap, landmark: str, lon: float, lat: float, inside: bool
) -> None:
    assert bool(zones.zones_at(lon, lat)) == inside, landmark


def test_most_corners_of_the_network_are_in_the_zone(zones: ZoneMap) -> None:
    inside = [bool(zones.zones_at(corner.lon, corner.lat)) for corner in read_corners()]
    assert np.mean(inside) > 0.8


def distance_to_streets_m(network: StreetNetwork, lon: float, lat: float) -> float:
    lines = [
        shapely.LineString(network.street_line(s) * (PER_LON, PER_LAT))
        for s in range(network.n_streets)
        if not network.street_flags[s] & StreetFlag.CONTROLLED
    ]
    return float(shapely.distance(lines, shapely.Point(lon * PER_LON, lat * PER_LAT)).min())


def test_posts_calls_and_units_stand_beside_a_street(network: StreetNetwork) -> None:
    places = [(post.post_id, post.lon, post.lat) for post in pilot_posts()]
    for call in pilot_demo_calls():
        location = call.request["incident"]["location"]
        places.append((call.title, location["lon"], location["lat"]))
        places += [
            (unit["unit_id"], unit["position"]["lon"], unit["position"]["lat"])
            for unit in call.request["units"]
            if unit["position"]
        ]
    far = [place for place in places if distance_to_streets_m(network, *place[1:]) > 40]
    assert far == []


def test_demo_calls_are_consistent_in_time() -> None:
    for call in pilot_demo_calls():
        incident = call.request["incident"]
        now = datetime.fromisoformat(call.request["as_of"])
        order = [
            incident["received_at"],
            incident["screening"]["completed_at"],
            incident["queued_at"],
        ]
        assert sorted(order) == order
        assert datetime.fromisoformat(order[-1]) < now
        for unit in call.request["units"]:
            assert datetime.fromisoformat(unit["status_since"]) < now
            assert unit["status"] == "OFF_DUTY" or datetime.fromisoformat(unit["shift_end"]) > now
            if unit["expected_clear_at"]:
                assert datetime.fromisoformat(unit["expected_clear_at"]) > now
            if unit["position"]:
                age = now - datetime.fromisoformat(unit["position"]["fixed_at"])
                assert timedelta(0) < age < timedelta(seconds=300)


def test_demo_calls_show_what_their_titles_say(zones: ZoneMap) -> None:
    calls = [call.request for call in pilot_demo_calls()]
    normal, small_crew, outside, late, weapon, no_care, officer, trouble = calls

    def in_zone(request: dict[str, dict[str, dict[str, float]]]) -> bool:
        location = request["incident"]["location"]
        return bool(zones.zones_at(location["lon"], location["lat"]))

    def care(request: dict[str, list[dict[str, object]]]) -> Counter[tuple[object, object]]:
        units = [unit for unit in request["units"] if unit["agency"] == "CARE"]
        return Counter((unit["status"], unit["crew_count"]) for unit in units)

    assert [in_zone(request) for request in (normal, small_crew, late, weapon, no_care)] == [
        True
    ] * 5
    assert not in_zone(outside)
    assert care(normal)["AVAILABLE", 2] == 2
    assert care(small_crew)["AVAILABLE", 1] == 1
    assert datetime.fromisoformat(late["as_of"]).hour == 23
    assert weapon["incident"]["screening"]["weapon"] == "YES"
    assert care(no_care)["AVAILABLE", 2] == 0
    assert [officer["incident"]["requested_mode"], trouble["incident"]["requested_mode"]] == [
        "CARE_ONLY_ADD", "SPD_ADD",
    ]  # fmt: skip


def test_demo_calls_hold_no_names_of_persons_and_unique_units() -> None:
    for call in pilot_demo_calls():
        units = [unit["unit_id"] for unit in call.request["units"]]
        assert len(set(units)) == len(units)
        assert {unit["agency"] for unit in call.request["units"]} == {"CARE", "SPD"}
        assert not {"name", "officer", "narrative"} & set(json.dumps(call.request).split('"'))


def test_a_unit_above_the_tunnel_is_on_the_street_and_not_in_it() -> None:
    """A unit on 2nd Avenue stands over the State Route 99 tunnel, 17 m nearer as the map lies."""
    network = pilot_network()
    lon, lat = np.array([-122.34271]), np.array([47.61183])
    at = StreetIndex.build(network).snap_units(lon, lat)[0]
    assert network.name_of(at.street) == "2nd Avenue"
    below = network.street_flags & StreetFlag.TUNNEL != 0
    assert {network.name_of(s) for s in np.flatnonzero(below)} == {"State Route 99 Tunnel"}
