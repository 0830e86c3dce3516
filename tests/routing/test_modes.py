"""Rules 1, 3, 4 and 6 by mode: who is asked for, which gates are tested, and who goes."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from geodata.driving_time import EMERGENCY, edge_times
from routing.model import (
    Agency,
    Answer,
    AssignedUnit,
    Fix,
    Gate,
    Mode,
    Origin,
    OverrideAction,
    Role,
    Screening,
    Status,
    TakenOverride,
    UnitId,
)
from routing.policy import PILOT, SOLO_RULES, Area, OnNoSpd, Policy
from tests.routing.situations import (
    ALL_NO,
    NOON,
    call,
    chosen,
    city,
    decide,
    empty_city,
    gate,
    unit,
    warned,
)

MIDNIGHT = NOON.replace(hour=7)  # 00:05 in Seattle: the pilot is closed
OFFICER = AssignedUnit(unit_id=UnitId("S9"), agency=Agency.SPD, status=Status.ON_SCENE)
CARE_ON_SCENE = AssignedUnit(unit_id=UnitId("C9"), agency=Agency.CARE, status=Status.ON_SCENE)
PAIR = [unit("C1", "AB"), unit("S1", "KL")]


def with_mode(mode: Mode, rules) -> Policy:
    return replace(PILOT, modes=MappingProxyType({**PILOT.modes, mode: rules}))


WITH_SOLO = with_mode(Mode.SOLO, SOLO_RULES)


def taken(action: str, role: str, gate_name: str | None = None) -> TakenOverride:
    return TakenOverride(
        action=OverrideAction(action),
        role=Role(role),
        gate=None if gate_name is None else Gate(gate_name),
    )


# -- CARE_ONLY_ADD --------------------------------------------------------------------------------


def asked_by_officer(**changes):
    return call(requested_mode=Mode.CARE_ONLY_ADD, origin=Origin.OFFICER, **changes)


def test_rule_1_care_only_add_gives_care_to_the_officer_who_is_there():
    answer = decide(PAIR, asked_by_officer(assigned=(OFFICER,)))
    assert (answer.outcome, answer.mode) == ("DISPATCH", "CARE_ONLY_ADD")
    assert chosen(answer) == {"SPD": "S9", "CARE": "C1"}
    assert [one.already_assigned for one in answer.assign] == [True, False]
    assert answer.pair.first == "SPD"


def test_rule_1_care_only_add_does_not_test_the_type_of_the_first_call():
    answer = decide(PAIR, asked_by_officer(assigned=(OFFICER,), call_type="BURGLARY"))
    assert (gate(answer, "CALL_TYPE").result, gate(answer, "CALL_TYPE").code) == (
        "NOT_EVALUATED", "NOT_IN_MODE",
    )  # fmt: skip
    assert answer.outcome == "DISPATCH"
    assert decide(PAIR, call(call_type="BURGLARY")).outcome == "NOT_ELIGIBLE"


def test_rule_1_care_only_add_tests_hours_and_what_the_officer_states():
    assert (
        gate(
            decide(PAIR, asked_by_officer(assigned=(OFFICER,)), now=MIDNIGHT), "TIME_WINDOW"
        ).result
        == "FAIL"
    )
    armed = replace(ALL_NO, weapon=Answer.YES)
    assert decide(PAIR, asked_by_officer(screening=armed)).outcome == "NOT_ELIGIBLE"
    silent = Screening(completed_at=NOON)  # all UNKNOWN: the officer is there and sees
    assert decide(PAIR, asked_by_officer(screening=silent)).outcome == "DISPATCH"


def test_rule_1_by_policy_of_an_officer_with_police_on_the_call_means_care_only_add():
    by_policy = call(origin=Origin.ON_VIEW, assigned=(OFFICER,), call_type="BURGLARY")
    assert decide(PAIR, by_policy).mode == "CARE_ONLY_ADD"
    from_911 = call(assigned=(OFFICER,))
    assert decide(PAIR, from_911).mode == "DUAL"


def test_rule_1_the_policy_may_offer_care_only_add_in_the_whole_city():
    outside = asked_by_officer(assigned=(OFFICER,), location=call("EJ").location)
    assert decide(PAIR, outside).outcome == "NOT_ELIGIBLE"
    rules = replace(PILOT.modes[Mode.CARE_ONLY_ADD], area=Area.CITY)
    answer = decide(PAIR, outside, policy=with_mode(Mode.CARE_ONLY_ADD, rules))
    assert (answer.outcome, gate(answer, "ZONE").code) == ("DISPATCH", "WHOLE_CITY")


def test_rule_3_care_only_add_without_police_is_no_back_door_to_care_alone():
    answer = decide(PAIR, call(requested_mode=Mode.CARE_ONLY_ADD))
    assert (answer.outcome, gate(answer, "MODE").code) == ("NOT_ELIGIBLE", "NO_SPD_ON_CALL")
    named_by_officer = decide(PAIR, asked_by_officer())
    assert named_by_officer.outcome == "DISPATCH"
    assert "SPD_NOT_NAMED" in warned(named_by_officer)


def test_rule_4_added_care_stages_until_the_officer_says_safe():
    at_once = decide(PAIR, asked_by_officer(assigned=(OFFICER,)))
    assert at_once.assign[1].approach == "STAGE_UNTIL_SCENE_SAFE"
    safe = decide(PAIR, asked_by_officer(assigned=(OFFICER,), scene_safe_at=NOON))
    assert safe.assign[1].approach == "PROCEED"


# -- SPD_ADD --------------------------------------------------------------------------------------


def in_trouble(**changes):
    return call(requested_mode=Mode.SPD_ADD, assigned=(CARE_ON_SCENE,), **changes)


def test_rule_1_spd_add_has_nothing_in_its_way():
    anywhere = in_trouble(
        location=call("EJ").location, call_type="?", screening=replace(ALL_NO, weapon=Answer.YES)
    )
    old = NOON - timedelta(hours=5)
    tired = unit(
        "S1", "DI", shift_end=NOON, crew_count=None, position=replace(fix_at("DI"), fixed_at=old)
    )
    answer = decide([tired, unit("S2", "KL")], anywhere, now=MIDNIGHT)
    assert (answer.outcome, answer.mode, answer.urgent) == ("DISPATCH", "SPD_ADD", True)
    assert chosen(answer)["SPD"] == "S1"
    tested = {str(g.gate): str(g.result) for g in answer.gates}
    assert (tested.pop("LOCATION"), tested.pop("MODE")) == ("PASS", "PASS")
    assert set(tested.values()) == {"NOT_EVALUATED"}


def fix_at(letters: str) -> Fix:
    lon, lat = city().position(letters, 0.5)
    return Fix(lon=lon, lat=lat, fixed_at=NOON)


def test_rule_1_spd_add_still_wants_a_unit_that_is_free():
    busy = unit("S1", "BG", status=Status.ON_SCENE)
    claimed = unit("S2", "BG", claimed=True)
    assert chosen(decide([busy, claimed, unit("S3", "KL")], in_trouble()))["SPD"] == "S3"


def test_rule_1_spd_add_names_the_nearest_of_any_status_when_none_is_free():
    units = [unit("S1", "KL", status=Status.ON_SCENE), unit("S2", "BG", status=Status.BUSY)]
    units += [unit("S3", "BG", status=Status.OFF_DUTY)]
    answer = decide(units, in_trouble())
    assert (answer.outcome, answer.urgent) == ("HOLD", True)
    named = [(one.unit_id, one.status) for one in answer.hold.nearest_busy]
    assert named == [("S2", "BUSY"), ("S1", "ON_SCENE")]
    assert answer.hold.escalate_at == answer.decided_at
    assert "S2 (BUSY" in answer.message


def test_rule_1_spd_add_sends_more_police_than_are_on_the_way():
    coming = AssignedUnit(unit_id=UnitId("S8"), agency=Agency.SPD, status=Status.ENROUTE)
    answer = decide(PAIR, call(requested_mode=Mode.SPD_ADD, assigned=(CARE_ON_SCENE, coming)))
    assert [one.unit_id for one in answer.assign] == ["S8", "S1", "C9"]


def test_rule_1_spd_add_drives_by_the_emergency_profile():
    routine = empty_city().travel_times
    siren = routine.reweighed(edge_times(routine.network, EMERGENCY))
    slow = decide(PAIR, in_trouble())
    fast = decide(PAIR, in_trouble(), emergency_times=siren)
    assert fast.assign[0].arrive_s < slow.assign[0].arrive_s
    assert fast.basis.weights_id == siren.weights_id != slow.basis.weights_id
    assert ("NOT_EMERGENCY_TIMES" in warned(slow), "NOT_EMERGENCY_TIMES" in warned(fast)) == (
        True,
        False,
    )


# -- SOLO, SPD_ONLY, REFER ------------------------------------------------------------------------


def test_rule_1_solo_needs_a_policy_that_has_it():
    asked = call(requested_mode=Mode.SOLO)
    refused = decide(PAIR, asked)
    assert (gate(refused, "MODE").code, refused.outcome) == ("MODE_NOT_ALLOWED", "NOT_ELIGIBLE")
    answer = decide(PAIR, asked, policy=WITH_SOLO)
    assert (chosen(answer), answer.mode, answer.pair) == ({"CARE": "C1"}, "SOLO", None)


def test_rule_4_care_alone_proceeds():
    answer = decide(PAIR, call(requested_mode=Mode.SOLO), policy=WITH_SOLO)
    assert (answer.assign[0].approach, answer.assign[0].stage) == ("PROCEED", None)


def test_rule_6_a_policy_may_send_care_alone_when_no_police_are_free():
    alone = replace(WITH_SOLO, on_no_spd=OnNoSpd.SOLO)
    answer = decide([unit("C1")], policy=alone)
    assert (answer.outcome, answer.mode, chosen(answer)) == ("DISPATCH", "SOLO", {"CARE": "C1"})
    assert decide([unit("C1")], policy=WITH_SOLO).outcome == "HOLD"
    assert decide([unit("C1")], call(call_type="?"), policy=alone).outcome == "NOT_ELIGIBLE"


def test_rule_6_a_sergeant_may_release_care_alone_and_nobody_else():
    sergeant = call(overrides=(taken("RELEASE_CARE_ALONE", "SPD_SERGEANT"),))
    answer = decide([unit("C1")], sergeant)
    assert (answer.outcome, answer.mode, chosen(answer)) == ("DISPATCH", "SOLO", {"CARE": "C1"})
    assert (answer.assign[0].approach, gate(answer, "MODE").code) == (
        "PROCEED",
        "RELEASED_BY_SERGEANT",
    )
    supervisor = call(overrides=(taken("RELEASE_CARE_ALONE", "SUPERVISOR"),))
    refused = decide([unit("C1")], supervisor)
    assert (refused.outcome, "OVERRIDE_NOT_APPLIED" in warned(refused)) == ("HOLD", True)


def test_a_dispatcher_may_choose_police_alone():
    police = call(call_type="?", overrides=(taken("SEND_SPD_ONLY", "DISPATCHER"),))
    answer = decide(PAIR, police)
    assert (answer.outcome, answer.mode, chosen(answer)) == ("DISPATCH", "SPD_ONLY", {"SPD": "S1"})


def test_rule_2_a_medical_call_is_referred_and_names_the_service():
    answer = decide(PAIR, call(screening=replace(ALL_NO, medical=Answer.YES)))
    assert (answer.outcome, answer.mode, answer.refer_to) == (
        "NOT_ELIGIBLE", "REFER", "FIRE_DEPARTMENT",
    )  # fmt: skip


# -- overrides of gates ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "gate_name", "role", "passes"),
    [
        ({"call_type": "NOISE"}, "CALL_TYPE", "DISPATCHER", True),
        ({"call_type": "NOISE"}, "CALL_TYPE", "SUPERVISOR", True),
        ({"call_type": "NOISE"}, "CALL_TYPE", "SPD_SERGEANT", False),
        ({"call_type": "NOISE"}, "ZONE", "SUPERVISOR", False),
        ({"screening": replace(ALL_NO, weapon=Answer.YES)}, "SCREENING", "SUPERVISOR", False),
        ({"screening": replace(ALL_NO, enforcement=Answer.YES)}, "SCREENING", "SUPERVISOR", True),
        ({"screening": replace(ALL_NO, enforcement=Answer.YES)}, "SCREENING", "DISPATCHER", False),
    ],
)
def test_rule_1_a_gate_is_overridden_by_its_own_role_only(changes, gate_name, role, passes):
    override = taken("OVERRIDE_GATE", role, gate_name)
    answer = decide(PAIR, call(**changes, overrides=(override,)))
    assert (answer.outcome == "DISPATCH") is passes
    assert ("OVERRIDE_NOT_APPLIED" in warned(answer)) is not passes
    if passes:
        result = gate(answer, gate_name)
        assert (result.result, result.code) == ("PASS", "OVERRIDDEN")
        assert result.further_codes


def test_rule_1_a_call_let_in_from_outside_is_judged_by_the_citys_policy():
    override = taken("OVERRIDE_GATE", "SUPERVISOR", "ZONE")
    outside = call("EJ", overrides=(override,))
    answer = decide(PAIR, outside)
    assert (answer.outcome, gate(answer, "ZONE").further_codes) == (
        "DISPATCH",
        ("OUTSIDE_ALL_ZONES",),
    )
    assert gate(decide(PAIR, replace(outside, call_type="NOISE")), "CALL_TYPE").result == "FAIL"
