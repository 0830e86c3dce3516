"""Where each unit is taken to be: its fix, its post, the centre of its beat, or nowhere.

What lives here: `place_units`, which turns a roster into positions on streets and, with drive times
loaded, labels. It is done when a unit moves, not for each call. What does not: how old a fix is
(that depends on the instant of the decision: `arrivals`).

An old or missing position never removes a unit (rule 7): the ladder goes down instead.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork
from geodata.snap import MARGIN_M, Positions, StreetIndex
from routing.roster import UnitColumns

if TYPE_CHECKING:
    from routing.travel_time import TravelTimes, UnitLabels

FIX: Final = 0
HOME_POST: Final = 1
BEAT_CENTRE: Final = 2
NOWHERE: Final = 3

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
    plausible = _in_network(network, roster.lon, roster.lat)
    usable = plausible if ignore_fix is None else plausible & ~ignore_fix
    lon = np.where(usable, roster.lon, np.nan)
    lat = np.where(usable, roster.lat, np.nan)
    source = np.where(usable, FIX, NOWHERE).astype(np.int8)
    for row in np.flatnonzero(~usable).tolist():
        source[row], (lon[row], lat[row]) = _home(roster, row, homes)
    moving = source == FIX
    positions = streets.snap_units(
        lon,
        lat,
        np.where(moving, roster.heading_deg, np.nan),
        np.where(moving, roster.speed_mps, np.nan),
        np.where(moving, roster.accuracy_m, np.nan),
    )
    labels = None if travel_times is None else travel_times.unit_labels(positions)
    discarded = np.isfinite(roster.lon) & ~plausible
    for column in (source, lon, lat, discarded):
        column.setflags(write=False)
    return Placement(
        source=source, lon=lon, lat=lat, discarded=discarded, positions=positions, labels=labels
    )


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
