"""A confirmation claims both units or none, and refuses with what stands in the way."""

from typing import Any

import pytest
from sqlalchemy import text

from api.claims.claim_rows import make_claim
from api.claims.records import Claim, ClaimedUnit, ClaimState, Refused
from api.errors import NoSuchRecommendation
from api.store.writer import Transaction
from routing.codes import OverrideAction, Status
from tests.api.claims.desk_story import CLAIM_S, DISPATCHER, NOW, VALID_S, DeskStory, kind_of


def reasons(found: Any) -> list[tuple[str, str | None]]:
    assert isinstance(found, Refused), found
    return [(one.code, one.unit_id) for one in found.reasons]


def test_a_confirmation_claims_both_units(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    claim = desk.confirmed("A", "S1", "C1")
    assert (claim.state, claim.unit_ids) == (ClaimState.LIVE, ("S1", "C1"))
    assert (claim.expires_at - claim.made_at).total_seconds() == CLAIM_S
    assert desk.live() == [("C1", claim.claim_id), ("S1", claim.claim_id)]
    assert desk.on_call("A") == ["C1", "S1"]
    assert desk.announced("claim") == [claim.claim_id]
    assert desk.audited() == ["ROSTER", "RECOMMENDED", "CLAIM_MADE"]


def test_a_unit_that_another_call_holds_leaves_the_partner_free(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2")
    first = desk.recommend("A", "S1", "C1")
    second = desk.recommend("B", "S2", "C1")
    desk.confirm(first)
    before = desk.audit_count()
    assert reasons(desk.confirm(second)) == [("UNIT_TAKEN", "C1")]
    assert [unit for unit, _ in desk.live()] == ["C1", "S1"]
    assert desk.audit_count() == before


def test_the_same_recommendation_is_one_claim_however_often_it_is_confirmed(
    desk: DeskStory,
) -> None:
    desk.units("C1", "S1")
    asked = desk.recommend("A", "S1", "C1")
    first, again = desk.confirm(asked), desk.confirm(asked)
    assert first == again
    assert len(desk.live()) == 2


def test_a_recommendation_is_not_confirmed_again_after_its_claim_ended(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    claim = desk.confirmed("A", "S1", "C1")
    desk.release(claim)
    assert claim.recommendation_id is not None
    assert reasons(desk.confirm(claim.recommendation_id)) == [("CLAIM_ENDED", None)]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"status": Status.BUSY}, ("UNIT_CHANGED", "S1")),
        ({"version": 2}, ("UNIT_CHANGED", "S1")),
    ],
)
def test_a_unit_that_changed_is_named(desk: DeskStory, told: Any, reason: Any) -> None:
    desk.units("C1", "S1")
    asked = desk.recommend("A", "S1", "C1")
    desk.units("S1", **told)
    assert reasons(desk.confirm(asked)) == [reason]
    assert desk.live() == []


def test_a_version_that_was_not_given_is_not_compared(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    asked = desk.recommend("A", "S1", "C1", unit_version=None)
    desk.units("S1", version=2)
    assert isinstance(desk.confirm(asked), Claim)


def test_a_unit_that_went_off_the_roster_is_named(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    asked = desk.recommend("A", "S1", "C1")
    desk.off_duty("C1")
    assert reasons(desk.confirm(asked)) == [("UNIT_GONE", "C1")]


def test_units_of_a_request_need_not_be_on_the_roster(desk: DeskStory) -> None:
    asked = desk.recommend("A", "S7", "C7", source="REQUEST")
    assert isinstance(desk.confirm(asked), Claim)
    other = desk.recommend("B", "S8", "C7", source="REQUEST")
    assert reasons(desk.confirm(other)) == [("UNIT_TAKEN", "C7")]


def test_a_unit_that_the_cad_has_on_a_call_is_not_claimed_though_the_roster_has_it_not(
    desk: DeskStory,
) -> None:
    asked = desk.recommend("A", "S7", "C7", source="REQUEST")
    desk.report("C7", Status.DISPATCHED, "B")
    assert reasons(desk.confirm(asked)) == [("UNIT_CHANGED", "C7")]


def test_only_the_newest_recommendation_of_a_call_is_confirmed(desk: DeskStory) -> None:
    desk.units("C1", "S1", "S2")
    old = desk.recommend("A", "S1", "C1")
    desk.recommend("A", "S2", "C1")
    assert reasons(desk.confirm(old)) == [("RECOMMENDATION_SUPERSEDED", None)]
    desk.recommend("A", "S1", "C1", version=2)
    assert reasons(desk.confirm(old)) == [("INCIDENT_CHANGED", None)]


@pytest.mark.parametrize(("seconds", "holds"), [(VALID_S, True), (VALID_S + 1, False)])
def test_a_recommendation_holds_until_it_expires(
    desk: DeskStory, seconds: int, holds: bool
) -> None:
    desk.units("C1", "S1")
    asked = desk.recommend("A", "S1", "C1")
    desk.pass_by(seconds)
    found = desk.confirm(asked)
    assert isinstance(found, Claim) if holds else reasons(found)[0][0] == "RECOMMENDATION_EXPIRED"


def test_units_on_the_call_are_not_claimed(desk: DeskStory) -> None:
    desk.units("C1")
    assert desk.confirmed("A", "C1", fixed=["S9"]).unit_ids == ("C1",)


def test_nothing_is_claimed_where_nothing_is_to_go(desk: DeskStory) -> None:
    desk.units("C1", "S1")
    assert reasons(desk.confirm(desk.recommend("A", fixed=["S1", "C1"]))) == [
        ("NOTHING_TO_CONFIRM", None)
    ]


def test_a_hold_is_confirmed_for_what_it_sends_now(desk: DeskStory) -> None:
    desk.units("S1")
    hold = {"tentative": {"SPD": "S1", "CARE": None}, "send_now": ["S1"]}
    assert desk.confirmed("A", hold=hold).unit_ids == ("S1",)


def test_a_recommendation_made_without_knowing_of_the_claim_sends_no_second_pair(
    desk: DeskStory,
) -> None:
    desk.units("C1", "S1", "C2", "S2")
    desk.confirmed("A", "S1", "C1")
    blind = desk.recommend("A", "S2", "C2")
    assert reasons(desk.confirm(blind)) == [("CALL_CLAIMED", "S1"), ("CALL_CLAIMED", "C1")]


def test_a_recommendation_that_does_not_know_who_is_there_already_sends_no_second_pair(
    desk: DeskStory,
) -> None:
    desk.units("C1", "S1", "C2", "S2", "C3", "S3")
    desk.confirmed("A", "S1", "C1")
    blind = desk.recommend("A", "S2", "C2")
    for unit_id in ("S1", "C1"):
        desk.report(unit_id, Status.ENROUTE, "A")
    assert desk.live() == []
    assert reasons(desk.confirm(blind)) == [("CALL_CLAIMED", "C1"), ("CALL_CLAIMED", "S1")]
    desk.recommend("A", "S2", "C2")
    other = desk.override("A", OverrideAction.USE_OTHER_UNIT, "S3")
    assert reasons(other) == [("CALL_CLAIMED", "C1"), ("CALL_CLAIMED", "S1")]


@pytest.mark.parametrize("mode", ["SPD_ADD", "DUAL"])
def test_who_asks_for_more_police_gets_them_whoever_came_meanwhile(
    desk: DeskStory, mode: str
) -> None:
    desk.units("S1", "S2")
    more = desk.recommend("A", "S2", mode=mode)
    desk.report("S1", Status.ENROUTE, "A")
    found = desk.confirm(more)
    assert (
        isinstance(found, Claim)
        if mode == "SPD_ADD"
        else reasons(found) == [("CALL_CLAIMED", "S1")]
    )


def test_an_unknown_recommendation_is_said_to_be_unknown(desk: DeskStory) -> None:
    with pytest.raises(NoSuchRecommendation):
        desk.confirm("rec_nobody")


def a_claim(claim_id: str, *unit_ids: str) -> Claim:
    return Claim(
        claim_id=claim_id,
        incident_id=claim_id,
        recommendation_id=None,
        made_at=NOW,
        expires_at=NOW,
        units=tuple(ClaimedUnit(unit_id=one, agency=kind_of(one)) for one in unit_ids),
        operator=DISPATCHER,
    )


def test_the_database_itself_refuses_a_second_claim_and_keeps_nothing_of_it(
    desk: DeskStory,
) -> None:
    def both(tx: Transaction) -> tuple[bool, bool]:
        return make_claim(tx, a_claim("one", "S1", "C1")), make_claim(
            tx, a_claim("two", "S2", "C1")
        )

    assert desk.do(both) == (True, False)
    assert desk.live() == [("C1", "one"), ("S1", "one")]
    assert desk.announced("claim") == ["one"]


def test_without_the_unique_index_the_database_would_not(desk: DeskStory) -> None:
    class Undone(Exception):
        """Takes the dropping of the index back with everything else."""

    def both(tx: Transaction) -> None:
        tx.connection.execute(text("DROP INDEX uq_claim_units_live"))
        made = [make_claim(tx, a_claim(one, "S1", "C1")) for one in ("one", "two")]
        raise Undone(made)

    with pytest.raises(Undone, match="True, True"):
        desk.do(both)
