"""Calls that wait are decided again together, and what is another now is made ready to be kept.

Done in the thread of the batches. Calls that exclude units of their own, or brought their units
with the request, cannot share a batch with the others: they are decided after them, and no unit
that is named already is named again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from api.errors import TandemError
from api.live_view import LiveView
from api.operations import Clock
from api.queue.keeping import Looked
from api.queue.waiting import KeptAnswer, QueueEvent, Waiting, answer_read, change_of
from api.recording import Record
from api.solver_process import SolverProcess
from api.store.calls import (
    Acknowledged,
    CallStore,
    Decided,
    KnownCall,
    MemoryCalls,
    SafetyAlert,
    following,
)
from api.store.records import Operator
from routing.codes import Outcome

if TYPE_CHECKING:
    from api.batch_operations import BatchAnswered, Decider

RecordsOf = Callable[["BatchAnswered", bytes], list[Record]]
COMPETING_S_MAX: Final = 900
"""How long the police work that a request named is believed to wait still (an assumption)."""


class Means(Struct, frozen=True, kw_only=True):
    """What calls are decided with."""

    view: LiveView
    calls: MemoryCalls
    now: Clock
    decide: "Decider"
    solver: SolverProcess
    records_of: RecordsOf


class Found(Struct, frozen=True, kw_only=True):
    """What a look found."""

    looked: tuple[Looked, ...]
    """Calls of which something else is to be said now."""
    unreadable: tuple[Waiting, ...]
    seen: int
    """Calls that were decided."""
    roster_version: int
    """Of the roster that they were decided with."""
    again_at: datetime | None
    """When a unit that another call was promised may be named for these."""


class _Peeking:
    """A memory of calls that is read and never changed: most of what is decided is not kept."""

    shared: Final = True

    def __init__(self, calls: CallStore) -> None:
        self._calls = calls

    def known(self, incident_id: str) -> KnownCall | None:
        return self._calls.known(incident_id)

    def record(self, decided: Decided) -> KnownCall | None:
        return following(self._calls.known(decided.incident_id), decided)

    def open_alerts(self) -> tuple[SafetyAlert, ...]:
        return self._calls.open_alerts()

    def acknowledge(self, alert_id: str, operator: Operator, at: datetime) -> Acknowledged | None:
        raise NotImplementedError

    def count(self) -> int:
        return self._calls.count()

    def close(self) -> None:
        return


def look(waiting: Sequence[Waiting], means: Means) -> Found:
    """Decide calls again, the most urgent first where not all can be decided together."""
    named, again_at = promised(waiting, means)
    looked, unreadable, seen = list[Looked](), list[Waiting](), 0
    for group in _groups(waiting):
        answered = _answered(group, named, means)
        for one in group:
            if one.incident_id not in answered:
                unreadable.append(one)
                continue
            record = answered[one.incident_id]
            answer = answer_read(record.answer)
            seen += 1
            named.update(answer.going)
            event = _event_of(one, answer)
            if event is not None and record.decided is not None:
                kept = replace(record, request=None)
                looked.append(Looked(waiting=one, event=event, answer=answer, record=kept))
    return Found(
        looked=tuple(looked),
        unreadable=tuple(unreadable),
        seen=seen,
        roster_version=means.view.roster_version,
        again_at=again_at,
    )


def promised(waiting: Sequence[Waiting], means: Means) -> tuple[set[str], datetime | None]:
    """Return the units that valid recommendations name for other calls, and until when at least.

    Nobody may have confirmed them yet; once somebody has, they are claimed.
    """
    valid = timedelta(seconds=means.view.situation.policy.valid_for_s)
    names = {one.incident_id for one in waiting}
    others = [
        call
        for call in means.calls.decided_since(means.now() - valid)
        if call.outcome is Outcome.DISPATCH and call.incident_id not in names and call.unit_ids
    ]
    units = {unit_id for call in others for unit_id in call.unit_ids}
    return units, min((call.decided_at + valid for call in others), default=None)


def _event_of(one: Waiting, answer: KeptAnswer) -> QueueEvent | None:
    """Return what is to be said of a call now, if anything.

    A call that did not wait lost what it had: whoever is to go now is told, even if it is the same.
    """
    changed = None if one.answer is None else change_of(one.answer, answer)
    if changed is None and not one.is_pending and (answer.going or answer.hold is not None):
        return QueueEvent(answer.outcome)
    return changed


def _groups(waiting: Sequence[Waiting]) -> Iterable[list[Waiting]]:
    """Yield calls that can be decided together."""
    shared, alone = list[Waiting](), list[Waiting]()
    for one in sorted(waiting, key=lambda one: one.order):
        sent = _sent(one)
        apart = one.has_units or bool(sent.get("exclude_unit_ids"))
        (alone if apart else shared).append(one)
    if shared:
        yield shared
    for one in alone:
        yield [one]


def _answered(group: Sequence[Waiting], named: Iterable[str], means: Means) -> Mapping[str, Record]:
    """Return the record of each call that could be decided, by its id."""
    from api.batch_operations import recommend_together  # brings the solver: 0.1 s of a start

    body = _body(group, named, means.now())
    try:
        answered = recommend_together(
            means.view,
            body,
            now=means.now,
            decide=means.decide,
            calls=_Peeking(means.calls),
            solve=means.solver.solve,
        )
    except TandemError:
        return {}
    return {record.incident_id: record for record in means.records_of(answered, body)}


def _body(group: Sequence[Waiting], named: Iterable[str], now: datetime) -> bytes:
    """Return the request of a batch, as a CAD would send it."""
    sent = [_sent(one) for one in group]
    first, latest = sent[0], max(zip(group, sent, strict=True), key=lambda one: one[0].since)
    is_recent = now - latest[0].since <= timedelta(seconds=COMPETING_S_MAX)
    own = (first.get("exclude_unit_ids") or []) if len(group) == 1 else []
    excluded = [*own, *named]
    request: dict[str, Any] = {
        "incidents": [one.get("incident") for one in sent],
        "exclude_unit_ids": list(dict.fromkeys(excluded)),
        "competing": (latest[1].get("competing") or []) if is_recent else [],
    }
    if group[0].has_units:
        request["units"] = first["units"]
    return msgspec.json.encode(request)


def _sent(one: Waiting) -> dict[str, Any]:
    try:
        sent = msgspec.json.decode(one.request)
    except msgspec.MsgspecError:
        return {}
    return sent if isinstance(sent, dict) else {}
