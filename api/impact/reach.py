"""How much of a release's area CARE, police and the pair reach in X minutes, and CARE's workload.

What lives here: surfaces from posts, shares of calls, streets and land, and `Workload`. What does
not: which calls count (`judging`), which land and streets are whose (`ground`).

An arrival is turnout, start and park, and drive, as in an answer of the service. A unit stands free
at every post, for every call: a bound on what can be reached, not a forecast.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from api.impact.ground import Ground
from api.impact.judging import NOWHERE, Judged, Level
from api.impact.posts import Posts
from geodata.call_history import CallHistory
from geodata.driving_time import UNREACHABLE_MS
from geodata.earth import metres_per_degree
from geodata.snap import NO_STREET, Positions
from routing.codes import Agency
from routing.coverage import (
    Pieces,
    PieceTimes,
    Shares,
    Surface,
    as_targets,
    cut_streets,
    cuts_at,
    shares_of_points,
    shares_of_streets,
    surface_from,
    times_over,
)
from routing.model import Situation
from routing.policy import Policy
from routing.release import Release

WITHIN_S: Final = tuple(range(60, 1_201, 60))
"""Every minute up to twenty; CARE's own mean from dispatch to arrival is 13 (two-year report)."""
NEAR_STREET_M: Final = 100.0
"""Land farther from a street is no place of a call: water, rail yards, the middle of parks."""
GRID_M: Final = 50.0
GRID_POINTS_MAX: Final = 20_000
PAIR: Final = "PAIR"
KINDS: Final = (Agency.CARE, Agency.SPD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Shares of one thing under one release, by CARE, by SPD and by the pair."""

    release: str
    """LIVE or DRAFT."""
    of: str
    """CALLS_IN_HOURS, ELIGIBLE_CALLS, STREETS or LAND."""
    shares: Mapping[str, Shares]
    """By CARE, SPD and PAIR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What CARE would have to do; `docs/impact.md` has the formula."""

    calls_per_week: float
    arrival_s: float | None
    """Mean of the nearest CARE post's arrivals; None when no call is reached."""
    service_s: float
    """Mean of the policies' `mean_service_s` over these calls."""
    unreached_per_week: float
    """Calls that no CARE post reaches; their arrival counts as the mean."""
    unit_hours_per_week: float
    open_hours_per_week: float
    busy_units: float
    """Unit hours by open hours: how many units are busy at a time, on average."""
    units: int
    utilisation: float
    """Busy units by units."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reached:
    """All of it, and what is drawn."""

    reaches: tuple[Reach, ...]
    workloads: tuple[Workload, Workload] | None
    """Live and draft; None where the table has no call types."""
    pieces: Pieces
    """Stretches of street in the area of either release."""
    pair_ms: NDArray[np.float64]
    """(n_pieces,) arrival of the pair at the middle of each stretch, under the draft."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """One of the two releases."""

    name: str
    release: Release
    judged: Judged
    zones: Sequence[str]
    """(n_pieces,) of the ground."""
    land: BaseGeometry


def reach_of(  # noqa: PLR0913, PLR0917  two releases, their calls and ground, and what stands where
    situation: Situation,
    releases: tuple[Release, Release],
    history: CallHistory,
    judged: tuple[Judged, Judged],
    ground: Ground,
    posts: Posts,
    care_units: int,
) -> Reached:
    """Return what is reached, before and after.

    Parameters
    ----------
    situation
        With the drive times of the hour that stands for all.
    """
    sides = [
        _Side(name=name, release=releases[k], judged=judged[k], zones=ground.zones[k],
              land=ground.taken[k])
        for k, name in enumerate(("LIVE", "DRAFT"))
    ]  # fmt: skip
    calls = _Calls(situation, history)
    surfaces = [_surfaces(situation, side.release.city_policy, posts) for side in sides]
    reaches, workloads = [], []
    for side, surface in zip(sides, surfaces, strict=True):
        reaches += calls.reaches(side, surface)
        reaches.append(_of_streets(side, ground.pieces, surface))
        reaches.append(_of_land(situation, side, surface))
        workloads.append(calls.workload(side, surface[Agency.CARE], care_units))
    pieces, pair_ms = _drawn(ground, surfaces[1])
    return Reached(
        reaches=tuple(reaches),
        workloads=(workloads[0], workloads[1]) if history.has_types else None,
        pieces=pieces,
        pair_ms=pair_ms,
    )


Surfaces = Mapping[Agency, Surface]


def _surfaces(situation: Situation, policy: Policy, posts: Posts) -> Surfaces:
    times = situation.travel_times
    assert times is not None, "no drive times are loaded"
    turnout_s = {Agency.CARE: policy.turnout_care_s, Agency.SPD: policy.turnout_spd_s}
    found = {}
    for agency in KINDS:
        lon, lat = (np.array(column) for column in zip(*posts.of[agency].values(), strict=True))
        at = situation.streets.snap_units(lon, lat)
        delay_ms = 1000 * turnout_s[agency] + times.start_and_park_ms
        found[agency] = surface_from(times, at, delay_ms)
    return found


def _shares(
    by_kind: Mapping[str, NDArray[np.int32]], weight: NDArray[np.float64]
) -> dict[str, Shares]:
    pair = np.maximum(by_kind[Agency.CARE], by_kind[Agency.SPD])
    return {
        str(kind): shares_of_points(ms, weight, WITHIN_S)
        for kind, ms in (*by_kind.items(), (PAIR, pair))
    }


# -- calls ----------------------------------------------------------------------------------------


class _Calls:
    """The calls of a history on the streets."""

    def __init__(self, situation: Situation, history: CallHistory) -> None:
        self._situation = situation
        self._history = history

    def _at(self, rows: NDArray[np.bool_]) -> Positions:
        """Return where calls are on the streets; on none where the policy would refuse it."""
        situation = self._situation
        times = situation.travel_times
        assert times is not None, "no drive times are loaded"
        lon, lat = self._history.lon[rows], self._history.lat[rows]
        return as_targets(times, on_streets(situation, lon, lat, situation.policy.snap.refuse_m))

    def reaches(self, side: _Side, surfaces: Surfaces) -> list[Reach]:
        """Return the shares of the calls in hours, and of the eligible ones."""
        wanted = [("CALLS_IN_HOURS", Level.IN_HOURS)]
        if self._history.has_types:
            wanted.append(("ELIGIBLE_CALLS", Level.ELIGIBLE))
        found = []
        for of, level in wanted:
            at = self._at(side.judged.level >= level)
            by_kind = {str(kind): surfaces[kind].ms_at(at) for kind in KINDS}
            shares = _shares(by_kind, np.ones(len(at)))
            found.append(Reach(release=side.name, of=of, shares=shares))
        return found

    def workload(self, side: _Side, care: Surface, units: int) -> Workload:
        """Return what the eligible calls ask of CARE."""
        rows = side.judged.level >= Level.ELIGIBLE
        ms = care.ms_at(self._at(rows))
        reached = ms[ms < UNREACHABLE_MS]
        arrival_s = float(reached.mean()) / 1000 if len(reached) else None
        service = [
            policy_of(side.release, side.judged.zone[row]).mean_service_s
            for row in np.flatnonzero(rows).tolist()
        ]
        weeks, open_hours = self._history.weeks, open_hours_per_week(side.release)
        hours = (sum(service) + len(service) * (arrival_s or 0.0)) / 3600 / weeks
        busy = hours / open_hours if open_hours else 0.0
        return Workload(
            calls_per_week=len(service) / weeks,
            arrival_s=arrival_s,
            service_s=sum(service) / len(service) if service else 0.0,
            unreached_per_week=(len(ms) - len(reached)) / weeks,
            unit_hours_per_week=hours,
            open_hours_per_week=open_hours,
            busy_units=busy,
            units=units,
            utilisation=busy / units,
        )


def on_streets(
    situation: Situation, lon: NDArray[np.float64], lat: NDArray[np.float64], farthest_m: float
) -> Positions:
    """Return where incidents are on the streets; NO_STREET for those farther from any."""
    at = situation.streets.snap_incidents(lon, lat)
    street = np.where(at.distance_m > farthest_m, np.int32(NO_STREET), at.street)
    columns = {name: getattr(at, name) for name in Positions.__slots__}
    return Positions(**{**columns, "street": street})


def policy_of(release: Release, zone_id: str) -> Policy:
    """Return the policy of a zone, by its id."""
    for zone in release.zones.zones:
        if zone.zone_id == zone_id:
            return release.zone_policies.get(zone.policy_id, release.city_policy)
    return release.city_policy


WEEK_TRIED: Final = datetime(2026, 7, 20, 7, tzinfo=UTC)
"""A week without a change of clocks."""
STEP: Final = timedelta(minutes=5)


def open_hours_per_week(release: Release) -> float:
    """Return the hours of a week in which the policy of any zone is open, to five minutes."""
    policies = (
        [release.city_policy]
        if not len(release.zones)
        else [policy_of(release, zone.zone_id) for zone in release.zones.zones]
    )
    windows = list({id(policy): policy.window for policy in policies}.values())
    n_steps = timedelta(days=7) // STEP
    instants = (WEEK_TRIED + k * STEP for k in range(n_steps))
    is_open = sum(any(w.open_at(at) is not None for w in windows) for at in instants)
    return is_open * (STEP / timedelta(hours=1))


# -- streets and land -----------------------------------------------------------------------------


def _of_streets(side: _Side, pieces: Pieces, surfaces: Surfaces) -> Reach:
    inside = pieces.only(np.array([zone != NOWHERE for zone in side.zones], np.bool_))
    cut = _cut_at_posts(inside, surfaces)
    care, spd = (times_over(surfaces[kind], cut) for kind in KINDS)
    sets: dict[str, tuple[PieceTimes, ...]] = {
        str(Agency.CARE): (care,), str(Agency.SPD): (spd,), PAIR: (care, spd)
    }  # fmt: skip
    shares = {kind: shares_of_streets(cut, times, WITHIN_S) for kind, times in sets.items()}
    return Reach(release=side.name, of="STREETS", shares=shares)


def _cut_at_posts(pieces: Pieces, surfaces: Surfaces) -> Pieces:
    """Return stretches that no post lies within."""
    posts = [cuts_at(surfaces[kind]) for kind in KINDS]
    touched = np.isin(pieces.street, np.concatenate([street for street, _ in posts]))
    whole, broken = pieces.only(~touched), pieces.only(touched)
    streets = np.unique(broken.street)
    edges = [(broken.street, broken.low), (broken.street, broken.high)]
    finer = cut_streets(pieces.network, streets, *edges, *posts)
    lies = _within(finer, broken)
    joined = [
        np.concatenate((getattr(whole, name), getattr(finer.only(lies), name)))
        for name in ("street", "low", "high")
    ]
    return Pieces(network=pieces.network, street=joined[0], low=joined[1], high=joined[2])


def _within(finer: Pieces, broken: Pieces) -> NDArray[np.bool_]:
    """Tell which of some stretches lie within any of others."""
    middle = 0.5 * (finer.low + finer.high)
    return np.array([
        bool(((broken.street == s) & (broken.low <= m) & (m <= broken.high)).any())
        for s, m in zip(finer.street.tolist(), middle.tolist(), strict=True)
    ], np.bool_)  # fmt: skip


def _of_land(situation: Situation, side: _Side, surfaces: Surfaces) -> Reach:
    lon, lat, cell_km2 = grid_within(side.land)
    at = on_streets(situation, lon, lat, NEAR_STREET_M)
    near = at.street != NO_STREET
    by_kind = {str(kind): surfaces[kind].ms_at(at)[near] for kind in KINDS}
    weight = np.full(int(near.sum()), cell_km2)
    return Reach(release=side.name, of="LAND", shares=_shares(by_kind, weight))


def grid_within(land: BaseGeometry) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return lon and lat of the points of a square grid within an area, and km2 for each."""
    if land.is_empty:
        return np.empty(0), np.empty(0), 0.0
    west, south, east, north = land.bounds
    per_lon, per_lat = metres_per_degree(0.5 * (south + north))
    step_m = max(GRID_M, math.sqrt(land.area * per_lon * per_lat / GRID_POINTS_MAX))
    lon = np.arange(west, east, step_m / per_lon) + 0.5 * step_m / per_lon
    lat = np.arange(south, north, step_m / per_lat) + 0.5 * step_m / per_lat
    every_lon, every_lat = (axis.ravel() for axis in np.meshgrid(lon, lat))
    shapely.prepare(land)
    inside = shapely.contains_xy(land, every_lon, every_lat)
    return every_lon[inside], every_lat[inside], step_m * step_m / 1e6


def _drawn(ground: Ground, surfaces: Surfaces) -> tuple[Pieces, NDArray[np.float64]]:
    """Return the stretches in the area of either release and the pair's arrival in their middle."""
    inside = np.array([a != NOWHERE or b != NOWHERE for a, b in zip(*ground.zones, strict=True)])
    pieces = _cut_at_posts(ground.pieces.only(inside), surfaces)
    care, spd = (times_over(surfaces[kind], pieces).middle_ms for kind in KINDS)
    return pieces, np.maximum(care, spd)
