"""Rule 8: more urgent needs, reserves and scope take police away; skills are worth time."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
import shapely

from geodata.beats import BeatMap, sector_of
from routing.model import Agency, CompetingNeed, Mode, Options, OverrideAction, Role, TakenOverride
from routing.policy import PILOT, ModeRules, Requirement, SpdScope
from tests.routing.situations import NOON, call, chosen, city, decide, unit, warned

WEST, SOUTH, EAST, NORTH = city().network.bounds
MIDDLE = city().position("CH", 0.5)[0]
BEATS = BeatMap(
    {
        "M1": shapely.box(WEST - 0.01, SOUTH - 0.01, MIDDLE, NORTH + 0.01),
        "K1": shapely.box(MIDDLE, SOUTH - 0.01, EAST + 0.01, NORTH + 0.01),
    }
)
UNITS = [
    unit("C1", "AB"),
    unit("S1", "AB", home_sector="M"),
    unit("S2", "BG", home_sector="M"),
    unit("S3", "DI", home_sector="K"),
]


def need(priority: int = 1, sector: str = "M", **changes) -> CompetingNeed:
    return CompetingNeed(
        **{"incident_id": f"P{priority}", "sector": sector, "priority": priority, **changes}
    )


def competing(*needs: CompetingNeed) -> Options:
    return Options(competing=needs)


def explained(answer, unit_id):
    return next(one for one in answer.explain.units if one.unit_id == unit_id)


def test_rule_8_a_more_urgent_need_holds_the_nearest_unit_of_its_sector():
    at_m = BEATS.sector_centres["M"]
    distance = {u.unit_id: abs(u.position.lon - at_m[0]) for u in UNITS[1:3]}
    nearest = min(distance, key=distance.get)
    answer = decide(UNITS, call(priority=3), options=competing(need(2)), beats=BEATS)
    one = explained(answer, nearest)
    assert (one.verdict, one.rules, one.held_for) == (
        "REMOVED",
        ("HELD_FOR_HIGHER_PRIORITY",),
        "P2",
    )
    assert chosen(answer)["SPD"] == ({"S1", "S2"} - {nearest}).pop()


@pytest.mark.parametrize("priority", [3, 4])
def test_rule_8_a_need_that_is_not_more_urgent_holds_nobody(priority):
    free = decide(UNITS, call(priority=3))
    answer = decide(UNITS, call(priority=3), options=competing(need(priority)))
    assert chosen(answer) == chosen(free)


def test_rule_8_a_call_without_a_priority_gives_way():
    answer = decide(UNITS, call(priority=None), options=competing(need(9, units_needed=2)))
    assert chosen(answer)["SPD"] == "S3"


def test_rule_8_a_need_of_another_sector_holds_no_unit_of_this_one():
    answer = decide(UNITS, call(priority=3), options=competing(need(1, sector="K")))
    assert chosen(answer)["SPD"] == "S2"
    assert explained(answer, "S3").held_for == "P1"


def test_rule_8_police_needed_by_all_others_make_a_hold_that_says_so():
    needs = need(1, units_needed=5), need(2, sector="K")
    answer = decide(UNITS, call(priority=3), options=competing(*needs))
    assert (answer.outcome, answer.hold.reasons) == ("HOLD", ("HELD_FOR_HIGHER_PRIORITY",))


def test_rule_8_the_order_of_needs_does_not_matter():
    needs = [need(1), need(2), need(2, incident_id="P2b", queued_at=NOON)]
    one = decide(UNITS, call(priority=3), options=competing(*needs))
    other = decide(UNITS, call(priority=3), options=competing(*reversed(needs)))
    assert repr(one) == repr(other)


def test_rule_8_a_reserve_that_alone_prevents_the_pair_is_a_hold_a_supervisor_may_override():
    policy = replace(PILOT, reserve_per_sector=2)
    answer = decide(UNITS, policy=policy)
    assert (answer.outcome, answer.hold.reasons) == ("HOLD", ("RESERVE",))
    assert ("USE_RESERVE", "SUPERVISOR") in [(o.action, o.role) for o in answer.overrides]
    used = TakenOverride(action=OverrideAction.USE_RESERVE, role=Role.SUPERVISOR)
    assert chosen(decide(UNITS, call(overrides=(used,)), policy=policy))["SPD"] == "S2"


def test_rule_8_a_dispatcher_may_not_use_the_reserve():
    policy = replace(PILOT, reserve_per_sector=2)
    tried = TakenOverride(action=OverrideAction.USE_RESERVE, role=Role.DISPATCHER)
    answer = decide(UNITS, call(overrides=(tried,)), policy=policy)
    assert (answer.outcome, "OVERRIDE_NOT_APPLIED" in warned(answer)) == ("HOLD", True)


def test_rule_8_a_reserve_leaves_the_units_beyond_it():
    one = replace(PILOT, reserve_per_sector=1)
    answer = decide(UNITS, policy=one)
    assert chosen(answer)["SPD"] == "S2"
    assert explained(answer, "S3").rules == ("RESERVE",)
    own = replace(PILOT, reserve_of_sector=MappingProxyType({"M": 2}))
    assert chosen(decide(UNITS, policy=own))["SPD"] == "S3"


def test_rule_1_spd_add_knows_no_reserve_and_no_other_need():
    policy = replace(PILOT, reserve_per_sector=9)
    answer = decide(
        UNITS,
        call(requested_mode=Mode.SPD_ADD, priority=9),
        policy=policy,
        options=competing(need(1, units_needed=9)),
    )
    assert chosen(answer)["SPD"] == "S2"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [(SpdScope.ANY, "S2"), (SpdScope.SECTOR, "S3"), (SpdScope.PRECINCT, "S2")],
)
def test_rule_8_scope_takes_police_of_the_calls_own_area(scope, expected):
    in_k = call("HI", 0.1)
    near = [unit("C1", "AB"), unit("S2", "GH", home_beat="M1"), unit("S3", "EJ", home_sector="K")]
    precincts = MappingProxyType({"M": "W", "K": "W"})
    policy = replace(PILOT, spd_scope=scope)
    answer = decide(near, in_k, policy=policy, beats=BEATS, precinct_of=precincts)
    assert chosen(answer)["SPD"] == expected


def test_rule_8_scope_without_a_known_sector_takes_any_and_says_so():
    answer = decide(UNITS, policy=replace(PILOT, spd_scope=SpdScope.SECTOR))
    assert (chosen(answer)["SPD"], "SECTOR_UNKNOWN" in warned(answer)) == ("S2", True)


def needing(**requirement) -> ModeRules:
    rules = PILOT.modes[Mode.DUAL]
    return replace(
        rules,
        requirements=MappingProxyType(
            {**rules.requirements, Agency.SPD: Requirement(**requirement)}
        ),
    )


def policy_needing(**requirement):
    rules = needing(**requirement)
    return replace(PILOT, modes=MappingProxyType({**PILOT.modes, Mode.DUAL: rules}))


CIT = policy_needing(preferred_skills=MappingProxyType({"CIT": 30}))


def test_rule_8_a_preferred_skill_is_worth_its_seconds_and_no_more():
    near, trained = unit("S1", "BG"), unit("S2", "GH", skills=frozenset({"CIT"}))
    answer = decide([unit("C1"), near, trained], policy=CIT)
    spd = answer.assign[0]
    assert (spd.unit_id, spd.selected_because, spd.preference_s) == ("S2", "PREFERRED_SKILL", 0)
    passed_over = explained(answer, "S1")
    assert (passed_over.behind_s < 0, passed_over.preference_s) == (True, 30)
    far = unit("S2", "EJ", skills=frozenset({"CIT"}))
    assert chosen(decide([unit("C1"), near, far], policy=CIT))["SPD"] == "S1"


def test_rule_8_a_required_skill_is_never_traded():
    policy = policy_needing(required_skills=frozenset({"CIT"}))
    answer = decide([unit("C1"), unit("S1")], policy=policy)
    assert (answer.outcome, answer.hold.reasons) == ("HOLD", ("NO_UNIT_QUALIFIED",))


def test_rule_8_a_mode_may_send_two_of_a_kind():
    two = policy_needing(units=2)
    answer = decide(UNITS, policy=two)
    assert [one.unit_id for one in answer.assign] == ["S2", "S1", "C1"]
    later = max(one.arrive_s for one in answer.assign)
    assert answer.pair.both_at_s == later
    short = decide(UNITS[:2], policy=two)
    assert (short.outcome, short.hold.reasons) == ("HOLD", ("TOO_FEW_UNITS",))


def test_rule_8_units_on_the_call_count_towards_what_is_needed():
    from tests.routing.test_modes import OFFICER

    answer = decide(UNITS, call(assigned=(OFFICER,)), policy=policy_needing(units=2))
    assert [one.unit_id for one in answer.assign] == ["S9", "S2", "C1"]


def test_the_first_letter_of_a_beat_is_its_sector():
    assert (sector_of("m2"), BEATS.beat_at(WEST, SOUTH), BEATS.sector_at(EAST, NORTH)) == (
        "M", "M1", "K",
    )  # fmt: skip


def test_a_finish_after_the_shift_is_only_a_warning():
    late = unit("S2", "BG", home_sector="M", shift_end=NOON + timedelta(minutes=31))
    answer = decide([unit("C1"), late])
    assert (chosen(answer)["SPD"], "FINISH_AFTER_SHIFT" in warned(answer)) == ("S2", True)
