"""Every rule by which tags become what a car may do."""

import pytest

from geodata.network import RoadClass, StreetFlag
from geodata.osm_tags import (
    KMH_PER_MPH,
    NODE_TAGS,
    WAY_TAGS,
    WayTags,
    parse_limit_kmh,
    read_control,
    read_way,
)
from geodata.raw_streets import Control, Direction

NO_CONTROL = Control(0)
SIGNAL_BOTH = Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST
STOP_BOTH = Control.STOP_ALONG | Control.STOP_AGAINST


def read(**tags: str) -> WayTags:
    """Read a residential way with more tags; `maxspeed__forward` stands for `maxspeed:forward`."""
    way = read_way({"highway": "residential"} | {k.replace("__", ":"): v for k, v in tags.items()})
    assert isinstance(way, WayTags), way
    return way


def reason(**tags: str) -> str:
    left_out = read_way({"highway": "residential"} | tags)
    assert isinstance(left_out, str)
    return left_out


@pytest.mark.parametrize("road_class", list(RoadClass))
def test_every_road_class_is_read(road_class: RoadClass) -> None:
    assert read(highway=road_class.name.lower()).road_class is road_class


@pytest.mark.parametrize("value", ["footway", "cycleway", "construction", "proposed", "busway", ""])
def test_other_ways_are_no_car_roads(value: str) -> None:
    assert reason(highway=value) == "ways that are no car road"


def test_a_road_of_unknown_class_is_unclassified() -> None:
    assert read(highway="road").road_class is RoadClass.UNCLASSIFIED


def test_an_area_is_left_out() -> None:
    assert reason(area="yes") == "ways that outline an area"
    assert read(area="no").road_class is RoadClass.RESIDENTIAL


@pytest.mark.parametrize("service", ["parking_aisle", "driveway", "drive-through"])
def test_private_service_roads_are_left_out(service: str) -> None:
    assert "driveways" in reason(highway="service", service=service)


@pytest.mark.parametrize("tags", [{}, {"service": "alley"}])
def test_other_service_roads_and_alleys_are_kept(tags: dict[str, str]) -> None:
    assert read(highway="service", **tags).road_class is RoadClass.SERVICE


def test_a_driveway_tag_means_nothing_on_a_real_street() -> None:
    assert read(service="driveway").road_class is RoadClass.RESIDENTIAL


@pytest.mark.parametrize("value", ["no", "bus", "psv", "bus;psv", "foot"])
def test_ways_closed_to_cars_are_left_out(value: str) -> None:
    assert reason(access=value) == "ways closed to cars"


@pytest.mark.parametrize("value", ["yes", "designated"])
def test_a_closed_way_open_to_responders_is_private(value: str) -> None:
    assert read(access="no", emergency=value).flags == StreetFlag.PRIVATE
    assert reason(access="no", emergency="no") == "ways closed to cars"


@pytest.mark.parametrize(
    "value", ["private", "permit", "residents", "military", "employees", "agricultural"]
)
def test_barred_ways_are_private(value: str) -> None:
    assert read(access=value).flags == StreetFlag.PRIVATE


@pytest.mark.parametrize(
    "value", ["yes", "destination", "customers", "permissive", "delivery", "no|||", "perhaps"]
)
def test_ways_for_visitors_and_unknown_values_are_open(value: str) -> None:
    assert read(motor_vehicle=value).flags == StreetFlag(0)


def test_the_most_specific_access_key_wins() -> None:
    assert read(access="no", motor_vehicle="yes").flags == StreetFlag(0)
    assert read(access="no", vehicle="no", motorcar="private").flags == StreetFlag.PRIVATE
    assert reason(access="yes", vehicle="yes", motor_vehicle="no") == "ways closed to cars"
    assert reason(access="no", motor_vehicle="perhaps") == "ways closed to cars"


def test_of_several_access_values_the_most_open_counts() -> None:
    assert read(access="private;destination").flags == StreetFlag(0)
    assert read(access="no; private").flags == StreetFlag.PRIVATE


@pytest.mark.parametrize("value", ["yes", "1", "true"])
def test_one_way(value: str) -> None:
    way = read(oneway=value)
    assert (way.direction, way.turned) == (Direction.ALONG, False)


@pytest.mark.parametrize("value", ["-1", "reverse"])
def test_a_way_against_its_nodes_is_turned_and_its_limits_swap(value: str) -> None:
    way = read(oneway=value, maxspeed__forward="20", maxspeed__backward="60")
    assert (way.direction, way.turned) == (Direction.ALONG, True)
    assert (way.limit_along_kmh, way.limit_against_kmh) == (60, 20)


@pytest.mark.parametrize("value", ["reversible", "alternating"])
def test_reversible_lanes_are_gated(value: str) -> None:
    way = read(oneway=value)
    assert (way.direction, way.flags) == (Direction.REVERSIBLE, StreetFlag.GATED)


def test_motorways_and_roundabouts_are_one_way_unless_tagged() -> None:
    assert read(highway="motorway").direction is Direction.ALONG
    assert read(junction="roundabout").direction is Direction.ALONG
    assert read(junction="circular").direction is Direction.ALONG
    assert read(junction="circular", oneway="no").direction is Direction.BOTH
    assert read(highway="motorway_link").direction is Direction.BOTH
    assert read(junction="intersection").direction is Direction.BOTH


def test_a_oneway_rule_for_cars_beats_the_general_one() -> None:
    assert read(oneway="yes", oneway__motor_vehicle="no").direction is Direction.BOTH
    assert read(oneway="nonsense").direction is Direction.BOTH


@pytest.mark.parametrize(
    ("text", "limit_kmh"),
    [
        ("40", 40.0),
        ("40 km/h", 40.0),
        ("40kmh", 40.0),
        ("25 mph", 25 * KMH_PER_MPH),
        ("25mph", 25 * KMH_PER_MPH),
        ("30;20 mph", 25 * KMH_PER_MPH),
        ("30 mph;20 mph", 25 * KMH_PER_MPH),
        ("30|20", 25.0),
        ("30|none|20", 25.0),
        ("none", None),
        ("walk", None),
        ("signals", None),
        ("US:urban", None),
        ("0", None),
        ("-30", None),
        ("2500", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
    ],
)
def test_posted_limits(text: str | None, limit_kmh: float | None) -> None:
    assert parse_limit_kmh(text) == pytest.approx(limit_kmh)


def test_a_limit_for_one_direction_beats_the_general_one() -> None:
    way = read(maxspeed="30", maxspeed__backward="50")
    assert (way.limit_along_kmh, way.limit_against_kmh) == (30, 50)


def test_an_advisory_speed_is_not_posted() -> None:
    assert read(maxspeed__advisory="20 mph").limit_along_kmh is None


@pytest.mark.parametrize("highway", ["motorway", "motorway_link", "trunk_link"])
def test_motorways_and_ramps_are_controlled(highway: str) -> None:
    assert StreetFlag.CONTROLLED in read(highway=highway).flags


def test_a_motorroad_is_controlled_and_a_trunk_road_is_not() -> None:
    assert read(highway="trunk", motorroad="yes").flags == StreetFlag.CONTROLLED
    assert read(highway="trunk", motorroad="no").flags == StreetFlag(0)


def test_tunnels() -> None:
    assert read(tunnel="yes").flags == StreetFlag.TUNNEL
    for tags in ({"tunnel": "building_passage"}, {"tunnel": "culvert"}, {"tunnel": "no"}):
        assert read(**tags).flags == StreetFlag(0)
    assert read(covered="yes", layer="-1").flags == StreetFlag(0)


def test_bridges_and_round_junctions() -> None:
    assert read(bridge="viaduct").flags == StreetFlag.BRIDGE
    assert read(bridge="no").flags == StreetFlag(0)
    assert read(junction="roundabout").flags == StreetFlag.ROUNDABOUT


def test_a_name_is_the_name_or_else_the_number() -> None:
    assert read(name="Pine Street", ref="WA 99").name == "Pine Street"
    assert read(ref="WA 99").name == "WA 99"
    assert read().name == ""


@pytest.mark.parametrize(
    ("tags", "control"),
    [
        ({"highway": "traffic_signals"}, SIGNAL_BOTH),
        ({"highway": "traffic_signals;crossing"}, SIGNAL_BOTH),
        ({"highway": "traffic_signals", "traffic_signals": "pedestrian_crossing"}, SIGNAL_BOTH),
        (
            {"highway": "traffic_signals", "traffic_signals:direction": "forward"},
            Control.SIGNAL_ALONG,
        ),
        ({"highway": "traffic_signals", "direction": "backward"}, Control.SIGNAL_AGAINST),
        ({"highway": "traffic_signals", "traffic_signals:direction": "both"}, SIGNAL_BOTH),
        ({"highway": "traffic_signals", "direction": "30"}, SIGNAL_BOTH),
        ({"highway": "traffic_signals", "traffic_signals": "ramp_meter"}, NO_CONTROL),
        ({"highway": "traffic_signals", "traffic_signals": "blinker"}, NO_CONTROL),
        ({"highway": "crossing", "crossing": "traffic_signals"}, NO_CONTROL),
        ({"highway": "give_way"}, NO_CONTROL),
        ({"highway": "stop"}, Control.STOP_NEAREST),
        ({"highway": "stop;crossing"}, Control.STOP_NEAREST),
        ({"highway": "stop", "stop": "all"}, Control.STOP_NEAREST),
        ({"highway": "stop", "stop": "minor"}, Control.STOP_NEAREST | Control.STOP_MINOR),
        ({"highway": "stop", "stop": "minor", "direction": "forward"}, Control.STOP_ALONG),
        ({"highway": "stop", "direction": "backward"}, Control.STOP_AGAINST),
        ({"highway": "stop", "direction": "both"}, STOP_BOTH),
        ({"highway": "stop", "direction": "90"}, Control.STOP_NEAREST),
        ({"highway": "stop", "direction": "e;w"}, Control.STOP_NEAREST),
        ({}, NO_CONTROL),
    ],
)
def test_controls(tags: dict[str, str], control: Control) -> None:
    assert read_control(tags) == control


def test_the_lists_of_tags_name_every_tag_that_is_read() -> None:
    class Recorder(dict[str, str]):
        def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
            asked.add(key)
            return super().get(key, default)

    asked: set[str] = set()
    for highway in ("service", "motorway"):
        read_way(Recorder(highway=highway, access="no"))
        read_way(Recorder(highway=highway))
    assert asked - {"emergency"} <= set(WAY_TAGS)
    assert "emergency" in WAY_TAGS
    asked.clear()
    read_control(Recorder(highway="stop;traffic_signals"))
    assert asked <= set(NODE_TAGS)
