"""Small worlds for tests of studies: a network, zones, posts and calls made by hand."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.studies.demand import CARE_911, Calls
from benchmarks.studies.scenario import (
    CoverageSpec,
    Demand,
    GeneratedCalls,
    PostSite,
    Scenario,
    Shift,
    UnitGroup,
)
from benchmarks.studies.world import NO_AREA, Areas, World
from geodata.driving_time import ROUTINE, EdgeTimes, edge_times
from geodata.network import StreetNetwork
from geodata.snap import Position, Positions, StreetIndex
from geodata.zones import Zone, ZoneKind, ZoneMap
from routing.codes import Agency
from routing.model import PILOT, Situation, place_units, unit_columns
from routing.release import Release
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes

MONDAY = datetime(2026, 7, 20, 7, tzinfo=UTC).timestamp()
"""Monday 00:00 in Seattle."""


def areas_of(name: str, outlines: Mapping[str, Any]) -> Areas:
    """Return a geography; the first outline that covers a point has it."""
    shapes = tuple(outlines.values())

    def number_at(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        found = np.full(len(lon), NO_AREA, np.int32)
        for number in reversed(range(len(shapes))):
            found[shapely.intersects_xy(shapes[number], lon, lat)] = number
        return found

    return Areas(name=name, names=tuple(outlines), outlines=shapes, number_at=number_at)


def group(agency: Agency, places: Sequence[Position], *shifts: Shift) -> UnitGroup:
    """Return one unit at each of some places."""
    posts = [
        PostSite(post_id=f"{agency}-{k:02}", lon=at.lon, lat=at.lat) for k, at in enumerate(places)
    ]
    return UnitGroup(
        agency=agency, count=len(posts), posts=tuple(posts), shifts=shifts or (Shift(),)
    )


def world_on(  # noqa: PLR0913  what a test may want otherwise
    network: StreetNetwork,
    care: Sequence[Position],
    spd: Sequence[Position],
    *,
    zones: Mapping[str, Any] | None = None,
    areas: Mapping[str, Mapping[str, Any]] | None = None,
    weights: Callable[[int], EdgeTimes] | None = None,
    units: tuple[UnitGroup, ...] = (),
    coverage: CoverageSpec | None = None,
) -> World:
    """Return a world with posts at places on the streets; the zone is everything unless told.

    Parameters
    ----------
    weights
        By hour of the week; none: the routine profile.
    units
        In place of one unit at each place, all day.
    """
    west, south, east, north = network.bounds
    whole = shapely.box(west - 0.001, south - 0.001, east + 0.001, north + 0.001)
    zones = {"CORE": whole} if zones is None else zones
    release = _release(zones)
    places = {Agency.CARE: care, Agency.SPD: spd}
    scenario = Scenario(
        file=Path("drawn.toml"), sha256="", name="drawn",
        units=units or tuple(group(agency, at) for agency, at in places.items()),
        demand=Demand(care=GeneratedCalls(per_day=1.0)), coverage=coverage or CoverageSpec(),
    )  # fmt: skip
    geographies = {"zone": areas_of("zone", zones)}
    geographies |= {name: areas_of(name, one) for name, one in (areas or {}).items()}
    streets = StreetIndex.build(network)
    return World(
        scenario=scenario, network=network, streets=streets, release=release, beats=None,
        areas=geographies, at_hour=_at_hour(network, streets, release, weights),
        post_ids={a: tuple(f"{a}-{k:02}" for k in range(len(at))) for a, at in places.items()},
        post_positions={agency: Positions.of(*at) for agency, at in places.items()},
        hashes={},
    )  # fmt: skip


def _release(zones: Mapping[str, Any]) -> Release:
    made = [
        Zone(zone_id=name, name=name, kind=ZoneKind.BASE, precedence=-k, geometry=area)
        for k, (name, area) in enumerate(zones.items())
    ]
    return Release(release_id="drawn", zones=ZoneMap(made), city_policy=PILOT)


def _at_hour(
    network: StreetNetwork,
    streets: StreetIndex,
    release: Release,
    weights: Callable[[int], EdgeTimes] | None,
) -> Callable[[int], Situation]:
    graph, hierarchy = build_hierarchy(network)
    known: dict[str, Situation] = {}
    roster = unit_columns(())

    def at_hour(hour: int) -> Situation:
        chosen = weights(hour) if weights else edge_times(network, ROUTINE, hour=hour)
        if chosen.weights_id not in known:
            times = TravelTimes(network, graph, hierarchy, chosen)
            known[chosen.weights_id] = Situation(
                network=network, streets=streets, travel_times=times, zones=release.zones,
                policy=release.city_policy, roster=roster,
                placement=place_units(roster, network=network, streets=streets,
                                      travel_times=times),
            )  # fmt: skip
        return known[chosen.weights_id]

    return at_hour


def calls_at(places: Sequence[Position], hours: Sequence[int] | None = None) -> Calls:
    """Return one call at each place, in these hours of a week (Tuesday 13:00 unless told)."""
    n = len(places)
    hours = [37] * n if hours is None else hours
    return Calls(
        call_id=tuple(f"call-{k}" for k in range(n)),
        kind=np.full(n, CARE_911, np.int8),
        at_s=MONDAY + 3600.0 * np.array(hours) + 60.0,
        lon=np.array([at.lon for at in places]),
        lat=np.array([at.lat for at in places]),
        positions=Positions.of(*places),
        call_type=("PERSON DOWN",) * n,
        priority=np.full(n, 3, np.int16),
        units_needed=np.ones(n, np.int8),
        source="made by a test",
    )
