"""A CAD's own words for the status of a unit, as the release maps them to ours.

What lives here: the mapping of a request's units, on duty and assigned. What does not: a word that
nobody has mapped, which stays as it is, reads as UNKNOWN and is named in a warning.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from api.batch_schemas import RecommendBatchRequest
from api.request_schemas import AssignedEntry, IncidentEntry, RecommendRequest, UnitEntry
from routing.codes import Status
from routing.policy import normalised

_OURS: Final = frozenset(Status)
_Unit = TypeVar("_Unit", UnitEntry, AssignedEntry)


def with_our_statuses(
    request: RecommendRequest, status_of: Mapping[str, Status]
) -> RecommendRequest:
    """Return a request with mapped words in place of the CAD's; itself when there are none.

    Parameters
    ----------
    status_of
        `Release.status_of`: ours by the CAD's text, normalised. Our own names are never mapped.
    """
    if not status_of:
        return request
    units = _mapped(request.units or (), status_of)
    incident = _incident_with_our_statuses(request.incident, status_of)
    if units is not None:
        request = request.model_copy(update={"units": units})
    if incident is not request.incident:
        request = request.model_copy(update={"incident": incident})
    return request


def batch_with_our_statuses(
    request: RecommendBatchRequest, status_of: Mapping[str, Status]
) -> RecommendBatchRequest:
    """Return the same of a batch."""
    if not status_of:
        return request
    units = _mapped(request.units or (), status_of)
    incidents = [_incident_with_our_statuses(one, status_of) for one in request.incidents]
    return request.model_copy(
        update={"incidents": incidents, "units": request.units if units is None else units}
    )


def _incident_with_our_statuses(
    incident: IncidentEntry, status_of: Mapping[str, Status]
) -> IncidentEntry:
    assigned = _mapped(incident.assigned, status_of)
    return incident if assigned is None else incident.model_copy(update={"assigned": assigned})


def _mapped(units: Sequence[_Unit], status_of: Mapping[str, Status]) -> list[_Unit] | None:
    """Return the units with our statuses, or None when that changes nothing."""
    found = {
        place: status_of[text]
        for place, unit in enumerate(units)
        if unit.status not in _OURS and (text := normalised(unit.status)) in status_of
    }
    if not found:
        return None
    mapped = list(units)
    for place, status in found.items():
        mapped[place] = units[place].model_copy(update={"status": str(status)})
    return mapped
