"""The coordinate reference systems in which features are given and taken, and the way between them.

What lives here: `System`, the few that are offered, and conversion by PROJ, which is brought when
first needed. Features are kept in CRS84, longitude first. Every number that goes out or comes in
has the order of axes that its system declares: EPSG:4326 is latitude first.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

if TYPE_CHECKING:
    from pyproj import Transformer

Bounds = tuple[float, float, float, float]
"""Least and greatest of both axes, x before y: west, south, east, north."""

EDGE_POINTS: Final = 21
"""Points along each side of a box, so that its bend in another system is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One coordinate reference system."""

    uri: str
    """Its name in links, parameters and headers."""
    code: str
    """Its name for PROJ."""
    is_lat_first: bool = False
    is_projected: bool = False
    """Its numbers are lengths, and differ from degrees by more than their order."""


CRS84: Final = System(uri="http://www.opengis.net/def/crs/OGC/1.3/CRS84", code="OGC:CRS84")
EPSG_4326: Final = System(
    uri="http://www.opengis.net/def/crs/EPSG/0/4326", code="EPSG:4326", is_lat_first=True
)
EPSG_2926: Final = System(
    uri="http://www.opengis.net/def/crs/EPSG/0/2926", code="EPSG:2926", is_projected=True
)
"""Washington North, NAD83(HARN), US survey feet, easting first: the city's own layers."""

SYSTEMS: Final = (CRS84, EPSG_4326, EPSG_2926)
BY_URI: Final = {system.uri: system for system in SYSTEMS}


def to_system(geometries: NDArray[np.object_], system: System) -> NDArray[np.object_]:
    """Return geometries of CRS84 in a system, with the order of axes that it declares."""
    if system.is_projected:
        geometries = _transformed(geometries, _transformer(system.code))
    return _swapped(geometries) if system.is_lat_first else geometries


def from_system(geometry: BaseGeometry, system: System) -> BaseGeometry:
    """Return a geometry, as it came in a system, in CRS84."""
    alone = np.array([geometry], dtype=object)
    if system.is_lat_first:
        alone = _swapped(alone)
    if system.is_projected:
        alone = _transformed(alone, _transformer(system.code), is_back=True)
    only: BaseGeometry = alone[0]
    return only


def bounds_in_degrees(bounds: Bounds, system: System) -> Bounds:
    """Return the box of CRS84 around a box of a system; both x first."""
    if not system.is_projected:
        return bounds
    west, south, east, north = _transformer(system.code).transform_bounds(
        *bounds, densify_pts=EDGE_POINTS, direction="INVERSE"
    )
    return float(west), float(south), float(east), float(north)


def _swapped(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    return _of_coordinates(geometries, lambda points: points[:, ::-1])


def _transformed(
    geometries: NDArray[np.object_], transformer: "Transformer", *, is_back: bool = False
) -> NDArray[np.object_]:
    direction = "INVERSE" if is_back else "FORWARD"

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = transformer.transform(points[:, 0], points[:, 1], direction=direction)
        return np.column_stack((x, y))

    return _of_coordinates(geometries, moved)


def _of_coordinates(geometries: NDArray[np.object_], change: Any) -> NDArray[np.object_]:
    found: NDArray[np.object_] = np.asarray(
        shapely.transform(np.asarray(geometries, dtype=object), change), dtype=object
    )
    return found


@cache
def _transformer(code: str) -> "Transformer":
    """Return the way from CRS84; safe to use from any thread."""
    from pyproj import Transformer

    return Transformer.from_crs(CRS84.code, code, always_xy=True)
