"""A call that waits, as it is kept: its request, what is known of it, its last recommendation.

What lives here: `Waiting`, how it is read from the store, and what of a recommendation counts as
another one. What does not: which calls wait (`api.store.sql_calls`, `keeping`).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from api.store.calls import KnownCall
from api.store.tables import change_state, changes, from_us, incidents, recommendations
from routing.codes import Agency, EstimateBasis, HoldReason, Mode, Outcome, ResolveOn, Role

WAITING_MAX: Final = 1_000
"""Calls that are looked after; of more, those that wait longest."""


class Named(Struct, frozen=True, kw_only=True):
    """A unit that is to go, or is on the call."""

    unit_id: str
    agency: Agency
    already_assigned: bool = False


class KeptHold(Struct, frozen=True, kw_only=True):
    """What a kept answer says of its HOLD."""

    missing: tuple[Agency, ...]
    reasons: tuple[HoldReason, ...]
    earliest_dispatch_at: datetime | None
    earliest_pair_at: datetime | None
    estimate_basis: EstimateBasis | None
    tentative: dict[Agency, str | None]
    send_now: tuple[Named, ...]
    held_since: datetime
    escalate_at: datetime
    escalated: bool
    escalate_to: Role
    resolve_on: tuple[ResolveOn, ...]


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """What of a kept answer the queue reads."""

    recommendation_id: str
    decided_at: datetime
    outcome: Outcome
    mode: Mode | None
    assign: tuple[Named, ...]
    hold: KeptHold | None

    @property
    def going(self) -> tuple[str, ...]:
        """Units that are to go now."""
        named = self.assign if self.hold is None else self.hold.send_now
        return tuple(sorted(unit.unit_id for unit in named if not unit.already_assigned))


class QueueEvent(StrEnum):
    """What became of a call that waits.

    DISPATCH, HOLD, NOT_ELIGIBLE: the outcome is another. ESCALATED: it waited until `escalate_at`.
    UNITS: other units are to go. REASONS: it waits for something else. TENTATIVE: another pair is
    expected. LEFT: it waits no more; `why` says for what reason.
    """

    DISPATCH = "DISPATCH"
    HOLD = "HOLD"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    ESCALATED = "ESCALATED"
    UNITS = "UNITS"
    REASONS = "REASONS"
    TENTATIVE = "TENTATIVE"
    LEFT = "LEFT"


class LeftWhy(StrEnum):
    """Why a call waits no more.

    ASSIGNED: all that it needs is on it. NOT_ELIGIBLE: it is not one for the programme any more.
    AGED_OUT: it waited longer than any call may. UNREADABLE: its request can no longer be decided.
    """

    ASSIGNED = "ASSIGNED"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    AGED_OUT = "AGED_OUT"
    UNREADABLE = "UNREADABLE"


ASKED_MAX: Final = 10_000
"""Changes, the last of the feed, among which one looks for calls that were to be looked at."""
TENTATIVE_S: Final = 30
"""How long a tentative pair stands before another is announced for nothing else."""


def change_of(before: KeptAnswer, after: KeptAnswer) -> QueueEvent | None:
    """Return what a later answer says that the earlier did not; None when nothing that matters."""
    if before.outcome is not after.outcome:
        return QueueEvent(after.outcome)
    was, now = before.hold, after.hold
    if now is not None and now.escalated and not (was and was.escalated):
        return QueueEvent.ESCALATED
    if before.going != after.going or before.mode is not after.mode:
        return QueueEvent.UNITS
    if was is None or now is None:
        return None
    if (was.missing, _plain(was.reasons)) != (now.missing, _plain(now.reasons)):
        return QueueEvent.REASONS
    stands = after.decided_at - before.decided_at < timedelta(seconds=TENTATIVE_S)
    if was.tentative != now.tentative and not stands:
        return QueueEvent.TENTATIVE
    return None


def _plain(reasons: Iterable[HoldReason]) -> set[HoldReason]:
    """Return reasons without the difference that only the queue makes.

    A unit that a call of the same batch has is told apart from one that another call was promised;
    for the one that waits they are the same.
    """
    taken = {HoldReason.TAKEN_IN_BATCH: HoldReason.NO_UNIT_QUALIFIED}
    return {taken.get(reason, reason) for reason in reasons}


class _SentIncident(Struct, frozen=True):
    priority: Any = None


class _SentRequest(Struct, frozen=True):
    incident: _SentIncident = _SentIncident()
    units: Any = None


class Waiting(Struct, frozen=True, kw_only=True):
    """One call that waits, or is to be looked at once."""

    call: KnownCall
    is_pending: bool
    since: datetime
    request: bytes
    answer: KeptAnswer | None
    """None where the recommendation is no longer kept."""
    priority: int
    """From the request, 1 is the highest; LAST where it has none."""
    has_units: bool
    """Whether the request brought its own units, so that the roster says nothing about it."""

    @property
    def incident_id(self) -> str:
        """Id of the call."""
        return self.call.incident_id

    @property
    def is_assigned(self) -> bool:
        """Whether all that it needs is on it already."""
        answer = self.answer
        if answer is None or answer.outcome is not Outcome.DISPATCH:
            return False
        there = {one.unit_id for one in self.call.on_call}
        return all(unit.already_assigned or unit.unit_id in there for unit in answer.assign)

    @property
    def timers(self) -> tuple[datetime, ...]:
        """Instants at which it is looked at even if nothing happens."""
        hold = None if self.answer is None else self.answer.hold
        if hold is None:
            return ()
        found = () if hold.escalated else (hold.escalate_at,)
        return found if hold.earliest_dispatch_at is None else (*found, hold.earliest_dispatch_at)

    @property
    def is_escalated(self) -> bool:
        """Whether it waits longer than it should."""
        hold = None if self.answer is None else self.answer.hold
        return hold is not None and hold.escalated

    @property
    def order(self) -> tuple[int, bool, datetime, str]:
        """The most urgent first, then the one that waits longest."""
        return self.priority, not self.is_escalated, self.since, self.incident_id


LAST: Final = 2**31

_CALL: Final = msgspec.json.Decoder(KnownCall)
_ANSWER: Final = msgspec.json.Decoder(KeptAnswer)
_SENT: Final = msgspec.json.Decoder(_SentRequest)


def answer_read(body: bytes) -> KeptAnswer:
    """Return what of an answer the queue reads."""
    return _ANSWER.decode(body)


def read_waiting(
    connection: Connection, incident_ids: Collection[str] | None = None
) -> Mapping[str, Waiting]:
    """Return calls by their ids: all that wait, or those that are asked for, waiting or not."""
    asked = select(
        incidents.c.body,
        incidents.c.is_pending,
        incidents.c.pending_since,
        incidents.c.request,
        incidents.c.touched_at,
    ).where(incidents.c.request.is_not(None))
    if incident_ids is None:
        asked = asked.where(incidents.c.is_pending).order_by(incidents.c.pending_since)
        asked = asked.limit(WAITING_MAX)
    else:
        asked = asked.where(incidents.c.incident_id.in_(list(incident_ids)))
    rows = [(_CALL.decode(row.body), row) for row in connection.execute(asked)]
    answers = _answers(connection, [call.recommendation_id for call, _ in rows])
    return {
        call.incident_id: _waiting(call, row, answers.get(call.recommendation_id))
        for call, row in rows
    }


def read_asked(connection: Connection) -> Mapping[str, Waiting]:
    """Return calls that do not wait and were to be looked at, and had no other answer since.

    Whoever was to look may have ended before it did.
    """
    newest = select(change_state.c.head).scalar_subquery()
    asked = select(changes.c.key, changes.c.at, changes.c.body).where(
        changes.c.change_id > newest - ASKED_MAX, changes.c.topic == "queue"
    )
    at = {
        row.key: from_us(row.at)
        for row in connection.execute(asked.order_by(changes.c.change_id))
        if "event" not in msgspec.json.decode(row.body)
    }
    found = read_waiting(connection, at.keys()) if at else {}
    return {
        name: one
        for name, one in found.items()
        if not one.is_pending and one.call.decided_at < at[name]
    }


def _answers(connection: Connection, ids: Collection[str]) -> dict[str, KeptAnswer]:
    wanted = recommendations.c.recommendation_id
    asked = select(wanted, recommendations.c.answer).where(wanted.in_(list(ids)))
    return {name: answer_read(body) for name, body in connection.execute(asked)}


def _waiting(call: KnownCall, row: Any, answer: KeptAnswer | None) -> Waiting:
    sent = _sent(row.request)
    priority = sent.incident.priority
    return Waiting(
        call=call,
        is_pending=row.is_pending,
        since=from_us(row.pending_since or row.touched_at),
        request=row.request,
        answer=answer,
        priority=priority if isinstance(priority, int) else LAST,
        has_units=sent.units is not None,
    )


def _sent(request: bytes) -> _SentRequest:
    try:
        return _SENT.decode(request)
    except msgspec.MsgspecError:
        return _SentRequest()
