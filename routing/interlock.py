"""Whether police may leave a call that CARE is on: advice and alert, never a refusal (rule 5).

What lives here: what an answer says about it, from the units that the CAD reports on the call. What
does not: recording that an officer left, which is a fact whatever this says (rule 11).
"""

from collections.abc import Iterator
from typing import Final

from routing.answer import AnswerWarning
from routing.codes import Agency, Status, WarningCode
from routing.model import AssignedUnit, Incident

_GONE: Final = frozenset(
    {Status.AVAILABLE, Status.OFF_DUTY, Status.OUT_OF_SERVICE, Status.BUSY, Status.TRANSPORTING}
)
"""What a unit's status says when it has left the call that still lists it."""


def may_leave(incident: Incident) -> bool:
    """Tell whether police may be released: the scene is safe, and CARE is there."""
    there = any(
        unit.agency is Agency.CARE and unit.status is Status.ON_SCENE for unit in incident.assigned
    )
    return there and incident.scene_safe_at is not None


def of_release(incident: Incident) -> Iterator[AnswerWarning]:
    """Yield the advice that police may leave, or the alert that they left too early."""
    by_kind = {agency: _of(incident, agency) for agency in Agency}
    if not by_kind[Agency.CARE] or not by_kind[Agency.SPD]:
        return
    if may_leave(incident):
        staying = [unit for _, unit in by_kind[Agency.SPD] if unit.status is Status.ON_SCENE]
        for unit in staying:
            yield AnswerWarning(
                code=WarningCode.SPD_MAY_LEAVE,
                path="/incident/assigned",
                detail=f"{unit.call_sign or unit.unit_id}: the scene is safe and CARE is there; "
                "police may leave for other calls",
            )
        return
    for place, unit in by_kind[Agency.SPD]:
        if unit.status in _GONE:
            yield AnswerWarning(
                code=WarningCode.RELEASED_BEFORE_SCENE_SAFE,
                path=f"/incident/assigned/{place}/status",
                detail=f"{unit.call_sign or unit.unit_id} is {unit.status} before SCENE_SAFE and "
                "CARE on scene; recorded as it is, look at the call",
            )


def _of(incident: Incident, agency: Agency) -> list[tuple[int, AssignedUnit]]:
    return [(i, unit) for i, unit in enumerate(incident.assigned) if unit.agency is agency]
