"""Which status of a unit may follow which, as the CAD reports them.

What lives here: the table of steps and `is_legal_step`. A step that is not in it is recorded all
the same and only flagged (rule 11: a report of the CAD is a fact), and the steps in between are
never made up.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from routing.codes import Status

_S = Status
STEPS: Final[Mapping[Status, frozenset[Status]]] = MappingProxyType(
    {
        _S.OFF_DUTY: frozenset({_S.AVAILABLE, _S.BUSY, _S.OUT_OF_SERVICE}),
        _S.AVAILABLE: frozenset({_S.DISPATCHED, _S.BUSY, _S.OUT_OF_SERVICE, _S.OFF_DUTY}),
        _S.DISPATCHED: frozenset({_S.ENROUTE, _S.AVAILABLE, _S.OUT_OF_SERVICE}),
        _S.ENROUTE: frozenset(
            {_S.STAGED, _S.ON_SCENE, _S.DISPATCHED, _S.AVAILABLE, _S.OUT_OF_SERVICE}
        ),
        _S.STAGED: frozenset(
            {_S.ENROUTE, _S.ON_SCENE, _S.DISPATCHED, _S.AVAILABLE, _S.OUT_OF_SERVICE}
        ),
        _S.ON_SCENE: frozenset(
            {_S.TRANSPORTING, _S.DISPATCHED, _S.AVAILABLE, _S.BUSY, _S.OUT_OF_SERVICE}
        ),
        _S.TRANSPORTING: frozenset({_S.AT_FACILITY, _S.OUT_OF_SERVICE}),
        _S.AT_FACILITY: frozenset({_S.DISPATCHED, _S.AVAILABLE, _S.BUSY, _S.OUT_OF_SERVICE}),
        _S.BUSY: frozenset({_S.DISPATCHED, _S.AVAILABLE, _S.OUT_OF_SERVICE, _S.OFF_DUTY}),
        _S.OUT_OF_SERVICE: frozenset({_S.AVAILABLE, _S.BUSY, _S.OFF_DUTY}),
    }
)
"""By the earlier status those that may follow it; an *assumption* in the domain's vocabulary.

A unit that is sent elsewhere goes back to DISPATCHED; one whose call is cancelled to AVAILABLE.
"""


def is_legal_step(earlier: Status, later: Status) -> bool:
    """Tell whether one status may follow another; UNKNOWN may stand before and after any."""
    if earlier is later or Status.UNKNOWN in (earlier, later):
        return True
    return later in STEPS[earlier]
