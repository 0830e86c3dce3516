"""Tables of past calls that are no CSV: GeoPackage and Parquet, read into the same columns.

What lives here: `read_table` for every form. What does not, and is the same for all: what columns
are called (`geodata.call_columns`) and which rows are good (`geodata.call_history`).

Points of a geometry column stand in for missing columns of longitude and latitude. A row has no
line here: rows are counted from 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from geodata.artifacts import file_sha256
from geodata.call_columns import CallColumns, CallFileError, columns_for, plain_name
from geodata.call_history import ROWS_MAX, CallHistory, NumberedRow, history_of, read_history

PARQUET: Final = (".parquet", ".pq", ".geoparquet")
GIS: Final = (".gpkg", ".geojson", ".json", ".fgb", ".shp")
GEOMETRY_LON, GEOMETRY_LAT = "longitude", "latitude"


def read_table(file: Path, columns: CallColumns | None, layer: str | None = None) -> CallHistory:
    """Return the calls of a table of any form that is known, by the ending of its name.

    Raises
    ------
    CallFileError
        It cannot be read, lacks a column, has too many rows, or holds no call.
    """
    if file.suffix.lower() in PARQUET:
        header, rows = _parquet(file)
    elif file.suffix.lower() in GIS:
        header, rows = _layer(file, layer)
    else:
        return read_history(file, columns)
    try:
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
    except (ArrowException, OSError, ValueError) as problem:
        raise CallFileError(f"{file}: {problem}. Give a Parquet file of past calls.") from None
    return _of_arrow(file, table, _geometry_name(table.column_names))


def _layer(file: Path, layer: str | None) -> Table:
    import pyogrio  # heavy, and needed for this form alone
    from pyogrio.errors import DataSourceError

    try:
        layers = [str(name) for name in pyogrio.list_layers(file)[:, 0]]
        if layer is None and len(layers) > 1:
            raise CallFileError(
                f"{file}: it has {len(layers)} layers. Give layer = one of {', '.join(layers)}."
            )
        if layer is not None and layer not in layers:
            raise CallFileError(
                f"{file}: it has no layer {layer!r}. Give one of {', '.join(layers)}."
            )
        meta, table = pyogrio.read_arrow(file, layer=layer or layers[0])
    except (DataSourceError, OSError, ValueError) as problem:
        raise CallFileError(f"{file}: {problem}. Give a GeoPackage of past calls.") from None
    crs = str(meta.get("crs") or "")
    name = meta.get("geometry_name") or "wkb_geometry"
    return _of_arrow(file, table, name if name in table.column_names else None, crs)


def _geometry_name(names: Sequence[str]) -> str | None:
    return next((name for name in ("geometry", "geom", "wkb_geometry") if name in names), None)


def _of_arrow(file: Path, table: Any, geometry: str | None, crs: str = "") -> Table:
    """Return the header and the rows of an Arrow table, points as longitude and latitude."""
    if table.num_rows > ROWS_MAX:
        raise CallFileError(f"{file}: more than {ROWS_MAX:,} rows: give fewer years.")
    names = [name for name in table.column_names if name != geometry]
    columns = [_texts(table.column(name)) for name in names]
    plain = {plain_name(name) for name in names}
    if geometry is not None and not plain & {"longitude", "lon", "dispatch_longitude", "x"}:
        names += [GEOMETRY_LON, GEOMETRY_LAT]
        columns += _points(file, table.column(geometry), crs)
    return names, ((line, row) for line, row in enumerate(zip(*columns, strict=True), 1))


def _texts(column: Any) -> list[str | None]:
    """Return the cells as a CSV would have them."""
    return [None if value is None else _text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _points(file: Path, column: Any, crs: str) -> list[list[str | None]]:
    import shapely

    points = shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
    centres = shapely.centroid(points)
    lon, lat = shapely.get_x(centres), shapely.get_y(centres)
    if crs and not any(known in crs for known in ("4326", "CRS84", "WGS 84")):
        raise CallFileError(
            f"{file}: its coordinates are {crs[:60]}. Convert it to WGS 84 (EPSG:4326) first."
        )
    return [[None if x != x else repr(float(x)) for x in axis] for axis in (lon, lat)]  # noqa: PLR0124
