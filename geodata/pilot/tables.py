"""The two tables of the built-in pilot, read and checked: corners and the streets between them.

What lives here: `Corner`, `StreetRow` and how a row names its corners. What does not: making a
network of them (`geodata.pilot.streets`).

A *corner* is a place where streets meet, named by them: `4th Avenue / Pike Street`. Where the
same streets meet twice, or a street only bends, a word in brackets tells which:
`Airport Way South / South Royal Brougham Way (east)`, `Western Avenue (bend 1)`. A row of a street
names each of its corners by the other street alone (`Pike Street`, `(bend 1)`), and one that is
not named after it at all (where a ramp ends) by its full name (`6th Avenue / Seneca Street`).
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Final, TypeVar

from geodata.errors import StreetFileError
from geodata.network import RoadClass
from geodata.raw_streets import Control, Direction

Choice = TypeVar("Choice")

CORNERS_FILE: Final = "corners.csv"
STREETS_FILE: Final = "streets.csv"
CORNER_COLUMNS: Final = ("corner", "lon", "lat", "control")
STREET_COLUMNS: Final = ("street", "class", "travel", "limit_mph", "corners")

BETWEEN_STREETS: Final = " / "
BETWEEN_CORNERS: Final = "; "
CONTROLS: Final = {
    "signal": Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST,
    "all stop": Control.STOP_NEAREST,
    "side stop": Control.STOP_NEAREST | Control.STOP_MINOR,
    "none": Control(0),
}
"""`all stop`: every approach has a stop sign; `side stop`: those of lower class have one."""
CLASSES: Final = {
    f"{road_class.name.lower()}{below}": (road_class, bool(below))
    for road_class in RoadClass
    for below in ("", " tunnel")
}
"""A class, with the word `tunnel` behind it where the stretch runs below ground."""
TRAVELS: Final = {"both": Direction.BOTH, "one way": Direction.ALONG}
"""`one way`: in the order in which the row names its corners."""
LIMITS_MPH: Final = tuple(range(5, 65, 5))
LON_RANGE: Final = (-122.37, -122.30)
LAT_RANGE: Final = (47.55, 47.63)
"""Degrees; a corner outside them is a typing error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """A place where streets meet or one bends."""

    line: int
    """Line of the table, the heading being line 1; also the node's id."""
    name: str
    """As the table has it."""
    streets: frozenset[str]
    mark: str
    """The word that tells it from others of the same streets, '' for most."""
    lon: float
    """WGS 84 degrees, as `lat`."""
    lat: float
    control: Control


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetRow:
    """A street, or a stretch of one with the same class, direction and limit."""

    line: int
    """Line of the table, the heading being line 1; also the way's id."""
    street: str
    road_class: RoadClass
    tunnel: bool
    """Whether the stretch runs below ground."""
    direction: Direction
    limit_mph: int | None
    """Posted limit, None where none is posted."""
    corners: tuple[Corner, ...]


def read_corners() -> tuple[Corner, ...]:
    """Return the corners of the table, in its order.

    Raises
    ------
    StreetFileError
        A line that cannot be understood; the message names it and what to write instead.
    """
    return parse_corners(_text(CORNERS_FILE))


def read_street_rows() -> tuple[StreetRow, ...]:
    """Return the rows of streets, in the table's order, with their corners.

    Raises
    ------
    StreetFileError
        A line of one of the tables that cannot be understood, or a corner that no row uses.
    """
    return parse_street_rows(_text(STREETS_FILE), read_corners())


def parse_corners(text: str) -> tuple[Corner, ...]:
    """Read the table of corners from its text; see `read_corners`."""
    corners = []
    first_line: dict[tuple[frozenset[str], str], int] = {}
    for line, cells in _lines(CORNERS_FILE, text, CORNER_COLUMNS):
        streets, mark = _split_mark(cells["corner"])
        corner = Corner(
            line=line,
            name=cells["corner"],
            streets=frozenset(streets.split(BETWEEN_STREETS)),
            mark=mark,
            lon=_degrees(line, "lon", cells["lon"], LON_RANGE),
            lat=_degrees(line, "lat", cells["lat"], LAT_RANGE),
            control=_choice(CORNERS_FILE, line, "control", cells["control"], CONTROLS),
        )
        known = first_line.setdefault((corner.streets, mark), line)
        if known != line:
            raise _error(
                CORNERS_FILE,
                line,
                f"corner '{cells['corner']}' is on line {known} already. Remove one, or tell them "
                "apart by a word in brackets such as '(north)'",
            )
        corners.append(corner)
    return tuple(corners)


def parse_street_rows(text: str, corners: tuple[Corner, ...]) -> tuple[StreetRow, ...]:
    """Read the table of streets from its text; see `read_street_rows`."""
    by_street: dict[str, list[Corner]] = {}
    for corner in corners:
        for street in corner.streets:
            by_street.setdefault(street, []).append(corner)
    full_name = {corner.name: corner for corner in corners if BETWEEN_STREETS in corner.name}
    rows = []
    for line, cells in _lines(STREETS_FILE, text, STREET_COLUMNS):
        street = cells["street"]
        here = by_street.get(street, [])
        named = cells["corners"].split(BETWEEN_CORNERS)
        road_class, tunnel = _choice(STREETS_FILE, line, "class", cells["class"], CLASSES)
        rows.append(
            StreetRow(
                line=line,
                street=street,
                road_class=road_class,
                tunnel=tunnel,
                direction=_choice(STREETS_FILE, line, "travel", cells["travel"], TRAVELS),
                limit_mph=_limit(line, cells["limit_mph"]),
                corners=tuple(
                    full_name.get(name) or _find_corner(line, street, name, here) for name in named
                ),
            )
        )
    _check_stretches(rows)
    _check_all_used(corners, rows)
    return tuple(rows)


def _find_corner(line: int, street: str, named: str, here: list[Corner]) -> Corner:
    """Return the corner of a street that a row names by the other street, the mark, or both.

    A corner of just these two streets comes before one where others meet as well.
    """
    other, mark = _split_mark(named)
    wanted = frozenset({street, other} - {""})
    found = [c for c in here if c.mark == mark and c.streets == wanted] or [
        c for c in here if c.mark == mark and c.streets > wanted and other
    ]
    if len(found) == 1:
        return found[0]
    label = BETWEEN_STREETS.join((street, other)) if other else street
    known = f" (lines {', '.join(str(c.line) for c in found)} of {CORNERS_FILE})" if found else ""
    raise _error(
        STREETS_FILE,
        line,
        f"{street} names the corner '{named}', and {len(found)} corners fit{known}; expected 1. "
        f"Correct the name, or give {CORNERS_FILE} a line for '{label}"
        f"{f' ({mark})' if mark else ''}'",
    )


def _check_stretches(rows: list[StreetRow]) -> None:
    """Refuse rows of one corner, and the same stretch of a street in the same direction twice."""
    seen: dict[tuple[str, int, int], int] = {}
    for row in rows:
        if len(row.corners) < 2:
            raise _error(STREETS_FILE, row.line, "a street needs at least two corners")
        for one, two in pairwise(row.corners):
            ways = [(row.street, one.line, two.line)]
            if row.direction is Direction.BOTH:
                ways.append((row.street, two.line, one.line))
            for way in ways:
                if way in seen or one is two:
                    raise _error(
                        STREETS_FILE,
                        row.line,
                        f"{row.street} runs twice between lines {one.line} and {two.line} of "
                        f"{CORNERS_FILE} (see line {seen.get(way, row.line)}). Remove one of them",
                    )
                seen[way] = row.line


def _check_all_used(corners: tuple[Corner, ...], rows: list[StreetRow]) -> None:
    """Refuse a corner that some street named by it does not reach."""
    used = {(corner.line, row.street) for row in rows for corner in row.corners}
    for corner in corners:
        for street in sorted(corner.streets):
            if (corner.line, street) not in used:
                raise _error(
                    CORNERS_FILE,
                    corner.line,
                    f"no row of {street} in {STREETS_FILE} passes this corner. Add the corner to "
                    "that street's row, or take the street out of the corner's name",
                )


def _lines(file: str, text: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(text.splitlines())
    heading = tuple(next(reader, []))
    if heading != columns:
        raise _error(file, 1, f"the heading is {','.join(heading)!r}; write {','.join(columns)!r}")
    for cells in reader:
        if len(cells) != len(columns):
            raise _error(
                file,
                reader.line_num,
                f"{len(cells)} columns; expected {len(columns)} ({', '.join(columns)}). A name "
                "with a comma goes in quotation marks; streets in a list are parted by ';'",
            )
        yield reader.line_num, dict(zip(columns, (c.strip() for c in cells), strict=True))


def _split_mark(named: str) -> tuple[str, str]:
    """Return a name without its last word in brackets, and that word."""
    parts = re.fullmatch(r"(.*?)\s*\(([^()]+)\)", named)
    return (parts[1], parts[2]) if parts else (named, "")


def _choice(file: str, line: int, column: str, cell: str, choices: Mapping[str, Choice]) -> Choice:
    if cell not in choices:
        raise _error(file, line, f"{column} is '{cell}'; write one of {', '.join(choices)}")
    return choices[cell]


def _limit(line: int, cell: str) -> int | None:
    if not cell:
        return None
    if not cell.isdecimal() or int(cell) not in LIMITS_MPH:
        raise _error(
            STREETS_FILE,
            line,
            f"limit_mph is '{cell}'; write the posted limit in miles per hour, one of "
            f"{LIMITS_MPH[0]} to {LIMITS_MPH[-1]} in steps of 5, or nothing where none is posted",
        )
    return int(cell)


def _degrees(line: int, column: str, cell: str, within: tuple[float, float]) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not within[0] <= value <= within[1]:
        raise _error(
            CORNERS_FILE,
            line,
            f"{column} is '{cell}'; write degrees between {within[0]} and {within[1]}, "
            "longitude first",
        )
    return value


def _error(file: str, line: int, what: str) -> StreetFileError:
    return StreetFileError(f"geodata/pilot/{file}, line {line}: {what}.")


def _text(file: str) -> str:
    return (files("geodata.pilot") / file).read_text(encoding="utf-8")
