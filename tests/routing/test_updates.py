"""Rule 14: after dispatch only screening, location and mode revoke, and what follows at once."""

from dataclasses import replace

import pytest

from routing.model import Agency, Answer, AssignedUnit, Mode, Status, UnitId
from routing.updates import safety_change
from tests.routing.situations import ALL_NO, call, decide, gate, unit

MIDNIGHT_HOUR = 7  # UTC; the pilot is closed
PAIR = [unit("C1", "AB"), unit("S1", "KL")]


def care(status: str = "ENROUTE") -> AssignedUnit:
    return AssignedUnit(unit_id=UnitId("C9"), agency=Agency.CARE, status=Status(status))


POLICE = AssignedUnit(unit_id=UnitId("S9"), agency=Agency.SPD, status=Status.ENROUTE)


def change(incident, earlier=Mode.DUAL):
    answer = decide(PAIR, incident)
    return safety_change(incident, answer.gates, mode=answer.mode, earlier_mode=earlier)


def orders(found):
    return [(str(one.action), one.unit_ids) for one in found.orders]


def test_rule_14_a_call_type_or_hours_revoke_nothing_after_dispatch():
    dispatched = call(call_type="BURGLARY", assigned=(care(), POLICE))
    answer = decide(PAIR, dispatched)
    kind = gate(answer, "CALL_TYPE")
    assert (kind.result, kind.code) == ("PASS", "ALREADY_DISPATCHED")
    assert kind.further_codes == ("CALL_TYPE_NOT_MAPPED",)
    assert change(dispatched) is None
    before = decide(PAIR, call(call_type="BURGLARY"))
    assert before.outcome == "NOT_ELIGIBLE"


@pytest.mark.parametrize("question", ["weapon", "violence"])
def test_rule_14_harm_stops_care_that_drives_and_withdraws_care_that_is_there(question):
    armed = replace(ALL_NO, **{question: Answer.YES})
    driving = call(screening=armed, assigned=(care(), POLICE))
    assert orders(change(driving)) == [("STOP_AND_STAGE", ("C9",))]
    there = call(screening=armed, assigned=(care("ON_SCENE"), POLICE))
    assert orders(change(there)) == [("WITHDRAW", ("C9",))]
    assert "C9 withdraw" in change(there).message


def test_rule_14_care_without_police_gets_police_when_there_is_harm():
    armed = replace(ALL_NO, weapon=Answer.YES)
    alone = call(screening=armed, assigned=(care(),))
    assert orders(change(alone, Mode.SOLO)) == [("STOP_AND_STAGE", ("C9",)), ("SEND_SPD", ())]


def test_rule_14_a_call_that_is_no_longer_solo_gets_police():
    alone = call(requested_mode=Mode.DUAL, assigned=(care(),))
    assert orders(change(alone, Mode.SOLO)) == [("SEND_SPD", ())]
    assert change(alone, Mode.DUAL) is None


def test_rule_14_a_call_that_moves_out_of_every_zone_stops_care():
    moved = call("EJ", assigned=(care(), POLICE))
    found = change(moved)
    assert (orders(found), found.reasons) == (
        [("STOP_AND_STAGE", ("C9",))], ("OUTSIDE_ALL_ZONES",),
    )  # fmt: skip


def test_rule_14_nothing_to_revoke_before_care_is_on_the_call():
    armed = replace(ALL_NO, weapon=Answer.YES)
    assert change(call(screening=armed, assigned=(POLICE,))) is None
