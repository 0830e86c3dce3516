"""What an update of a call means for units that are on it already (rule 14).

What lives here: `safety_change`, pure. What does not: which version of a call is the latest, and
who acknowledges (`api.call_book`).

After dispatch only screening, location and mode can revoke a recommendation; hours and call type
cannot (`gates`).
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from routing.answer import GateResult
from routing.codes import (
    Agency,
    Gate,
    GateCode,
    GateOutcome,
    Mode,
    SafetyAction,
    Status,
)
from routing.model import Incident

REVOKING: Final = frozenset({Gate.SCREENING, Gate.LOCATION, Gate.ZONE, Gate.MODE})
_HARM: Final = frozenset({GateCode.WEAPON_REPORTED, GateCode.VIOLENCE_REPORTED})
_NEEDS_POLICE: Final = _HARM | {GateCode.ENFORCEMENT_NEEDED}


class SafetyOrder(Struct, frozen=True, kw_only=True):
    """What some units have to do at once."""

    action: SafetyAction
    agency: Agency
    unit_ids: tuple[str, ...]
    """Empty for SEND_SPD: the recommendation names whom."""


class SafetyChange(Struct, frozen=True, kw_only=True):
    """Why what was dispatched is no longer right, and what follows at once."""

    reasons: tuple[GateCode, ...]
    orders: tuple[SafetyOrder, ...]
    message: str


def safety_change(
    incident: Incident, gates: Iterable[GateResult], *, mode: Mode | None, earlier_mode: Mode | None
) -> SafetyChange | None:
    """Return what an update changes for the CARE units on a call, or None.

    Parameters
    ----------
    gates
        What the gates say of the update.
    mode, earlier_mode
        Who answers the call now, and who did by the recommendation before; None when not known.
    """
    care = [unit for unit in incident.assigned if unit.agency is Agency.CARE]
    if not care:
        return None
    failing = [g for g in gates if g.result is GateOutcome.FAIL and g.gate in REVOKING]
    reasons = [code for gate in failing for code in (gate.code, *gate.further_codes) if code]
    orders = []
    coming = tuple([unit.unit_id for unit in care if unit.status is not Status.ON_SCENE])
    there = tuple([unit.unit_id for unit in care if unit.status is Status.ON_SCENE])
    if reasons and coming:
        orders.append(_order(SafetyAction.STOP_AND_STAGE, Agency.CARE, coming))
    if there and not _HARM.isdisjoint(reasons):
        orders.append(_order(SafetyAction.WITHDRAW, Agency.CARE, there))
    alone = not any(unit.agency is Agency.SPD for unit in incident.assigned)
    joined = earlier_mode is Mode.SOLO and mode is Mode.DUAL
    if alone and (joined or not _NEEDS_POLICE.isdisjoint(reasons)):
        orders.append(_order(SafetyAction.SEND_SPD, Agency.SPD, ()))
    if not reasons and not orders:
        return None
    return SafetyChange(
        reasons=tuple(reasons), orders=tuple(orders), message=_message(reasons, orders)
    )


def _order(action: SafetyAction, agency: Agency, unit_ids: tuple[str, ...]) -> SafetyOrder:
    return SafetyOrder(action=action, agency=agency, unit_ids=unit_ids)


_WORDS: Final = {
    SafetyAction.STOP_AND_STAGE: "{} stop and stage",
    SafetyAction.WITHDRAW: "{} withdraw",
    SafetyAction.SEND_SPD: "send police",
}


def _message(reasons: list[GateCode], orders: list[SafetyOrder]) -> str:
    told = "; ".join([_WORDS[order.action].format(", ".join(order.unit_ids)) for order in orders])
    why = ", ".join(reasons) or "the call is no longer one for CARE alone"
    return f"Safety changed: {why}. {told[:1].upper() + told[1:] or 'Look at the call again'}."
