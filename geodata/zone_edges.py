"""The outlines of zones as numba sees them: what lies within reach of a point, and how far away.

What lives here: `ZoneEdges` and its kernels. What does not: what a zone is and which one wins
(`zones`).

Outlines are kept in degrees. Distances are metres in the plane that touches the earth at the point
that is asked about, so they depend on this point and on the outline alone, whatever other zones
there are. The stretches of each zone's rings lie in horizontal bands, each stretch in every band
that it passes, so that a point is compared with those at its height. A point is inside when a line
to the west crosses the rings an odd number of times, which holds for holes and for several parts
alike.
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.earth import metres_per_degree

Reals = NDArray[np.float64]
Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]
Columns = tuple[Reals, Longs, Longs, Reals]
"""Boxes (n_zones, 5), first band by zone, first stretch by band, stretches (n, 4)."""

STRETCHES_PER_BAND: Final = 4
COPIES_MAX: Final = 4
"""Tall stretches are in many bands; on average a stretch is in at most so many."""

SLACK: Final = 1.0 + 1e-9
"""So much is added before something is passed over for being too far, against rounding."""

WEST: Final = 0
SOUTH: Final = 1
EAST: Final = 2
NORTH: Final = 3
BAND: Final = 4
"""Columns of a box: its sides and the height of its bands, degrees."""

Point = tuple[float, float, float, float]
"""Lon and lat in degrees, and `metres_per_degree` there."""


@njit
def _point(lon: float, lat: float) -> Point:
    per_lon, per_lat = metres_per_degree(lat)
    return lon, lat, per_lon, per_lat


@njit
def _band(box: Reals, n_bands: int, lat: float) -> int:
    return int(min(max((lat - box[SOUTH]) / box[BAND], 0.0), n_bands - 1.0))


@njit
def _square_m2(stretch: Reals, point: Point) -> float:
    """Return squared metres from a point to a stretch; its ends are taken as they are."""
    lon, lat, per_lon, per_lat = point
    ax, ay = (stretch[0] - lon) * per_lon, (stretch[1] - lat) * per_lat
    bx, by = (stretch[2] - lon) * per_lon, (stretch[3] - lat) * per_lat
    east, north = bx - ax, by - ay
    along, square = -(ax * east + ay * north), east * east + north * north
    if along <= 0.0 or square == 0.0:
        return float(ax * ax + ay * ay)
    if along >= square:
        return float(bx * bx + by * by)
    cross = ax * by - ay * bx
    return float(cross * cross / square)


@njit
def _crosses(stretch: Reals, point: Point) -> bool:
    """Tell whether a line from the point to the west crosses the stretch."""
    x, y = point[0], point[1]
    ax, ay, bx, by = stretch[0], stretch[1], stretch[2], stretch[3]
    return bool((ay > y) != (by > y) and ax + (y - ay) * (bx - ax) / (by - ay) < x)


@njit
def _box_m2(box: Reals, point: Point) -> float:
    """Return squared metres from a point to a box, 0 inside."""
    lon, lat, per_lon, per_lat = point
    gap_x = max(box[WEST] - lon, lon - box[EAST], 0.0) * per_lon
    gap_y = max(box[SOUTH] - lat, lat - box[NORTH], 0.0) * per_lat
    return float(gap_x * gap_x + gap_y * gap_y)


@njit
def _reaches(columns: Columns, zone: int, point: Point, reach_m: float, area: bool) -> bool:
    """Tell whether a zone's edge, or its area too, lies within reach of a point."""
    boxes, band_first, first, stretches = columns
    box = boxes[zone]
    lat, reach = point[1], reach_m * SLACK / point[3]
    if not (
        _box_m2(box, point) <= reach_m * reach_m * SLACK and abs(point[0]) + abs(lat) < math.inf
    ):
        return False
    n_bands = band_first[zone + 1] - band_first[zone]
    own = _band(box, n_bands, lat)
    inside = False
    for band in range(_band(box, n_bands, lat - reach), _band(box, n_bands, lat + reach) + 1):
        at = band_first[zone] + band
        for i in range(first[at], first[at + 1]):
            if _square_m2(stretches[i], point) <= reach_m * reach_m:
                return True
            if band == own and _crosses(stretches[i], point):
                inside = not inside
    return area and inside


@njit
def _reached(columns: Columns, lon: float, lat: float, reach_m: float, area: bool) -> Longs:
    """Return the zones whose edge, or area too, lies within reach of a point, ascending."""
    point = _point(lon, lat)
    hits = np.empty(len(columns[0]), np.int64)
    n = 0
    for zone in range(len(hits)):
        if _reaches(columns, zone, point, reach_m, area):
            hits[n] = zone
            n += 1
    return hits[:n]


@njit
def _zone_m2(columns: Columns, zone: int, point: Point, most_m2: float, area: bool) -> float:
    """Return squared metres to a zone's edge, or to its area; infinite when more than the most."""
    boxes, band_first, first, stretches = columns
    box = boxes[zone]
    n_bands = band_first[zone + 1] - band_first[zone]
    lat, per_lat = point[1], point[3]
    own = _band(box, n_bands, lat)
    if area and _box_m2(box, point) == 0.0:
        inside = False
        at = band_first[zone] + own
        for i in range(first[at], first[at + 1]):
            if _crosses(stretches[i], point):
                inside = not inside
        if inside:
            return 0.0
    best_m2, limit_m2 = math.inf, most_m2
    for step in range(2 * n_bands):
        # From the point's own band outwards: own, below, above, below, ...
        band = own + (step + 1) // 2 * (1 if step % 2 == 0 else -1)
        if band < 0 or band >= n_bands:
            continue
        south = box[SOUTH] + band * box[BAND]
        gap = max(south - lat, lat - (south + box[BAND]), 0.0) * per_lat
        if gap * gap > limit_m2 * SLACK:
            continue
        at = band_first[zone] + band
        for i in range(first[at], first[at + 1]):
            best_m2 = min(best_m2, _square_m2(stretches[i], point))
        limit_m2 = min(limit_m2, best_m2)
    return best_m2


@njit
def _nearest(
    columns: Columns, taken: Flags, lon: float, lat: float, area: bool
) -> tuple[int, float]:
    """Return the nearest of the zones that are taken (-1: none) and metres to it.

    A place that is not finite is near none. Of zones equally near it is the first. The one with
    the nearest box is measured first, so that most others need no look.
    """
    boxes = columns[0]
    begin, least_m2 = len(boxes), math.inf
    point = _point(lon, lat)
    if not abs(lon) + abs(lat) < math.inf:
        return -1, math.inf
    for zone in range(len(boxes)):
        gap_m2 = _box_m2(boxes[zone], point)
        if taken[zone] and gap_m2 < least_m2:
            begin, least_m2 = zone, gap_m2
    if begin == len(boxes):
        return -1, math.inf
    nearest, nearest_m2 = begin, _zone_m2(columns, begin, point, math.inf, area)
    for zone in range(len(boxes)):
        if not taken[zone] or _box_m2(boxes[zone], point) > nearest_m2 * SLACK:
            continue
        square = _zone_m2(columns, zone, point, nearest_m2, area)
        if square < nearest_m2 or (square == nearest_m2 and zone < nearest):
            nearest, nearest_m2 = zone, square
    return nearest, math.sqrt(nearest_m2)


def _columns_of(stretches: Reals, zone: NDArray[np.integer], n_zones: int) -> Columns:
    """Return the stretches of all zones in bands, few enough that tall ones are not everywhere."""
    n_stretches = np.bincount(zone, minlength=n_zones)
    x, y = stretches[:, 0::2], stretches[:, 1::2]
    boxes = np.empty((n_zones, 5))
    begins = np.cumsum(n_stretches) - n_stretches
    if n_zones > 0:
        boxes[:, WEST] = np.minimum.reduceat(x.min(axis=1), begins)
        boxes[:, EAST] = np.maximum.reduceat(x.max(axis=1), begins)
        boxes[:, SOUTH] = np.minimum.reduceat(y.min(axis=1), begins)
        boxes[:, NORTH] = np.maximum.reduceat(y.max(axis=1), begins)
    n_bands = np.maximum(1, n_stretches // STRETCHES_PER_BAND)
    while True:
        boxes[:, BAND] = (boxes[:, NORTH] - boxes[:, SOUTH]) / n_bands
        own, most = boxes[zone], n_bands[zone]
        low, high = _bands(own, most, y.min(axis=1)), _bands(own, most, y.max(axis=1))
        copies = np.bincount(zone, high - low + 1, minlength=n_zones)
        over = (copies > COPIES_MAX * n_stretches) & (n_bands > 1)
        if not over.any():
            break
        n_bands[over] //= 2
    band_first = np.concatenate(([0], np.cumsum(n_bands)))
    times = high - low + 1
    copied = np.repeat(np.arange(len(zone)), times)
    above = np.arange(len(copied)) - np.repeat(np.cumsum(times) - times, times)
    band = (band_first[zone] + low)[copied] + above
    order = np.argsort(band, kind="stable")
    first = np.searchsorted(band[order], np.arange(band_first[-1] + 1))
    banded = np.ascontiguousarray(stretches[copied[order]])
    return boxes, band_first.astype(np.int64), first.astype(np.int64), banded


def _bands(boxes: Reals, n_bands: Longs, y: Reals) -> Longs:
    """Return what `_band` says of each point, with its own box."""
    return np.clip((y - boxes[:, SOUTH]) / boxes[:, BAND], 0.0, n_bands - 1.0).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneEdges:
    """The outlines of n zones; about 32 bytes for each stretch and its copies in other bands."""

    columns: Columns
    all_zones: Flags

    @classmethod
    def of(cls, stretches: Reals, zone: NDArray[np.integer], n_zones: int) -> Self:
        """Return the outlines made of stretches.

        Parameters
        ----------
        stretches
            (n, 4) lon and lat of both ends in degrees; the rings of a zone in any order.
        zone
            (n,) the zone of each, ascending; every zone has some.
        """
        columns = _columns_of(stretches, zone, n_zones)
        for column in columns:
            column.setflags(write=False)
        return cls(columns=columns, all_zones=np.ones(n_zones, np.bool_))

    def reached(self, lon: float, lat: float, reach_m: float) -> list[int]:
        """Return the zones that a point is in, or no farther from than `reach_m`, ascending."""
        hits: list[int] = _reached(self.columns, lon, lat, reach_m, True).tolist()  # noqa: FBT003
        return hits

    def touches(self, lon: float, lat: float, radius_m: float) -> bool:
        """Tell whether the edge of any zone is no farther away than a radius."""
        if radius_m < 0.0:
            return False
        return len(_reached(self.columns, lon, lat, radius_m, False)) > 0  # noqa: FBT003

    def nearest(self, lon: float, lat: float, taken: Flags) -> tuple[int, float]:
        """Return the nearest of the zones that are taken, -1 without, and metres (0 inside)."""
        return _nearest(self.columns, taken, lon, lat, True)  # noqa: FBT003

    def edge_m(self, lon: float, lat: float) -> float:
        """Return metres to the nearest edge of any zone, from either side; infinite without."""
        return _nearest(self.columns, self.all_zones, lon, lat, False)[1]  # noqa: FBT003
