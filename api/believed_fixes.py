"""Fixes as they come in, each believed or discarded with a reason and a remedy.

What lives here: `FixJudge`, which judges fixes one after the other against those kept before, and
the words for each fault. The rule itself is `routing.fixes`.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from api.roster_schemas import DiscardedPart
from api.store.records import OnDuty, StoredFix
from geodata.network import StreetNetwork
from routing.fixes import FixFault, FixLimits, is_repeated, judge_fix
from routing.roster import UnitId

NOT_ON_ROSTER: Final = "UNIT_NOT_IN_ROSTER"
_DEGREES: Final = "Send WGS 84 degrees, longitude first: near -122.3 and 47.6 in Seattle."
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    NOT_ON_ROSTER: (
        "the roster does not have this unit",
        "Send its record first: PUT /v1/units/{unit_id}, or a snapshot.",
    ),
    FixFault.FIX_IN_FUTURE: (
        "was made later than now by this service's clock",
        "Set the clocks of device and CAD; send fixed_at with its offset from UTC.",
    ),
    FixFault.FIX_ZERO: (
        "is (0, 0), which is what a device says that knows nothing",
        "Leave the row out until the device has a fix.",
    ),
    FixFault.FIX_SWAPPED: ("has lon and lat exchanged", "Exchange the two values. " + _DEGREES),
    FixFault.FIX_NOT_DEGREES: (
        "is no degrees; it may be feet or metres of a grid",
        "Convert it from the city's grid (EPSG:2926 or 2285). " + _DEGREES,
    ),
    FixFault.FIX_OUTSIDE: (
        "is outside the street network that is loaded",
        "Check the place, or serve a network that covers it (tandem network build).",
    ),
    FixFault.FIX_UNDATED: (
        "has no fixed_at, and the one that is kept has",
        "Send fixed_at with every fix.",
    ),
    FixFault.FIX_OUT_OF_ORDER: (
        "was not made after the one that is kept",
        "Nothing to do for a late row; for all rows of a unit, set the clock of its device.",
    ),
    FixFault.FIX_IMPOSSIBLE_SPEED: (
        "is farther from the one that is kept than a unit can have driven since",
        "Check the device; TANDEM_FIX_SPEED_MPS_MAX sets what is possible.",
    ),
}
"""By code: what is wrong with the fix, and what to do."""


class FixJudge:
    """The fixes of one write: those believed so far, each judged against the one before it."""

    def __init__(
        self,
        kept: Mapping[UnitId, OnDuty],
        at: dt.datetime,
        network: StreetNetwork,
        limits: FixLimits,
    ) -> None:
        self.believed: dict[UnitId, StoredFix] = {}
        """The last fix that was believed of each unit that has one."""
        self.n_repeated = 0
        self._kept = kept
        self._now_s = at.timestamp()
        self._network = network
        self._limits = limits

    def take(self, unit_id: UnitId, fix: StoredFix) -> FixFault | None:
        """Believe a fix, or return why not; one that is kept already is counted and left."""
        before = self.believed.get(unit_id)
        if before is None and unit_id in self._kept:
            before = self._kept[unit_id].fix
        if is_repeated(fix, before):
            self.n_repeated += 1
            return None
        fault = judge_fix(
            fix, before, now_s=self._now_s, network=self._network, limits=self._limits
        )
        if fault is None:
            self.believed[unit_id] = fix
        return fault


def discarded(code: str, path: str, unit_id: str) -> DiscardedPart:
    """Return the row of a feed that was not used, in words."""
    detail, remedy = _WORDS[code]
    return DiscardedPart(path=path, unit_id=unit_id, code=code, detail=detail, remedy=remedy)


def not_used(fault: FixFault) -> str:
    """Return what a warning says of a position that came with a unit's record."""
    return f"{_WORDS[fault][0]}; the previous one is kept"
