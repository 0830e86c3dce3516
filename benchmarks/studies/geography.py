"""Geographies of a study: named areas, and in which of them points lie.

What lives here: areas of outlines, beats, sectors and precincts from beats, the zones of a release;
`number_at` for many points at once. What does not: reading files (`geojson_files`), what is counted
by area.

A point on an edge, or within about a millimetre of one, is inside; of several areas the first of
the geography's order has it, for zones the one that wins.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from benchmarks.studies.world import NO_AREA, Areas
from geodata.beats import BeatMap, sector_of
from geodata.zones import ZoneKind, ZoneMap

ROUNDING_DEGREES: Final = 1e-8
"""About a millimetre: coordinates are rounded numbers."""
Reals = NDArray[np.float64]
Numbers = NDArray[np.int32]


def areas_of(name: str, outlines: Mapping[str, BaseGeometry]) -> Areas:
    """Return a geography of outlines in degrees, sorted by name."""
    names = tuple(sorted(outlines))
    shapes = tuple(outlines[one] for one in names)
    return Areas(name=name, names=names, outlines=shapes, number_at=number_at_of(shapes))


def number_at_of(shapes: Sequence[BaseGeometry]) -> Callable[[Reals, Reals], Numbers]:
    """Return what finds the first of some areas that each point lies in, NO_AREA for none."""
    ready = np.array(shapes, dtype=object)
    shapely.prepare(ready)
    bounds = shapely.bounds(ready) + ROUNDING_DEGREES * np.array([-1.0, -1.0, 1.0, 1.0])

    def number_at(lon: Reals, lat: Reals) -> Numbers:
        lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        found = np.full(len(lon), NO_AREA, np.int32)
        for strict in (True, False):
            for place, (west, south, east, north) in enumerate(bounds):
                open_ = found == NO_AREA
                rows = np.flatnonzero(
                    open_ & (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
                )
                hit = _inside(ready[place], lon[rows], lat[rows], strict=strict)
                found[rows[hit]] = place
        return found

    return number_at


def _inside(area: BaseGeometry, lon: Reals, lat: Reals, *, strict: bool) -> NDArray[np.bool_]:
    if strict:
        return np.asarray(shapely.intersects_xy(area, lon, lat), np.bool_)
    return np.asarray(shapely.dwithin(area, shapely.points(lon, lat), ROUNDING_DEGREES), np.bool_)


def zones_of(zones: ZoneMap) -> Areas:
    """Return the zones that take calls; a point in a zone that refuses them is in none.

    The zone of a point is the one that the service finds, tolerance at edges included.
    """
    taking = tuple(zone for zone in zones.zones if zone.kind is not ZoneKind.EXCLUDE)
    number = {zone.zone_id: place for place, zone in enumerate(taking)}
    first = number_at_of([zone.geometry for zone in zones.zones])
    of_rank = np.array([number.get(z.zone_id, NO_AREA) for z in zones.zones] + [NO_AREA], np.int32)
    edges = shapely.union_all([zone.geometry.boundary for zone in zones.zones])
    shapely.prepare(edges)
    margin = 2e-5 * max(zones.edge_tolerance_m, 0.001)  # a degree is 50 km or more up to 63 N

    def number_at(lon: Reals, lat: Reals) -> Numbers:
        found = of_rank[first(lon, lat)]
        near = shapely.dwithin(edges, shapely.points(lon, lat), margin)
        for row in np.flatnonzero(near).tolist():
            hits = zones.zones_at(float(lon[row]), float(lat[row]))
            found[row] = number.get(hits[0].zone_id, NO_AREA) if hits else NO_AREA
        return np.asarray(found, np.int32)

    return Areas(
        name="zone",
        names=tuple(zone.zone_id for zone in taking),
        outlines=tuple(zone.geometry for zone in taking),
        number_at=number_at,
    )


def of_beats(beats: BeatMap, precinct_of: Mapping[str, str]) -> Iterator[Areas]:
    """Yield the beats, and the sectors and precincts that they make up."""
    yield areas_of("beat", beats.outlines)
    sectors: dict[str, list[BaseGeometry]] = {}
    for beat, outline in beats.outlines.items():
        sectors.setdefault(sector_of(beat), []).append(outline)
    yield areas_of("sector", {name: shapely.union_all(parts) for name, parts in sectors.items()})
    precincts: dict[str, list[BaseGeometry]] = {}
    for sector, parts in sectors.items():
        if sector in precinct_of:
            precincts.setdefault(precinct_of[sector], []).extend(parts)
    if precincts:
        joined = {name: shapely.union_all(parts) for name, parts in precincts.items()}
        yield areas_of("precinct", joined)
