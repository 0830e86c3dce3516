"""What the API description says of the calls that wait; its example is made by what writes it."""

import datetime as dt
from typing import Any, Final

from api.openapi_roster import Described, describe_operations
from api.queue.schemas import PendingAnswer, pending_answer
from api.queue.waiting import KeptAnswer, KeptHold, Named, Waiting
from api.store.calls import KnownCall
from routing.codes import Agency, EstimateBasis, HoldReason, Mode, Outcome, ResolveOn, Role

PENDING: Final = "/v1/pending"
QUEUE_ANSWERS: Final = (PendingAnswer,)

_AT: Final = dt.datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=dt.UTC)
_SECOND: Final = dt.timedelta(seconds=1)
_ID: Final = "rec_01K0P2V8S6EXAMPLE000000000"
_POLICE: Final = "2M1#20260721B"
_CARE: Final = "CARE-1#20260721A"


def _call() -> KnownCall:
    return KnownCall(
        incident_id="2026000214301",
        version=3,
        outcome=Outcome.HOLD,
        mode=Mode.DUAL,
        recommendation_id=_ID,
        decided_at=_AT,
        unit_ids=(_POLICE,),
        held_since=_AT,
        answering=Mode.DUAL,
        change=None,
    )


def _hold() -> KeptHold:
    return KeptHold(
        missing=(Agency.CARE,),
        reasons=(HoldReason.NO_UNIT_AVAILABLE,),
        earliest_dispatch_at=_AT + 540 * _SECOND,
        earliest_pair_at=_AT + 870 * _SECOND,
        estimate_basis=EstimateBasis.CAD_EXPECTED_CLEAR,
        tentative={Agency.CARE: _CARE, Agency.SPD: _POLICE},
        send_now=(Named(unit_id=_POLICE, agency=Agency.SPD),),
        held_since=_AT,
        escalate_at=_AT + 900 * _SECOND,
        escalated=False,
        escalate_to=Role.SUPERVISOR,
        resolve_on=(ResolveOn.UNIT_CHANGE, ResolveOn.TIMER),
    )


def example() -> dict[str, Any]:
    """Return one call that waits, as it is sent."""
    answer = KeptAnswer(
        recommendation_id=_ID,
        decided_at=_AT,
        outcome=Outcome.HOLD,
        mode=Mode.DUAL,
        assign=(),
        hold=_hold(),
    )
    waiting = Waiting(
        call=_call(),
        is_pending=True,
        since=_AT,
        request=b"{}",
        answer=answer,
        priority=3,
        has_units=False,
    )
    return pending_answer([waiting], _AT + _SECOND).model_dump(mode="json")


def describe_queue(paths: dict[str, Any], reference: str) -> None:
    """Complete the operation; `reference` is the place of a model by its name."""
    one = Described(
        path=PENDING,
        method="get",
        answers={"200": ("The most urgent first", PendingAnswer, ("PENDING",))},
        refusals={"503": "Not ready, or the service keeps no store; ask again after Retry-After."},
    )
    describe_operations((one,), {"PENDING": {"answer": example()}}, paths, reference)
