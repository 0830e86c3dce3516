"""Rule 7: who qualifies, where a unit is taken to be, and how sure its arrival is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from geodata.snap import SnapLimits
from routing.model import Agency, Fix, Options, Status
from routing.policy import PILOT, Requirement
from tests.routing.situations import HOMES, NOON, call, chosen, city, decide, fix, unit, warned

NEAR, FAR = "BG", "NO"
POLICE = unit("S1", "KL")


def care_with(**changes):
    """Return the answer when the nearest of two CARE units has these values."""
    return decide([unit("C1", NEAR, **changes), unit("C2", FAR), POLICE])


def removed(answer, unit_id: str = "C1") -> tuple[str, ...]:
    explained = {one.unit_id: one for one in answer.explain.units}
    assert explained[unit_id].verdict == "REMOVED"
    return explained[unit_id].rules


def test_the_nearest_unit_goes_when_nothing_speaks_against_it():
    assert chosen(care_with())["CARE"] == "C1"


@pytest.mark.parametrize("status", [status for status in Status if status != Status.AVAILABLE])
def test_only_available_units_are_recommended(status):
    answer = care_with(status=status)
    assert chosen(answer)["CARE"] == "C2"
    assert removed(answer) == ("STATUS_NOT_AVAILABLE",)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"crew_count": 1}, "CREW_BELOW_MINIMUM"),
        ({"crew_count": 0}, "CREW_BELOW_MINIMUM"),
        ({"crew_count": None}, "CREW_UNKNOWN"),
        ({"claimed": True}, "CLAIMED"),
        ({"shift_end": NOON + timedelta(minutes=29, seconds=59)}, "SHIFT_ENDING"),
        ({"shift_end": NOON - timedelta(minutes=1)}, "SHIFT_ENDING"),
    ],
)
def test_a_unit_that_breaks_a_rule_is_passed_over(changes, rule):
    answer = care_with(**changes)
    assert (chosen(answer)["CARE"], removed(answer)) == ("C2", (rule,))


@pytest.mark.parametrize("shift_end", [NOON + timedelta(minutes=30), None])
def test_the_guard_ends_exactly_at_thirty_minutes(shift_end):
    assert chosen(care_with(shift_end=shift_end))["CARE"] == "C1"


def test_one_officer_is_enough_and_an_unknown_crew_is_at_least_one():
    for crew in (1, None):
        answer = decide([unit("C1"), unit("S1", NEAR, crew_count=crew), unit("S2", FAR)])
        assert chosen(answer)["SPD"] == "S1"


def test_required_skills_must_all_be_there():
    rules = PILOT.modes["DUAL"]
    needs = {Agency.CARE: Requirement(min_crew=2, required_skills=frozenset({"TRANSPORT"}))}
    changed = replace(rules, requirements={**rules.requirements, **needs})
    units = [unit("C1", NEAR), unit("C2", FAR, skills=frozenset({"TRANSPORT", "X"})), POLICE]
    answer = decide(units, policy=replace(PILOT, modes={"DUAL": changed}))
    assert (chosen(answer)["CARE"], removed(answer)) == ("C2", ("SKILL_MISSING",))


def test_excluded_units_are_passed_over():
    answer = decide(
        [unit("C1", NEAR), unit("C2", FAR), POLICE],
        options=Options(exclude_unit_ids=frozenset({"C1", "UNHEARD_OF"})),
    )
    assert (chosen(answer)["CARE"], removed(answer)) == ("C2", ("EXCLUDED",))


def test_every_broken_rule_of_a_unit_is_named():
    answer = care_with(status=Status.BUSY, crew_count=1, claimed=True)
    assert removed(answer) == ("STATUS_NOT_AVAILABLE", "CLAIMED", "CREW_BELOW_MINIMUM")


def test_when_only_guarded_units_remain_they_are_a_last_resort():
    soon = {"shift_end": NOON + timedelta(minutes=10)}
    answer = decide([unit("C1", NEAR, **soon), unit("C2", FAR, **soon), POLICE])
    assert answer.outcome == "DISPATCH"
    assert answer.assign[1].selected_because == "LAST_RESORT"
    assert "SHIFT_ENDING" in warned(answer)
    verdicts = {one.unit_id: (str(one.verdict), one.rules) for one in answer.explain.units}
    assert verdicts["C1"] == ("SELECTED", ("SHIFT_ENDING",))
    assert verdicts["C2"] == ("LAST_RESORT", ("SHIFT_ENDING",))


def test_a_last_resort_must_still_have_its_crew():
    soon = {"shift_end": NOON + timedelta(minutes=10)}
    assert decide([unit("C1", NEAR, crew_count=1, **soon), POLICE]).outcome == "HOLD"


def test_a_finish_after_the_shift_is_only_a_warning():
    answer = care_with(shift_end=NOON + timedelta(minutes=33))
    assert chosen(answer)["CARE"] == "C1"
    assert warned(answer) == {"FINISH_AFTER_SHIFT"}


# -- positions ------------------------------------------------------------------------------------


def placed(position: Fix | None, **changes):
    """Return the one CARE unit's line of the answer, and the warnings."""
    homes = changes.pop("homes", HOMES)
    answer = decide([unit("C1", position, **changes), POLICE], homes=homes)
    assert answer.outcome == "DISPATCH", "a position never removes a unit"
    return answer.assign[1], warned(answer)


@pytest.mark.parametrize(
    ("age_s", "basis", "told"),
    [
        (0, "AVL", set()),
        (60, "AVL", set()),
        (60.5, "AVL_AGED", {"POSITION_AGED"}),
        (300, "AVL_AGED", {"POSITION_AGED"}),
        (301, "LAST_KNOWN", {"POSITION_AGED"}),
        (-4, "AVL", set()),
    ],
)
def test_the_age_of_a_fix_decides_its_basis(age_s, basis, told):
    line, warnings = placed(fix("GH", age_s=age_s))
    assert (line.position.basis, line.position.age_s, warnings) == (basis, max(0, int(age_s)), told)


def test_a_fix_of_unknown_age_is_last_known():
    line, _ = placed(replace(fix("GH"), fixed_at=None))
    assert (line.position.basis, line.position.age_s) == ("LAST_KNOWN", None)


def test_arrival_ranges_widen_as_positions_get_worse():
    widths = []
    for age_s in (5, 100, 1000):
        line, _ = placed(fix("GH", age_s=age_s))
        low, high = line.arrive_range_s
        assert low <= line.arrive_s <= high
        widths.append(high - low)
    assert widths == sorted(set(widths))


def test_without_a_fix_the_post_and_then_the_beat_stand_in():
    line, warnings = placed(None, home_post="HQ", home_beat="M1")
    assert (line.position.basis, warnings) == ("HOME_POST", {"POSITION_ASSUMED"})
    assert (line.position.snapped.lon, line.position.snapped.lat) == pytest.approx(
        city().position("KL", 0.5), abs=1e-6
    )
    line, _ = placed(None, home_post="ELSEWHERE", home_beat="M1")
    assert line.position.basis == "BEAT_CENTRE"


def test_a_unit_of_which_nothing_is_known_stays_and_comes_last():
    line, warnings = placed(None)
    assert (line.position.basis, line.position.snapped) == ("UNKNOWN", None)
    assert (line.drive_s, warnings) == (1800 + 60, {"POSITION_ASSUMED"})
    answer = decide([unit("C1", None), unit("C2", FAR), POLICE])
    assert chosen(answer)["CARE"] == "C2"


@pytest.mark.parametrize(
    "bad",
    [
        Fix(lon=0.0, lat=0.0, fixed_at=NOON),
        Fix(lon=47.6, lat=-122.3, fixed_at=NOON),
        Fix(lon=-122.0, lat=47.6, fixed_at=NOON),
        replace(fix("GH"), fixed_at=NOON + timedelta(seconds=6)),
    ],
    ids=["zero", "swapped", "outside", "future"],
)
def test_an_impossible_fix_is_discarded_with_a_warning(bad):
    answer = decide([unit("C1", bad, home_post="HQ", row=7), POLICE], homes=HOMES)
    assert answer.assign[1].position.basis == "HOME_POST"
    told = [warning for warning in answer.warnings if warning.code == "FIX_DISCARDED"]
    assert [warning.path for warning in told] == ["/units/7/position"]


def test_a_unit_far_from_any_street_is_estimated_by_a_straight_line():
    lon, lat = city().position("AB", 0.5)
    limits = SnapLimits(warn_m=50.0, refuse_m=100.0)
    away = Fix(lon=lon, lat=lat + 0.0018, fixed_at=NOON)
    answer = decide([unit("C1", away), POLICE], policy=replace(PILOT, snap=limits))
    assert answer.assign[1].drive_m is None
    assert ("UNIT_SNAP_FAR" in warned(answer), answer.basis.degraded) == (True, True)
    assert answer.basis.eta == "ROAD"


def test_a_unit_without_a_way_is_not_reachable_and_never_zero_seconds_away():
    answer = decide(
        [unit("C1", NEAR), unit("C2", FAR), POLICE],
        call(),
        travel_times=closed_around("BG"),
    )
    assert chosen(answer) == {}
    assert removed(answer) == ("NOT_REACHABLE",)
    assert {one.arrive_s for one in answer.explain.units} == {None}


def closed_around(letters: str):
    """Return drive times with a street that nobody may drive, into which nobody is let either."""
    from dataclasses import replace

    import numpy as np

    from geodata.driving_time import ROUTINE, edge_times
    from routing.road_hierarchy import build_hierarchy
    from routing.travel_time import TravelTimes

    network = city().network
    closed = np.zeros(network.n_edges, np.bool_)
    closed[[city().edge(letters), city().edge(letters[::-1])]] = True
    weights = edge_times(network, ROUTINE, closed_edges=closed, closure_id="1")
    weights = replace(weights, closed=None)
    return TravelTimes(network, *build_hierarchy(network), weights)
