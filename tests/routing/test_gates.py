"""Rules 1, 2 and 15: what a call must pass, each failure with its code and who may override it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from geodata.snap import SnapLimits
from routing.model import Answer, Location, Mode, Screening
from routing.policy import PILOT, normalised
from tests.routing.situations import (
    ALL_NO,
    NOON,
    call,
    city,
    core,
    decide,
    gate,
    square,
    unit,
    warned,
    zone_map,
)

PAIR = [unit("C1", "AB"), unit("S1", "KL")]


def results(answer):
    return {str(g.gate): str(g.result) for g in answer.gates}


def test_an_eligible_call_passes_all_six_gates_in_order():
    answer = decide(PAIR)
    assert answer.outcome == "DISPATCH"
    assert list(results(answer).items()) == [
        (name, "PASS")
        for name in ("LOCATION", "ZONE", "TIME_WINDOW", "CALL_TYPE", "SCREENING", "MODE")
    ]
    assert gate(answer, "ZONE").value == "CORE"
    assert gate(answer, "TIME_WINDOW").value == "11:00-23:00"
    assert gate(answer, "CALL_TYPE").value == "PERSON_DOWN"


def test_outside_every_zone_names_the_nearest_and_what_could_not_be_tested():
    answer = decide(PAIR, call("EJ"))
    zone = gate(answer, "ZONE")
    assert (answer.outcome, answer.next_step) == ("NOT_ELIGIBLE", "NORMAL_RESPONSE_PLAN")
    assert (zone.code, zone.overridable_by) == ("OUTSIDE_ALL_ZONES", "SUPERVISOR")
    assert (zone.nearest, zone.edge_m) == ("CORE", 220)
    for name in ("TIME_WINDOW", "CALL_TYPE", "MODE"):
        assert (gate(answer, name).result, gate(answer, name).code) == ("NOT_EVALUATED", "NO_ZONE")
    assert gate(answer, "SCREENING").result == "PASS"
    assert (answer.mode, answer.assign, answer.hold) == (None, (), None)


def test_a_call_on_the_edge_of_a_zone_is_inside():
    assert gate(decide(PAIR, call("DI")), "ZONE").result == "PASS"


def test_a_call_a_step_beyond_the_edge_is_outside_unless_the_policy_tolerates_it():
    lon, lat = city().position("DI", 0.5)
    beyond = call(location=Location(lon=lon + 0.00005, lat=lat))
    assert gate(decide(PAIR, beyond), "ZONE").edge_m == 4
    tolerant = zone_map(core(), edge_tolerance_m=10.0)
    assert gate(decide(PAIR, beyond, zones=tolerant), "ZONE").result == "PASS"


def test_an_excluded_zone_beats_all_and_every_zone_hit_is_listed():
    lon, lat = city().position("BG", 0.5)
    hole = square(lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001, zone_id="X", kind="EXCLUDE")
    zone = gate(decide(PAIR, zones=zone_map(core(precedence=9), hole)), "ZONE")
    assert (zone.code, zone.value, zone.zones) == ("EXCLUDED_ZONE", "X", ("X", "CORE"))


def test_uncertainty_across_the_edge_is_a_warning():
    lon, lat = city().position("DI", 0.5)
    near = Location(lon=lon - 0.0005, lat=lat, uncertainty_m=25)  # 38 m inside
    assert "ZONE_UNCERTAIN" not in warned(decide(PAIR, call(location=near)))
    far = replace(near, uncertainty_m=50)
    assert "ZONE_UNCERTAIN" in warned(decide(PAIR, call(location=far)))


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (47.605, -122.335, "LOCATION_SWAPPED"),
        (0.0, 0.0, "LOCATION_ZERO"),
        (1_270_000.0, 224_000.0, "LOCATION_NOT_DEGREES"),
        (-122.7, 47.6, "LOCATION_OUTSIDE"),
        (float("nan"), 47.6, "LOCATION_NOT_FINITE"),
    ],
)
def test_a_place_that_cannot_be_one_fails_with_its_reason(lon, lat, code):
    answer = decide(PAIR, call(location=Location(lon=lon, lat=lat)))
    assert (answer.outcome, gate(answer, "LOCATION").code) == ("NOT_ELIGIBLE", code)
    assert answer.overrides == ()


@pytest.mark.parametrize("text", ["PERSON DOWN", " person-down ", "DOWN - CHECK FOR PERSON DOWN"])
def test_variants_of_person_down_are_one_kind(text):
    assert gate(decide(PAIR, call(call_type=text)), "CALL_TYPE").value == "PERSON_DOWN"


@pytest.mark.parametrize("text", ["Welfare Check", "WELLNESS/WELFARE CHECK", "wellness  check"])
def test_variants_of_welfare_check_are_one_kind(text):
    assert gate(decide(PAIR, call(call_type=text)), "CALL_TYPE").value == "WELFARE_CHECK"


@pytest.mark.parametrize("text", ["WIRES DOWN (PHONE, ELECTRICAL,ETC.)", "", "PERSON DOWN TREE"])
def test_a_text_that_nobody_mapped_is_not_guessed(text):
    result = gate(decide(PAIR, call(call_type=text)), "CALL_TYPE")
    assert (result.code, result.overridable_by) == ("CALL_TYPE_NOT_MAPPED", "DISPATCHER")


def test_a_kind_that_the_policy_does_not_take_is_another_failure():
    types = replace(PILOT.call_types, eligible=frozenset({"WELFARE_CHECK"}))
    result = gate(decide(PAIR, policy=replace(PILOT, call_types=types)), "CALL_TYPE")
    assert (result.code, result.value) == ("CALL_TYPE_NOT_ELIGIBLE", "PERSON_DOWN")


def test_normalising_keeps_letters_and_digits_only():
    assert normalised("  Down -- check_for person  down!") == "DOWN CHECK FOR PERSON DOWN"


# -- screening ------------------------------------------------------------------------------------


def screened(**answers):
    return gate(decide(PAIR, call(screening=replace(ALL_NO, **answers))), "SCREENING")


@pytest.mark.parametrize(
    ("question", "code", "role"),
    [
        ("weapon", "WEAPON_REPORTED", "NONE"),
        ("violence", "VIOLENCE_REPORTED", "NONE"),
        ("medical", "MEDICAL_REPORTED", "NONE"),
        ("enforcement", "ENFORCEMENT_NEEDED", "SUPERVISOR"),
    ],
)
def test_yes_fails_and_says_who_may_override(question, code, role):
    result = screened(**{question: Answer.YES})
    assert (result.code, result.overridable_by) == (code, role)


@pytest.mark.parametrize("question", ["weapon", "violence", "medical"])
def test_unknown_weapon_violence_or_medical_fails_dual(question):
    result = screened(**{question: Answer.UNKNOWN})
    assert (result.code, result.overridable_by) == (f"{question.upper()}_UNKNOWN", "SUPERVISOR")


def test_unknown_enforcement_and_any_answer_on_drug_use_pass():
    assert screened(enforcement=Answer.UNKNOWN).result == "PASS"
    assert screened(drug_use=Answer.YES).result == "PASS"


def test_a_screening_without_completion_is_not_recorded():
    result = screened(completed_at=None)
    assert (result.code, result.overridable_by) == ("SCREENING_NOT_RECORDED", "NONE")
    nothing = gate(decide(PAIR, call(screening=Screening())), "SCREENING")
    assert (nothing.code, nothing.further_codes) == ("SCREENING_NOT_RECORDED", ())


def test_the_weightiest_reason_comes_first_and_the_others_are_kept():
    result = screened(medical=Answer.YES, weapon=Answer.YES, violence=Answer.UNKNOWN)
    assert result.code == "WEAPON_REPORTED"
    assert result.further_codes == ("MEDICAL_REPORTED", "VIOLENCE_UNKNOWN")


def test_a_medical_call_is_referred_to_the_fire_department():
    answer = decide(PAIR, call(screening=replace(ALL_NO, medical=Answer.YES)))
    assert (answer.outcome, answer.mode, answer.next_step) == ("NOT_ELIGIBLE", "REFER", "REFER")
    assert (answer.refer_to, answer.overrides) == ("FIRE_DEPARTMENT", ())


def test_a_medical_call_with_a_weapon_is_not_left_to_the_fire_department():
    both = replace(ALL_NO, medical=Answer.YES, weapon=Answer.YES)
    answer = decide(PAIR, call(screening=both))
    assert (answer.refer_to, answer.next_step) == (None, "NORMAL_RESPONSE_PLAN")


def test_all_failing_gates_are_listed_together():
    screening = replace(ALL_NO, enforcement=Answer.YES)
    answer = decide(PAIR, call("EJ", screening=screening))
    failed = {str(g.gate) for g in answer.gates if g.result == "FAIL"}
    assert failed == {"ZONE", "SCREENING"}
    assert [(o.action, o.gate) for o in answer.overrides] == [
        ("OVERRIDE_GATE", "ZONE"),
        ("OVERRIDE_GATE", "SCREENING"),
    ]


# -- mode -----------------------------------------------------------------------------------------


def test_dual_and_by_policy_are_the_same_in_the_pilot():
    dual = decide(PAIR, call(requested_mode=Mode.DUAL))
    assert dual == decide(PAIR, call(requested_mode=Mode.BY_POLICY))
    assert (dual.outcome, dual.mode) == ("DISPATCH", "DUAL")


def test_a_mode_that_the_policy_lacks_is_not_allowed():
    result = gate(decide(PAIR, policy=replace(PILOT, modes={})), "MODE")
    assert (result.code, result.overridable_by) == ("MODE_NOT_ALLOWED", "SUPERVISOR")


def test_the_policy_of_the_zone_decides_where_it_has_its_own():
    strict = replace(PILOT, call_types=replace(PILOT.call_types, eligible=frozenset()))
    zones = zone_map(core(policy_id="STRICT"))
    answer = decide(PAIR, zones=zones, zone_policies={"STRICT": strict})
    assert gate(answer, "CALL_TYPE").code == "CALL_TYPE_NOT_ELIGIBLE"


# -- far from a street ----------------------------------------------------------------------------


def test_a_call_far_from_its_street_is_warned_about():
    lon, lat = city().position("BC", 0.5)
    answer = decide(PAIR, call(location=Location(lon=lon, lat=lat + 0.00135)))  # 150 m
    assert (answer.outcome, warned(answer)) == ("DISPATCH", {"SNAP_DISTANT"})
    assert (answer.basis.eta, answer.basis.degraded) == ("ROAD", False)


def test_a_call_too_far_from_any_street_is_judged_by_straight_lines():
    limits = SnapLimits(warn_m=50.0, refuse_m=100.0)
    lon, lat = city().position("BC", 0.5)
    far = call(location=Location(lon=lon, lat=lat + 0.00135))
    answer = decide(PAIR, far, policy=replace(PILOT, snap=limits))
    assert (answer.outcome, answer.basis.eta) == ("DISPATCH", "STRAIGHT_LINE")
    assert (answer.basis.degraded, "SNAP_FAR" in warned(answer)) == (True, True)
    care = answer.assign[1]
    metres = 1.27 * (219.6**2 + 150.1**2) ** 0.5  # C1 is in the middle of A-B
    assert abs(care.arrive_s - (60 + 60 + metres / 7.0)) <= 1
    assert (care.drive_m, care.position.snapped) == (None, None)


def test_without_drive_times_straight_lines_answer():
    answer = decide(PAIR, travel_times=None)
    assert (answer.outcome, answer.basis.eta, answer.basis.degraded) == (
        "DISPATCH", "STRAIGHT_LINE", True,
    )  # fmt: skip
    assert "NO_STREET_TIMES" in warned(answer)


def test_the_answer_is_valid_for_a_minute():
    assert decide(PAIR).valid_until == NOON + timedelta(seconds=60)
