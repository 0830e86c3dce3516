"""Rule 4: CARE drives at once and waits short of the call until the scene is safe."""

from dataclasses import replace
from datetime import timedelta

from geodata.earth import distance_m
from routing.policy import PILOT
from routing.staging import near, waits
from tests.routing.situations import NOON, call, city, decide, fix, unit


def test_care_stages_on_its_way_150_m_short_even_when_police_come_first():
    answer = decide([unit("C1", "AB"), unit("S1", "BG")])
    spd, care = answer.assign
    assert (spd.approach, spd.stage) == ("PROCEED", None)
    assert care.approach == "STAGE_UNTIL_SCENE_SAFE"
    # The call is 110 m down from B, so 150 m short lies 40 m before B on the street A-B.
    lon, lat = city().position("AB", (220 - 40) / 220)
    assert distance_m(care.stage.lon, care.stage.lat, lon, lat) < 2
    assert care.stage.near == "Union Street / 2nd Avenue"
    assert answer.message.endswith("C1 stages at Union Street / 2nd Avenue until SCENE_SAFE.")


def test_staging_changes_no_arrival():
    staged = decide([unit("C1", "AB"), unit("S1", "BG")])
    safe = decide([unit("C1", "AB"), unit("S1", "BG")], call(scene_safe_at=NOON))
    assert [one.arrive_s for one in staged.assign] == [one.arrive_s for one in safe.assign]


def test_care_proceeds_when_the_scene_is_safe():
    care = decide([unit("C1", "AB"), unit("S1", "BG")], call(scene_safe_at=NOON)).assign[1]
    assert (care.approach, care.stage) == ("PROCEED", None)


def test_a_scene_said_to_be_safe_in_the_future_is_not_safe_yet():
    for ahead_s, approach in ((5, "PROCEED"), (6, "STAGE_UNTIL_SCENE_SAFE")):
        incident = call(scene_safe_at=NOON + timedelta(seconds=ahead_s))
        care = decide([unit("C1", "AB"), unit("S1", "BG")], incident).assign[1]
        assert (care.approach, care.stage is None) == (approach, approach == "PROCEED")


def test_care_waits_at_least_for_police_and_is_expected_to_wait_until_safe():
    care = decide([unit("C1", "BG"), unit("S1", "EJ")]).assign[1]
    spd_s = decide([unit("C1", "BG"), unit("S1", "EJ")]).assign[0].arrive_s
    assert care.stage.min_wait_s == spd_s - care.arrive_s > 0
    assert care.stage.expected_wait_s == spd_s + 600 - care.arrive_s
    assert care.stage.expected_wait_basis == "ASSUMED_600_S_TO_SAFE"


def test_waits_are_never_negative_and_unknown_when_police_are():
    assert waits(900, 100, 0, PILOT).least_s == 0
    assert waits(900, 100, 0, PILOT).expected_s == 0
    assert waits(432, 166, 0, PILOT).expected_s == 334  # the worked example of the contract
    assert waits(432, 0, 500, PILOT).expected_s == 0
    assert waits(432, None, 0, PILOT).expected_s is None


def test_a_unit_nearer_than_that_stages_where_it_is():
    care = decide([unit("C1", fix("BG", 0.2)), unit("S1", "KL")]).assign[1]
    lon, lat = city().position("BG", 0.2)
    assert distance_m(care.stage.lon, care.stage.lat, lon, lat) < 1


def test_the_distance_is_a_setting():
    policy = replace(PILOT, stage_short_m=50.0)
    care = decide([unit("C1", "AB"), unit("S1", "BG")], policy=policy).assign[1]
    lon, lat = city().position("BG", 60 / 220)
    assert distance_m(care.stage.lon, care.stage.lat, lon, lat) < 2


def test_the_name_is_of_the_street_and_its_nearer_crossing():
    network = city().network
    street = city().street("GH")
    near_h = city().position("GH", 0.9)
    near_g = city().position("GH", 0.1)
    assert near(network, street, *near_h) == "Pike Street / 3rd Avenue"
    assert near(network, street, *near_g) == "Pike Street / 2nd Avenue"
    assert network.names_at(city().junction("A")) == ("1st Avenue", "Union Street")


def test_on_straight_lines_care_still_has_a_place_to_stage():
    answer = decide([unit("C1", "AB"), unit("S1", "KL")], travel_times=None)
    stage = answer.assign[1].stage
    at = answer.assign[1]
    assert at.approach == "STAGE_UNTIL_SCENE_SAFE"
    assert stage.near != ""
    assert distance_m(stage.lon, stage.lat, *city().position("BG", 0.5)) <= 156


def test_police_on_scene_for_a_while_shorten_the_expected_wait():
    from routing.model import Agency, AssignedUnit, Status, UnitId

    there = AssignedUnit(
        unit_id=UnitId("S9"),
        agency=Agency.SPD,
        status=Status.ON_SCENE,
        on_scene_at=NOON - timedelta(seconds=300),
    )
    care = decide([unit("C1", "AB")], call(assigned=(there,))).assign[1]
    assert (care.stage.min_wait_s, care.stage.expected_wait_s) == (0, 300 - care.arrive_s)
