"""Where CARE could stand, and where calls are: candidates and points of demand.

What lives here: candidates from a CSV or a grid of street places, calls put together to points, and
who arrives when. What does not: models (`models`) and what is told (`siting_tables`).

Today's posts are always among the candidates, so that no model can do worse for want of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.studies.coverage.arrivals import Arrivals
from benchmarks.studies.demand import Calls
from benchmarks.studies.errors import THE_FILE, BadScenario, StudyError, fault_of
from benchmarks.studies.placing import far_posts
from benchmarks.studies.post_files import read_posts
from benchmarks.studies.siting.instance import Whole
from benchmarks.studies.world import NO_AREA, World, some_of
from geodata.earth import metres_per_degree
from geodata.snap import NO_STREET, Positions
from routing.codes import Agency
from routing.coverage import (
    LONGEST_MS,
    as_targets,
    cut_streets,
    incident_streets,
    middle_points,
    surface_from,
)

Reals = NDArray[np.float64]
CELLS_MAX: Final = 20_000_000
"""Candidates times points that fit in memory with what the models make of them."""
NARROWEST_M: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Places where CARE could stand."""

    names: tuple[str, ...]
    at: Positions
    n_today: int
    """The first of them are today's posts on duty, in their order."""
    told: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Calls, put together to points of demand."""

    kept: NDArray[np.bool_]
    """(n_all,) which of the demand's calls count."""
    calls: Positions
    """Those that do."""
    number: NDArray[np.int64]
    """(n_calls,) the point of each."""
    row: NDArray[np.int64]
    """(n_points,) the call at whose place the point is."""
    weight: Whole
    """(n_points,) calls."""
    told: str


# -- candidates -----------------------------------------------------------------------------------


def candidates_of(world: World, arrivals: Arrivals) -> Candidates:
    """Return today's posts and the places of the scenario's CSV, or of a grid over the zones.

    Raises
    ------
    BadScenario
        The CSV has faults, each told with its line.
    """
    spec = world.scenario.siting
    today, names = arrivals.standing.at[Agency.CARE], arrivals.standing.names[Agency.CARE]
    room = max(1, spec.candidates_max - len(today))
    if spec.candidates is None:
        at, others, told = _grid(world, room)
    else:
        at, others, told = places_of_file(world)
    new = np.array([name not in names for name in others], np.bool_)
    columns = Positions.of(*today, *some_of(at, new))
    kept = tuple(name for name, is_new in zip(others, new.tolist(), strict=True) if is_new)
    if not len(columns):
        raise StudyError(
            "There is no place at which CARE could stand.",
            remedy="Give siting.candidates, or a zone with streets.",
        )
    told = f"{told}; and the {len(today)} places of today" if len(today) else told
    return Candidates(names=(*names, *kept), at=columns, n_today=len(today), told=told)


def places_of_file(world: World) -> tuple[Positions, list[str], str]:
    """Return the places of the scenario's CSV, their names, and where they are from, in words.

    Raises
    ------
    BadScenario
        With everything that is wrong with it.
    """
    file = world.scenario.siting.candidates
    assert file is not None, "a file of candidates"
    posts, faults = read_posts(file, Agency.CARE)
    placed = [(Agency.CARE, (), told) for told in posts]
    limits = world.release.city_policy.snap
    faults += [fault for _, fault in far_posts(world.streets, limits, placed)]
    if not posts and not faults:
        faults.append(
            fault_of(file, THE_FILE, "has no row for CARE.", "Give a row for each place.")
        )
    if faults:
        raise BadScenario(sorted(faults, key=lambda fault: fault.line or 0))
    at = _snapped(world, [(one.post.lon, one.post.lat) for one in posts])
    return at, [one.post.post_id for one in posts], f"{len(posts)} places of {file.name}"


def _snapped(world: World, places: Sequence[tuple[float, float]]) -> Positions:
    lon, lat = (np.array([place[k] for place in places], np.float64) for k in (0, 1))
    return world.streets.snap_units(lon, lat)


def _grid(world: World, most: int) -> tuple[Positions, list[str], str]:
    """Return in each square of a grid over the zones the middle of a street nearest its centre."""
    network = world.network
    lon, lat = middle_points(cut_streets(network, incident_streets(network)))
    inside = world.areas["zone"].number_at(lon, lat) != NO_AREA
    inside = inside if inside.any() else np.ones(len(lon), np.bool_)
    x_m, y_m = metres(lon[inside], lat[inside])
    side_m = finest(x_m, y_m, most)
    cell = cells(x_m, y_m, side_m)
    from_centre = np.hypot(x_m % side_m - side_m / 2, y_m % side_m - side_m / 2)
    order = np.lexsort((from_centre, cell))
    rows = np.flatnonzero(inside)[order[np.unique(cell[order], return_index=True)[1]]]
    at = _snapped(world, list(zip(lon[rows].tolist(), lat[rows].tolist(), strict=True)))
    at = some_of(at, at.street != NO_STREET)
    told = f"{len(at)} street places in the zones, one in each square of {side_m:.0f} m"
    return at, [f"G{row + 1:03}" for row in range(len(at))], told


# -- points of demand -----------------------------------------------------------------------------


def points_of(world: World, calls: Calls) -> Points:
    """Return the calls in the zones (all where none is) as at most so many points of demand.

    Calls of one place are one point. Where there are too many places, those in one square of a
    grid are, at the place of the call nearest to their middle.

    Raises
    ------
    StudyError
        No call is near a street.
    """
    inside = world.areas["zone"].number_at(calls.lon, calls.lat) != NO_AREA
    near = calls.positions.street != NO_STREET
    kept = near & inside if (near & inside).any() else near
    if not kept.any():
        raise StudyError(
            "The demand holds no call near a street.", remedy="Look at demand.care of the scenario."
        )
    at, most = some_of(calls.positions, kept), world.scenario.siting.demand_points_max
    exact = np.column_stack((at.street, np.rint(1e6 * at.fraction), at.leaves)).astype(np.int64)
    _, number = np.unique(exact, axis=0, return_inverse=True)
    number, where = number.ravel(), "in the zones" if (near & inside).any() else "in all"
    n_places = int(number.max()) + 1
    told = f"{len(at):,} calls {where} at {n_places:,} places, each a point of demand"
    x_m, y_m = metres(calls.lon[kept], calls.lat[kept])
    if n_places > most:
        side_m = finest(x_m, y_m, most)
        _, number = np.unique(cells(x_m, y_m, side_m), return_inverse=True)
        told = f"{len(at):,} calls {where} at {n_places:,} places, put together by squares of "
        told += f"{side_m:.0f} m"
    row = _nearest_to_middle(x_m, y_m, number)
    moved_m = np.hypot(x_m - x_m[row][number], y_m - y_m[row][number])
    if n_places > most:
        told += (
            f" to {len(row):,} points, each at the place of one of its calls: moved by "
            f"{moved_m.mean():.0f} m in the mean, {moved_m.max():.0f} m at most"
        )
    return Points(
        kept=kept, calls=at, number=number, row=row, weight=np.bincount(number), told=told
    )


def _nearest_to_middle(x_m: Reals, y_m: Reals, number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (n_points,) the call of each point that is nearest to the middle of its calls."""
    count = np.bincount(number)
    away = np.hypot(*(axis - (np.bincount(number, axis) / count)[number] for axis in (x_m, y_m)))
    order = np.lexsort((np.arange(len(number)), away, number))
    return order[np.unique(number[order], return_index=True)[1]].astype(np.int64)


def metres(lon: Reals, lat: Reals) -> tuple[Reals, Reals]:
    """Return metres east and north of the south-west corner of some places."""
    per_lon, per_lat = metres_per_degree(0.5 * float(lat.min() + lat.max()))
    return (lon - lon.min()) * per_lon, (lat - lat.min()) * per_lat


def cells(x_m: Reals, y_m: Reals, side_m: float) -> NDArray[np.int64]:
    """Return the square of a grid in which each place is."""
    column, row = (np.floor(axis / side_m).astype(np.int64) for axis in (x_m, y_m))
    return np.asarray(row * (column.max() + 1) + column, np.int64)


def finest(x_m: Reals, y_m: Reals, most: int) -> float:
    """Return the side of the smallest squares, of those tried, of which at most so many are used.

    Sides rise by a twentieth: more of them need not mean fewer squares, so that each is counted.
    """
    side_m = NARROWEST_M
    while len(np.unique(cells(x_m, y_m, side_m))) > most:
        side_m *= 1.05
    return side_m


# -- arrivals -------------------------------------------------------------------------------------


def must_fit(n_sites: int, n_points: int) -> None:
    """Refuse more candidates and points than the models have room for.

    Raises
    ------
    StudyError
        They are more than `CELLS_MAX` pairs.
    """
    if n_sites * n_points > CELLS_MAX:
        raise StudyError(
            f"{n_sites:,} candidates times {n_points:,} points of demand are more than "
            f"{CELLS_MAX:,}.",
            remedy="Lower siting.candidates_max or siting.demand_points_max.",
        )


def care_ms(world: World, arrivals: Arrivals, sites: Positions, places: Positions) -> Whole:
    """Return (n_sites, n_places) milliseconds from dispatch until CARE is there from each site."""
    times = arrivals.times
    delay_ms = round(1000 * world.scenario.durations.turnout_care_s) + times.start_and_park_ms
    targets, found = as_targets(times, places), np.empty((len(sites), len(places)), np.int32)
    for row in range(len(sites)):
        found[row] = surface_from(times, Positions.of(sites[row]), delay_ms).ms_at(targets)
    return np.minimum(found, LONGEST_MS).astype(np.int64)


def spd_ms(arrivals: Arrivals, places: Positions) -> Whole:
    """Return (n_places,) milliseconds from dispatch until police are there."""
    found = arrivals.surfaces[Agency.SPD].ms_at(as_targets(arrivals.times, places))
    return np.minimum(found, LONGEST_MS).astype(np.int64)


def shapes_of(places: Positions) -> list[shapely.Point]:
    """Return places as points in degrees."""
    return [shapely.Point(x, y) for x, y in zip(places.lon, places.lat, strict=True)]
