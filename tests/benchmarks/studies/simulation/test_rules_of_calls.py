"""Calls of CARE: pair, solo, holds, hours, what is left behind, officer time; computed by hand."""

import numpy as np
import pytest

from benchmarks.studies.simulation.care_calls import POLICE_ALONE, REFUSED, SENT
from routing.codes import Mode
from routing.policy import OnNoCare
from tests.benchmarks.studies.simulation.hand_scenes import (
    Happened,
    call_911,
    care,
    happens,
    hours,
    job,
    minutes,
    officer,
    spd,
    window,
)

NEVER = pytest.approx(np.nan, nan_ok=True)
LATE = window(11, 20)
"""Hours that begin an hour after ten."""


def care_min(found: Happened) -> list[float]:
    """Return when CARE was dispatched to each call, minutes after ten."""
    return minutes(found.result.care_dispatched_s)


def spd_min(found: Happened) -> list[float]:
    return minutes(found.result.spd_dispatched_s)


# -- the pair -------------------------------------------------------------------------------------


def test_police_wait_for_care_and_for_a_safe_scene_and_care_begins_then() -> None:
    calls = [call_911(0, 2.5, safe_s=60.0), call_911(120, 2.5, safe_s=900.0)]
    found = happens([care(0.5), spd(1.5)], calls).result
    assert minutes(found.care_arrived_s) == [3.333, 123.333]
    assert minutes(found.spd_arrived_s) == [1.667, 121.667]
    assert minutes(found.spd_clear_s) == [3.333, 136.667], "CARE is there; the scene is safe"
    assert minutes(found.care_clear_s) == [23.333, 156.667]


def test_the_gap_is_between_the_first_and_the_other() -> None:
    found = happens([care(0.5), spd(1.5)], [call_911(0, 2.5), call_911(120, 0.5)])
    assert found.measure("pair_gap_p50_s") == 100
    assert found.measure("pair_response_p50_s") == 150, "of 200 and 100"


def test_an_officer_on_scene_gets_care_and_leaves_when_it_is_there() -> None:
    found = happens([care(0.5), spd(1.5)], [officer(0, 2.5)]).result
    assert minutes(found.asked_s) == [1.667], "asks when there"
    assert minutes(found.care_dispatched_s) == [1.667]
    assert minutes(found.spd_clear_s) == [5.0]


# -- solo mode ------------------------------------------------------------------------------------


def test_in_solo_mode_care_goes_alone_and_police_save_all_of_their_time() -> None:
    teams, call = [care(0.5), spd(0.5)], [call_911(0, 2.5, stay_s=1500.0, safe_s=900.0)]
    solo, dual = (happens(teams, call, by_policy_mode=mode) for mode in (Mode.SOLO, Mode.DUAL))
    assert solo.result.spd_unit.tolist() == [-1]
    assert solo.result.busy_s.tolist() == [200 + 1200, 0], "no scene to be made safe"
    assert dual.result.busy_s.tolist() == [200 + 900 + 1200, 200 + 900]
    assert (solo.measure("officer_saved_s"), dual.measure("officer_saved_s")) == (1500, 600)


def test_in_solo_mode_an_officer_still_gets_care() -> None:
    found = happens([care(0.5), spd(0.5)], [officer(0, 2.5)], by_policy_mode=Mode.SOLO)
    assert found.result.outcome.tolist() == [SENT]
    assert found.result.spd_unit.tolist() == [1]


def test_in_solo_mode_a_call_waits_for_care_alone() -> None:
    calls = [call_911(0, 0.5), call_911(10, 0.5)]
    found = happens([care(0.5), spd(0.5)], calls, by_policy_mode=Mode.SOLO)
    assert care_min(found) == [0, 20]
    assert found.result.spd_unit.tolist() == [-1, -1]


# -- holds ----------------------------------------------------------------------------------------


def test_a_call_without_care_has_police_at_once_and_care_when_it_is_free() -> None:
    found = happens([care(0.5), spd(0.5, 0.5)], [call_911(0, 0.5), call_911(10, 0.5)])
    assert (spd_min(found), care_min(found)) == ([0, 10], [0, 20])
    assert found.result.waited_s.tolist() == [0, 600]
    assert found.measure("hold_total_s") == 600


def test_both_wait_where_the_release_says_so() -> None:
    calls = [call_911(0, 0.5), call_911(10, 0.5)]
    found = happens([care(0.5), spd(0.5, 0.5)], calls, on_no_care=OnNoCare.HOLD)
    assert (spd_min(found), care_min(found)) == ([0, 20], [0, 20])


def test_a_call_without_police_waits_for_them_and_so_does_care() -> None:
    found = happens([care(0.5), spd(0.5)], [job(0, 0.5, stay_s=600), call_911(1, 0.5)])
    assert (spd_min(found), care_min(found)) == ([10], [10])


def test_after_the_time_that_a_supervisor_lets_a_call_wait_police_answer_alone() -> None:
    calls = [call_911(0, 0.5, care_s=3600.0), call_911(10, 0.5, stay_s=1200.0)]
    found = happens([care(0.5), spd(0.5, 0.5)], calls, escalate_after_s=900)
    assert found.result.outcome.tolist() == [SENT, POLICE_ALONE]
    assert minutes(found.result.spd_clear_s)[1] == 30, "20 minutes from their arrival"
    assert found.measure("unserved_share") == 0.5


def test_a_call_that_waits_goes_before_a_police_job_that_waits() -> None:
    comes = [job(0, 0.5, stay_s=600), job(1, 0.5, priority=1), call_911(2, 0.5)]
    found = happens([care(0.5), spd(0.5)], comes)
    assert spd_min(found) == [10]
    assert found.job_sent_min() == [0, 10], "once CARE is there the officer is free for it"


def test_urgent_calls_and_then_those_that_waited_longest_are_looked_at_first() -> None:
    calls = [
        call_911(0, 0.5), call_911(1, 0.5, priority=3), call_911(2, 0.5, priority=3),
        call_911(3, 0.5, priority=1),
    ]  # fmt: skip
    found = happens([care(0.5), spd(*[0.5] * 4)], calls, escalate_after_s=7200)
    assert care_min(found) == [0, 40, 60, 20]


# -- hours ----------------------------------------------------------------------------------------


def test_a_call_before_the_hours_waits_for_them_where_the_release_lets_both_wait() -> None:
    found = happens(
        [care(0.5), spd(0.5)], [call_911(20, 0.5)], window=LATE, on_no_care=OnNoCare.HOLD
    )
    assert (care_min(found), spd_min(found)) == ([60], [60])
    assert found.result.waited_s.tolist() == [2400]


def test_a_call_before_the_hours_has_police_at_once_and_alone() -> None:
    found = happens([care(0.5), spd(0.5)], [call_911(20, 0.5, stay_s=600.0)], window=LATE)
    assert found.result.outcome.tolist() == [REFUSED]
    assert (care_min(found), spd_min(found)) == ([NEVER], [20])
    assert minutes(found.result.spd_clear_s) == [30]


def test_a_call_before_the_hours_does_not_wait_for_them_when_all_police_are_busy() -> None:
    comes = [job(0, 0.5, stay_s=1500), call_911(20, 0.5, stay_s=600.0), job(26, 0.5)]
    found = happens([care(0.5), spd(0.5)], comes, window=LATE)
    assert found.result.outcome.tolist() == [REFUSED]
    assert found.job_sent_min() == [0, 35], "from minute 25 on police are at the call"


def test_an_officer_before_the_hours_stays_alone() -> None:
    found = happens([care(0.5), spd(0.5)], [officer(20, 0.5, stay_s=600.0)], window=LATE)
    assert found.result.outcome.tolist() == [REFUSED]
    assert minutes(found.result.spd_clear_s) == [30]


def test_a_call_accepted_before_closing_is_served_after_it_and_a_later_one_is_not() -> None:
    calls = [call_911(40, 0.5), call_911(59, 0.5), call_911(61, 0.5)]
    found = happens([care(0.5), spd(*[0.5] * 3)], calls, window=window(9, 11))
    assert found.result.outcome.tolist() == [SENT, SENT, REFUSED]
    assert care_min(found)[:2] == [40, 60]


def test_care_is_sent_in_its_shift_alone() -> None:
    found = happens([care(0.5, shifts=hours(11, 15)), spd(0.5)], [call_911(55, 0.5)])
    assert (care_min(found), spd_min(found)) == ([60], [55])


# -- what is left behind, and officer time --------------------------------------------------------


def test_what_is_left_behind_is_what_free_care_units_reach_in_180_s() -> None:
    calls = [call_911(0, 0.5), call_911(5, 3.5), call_911(240, 2.5)]
    team = [care(0.5, 3.5), spd(*[0.5] * 4)]
    found = happens(team, calls, turnout_care_s=600)  # of the standard of 780 s
    assert found.result.left_share.tolist() == pytest.approx([2 / 3, 0, 1 / 3])
    assert found.measure("left_behind_share") == pytest.approx(1 / 3)
    assert found.measure("nothing_left_share") == pytest.approx(1 / 3)


def test_police_save_the_rest_of_what_they_would_have_stayed() -> None:
    found = happens([care(0.5), spd(0.5)], [call_911(0, 2.5, stay_s=1800.0, safe_s=600.0)])
    assert found.measure("officer_saved_s") == 1200
    assert found.measure("handover_p50_s") == 600


def test_police_that_wait_long_for_care_lose_time() -> None:
    found = happens([care(0.5), spd(3.5)], [call_911(0, 3.5, stay_s=240.0)])
    assert found.measure("officer_saved_s") == -60, "CARE is there after 300 s"


def test_police_that_wait_for_care_in_vain_lose_time_and_save_none() -> None:
    calls = [call_911(0, 0.5, stay_s=2000.0, care_s=3600.0), call_911(1, 0.5, stay_s=600.0)]
    found = happens([care(0.5), spd(0.5, 0.5)], calls, escalate_after_s=900)
    assert found.result.outcome.tolist() == [SENT, POLICE_ALONE]
    assert found.measure("officer_saved_s") == 2000 - (900 - 600)


def test_a_refused_call_saves_nothing() -> None:
    found = happens([care(0.5), spd(0.5)], [call_911(20, 0.5, stay_s=600.0)], window=LATE)
    assert found.measure("officer_saved_s") == 0
