"""What a recommendation is made of, each piece timed beside the time it may take."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.stopwatch import Timing, duration, table, time_each
from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork
from geodata.pilot.area import pilot_zone_features
from geodata.place_check import check_place
from geodata.snap import StreetIndex
from geodata.zones import Zone, ZoneKind, ZoneMap
from routing.candidates_kernel import Columns, nearest_rows, survey, tally
from routing.model import PILOT, Agency, Fix, Situation, Status, Unit, UnitId, unit_columns
from routing.placement import Placement, move_units, place_units
from routing.roster import CARE, SPD, UnitColumns
from routing.route import Drive
from routing.staging import Waits, stage_on_way
from routing.travel_time import TravelTimes

N_UNITS = 500
Points = list[tuple[float, float]]
Row = tuple[str, Timing, float]
"""What, how long it took, and the microseconds that it may take at the median."""


def pieces(times: TravelTimes, n_runs: int) -> str:
    """Return the table of the pieces of a recommendation with 500 units."""
    rng = np.random.default_rng(7)
    now = _situation(times, rng, N_UNITS)
    west, south, east, north = times.network.bounds
    points: Points = list(
        zip(
            rng.uniform(west, east, n_runs).tolist(),
            rng.uniform(south, north, n_runs).tolist(),
            strict=True,
        )
    )
    rows = [*_of_the_call(now, points), *_of_the_units(now, points), *_of_moves(times, rng)]
    shown = [
        (what, timing.us, duration(1e-6 * budget_us), _verdict(timing, budget_us))
        for what, timing, budget_us in rows
    ]
    title = f"The pieces of a recommendation with {N_UNITS} units, p50 (n = {n_runs})"
    return table(title, ("piece", "p50", "budget", "budget is"), shown)


def _verdict(timing: Timing, budget_us: float) -> str:
    return "kept" if timing.p50_s <= 1e-6 * budget_us else "**over**"


def _situation(times: TravelTimes, rng: np.random.Generator, n: int) -> Situation:
    """Return units near streets, a fifth of them CARE."""
    network, streets = times.network, StreetIndex.build(times.network)
    roster = unit_columns(
        Unit(
            unit_id=UnitId(f"U{i:04d}"),
            agency=Agency.CARE if i % 5 == 0 else Agency.SPD,
            crew_count=2,
            status=Status.AVAILABLE if rng.random() < 0.5 else Status.BUSY,
            position=_fix(network, rng),
        )
        for i in range(n)
    )
    placement = place_units(roster, network=network, streets=streets, travel_times=times)
    return Situation(
        network=network,
        streets=streets,
        travel_times=times,
        zones=ZoneMap.from_geojson(pilot_zone_features()),
        policy=PILOT,
        roster=roster,
        placement=placement,
    )


def _fix(network: StreetNetwork, rng: np.random.Generator) -> Fix:
    junction = int(rng.integers(network.n_junctions))
    lon, lat = network.junction_lon[junction], network.junction_lat[junction]
    east, north = rng.normal(0, 0.0002, 2)  # some 20 m, as fixes are
    return Fix(
        lon=float(lon + east),
        lat=float(lat + north),
        heading_deg=float(rng.uniform(0, 360)),
        speed_mps=8.0,
        accuracy_m=8.0,
    )


def _of_the_call(now: Situation, points: Points) -> Iterator[Row]:
    many = _many_zones(now.network)
    yield "numbers that are a place (`check_place`)", _timed(_check(now), points), 1
    for name, zones, budget_us in (("the pilot's zone", now.zones, 3), ("300 zones", many, 15)):
        yield f"zones of a point, {name}", _timed(zones.zones_at, points), budget_us
        yield f"an edge within 50 m, {name}", _timed(_near_edge(zones), points), budget_us
        yield f"the nearest zone, {name}", _timed(zones.nearest, points), budget_us
    yield "the street of a call", _timed(now.streets.snap_incident, points), 8


def _check(now: Situation) -> Callable[[float, float], object]:
    return lambda lon, lat: check_place(now.network, lon, lat)


def _near_edge(zones: ZoneMap) -> Callable[[float, float], object]:
    return lambda lon, lat: zones.is_near_edge(lon, lat, 50.0)


def _timed(run: Callable[[float, float], object], points: Points) -> Timing:
    return time_each(lambda point: run(*point), points)


def _of_the_units(now: Situation, points: Points) -> Iterator[Row]:
    times, labels = now.travel_times, now.placement.labels
    assert times is not None
    assert labels is not None
    places = [now.streets.snap_incident(*point) for point in points]
    targets = [times.incident_label(place) for place in places]
    yield "the label of a call", time_each(times.incident_label, places), 6
    at_ends = [replace(place, fraction=1.0, leaves=1) for place in places]
    yield "a call at the head of a one-way street", time_each(times.at_junction, at_ends), 8
    yield (
        "drive times of 500 units",
        time_each(lambda one: times.drive_ms(labels, one), targets),
        25,
    )
    yield from _of_the_choice(now, times.drive_ms(labels, targets[0]))
    numbers = range(len(targets))
    rows = np.random.default_rng(8).integers(0, N_UNITS, len(targets)).tolist()
    walked = time_each(lambda k: times.route_to(labels, rows[k], targets[k]), numbers)
    pairs = [(times.drives_to(labels, [rows[k], rows[k - 1]], targets[k], 150.0)) for k in numbers]
    drives = [drive for pair in pairs for drive in pair if drive is not None]
    yield "a route of a labelled unit", walked, 20
    found = (times.route_to(labels, rows[k], targets[k]) for k in numbers)
    routes = [route for route in found if route is not None]
    yield "metres of a route", time_each(lambda route: route.length_m, routes), 5
    yield (
        "the point 150 m before its end",
        time_each(lambda r: r.point_before_end(150.0), routes),
        5,
    )
    yield "where CARE stages, with its cross street", time_each(_staging(now), drives), 12


def _of_the_choice(now: Situation, drive_ms: NDArray[np.int32]) -> Iterator[Row]:
    units, placed = now.roster, now.placement
    columns = _columns(units)
    places = placed.source, placed.positions.distance_m, placed.lon, placed.lat
    call = (-122.33, 47.6, *metres_per_degree(47.6))
    limits, needs = (350.0, 181.4, 1_800_000, 60_000, 0.0), ((60, 2, 0), (20, 1, 0))

    def look(_: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        arrive_s, bits, *_rest = survey(drive_ms, places, columns, call, limits, needs)
        return arrive_s, bits

    arrive_s, bits = look(0)
    runs = range(300)
    yield "arrivals and rules of 500 units", time_each(look, runs), 8
    since_s, agency = units.available_since_s, units.agency
    for name, code in (("CARE", CARE), ("SPD", SPD)):

        def nearest(_: int, code: int = code) -> tuple[NDArray[np.int64], int]:
            return nearest_rows(arrive_s, since_s, agency, bits, code, -1, 0, 5)

        yield f"the five nearest of {name}", time_each(nearest, runs), 4
    yield "units counted by the rules they break", time_each(lambda _: tally(bits, agency), runs), 4


def _columns(units: UnitColumns) -> Columns:
    no_skills = np.zeros(len(units), np.int64)
    return (
        units.agency, units.status, units.crew_count, units.claimed, units.shift_end_s, no_skills,
    )  # fmt: skip


def _staging(now: Situation) -> Callable[[Drive], object]:
    waiting = Waits(least_s=60, expected_s=600)
    return lambda drive: stage_on_way(now.network, drive, waiting, PILOT)


def _many_zones(network: StreetNetwork) -> ZoneMap:
    """Return 300 zones that meet at their edges, with some 170 corners each."""
    west, south, east, north = network.bounds
    box = shapely.box(west, south, east, north)
    seeds = np.random.default_rng(9).uniform((west, south), (east, north), (300, 2))
    cells = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=box).geoms
    return ZoneMap(
        [
            Zone(
                zone_id=f"Z{i:03d}",
                name="",
                kind=ZoneKind.BASE,
                precedence=0,
                geometry=shapely.segmentize(shapely.intersection(cell, box), 0.0003),
            )
            for i, cell in enumerate(cells)
        ]
    )


def _of_moves(times: TravelTimes, rng: np.random.Generator) -> Iterator[Row]:
    for n_units, n_moved, budget_us in ((500, 1, 150), (1000, 1000, 30_000)):
        now = _situation(times, rng, n_units)
        rows: Sequence[NDArray[np.intp]] = [rng.permutation(n_units)[:n_moved] for _ in range(50)]

        def move(of: NDArray[np.intp], now: Situation = now) -> Placement:
            return move_units(now.placement, now.roster, of, now)

        yield f"{n_moved} of {n_units} units placed again", time_each(move, rows), budget_us
