"""Shares of calls, of metres of street and of land that are reached within X, by area.

What lives here: `Ground` (streets and land cut at the edges of all areas), `Measured`, and what
measures. What does not: when anybody arrives (`arrivals`) and how it is told (`coverage_tables`).

A stretch of street belongs to the area in which its middle lies. Land is a square grid over the
areas, without what is farther than 100 m from a street, so that water and rail yards do not count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from api.impact.ground import cuts_along
from api.impact.reach import NEAR_STREET_M, PAIR, grid_within, on_streets
from benchmarks.studies.coverage.arrivals import ALL, Arrivals
from benchmarks.studies.demand import Calls
from benchmarks.studies.world import NO_AREA, Areas, World, some_of
from geodata.driving_time import UNREACHABLE_MS
from geodata.snap import NO_STREET, Positions
from routing.codes import Agency
from routing.coverage import (
    Pieces,
    PieceTimes,
    Shares,
    cut_streets,
    incident_streets,
    middle_points,
    shares_of_points,
    shares_of_streets,
)

Ints = NDArray[np.int32]
Reals = NDArray[np.float64]
CALLS: Final = "calls"
OWN_HOUR: Final = "calls_at_their_hour"
STREETS: Final = "street_km"
LAND: Final = "land_km2"
ZONES: Final = "(zones)"
EVERYWHERE: Final = "(everywhere)"
ELSEWHERE: Final = "(elsewhere)"
GAPS: Final = (0.1, 0.5, 0.9)
"""Quantiles of the pair gap that are told."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One thing of one area in one hour."""

    hour: int | None
    """Of the week; None: each call at its own."""
    area: str
    of: str
    """CALLS, OWN_HOUR, STREETS or LAND."""
    shares: Mapping[str, Shares]
    """By CARE, SPD and PAIR."""
    gap_s: tuple[float, ...] | None
    """CARE's arrival minus that of SPD at the quantiles GAPS; None of streets."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Where calls, streets and land are, by geography."""

    pieces: Pieces
    """Every street on which an incident can be, cut at all edges and wherever a unit stands."""
    piece_area: Mapping[str, Ints]
    """(n_pieces,) by geography; NO_AREA outside."""
    call_area: Mapping[str, Ints]
    """(n_calls,)"""
    land: Mapping[str, tuple[Positions, Ints, float]]
    """Grid points near a street, their areas, and the square kilometres of each."""

    @property
    def in_zones(self) -> NDArray[np.bool_]:
        """(n_pieces,) stretches in any zone; all where there is no zone."""
        inside: NDArray[np.bool_] = self.piece_area["zone"] != NO_AREA
        return inside if inside.any() else np.ones(len(inside), np.bool_)

    @property
    def calls_in_zones(self) -> NDArray[np.bool_]:
        """(n_calls,) calls in any zone; all where no street is in one."""
        inside: NDArray[np.bool_] = self.call_area["zone"] != NO_AREA
        return inside if (self.piece_area["zone"] != NO_AREA).any() else np.ones_like(inside)


def ground_of(world: World, calls: Calls, geographies: Sequence[str], places: Positions) -> Ground:
    """Return the streets and the land of the geographies, and in which area each call lies.

    Parameters
    ----------
    places
        Wherever a unit stands.
    """
    chosen = {name: world.areas[name] for name in dict.fromkeys(("zone", *geographies))}
    network = world.network
    edges = cuts_along(network, [line for areas in chosen.values() for line in areas.outlines])
    posts = places.street, places.fraction
    pieces = cut_streets(network, incident_streets(network), edges, posts)
    lon, lat = middle_points(pieces)
    return Ground(
        pieces=pieces,
        piece_area={name: areas.number_at(lon, lat) for name, areas in chosen.items()},
        call_area={name: areas.number_at(calls.lon, calls.lat) for name, areas in chosen.items()},
        land={name: _land(world, areas) for name, areas in chosen.items()},
    )


def _land(world: World, areas: Areas) -> tuple[Positions, Ints, float]:
    lon, lat, cell_km2 = grid_within(shapely.union_all(list(areas.outlines)))
    at = on_streets(world.at_hour(0), lon, lat, NEAR_STREET_M)
    near = at.street != NO_STREET
    return some_of(at, near), areas.number_at(lon[near], lat[near]), cell_km2


# -- one thing ------------------------------------------------------------------------------------


def of_points(
    by_kind: Mapping[str, Ints], weight: Reals, within_s: Sequence[float]
) -> dict[str, Shares]:
    """Return the shares of points with weights."""
    return {kind: shares_of_points(by_kind[kind], weight, within_s) for kind in ALL}


def of_streets(
    pieces: Pieces, times: Mapping[str, tuple[PieceTimes, ...]], within_s: Sequence[float]
) -> dict[str, Shares]:
    """Return the shares of the length of stretches, their total in kilometres."""
    found = {}
    for kind in ALL:
        one = shares_of_streets(pieces, times[kind], within_s)
        found[kind] = Shares(
            total=one.total / 1000, within=one.within, p50_s=one.p50_s, p90_s=one.p90_s,
            unreached=one.unreached,
        )  # fmt: skip
    return found


def gaps_of(by_kind: Mapping[str, Ints], weight: Reals) -> tuple[float, ...]:
    """Return CARE's arrival minus that of SPD, seconds, at the quantiles GAPS.

    Of points that both reach; the least gap that so much of the weight does not exceed. NaN where
    there is none.
    """
    both = (by_kind[PAIR] < UNREACHABLE_MS) & (weight > 0)
    if not both.any():
        return (np.nan,) * len(GAPS)
    gap = by_kind[Agency.CARE][both].astype(np.int64) - by_kind[Agency.SPD][both]
    order = np.argsort(gap, kind="stable")
    so_far = np.cumsum(weight[both][order])
    wanted = np.array(GAPS) * so_far[-1] * (1.0 - 1e-12)
    at = np.minimum(np.searchsorted(so_far, wanted), len(order) - 1)
    return tuple((gap[order][at] / 1000).tolist())


# -- by area --------------------------------------------------------------------------------------


class Meter:
    """Measures one hour after the other on one ground."""

    def __init__(self, world: World, calls: Calls, ground: Ground) -> None:
        self._world, self._calls, self._ground = world, calls, ground
        self._within_s = world.scenario.coverage.within_s
        self._weight = np.ones(len(calls))

    def overall(self, arrivals: Arrivals, hour: int) -> Iterator[Measured]:
        """Yield the calls, the streets and the land of all zones, and all calls of the demand."""
        ground = self._ground
        by_kind = arrivals.at(self._calls.positions)
        in_zones = {kind: ms[ground.calls_in_zones] for kind, ms in by_kind.items()}
        yield self._points(hour, ZONES, CALLS, in_zones, self._weight[ground.calls_in_zones])
        if not ground.calls_in_zones.all():
            yield self._points(hour, EVERYWHERE, CALLS, by_kind, self._weight)
        inside = ground.in_zones
        pieces = ground.pieces.only(inside)
        shares = of_streets(pieces, arrivals.over(pieces), self._within_s)
        yield Measured(hour=hour, area=ZONES, of=STREETS, shares=shares, gap_s=None)
        at, _, cell_km2 = ground.land["zone"]
        weight = np.full(len(at), cell_km2)
        yield self._points(hour, ZONES, LAND, arrivals.at(at), weight)

    def own_hour(self, by_kind: Mapping[str, Ints], told: NDArray[np.bool_]) -> Measured:
        """Return the calls of all zones, each at its own hour, of those whose hour is told."""
        told = told & self._ground.calls_in_zones
        some = {kind: ms[told] for kind, ms in by_kind.items()}
        return self._points(None, ZONES, OWN_HOUR, some, self._weight[told])

    def by_area(self, arrivals: Arrivals, hour: int, name: str) -> Iterator[Measured]:
        """Yield calls, streets and land of every area of a geography."""
        ground, areas = self._ground, self._world.areas[name]
        n = len(areas.names)
        of_calls = arrivals.at(self._calls.positions)
        times = arrivals.over(ground.pieces)
        land, land_area, cell_km2 = ground.land[name]
        of_land = arrivals.at(land)
        for number, area in enumerate((*areas.names, ELSEWHERE)):
            wanted = number if number < n else NO_AREA
            mine = ground.call_area[name] == wanted
            if wanted == NO_AREA and not mine.any():
                continue
            calls = {kind: ms[mine] for kind, ms in of_calls.items()}
            yield self._points(hour, area, CALLS, calls, self._weight[mine])
            if wanted == NO_AREA:
                continue
            rows = ground.piece_area[name] == wanted
            some = {kind: tuple(_only(t, rows) for t in times[kind]) for kind in ALL}
            shares = of_streets(ground.pieces.only(rows), some, self._within_s)
            yield Measured(hour=hour, area=area, of=STREETS, shares=shares, gap_s=None)
            here = land_area == wanted
            cells = {kind: ms[here] for kind, ms in of_land.items()}
            weight = np.full(int(here.sum()), cell_km2)
            yield self._points(hour, area, LAND, cells, weight)

    def _points(
        self, hour: int | None, area: str, of: str, by_kind: Mapping[str, Ints], weight: Reals
    ) -> Measured:
        return Measured(
            hour=hour, area=area, of=of, shares=of_points(by_kind, weight, self._within_s),
            gap_s=gaps_of(by_kind, weight),
        )  # fmt: skip


def _only(times: PieceTimes, rows: NDArray[np.bool_]) -> PieceTimes:
    return PieceTimes(
        low_ms=times.low_ms[rows], along_ms=times.along_ms[rows], high_ms=times.high_ms[rows],
        against_ms=times.against_ms[rows],
    )  # fmt: skip


def calls_at_their_hour(
    calls: Calls, hours: Ints, known: Sequence[int], at: Callable[[int], Arrivals]
) -> tuple[dict[str, Ints], NDArray[np.bool_]]:
    """Return (n_calls,) milliseconds to each call in the hour in which it came, and which are told.

    Parameters
    ----------
    hours
        (n_calls,) of the week.
    known
        Hours of which it is known who stands where.
    """
    found = {kind: np.full(len(calls), UNREACHABLE_MS, np.int32) for kind in ALL}
    for hour in np.intersect1d(hours, known).tolist():
        rows = np.flatnonzero(hours == hour)
        by_kind = at(hour).at(some_of(calls.positions, rows))
        for kind in ALL:
            found[kind][rows] = by_kind[kind]
    return found, np.isin(hours, known)
