"""A claim ends by a release, or when its time is over, for both units at once."""

from api.claims.records import Claim, ClaimState, Refused
from routing.codes import Status
from tests.api.claims.desk_story import CLAIM_S, DeskStory


def test_a_release_frees_both_units_and_has_the_call_looked_at_again(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    claim = desk.confirmed("A", "S1", "C1")
    ended = desk.release(claim)
    assert isinstance(ended, Claim)
    assert (ended.state, ended.ended_at, ended.reason) == (
        ClaimState.RELEASED,
        desk.at,
        "OFFICER_KNOWLEDGE",
    )
    assert desk.claim(claim) == ended
    assert (desk.live(), desk.on_call("A")) == ([], [])
    assert desk.announced("queue") == ["A"]
    assert desk.audited()[-1] == "CLAIM_RELEASED"


def test_a_second_release_changes_nothing(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    claim = desk.confirmed("A", "S1", "C1")
    first = desk.release(claim)
    desk.pass_by(5)
    before = desk.audit_count()
    assert desk.release(claim) == first
    assert desk.audit_count() == before


def test_what_ended_otherwise_cannot_be_released(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    claim = desk.confirmed("A", "S1", "C1")
    desk.report("S1", Status.DISPATCHED, "B")
    found = desk.release(claim)
    assert isinstance(found, Refused)
    assert found.codes == ["CLAIM_ENDED"]


def test_a_claim_expires_at_its_time_and_not_before(desk: DeskStory) -> None:
    desk.units("C1", "S1", "C2", "S2")
    first = desk.confirmed("A", "S1", "C1")
    desk.pass_by(10)
    second = desk.confirmed("B", "S2", "C2")
    desk.pass_by(CLAIM_S - 10)
    assert [one.claim_id for one in desk.expire()] == [first.claim_id]
    assert desk.claim(first).state is ClaimState.EXPIRED
    assert [unit for unit, _ in desk.live()] == ["C2", "S2"]
    assert desk.claim(second).state is ClaimState.LIVE
    assert desk.announced("queue") == ["A"]


def test_nothing_that_expires_is_nothing_to_note(desk: DeskStory) -> None:
    before = desk.audit_count()
    assert desk.expire() == []
    assert desk.audit_count() == before


def test_a_unit_that_the_cad_has_on_the_call_stays_there_when_its_claim_expires(
    desk: DeskStory,
) -> None:
    desk.units("C1", "S1")
    desk.confirmed("A", "S1", "C1")
    desk.report("S1", Status.DISPATCHED, "A")
    desk.pass_by(CLAIM_S)
    desk.expire()
    assert desk.on_call("A") == ["S1"]


def test_claims_that_expire_together_are_one_audit_record(desk: DeskStory) -> None:
    desk.units("C1", "S1", "C2", "S2")
    desk.confirmed("A", "S1", "C1")
    desk.confirmed("B", "S2", "C2")
    desk.pass_by(CLAIM_S)
    before = desk.audit_count()
    assert len(desk.expire()) == 2
    assert desk.audit_count() == before + 1
