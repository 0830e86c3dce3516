"""Zones of a programme, and which of them a point lies in.

What lives here: `Zone`, `ZoneMap` and the rule that picks one of several zones. What does not:
reading GIS files (`zone_import`), and what a zone means for a call (`routing`).

EXCLUDE beats all, then the highest precedence wins, then the lower zone_id. Edges count as inside.
Coordinates are lon and lat in degrees; distances are metres, measured in a plane that touches the
earth at the point asked about, good to better than 0.2 % over ten kilometres.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geodata.earth import metres_per_degree
from geodata.errors import GeodataError
from geodata.zone_edges import ZoneEdges

ROUNDING_M: Final = 0.001
"""A point this close to an edge lies on it: coordinates are rounded numbers."""

OVERLAP_MAX_M2: Final = 1.0
"""Zones of equal precedence may overlap this much, by rounding."""

ZONES_MAX: Final = 10_000

_CRS_NAMES: Final = ("CRS84", "EPSG::4326", "EPSG:4326")


class ZoneMapError(GeodataError, ValueError):
    """Zones that cannot be used; `problems` lists everything that is wrong with them.

    Parameters
    ----------
    about
        Of each problem the place of its feature in the file, or the `zone_id`; None: of them all.
    """

    def __init__(self, problems: Sequence[str], about: Sequence[int | str | None] = ()) -> None:
        self.problems = tuple(problems)
        self.about = tuple(about) or (None,) * len(self.problems)
        super().__init__("\n".join(self.problems))


class ZoneKind(StrEnum):
    """BASE and OVERLAY take calls, by precedence; EXCLUDE refuses them whatever else is there."""

    BASE = "BASE"
    OVERLAY = "OVERLAY"
    EXCLUDE = "EXCLUDE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One area."""

    zone_id: str
    name: str
    kind: ZoneKind
    precedence: int
    geometry: BaseGeometry
    """Polygon or MultiPolygon, lon and lat in degrees."""
    policy_id: str = ""
    """The policy of calls within; '' is the city's."""


Found = tuple[int | str | None, str]
"""The place of a feature or the `zone_id` of a zone, and what is wrong with it."""


def _refuse(found: Iterable[Found]) -> None:
    problems = list(found)
    if problems:
        raise ZoneMapError([text for _, text in problems], [about for about, _ in problems])


def _of_feature(place: int | str | None, text: str) -> str:
    return text if place is None else f"features[{place}]: {text}"


def _rank(zone: Zone) -> tuple[bool, int, str]:
    """Return a key that sorts the winner first."""
    return zone.kind is not ZoneKind.EXCLUDE, -zone.precedence, zone.zone_id


class ZoneMap:
    """All zones of a release, ready for look-ups. Immutable; safe to read from any thread."""

    __slots__ = (
        "_edges", "_open", "edge_tolerance_m", "zones",
    )  # fmt: skip

    def __init__(self, zones: Sequence[Zone], *, edge_tolerance_m: float = 0.0) -> None:
        """Make the zones ready.

        Parameters
        ----------
        edge_tolerance_m
            A point in no zone, but this close to one, counts as inside. Never used to enter an
            EXCLUDE zone.

        Raises
        ------
        ZoneMapError
            When ids repeat, a geometry is unusable or zones of equal precedence overlap.
        """
        if not 0 <= edge_tolerance_m < math.inf:
            raise ZoneMapError(
                [f"edge_tolerance_m is {edge_tolerance_m}; expected metres, 0 or more"]
            )
        _refuse(_problems_of(zones))
        self.zones = tuple(sorted(zones, key=_rank))
        """Every zone, in the order in which they win."""
        self.edge_tolerance_m = float(edge_tolerance_m)
        self._open = np.array([zone.kind is not ZoneKind.EXCLUDE for zone in self.zones], np.bool_)
        areas = np.array([zone.geometry for zone in self.zones], dtype=object)
        _refuse(_overlaps(self.zones, areas))
        self._edges = _edges_of(areas)

    @classmethod
    def from_geojson(cls, data: Mapping[str, Any], *, edge_tolerance_m: float = 0.0) -> "ZoneMap":
        """Return the zones of a GeoJSON FeatureCollection.

        Properties of a feature: `zone_id` (required), `name`, `kind` (default BASE), `precedence`
        (default 0), `policy_id`.

        Raises
        ------
        ZoneMapError
            With every problem found, each naming its feature.
        """
        problems: list[Found] = []
        zones = list(_read_features(data, problems))
        if problems:
            found = [(place, _of_feature(place, text)) for place, text in problems]
            _refuse([*found, *_problems_of(zones)])
        return cls(zones, edge_tolerance_m=edge_tolerance_m)

    def __len__(self) -> int:
        return len(self.zones)

    def zones_at(self, lon: float, lat: float) -> tuple[Zone, ...]:
        """Return every zone that a point lies in, the winner first; () outside all."""
        hits = self._edges.reached(lon, lat, ROUNDING_M)
        if not hits and self.edge_tolerance_m > ROUNDING_M:
            near = self._edges.reached(lon, lat, self.edge_tolerance_m)
            hits = [i for i in near if self._open[i]]
        return tuple([self.zones[i] for i in hits])

    def nearest(self, lon: float, lat: float) -> tuple[Zone, float] | None:
        """Return the nearest zone that takes calls and metres to it (0 inside), or None."""
        place, metres = self._edges.nearest(lon, lat, self._open)
        return None if place < 0 else (self.zones[place], metres)

    def areas_km2(self) -> tuple[float, ...]:
        """Return square kilometres of each of `zones`, in their order."""
        return tuple([_area_m2(zone.geometry) / 1e6 for zone in self.zones])

    def edge_distance_m(self, lon: float, lat: float) -> float:
        """Return metres to the nearest edge of any zone, from either side; infinite without."""
        return self._edges.edge_m(lon, lat)

    def is_near_edge(self, lon: float, lat: float, radius_m: float) -> bool:
        """Tell whether a circle around a point touches the edge of any zone."""
        return self._edges.touches(lon, lat, float(radius_m))


def _area_m2(geometry: BaseGeometry) -> float:
    """Return square metres of an area in degrees, in the plane at its own middle latitude."""
    if geometry.is_empty:
        return 0.0
    _, south, _, north = geometry.bounds
    per_lon, per_lat = metres_per_degree(0.5 * (south + north))
    return float(geometry.area) * per_lon * per_lat


def _edges_of(areas: NDArray[np.object_]) -> ZoneEdges:
    """Return the outlines of areas: every ring, holes and parts alike."""
    parts, zone = shapely.get_parts(areas, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    stretches = np.concatenate((points[:-1], points[1:]), axis=1)[same]
    return ZoneEdges.of(stretches, zone[part[ring[1:][same]]], len(areas))


def _overlaps(zones: tuple[Zone, ...], areas: NDArray[np.object_]) -> Iterator[Found]:
    """Yield a message for each two zones of equal precedence that share an area."""
    shapely.prepare(areas)
    pairs = shapely.STRtree(areas).query(areas, predicate="intersects").T.tolist()
    for i, j in sorted(pairs):
        one, other = zones[i], zones[j]
        if i >= j or one.precedence != other.precedence:
            continue
        if ZoneKind.EXCLUDE in (one.kind, other.kind):
            continue
        shared_m2 = _area_m2(shapely.intersection(areas[i], areas[j]))
        if shared_m2 > OVERLAP_MAX_M2:
            yield (
                other.zone_id,
                f"zones {one.zone_id} and {other.zone_id} overlap by {shared_m2:.0f} m2 and "
                f"both have precedence {one.precedence}; give one of them "
                "a higher precedence, or make them meet at an edge",
            )


# -- checks ---------------------------------------------------------------------------------------


def _problems_of(zones: Sequence[Zone]) -> Iterator[Found]:
    if len(zones) > ZONES_MAX:
        yield None, f"{len(zones)} zones; expected at most {ZONES_MAX}"
        return
    for zone in zones:
        problem = geometry_problem(zone.geometry)
        if problem is not None:
            yield zone.zone_id, f"zone {zone.zone_id}: {problem}"
    ids = sorted(zone.zone_id for zone in zones)
    for zone_id in sorted({a for a, b in pairwise(ids) if a == b}):
        yield zone_id, f"zone_id {zone_id} occurs more than once; every zone needs its own"


def geometry_problem(geometry: BaseGeometry) -> str | None:
    """Return why a geometry in degrees cannot be a zone, or None."""
    if geometry.geom_type not in ("Polygon", "MultiPolygon"):
        return f"its geometry is a {geometry.geom_type}; expected a Polygon or MultiPolygon"
    if geometry.is_empty:
        return "its geometry is empty; draw its outline or leave the zone out"
    west, south, east, north = geometry.bounds
    if not all(math.isfinite(value) for value in geometry.bounds):
        return "its geometry has coordinates that are not numbers"
    if west < -180 or east > 180 or south < -90 or north > 90:
        return (
            f"its coordinates reach from ({west:g}, {south:g}) to ({east:g}, {north:g}); expected "
            "longitude and latitude in degrees (WGS 84). Convert it from its projection, or "
            "exchange lon and lat where they are swapped"
        )
    if not geometry.is_valid:
        return f"its outline is not valid: {shapely.is_valid_reason(geometry)}; mend it in the GIS"
    return None


def _read_features(data: Mapping[str, Any], problems: list[Found]) -> Iterator[Zone]:
    if data.get("type") != "FeatureCollection":
        problems.append((None, "expected a GeoJSON FeatureCollection"))
        return
    crs = data.get("crs")
    if crs is not None and not any(name in str(crs) for name in _CRS_NAMES):
        told = f"crs is {str(crs)[:80]}; expected WGS 84 (CRS84): convert the file first"
        problems.append((None, told))
        return
    features = data.get("features")
    if not isinstance(features, list):
        problems.append((None, "'features' is missing; expected a list"))
        return
    for place, feature in enumerate(features):
        try:
            yield _zone_of(feature)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            problems.append((place, str(error)))


def _zone_of(feature: Mapping[str, Any]) -> Zone:
    """Read one feature; raises ValueError with what is wrong."""
    properties = feature.get("properties") or {}
    zone_id = properties.get("zone_id")
    if not isinstance(zone_id, str) or not zone_id.strip():
        raise ValueError(f"zone_id is {zone_id!r}; expected a text that names the zone")
    kind = str(properties.get("kind") or ZoneKind.BASE).upper()
    if kind not in ZoneKind.__members__:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(ZoneKind)}")
    precedence = _precedence(properties.get("precedence"))
    if not feature.get("geometry"):
        raise ValueError(f"zone {zone_id} has no geometry")
    return Zone(
        zone_id=zone_id.strip(),
        name=str(properties.get("name") or zone_id),
        kind=ZoneKind(kind),
        precedence=precedence,
        geometry=read_outline(feature["geometry"]),
        policy_id=str(properties.get("policy_id") or ""),
    )


def _precedence(told: object) -> int:
    if told is None:
        return 0
    try:
        number = math.nan if isinstance(told, bool) else float(told)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not number.is_integer():
        raise ValueError(f"precedence is {told!r:.60}; expected a whole number")
    return int(number)


def read_outline(geometry: dict[str, Any]) -> BaseGeometry:
    """Return the area of a GeoJSON geometry, always with the same start and winding.

    Raises
    ------
    ValueError
        It is no geometry.
    """
    try:
        return shapely.normalize(shape(geometry))
    except (LookupError, TypeError, ValueError, AttributeError, ShapelyError) as error:
        said = f"{error} is missing" if isinstance(error, KeyError) else f"{error}"
        raise ValueError(
            f"its geometry cannot be read ({said}); expected a GeoJSON Polygon or MultiPolygon"
        ) from None
