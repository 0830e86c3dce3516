"""Whether rows of a GIS file can be zones, each with what is wrong, where, and what to do.

What lives here: the checks of one feature and its repair, which is offered and never silent. What
does not: checks between features (`zone_neighbours`), reading a file (`zone_import`), streets and
calls at the edges (`zone_streets`).
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.earth import metres_per_degree
from geodata.zone_crs import Extent, is_near
from geodata.zone_findings import Finding, Weight, shown
from geodata.zones import Zone, ZoneKind

AREA_MIN_M2: Final = 100.0
"""Less than a small house lot is a slip of the hand."""
AREA_MAX_KM2: Final = 10_000.0
"""King County has 5,500 km2 of land."""
VERTICES_PER_ZONE_MAX: Final = 100_000
OUTSIDE_SHARE_MAX: Final = 0.01
THIN_M: Final = 2.0
"""A part nowhere wider than this is a sliver."""
TEXT_MAX: Final = 200
ID_MAX: Final = 64
NO_IDS: Final = frozenset({".", ".."})
"""In an address they are steps, which clients take before they ask: nothing could name the zone."""
PRECEDENCE_MAX: Final = 1_000_000
REPAIR: Final = "Mend it in the GIS (QGIS: Fix geometries)"


class FeatureRow(Protocol):
    """What `zone_import.Row` has."""

    @property
    def number(self) -> int: ...  # noqa: D102
    @property
    def values(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def geometry(self) -> BaseGeometry | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedZone:
    """A zone of a file, and the editor's remark on it."""

    zone: Zone
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Features that can be zones, and what there is to say about all."""

    zones: tuple[ImportedZone, ...]
    findings: tuple[Finding, ...]


def in_metres(geometry: Any, latitude: float) -> Any:
    """Return geometries of degrees in the metres of a plane that fits at a latitude."""
    return shapely.transform(geometry, lambda points: points * metres_per_degree(latitude))


def area_m2(geometry: BaseGeometry) -> float:
    """Return square metres of an outline in degrees."""
    _, south, _, north = geometry.bounds
    return float(in_metres(geometry, 0.5 * (south + north)).area)


def check_rows(rows: Sequence[FeatureRow], extent: Extent, *, repair: bool) -> Checked:
    """Check every feature by itself, and that ids are unique.

    Parameters
    ----------
    repair
        Take outlines that had to be mended; each is reported. Else they are errors whose remedy
        says what mending would change.
    """
    findings: list[Finding] = []
    zones: list[ImportedZone] = []
    seen: dict[str, int] = {}
    for row in rows:
        found, zone = _check_row(row, extent, repair=repair)
        zone_id = _text(row.values.get("zone_id"))
        if zone_id and seen.setdefault(zone_id, row.number) != row.number:
            detail = f"zone_id is also that of feature {seen[zone_id]}"
            found.append(_at(row, "ID_REPEATED", detail, "Give every zone its own id"))
        findings += found
        if zone is not None and not any(f.weight is Weight.ERROR for f in found):
            zones.append(zone)
    return Checked(zones=tuple(zones), findings=tuple(findings))


def _check_row(
    row: FeatureRow, extent: Extent, *, repair: bool
) -> tuple[list[Finding], ImportedZone | None]:
    found = list(_attribute_findings(row))
    fault = _fault(row, extent)
    if fault is not None or row.geometry is None:
        return [*found, *([fault] if fault else [])], None
    outline = row.geometry
    if not outline.is_valid:
        outline, mended = _mended(row, outline, repair=repair)
        found.append(mended)
    if mended_away(outline):
        return found, None
    found += _shape_findings(row, outline, extent)
    if any(f.weight is Weight.ERROR for f in found):
        return found, None
    return found, _zone(row.values, outline)


def mended_away(outline: BaseGeometry) -> bool:
    """Tell whether nothing is left of an outline."""
    return outline.is_empty or outline.geom_type not in ("Polygon", "MultiPolygon")


def _zone(values: Mapping[str, Any], outline: BaseGeometry) -> ImportedZone:
    zone_id = _text(values.get("zone_id"))
    zone = Zone(
        zone_id=zone_id,
        name=_text(values.get("name")) or zone_id,
        kind=ZoneKind((_text(values.get("kind")) or ZoneKind.BASE).upper()),
        precedence=int(float(_text(values.get("precedence")) or 0)),
        geometry=shapely.normalize(outline),
        policy_id=_text(values.get("policy_id")),
    )
    return ImportedZone(zone=zone, note=_text(values.get("note")))


def _text(value: object) -> str:
    """Return a cell as text; a number that is whole has no point, an empty cell is ''."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


# -- attributes -----------------------------------------------------------------------------------


def _attribute_findings(row: FeatureRow) -> Iterator[Finding]:
    zone_id = _text(row.values.get("zone_id"))
    if not zone_id:
        remedy = "Fill the column zone_id, or name another by --id-field"
        yield _at(row, "ID_MISSING", "it has no zone_id", remedy)
    elif len(zone_id) > ID_MAX or not zone_id.isprintable() or zone_id in NO_IDS:
        detail = f"zone_id is {shown(zone_id)}"
        yield _at(row, "WRONG_VALUE", detail, f"Give it at most {ID_MAX} printable characters")
    kind = _text(row.values.get("kind")).upper()
    if kind and kind not in ZoneKind.__members__:
        remedy = f"Write one of {', '.join(ZoneKind)}, or leave it empty for BASE"
        yield _at(row, "WRONG_VALUE", f"kind is {shown(kind)}", remedy)
    if not _is_whole(_text(row.values.get("precedence"))):
        detail = f"precedence is {shown(row.values.get('precedence'))}"
        yield _at(row, "WRONG_VALUE", detail, "Write a whole number; the higher one wins")
    for name in ("name", "policy_id", "note"):
        text = _text(row.values.get(name))
        if len(text) > TEXT_MAX or not text.isprintable():
            remedy = f"Give it at most {TEXT_MAX} printable characters, in UTF-8"
            yield _at(row, "WRONG_VALUE", f"{name} is {shown(text)}", remedy)


def _is_whole(text: str) -> bool:
    if not text:
        return True
    try:
        number = float(text)
    except ValueError:
        return False
    return number.is_integer() and abs(number) <= PRECEDENCE_MAX


# -- outlines -------------------------------------------------------------------------------------


def _fault(row: FeatureRow, extent: Extent) -> Finding | None:
    """Return why a geometry cannot be looked at any further, or None."""
    outline = row.geometry
    if outline is None or outline.is_empty:
        remedy = "Draw its outline, or delete the feature"
        return _at(row, "NO_GEOMETRY", "it has no outline that can be read", remedy)
    if outline.geom_type not in ("Polygon", "MultiPolygon"):
        detail = f"it is a {outline.geom_type}"
        return _at(row, "NOT_A_POLYGON", detail, "Export a layer of polygons")
    points = shapely.get_coordinates(outline)
    if not np.isfinite(points).all() or (np.abs(points) > (180.0, 90.0)).any():
        detail = "it has coordinates that are no place on the earth"
        return _at(row, "BAD_COORDINATES", detail, "Delete these corners, or draw it again")
    if len(points) > VERTICES_PER_ZONE_MAX:
        detail = f"it has {len(points):,} corners, and {VERTICES_PER_ZONE_MAX:,} is the most"
        return _at(row, "TOO_MANY_VERTICES", detail, "Simplify it (QGIS: Simplify, 0.1 m)")
    west, south, east, north = outline.bounds
    w, s, e, n = extent
    if west <= e and east >= w and south <= n and north >= s:
        return None
    lon, lat = 0.5 * (west + east), 0.5 * (south + north)
    if is_near(lat, lon, extent):
        detail = "its lon and lat are exchanged"
        return _at(row, "LON_LAT_SWAPPED", detail, "Exchange its coordinates", (lon, lat))
    detail = f"it lies outside the streets, which reach from {w:.4f}, {s:.4f} to {e:.4f}, {n:.4f}"
    remedy = "Move or delete it, or give --network with the streets of that place"
    return _at(row, "OUTSIDE_STREETS", detail, remedy, (lon, lat))


def _mended(
    row: FeatureRow, outline: BaseGeometry, *, repair: bool
) -> tuple[BaseGeometry, Finding]:
    """Return the mended outline, and the finding that says what mending changes."""
    reason = shapely.is_valid_reason(outline)
    made = shapely.make_valid(outline, method="structure", keep_collapsed=False)
    parts = [p for p in shapely.get_parts(made) if p.geom_type == "Polygon" and not p.is_empty]
    mended = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    place = _place_in(reason) or (outline.bounds[0], outline.bounds[1])
    what = f"its outline is not valid ({shown(reason.partition('[')[0])})"
    if mended.is_empty or not mended.is_valid:
        remedy = "Nothing is left when it is mended: draw it again"
        return shapely.Polygon(), _at(row, "INVALID_OUTLINE", what, remedy, place)
    before = abs(area_m2(outline)) / 1e6
    change = f"{before:.6f} km2 become {area_m2(mended) / 1e6:.6f} km2 in {len(parts)} part(s)"
    if not repair:
        remedy = f"{REPAIR}, or give --repair: {change}"
        return mended, _at(row, "INVALID_OUTLINE", what, remedy, place)
    finding = Finding(
        code="REPAIRED", weight=Weight.REPAIR, feature=label(row), detail=f"{what}: {change}",
        remedy="Look at the place before it is used", lon=place[0], lat=place[1],
    )  # fmt: skip
    return mended, finding


def _place_in(reason: str) -> tuple[float, float] | None:
    """Return the place that GEOS names: `Self-intersection[-122.3 47.6]`."""
    named = re.search(r"\[([-+.\deE]+) ([-+.\deE]+)\]", reason)
    return None if named is None else (float(named[1]), float(named[2]))


def _shape_findings(row: FeatureRow, outline: BaseGeometry, extent: Extent) -> Iterator[Finding]:
    middle = outline.representative_point()
    place = (middle.x, middle.y)
    size_m2 = area_m2(outline)
    if size_m2 < AREA_MIN_M2:
        remedy = "Delete it, or draw it again"
        yield _at(row, "AREA_TOO_SMALL", f"it has {size_m2:.1f} m2", remedy, place)
    if size_m2 > AREA_MAX_KM2 * 1e6:
        detail = f"it has {size_m2 / 1e6:,.0f} km2, and {AREA_MAX_KM2:,.0f} is the most"
        yield _at(row, "AREA_TOO_LARGE", detail, "Check its corners and its system", place)
    outside = area_m2(shapely.difference(outline, shapely.box(*extent))) / max(size_m2, 1e-9)
    if outside > OUTSIDE_SHARE_MAX:
        detail = f"{outside:.0%} of it lie outside the streets' extent"
        remedy = "Calls there get straight-line times; check it, or give a larger --network"
        yield _at(row, "PARTLY_OUTSIDE", detail, remedy, place, Weight.WARNING)
    for part in shapely.get_parts(outline):
        plane = in_metres(part, place[1])
        if size_m2 > AREA_MIN_M2 and plane.buffer(-0.5 * THIN_M).is_empty:
            spot = part.representative_point()
            detail = f"a part of {plane.area:.1f} m2 is nowhere wider than {THIN_M:g} m"
            remedy = "Delete the part, or join it to its neighbour"
            yield _at(row, "SLIVER", detail, remedy, (spot.x, spot.y), Weight.WARNING)


def label(row: FeatureRow) -> str:
    """Return how a message names a feature."""
    zone_id = _text(row.values.get("zone_id"))
    return shown(zone_id)[1:-1] if zone_id else f"feature {row.number}"


def _at(
    row: FeatureRow,
    code: str,
    detail: str,
    remedy: str,
    place: tuple[float, float] | None = None,
    weight: Weight = Weight.ERROR,
) -> Finding:
    """Return a finding about a feature, at a place or at one of its corners."""
    if place is None and row.geometry is not None and not row.geometry.is_empty:
        corner = shapely.get_coordinates(row.geometry)[0]
        place = (float(corner[0]), float(corner[1]))
    lon, lat = place if place is not None and all(map(math.isfinite, place)) else (None, None)
    return Finding(
        code=code, weight=weight, feature=label(row), detail=detail, remedy=remedy, lon=lon, lat=lat
    )
