"""Bodies that change features: read, and brought into CRS84 from the system that they are in.

What lives here: what any collection asks of a body. What does not: what a draft or a closure asks
of a feature, which says so itself.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from api.errors import InvalidRequest, Problem
from api.ogc.systems import CRS84, System, from_system

Feature = dict[str, Any]
REMEDY: Final = "Send a GeoJSON Feature with type, geometry and properties."
PATCH_REMEDY: Final = "Send geometry, properties or both, as they are to be (RFC 7396)."
GEOMETRY_REMEDY: Final = "Send a GeoJSON geometry, its coordinates in CRS84 or in Content-Crs."


def read_feature(body: bytes, system: System) -> Feature:
    """Read a whole feature.

    Raises
    ------
    InvalidRequest
        It is no GeoJSON Feature.
    """
    feature = _read_object(body, REMEDY)
    problems = list(_feature_problems(feature))
    if problems:
        raise _invalid(problems)
    return feature | {"geometry": _in_degrees(feature["geometry"], system)}


def read_patch(body: bytes, system: System) -> Feature:
    """Read the parts of a feature that change; it raises what `read_feature` does."""
    patch = _read_object(body, PATCH_REMEDY)
    problems = list(_part_problems(patch))
    if problems:
        raise _invalid(problems)
    if "geometry" in patch:
        patch = patch | {"geometry": _in_degrees(patch["geometry"], system)}
    return patch


def _read_object(body: bytes, remedy: str) -> Feature:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _invalid([_problem("NOT_JSON", "", "is no JSON", remedy)]) from None
    if not isinstance(found, dict):
        raise _invalid([_problem("WRONG_TYPE", "", "must be an object", remedy)])
    return found


def _feature_problems(feature: Feature) -> Iterator[Problem]:
    if feature.get("type") != "Feature":
        yield _problem("NOT_A_FEATURE", "/type", "must be Feature", REMEDY)
    for part in ("geometry", "properties"):
        if part not in feature:
            yield _problem("MISSING", f"/{part}", "is missing", REMEDY)
    yield from _part_problems(feature)


def _part_problems(feature: Feature) -> Iterator[Problem]:
    for part in ("geometry", "properties"):
        value = feature.get(part)
        if value is not None and not isinstance(value, dict):
            yield _problem("WRONG_TYPE", f"/{part}", "must be an object or null", REMEDY)


def _in_degrees(geometry: Feature | None, system: System) -> Feature | None:
    """Return a geometry in CRS84; one that is in it already is not touched."""
    if geometry is None or system is CRS84:
        return geometry
    moved = from_system(_read_geometry(geometry), system)
    found: Feature = msgspec.json.decode(shapely.to_geojson(moved))
    return found


def _read_geometry(geometry: Feature) -> BaseGeometry:
    try:
        return shape(geometry)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        detail = "is no geometry of GeoJSON"
        problem = _problem("GEOMETRY_INVALID", "/geometry", detail, GEOMETRY_REMEDY)
        raise _invalid([problem]) from None


def _problem(code: str, path: str, detail: str, remedy: str) -> Problem:
    return Problem(path=path, code=code, detail=detail, remedy=remedy)


def _invalid(problems: list[Problem]) -> InvalidRequest:
    first = problems[0]
    said = f"{first.path or 'The body'} {first.detail}."
    return InvalidRequest(said, remedy=first.remedy, problems=tuple(problems))
