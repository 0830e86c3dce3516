"""Reads OpenStreetMap files (`.osm`, `.osm.gz`, `.osm.bz2`, `.pbf`) with pyosmium.

What lives here: one pass for ways and turn restrictions, one for the nodes they use, so that
neither the order of the file's elements nor its size beyond the car roads matters. What does not:
what tags mean (`osm_tags`), OSMnx's graphs (`osm_graph`). pyosmium is imported inside the
functions.
"""

import bz2
import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from geodata.errors import StreetFileError
from geodata.network import Source
from geodata.osm_tags import Tags, WayTags, read_control, read_way
from geodata.raw_streets import Progress, RawRestriction, RawStreets, RawWay
from geodata.restriction_tags import read_restriction

ENDINGS: Final = (".osm", ".osm.gz", ".osm.bz2", ".pbf", ".osm.pbf")
LICENCE: Final = "ODbL 1.0 (OpenStreetMap contributors)"
HEADER_BYTES: Final = 4096
TURNS: Final = "turn restrictions"
WRONG_MEMBERS: Final = "turn restrictions with missing or surplus members"
VIA_WAYS_MAX: Final = 16
"""A restriction over more ways than this is taken for a mistake."""
NO_RESTRICTIONS: Final = "The file has no turn restrictions: every turn is taken to be allowed."
REMEDY: Final = (
    "Export the area again (Overpass, JOSM, Geofabrik) and check that the download was complete."
)


def read_osm_file(path: Path, network_id: str, say: Progress) -> RawStreets:
    """Return the car roads and turn restrictions of an OSM file.

    Raises
    ------
    StreetFileError
        No such file, a foreign or truncated file, or an ending other than `ENDINGS`.
    """
    check_file(path, ENDINGS)
    dropped: Counter[str] = Counter()
    with _readable(path):
        say("read ways", None)
        ways = tuple(_ways(path, dropped))
        say("read turn restrictions", None)
        restrictions = tuple(_restrictions(path, dropped))
        say("read nodes", None)
        node_id, lon, lat, control = _nodes(path, ways)
    told = [TURNS] if restrictions else list(dropped)
    return RawStreets(
        source=Source(
            network_id=network_id,
            description=f"Car roads of the OpenStreetMap file {path.name}",
            kind="PBF" if path.name.endswith(".pbf") else "OSM",
            extract_date=extract_date(path),
            licence=LICENCE,
            dropped=tuple(sorted(dropped.items())),
            notes=() if any(TURNS in reason for reason in told) else (NO_RESTRICTIONS,),
        ),
        node_id=node_id,
        node_lon=lon,
        node_lat=lat,
        node_control=control,
        ways=ways,
        restrictions=restrictions,
    )


def check_file(path: Path, endings: tuple[str, ...]) -> None:
    """Raise `StreetFileError` unless a file with one of the endings, and some content, is there."""
    if not path.name.lower().endswith(endings):
        expected = ", ".join(endings)
        raise StreetFileError(f"{path}: expected a file that ends in {expected}.")
    if not path.is_file():
        raise StreetFileError(f"{path}: there is no such file. Check the path.")
    if path.stat().st_size == 0:
        raise StreetFileError(f"{path}: the file is empty (0 bytes). {REMEDY}")


def file_stem(path: Path) -> str:
    """Return the file's name without `.osm.gz` and the like."""
    name = path.name
    for ending in sorted((*ENDINGS, ".graphml", ".graphml.gz"), key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn pyosmium's errors, which name line and column, into ours."""
    import osmium

    try:
        yield
    except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError) as error:
        hint = "It is a web page (HTML), perhaps an error message. " if _is_html(path) else ""
        raise StreetFileError(
            f"{path}: not a readable OpenStreetMap file: {error}. {hint}{REMEDY}"
        ) from error


def _head(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked; b"" where that is impossible."""
    opener: Callable[..., object] = open
    if path.name.lower().endswith(".gz"):
        opener = gzip.open
    elif path.name.lower().endswith(".bz2"):
        opener = bz2.open
    try:
        with opener(path, "rb") as stream:  # type: ignore[attr-defined]
            head: bytes = stream.read(HEADER_BYTES)
            return head
    except (OSError, EOFError, ValueError):
        return b""


def _is_html(path: Path) -> bool:
    head = _head(path).lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html")) or b"<html" in head


def extract_date(path: Path) -> str | None:
    """Return the date (`YYYY-MM-DD`) that the file's header gives for its data, or None."""
    import osmium

    if path.name.lower().endswith(".pbf"):
        header = osmium.FileProcessor(str(path), osmium.osm.NOTHING).header
        stamp = header.get("osmosis_replication_timestamp") or header.get("timestamp")
    else:
        head = _head(path).decode("utf-8", "replace")
        found = re.search(r'<osm\b[^>]*\btimestamp="([^"]+)"', head) or re.search(
            r'<meta\b[^>]*\bosm_base="([^"]+)"', head
        )
        stamp = found.group(1) if found else ""
    return stamp[:10] if re.match(r"\d{4}-\d{2}-\d{2}", stamp) else None


def _ways(path: Path, dropped: Counter[str]) -> Iterator[RawWay]:
    """Yield the drivable ways; the others are counted by reason."""
    import osmium

    reader = osmium.FileProcessor(str(path), osmium.osm.WAY)
    found = reader.with_filter(osmium.filter.KeyFilter("highway"))
    for way in cast("Iterator[osmium.osm.Way]", found):
        read = read_way(dict(way.tags))
        if isinstance(read, str):
            dropped[read] += 1
        else:
            yield raw_way(way.id, [node.ref for node in way.nodes], read)


def raw_way(way_id: int, node_ids: list[int], read: WayTags) -> RawWay:
    """Return the row of a way, turned round where it is driven against its nodes."""
    return RawWay(
        way_id=way_id,
        node_ids=tuple(reversed(node_ids)) if read.turned else tuple(node_ids),
        name=read.name,
        road_class=read.road_class,
        direction=read.direction,
        limit_along_kmh=read.limit_along_kmh,
        limit_against_kmh=read.limit_against_kmh,
        flags=read.flags,
        turned=read.turned,
    )


def _restrictions(path: Path, dropped: Counter[str]) -> Iterator[RawRestriction]:
    """Yield the turn restrictions for cars; what is left out of them is counted by reason."""
    import osmium

    reader = osmium.FileProcessor(str(path), osmium.osm.RELATION)
    found = reader.with_filter(osmium.filter.TagFilter(("type", "restriction")))
    for relation in cast("Iterator[osmium.osm.Relation]", found):
        members = [(member.role, member.type, member.ref) for member in relation.members]
        rows, left_out = raw_restrictions(dict(relation.tags), members)
        dropped.update(left_out)
        yield from rows


def raw_restrictions(
    tags: Tags, members: list[tuple[str, str, int]]
) -> tuple[list[RawRestriction], list[str]]:
    """Return the rows of one restriction relation, and the reasons for what is left out.

    `members` are (role, "n" / "w" / "r", id). `no_entry` and `no_exit` may have several ways at one
    side, which gives a row each. A relation that holds by the hour gives a row for each kind of
    turn; what it says beyond hours is left out.
    """
    rules, left_out = read_restriction(tags)
    sides = {
        (role, kind): [ref for role_, kind_, ref in members if (role_, kind_) == (role, kind)]
        for role, kind in (("from", "w"), ("to", "w"), ("via", "n"), ("via", "w"))
    }
    from_ways, to_ways = sides["from", "w"], sides["to", "w"]
    nodes, via_ways = sides["via", "n"], tuple(dict.fromkeys(sides["via", "w"]))
    # Some relations name, beside the ways in between, the nodes that join them.
    over_one = len(via_ways) <= VIA_WAYS_MAX if via_ways else len(nodes) == 1
    several = len(from_ways) > 1 or len(to_ways) > 1
    rows = []
    for rule in rules:
        if not from_ways or not to_ways or not over_one or (rule.only and several):
            left_out.append(WRONG_MEMBERS)
            continue
        rows += [
            RawRestriction(
                from_way=start, to_way=end, via_node=None if via_ways else nodes[0],
                via_ways=via_ways, only=rule.only, u_turn=rule.u_turn, hours=rule.hours,
            )
            for start in from_ways
            for end in to_ways
        ]  # fmt: skip
    return rows, left_out


def _nodes(
    path: Path, ways: tuple[RawWay, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]:
    """Return id, lon, lat and control of the nodes that the ways use, in the file's order."""
    import osmium

    wanted = {node for way in ways for node in way.node_ids}
    reader = osmium.FileProcessor(str(path), osmium.osm.NODE)
    rows = [
        (
            node.id,
            node.location.lon_without_check(),
            node.location.lat_without_check(),
            read_control(dict(node.tags)) if len(node.tags) else 0,
        )
        for node in cast("Iterator[osmium.osm.Node]", reader)
        if node.id in wanted
    ]
    if not rows:
        return np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.uint8)
    node_id, lon, lat, control = zip(*rows, strict=True)
    return (
        np.array(node_id, np.int64),
        np.array(lon, np.float64),
        np.array(lat, np.float64),
        np.array(control, np.uint8),
    )
