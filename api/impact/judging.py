"""Past calls through the gates of a release: in its area, in its hours, eligible.

What lives here: `Judged` and `judge`, which asks the gates of the service about every call. What
does not: counting what changes (`counting`), and whole answers (`what_if`).

A table of past calls tells no screening, so every call is taken as screened, with NO to every
question; a call counts at the instant that its table has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.call_history import CallHistory
from routing.codes import Answer, Gate, GateCode, GateOutcome
from routing.gates import CallCheck, check_call
from routing.model import Incident, IncidentId, Location, Screening, Situation

WHOLE_CITY: Final = "(whole city)"
"""Where a mode is offered everywhere, a call outside every zone counts as here."""
NOWHERE: Final = ""
TOLD_EVERY: Final = 2_000

Tell = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""


def tell_nobody(_stage: str, _done: int, _total: int) -> None:
    """Do nothing."""


class Level(IntEnum):
    """How far a call comes; each includes the ones before it."""

    OUTSIDE = 0
    """In no zone that takes calls."""
    IN_AREA = 1
    """In a zone that takes calls, at whatever hour, of whatever type."""
    IN_HOURS = 2
    """And within the hours of its zone's policy."""
    ELIGIBLE = 3
    """And of a type that the policy takes, in a mode that it has."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What one release makes of past calls, (n_calls,)."""

    level: NDArray[np.int8]
    """`Level`."""
    zone: tuple[str, ...]
    """The winning zone of a call that is not OUTSIDE, else NOWHERE."""
    waits: NDArray[np.bool_]
    """Eligible but for the hour: it would be held until the hours begin, later that day."""


def incident_of(history: CallHistory, row: int) -> Incident:
    """Return a past call as the service would be asked about it."""
    at = history.instant(row)
    clear = Screening(
        completed_at=at, weapon=Answer.NO, violence=Answer.NO, medical=Answer.NO,
        enforcement=Answer.NO, drug_use=Answer.NO,
    )  # fmt: skip
    return Incident(
        incident_id=IncidentId(history.call_id[row]),
        received_at=at,
        queued_at=at,
        location=Location(lon=history.lon.item(row), lat=history.lat.item(row)),
        call_type=history.call_type(row),
        priority=history.priority.item(row) or None,
        screening=clear,
    )


def judge(situation: Situation, history: CallHistory, tell: Tell, stage: str) -> Judged:
    """Return what the gates of a situation's release say of every call."""
    n = len(history)
    level, waits, zones = np.zeros(n, np.int8), np.zeros(n, np.bool_), []
    for row in range(n):
        check = check_call(situation, incident_of(history, row), history.instant(row))
        level[row], waits[row] = _level(check), _waits(check)
        zones.append(_zone(check) if level[row] else NOWHERE)
        if row % TOLD_EVERY == 0:
            tell(stage, row, n)
    tell(stage, n, n)
    return Judged(level=level, zone=tuple(zones), waits=waits)


def _passes(check: CallCheck, *gates: Gate) -> bool:
    """Tell whether none of these gates failed, or had nothing to test against."""
    return all(
        one.result is GateOutcome.PASS or one.code is GateCode.NOT_IN_MODE
        for one in check.gates
        if one.gate in gates
    )


def _level(check: CallCheck) -> Level:
    if not _passes(check, Gate.ZONE):
        return Level.OUTSIDE
    if not _passes(check, Gate.TIME_WINDOW):
        return Level.IN_AREA
    kind = Gate.CALL_TYPE, Gate.MODE, Gate.LOCATION
    return Level.ELIGIBLE if _passes(check, *kind) else Level.IN_HOURS


def _waits(check: CallCheck) -> bool:
    failing = check.failing
    return len(failing) == 1 and failing[0].code is GateCode.BEFORE_OPENING


def _zone(check: CallCheck) -> str:
    (zone,) = (one for one in check.gates if one.gate is Gate.ZONE)
    return zone.value or WHOLE_CITY
