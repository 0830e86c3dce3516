"""The one or two sentences that a dispatcher reads, made from an answer's own fields.

What lives here: text, in English, and no rule.
"""

from collections.abc import Sequence
from datetime import datetime

from routing.answer import Assignment, GateResult, Hold, NearestUnit
from routing.codes import Approach, Gate, HoldReason, Mode
from routing.hours import Hours


def _joined(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def for_dispatch(assign: Sequence[Assignment]) -> str:
    """Say who goes and where CARE waits."""
    going = [unit.call_sign for unit in assign if not unit.already_assigned]
    there = [unit.call_sign for unit in assign if unit.already_assigned]
    be = "is" if len(there) == 1 else "are"
    if not going:
        text = f"{_joined(there)} {be} already assigned; no unit to add."
    elif there:
        text = f"Dispatch {_joined(going)} now; {_joined(there)} {be} already assigned."
    else:
        text = f"Dispatch {_joined(going)} now."
    return text + "".join(map(_staging, assign))


def _staging(unit: Assignment) -> str:
    if unit.approach is Approach.PROCEED or unit.stage is None:
        return ""
    place = unit.stage.near or f"{unit.stage.lon:.5f}, {unit.stage.lat:.5f}"
    return f" {unit.call_sign} stages at {place} until SCENE_SAFE."


_REASON_WORDS = {
    HoldReason.NO_UNIT_IN_ROSTER: "no {} unit is in the roster",
    HoldReason.NO_UNIT_AVAILABLE: "no {} unit is available",
    HoldReason.NO_UNIT_QUALIFIED: "no available {} unit qualifies",
    HoldReason.TOO_FEW_UNITS: "too few {} units qualify",
    HoldReason.RESERVE: "every {} unit is kept as its sector's reserve",
    HoldReason.HELD_FOR_HIGHER_PRIORITY: "every {} unit is held for more urgent calls",
    HoldReason.TAKEN_IN_BATCH: "every {} unit goes to another call of the batch",
    HoldReason.OUT_OF_SCOPE: "no {} unit of this area is free",
}


def for_hold(hold: Hold, mode: Mode, window: Hours) -> str:
    """Say what is missing, what goes now and when it is somebody else's concern."""
    local = window.zone
    if hold.reasons == (HoldReason.WINDOW_NOT_OPEN,):
        opens_at = hold.earliest_dispatch_at
        text = f"Hold: hours are {window}"
        text += f" and open at {_clock(opens_at, window)}." if opens_at else "."
    else:
        kinds = " or ".join(hold.missing)
        reason = hold.reasons[0] if len(hold.reasons) == 1 else HoldReason.NO_UNIT_QUALIFIED
        awaited = "Hold for the pair" if mode is Mode.DUAL else f"Hold for {kinds}"
        text = f"{awaited}: {_REASON_WORDS[reason].format(kinds)}."
        if hold.earliest_pair_at is not None:
            who = "Both" if mode is Mode.DUAL else kinds
            text += f" {who} could be there at {_clock(hold.earliest_pair_at, window)}."
    if hold.nearest_busy:
        text += f" Nearest: {_joined([_busy(unit) for unit in hold.nearest_busy])}."
    if hold.send_now:
        text += f" Send {_joined([unit.call_sign for unit in hold.send_now])} now."
    at = hold.escalate_at.astimezone(local)
    return f"{text} Goes to {hold.escalate_to} at {at:%H:%M}."


def _busy(unit: NearestUnit) -> str:
    away = "no way known" if unit.arrive_s is None else f"{unit.arrive_s} s"
    return f"{unit.call_sign} ({unit.status}, {away})"


def _clock(instant: datetime, window: Hours) -> str:
    return f"{instant.astimezone(window.zone):%H:%M}"


def for_not_eligible(failing: Sequence[GateResult], refer_to: str | None) -> str:
    """Say which gates failed and what to do instead."""
    text = f"Not eligible: {_joined([_failure(gate) for gate in failing])}."
    if refer_to is not None:
        return f"{text} Call {refer_to}."
    return f"{text} Use the normal response plan."


def _failure(gate: GateResult) -> str:
    text = f"{gate.gate} {_joined([str(code) for code in (gate.code, *gate.further_codes)])}"
    if gate.gate is Gate.ZONE and gate.nearest is not None:
        text += f" ({gate.edge_m} m from {gate.nearest})"
    return text
