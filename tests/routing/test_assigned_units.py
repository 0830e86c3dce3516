"""Rule 3: units on the call already are fixed; only the missing half is recommended."""

from datetime import timedelta

from routing.model import Agency, AssignedUnit, Fix, Options, Status, UnitId
from tests.routing.situations import NOON, call, chosen, decide, fix, unit, warned


def assigned(unit_id: str, status: Status = Status.ENROUTE, **changes) -> AssignedUnit:
    agency = Agency.CARE if unit_id.startswith("C") else Agency.SPD
    return AssignedUnit(unit_id=UnitId(unit_id), agency=agency, status=status, **changes)


def test_only_the_missing_half_is_recommended():
    incident = call(assigned=(assigned("S9", position=fix("KL")),))
    answer = decide([unit("C1"), unit("S1", "BG")], incident)
    assert (answer.outcome, answer.mode) == ("DISPATCH", "DUAL")
    assert [(one.unit_id, one.already_assigned) for one in answer.assign] == [
        ("S9", True), ("C1", False),
    ]  # fmt: skip
    assert answer.assign[0].selected_because == "ALREADY_ASSIGNED"
    assert answer.message.startswith("Dispatch C1 now; S9 is already assigned.")


def test_a_unit_under_way_has_no_turnout_left():
    for status, turnout_s in ((Status.ENROUTE, 0), (Status.DISPATCHED, 20)):
        incident = call(assigned=(assigned("S9", status, position=fix("KL")),))
        line = decide([unit("C1")], incident).assign[0]
        assert (line.turnout_s, line.arrive_s) == (turnout_s, turnout_s + line.drive_s)


def test_a_unit_on_scene_arrived_when_it_did_and_needs_no_position():
    since = NOON - timedelta(minutes=4)
    incident = call(assigned=(assigned("S9", Status.ON_SCENE, on_scene_at=since),))
    answer = decide([unit("C1")], incident)
    line = answer.assign[0]
    assert (line.arrive_s, line.arrive_at, line.position.basis) == (0, since, "ON_SCENE")
    assert (answer.pair.first, answer.pair.both_at_s) == ("SPD", answer.assign[1].arrive_s)


def test_a_unit_nobody_can_place_stays_fixed_and_the_pair_has_no_time():
    answer = decide([unit("C1"), unit("C2", "GH")], call(assigned=(assigned("S9"),)))
    assert (answer.outcome, chosen(answer)["CARE"]) == ("DISPATCH", "C1")
    assert (answer.assign[0].arrive_s, answer.assign[0].arrive_range_s) == (None, None)
    assert (answer.pair.both_at_s, answer.pair.gap_s, answer.pair.first) == (None, None, None)
    assert answer.assign[1].stage.min_wait_s is None
    assert warned(answer) == {"ASSIGNED_ARRIVAL_UNKNOWN"}


def test_the_roster_adds_what_it_knows_of_an_assigned_unit():
    known = unit("S9", "KL", call_sign="2M9", version=7, status=Status.ENROUTE)
    answer = decide([unit("C1"), known], call(assigned=(assigned("S9", Status.UNKNOWN),)))
    line = answer.assign[0]
    assert (line.call_sign, line.unit_version, line.turnout_s) == ("2M9", 7, 0)
    assert line.position.basis == "AVL"


def test_a_bad_fix_of_an_assigned_unit_gives_way_to_the_rosters():
    known = unit("S9", "KL", status=Status.ENROUTE)
    zero = Fix(lon=0.0, lat=0.0, fixed_at=NOON)
    future = fix("MN", age_s=-60)
    good = decide([unit("C1"), known], call(assigned=(assigned("S9"),)))
    for bad in (zero, future):
        answer = decide([unit("C1"), known], call(assigned=(assigned("S9", position=bad),)))
        assert answer.pair == good.pair
        assert answer.pair.both_at_s is not None


def test_an_assigned_unit_that_the_roster_calls_available_is_not_offered_again():
    units = [unit("S9", "BG"), unit("C1"), unit("C9", "BG")]
    answer = decide(units, call(assigned=(assigned("C9", position=fix("MN")),)))
    assert chosen(answer) == {"SPD": "S9", "CARE": "C9"}
    assert answer.assign[1].already_assigned


def test_both_halves_assigned_leaves_nothing_to_confirm():
    incident = call(assigned=(assigned("S9", position=fix("KL")), assigned("C9", position=fix())))
    answer = decide([unit("C1"), unit("S1")], incident)
    assert (answer.outcome, answer.next_step) == ("DISPATCH", "NONE")
    assert (answer.alternatives, answer.overrides) == ((), ())
    assert answer.message.startswith("S9 and C9 are already assigned; no unit to add.")


def test_of_several_assigned_units_the_first_to_arrive_makes_the_pair():
    incident = call(
        assigned=(
            assigned("S8"),
            assigned("S7", position=fix("EJ")),
            assigned("S9", position=fix()),
        )
    )
    answer = decide([unit("C1")], incident)
    assert [one.unit_id for one in answer.assign] == ["S9", "S7", "S8", "C1"]


def test_alternatives_change_only_the_missing_half():
    incident = call(assigned=(assigned("S9", position=fix("KL")),))
    answer = decide([unit("C1"), unit("C2", "GH"), unit("S1", "BG")], incident)
    assert [dict(one.units) for one in answer.alternatives] == [{"SPD": "S9", "CARE": "C2"}]


def test_the_kind_that_is_there_is_not_judged():
    incident = call(assigned=(assigned("S9", position=fix("KL")),))
    answer = decide([unit("C1"), unit("S1", "BG")], incident)
    assert {one.unit_id for one in answer.explain.units} == {"C1"}
    assert set(answer.explain.counts) == {"CARE"}


def test_a_missing_half_of_an_assigned_call_is_held_without_sending_police_twice():
    incident = call(assigned=(assigned("S9", position=fix("KL")),))
    answer = decide([unit("S1", "BG")], incident)
    assert (answer.outcome, answer.hold.missing, answer.hold.send_now) == ("HOLD", ("CARE",), ())
    assert answer.hold.tentative == {"SPD": "S9", "CARE": None}


def test_an_excluded_unit_that_is_on_the_call_stays_on_it():
    incident = call(assigned=(assigned("S9", position=fix("KL")),))
    options = Options(exclude_unit_ids=frozenset({"S9"}))
    assert decide([unit("C1")], incident, options=options).outcome == "DISPATCH"
