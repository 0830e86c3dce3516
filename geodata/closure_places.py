"""From a place on the map or the names of streets to the edges that a closure closes.

What lives here: `closed_edges`, for a point, a line or an area in GeoJSON, and for a stretch of a
street named by what it crosses. What does not: when they are closed (`closures`).

A street is closed as a whole, from junction to junction, because nobody gets through it any more.
Metres that decide what was meant are named constants below: each an *assumption*.
"""

import difflib
import heapq
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import LineString, shape
from shapely.geometry.base import BaseGeometry

from geodata.earth import metres_per_degree
from geodata.errors import ClosurePlaceError
from geodata.network import NO_EDGE, StreetNetwork
from geodata.place_check import in_bounds
from geodata.snap import NO_STREET, StreetIndex

POINT_FAR_M: Final = 50.0
"""A point this far from any street closes none."""
LINE_BESIDE_M: Final = 12.0
"""A street runs along a drawn line as far as it lies this near to it."""
COVERED_SHARE: Final = 0.5
"""A line closes a street along which it covers this share of the street, or of itself."""
ALIGNED_SHARE: Final = 0.7
"""A street that gets on along the line by less than this share of its own length crosses it."""
AREA_INSIDE_M: Final = 10.0
"""An area closes a street of which so much lies inside, or COVERED_SHARE of a shorter one."""
ONE_CROSSING_M: Final = 60.0
"""Junctions of the same two names this near to each other are one crossing."""
VERTICES_MAX: Final = 10_000
LINE_M_MAX: Final = 100_000.0
"""Longest drawing of lines: the search takes seconds, which every instance spends again."""
NAMES_OFFERED: Final = 3

Edges = NDArray[np.int32]
LINES: Final = ("LineString", "MultiLineString")
AREAS: Final = ("Polygon", "MultiPolygon")


class ClosedDirection(StrEnum):
    """Which direction of travel is closed."""

    BOTH = "BOTH"
    ALONG = "ALONG"
    """That of the drawn line, or from the first named crossing to the second."""
    AGAINST = "AGAINST"


def closed_edges(
    network: StreetNetwork,
    index: StreetIndex,
    place: Mapping[str, Any],
    direction: ClosedDirection = ClosedDirection.BOTH,
) -> Edges:
    """Return the edges that a place stands for, in rising order.

    Parameters
    ----------
    place
        A GeoJSON geometry (Point, LineString, Polygon or several of the latter two; WGS 84), or
        {"street", "from_street", "to_street"} with names. A `direction` in it counts before the
        parameter.
    direction
        Of a line or of named streets; points and areas close both.

    Raises
    ------
    ClosurePlaceError
        Nothing is there, or it is not clear what is meant; the message says what would be.
    """
    wanted = _direction(place.get("direction", direction))
    if "street" in place:
        edges = _named_edges(network, place, wanted)
    else:
        edges = _drawn_edges(network, index, place, wanted)
    return np.unique(np.array(edges, np.int32))


def _direction(told: Any) -> ClosedDirection:
    try:
        return ClosedDirection(told)
    except ValueError:
        raise ClosurePlaceError(f"direction is {told!r}; expected BOTH, ALONG or AGAINST") from None


# -- drawn ----------------------------------------------------------------------------------------


def _drawn_edges(
    network: StreetNetwork, index: StreetIndex, place: Mapping[str, Any], wanted: ClosedDirection
) -> list[int]:
    drawn = _geometry(network, place)
    kind = drawn.geom_type
    if kind in LINES:
        return _along_line(network, drawn, wanted)
    if wanted is not ClosedDirection.BOTH:
        raise ClosurePlaceError(
            f"a {kind} has no direction: draw a line to close {wanted}, or close BOTH"
        )
    if kind in AREAS:
        return _within_area(network, drawn)
    lon, lat = shapely.get_coordinates(drawn)[0].tolist()
    at = index.snap_incident(lon, lat)
    if at.street == NO_STREET or at.distance_m > POINT_FAR_M:
        raise ClosurePlaceError(
            f"no street within {POINT_FAR_M:g} m of lon {lon:.6f}, lat {lat:.6f}: "
            "motorways and tunnels are closed by a line, others by a point on the street"
        )
    return _edges_of(network, at.street)


def _geometry(network: StreetNetwork, place: Mapping[str, Any]) -> BaseGeometry:
    known = ("Point", *LINES, *AREAS)
    if place.get("type") not in known:
        raise ClosurePlaceError(
            f"place is a {place.get('type')!r}; expected one of {', '.join(known)}, or street, "
            "from_street and to_street"
        )
    try:
        drawn = shapely.force_2d(shape(dict(place)))
    except (ShapelyError, ValueError, TypeError, LookupError, AttributeError):
        raise ClosurePlaceError("coordinates are no geometry in GeoJSON: lon, lat pairs") from None
    points = shapely.get_coordinates(drawn)
    if not len(points) or len(points) > VERTICES_MAX:
        raise ClosurePlaceError(f"{len(points)} vertices; expected 1 to {VERTICES_MAX}")
    inside = np.array([in_bounds(network, lon, lat) for lon, lat in points.tolist()])
    if not inside.any():
        lon, lat = points[0].tolist()
        raise ClosurePlaceError(
            f"lon {lon:g}, lat {lat:g} lies outside the street network: give degrees of WGS 84, "
            "longitude first"
        )
    if not drawn.is_valid:
        raise ClosurePlaceError(
            f"{shapely.is_valid_reason(drawn)}: draw it without crossing itself"
        )
    return drawn


def _near(network: StreetNetwork, drawn: BaseGeometry) -> tuple[list[int], list[BaseGeometry]]:
    """Return the streets whose box meets that of what is drawn, and their lines in metres."""
    first = network.street_point_first[:-1]
    west, south, east, north = drawn.bounds
    per_lon, per_lat = metres_per_degree((south + north) / 2)
    more_lon, more_lat = LINE_BESIDE_M / per_lon, LINE_BESIDE_M / per_lat
    meets = (
        (np.maximum.reduceat(network.point_lon, first) >= west - more_lon)
        & (np.minimum.reduceat(network.point_lon, first) <= east + more_lon)
        & (np.maximum.reduceat(network.point_lat, first) >= south - more_lat)
        & (np.minimum.reduceat(network.point_lat, first) <= north + more_lat)
    )
    streets = np.flatnonzero(meets).tolist()
    scale = np.array((per_lon, per_lat))
    lines = [LineString((network.street_line(street) * scale).tolist()) for street in streets]
    return streets, list[BaseGeometry](lines)


def _in_metres(drawn: BaseGeometry) -> BaseGeometry:
    _, south, _, north = drawn.bounds
    scale = np.array(metres_per_degree((south + north) / 2))
    return shapely.transform(drawn, lambda points: points * scale)


def _along_line(network: StreetNetwork, drawn: BaseGeometry, wanted: ClosedDirection) -> list[int]:
    streets, lines = _near(network, drawn)
    line_m = _in_metres(drawn)
    if line_m.length > LINE_M_MAX:
        raise ClosurePlaceError(
            f"{line_m.length / 1000:,.0f} km of line; expected at most {LINE_M_MAX / 1000:g} km: "
            "close an area, or draw several closures"
        )
    found: list[int] = []
    for part in shapely.get_parts(line_m):
        beside = part.buffer(LINE_BESIDE_M, cap_style="flat")
        shapely.prepare(beside)
        for row in np.flatnonzero(shapely.intersects(beside, lines)).tolist():
            gained_m = _gained_m(part, beside, lines[row])
            if gained_m:
                found += _edges_towards(network, streets[row], wanted, along=gained_m > 0)
    if not found:
        raise ClosurePlaceError(
            f"the line runs along no street that may be driven {wanted} within {LINE_BESIDE_M:g} m"
            ": draw it along the middle of the street"
        )
    return found


def _gained_m(part: BaseGeometry, beside: BaseGeometry, line: BaseGeometry) -> float:
    """Return metres that a street gets on along a drawn line, below 0 against it, 0 if it crosses.

    A street that only meets it, or of which too little lies beside it, gets 0 too.
    """
    pieces = np.atleast_1d(shapely.get_parts(line.intersection(beside)))
    pieces = pieces[shapely.get_type_id(pieces) == shapely.GeometryType.LINESTRING]
    covered_m = float(shapely.length(pieces).sum())
    if not covered_m or covered_m < COVERED_SHARE * min(line.length, part.length):
        return 0.0
    ends = [shapely.get_point(pieces, 0), shapely.get_point(pieces, -1)]
    at_m = [shapely.line_locate_point(np.full(len(pieces), part), end) for end in ends]
    gained_m = float((at_m[1] - at_m[0]).sum())
    return gained_m if abs(gained_m) >= ALIGNED_SHARE * covered_m else 0.0


def _edges_towards(
    network: StreetNetwork, street: int, wanted: ClosedDirection, *, along: bool
) -> list[int]:
    """Return the edges of a street that runs along a drawn line, or against it."""
    if wanted is ClosedDirection.BOTH:
        return _edges_of(network, street)
    with_line = (wanted is ClosedDirection.ALONG) == along
    edge = (network.street_along if with_line else network.street_against).item(street)
    return [] if edge == NO_EDGE else [edge]


def _within_area(network: StreetNetwork, drawn: BaseGeometry) -> list[int]:
    streets, lines = _near(network, drawn)
    area = _in_metres(drawn)
    shapely.prepare(area)
    found: list[int] = []
    whole = shapely.covers(area, lines).tolist()
    for street, line, is_whole in zip(streets, lines, whole, strict=True):
        meets = is_whole or area.intersects(line)
        inside_m = line.length if is_whole else line.intersection(area).length if meets else 0.0
        if inside_m > 0 and inside_m >= min(AREA_INSIDE_M, COVERED_SHARE * line.length):
            found += _edges_of(network, street)
    if not found:
        raise ClosurePlaceError(
            f"no street runs through the area for {AREA_INSIDE_M:g} m or more: draw it around the "
            "streets that are closed"
        )
    return found


def _edges_of(network: StreetNetwork, street: int) -> list[int]:
    both = network.street_along.item(street), network.street_against.item(street)
    return [edge for edge in both if edge != NO_EDGE]


# -- named ----------------------------------------------------------------------------------------

_SHORT: Final = {
    "ave": "avenue", "av": "avenue", "st": "street", "blvd": "boulevard", "rd": "road",
    "dr": "drive", "pl": "place", "ct": "court", "ln": "lane", "pkwy": "parkway",
    "hwy": "highway", "br": "bridge", "ter": "terrace", "n": "north", "s": "south", "e": "east",
    "w": "west", "ne": "northeast", "nw": "northwest", "se": "southeast", "sw": "southwest",
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th",
    "sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip


def _plain(name: str) -> str:
    """Return a street's name as it is compared: whole words in small letters."""
    words = re.findall(r"\w+", name.lower())
    return " ".join(_SHORT.get(word, word) for word in words)


def _named_edges(
    network: StreetNetwork, place: Mapping[str, Any], wanted: ClosedDirection
) -> list[int]:
    for key in ("street", "from_street", "to_street"):
        if not isinstance(place.get(key), str) or not place[key].strip():
            raise ClosurePlaceError(
                f"{key} is {place.get(key)!r}; name a street and the two that it is closed between"
            )
    street = _numbers_of(network, place["street"])
    begin = _crossing(network, place["street"], place["from_street"])
    end = _crossing(network, place["street"], place["to_street"])
    there, back = _shortest(network, street, begin, end), _shortest(network, street, end, begin)
    found = {
        ClosedDirection.BOTH: [*(there or ()), *(back or ())],
        ClosedDirection.ALONG: there,
        ClosedDirection.AGAINST: back,
    }[wanted]
    if not found:
        raise ClosurePlaceError(
            f"no stretch of {place['street']} between {place['from_street']} and "
            f"{place['to_street']} may be driven {wanted}: name two streets that cross it, or draw "
            "a line"
        )
    if wanted is ClosedDirection.BOTH:
        return [edge for one in found for edge in _edges_of(network, network.edge_street.item(one))]
    return found


def _numbers_of(network: StreetNetwork, name: str) -> set[int]:
    """Return the numbers of the names that a name stands for."""
    plain = {number: _plain(known) for number, known in enumerate(network.names) if known}
    found = {number for number, known in plain.items() if known == _plain(name)}
    if not found:
        near = difflib.get_close_matches(_plain(name), set(plain.values()), NAMES_OFFERED, 0.6)
        names = sorted({network.names[n] for n, known in plain.items() if known in near})
        offered = f"; did you mean {' or '.join(names)}?" if names else ""
        raise ClosurePlaceError(f"no street is named {name}{offered}")
    return found


def _junctions_of(network: StreetNetwork, name: str) -> set[int]:
    on = np.isin(network.street_name[network.edge_street], sorted(_numbers_of(network, name)))
    return set(network.edge_tail[on].tolist()) | set(network.edge_head[on].tolist())


def _crossing(network: StreetNetwork, name: str, other: str) -> set[int]:
    """Return the junctions at which two streets cross, which lie close together."""
    own = _junctions_of(network, name)
    met = own & _junctions_of(network, other)
    if not met:
        names = sorted({known for j in own for known in network.names_at(j)} - {""})
        near = difflib.get_close_matches(
            _plain(other), [_plain(n) for n in names], NAMES_OFFERED, 0
        )
        offered = [n for n in names if _plain(n) in near and _plain(n) != _plain(name)]
        raise ClosurePlaceError(
            f"{name} does not cross {other}; it crosses {', '.join(offered) or 'no named street'}"
        )
    groups = _groups(network, sorted(met))
    if len(groups) > 1:
        at = [_spot(network, min(group), {_plain(name), _plain(other)}) for group in groups]
        raise ClosurePlaceError(
            f"{name} crosses {other} {len(groups)} times ({'; '.join(at)}): draw a line, or name "
            "another street that crosses it once"
        )
    return met


def _groups(network: StreetNetwork, junctions: list[int]) -> list[set[int]]:
    """Return junctions in groups within which each is near to another."""
    per_lon, per_lat = metres_per_degree(float(network.junction_lat[junctions[0]]))
    groups: list[set[int]] = []
    for junction in junctions:
        away = {
            other: float(
                np.hypot(
                    (network.junction_lon[other] - network.junction_lon[junction]) * per_lon,
                    (network.junction_lat[other] - network.junction_lat[junction]) * per_lat,
                )
            )
            for other in junctions
        }
        near = [g for g in groups if any(away[other] <= ONE_CROSSING_M for other in g)]
        groups = [g for g in groups if g not in near]
        groups.append(set().union({junction}, *near))
    return groups


def _spot(network: StreetNetwork, junction: int, known: set[str]) -> str:
    names = [name for name in network.names_at(junction) if _plain(name) not in known]
    lon, lat = network.junction_lon.item(junction), network.junction_lat.item(junction)
    beside = f" by {names[0]}" if names else ""
    return f"lon {lon:.5f}, lat {lat:.5f}{beside}"


def _shortest(
    network: StreetNetwork, names: set[int], begin: set[int], end: set[int]
) -> list[int] | None:
    """Return the edges of the shortest way along a street, None when there is none."""
    best = dict.fromkeys(sorted(begin), 0.0)
    by: dict[int, int] = {}
    waiting = [(0.0, junction) for junction in sorted(begin)]
    while waiting:
        metres, junction = heapq.heappop(waiting)
        if metres > best[junction]:
            continue
        if junction in end:
            edges = []
            while junction in by:
                edges.append(by[junction])
                junction = network.edge_tail.item(by[junction])
            return edges[::-1]
        first, last = network.edge_first[junction : junction + 2].tolist()
        for edge in range(first, last):
            street = network.edge_street.item(edge)
            then = metres + network.street_length_m.item(street)
            head = network.edge_head.item(edge)
            if network.street_name.item(street) in names and then < best.get(head, np.inf):
                best[head], by[head] = then, edge
                heapq.heappush(waiting, (then, head))
    return None
