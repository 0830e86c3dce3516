"""What the CAD reports is a fact: recorded whatever it says, flagged, and claims give way to it."""

import datetime as dt
from typing import Any

import pytest

from api.claims.assignments import Assignment, of_call
from api.claims.records import Claim, ClaimState
from api.claims.reports import Reported
from routing.codes import OverrideAction, Status
from tests.api.claims.desk_story import SUPERVISOR, DeskStory


def codes(found: Reported) -> list[str]:
    return [str(one.code) for one in found.conflicts]


def rows(desk: DeskStory, call: str) -> dict[str, Assignment]:
    with desk.database.reading() as connection:
        return {one.unit_id: one for one in of_call(connection, call)}


@pytest.fixture
def claim(desk: DeskStory) -> Claim:
    """S1 and C1 claimed for call A."""
    desk.units("C1", "S1", "C2", "S2")
    return desk.confirmed("A", "S1", "C1")


def test_a_claim_is_fulfilled_when_the_cad_has_both_on_the_call(
    desk: DeskStory, claim: Claim
) -> None:
    first = desk.report("S1", Status.DISPATCHED, "A")
    assert (codes(first), desk.claim(claim).state) == ([], ClaimState.LIVE)
    second = desk.report("C1", Status.DISPATCHED, "A")
    assert [one.state for one in second.claims] == [ClaimState.FULFILLED]
    assert desk.live() == []
    assert desk.on_call("A") == ["C1", "S1"]


def test_a_report_of_a_claimed_unit_elsewhere_displaces_the_claim_and_frees_the_partner(
    desk: DeskStory, claim: Claim
) -> None:
    found = desk.report("S1", Status.DISPATCHED, "B")
    assert codes(found) == ["UNIT_ALREADY_ASSIGNED"]
    assert desk.claim(claim).state is ClaimState.DISPLACED
    assert desk.live() == []
    assert desk.announced("queue") == ["A"]
    assert desk.on_call("A") == []
    assert desk.confirmed("C", "S2", "C1").unit_ids == ("S2", "C1")


@pytest.mark.usefixtures("claim")
def test_a_half_that_is_left_behind_is_flagged(desk: DeskStory) -> None:
    desk.report("C1", Status.DISPATCHED, "A")
    found = desk.report("S1", Status.DISPATCHED, "B")
    assert codes(found) == ["UNIT_ALREADY_ASSIGNED", "HALF_PAIR"]
    assert desk.on_call("A") == ["C1"]


def test_a_single_unit_on_a_call_for_a_pair_is_flagged_once(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    desk.recommend("A", "S1", "C1")
    assert codes(desk.report("C1", Status.DISPATCHED, "A")) == ["HALF_PAIR"]
    assert codes(desk.report("C1", Status.ENROUTE, "A")) == []
    assert codes(desk.report("S1", Status.DISPATCHED, "A")) == []


@pytest.mark.usefixtures("claim")
def test_instants_are_those_of_the_reports_and_none_is_made_up(desk: DeskStory) -> None:
    desk.report("C1", Status.DISPATCHED, "A")
    desk.pass_by(60)
    found = desk.report("C1", Status.STAGED, "A")
    assert codes(found) == ["ILLEGAL_STATUS_JUMP"]
    stamps = rows(desk, "A")["C1"].stamps
    assert sorted(stamps) == ["dispatched", "staged"]
    assert (stamps["staged"] - stamps["dispatched"]).total_seconds() == 60


@pytest.mark.usefixtures("claim")
def test_the_first_instant_of_a_status_stands(desk: DeskStory) -> None:
    for status in (Status.DISPATCHED, Status.ENROUTE, Status.STAGED, Status.ENROUTE):
        desk.pass_by(10)
        desk.report("C1", status, "A")
    stamps = rows(desk, "A")["C1"].stamps
    assert (stamps["enroute"] - stamps["dispatched"]).total_seconds() == 10


@pytest.mark.usefixtures("claim")
def test_an_older_report_is_recorded_and_changes_nothing(desk: DeskStory) -> None:
    desk.pass_by(60)
    desk.report("S1", Status.ENROUTE, "A")
    before = desk.audit_count()
    late = desk.report("S1", Status.AVAILABLE, ago_s=30)
    assert (late.is_applied, codes(late)) == (False, ["OLDER_THAN_KNOWN"])
    assert desk.on_call("A") == ["C1", "S1"]
    assert desk.audit_count() == before + 1


@pytest.mark.parametrize(("ago_s", "is_applied"), [(20, True), (90, False)])
def test_a_clock_of_the_cad_that_is_behind_ours_makes_no_report_older(
    desk: DeskStory, ago_s: int, is_applied: bool
) -> None:
    desk.pass_by(600)
    desk.units("S5")  # without `status_since`: known since now, by our clock
    found = desk.report("S5", Status.BUSY, ago_s=ago_s)
    assert found.is_applied == is_applied
    again = desk.report("S5", Status.AVAILABLE, ago_s=ago_s + 1)
    assert (again.is_applied, codes(again)) == (False, ["OLDER_THAN_KNOWN"])


def test_an_instant_far_in_the_future_makes_no_report_older(desk: DeskStory) -> None:
    desk.units("S5")
    desk.pass_by(600)
    assert codes(desk.report("S5", Status.BUSY, ago_s=-3_600)) == ["AT_IN_FUTURE"]
    assert desk.report("S5", Status.AVAILABLE, ago_s=5).is_applied


@pytest.mark.usefixtures("claim")
@pytest.mark.parametrize(
    ("is_safe", "is_there", "flags"),
    [
        (False, True, ["RELEASED_BEFORE_SCENE_SAFE"]),
        (True, False, ["RELEASED_BEFORE_SCENE_SAFE"]),
        (True, True, []),
    ],
)
def test_police_that_leave_early_are_recorded_with_an_alert(
    desk: DeskStory, is_safe: bool, is_there: bool, flags: list[str]
) -> None:
    for unit in ("S1", "C1"):
        for status in (Status.DISPATCHED, Status.ENROUTE):
            desk.report(unit, status, "A")
    desk.report("S1", Status.ON_SCENE, "A")
    if is_there:
        desk.report("C1", Status.ON_SCENE, "A")
    if is_safe:
        desk.scene_safe("A")
    desk.pass_by(60)
    found = desk.report("S1", Status.AVAILABLE)
    assert codes(found) == flags
    assert len(desk.announced("alert")) == len(flags)
    stamps = rows(desk, "A")["S1"].stamps
    assert stamps["spd_released"] == stamps["cleared"] == desk.at
    assert desk.on_call("A") == ["C1"]


@pytest.mark.usefixtures("claim")
def test_scene_safe_is_kept_with_the_call_and_its_assignments(desk: DeskStory) -> None:
    desk.report("S1", Status.DISPATCHED, "A")
    safe_at = desk.at
    desk.scene_safe("A")
    desk.pass_by(60)
    desk.scene_safe("A")
    assert desk.call("A").scene_safe_at == safe_at
    assert rows(desk, "A")["S1"].stamps["scene_safe"] == safe_at
    assert desk.audited().count("SCENE_SAFE") == 2


@pytest.mark.usefixtures("claim")
def test_a_unit_that_is_moved_on_has_no_made_up_instant_of_clearing(desk: DeskStory) -> None:
    for unit in ("S1", "C1"):
        desk.report(unit, Status.DISPATCHED, "A")
    found = desk.report("S1", Status.DISPATCHED, "B")
    assert codes(found) == ["UNIT_ALREADY_ASSIGNED", "HALF_PAIR", "RELEASED_BEFORE_SCENE_SAFE"]
    left = rows(desk, "A")["S1"]
    assert (left.is_open, left.moved_to, "cleared" in left.stamps) == (False, "B", False)


@pytest.mark.usefixtures("claim")
def test_a_report_without_a_call_is_about_the_call_that_claimed_the_unit(desk: DeskStory) -> None:
    desk.report("S1", Status.DISPATCHED)
    assert list(rows(desk, "A")) == ["S1"]
    desk.report("S1", Status.ENROUTE)
    assert rows(desk, "A")["S1"].status is Status.ENROUTE


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status.AVAILABLE, ClaimState.LIVE),
        (Status.UNKNOWN, ClaimState.LIVE),
        (Status.BUSY, ClaimState.DISPLACED),
        (Status.OUT_OF_SERVICE, ClaimState.DISPLACED),
        (Status.OFF_DUTY, ClaimState.DISPLACED),
    ],
)
def test_a_claimed_unit_that_cannot_come_displaces_its_claim(
    desk: DeskStory, claim: Claim, status: Status, state: ClaimState
) -> None:
    desk.report("C1", status)
    assert desk.claim(claim).state is state


def test_a_record_of_the_unit_carries_its_status_too(desk: DeskStory, claim: Claim) -> None:
    desk.units("C1", version=2, status=Status.OUT_OF_SERVICE)
    assert desk.claim(claim).state is ClaimState.DISPLACED
    assert desk.audited()[-1] == "ROSTER"
    assert desk.audited().count("ROSTER") == 2


def test_a_unit_that_goes_off_the_roster_leaves_its_claim(desk: DeskStory, claim: Claim) -> None:
    desk.off_duty("S1")
    assert desk.claim(claim).state is ClaimState.DISPLACED
    assert desk.live() == []


@pytest.mark.usefixtures("claim")
def test_a_unit_that_nobody_knows_is_followed_all_the_same(desk: DeskStory) -> None:
    found = desk.report("X9", Status.DISPATCHED, "A")
    assert codes(found) == ["UNIT_NOT_IN_ROSTER"]
    assert rows(desk, "A")["X9"].agency is None


def test_a_diverted_unit_may_still_report_on_the_call_that_it_leaves(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    desk.report("S1", Status.DISPATCHED, "B")
    hold: Any = {"tentative": {"SPD": None, "CARE": "C1"}}
    desk.recommend("A", hold=hold)
    made = desk.override("A", OverrideAction.DIVERT_UNIT, "S1", by=SUPERVISOR)
    assert not hasattr(made, "reasons"), made
    desk.report("S1", Status.ENROUTE, "B")
    assert [unit for unit, _ in desk.live()] == ["C1", "S1"]
    assert codes(desk.report("S1", Status.DISPATCHED, "A")) == ["UNIT_ALREADY_ASSIGNED"]
    assert [unit for unit, _ in desk.live()] == ["C1", "S1"]


@pytest.mark.usefixtures("claim")
def test_each_report_is_one_audit_record(desk: DeskStory) -> None:
    before = desk.audit_count()
    desk.report("S1", Status.DISPATCHED, "B")
    assert desk.audited()[before:] == ["STATUS_REPORTED"]


@pytest.mark.usefixtures("claim")
def test_one_record_that_began_far_in_the_future_makes_no_later_report_an_older_one(
    desk: DeskStory,
) -> None:
    desk.units("C1")
    far = desk.at + dt.timedelta(days=3_650)
    desk.units("C1", version=2, status=Status.BUSY, status_since=far)
    desk.pass_by(60)
    found = desk.report("C1", Status.ENROUTE, "A")
    assert found.is_applied
    desk.pass_by(60)
    assert desk.report("C1", Status.ON_SCENE, "A").is_applied
