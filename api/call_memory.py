"""What is remembered of a call, as a recommendation uses it (rules 6, 9 and 14).

What lives here: what a decision is told of the call's past (`recall`), and what is kept of the
decision (`remember`). What does not: how it is kept (`api.store.calls`), and what an update means
for units that are on the call (`routing.updates`).

A request with `as_of` has no past and leaves no trace: a replay must not hang on what is
remembered, nor change it.
"""

import datetime as dt
from typing import Final

from msgspec import Struct

from api.answer_writing import UNTOLD, Told
from api.errors import StoreError
from api.incident_schemas import alert_part
from api.read_request import RequestWarning
from api.request_schemas import IncidentEntry
from api.store.calls import CallStore, Decided, KnownCall, SafetyAlert
from routing.codes import Gate, GateOutcome
from routing.model import Incident, Recommendation
from routing.updates import safety_change


class Recalled(Struct, frozen=True, kw_only=True):
    """What is known of a call before it is decided."""

    calls: CallStore | None = None
    """Where the decision is kept; None where it is kept nowhere."""
    known: KnownCall | None = None
    """What may be used; None too when it is of a later version than the one asked about."""
    newer: KnownCall | None = None
    """What is known, where that is of a later version."""
    is_lost: bool = False
    """The store could not be reached."""


class Remembered(Struct, frozen=True, kw_only=True):
    """What became of a decision."""

    told: Told = UNTOLD
    """What the answer says of it."""
    alert: SafetyAlert | None = None
    """The newest alert of the call that nobody has acknowledged."""
    is_raised: bool = False
    """Whether this decision raised it."""
    known_version: int | None = None
    """Of the call, as it is known now."""
    is_applied: bool = False
    is_late: bool = False
    warnings: tuple[RequestWarning, ...] = ()
    decided: Decided | None = None
    """What was kept; None where nothing was."""


NO_PAST: Final = Recalled()
_LOST: Final = Recalled(is_lost=True)
NOTHING: Final = Remembered()


def recall(
    calls: CallStore | None, incident: IncidentEntry, *, as_of: dt.datetime | None
) -> Recalled:
    """Return what is known of a call that a request is about."""
    if calls is None or as_of is not None:
        return NO_PAST
    try:
        known = calls.known(incident.incident_id)
    except StoreError:
        return _LOST  # rule 12: it answers without
    if known is not None and known.version > incident.version:
        return Recalled(newer=known)
    return Recalled(calls=calls, known=known)


def remember(
    recalled: Recalled, incident: Incident, found: Recommendation, recommendation_id: str
) -> Remembered:
    """Keep a decision, and return what the answer says of the call's past."""
    if recalled.newer is not None:
        return late(recalled.newer)
    if recalled.calls is None:
        return _FORGOTTEN if recalled.is_lost else NOTHING
    known = recalled.known
    decided = _decided(known, incident, found, recommendation_id)
    call = recalled.calls.record(decided)
    if call is None:  # somebody else told a newer version meanwhile
        newer = recalled.calls.known(incident.incident_id)
        return NOTHING if newer is None else late(newer)
    before = () if known is None else known.alerts
    alert = call.alert if call.alerts else None
    return Remembered(
        told=_told(None if known is None else known.recommendation_id, alert),
        alert=alert,
        is_raised=call.alerts != before,
        known_version=call.version,
        is_applied=True,
        decided=decided,
    )


def late(newer: KnownCall) -> Remembered:
    """Return what is said of a version that is older than the one known: it changes nothing."""
    warning = RequestWarning(
        code="INCIDENT_VERSION_OLD",
        path="/incident/version",
        detail=f"version {newer.version} of this call is known; this one changes nothing",
    )
    alert = newer.alert
    return Remembered(
        told=_told(None, alert),
        alert=alert,
        known_version=newer.version,
        is_late=True,
        warnings=(warning,),
    )


def _told(supersedes: str | None, alert: SafetyAlert | None) -> Told:
    if alert is None:
        return UNTOLD if supersedes is None else Told(supersedes=supersedes)
    return Told(supersedes=supersedes, safety_changed=alert_part(alert).model_dump(mode="json"))


_FORGOTTEN: Final = Remembered(
    warnings=(
        RequestWarning(
            code="CALL_MEMORY_UNAVAILABLE",
            path="",
            detail="decided without what is remembered of this call",
        ),
    )
)


# -- what is kept of a decision -------------------------------------------------------------------


def _decided(
    known: KnownCall | None, incident: Incident, found: Recommendation, recommendation_id: str
) -> Decided:
    change = None
    if incident.assigned:
        earlier_mode = None if known is None else known.answering
        change = safety_change(incident, found.gates, mode=found.mode, earlier_mode=earlier_mode)
    return Decided(
        incident_id=found.incident_id,
        version=found.incident_version,
        outcome=found.outcome,
        mode=found.mode,
        recommendation_id=recommendation_id,
        decided_at=found.decided_at,
        unit_ids=_named(found),
        held_since=None if found.hold is None else found.hold.held_since,
        change=change,
        screened=not incident.assigned or _is_screened(found),
    )


def _named(found: Recommendation) -> tuple[str, ...]:
    """Return the units that are to go and are not on the call yet."""
    going = found.assign if found.hold is None else found.hold.send_now
    return tuple([unit.unit_id for unit in going if not unit.already_assigned])


def _is_screened(found: Recommendation) -> bool:
    return any(
        gate.gate is Gate.SCREENING and gate.result is not GateOutcome.NOT_EVALUATED
        for gate in found.gates
    )
