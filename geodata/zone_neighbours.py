"""Whether zones go together: overlaps, gaps and edges that do not match.

What lives here: checks between zones of equal precedence, by the coverage functions of GEOS. What
does not: checks of one zone (`zone_checks`). EXCLUDE zones beat all
others, so they may lie anywhere.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.earth import metres_per_degree
from geodata.zone_checks import in_metres
from geodata.zone_findings import Finding, Weight
from geodata.zones import OVERLAP_MAX_M2, Zone, ZoneKind

GAP_M: Final = 10.0
"""Neighbours that come this close are meant to meet: half the width of a street."""
MATCHING_M: Final = 0.01


@dataclass(slots=True)
class _Meeting:
    """Edges along which two zones ought to meet and do not."""

    length_m: float = 0.0
    width_m: float = 0.0
    place: tuple[float, float] | None = None


def neighbour_findings(zones: Sequence[Zone]) -> Iterator[Finding]:
    """Yield what is wrong between zones, of each two once."""
    groups: dict[int, list[Zone]] = defaultdict(list)
    for zone in zones:
        if zone.kind is not ZoneKind.EXCLUDE:
            groups[zone.precedence].append(zone)
    for precedence, group in sorted(groups.items()):
        if len(group) > 1:
            yield from _between(sorted(group, key=lambda zone: zone.zone_id), precedence)


def _between(zones: list[Zone], precedence: int) -> Iterator[Finding]:
    degrees = np.array([zone.geometry for zone in zones], dtype=object)
    latitude = float(np.median(shapely.bounds(degrees)[:, 1::2]))
    areas = in_metres(degrees, latitude)
    scale = np.array(metres_per_degree(latitude))
    tree = shapely.STRtree(areas)
    overlapping: set[tuple[int, int]] = set()
    for i, j in sorted(tree.query(areas, predicate="intersects").T.tolist()):
        shared = shapely.intersection(areas[i], areas[j]) if i < j else shapely.Polygon()
        if shared.area > OVERLAP_MAX_M2:
            overlapping.add((i, j))
            spot = shared.representative_point()
            place = (spot.x / scale[0], spot.y / scale[1])
            yield _overlap(zones[i], zones[j], shared.area, precedence, place)
    yield from _edges(zones, areas, tree, scale, overlapping)


def _overlap(
    one: Zone, other: Zone, shared_m2: float, precedence: int, place: tuple[float, float]
) -> Finding:
    return Finding(
        code="OVERLAP", weight=Weight.ERROR, feature=one.zone_id,
        detail=f"it overlaps {other.zone_id} by {shared_m2:,.0f} m2, and both have precedence "
        f"{precedence}",
        remedy="Give one of them a higher precedence, or make them meet at an edge",
        lon=float(place[0]), lat=float(place[1]),
    )  # fmt: skip


def _edges(
    zones: list[Zone],
    areas: NDArray[np.object_],
    tree: shapely.STRtree,
    scale: NDArray[np.float64],
    overlapping: set[tuple[int, int]],
) -> Iterator[Finding]:
    """Yield where edges nearly meet; zones that overlap for good have been named already."""
    meetings: dict[tuple[int, int], _Meeting] = defaultdict(_Meeting)
    invalid = shapely.coverage_invalid_edges(areas, gap_width=GAP_M)
    lines, owner = shapely.get_parts(invalid, return_index=True)
    for line, own in zip(lines, owner.tolist(), strict=True):
        if line.is_empty:
            continue
        near = [j for j in tree.query(line, predicate="dwithin", distance=GAP_M) if j != own]
        if not near:
            continue
        other = min(near, key=lambda j: (float(shapely.distance(areas[j], line)), int(j)))
        pair = (min(own, int(other)), max(own, int(other)))
        meeting = meetings[pair]
        corners = shapely.points(shapely.get_coordinates(line))
        width_m = float(shapely.distance(corners, areas[other]).max())
        meeting.length_m += float(line.length)
        if meeting.place is None or width_m > meeting.width_m:
            spot = line.interpolate(0.5, normalized=True)
            meeting.place = (spot.x / scale[0], spot.y / scale[1])
        meeting.width_m = max(meeting.width_m, min(width_m, GAP_M))
    for (i, j), meeting in sorted(meetings.items()):
        if (i, j) not in overlapping:
            yield _meeting_finding(zones[i], zones[j], meeting)


def _meeting_finding(one: Zone, other: Zone, meeting: _Meeting) -> Finding:
    assert meeting.place is not None
    along = f"along {meeting.length_m:,.0f} m of edge"
    if meeting.width_m > MATCHING_M:
        code, what = "GAP", f"it and {other.zone_id} leave a gap of up to {meeting.width_m:.2f} m"
        remedy = (
            "Snap the two edges together (QGIS: Snap geometries to layer), or leave it as meant"
        )
    else:
        code, what = "EDGES_DIFFER", f"its edge and that of {other.zone_id} have other corners"
        remedy = "Nothing is lost; snap the two edges together when they are next edited"
    return Finding(
        code=code, weight=Weight.WARNING, feature=one.zone_id, detail=f"{what}, {along}",
        remedy=remedy, lon=float(meeting.place[0]), lat=float(meeting.place[1]),
    )  # fmt: skip
