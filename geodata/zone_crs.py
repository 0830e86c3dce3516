"""Whether the coordinates of a file are in the system that it names, judged by where they fall.

What lives here: the three mistakes that users make (no system, feet taken for metres, lon and lat
exchanged), each found by trying what would bring the numbers onto the streets. What does not:
what is wrong with a single outline (`zone_checks`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from geodata.zone_findings import Finding, ZoneFileRefusedError, error

Extent = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

MARGIN_DEGREES: Final = 0.25
"""How far from the streets numbers may fall and still be in the right system."""
US_FOOT_M: Final = 1200 / 3937
FOOT_M: Final = 0.3048
WGS84: Final = "EPSG:4326"

CANDIDATES: Final = (
    "EPSG:4326", "EPSG:2926", "EPSG:2285", "EPSG:2855", "EPSG:32148", "EPSG:32610", "EPSG:26910",
    "EPSG:3857",
)  # fmt: skip
"""Systems that a file about Seattle may be in: degrees, Washington North in feet and in metres
(HARN first), UTM 10 and the web's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Middle:
    """The middle of a file's numbers, in whatever system they are."""

    x: float
    y: float


def is_near(lon: float, lat: float, extent: Extent) -> bool:
    """Tell whether a point falls on the streets or not far from them."""
    west, south, east, north = extent
    margin = MARGIN_DEGREES
    return west - margin <= lon <= east + margin and south - margin <= lat <= north + margin


def require_plausible(crs: CRS | None, middle: Middle, extent: Extent) -> None:
    """Check that numbers in a system fall near the streets.

    Raises
    ------
    ZoneFileRefusedError
        With the most probable mistake and its remedy.
    """
    if crs is None:
        raise ZoneFileRefusedError(_missing(middle, extent))
    if _falls_near(crs, middle, extent):
        return
    name = name_of(crs)
    for code, detail, remedy in _mistakes(crs, middle, extent):
        raise ZoneFileRefusedError(error(code, f"it says {name}, but {detail}", remedy))
    shown_middle = f"its middle is {middle.x:.6g}, {middle.y:.6g}"
    raise ZoneFileRefusedError(
        error(
            "OUTSIDE_STREETS",
            f"{shown_middle} in {name}, which is nowhere near the streets",
            "Check its coordinate system, and that --network holds the streets of this place",
        )
    )


def name_of(crs: CRS) -> str:
    """Return the code of a system, or else its name."""
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else str(crs.name)[:80]


def _falls_near(crs: CRS | str, middle: Middle, extent: Extent) -> bool:
    try:
        lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(middle.x, middle.y)
    except ProjError:
        return False
    return is_near(lon, lat, extent)


def _missing(middle: Middle, extent: Extent) -> Finding:
    fits = [code for code in CANDIDATES if _falls_near(code, middle, extent)]
    swapped = Middle(x=middle.y, y=middle.x)
    detail = (
        f"it names no coordinate system (its numbers are around {middle.x:.7g}, {middle.y:.7g})"
    )
    if fits:
        remedy = (
            f"The numbers fit {fits[0]}: if that is what they are, set it in the GIS (QGIS: Layer, "
            f"Set CRS) and export again with the .prj, or give --assume-crs {fits[0]}"
        )
    elif _falls_near(WGS84, swapped, extent):
        remedy = "The numbers look like lat, lon: exchange them, then set EPSG:4326"
    else:
        remedy = "Set it in the GIS (QGIS: Layer, Set CRS) and export again, with the .prj file"
    return error("CRS_MISSING", detail, remedy)


def _mistakes(crs: CRS, middle: Middle, extent: Extent) -> Iterator[tuple[str, str, str]]:
    """Yield code, what is wrong and the remedy, the most probable mistake first."""
    if _falls_near(crs, Middle(x=middle.y, y=middle.x), extent):
        remedy = "Exchange the two coordinates (QGIS: Swap x and y coordinates); longitude is first"
        yield "LON_LAT_SWAPPED", "the numbers fit only with lon and lat exchanged", remedy
    yield from _units(crs, middle, extent)
    fits = [code for code in CANDIDATES if _falls_near(code, middle, extent)]
    if fits:
        remedy = f"Set {fits[0]} in the GIS (QGIS: Layer, Set CRS), without converting, and export"
        yield "WRONG_CRS", f"the numbers fit {fits[0]}", remedy


def _units(crs: CRS, middle: Middle, extent: Extent) -> Iterator[tuple[str, str, str]]:
    code, own = "WRONG_UNIT", _metres_per_unit(crs)
    for candidate in CANDIDATES:
        other = _metres_per_unit(CRS.from_user_input(candidate))
        if _differ(own, other) and _falls_near(candidate, middle, extent):
            detail = f"the numbers fit {candidate}: {_unit(other)} were taken for {_unit(own)}"
            remedy = f"Set {candidate} in the GIS (QGIS: Layer, Set CRS), without converting"
            yield code, detail, remedy
    for factor, was, meant in (
        (FOOT_M, "feet", "metres"), (1 / FOOT_M, "metres", "feet"),
    ):  # fmt: skip
        if own and _falls_near(crs, Middle(x=middle.x * factor, y=middle.y * factor), extent):
            detail = f"the numbers fit only as {was}: they were taken for {meant}"
            remedy = "Set the system in which they were made (QGIS: Layer, Set CRS), then convert"
            yield code, detail, remedy


def _metres_per_unit(crs: CRS) -> float | None:
    """Return metres in one unit of a projected system, None of one in degrees."""
    return crs.axis_info[0].unit_conversion_factor if crs.is_projected and crs.axis_info else None


def _differ(own: float | None, other: float | None) -> bool:
    return own is not None and other is not None and abs(own - other) > 0.1


def _unit(metres: float | None) -> str:
    return "feet" if metres is not None and metres < 0.5 else "metres"
