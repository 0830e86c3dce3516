"""What kind of file of zones an upload is, and unpacking the ones that are archives.

What lives here: everything that is judged before GDAL sees a byte: the format by content, members
of an archive by allow-list, how far it may expand, the depth and the head of a GeoJSON file, the
tables of a GeoPackage. What does not: reading features (`zone_import`). Runs in the reader's own
process (`zone_worker`), under its limits.

GDAL opens what a file holds, not what it is called: a VRT called `zones.geojson` would name any
other file of the machine. So nothing is handed on that was not recognised here.
"""

import json
import re
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from geodata.zone_findings import ZoneFileRefusedError, error, shown

FILE_BYTES_MAX: Final = 50_000_000
GEOJSON_BYTES_MAX: Final = 20_000_000
EXPANDED_BYTES_MAX: Final = 200_000_000
RATIO_MAX: Final = 100
"""Bytes that one byte of an archive may become; shapefiles reach about 10."""
MEMBERS_MAX: Final = 500
JSON_DEPTH_MAX: Final = 24
"""Brackets within brackets; a MultiPolygon in a collection needs 8."""
COPY_BYTES: Final = 1_000_000

SHAPEFILE_SUFFIXES: Final = frozenset(
    {".shp", ".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".qmd", ".xml", ".qpj"}
)
SHAPEFILE_USED: Final = frozenset({".shp", ".shx", ".dbf", ".prj", ".cpg"})
GEODATABASE_SUFFIXES: Final = frozenset(
    {".gdbtable", ".gdbtablx", ".gdbindexes", ".atx", ".spx", ".freelist", ".horizon"}
)
GEODATABASE_NAMES: Final = frozenset({"gdb", "timestamps"})
GEODATABASE_IGNORED: Final = frozenset({".lock"})
FORMATS: Final = (
    "Give a zipped Shapefile (.zip), a GeoPackage (.gpkg), a GeoJSON FeatureCollection (.geojson) "
    "or a zipped file geodatabase (.gdb.zip)"
)
CRS_NAME: Final = re.compile(
    r"(?:urn:ogc:def:crs:EPSG:[0-9.]*:|EPSG:)[0-9]{4,6}|urn:ogc:def:crs:OGC:(?:1\.3)?:CRS84"
    r"|OGC:CRS84",
    re.IGNORECASE,
)
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TABLES: Final = re.compile(
    r"create\s+virtual\s+table\s.+\susing\s+rtree\b", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that GDAL may open, and as what."""

    path: Path
    driver: str


def refuse(code: str, detail: str, remedy: str) -> ZoneFileRefusedError:
    """Return the refusal of a whole file."""
    return ZoneFileRefusedError(error(code, detail, remedy))


def make_source(file: Path, folder: Path) -> Source:
    """Return what may be opened of a file, copied or unpacked into a folder.

    Raises
    ------
    ZoneFileRefusedError
        The file is none of the four kinds, or is one that must not be opened.
    """
    if file.is_symlink() or not file.is_file():
        raise refuse("NOT_A_FILE", "it is no ordinary file", FORMATS)
    size = file.stat().st_size
    if size > FILE_BYTES_MAX:
        raise refuse(
            "TOO_LARGE",
            f"it has {size:,} bytes, and {FILE_BYTES_MAX:,} is the most",
            "Export the zones alone, without other layers",
        )
    with file.open("rb") as opened:
        head = opened.read(512)
    if head.startswith(b"PK"):
        return _unpacked(file, folder)
    if head.startswith(b"SQLite format 3\0"):
        return _geopackage(file, folder)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return _geojson(file, folder, size)
    raise refuse("UNKNOWN_FORMAT", f"it begins with {shown(head[:24])}", FORMATS)


# -- archives -------------------------------------------------------------------------------------


def _unpacked(file: Path, folder: Path) -> Source:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            kept = _kept_members(members, file.stat().st_size)
            left = EXPANDED_BYTES_MAX
            for member, name in kept:
                left -= _write_member(archive, member, folder / name, left)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError) as problem:
        detail = f"the archive cannot be unpacked: {shown(str(problem))}"
        raise refuse("DAMAGED", detail, "Make the archive again, without a password") from None
    except (EOFError, OSError, ValueError) as problem:
        detail = f"the archive is damaged: {shown(str(problem))}"
        raise refuse("DAMAGED", detail, "Make the archive again and send it whole") from None
    return _source_of([name for _, name in kept], folder)


def _kept_members(
    members: list[zipfile.ZipInfo], packed_bytes: int
) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return the members to unpack, with names of our own; refuses an archive that has others."""
    if len(members) > MEMBERS_MAX:
        detail = f"the archive has {len(members):,} members, and {MEMBERS_MAX} is the most"
        raise refuse("ARCHIVE_MEMBER", detail, "Put the zones alone into it")
    expanded = sum(member.file_size for member in members)
    if expanded > EXPANDED_BYTES_MAX or expanded > RATIO_MAX * max(packed_bytes, COPY_BYTES // 10):
        detail = f"{packed_bytes:,} bytes would become {expanded:,}"
        raise refuse("EXPANDS_TOO_FAR", detail, "Put the zones alone into the archive")
    named = [(member, _own_name(member)) for member in members]
    kept = [(member, name) for member, name in named if name is not None]
    if len({name for _, name in kept}) < len(kept):
        detail = "it has two members of the same name"
        raise refuse("ARCHIVE_MEMBER", detail, "Put one layer into it")
    return kept


def _own_name(member: zipfile.ZipInfo) -> str | None:
    """Return under which name a member is unpacked; None leaves it out."""
    path = PurePosixPath(member.filename)
    mode = member.external_attr >> 16
    is_odd = "\\" in member.filename or "\0" in member.filename or path.is_absolute()
    if is_odd or ".." in path.parts or (stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
        raise _bad_member(member, "it is a link, or lies outside the archive")
    if "__MACOSX" in path.parts or path.name == ".DS_Store":
        return None
    folder, suffix, name = path.parent.name.lower(), path.suffix.lower(), path.name.lower()
    if folder.endswith(".gdb"):
        if suffix in GEODATABASE_SUFFIXES or name in GEODATABASE_NAMES:
            return f"zones.gdb/{_plain(name, member)}"
        if suffix in GEODATABASE_IGNORED:
            return None
    elif suffix in SHAPEFILE_SUFFIXES:
        return f"{_stem(path, member)}{suffix}" if suffix in SHAPEFILE_USED else None
    raise _bad_member(member, "it belongs to no Shapefile and no file geodatabase")


def _stem(path: PurePosixPath, member: zipfile.ZipInfo) -> str:
    return _plain("_".join(path.with_suffix("").parts).replace(" ", "_"), member)


def _plain(name: str, member: zipfile.ZipInfo) -> str:
    if not re.fullmatch(r"[\w.()+-]{1,120}", name):
        raise _bad_member(member, "its name has characters that are not taken")
    return name


def _bad_member(member: zipfile.ZipInfo, why: str) -> ZoneFileRefusedError:
    detail = f"member {shown(member.filename)} is not taken: {why}"
    remedy = "Put one Shapefile (.shp .shx .dbf .prj .cpg) or one .gdb folder into the archive"
    return refuse("ARCHIVE_MEMBER", detail, remedy)


def _write_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int
) -> int:
    """Unpack a member, whatever size it claims to have; return its bytes."""
    target.parent.mkdir(exist_ok=True)
    written = 0
    with archive.open(member) as packed, target.open("xb") as file:
        while piece := packed.read(COPY_BYTES):
            written += len(piece)
            if written > left:
                detail = f"it becomes more than {EXPANDED_BYTES_MAX:,} bytes"
                raise refuse("EXPANDS_TOO_FAR", detail, "Put the zones alone into the archive")
            file.write(piece)
    return written


def _source_of(names: list[str], folder: Path) -> Source:
    shapes = [name for name in names if name.endswith(".shp")]
    has_geodatabase = any(name.startswith("zones.gdb/") for name in names)
    if len(shapes) + has_geodatabase != 1:
        detail = (
            f"the archive holds {len(shapes)} Shapefiles and {int(has_geodatabase)} geodatabases"
        )
        raise refuse("ARCHIVE_MEMBER", detail, "Put exactly one into it")
    if has_geodatabase:
        return Source(path=folder / "zones.gdb", driver="OpenFileGDB")
    for suffix in (".shx", ".dbf"):
        if shapes[0].removesuffix(".shp") + suffix not in names:
            detail = f"the {suffix} file of the Shapefile is missing"
            raise refuse("ARCHIVE_MEMBER", detail, "Put .shp, .shx, .dbf and .prj into the archive")
    return Source(path=folder / shapes[0], driver="ESRI Shapefile")


# -- GeoPackage -----------------------------------------------------------------------------------


def _geopackage(file: Path, folder: Path) -> Source:
    copied = folder / "zones.gpkg"
    shutil.copyfile(file, copied)
    try:
        with closing(sqlite3.connect(f"{copied.as_uri()}?mode=ro&immutable=1", uri=True)) as tables:
            listed = tables.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as problem:
        detail = f"the GeoPackage is damaged: {shown(str(problem))}"
        raise refuse("DAMAGED", detail, "Export it again and send it whole") from None
    for kind, name, sql in listed:
        # A view or a virtual table computes what it returns, by functions that may read files.
        is_virtual = kind == "table" and re.match(r"\s*create\s+virtual", str(sql), re.IGNORECASE)
        if kind == "view" or (is_virtual and not _TABLES.match(str(sql).strip())):
            detail = f"{shown(name)} is a view or a virtual table, which is not opened"
            raise refuse("NOT_A_TABLE", detail, "Export the layer as a table of its own")
    return Source(path=copied, driver="GPKG")


# -- GeoJSON --------------------------------------------------------------------------------------


def _geojson(file: Path, folder: Path, size: int) -> Source:
    if size > GEOJSON_BYTES_MAX:
        detail = f"it has {size:,} bytes, and {GEOJSON_BYTES_MAX:,} is the most of a GeoJSON file"
        raise refuse("TOO_LARGE", detail, "Send it as a GeoPackage")
    content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if json_depth(content) > JSON_DEPTH_MAX:
        detail = f"its brackets are nested deeper than {JSON_DEPTH_MAX}"
        raise refuse("TOO_DEEP", detail, "Export the zones again from the GIS")
    data = _parsed(content)
    if not isinstance(data, dict) or data.get("type") != "FeatureCollection":
        detail = f"its type is {shown(data.get('type') if isinstance(data, dict) else data)}"
        raise refuse("UNKNOWN_FORMAT", detail, "Give a GeoJSON FeatureCollection")
    if not isinstance(data.get("features"), list):
        raise refuse("UNKNOWN_FORMAT", "'features' is no list", "Give a GeoJSON FeatureCollection")
    # GDAL reads what was judged, and nothing of what it would follow: links, addresses, doubles.
    kept = {"type": "FeatureCollection", **_crs_of(data), "features": data["features"]}
    written = folder / "zones.geojson"
    written.write_text(json.dumps(kept), encoding="utf-8")
    return Source(path=written, driver="GeoJSON")


def json_depth(content: bytes) -> int:
    """Return how deep brackets are nested, without reading them recursively."""
    bare = np.frombuffer(_STRINGS.sub(b"", content), np.uint8)
    opens = (bare == ord("[")) | (bare == ord("{"))
    closes = (bare == ord("]")) | (bare == ord("}"))
    steps = opens.astype(np.int32) - closes.astype(np.int32)
    return int(np.cumsum(steps).max(initial=0))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        detail = f"it is no JSON: {shown(str(problem))}"
        raise refuse("DAMAGED", detail, "Export it again and send it whole") from None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _crs_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return the member `crs` when it is a plain name of a code; refuses any other."""
    crs = data.get("crs")
    if crs is None:
        return {}
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if isinstance(name, str) and crs.get("type") == "name" and CRS_NAME.fullmatch(name):
        return {"crs": {"type": "name", "properties": {"name": name}}}
    detail = f"crs is {shown(crs)}"
    raise refuse("CRS_UNKNOWN", detail, "Name it by its code, such as urn:ogc:def:crs:EPSG::2926")
