"""Rule 6: a pair that must wait never delays a response that exists today."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from routing.model import Status
from routing.policy import PACIFIC, PILOT, OnNoCare
from tests.routing.situations import NOON, call, decide, unit

MINUTE = timedelta(minutes=1)
SECOND_NOW = NOON.replace(microsecond=0)


def busy(unit_id: str, at: str = "GH", *, clear_in: int | None = None, since: int = 10, **changes):
    """Return a unit on scene elsewhere since some minutes, expected to clear in some minutes."""
    clear_at = None if clear_in is None else NOON + clear_in * MINUTE
    return unit(
        unit_id,
        at,
        status=Status.ON_SCENE,
        status_since=NOON - since * MINUTE,
        expected_clear_at=clear_at,
        **changes,
    )


def test_without_care_the_police_unit_goes_now_and_the_pair_is_held():
    answer = decide([unit("S1", "KL"), unit("S2", "EJ"), busy("C1", clear_in=10)])
    assert (answer.outcome, answer.next_step, answer.assign, answer.pair) == (
        "HOLD", "WAIT_OR_OVERRIDE", (), None,
    )  # fmt: skip
    assert [(one.unit_id, one.approach) for one in answer.hold.send_now] == [("S1", "PROCEED")]
    assert (answer.hold.missing, answer.hold.reasons) == (("CARE",), ("NO_UNIT_AVAILABLE",))
    assert [(o.action, o.role) for o in answer.overrides] == [
        ("SEND_SPD_ONLY", "DISPATCHER"), ("DIVERT_UNIT", "SUPERVISOR"),
    ]  # fmt: skip
    assert "Send S1 now." in answer.message


def test_a_policy_may_hold_police_too():
    policy = replace(PILOT, on_no_care=OnNoCare.HOLD)
    assert decide([unit("S1"), busy("C1")], policy=policy).hold.send_now == ()


def test_without_police_care_is_held_and_a_sergeant_may_release_it():
    answer = decide([unit("C1"), busy("S1", clear_in=5)])
    assert (answer.hold.missing, answer.hold.send_now) == (("SPD",), ())
    assert [(o.action, o.role, o.reason_required) for o in answer.overrides] == [
        ("RELEASE_CARE_ALONE", "SPD_SERGEANT", True), ("DIVERT_UNIT", "SUPERVISOR", True),
    ]  # fmt: skip


def test_never_half_a_pair():
    for units in ([unit("C1")], [unit("S1")], [], [busy("C1"), busy("S1")]):
        answer = decide(units)
        assert (answer.outcome, answer.assign, answer.pair) == ("HOLD", (), None)


def test_both_missing_names_both_and_sends_nobody():
    answer = decide([busy("C1"), busy("S1")])
    assert (answer.hold.missing, answer.hold.send_now) == (("SPD", "CARE"), ())
    assert [o.action for o in answer.overrides] == ["DIVERT_UNIT"]


def test_the_earliest_pair_counts_clear_turnout_and_travel():
    answer = decide([unit("S1", "KL"), busy("C1", clear_in=10)])
    drive_s = 60 + 60 + 24  # turnout, start and park, 220 m
    assert answer.hold.tentative == {"SPD": "S1", "CARE": "C1"}
    assert answer.hold.estimate_basis == "CAD_EXPECTED_CLEAR"
    # 13:05:02.12 plus ten minutes, and the next whole second.
    assert answer.hold.earliest_dispatch_at == SECOND_NOW + timedelta(seconds=601)
    assert answer.hold.earliest_pair_at == SECOND_NOW + timedelta(seconds=601 + drive_s)


def test_the_busy_unit_that_could_be_there_first_is_tentative_not_the_nearest():
    answer = decide([unit("S1"), busy("C1", "AB", clear_in=20), busy("C2", "NO", clear_in=5)])
    assert answer.hold.tentative["CARE"] == "C2"


def test_without_a_word_from_the_cad_the_mean_service_time_is_taken():
    answer = decide([unit("S1"), busy("C1", since=30)])
    assert answer.hold.estimate_basis == "MEAN_SERVICE_TIME"
    assert answer.hold.earliest_dispatch_at == SECOND_NOW + timedelta(seconds=4 * 60 + 1)


@pytest.mark.parametrize("since", [40, 500])
def test_an_overdue_unit_is_expected_now_and_not_in_the_past(since):
    answer = decide([unit("S1"), busy("C1", since=since)])
    assert answer.hold.earliest_dispatch_at == SECOND_NOW + timedelta(seconds=1)


def test_an_expected_clear_that_has_passed_says_nothing():
    answer = decide([unit("S1"), busy("C1", clear_in=-1, since=30)])
    assert answer.hold.estimate_basis == "MEAN_SERVICE_TIME"


def test_the_weaker_basis_of_two_is_named():
    answer = decide([busy("S1", clear_in=3), busy("C1")])
    assert answer.hold.estimate_basis == "MEAN_SERVICE_TIME"


@pytest.mark.parametrize(
    "nobody",
    [
        [],
        [unit("C1", status=Status.OFF_DUTY)],
        [unit("C1", status=Status.UNKNOWN)],
        [busy("C1", crew_count=1)],
        [busy("C1", clear_in=10, shift_end=NOON + 39 * MINUTE)],
    ],
    ids=["none", "off duty", "unknown", "crew", "shift ends"],
)
def test_nobody_to_wait_for_means_no_estimate(nobody):
    hold = decide([unit("S1"), *nobody]).hold
    assert hold.earliest_dispatch_at is hold.earliest_pair_at is hold.estimate_basis is None
    assert hold.tentative == {"SPD": "S1", "CARE": None}


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ([], "NO_UNIT_IN_ROSTER"),
        ([busy("C1")], "NO_UNIT_AVAILABLE"),
        ([unit("C1", claimed=True)], "NO_UNIT_AVAILABLE"),
        ([unit("C1", crew_count=1), busy("C2")], "NO_UNIT_QUALIFIED"),
    ],
)
def test_the_reason_says_why_a_kind_is_missing(units, reason):
    assert decide([unit("S1"), *units]).hold.reasons == (reason,)


def test_a_hold_escalates_after_fifteen_minutes_from_when_it_began():
    hold = decide([unit("S1")]).hold
    assert (hold.held_since, hold.escalate_at, hold.escalate_to) == (
        NOON, NOON + 15 * MINUTE, "SUPERVISOR",
    )  # fmt: skip
    again = decide([unit("S1")], call(held_since=NOON - 10 * MINUTE)).hold
    assert again.escalate_at == NOON + 5 * MINUTE
    assert again.resolve_on == ("UNIT_CHANGE", "TIMER")


def test_the_message_gives_local_time():
    answer = decide([unit("C1"), busy("S1", clear_in=5)])
    assert answer.message == (
        "Hold for the pair: no SPD unit is available. Both could be there at 13:11. "
        "Goes to SUPERVISOR at 13:20."
    )


def test_a_hold_over_a_clock_change_escalates_after_its_real_minutes():
    held_since = datetime(2026, 11, 1, 1, 50, tzinfo=PACIFIC)  # ten minutes before 1:00 comes again
    always = replace(PILOT, window=replace(PILOT.window, start=time(0), end=time(0)))
    now = held_since.astimezone(UTC) + 5 * MINUTE
    hold = decide([unit("S1")], call(held_since=held_since), now=now, policy=always).hold
    assert (hold.escalate_at - now, hold.escalated) == (10 * MINUTE, False)
