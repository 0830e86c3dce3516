"""What can be done with calls that are remembered, without HTTP.

`update_incident`, and what is read and answered around calls and alerts. A recommendation remembers
its call as well (`operations`); an update differs in one thing: a version that comes late is not
decided at all.
"""

from dataclasses import dataclass
from typing import Final

from msgspec import Raw
from msgspec.json import Encoder

from api.answer_schemas import WarningPart
from api.asserted_roles import require_asserted
from api.auth.principal import LOCAL, Principal
from api.call_memory import Remembered, late, recall
from api.errors import InvalidRequest, NoSuchAlert, NoSuchIncident, Problem
from api.incident_schemas import (
    AcknowledgeWrite,
    AlertAnswer,
    AlertsAnswer,
    IncidentAnswer,
    alert_part,
)
from api.live_view import LiveView
from api.mending import Leniency, read_leniently
from api.operations import (
    Answered,
    Manner,
    Stopwatch,
    answer_read,
    require_place,
)
from api.read_request import RequestWarning, bounded, read_request, unknown_fields
from api.request_schemas import IncidentEntry
from api.store.calls import Acknowledged, CallStore, KnownCall
from api.store.records import Operator

_STRICT: Final = Leniency(rows={}, mendable=frozenset())
_ENCODER: Final = Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """What became of an update, as values and as bytes."""

    answered: Answered | None
    """None for a version that came late, which is not decided."""
    remembered: Remembered
    warnings: tuple[RequestWarning, ...]
    body: bytes


def update_incident(view: LiveView, incident_id: str, body: bytes, manner: Manner) -> Updated:
    """Take a version of a call, decide it and remember it, unless a later one is known.

    Raises
    ------
    InvalidRequest
        The call cannot be understood, is another than the one in the address, or lies where the
        network has no streets.
    OperatorRoleNotAllowed
        The caller may not assert a role that the request asserts.
    """
    watch = Stopwatch()
    watch.begin("read")
    read = read_request(body, view.release.status_of)
    incident = read.request.incident
    if incident.incident_id != incident_id:
        raise _other_incident()
    require_asserted(manner.by, read.request.operator, (incident,))
    require_place(view.situation.network, incident.location)
    asked = read.request
    past = recall(manner.calls, asked.incident, as_of=asked.as_of)
    if past.newer is not None:
        remembered = late(past.newer)
        warnings = bounded([*remembered.warnings, *read.warnings])
        written = _written(incident, remembered, warnings, None)
        return Updated(answered=None, remembered=remembered, warnings=warnings, body=written)
    answered = answer_read(view, read, watch, manner)
    warnings = tuple(answered.warnings)
    return Updated(
        answered=answered,
        remembered=answered.remembered,
        warnings=warnings,
        body=_written(incident, answered.remembered, warnings, answered.body),
    )


def _other_incident() -> InvalidRequest:
    problem = Problem(
        path="/incident/incident_id",
        code="INCIDENT_ID_MISMATCH",
        detail="names another call than the address",
        remedy="Send the same incident_id in both, percent-encoded in the address.",
    )
    return InvalidRequest(
        f"{problem.path}: {problem.detail}.", remedy=problem.remedy, problems=(problem,)
    )


def _written(
    incident: IncidentEntry,
    remembered: Remembered,
    warnings: tuple[RequestWarning, ...],
    recommendation: bytes | None,
) -> bytes:
    """Return the answer as JSON (`IncidentWritten`), the recommendation's bytes as they are."""
    return _ENCODER.encode(
        {
            "incident_id": incident.incident_id,
            "version": incident.version,
            "known_version": remembered.known_version,
            "applied": remembered.is_applied,
            "recommendation": None if recommendation is None else Raw(recommendation),
            "safety_changed": remembered.told.safety_changed,
            "warnings": warnings,
        }
    )


def incident_answer(known: KnownCall | None) -> IncidentAnswer:
    """Return what is known of a call.

    Raises
    ------
    NoSuchIncident
        Nothing is.
    """
    if known is None:
        raise NoSuchIncident(
            "Nothing is remembered of this call.",
            remedy="PUT /v1/incidents/{incident_id} tells it; after a restart all are to be told.",
        )
    alert = known.alert
    return IncidentAnswer(
        incident_id=known.incident_id,
        version=known.version,
        outcome=known.outcome,
        mode=known.mode,
        recommendation_id=known.recommendation_id,
        decided_at=known.decided_at,
        unit_ids=list(known.unit_ids),
        held_since=known.held_since,
        safety_changed=None if alert is None else alert_part(alert),
    )


def list_alerts(calls: CallStore) -> AlertsAnswer:
    """Return all alerts that nobody has acknowledged, oldest first."""
    return AlertsAnswer(alerts=[alert_part(alert) for alert in calls.open_alerts()])


def read_acknowledgement(body: bytes, by: Principal = LOCAL) -> tuple[Operator, list[WarningPart]]:
    """Return who acknowledges, and the fields that are not known.

    Raises
    ------
    InvalidRequest
        Nobody says who acknowledges.
    OperatorRoleNotAllowed
        The caller may not assert the operator's role.
    """
    told, _ = read_leniently(AcknowledgeWrite, body, _STRICT)
    require_asserted(by, told.operator)
    unknown = unknown_fields(
        (at, entry)
        for at, entry in (((), told), (("operator",), told.operator))
        if entry.__pydantic_extra__
    )
    operator = Operator(operator_id=told.operator.id, role=told.operator.role)
    return operator, [WarningPart.model_validate(warning) for warning in unknown]


def acknowledgement_answer(done: Acknowledged | None, warnings: list[WarningPart]) -> AlertAnswer:
    """Return the alert with who acknowledged it: of several the first stands.

    Raises
    ------
    NoSuchAlert
        No alert has this id.
    """
    if done is None:
        raise NoSuchAlert(
            "No safety alert has this id.",
            remedy="GET /v1/alerts lists those that nobody has acknowledged.",
        )
    return AlertAnswer(alert=alert_part(done.alert), warnings=warnings)
