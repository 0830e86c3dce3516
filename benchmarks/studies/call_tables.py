"""Tables of past calls that are no CSV: GeoPackage and Parquet, read into the same columns.

What lives here: `read_table` for every form. What does not, and is the same for all: what columns
are called (`geodata.call_columns`) and which rows are good (`geodata.call_history`).

Points of a geometry column stand in for missing columns of longitude and latitude. A row has no
line here: rows are counted from 1.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from geodata.artifacts import file_sha256
from geodata.call_columns import CallColumns, CallFileError, columns_for, plain_name
from geodata.call_history import ROWS_MAX, CallHistory, NumberedRow, history_of, read_history

PARQUET: Final = (".parquet", ".pq", ".geoparquet")
GIS: Final = (".gpkg", ".geojson", ".json", ".fgb", ".shp")
UNREADABLE: Final = (OSError, ValueError, TypeError, LookupError, OverflowError, MemoryError)
"""What damaged bytes make of the readers, beside their own errors."""
SAID_MAX: Final = 200
GEOMETRY_LON, GEOMETRY_LAT = "longitude", "latitude"


def read_table(file: Path, columns: CallColumns | None, layer: str | None = None) -> CallHistory:
    """Return the calls of a table of any form that is known, by the ending of its name.

    Raises
    ------
    CallFileError
        It cannot be read, lacks a column, has too many rows, or holds no call.
    """
    ending = file.suffix.lower()
    if ending not in (*PARQUET, *GIS):
        return read_history(file, columns)
    try:
        header, rows = _parquet(file) if ending in PARQUET else _layer(file, layer)
        found = history_of(rows, header, columns or columns_for(header))
    except CallFileError as problem:
        raise CallFileError(f"{file}: {problem}") from None
    return replace(found, source=file.name, sha256=file_sha256(file))


Table = tuple[Sequence[str], Iterator[NumberedRow]]


def _parquet(file: Path) -> Table:
    import pyarrow.parquet as pq  # heavy, and needed for this form alone
    from pyarrow.lib import ArrowException

    try:
        table = pq.read_table(file)
        return _of_arrow(table, _geometry_name(table.column_names))
    except (ArrowException, *UNREADABLE) as problem:
        raise _unreadable("Parquet file", problem) from None


def _layer(file: Path, layer: str | None) -> Table:
    import pyogrio  # heavy, and needed for this form alone
    from pyarrow.lib import ArrowException
    from pyogrio.errors import DataLayerError, DataSourceError, FieldError

    try:
        with gdal_kept_off_the_screen():
            layers = [str(name) for name in pyogrio.list_layers(file)[:, 0]]
            meta, table = pyogrio.read_arrow(file, layer=_layer_of(layers, layer))
        crs = str(meta.get("crs") or "")
        name = meta.get("geometry_name") or "wkb_geometry"
        return _of_arrow(table, name if name in table.column_names else None, crs)
    except (
        DataSourceError, DataLayerError, FieldError, ArrowException, *UNREADABLE,
    ) as problem:  # fmt: skip
        raise _unreadable("GeoPackage", problem) from None


def _unreadable(form: str, problem: Exception) -> CallFileError:
    said = " ".join(str(problem).split()).split("failed: ")[-1].split("; ")[0][:SAID_MAX]
    return CallFileError(
        f"is no {form} that can be read ({said}). Write it anew from its source, or give a CSV."
    )


@contextmanager
def gdal_kept_off_the_screen() -> Iterator[None]:
    """Drop what GDAL warns of; every other warning goes on.

    What GDAL can read counts, with its bad rows told; what it cannot is an error of its own.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        if one.category is not RuntimeWarning:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _layer_of(layers: Sequence[str], layer: str | None) -> str:
    named = ", ".join(layers) or "none"
    if layer is not None and layer not in layers:
        raise CallFileError(f"it has no layer {layer!r}. Give layer = one of {named}.")
    if layer is None and len(layers) != 1:
        raise CallFileError(f"it has {len(layers)} layers. Give layer = one of {named}.")
    return layer or layers[0]


def _geometry_name(names: Sequence[str]) -> str | None:
    return next((name for name in ("geometry", "geom", "wkb_geometry") if name in names), None)


def _of_arrow(table: Any, geometry: str | None, crs: str = "") -> Table:
    """Return the header and the rows of an Arrow table, points as longitude and latitude."""
    if table.num_rows > ROWS_MAX:
        raise CallFileError(f"it has more than {ROWS_MAX:,} rows: give fewer years.")
    places = [k for k, name in enumerate(table.column_names) if name != geometry]
    names = [table.column_names[k] for k in places]
    columns = [_texts(table.column(k)) for k in places]
    plain = {plain_name(name) for name in names}
    if geometry is not None and not plain & {"longitude", "lon", "dispatch_longitude", "x"}:
        names += [GEOMETRY_LON, GEOMETRY_LAT]
        columns += _points(table.column(table.column_names.index(geometry)), crs)
    return names, ((line, row) for line, row in enumerate(zip(*columns, strict=True), 1))


def _texts(column: Any) -> list[str | None]:
    """Return the cells as a CSV would have them."""
    return [None if value is None else _text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _points(column: Any, crs: str) -> list[list[str | None]]:
    import shapely

    points = shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
    centres = shapely.centroid(points)
    lon, lat = shapely.get_x(centres), shapely.get_y(centres)
    if crs and not any(known in crs for known in ("4326", "CRS84", "WGS 84")):
        raise CallFileError(
            f"its coordinates are {crs[:60]}. Convert it to WGS 84 (EPSG:4326) first."
        )
    return [[None if x != x else repr(float(x)) for x in axis] for axis in (lon, lat)]  # noqa: PLR0124
