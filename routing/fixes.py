"""Which fix of a unit is believed: the one that comes, or the one that is kept.

What lives here: `judge_fix`, one fix against the one kept before it (rule 7). What does not: where
a believed fix lies on the streets (`placement`), and who keeps it (`api.store`).

A fix that is not believed changes nothing, so one bad fix never blocks those after it: each is
compared with the last one that was believed. A believed fix that is wrong heals by itself, because
the way that a unit may have driven since grows with time.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geodata.earth import distance_m
from geodata.network import StreetNetwork
from geodata.place_check import PlaceCheck, check_place, in_bounds
from routing.unit_fields import FixLike


class FixFault(StrEnum):
    """Why a fix is discarded and the previous one kept.

    FIX_IN_FUTURE: its device says that it was made later than now.
    FIX_ZERO: (0, 0), what devices say that know nothing.
    FIX_SWAPPED: longitude and latitude are exchanged.
    FIX_NOT_DEGREES: feet or metres of a grid, or no number.
    FIX_OUTSIDE: outside the loaded streets.
    FIX_UNDATED: it has no `fixed_at`, and the one kept has.
    FIX_OUT_OF_ORDER: made before the one kept, or at the same instant elsewhere.
    FIX_IMPOSSIBLE_SPEED: farther from the one kept than a unit can have driven since.
    """

    FIX_IN_FUTURE = "FIX_IN_FUTURE"
    FIX_ZERO = "FIX_ZERO"
    FIX_SWAPPED = "FIX_SWAPPED"
    FIX_NOT_DEGREES = "FIX_NOT_DEGREES"
    FIX_OUTSIDE = "FIX_OUTSIDE"
    FIX_UNDATED = "FIX_UNDATED"
    FIX_OUT_OF_ORDER = "FIX_OUT_OF_ORDER"
    FIX_IMPOSSIBLE_SPEED = "FIX_IMPOSSIBLE_SPEED"


_OF_PLACE: Final = {
    PlaceCheck.ZERO: FixFault.FIX_ZERO,
    PlaceCheck.SWAPPED: FixFault.FIX_SWAPPED,
    PlaceCheck.NOT_DEGREES: FixFault.FIX_NOT_DEGREES,
    PlaceCheck.NOT_FINITE: FixFault.FIX_NOT_DEGREES,
    PlaceCheck.OUTSIDE: FixFault.FIX_OUTSIDE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FixLimits:
    """What a fix may claim."""

    future_s: float = 5.0
    """Further in the future than this it is discarded (*assumption*: clocks differ a little)."""
    speed_mps_max: float = 70.0
    """No unit drives faster on average between two fixes (*assumption*: 157 mph)."""
    jump_m: float = 250.0
    """Metres that satellite noise between tall houses may add to a move (*assumption*)."""

    def __post_init__(self) -> None:
        for name in ("future_s", "speed_mps_max", "jump_m"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value}; expected a number, 0 or more")


def judge_fix(
    fix: FixLike, kept: FixLike | None, *, now_s: float, network: StreetNetwork, limits: FixLimits
) -> FixFault | None:
    """Return why a fix is not believed, or None when it replaces the one that is kept.

    Parameters
    ----------
    now_s
        When it was received, seconds since 1970.
    """
    made_s = math.nan if fix.fixed_at is None else fix.fixed_at.timestamp()
    if made_s > now_s + limits.future_s:
        return FixFault.FIX_IN_FUTURE
    if not _inside(network, fix):
        return _OF_PLACE.get(check_place(network, fix.lon, fix.lat), FixFault.FIX_ZERO)
    if kept is None or kept.fixed_at is None:
        return None
    if fix.fixed_at is None:
        return FixFault.FIX_UNDATED
    passed_s = made_s - kept.fixed_at.timestamp()
    if passed_s <= 0:
        return FixFault.FIX_OUT_OF_ORDER
    moved_m = float(distance_m(kept.lon, kept.lat, fix.lon, fix.lat))
    if moved_m > limits.jump_m + limits.speed_mps_max * passed_s:
        return FixFault.FIX_IMPOSSIBLE_SPEED
    return None


def _inside(network: StreetNetwork, fix: FixLike) -> bool:
    """Tell whether a fix may be on these streets; most are within the bounds without margin."""
    west, south, east, north = network.bounds
    if (fix.lon, fix.lat) == (0, 0):
        return False
    plainly = west <= fix.lon <= east and south <= fix.lat <= north
    return plainly or in_bounds(network, fix.lon, fix.lat)


def is_repeated(fix: FixLike, kept: FixLike | None) -> bool:
    """Tell whether a fix is the one that is kept, sent once more; trackers do so all the time."""
    return (
        kept is not None
        and fix.fixed_at is not None
        and fix.fixed_at == kept.fixed_at
        and (fix.lon, fix.lat) == (kept.lon, kept.lat)
    )
