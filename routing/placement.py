"""Where each unit is taken to be: its fix, its post, the centre of its beat, or nowhere.

What lives here: `place_units`, which turns a roster into positions on streets and, with drive times
loaded, labels, and `move_units`, which does it again for those that moved. What does not: how old a
fix is (that depends on the instant of the decision: `arrivals`).

An old or missing position never removes a unit (rule 7): the ladder goes down instead.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork
from geodata.place_check import MARGIN_M
from geodata.snap import COLUMN_TYPES, Positions, StreetIndex
from routing.answer import LonLat
from routing.roster import UnitColumns

if TYPE_CHECKING:
    from routing.travel_time import TravelTimes, UnitLabels

FIX: Final = 0
HOME_POST: Final = 1
BEAT_CENTRE: Final = 2
NOWHERE: Final = 3

Column = TypeVar("Column", bound=np.generic)
Point = tuple[float, float]
"""lon and lat in degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Homes:
    """Where posts are and the centres of beats, by their ids; may be empty."""

    posts: Mapping[str, Point] = field(default_factory=lambda: MappingProxyType({}))
    beats: Mapping[str, Point] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Where the units of one roster are, each column (n_units,), with labels of one weight set."""

    source: NDArray[np.int8]
    """FIX, HOME_POST, BEAT_CENTRE or NOWHERE."""
    lon: NDArray[np.float64]
    """Degrees, before snapping; NaN for NOWHERE."""
    lat: NDArray[np.float64]
    discarded: NDArray[np.bool_]
    """True where there was a fix, and it is (0, 0) or outside the network."""
    positions: Positions
    """On the streets; no street for NOWHERE."""
    labels: "UnitLabels | None"
    """None without drive times."""
    _any_discarded: list[bool] = field(default_factory=list, init=False, repr=False)
    _street_points: dict[int, LonLat] = field(default_factory=dict, init=False, repr=False)

    @property
    def any_discarded(self) -> bool:
        """Whether any fix was discarded; remembered."""
        if not self._any_discarded:
            self._any_discarded.append(bool(self.discarded.any()))
        return self._any_discarded[0]

    def street_point(self, row: int) -> LonLat:
        """Return the point from which a unit drives, as answers show it; remembered."""
        known, at = self._street_points, self.positions
        if row not in known:
            lon, lat = at.lon.item(row), at.lat.item(row)
            known[row] = LonLat(lon=round(1e6 * lon) / 1e6, lat=round(1e6 * lat) / 1e6)
        return known[row]


def place_units(
    roster: UnitColumns,
    *,
    network: StreetNetwork,
    streets: StreetIndex,
    travel_times: "TravelTimes | None",
    homes: Homes = Homes(),
    ignore_fix: NDArray[np.bool_] | None = None,
) -> Placement:
    """Return where the units are taken to be.

    Parameters
    ----------
    ignore_fix
        (n_units,) True where the fix must not be used, for instance because it is in the future.
    """
    every = np.arange(len(roster))
    source, lon, lat, discarded = _places(network, roster, every, homes, ignore_fix)
    positions = streets.snap_units(*_fixes(roster, every, source, lon, lat))
    labels = None if travel_times is None else travel_times.unit_labels(positions)
    for column in (source, lon, lat, discarded):
        column.setflags(write=False)
    return Placement(
        source=source, lon=lon, lat=lat, discarded=discarded, positions=positions, labels=labels
    )


class Ground(Protocol):
    """On what units are placed; a `Situation` is one."""

    @property
    def network(self) -> StreetNetwork:
        """The streets."""

    @property
    def streets(self) -> StreetIndex:
        """The same, to be found from points."""

    @property
    def travel_times(self) -> "TravelTimes | None":
        """None when none are loaded."""

    @property
    def homes(self) -> Homes:
        """Posts and beats."""


def move_units(
    placement: Placement, roster: UnitColumns, rows: NDArray[np.integer], ground: Ground
) -> Placement:
    """Return what `place_units` says of a roster in which some units moved, sooner.

    Parameters
    ----------
    placement
        Of the same units before they moved, made on the same ground.
    roster
        As it is now.
    rows
        (n_moved,) the rows whose fix, home post or home beat changed.
    """
    assert len(placement.source) == len(roster), "another roster"
    source, lon, lat, discarded = _places(ground.network, roster, rows, ground.homes, None)
    snapped = ground.streets.snap_units(*_fixes(roster, rows, source, lon, lat))
    positions = _moved(placement.positions, rows, snapped)
    labels = None
    if ground.travel_times is not None:
        assert placement.labels is not None, "placed without drive times"
        labels = ground.travel_times.moved_labels(placement.labels, rows, positions)
    return Placement(
        source=_with_rows(placement.source, rows, source),
        lon=_with_rows(placement.lon, rows, lon),
        lat=_with_rows(placement.lat, rows, lat),
        discarded=_with_rows(placement.discarded, rows, discarded),
        positions=positions,
        labels=labels,
    )


def _moved(positions: Positions, rows: NDArray[np.integer], to: Positions) -> Positions:
    columns = {name: getattr(positions, name).copy() for name in COLUMN_TYPES}
    for name, column in columns.items():
        column[rows] = getattr(to, name)
    return Positions(**columns)


def _with_rows(
    column: NDArray[Column], rows: NDArray[np.integer], values: NDArray[Column]
) -> NDArray[Column]:
    changed = column.copy()
    changed[rows] = values
    changed.setflags(write=False)
    return changed


_Places = tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]


def _places(
    network: StreetNetwork,
    roster: UnitColumns,
    rows: NDArray[np.integer],
    homes: Homes,
    ignore_fix: NDArray[np.bool_] | None,
) -> _Places:
    """Return source, lon, lat and what was discarded, each (n_rows,)."""
    told_lon, told_lat = roster.lon[rows], roster.lat[rows]
    plausible = _in_network(network, told_lon, told_lat)
    usable = plausible if ignore_fix is None else plausible & ~ignore_fix[rows]
    lon, lat = np.where(usable, told_lon, np.nan), np.where(usable, told_lat, np.nan)
    source = np.where(usable, FIX, NOWHERE).astype(np.int8)
    for place in np.flatnonzero(~usable).tolist():
        source[place], (lon[place], lat[place]) = _home(roster, rows.item(place), homes)
    return source, lon, lat, np.isfinite(told_lon) & ~plausible


def _fixes(
    roster: UnitColumns,
    rows: NDArray[np.integer],
    source: NDArray[np.int8],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Return what `snap_units` takes; a unit at its home does not move."""
    told = (roster.heading_deg, roster.speed_mps, roster.accuracy_m)
    return (lon, lat, *(np.where(source == FIX, column[rows], np.nan) for column in told))


def _in_network(
    network: StreetNetwork, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return (n,) True for points within the network's bounds and margin that are not (0, 0)."""
    west, south, east, north = network.bounds
    per_lon, per_lat = metres_per_degree(0.5 * (south + north))
    wide, high = MARGIN_M / per_lon, MARGIN_M / per_lat
    within: NDArray[np.bool_] = (lon >= west - wide) & (lon <= east + wide)
    within &= (lat >= south - high) & (lat <= north + high)
    within &= (lon != 0) | (lat != 0)
    return within


def _home(roster: UnitColumns, row: int, homes: Homes) -> tuple[int, Point]:
    post, beat = roster.home_post[row], roster.home_beat[row]
    if post is not None and post in homes.posts:
        return HOME_POST, homes.posts[post]
    if beat is not None and beat in homes.beats:
        return BEAT_CENTRE, homes.beats[beat]
    return NOWHERE, (math.nan, math.nan)
