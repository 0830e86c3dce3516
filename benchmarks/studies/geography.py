"""Geographies of a study: named areas, and in which of them points lie.

What lives here: reading areas from GeoJSON, beats, sectors and precincts from beats, the zones of a
release; `number_at` for many points at once. What does not: what is counted by area.

A point on an edge, or within about a millimetre of one, is inside; of several areas the first of
the geography's order has it, for zones the one that wins.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from benchmarks.studies.errors import Fault
from benchmarks.studies.reading import nearest
from benchmarks.studies.world import NO_AREA, Areas
from geodata.beats import BeatMap, sector_of
from geodata.zones import ZoneKind, ZoneMap, geometry_problem, read_outline

ROUNDING_DEGREES: Final = 1e-8
"""About a millimetre: coordinates are rounded numbers."""
AREAS_BYTES_MAX: Final = 200_000_000
AREAS_MAX: Final = 10_000
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "beat": ("beat",),
    "precinct": ("name", "precinct"),
    "tract": ("geoid", "GEOID20", "GEOID", "name", "NAME"),
}
"""Properties that are looked for where the scenario names none."""
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


# -- files ----------------------------------------------------------------------------------------


class GeographyFile:
    """A GeoJSON of areas: what it holds, and everything that is wrong with it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.outlines: dict[str, BaseGeometry] = {}
        self.field: str | None = None
        """The property that names each, as found."""

    def read(self, name: str, field: str | None) -> dict[str, BaseGeometry]:
        """Return outlines by name; {} where there are faults."""
        data = self.features()
        if data is None:
            return {}
        known = self.field = self._field(name, field, data)
        if known is None:
            return {}
        for place, feature in enumerate(data):
            self._take(place, feature, known)
        if not self.outlines and not self.faults:
            self.fault("features", "has no area.", "Give polygons, each with a name.")
        return {} if self.faults else self.outlines

    def fault(self, where: str, message: str, remedy: str) -> None:
        """Keep what is wrong."""
        one = Fault(file=str(self.file), line=None, where=where, message=message, remedy=remedy)
        self.faults.append(one)

    def features(self) -> list[Mapping[str, Any]] | None:
        """Return the features of the file, None where it is no collection of features."""
        remedy = "Give a GeoJSON FeatureCollection in degrees of WGS 84."
        try:
            if self.file.stat().st_size > AREAS_BYTES_MAX:
                self.fault("the file", f"has more than {AREAS_BYTES_MAX:,} bytes.", remedy)
                return None
            data = json.loads(self.file.read_text(encoding="utf-8"))
        except json.JSONDecodeError as problem:
            one = Fault(
                file=str(self.file),
                line=problem.lineno,
                where="the file",
                message=f"is no JSON: {problem.msg}.",
                remedy=remedy,
            )
            self.faults.append(one)
            return None
        except (OSError, ValueError, RecursionError) as problem:
            self.fault("the file", f"cannot be read: {problem}.", remedy)
            return None
        features = data.get("features") if isinstance(data, dict) else None
        if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
            self.fault("the file", "is no FeatureCollection.", remedy)
            return None
        if len(features) > AREAS_MAX:
            self.fault("the file", f"has more than {AREAS_MAX:,} features.", "Give fewer.")
            return None
        return features

    def _field(self, name: str, field: str | None, data: Sequence[Mapping[str, Any]]) -> str | None:
        there = {key for one in data for key in (one.get("properties") or {})}
        wanted = (field,) if field else FIELDS.get(name, (name, "name"))
        found = next((one for one in wanted if one in there), None)
        if found is None:
            like = nearest(wanted[0], there)
            hint = f"Did you mean {like}?" if like else f"The file has {', '.join(sorted(there))}."
            self.fault(wanted[0], "is no property of the features.", f"{hint} Set field = ...")
        return found

    def _take(self, place: int, feature: Mapping[str, Any], field: str) -> None:
        where = f"features[{place}]"
        name = str((feature.get("properties") or {}).get(field) or "").strip()
        if not name:
            self.fault(f"{where}.{field}", "is empty.", "Name each area.")
            return
        try:
            outline = read_outline(feature["geometry"])
        except (KeyError, TypeError, ValueError, AttributeError, ShapelyError) as problem:
            self.fault(where, f"has no outline: {problem}.", "Give a polygon.")
            return
        problem_found = geometry_problem(outline)
        if problem_found is not None:
            self.fault(f"{where} ({name})", f"{problem_found}.", "")
            return
        before = self.outlines.get(name)
        self.outlines[name] = outline if before is None else shapely.union(before, outline)
