"""What the API description says of remembered calls and their alerts, and the links to them."""

from typing import Any, Final

from api.call_examples import read_call_examples
from api.incident_schemas import (
    AcknowledgeWrite,
    AlertAnswer,
    AlertsAnswer,
    IncidentAnswer,
    IncidentWritten,
)
from api.openapi_roster import BODY_REFUSALS, NO_ID, Described, describe_operations
from api.request_schemas import RecommendRequest

ONE_INCIDENT: Final = "/v1/incidents/{incident_id}"
ALERTS: Final = "/v1/alerts"
ACKNOWLEDGE: Final = "/v1/alerts/{alert_id}/acknowledge"

NOT_KNOWN: Final = {"404": "Nothing is remembered of this call."}
NO_ALERT: Final = {"404": "No safety alert has this id."}
LOST: Final = {"503": "The memory of calls cannot be reached; ask again after Retry-After."}
NOT_READY: Final = {"503": "Not ready yet; ask again after Retry-After."}

CALL_OPERATIONS: Final = (
    Described(
        path=ONE_INCIDENT,
        method="put",
        request=RecommendRequest,
        answers={"200": ("Applied, or late", IncidentWritten, ("FIRST", "WEAPON", "LATE"))},
        refusals=BODY_REFUSALS | NO_ID | NOT_READY,
    ),
    Described(
        path=ONE_INCIDENT,
        method="get",
        answers={"200": ("The call", IncidentAnswer, ("KNOWN",))},
        refusals=NOT_KNOWN | LOST,
    ),
    Described(
        path=ALERTS,
        method="get",
        answers={"200": ("Open alerts, oldest first", AlertsAnswer, ("ALERTS",))},
        refusals=LOST,
    ),
    Described(
        path=ACKNOWLEDGE,
        method="post",
        request=AcknowledgeWrite,
        answers={"200": ("Acknowledged, now or before", AlertAnswer, ("ACKNOWLEDGED",))},
        refusals=BODY_REFUSALS | NO_ALERT | LOST,
    ),
)

CALL_REQUESTS: Final = (AcknowledgeWrite,)
CALL_ANSWERS: Final = (IncidentWritten, IncidentAnswer, AlertsAnswer, AlertAnswer)


def describe_calls(paths: dict[str, Any], reference: str) -> None:
    """Complete the operations of calls; `reference` is the place of a model by its name."""
    describe_operations(CALL_OPERATIONS, read_call_examples(), paths, reference)
    paths[ONE_INCIDENT]["put"]["responses"]["200"]["links"] = {
        "known": link_to_incident("What is known of the call now"),
        "acknowledge": _link_to_alert("$response.body#/safety_changed/alert_id"),
    }
    paths[ALERTS]["get"]["responses"]["200"]["links"] = {
        "acknowledge": _link_to_alert("$response.body#/alerts/0/alert_id"),
    }


def link_to_incident(meaning: str) -> dict[str, Any]:
    """Return a link from an answer that has an incident_id to what is known of the call."""
    return {
        "operationId": "get_incident",
        "description": meaning,
        "parameters": {"incident_id": "$response.body#/incident_id"},
    }


def _link_to_alert(alert_id: str) -> dict[str, Any]:
    return {
        "operationId": "acknowledge_alert",
        "description": "Somebody has seen to the alert",
        "parameters": {"alert_id": alert_id},
    }
