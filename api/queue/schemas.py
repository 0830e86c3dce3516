"""What GET /v1/pending answers, field by field."""

import datetime as dt
from collections.abc import Sequence

from api.answer_schemas import Part, UtcInstant
from api.queue.waiting import LAST, Waiting
from routing.codes import Agency, EstimateBasis, HoldReason, Mode, Outcome, ResolveOn, Role


class PendingPart(Part):
    """One call that waits."""

    incident_id: str
    version: int
    priority: int | None
    """1 is the highest; null where the request had none."""
    outcome: Outcome
    """HOLD; or DISPATCH, which the queue found and nobody has confirmed yet."""
    mode: Mode | None
    recommendation_id: str
    """The last one about this call."""
    decided_at: UtcInstant
    pending_since: UtcInstant
    held_since: UtcInstant | None
    """Since when it is on HOLD without interruption."""
    escalate_at: UtcInstant | None
    escalated: bool
    escalate_to: Role | None
    missing: list[Agency]
    reasons: list[HoldReason]
    tentative: dict[Agency, str | None]
    """The pair that is expected."""
    unit_ids: list[str]
    """Units that are to go now and are not on the call: the pair, or who goes while it waits."""
    on_call_ids: list[str]
    """Units that are on the call by a claim or a report."""
    earliest_dispatch_at: UtcInstant | None
    earliest_pair_at: UtcInstant | None
    estimate_basis: EstimateBasis | None
    resolve_on: list[ResolveOn]
    next_look_at: UtcInstant | None
    """When it is looked at even if nothing happens until then."""


class PendingAnswer(Part):
    """The calls that wait, the most urgent first."""

    calls: list[PendingPart]


def pending_answer(waiting: Sequence[Waiting], now: dt.datetime) -> PendingAnswer:
    """Return calls that wait as they are sent."""
    return PendingAnswer(calls=[_part(one, now) for one in waiting])


def _part(one: Waiting, now: dt.datetime) -> PendingPart:
    call, answer = one.call, one.answer
    hold = None if answer is None else answer.hold
    return PendingPart(
        incident_id=call.incident_id,
        version=call.version,
        priority=None if one.priority == LAST else one.priority,
        outcome=call.outcome,
        mode=call.mode,
        recommendation_id=call.recommendation_id,
        decided_at=call.decided_at,
        pending_since=one.since,
        held_since=call.held_since,
        escalate_at=hold.escalate_at if hold else None,
        escalated=one.is_escalated,
        escalate_to=hold.escalate_to if hold else None,
        missing=list(hold.missing) if hold else [],
        reasons=list(hold.reasons) if hold else [],
        tentative=hold.tentative if hold else {},
        unit_ids=list(answer.going) if answer else [],
        on_call_ids=[unit.unit_id for unit in call.on_call],
        earliest_dispatch_at=hold.earliest_dispatch_at if hold else None,
        earliest_pair_at=hold.earliest_pair_at if hold else None,
        estimate_basis=hold.estimate_basis if hold else None,
        resolve_on=list(hold.resolve_on) if hold else [],
        next_look_at=min((at for at in one.timers if at > now), default=None),
    )
