"""From a longitude and latitude to a position on a street.

What lives here: `Position` and `Positions`, and `StreetIndex` (a uniform grid over the drawn lines
and the search in it). What does not: what is too far, numbers that are no place.

Each point is looked up on its own: others in the same call never change its answer. The nearest
line is found in true local metres at the point's own latitude, ring by ring of grid cells until no
unseen cell can be nearer; of several the lower. Lines that cross without a junction stay apart.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from enum import IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import njit
from geodata.earth import metres_per_degree
from geodata.network import NO_EDGE, StreetFlag, StreetNetwork

Ints = NDArray[np.int32]
Reals = NDArray[np.float64]

NO_STREET: Final = -1

CELL_M: Final = 100.0
"""Side of a grid cell; larger only where CELLS_MAX would be passed."""
CELLS_MAX: Final = 2**20
"""Most cells of one grid (4 MB)."""
SEARCH_BEYOND_M: Final = 50_000.0
"""A point farther outside the network's bounds than this has no street."""

NO_INCIDENT: Final = int(StreetFlag.CONTROLLED | StreetFlag.TUNNEL | StreetFlag.GATED)
NO_UNIT: Final = int(StreetFlag.TUNNEL | StreetFlag.GATED)  # no satellite fix below ground
CONTROLLED: Final = int(StreetFlag.CONTROLLED)


class Way(IntFlag):
    """Directions along a street, relative to the direction in which it is drawn."""

    ALONG = 1
    AGAINST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapLimits:
    """How far from a street a point may lie; judged by the caller, who sees `distance_m`."""

    warn_m: float = 100.0
    """Farther than this the answer carries a warning (*assumption*)."""
    refuse_m: float = 350.0
    """Farther than this the position is not used (openrouteservice's default)."""

    def __post_init__(self) -> None:
        if not 0 < self.warn_m <= self.refuse_m < math.inf:
            raise ValueError(f"{self}; expected 0 < warn_m <= refuse_m")


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionRules:
    """How a moving unit's heading and speed choose between streets close together.

    A unit is moving when its heading is known and its speed is at least `moving_mps`. Among the
    streets within `reach_m` of the fix (or its accuracy, up to `reach_max_m`) the least score
    wins: distance + `turned_m` * (1 - cos a) / 2, where a is the angle between the heading and the
    street, in the direction it may be driven. A crossing street costs half of `turned_m`, the
    opposite carriageway all of it, 30 degrees 7 % of it. From `fast_mps` on a street that is
    not a motorway or ramp costs `fast_m` more. With no street in reach, and for a unit that stands,
    the nearest wins. All values are an *assumption*.
    """

    moving_mps: float = 2.0
    reach_m: float = 30.0
    reach_max_m: float = 100.0
    turned_m: float = 40.0
    fast_mps: float = 25.0
    fast_m: float = 15.0
    crosswise_deg: float = 30.0
    """Within this angle of a right angle the heading does not tell which way a unit faces on a
    two-way street, and both ways stay open."""

    def __post_init__(self) -> None:
        if not all(0 <= value < math.inf for value in astuple(self)):
            raise ValueError(f"{self}; expected numbers, 0 or more")
        if self.reach_m > self.reach_max_m or self.crosswise_deg >= 90:
            raise ValueError(f"{self}; expected reach_m <= reach_max_m, crosswise_deg < 90")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place part-way along a street."""

    street: int
    """Street of the network, or NO_STREET."""
    fraction: float
    """Share of the street's length that lies behind, in drawing direction, 0 to 1."""
    leaves: int
    """`Way` bits: how a unit may leave from here, or how a unit may come here."""
    lon: float
    lat: float
    """Degrees, on the street, as `lon`."""
    distance_m: float
    """Metres from the point asked for; infinite when there is no street."""
    side: int
    """The point asked for lies left (+1) or right (-1) of the drawing direction, or on it (0)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Positions:
    """Many positions as columns, each of shape (n,); the meanings are those of `Position`."""

    street: NDArray[np.int32]
    fraction: NDArray[np.float64]
    leaves: NDArray[np.uint8]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    side: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.street)

    def __getitem__(self, index: int) -> Position:
        return Position(**{name: getattr(self, name)[index].item() for name in COLUMN_TYPES})

    def __iter__(self) -> Iterator[Position]:
        return (self[index] for index in range(len(self)))

    @classmethod
    def of(cls, *positions: Position) -> "Positions":
        """Return positions, one or many, as columns."""
        rows = {name: [getattr(p, name) for p in positions] for name in COLUMN_TYPES}
        return cls(**{name: np.array(rows[name], kind) for name, kind in COLUMN_TYPES.items()})


_KINDS: Final = (np.int32, np.float64, np.uint8, np.float64, np.float64, np.float64, np.int8)
COLUMN_TYPES: Final = dict(zip(Position.__slots__, _KINDS, strict=True))
"""The fields of a position in their order, and how a column of each is kept."""

# What the kernels see. Cell c of the grid holds `entries[first[c]:first[c + 1]]`: the first point
# of each stretch between two points of one street. For each point `lines` has longitude, latitude
# and share of the length of its `street`; `bits` are a street's flags and, from 8 up, its ways.
Grid = tuple[float, float, float, float, int, int]  # west, south, cell width, height; columns, rows
Columns = tuple[Ints, Ints, Reals, Ints, NDArray[np.int16]]  # first, entries, lines, street, bits
Fix = tuple[float, float, float, float, float]  # lon, lat, heading_deg, speed_mps, accuracy_m
Motion = tuple[float, float, float, float, float, float, float]  # as MotionRules


@njit
def _register(grid: Grid, lines: Reals, street: Ints, at: NDArray[np.int64], entries: Ints) -> None:
    """Write each stretch into every cell it runs through, at place `at[cell]`, which moves on.

    With no `entries` it only counts. A hair's breadth of overlap keeps rounding from losing a
    stretch that runs along the edge of a cell.
    """
    west, south, cell_lon, cell_lat, n_x, n_y = grid
    hair = 1e-7
    for i in range(len(street) - 1):
        if street[i] != street[i + 1]:
            continue
        ax, ay = (lines[i, 0] - west) / cell_lon, (lines[i, 1] - south) / cell_lat
        bx, by = (lines[i + 1, 0] - west) / cell_lon, (lines[i + 1, 1] - south) / cell_lat
        y_low = max(int(min(ay, by) - hair), 0)
        y_high = min(int(max(ay, by) + hair), n_y - 1)
        for y in range(y_low, y_high + 1):
            xa, xb = ax, bx
            if y_high > y_low and by != ay:
                slope = (bx - ax) / (by - ay)
                xa = ax + slope * (min(max(y - hair, min(ay, by)), max(ay, by)) - ay)
                xb = ax + slope * (min(max(y + 1 + hair, min(ay, by)), max(ay, by)) - ay)
            x_low = max(int(min(xa, xb) - hair), 0)
            x_high = min(int(max(xa, xb) + hair), n_x - 1)
            for x in range(x_low, x_high + 1):
                cell = y * n_x + x
                if len(entries) > 0:
                    entries[at[cell]] = i
                at[cell] += 1


@njit
def _project(
    lines: Reals, i: int, lon: float, lat: float, per_lon: float, per_lat: float
) -> tuple[float, float, float, float]:
    """Return squared metres to stretch i, how far along it (0 to 1), and its east and north."""
    ax, ay = (lines[i, 0] - lon) * per_lon, (lines[i, 1] - lat) * per_lat
    bx, by = (lines[i + 1, 0] - lon) * per_lon, (lines[i + 1, 1] - lat) * per_lat
    east, north = bx - ax, by - ay
    square = east * east + north * north
    along = -(ax * east + ay * north)
    # The ends are taken as they are, so that streets that meet in a point are equally far from it.
    if along <= 0.0 or square == 0.0:
        return ax * ax + ay * ay, 0.0, east, north
    if along >= square:
        return bx * bx + by * by, 1.0, east, north
    t = along / square
    x, y = ax + t * east, ay + t * north
    return x * x + y * y, t, east, north


@njit
def _gap(low: float, high: float, value: float) -> float:
    return max(low - value, value - high, 0.0)


@njit
def _nearest(
    grid: Grid, columns: Columns, lon: float, lat: float, excluded: int
) -> tuple[int, float, float]:
    """Return the nearest stretch (-1: none), how far along it, and squared metres to it."""
    west, south, cell_lon, cell_lat, n_x, n_y = grid
    first, entries, lines, street, bits = columns
    per_lon, per_lat = metres_per_degree(lat)
    best, best_t, best_d2 = -1, 0.0, math.inf
    outside_x = _gap(west, west + n_x * cell_lon, lon) * per_lon
    outside_y = _gap(south, south + n_y * cell_lat, lat) * per_lat
    if max(outside_x, outside_y) > SEARCH_BEYOND_M:
        return best, best_t, best_d2
    centre_x = int(min(max((lon - west) / cell_lon, 0.0), n_x - 1.0))
    centre_y = int(min(max((lat - south) / cell_lat, 0.0), n_y - 1.0))
    for ring in range(max(n_x, n_y)):
        low_x, high_x = centre_x - ring, centre_x + ring
        low_y, high_y = centre_y - ring, centre_y + ring
        for y in range(max(low_y, 0), min(high_y, n_y - 1) + 1):
            gap_y = _gap(south + y * cell_lat, south + (y + 1) * cell_lat, lat) * per_lat
            whole_row = ring == 0 or y in (low_y, high_y)
            begin, step = (max(low_x, 0), 1) if whole_row else (low_x, 2 * ring)
            for x in range(begin, min(high_x, n_x - 1) + 1, step):
                cell = y * n_x + x
                if x < 0 or first[cell] == first[cell + 1]:
                    continue
                gap_x = _gap(west + x * cell_lon, west + (x + 1) * cell_lon, lon) * per_lon
                if gap_x * gap_x + gap_y * gap_y > best_d2 * (1.0 + 1e-9):
                    continue
                for e in range(first[cell], first[cell + 1]):
                    i = entries[e]
                    if bits[street[i]] & excluded:
                        continue
                    d2, t, _, _ = _project(lines, i, lon, lat, per_lon, per_lat)
                    if d2 < best_d2 or (d2 == best_d2 and i < best):
                        best, best_t, best_d2 = i, t, d2
        # What has not been seen lies beyond one of these four borders, and inside the grid.
        east = (west + (high_x + 1) * cell_lon - lon) * per_lon if high_x < n_x - 1 else math.inf
        north = (south + (high_y + 1) * cell_lat - lat) * per_lat if high_y < n_y - 1 else math.inf
        unseen_x = min(east, (lon - west - low_x * cell_lon) * per_lon if low_x > 0 else math.inf)
        unseen_y = min(north, (lat - south - low_y * cell_lat) * per_lat if low_y > 0 else math.inf)
        unseen = min(math.hypot(unseen_x, outside_y), math.hypot(unseen_y, outside_x))
        if unseen * unseen > best_d2 * (1.0 + 1e-9):
            break
    return best, best_t, best_d2


@njit
def _facing(
    grid: Grid, columns: Columns, fix: Fix, excluded: int, motion: Motion
) -> tuple[int, float, float, int]:
    """Return the stretch that suits a moving unit best, how far along, squared metres, its ways.

    The stretch is -1 where none is in reach; see `MotionRules` for the score.
    """
    west, south, cell_lon, cell_lat, n_x, n_y = grid
    first, entries, lines, street, bits = columns
    lon, lat, heading_deg, speed_mps, accuracy_m = fix
    _, reach, reach_max, turned_m, fast_mps, fast_m, crosswise_deg = motion
    crosswise = math.sin(math.radians(crosswise_deg))
    reach = min(max(reach, accuracy_m), reach_max) if accuracy_m > 0.0 else reach
    per_lon, per_lat = metres_per_degree(lat)
    east_of_heading = math.sin(math.radians(heading_deg))
    north_of_heading = math.cos(math.radians(heading_deg))
    best, best_t, best_d2, best_ways, best_score = -1, 0.0, math.inf, 0, math.inf
    half_x, half_y = reach / per_lon, reach / per_lat
    low_x = int(max((lon - half_x - west) / cell_lon, 0.0))
    low_y = int(max((lat - half_y - south) / cell_lat, 0.0))
    high_x = int(min(max((lon + half_x - west) / cell_lon, -1.0), n_x - 1.0))
    high_y = int(min(max((lat + half_y - south) / cell_lat, -1.0), n_y - 1.0))
    for y in range(low_y, high_y + 1):
        for cell in range(y * n_x + low_x, y * n_x + high_x + 1):
            for e in range(first[cell], first[cell + 1]):
                i = entries[e]
                bit = bits[street[i]]
                if bit & excluded:
                    continue
                d2, t, east, north = _project(lines, i, lon, lat, per_lon, per_lat)
                if d2 > reach * reach:
                    continue
                length = max(math.hypot(east, north), 1e-9)
                cosine = (east * east_of_heading + north * north_of_heading) / length
                ways = bit >> 8
                suits = cosine if ways == 1 else -cosine if ways == 2 else abs(cosine)
                score = math.sqrt(d2) + 0.5 * turned_m * (1.0 - suits)
                if speed_mps >= fast_mps and not bit & CONTROLLED:
                    score += fast_m
                if score < best_score or (score == best_score and i < best):
                    if ways == 3 and abs(cosine) > crosswise:
                        ways = 1 if cosine > 0.0 else 2
                    best, best_t, best_d2, best_ways, best_score = i, t, d2, ways, score
    return best, best_t, best_d2, best_ways


@njit
def _side(lines: Reals, street: Ints, i: int, t: float, lon: float, lat: float) -> int:
    """Return +1 when the point lies left of the line, -1 right, 0 on it.

    Nearest to a bend the point lies outside the turn, which one stretch alone may tell wrongly.
    """
    per_lon, per_lat = metres_per_degree(lat)
    bend = i + 1 if t == 1.0 else i
    if t in (0.0, 1.0) and 0 < bend < len(street) - 1 and street[bend - 1] == street[bend + 1]:
        ax = (lines[bend, 0] - lines[bend - 1, 0]) * per_lon
        ay = (lines[bend, 1] - lines[bend - 1, 1]) * per_lat
        bx = (lines[bend + 1, 0] - lines[bend, 0]) * per_lon
        by = (lines[bend + 1, 1] - lines[bend, 1]) * per_lat
        turn = ax * by - ay * bx
        if turn != 0.0:
            return -1 if turn > 0.0 else 1
    east = (lines[i + 1, 0] - lines[i, 0]) * per_lon
    north = (lines[i + 1, 1] - lines[i, 1]) * per_lat
    x, y = (lon - lines[i, 0]) * per_lon, (lat - lines[i, 1]) * per_lat
    cross = east * y - north * x
    return 1 if cross > 0.0 else -1 if cross < 0.0 else 0


@njit
def _locate(
    grid: Grid, columns: Columns, fix: Fix, excluded: int, motion: Motion
) -> tuple[int, float, int, float, float, float, int]:
    """Return the fields of a `Position` in their order."""
    lon, lat, heading_deg, speed_mps, _ = fix
    i, t, d2, ways = -1, 0.0, math.inf, 0
    if abs(lon) <= 180.0 and abs(lat) <= 90.0:
        if motion[0] <= speed_mps < math.inf and 0.0 <= heading_deg <= 360.0:
            i, t, d2, ways = _facing(grid, columns, fix, excluded, motion)
        if i < 0:
            i, t, d2 = _nearest(grid, columns, lon, lat, excluded)
    if i < 0:
        return -1, 0.0, 0, math.nan, math.nan, math.inf, 0
    _, _, lines, street, bits = columns
    ways = ways or bits[street[i]] >> 8
    a, b = lines[i], lines[i + 1]
    at_lon = b[0] if t == 1.0 else a[0] + t * (b[0] - a[0])
    at_lat = b[1] if t == 1.0 else a[1] + t * (b[1] - a[1])
    fraction = b[2] if t == 1.0 else a[2] + t * (b[2] - a[2])
    side = _side(lines, street, i, t, lon, lat) if d2 > 1e-6 else 0
    return street[i], min(max(fraction, 0.0), 1.0), ways, at_lon, at_lat, math.sqrt(d2), side


@njit
def _locate_all(grid: Grid, columns: Columns, fixes: Reals, excluded: int, motion: Motion) -> Reals:
    """Return the fields of the position of each fix, (n, 7), for fixes (n, 5)."""
    found = np.empty((len(fixes), 7))
    for k in range(len(fixes)):
        fix = (fixes[k, 0], fixes[k, 1], fixes[k, 2], fixes[k, 3], fixes[k, 4])
        f = found[k]
        f[0], f[1], f[2], f[3], f[4], f[5], f[6] = _locate(grid, columns, fix, excluded, motion)
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetIndex:
    """The streets of one network, ready to be found from points; made by `build`."""

    grid: Grid
    columns: Columns
    motion: Motion

    @classmethod
    def build(cls, network: StreetNetwork, *, motion: MotionRules = MotionRules()) -> "StreetIndex":
        """Return the index of a network; some ten milliseconds for a city."""
        streets = np.arange(network.n_streets, dtype=np.int32)
        street = np.repeat(streets, np.diff(network.street_point_first))
        length_m = np.maximum(network.street_length_m, 1e-9)[street]
        lines = np.column_stack((network.point_lon, network.point_lat, network.point_m / length_m))
        along = np.where(network.street_along != NO_EDGE, int(Way.ALONG), 0)
        against = np.where(network.street_against != NO_EDGE, int(Way.AGAINST), 0)
        bits = (network.street_flags | (along + against) << 8).astype(np.int16)
        grid = _grid_over(network)
        columns = (*_buckets(grid, lines, street), lines, street, bits)
        for column in columns:
            column.setflags(write=False)
        return cls(grid=grid, columns=columns, motion=astuple(motion))

    def snap_incident(self, lon: float, lat: float) -> Position:
        """Return the nearest place where an incident can be: no motorway, ramp, tunnel or gate.

        A point without a street (not finite, or far outside the network) has street NO_STREET.
        """
        fix = (float(lon), float(lat), math.nan, math.nan, math.nan)
        street, share, ways, x, y, metres, side = _locate(
            self.grid, self.columns, fix, NO_INCIDENT, self.motion
        )
        return Position(
            street=street, fraction=share, leaves=ways, lon=x, lat=y, distance_m=metres, side=side
        )

    def snap_incidents(self, lon: Reals, lat: Reals) -> Positions:
        """Return what `snap_incident` says of each point; both arrays (n,) degrees."""
        return self._snap((lon, lat), (None, None, None), NO_INCIDENT)

    def snap_units(
        self, lon: Reals, lat: Reals, heading_deg: Reals | None = None,
        speed_mps: Reals | None = None, accuracy_m: Reals | None = None,
    ) -> Positions:  # fmt: skip
        """Return the place of each unit, on no tunnel or gated street.

        Parameters
        ----------
        lon, lat, heading_deg
            (n,) degrees; the heading clockwise from north, NaN or outside 0-360 when unknown. For a
            unit in motion (see `MotionRules`) `leaves` holds only the way it faces.
        speed_mps, accuracy_m
            (n,) metres per second, and radius of the fix in metres; NaN or negative when unknown.
            None is unknown of all, as of `heading_deg`.

        Raises
        ------
        ValueError
            When the arrays differ in length.
        """
        return self._snap((lon, lat), (heading_deg, speed_mps, accuracy_m), NO_UNIT)

    def _snap(
        self, at: tuple[Reals, Reals], told: Sequence[Reals | None], excluded: int
    ) -> Positions:
        unknown = np.full(np.shape(at[0]), np.nan)
        fixes = [*at, *(unknown if column is None else column for column in told)]
        sizes = [np.shape(column) for column in fixes]
        if len(set(sizes)) != 1 or len(sizes[0]) != 1:
            raise ValueError(f"arrays of shapes {sizes}; expected one value for each point")
        table = np.column_stack([np.asarray(column, np.float64) for column in fixes])
        found = _locate_all(self.grid, self.columns, table, excluded, self.motion)
        names = enumerate(COLUMN_TYPES.items())
        return Positions(**{name: found[:, k].astype(kind) for k, (name, kind) in names})


def _grid_over(network: StreetNetwork) -> Grid:
    west, south, east, north = network.bounds
    per_lon, per_lat = metres_per_degree(0.5 * (south + north))
    width_m, height_m = (east - west) * per_lon, (north - south) * per_lat
    fewest_m = max(
        math.sqrt(2 * width_m * height_m / CELLS_MAX), 4 * (width_m + height_m) / CELLS_MAX
    )
    cell_m = max(CELL_M, fewest_m)
    cell_lon, cell_lat = cell_m / per_lon, cell_m / per_lat
    n_x, n_y = int((east - west) / cell_lon) + 1, int((north - south) / cell_lat) + 1
    return west, south, cell_lon, cell_lat, n_x, n_y


def _buckets(grid: Grid, lines: Reals, street: Ints) -> tuple[Ints, Ints]:
    count = np.zeros(grid[4] * grid[5], np.int64)
    _register(grid, lines, street, count, np.empty(0, np.int32))
    first = np.concatenate(([0], np.cumsum(count)))
    entries = np.empty(first[-1], np.int32)
    _register(grid, lines, street, first[:-1].copy(), entries)
    return first.astype(np.int32), entries
