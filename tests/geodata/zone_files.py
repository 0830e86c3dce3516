"""Files of zones as GIS programs write them, and as nobody should."""

import io
import json
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from geodata.zone_reading import ImportOptions, ZoneImport, ZoneReader

SEATTLE_EXTENT = (-122.46, 47.48, -122.22, 47.74)
OPTIONS = ImportOptions(extent=SEATTLE_EXTENT)
FORMATS = ("shp.zip", "gpkg", "geojson", "gdb.zip")


def two_squares(**columns: Any) -> geopandas.GeoDataFrame:
    """Return two zones of 0.01 degrees that share an edge."""
    boxes = [
        shapely.box(-122.34, 47.60, -122.33, 47.61),
        shapely.box(-122.33, 47.60, -122.32, 47.61),
    ]
    given = {
        "zone_id": ["A", "B"], "name": ["Left", "Right"], "kind": ["BASE", "BASE"],
        "precedence": np.array([100, 100], np.int32), "policy_id": ["", ""],
        "note": ["drawn for a test", ""],
    } | columns  # fmt: skip
    return geopandas.GeoDataFrame(given, geometry=boxes, crs="EPSG:4326")


def write(frame: geopandas.GeoDataFrame, folder: Path, suffix: str, stem: str = "zones") -> Path:
    """Write a frame in one of `FORMATS`."""
    target = folder / f"{stem}.{suffix}"
    if suffix in ("gpkg", "geojson"):
        frame.to_file(target, engine="pyogrio")
        return target
    inner = folder / f"{stem}-{suffix}"
    inner.mkdir()
    name, driver = ("z.gdb", "OpenFileGDB") if suffix == "gdb.zip" else ("z.shp", "ESRI Shapefile")
    frame.to_file(inner / name, engine="pyogrio", driver=driver, promote_to_multi=True)
    files = {
        p.relative_to(inner).as_posix(): p.read_bytes() for p in inner.rglob("*") if p.is_file()
    }
    return zipped(target, files)


def zipped(target: Path, members: Mapping[str, bytes], *, links: tuple[str, ...] = ()) -> Path:
    """Write an archive; a name in `links` becomes a symbolic link to its content."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            if name in links:
                member.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(member, content)
    target.write_bytes(packed.getvalue())
    return target


def members_of(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def geojson(folder: Path, *features: Any, **more: Any) -> Path:
    file = folder / "drawn.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))
    return file


def feature(rings: Any, geometry_type: str = "Polygon", **properties: Any) -> dict[str, Any]:
    geometry = {"type": geometry_type, "coordinates": rings}
    return {"type": "Feature", "properties": {"zone_id": "A", **properties}, "geometry": geometry}


def square(x: float, y: float, side: float = 1.0, **properties: Any) -> dict[str, Any]:
    """Return a feature; coordinates count in hundredths of a degree from 122.34 W, 47.60 N."""
    w, s, size = -122.34 + x / 100, 47.60 + y / 100, side / 100
    ring = [[w, s], [w + size, s], [w + size, s + size], [w, s + size], [w, s]]
    return feature([ring], **properties)


def codes(done: ZoneImport) -> list[str]:
    return [finding.code for finding in done.findings]


def assert_refused(done: ZoneImport, code: str, *words: str) -> None:
    """The file was refused for one reason, with a remedy, and nothing of it came through."""
    assert not done.is_accepted
    assert done.zones == ()
    assert codes(done) == [code], [finding.as_text() for finding in done.findings]
    assert done.findings[0].remedy
    for word in words:
        assert word in done.findings[0].as_text()


def still_reads(reader: ZoneReader, folder: Path) -> bool:
    """Whether a good file is read after a bad one."""
    return reader.read(write(two_squares(), folder, "geojson", "after"), OPTIONS).is_accepted
