"""What two numbers say about being a place near the network: inside, swapped, or no degrees.

What lives here: `check_place` and `in_bounds`. What does not: the street there (`snap`).
"""

import math
from enum import StrEnum
from typing import Final

from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork

MARGIN_M: Final = 350.0
"""What `in_bounds` allows outside the bounds; beyond it every snap is refused by default."""


class PlaceCheck(StrEnum):
    """What a pair of numbers says about itself before it is looked up.

    INSIDE: within the network's bounds and margin.
    SWAPPED: outside, but inside when longitude and latitude change places.
    ZERO: (0, 0), what devices say that know nothing.
    NOT_DEGREES: beyond 180 or 90, so most likely feet or metres of a projection.
    NOT_FINITE: NaN or infinite.
    OUTSIDE: degrees, but elsewhere.
    """

    INSIDE = "INSIDE"
    SWAPPED = "SWAPPED"
    ZERO = "ZERO"
    NOT_DEGREES = "NOT_DEGREES"
    NOT_FINITE = "NOT_FINITE"
    OUTSIDE = "OUTSIDE"


def in_bounds(network: StreetNetwork, lon: float, lat: float, margin_m: float = MARGIN_M) -> bool:
    """Tell whether a point lies within the network's bounds, widened by a margin in metres."""
    west, south, east, north = network.bounds
    if west <= lon <= east and south <= lat <= north and margin_m >= 0.0:
        return True
    per_lon, per_lat = metres_per_degree(0.5 * (south + north))
    wide, high = margin_m / per_lon, margin_m / per_lat
    return west - wide <= lon <= east + wide and south - high <= lat <= north + high


def check_place(
    network: StreetNetwork, lon: float, lat: float, margin_m: float = MARGIN_M
) -> PlaceCheck:
    """Return what is right or wrong with a longitude and latitude, for a telling message."""
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return PlaceCheck.NOT_FINITE
    if in_bounds(network, lon, lat, margin_m):
        return PlaceCheck.INSIDE
    if lon == 0 and lat == 0:
        return PlaceCheck.ZERO
    if in_bounds(network, lat, lon, margin_m):
        return PlaceCheck.SWAPPED
    if abs(lon) > 180 or abs(lat) > 90:
        return PlaceCheck.NOT_DEGREES
    return PlaceCheck.OUTSIDE
