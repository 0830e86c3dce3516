"""Tables as files for other programs: Parquet and CSV each, one GeoPackage for all with shapes.

What lives here: `files_of`. Equal tables give equal bytes: no file holds an instant or a machine's
name. Texts are UTF-8, numbers have a point, a value that is not there is an empty cell.
"""

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from numpy.typing import NDArray
from pyogrio.errors import DataSourceError

from benchmarks.studies.errors import StudyError, said_by
from benchmarks.studies.tables import Table, is_missing

DEGREES: Final = "EPSG:4326"
GEOPACKAGE: Final = "study.gpkg"
WRITTEN_AT: Final = "2000-01-01T00:00:00Z"
"""What the GeoPackage says of its layers' last change: the same for every run."""


def files_of(tables: Sequence[Table]) -> Iterator[tuple[str, bytes]]:
    """Return the name and the bytes of every file of some tables, in their order."""
    names = [table.name for table in tables]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"two tables are called {twice}"
    for table in tables:
        yield f"{table.name}.csv", csv_of(table)
        yield f"{table.name}.parquet", parquet_of(table)
    shaped = [table for table in tables if table.geometry is not None and len(table)]
    if shaped:
        yield GEOPACKAGE, geopackage_of(shaped)


def csv_of(table: Table) -> bytes:
    """Return a table as CSV; shapes are left to the other formats."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    columns = [_cells(column) for column in table.columns.values()]
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _cells(column: NDArray[Any]) -> list[object]:
    """Return the cells of a column: '' for no value, reals as short as they are exact."""
    return ["" if is_missing(value) else value for value in column.tolist()]


def parquet_of(table: Table) -> bytes:
    """Return a table as Parquet; one with shapes as GeoParquet."""
    buffer = io.BytesIO()
    if table.geometry is None:
        arrays = {name: _arrow(column) for name, column in table.columns.items()}
        pq.write_table(pa.table(arrays), buffer, compression="zstd")
    else:
        _frame(table).to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def _arrow(column: NDArray[Any]) -> pa.Array:
    if column.dtype == object:
        return pa.array(column.tolist())
    return pa.array(column, from_pandas=True)


def _frame(table: Table) -> geopandas.GeoDataFrame:
    columns = {name: pd.Series(column) for name, column in table.columns.items()}
    shapes = geopandas.GeoSeries(list(table.geometry or ()), crs=DEGREES)
    return geopandas.GeoDataFrame(columns, geometry=shapes)


def geopackage_of(tables: Sequence[Table]) -> bytes:
    """Return tables with shapes as the layers of one GeoPackage.

    Raises
    ------
    StudyError
        There is no room for it in the folder of temporary files.
    """
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": WRITTEN_AT})
    try:
        with tempfile.TemporaryDirectory(prefix="tandem-study-") as folder:
            file = Path(folder) / GEOPACKAGE
            for table in tables:
                pyogrio.write_dataframe(
                    _frame(table), file, layer=table.name, driver="GPKG", append=file.exists()
                )
            return file.read_bytes()
    except (DataSourceError, OSError) as problem:
        raise StudyError(
            f"{GEOPACKAGE} cannot be made in {tempfile.gettempdir()}: {said_by(problem)}.",
            remedy="Make room there, or set TMPDIR to another folder; what was done is kept.",
        ) from None
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def column_kinds(table: Table) -> dict[str, str]:
    """Return what each column holds, for the manifest: text, whole, real or truth."""
    kinds = {"O": "text", "U": "text", "i": "whole", "u": "whole", "f": "real", "b": "truth"}
    return {name: kinds[np.asarray(column).dtype.kind] for name, column in table.columns.items()}
