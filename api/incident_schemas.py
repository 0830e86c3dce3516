"""What is sent and answered about calls that are remembered, field by field.

A call is told in the request of a recommendation (`request_schemas`). Answers have every key
always, instants in UTC.
"""

from api.answer_schemas import (
    OperatorPart,
    Part,
    RecommendAnswer,
    SafetyChangedPart,
    SafetyOrderPart,
    UtcInstant,
    WarningPart,
)
from api.request_schemas import Entry, OperatorEntry
from api.store.calls import SafetyAlert
from routing.codes import Mode, Outcome


class AcknowledgeWrite(Entry):
    """POST /v1/alerts/{alert_id}/acknowledge: who has seen to it."""

    operator: OperatorEntry


# -- answers --------------------------------------------------------------------------------------


class IncidentWritten(Part):
    """What became of an update of a call."""

    incident_id: str
    version: int
    """That was sent."""
    known_version: int | None
    """That is known now: a later one where this one came late; null where `as_of` was asked for."""
    applied: bool
    """False: a later version is known, or `as_of` was asked for; nothing changed."""
    recommendation: RecommendAnswer | None
    """Null for a version that came late."""
    safety_changed: SafetyChangedPart | None
    """The newest safety alert of this call that nobody has acknowledged."""
    warnings: list[WarningPart]
    """Those of the recommendation too."""


class IncidentAnswer(Part):
    """What is known of a call: its last recommendation, in short."""

    incident_id: str
    version: int
    outcome: Outcome
    mode: Mode | None
    recommendation_id: str
    decided_at: UtcInstant
    unit_ids: list[str]
    """Units that it named and that were not on the call yet."""
    held_since: UtcInstant | None
    """Since when it is on HOLD without interruption."""
    safety_changed: SafetyChangedPart | None
    """The newest safety alert that nobody has acknowledged."""


class AlertsAnswer(Part):
    """Safety alerts that nobody has acknowledged, oldest first."""

    alerts: list[SafetyChangedPart]


class AlertAnswer(Part):
    """One safety alert, acknowledged now or before."""

    alert: SafetyChangedPart
    warnings: list[WarningPart]


def alert_part(alert: SafetyAlert) -> SafetyChangedPart:
    """Return an alert as it is sent."""
    by = alert.acknowledged_by
    return SafetyChangedPart(
        alert_id=alert.alert_id,
        incident_id=alert.incident_id,
        raised_at=alert.raised_at,
        reasons=list(alert.reasons),
        orders=[SafetyOrderPart.model_validate(order) for order in alert.orders],
        message=alert.message,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=None if by is None else OperatorPart(id=by.operator_id, role=by.role),
    )
