"""What counts as another answer about a call that waits."""

import datetime as dt
from typing import Any

import pytest

from api.queue.waiting import TENTATIVE_S, KeptAnswer, KeptHold, Named, QueueEvent, change_of
from routing.codes import Agency, HoldReason, Mode, Outcome, Role
from tests.api.call_story import NOW

LATER = NOW + dt.timedelta(seconds=TENTATIVE_S)
CARE = Named(unit_id="C1", agency=Agency.CARE)
SPD = Named(unit_id="S1", agency=Agency.SPD)


def hold(**changes: Any) -> KeptHold:
    values: dict[str, Any] = {
        "missing": (Agency.CARE,), "reasons": (HoldReason.NO_UNIT_AVAILABLE,),
        "earliest_dispatch_at": NOW, "earliest_pair_at": NOW, "estimate_basis": None,
        "tentative": {Agency.CARE: "C1", Agency.SPD: "S1"}, "send_now": (SPD,), "held_since": NOW,
        "escalate_at": NOW, "escalated": False, "escalate_to": Role.SUPERVISOR, "resolve_on": (),
    }  # fmt: skip
    return KeptHold(**values | changes)


def held(**changes: Any) -> KeptAnswer:
    return answer(Outcome.HOLD, hold=hold(**changes))


def answer(outcome: Outcome, **changes: Any) -> KeptAnswer:
    values: dict[str, Any] = {
        "recommendation_id": "rec_1", "decided_at": NOW, "mode": Mode.DUAL, "assign": (),
        "hold": None,
    }  # fmt: skip
    return KeptAnswer(outcome=outcome, **values | changes)


PAIR = answer(Outcome.DISPATCH, assign=(CARE, SPD))


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (held(), PAIR, QueueEvent.DISPATCH),
        (PAIR, held(), QueueEvent.HOLD),
        (held(), answer(Outcome.NOT_ELIGIBLE), QueueEvent.NOT_ELIGIBLE),
        (held(), held(escalated=True), QueueEvent.ESCALATED),
        (held(escalated=True), held(escalated=True), None),
        (PAIR, answer(Outcome.DISPATCH, assign=(CARE,)), QueueEvent.UNITS),
        (PAIR, answer(Outcome.DISPATCH, assign=(SPD, CARE)), None),
        (held(), held(send_now=()), QueueEvent.UNITS),
        (held(), held(reasons=(HoldReason.RESERVE,)), QueueEvent.REASONS),
        (held(), held(missing=(Agency.SPD,)), QueueEvent.REASONS),
        (
            held(reasons=(HoldReason.TAKEN_IN_BATCH,)),
            held(reasons=(HoldReason.NO_UNIT_QUALIFIED,)),
            None,
        ),
        (held(), held(tentative={Agency.CARE: "C2"}), None),
        (held(), held(earliest_pair_at=LATER), None),
    ],
)
def test_what_matters_is_told_and_nothing_else(
    before: KeptAnswer, after: KeptAnswer, event: QueueEvent | None
) -> None:
    assert change_of(before, after) is event


def test_another_tentative_pair_is_told_when_the_one_before_stood_for_a_while() -> None:
    after = answer(Outcome.HOLD, hold=hold(tentative={Agency.CARE: "C2"}), decided_at=LATER)
    assert change_of(held(), after) is QueueEvent.TENTATIVE
