"""GIS files of zones, read and written by geopandas; the only module that imports it.

What lives here: rows of a file that `zone_archive` has let pass, in WGS 84, and zones written as a
GIS file. What does not: whether rows can be zones (`zone_checks`). Reading happens in the reader's
own process (`zone_worker`) after every other driver of GDAL is gone, and never anywhere else.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, GeometryError
from pyproj import CRS
from pyproj.exceptions import ProjError
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from geodata.zone_archive import Source, refuse
from geodata.zone_crs import Extent, Middle, name_of, require_plausible
from geodata.zone_findings import shown
from geodata.zones import ZONES_MAX, Zone

VERTICES_MAX: Final = 500_000
"""Corners of a whole file; the 51 beats of Seattle have 11,000."""
COLUMNS: Final = ("zone_id", "name", "kind", "precedence", "policy_id", "note")
LAYERS_MAX: Final = 100

_UNREADABLE: Final = (
    DataSourceError, DataLayerError, FeatureError, GeometryError, CRSError, ProjError,
    ShapelyError, OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError,
    RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One feature of a file, as it stands there."""

    number: int
    """From 1."""
    values: dict[str, Any]
    """By the names of `COLUMNS`; what the file does not have is not there."""
    geometry: BaseGeometry | None
    """In WGS 84; None where it has none that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a file holds."""

    rows: tuple[Row, ...]
    crs: str
    columns: tuple[str, ...]
    """Names of all its columns, for a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What a person says about a file."""

    extent: Extent
    """Of the streets, in degrees."""
    assume_crs: str | None = None
    """Taken where the file names no system."""
    id_column: str = "zone_id"


def read_rows(source: Source, options: ReadOptions) -> Rows:
    """Return the features of a file in WGS 84.

    Raises
    ------
    ZoneFileRefusedError
        The file cannot be read, is too large, or its coordinates are in another system.
    """
    try:
        frame, columns = _read(source, options)
        crs = _crs_of(frame, options)
        require_plausible(crs, _middle(frame), options.extent)
        assert crs is not None
        if crs.to_authority(min_confidence=70) is None:
            detail = f"its coordinate system {shown(crs.name)} has no known code"
            raise refuse("CRS_UNKNOWN", detail, "Convert it to EPSG:4326 or EPSG:2926, and export")
        frame = frame.set_crs(crs, allow_override=True).to_crs(4326)
        return Rows(rows=tuple(_rows(frame, options)), crs=name_of(crs), columns=columns)
    except MemoryError:
        raise
    except _UNREADABLE as problem:
        detail = f"it cannot be read: {shown(str(problem))}"
        raise refuse("DAMAGED", detail, "Open it in the GIS and export it again") from None


def _read(source: Source, options: ReadOptions) -> tuple[geopandas.GeoDataFrame, tuple[str, ...]]:
    layer = _layer(source.path)
    info = pyogrio.read_info(source.path, layer=layer)
    if info["features"] > ZONES_MAX:
        detail = f"it has {info['features']:,} features, and {ZONES_MAX:,} is the most"
        raise refuse("TOO_LARGE", detail, "Export the zones alone")
    columns = tuple(str(name) for name in info["fields"])
    wanted = {*COLUMNS, options.id_column.lower()}
    frame = pyogrio.read_dataframe(
        source.path, layer=layer, force_2d=True, on_invalid="ignore", max_features=ZONES_MAX + 1,
        columns=[name for name in columns if name.lower() in wanted],
    )  # fmt: skip
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise refuse("NO_LAYER", "its table has no geometries", "Export a layer of polygons")
    vertices = int(shapely.get_num_coordinates(_outlines(frame)).sum())
    if vertices > VERTICES_MAX or len(frame) > ZONES_MAX:
        detail = f"it has {vertices:,} corners, and {VERTICES_MAX:,} is the most"
        raise refuse("TOO_LARGE", detail, "Simplify the outlines (QGIS: Simplify, 0.1 m)")
    return frame, columns


def _layer(path: Path) -> str:
    """Return the name of the only layer with geometries."""
    listed = pyogrio.list_layers(path)
    names = [str(name) for name, kind in listed[:LAYERS_MAX] if kind is not None]
    if len(names) != 1 or len(listed) > LAYERS_MAX:
        detail = f"it holds {len(names)} layers of geometries: {shown(', '.join(names))}"
        raise refuse("NO_LAYER", detail, "Export the layer of zones alone")
    return names[0]


def _crs_of(frame: geopandas.GeoDataFrame, options: ReadOptions) -> CRS | None:
    own = frame.crs
    is_unknown = own is None or "undefined" in str(own.name).lower()
    if is_unknown and options.assume_crs is not None:
        return CRS.from_user_input(options.assume_crs)
    return None if is_unknown or own is None else CRS.from_user_input(own)


def _outlines(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(frame.geometry.array, dtype=object)


def _middle(frame: geopandas.GeoDataFrame) -> Middle:
    """Return the median of the middles of features, which a few stray ones do not move."""
    bounds = shapely.bounds(_outlines(frame))
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds):
        raise refuse("EMPTY", "no feature has an outline", "Draw the zones, and export them")
    x, y = (float(np.median(0.5 * (bounds[:, i] + bounds[:, i + 2]))) for i in (0, 1))
    return Middle(x=x, y=y)


def _rows(frame: geopandas.GeoDataFrame, options: ReadOptions) -> Iterator[Row]:
    by_name = {str(name).lower(): frame[name].tolist() for name in frame.columns[::-1]}
    by_name["zone_id"] = by_name.get(options.id_column.lower(), [])
    for place, geometry in enumerate(_outlines(frame)):
        values = {
            name: by_name[name][place] for name in COLUMNS if place < len(by_name.get(name, ()))
        }
        yield Row(number=place + 1, values=values, geometry=geometry)


# -- writing --------------------------------------------------------------------------------------

DRIVERS: Final = {
    ".geojson": "GeoJSON", ".gpkg": "GPKG", ".zip": "ESRI Shapefile", ".gdb.zip": "OpenFileGDB",
}  # fmt: skip


def format_of(file: Path) -> str | None:
    """Return the suffix of `DRIVERS` that a name ends in, the longest first, or None."""
    name = file.name.lower()
    return next((s for s in sorted(DRIVERS, key=len, reverse=True) if name.endswith(s)), None)


def write_zones(zones: Sequence[Zone], file: Path, crs: str) -> None:
    """Write zones as a GIS file in a coordinate system; the suffix says the format.

    Raises
    ------
    ZoneFileRefusedError
        The suffix or the system is not known.
    """
    suffix = format_of(file)
    if suffix is None:
        raise refuse("UNKNOWN_FORMAT", f"{file.name} is none of {', '.join(DRIVERS)}", "Rename it")
    try:
        frame = _frame_of(zones).to_crs(crs)
    except (ProjError, ValueError) as problem:
        detail = f"{shown(crs)} is no coordinate system: {shown(str(problem))}"
        raise refuse("CRS_UNKNOWN", detail, "Name it by its code, such as EPSG:2926") from None
    with tempfile.TemporaryDirectory() as made:
        inner = {".zip": "zones.shp", ".gdb.zip": "zones.gdb"}.get(suffix, f"zones{suffix}")
        written = Path(made) / "out" / inner
        written.parent.mkdir()
        options = {"COORDINATE_PRECISION": "11"} if suffix == ".geojson" else {}
        pyogrio.write_dataframe(frame, written, driver=DRIVERS[suffix], layer="zones", **options)
        if suffix.endswith(".zip"):
            _zip(written.parent, file)
        else:
            shutil.copyfile(written, file)


def _frame_of(zones: Sequence[Zone]) -> geopandas.GeoDataFrame:
    columns = {
        "zone_id": [zone.zone_id for zone in zones],
        "name": [zone.name for zone in zones],
        "kind": [str(zone.kind) for zone in zones],
        "precedence": np.array([zone.precedence for zone in zones], np.int32),
        "policy_id": [zone.policy_id for zone in zones],
    }
    # A file geodatabase has one kind of geometry: several parts.
    parts = [shapely.MultiPolygon(list(shapely.get_parts(zone.geometry))) for zone in zones]
    return geopandas.GeoDataFrame(columns, geometry=parts, crs="EPSG:4326")


def _zip(folder: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
