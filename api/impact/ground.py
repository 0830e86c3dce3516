"""The ground that changes hands: square kilometres, and metres of street, from zone to zone.

What lives here: the part of each zone that it wins, `Ground` (what each release has of the land and
of the streets), and what differs. What does not: calls (`counting`) and times (`reach`).

A zone wins what no zone before it has (EXCLUDE first, then the higher precedence, then the lower
id). Land is measured in the plane that touches the earth in the middle of the streets, to 0.1 %
over a city. Streets are those on which an incident can be; each is cut where an edge of a zone
crosses it, and the stretch belongs to the zone that its middle lies in.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from api.impact.judging import NOWHERE, WHOLE_CITY
from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork
from geodata.zones import Zone, ZoneKind, ZoneMap
from routing.codes import Gate
from routing.coverage import Cuts, Pieces, cut_streets, incident_streets, middle_points
from routing.policy import Area
from routing.release import Release

SLIVER_M2 = 1.0
"""Differences below this are rounding of coordinates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What goes from one zone, or from none (''), to another."""

    from_zone: str
    to_zone: str
    km2: float
    street_m: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Land and streets of two releases."""

    handed: tuple[Handed, ...]
    """Everything whose zone differs, the most street first."""
    live_km2: float
    draft_km2: float
    live_street_m: float
    draft_street_m: float
    streets: tuple[tuple[str, str, str, float], ...]
    """Street name ('' for unnamed), from zone, to zone, metres; the most first."""
    pieces: Pieces
    """Every street on which an incident can be, cut at the edges of all zones."""
    zones: tuple[tuple[str, ...], tuple[str, ...]]
    """(n_pieces,) zone of each stretch, live and draft."""
    whole_city: tuple[bool, bool]
    """Whether a 911 call is taken outside every zone too: then every street there belongs to
    `WHOLE_CITY`, and land, which has no outline there, is that of the zones alone."""
    taken: tuple[BaseGeometry, BaseGeometry]
    """All land of the zones that take calls, live and draft, in degrees."""


def compare_ground(network: StreetNetwork, live: Release, draft: Release) -> Ground:
    """Return what two releases have, and what changes hands between them."""
    plane = _Plane(network)
    maps = live.zones, draft.zones
    whole = takes_whole_city(live), takes_whole_city(draft)
    won = [list(plane.won(zones)) for zones in maps]
    taken = [shapely.union_all([area for _, area in one]) for one in won]
    land = _land_handed(*won)
    edges = plane.cuts(zone.geometry for one in maps for zone in one.zones)
    pieces = cut_streets(network, incident_streets(network), edges)
    zones = tuple(_zones_of(pieces, *one) for one in zip(maps, whole, strict=True))
    length_m = pieces.length_m
    metres, by_name = _streets_handed(pieces, length_m, zones[0], zones[1])
    keys = sorted({*land, *metres}, key=lambda key: (-metres[key], -land[key], key))
    return Ground(
        handed=tuple(
            Handed(from_zone=a, to_zone=b, km2=land[a, b] / 1e6, street_m=metres[a, b])
            for a, b in keys
        ),
        live_km2=taken[0].area / 1e6,
        draft_km2=taken[1].area / 1e6,
        live_street_m=float(length_m[_inside(zones[0])].sum()),
        draft_street_m=float(length_m[_inside(zones[1])].sum()),
        streets=by_name,
        pieces=pieces,
        zones=(zones[0], zones[1]),
        whole_city=whole,
        taken=(plane.to_degrees(taken[0]), plane.to_degrees(taken[1])),
    )


def takes_whole_city(release: Release) -> bool:
    """Tell whether a 911 call is taken outside every zone too."""
    policy = release.city_policy
    rules = policy.modes.get(policy.by_policy_mode)
    return rules is not None and (rules.area is Area.CITY or Gate.ZONE not in rules.gates)


def _inside(zones: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([zone != NOWHERE for zone in zones], np.bool_)


Won = list[tuple[str, BaseGeometry]]
"""Zone id and the land that it wins, in metres of the plane."""
Handing = tuple[str, str]


class _Plane:
    """Metres about the middle of the streets."""

    def __init__(self, network: StreetNetwork) -> None:
        self._network = network
        _, south, _, north = network.bounds
        self.scale = np.array(metres_per_degree(0.5 * (south + north)))

    def to_metres(self, geometry: Any) -> Any:
        return shapely.transform(geometry, lambda degrees: degrees * self.scale)

    def to_degrees(self, geometry: Any) -> Any:
        return shapely.transform(geometry, lambda metres: metres / self.scale)

    def won(self, zones: ZoneMap) -> Iterator[tuple[str, BaseGeometry]]:
        """Yield the zones that take calls with the land that they win."""
        areas = [self.to_metres(zone.geometry) for zone in zones.zones]
        tree = shapely.STRtree(areas)
        for place, zone in enumerate(zones.zones):
            before = [areas[k] for k in tree.query(areas[place], "intersects") if k < place]
            if zone.kind is not ZoneKind.EXCLUDE:
                yield zone.zone_id, shapely.difference(areas[place], shapely.union_all(before))

    def cuts(self, outlines: Iterable[BaseGeometry]) -> Cuts:
        """Return where the edges of areas, in degrees, cross streets."""
        net = self._network
        points = np.column_stack((net.point_lon, net.point_lat)) * self.scale
        owner = np.repeat(np.arange(net.n_streets), np.diff(net.street_point_first))
        lines = shapely.linestrings(points, indices=owner)
        streets, shares = [np.empty(0, np.int64)], [np.empty(0)]
        tree = shapely.STRtree(lines)
        for outline in outlines:
            edge = self.to_metres(outline).boundary
            hit = tree.query(edge, predicate="intersects")
            crossed = shapely.intersection(lines[hit], edge)
            at, owner_of = shapely.get_coordinates(crossed, return_index=True)
            street = hit[owner_of]
            streets.append(street)
            where = shapely.line_locate_point(lines[street], shapely.points(at), normalized=True)
            shares.append(where)
        return np.concatenate(streets).astype(np.int32), np.concatenate(shares)


def cuts_along(network: StreetNetwork, outlines: Iterable[BaseGeometry]) -> Cuts:
    """Return where the edges of areas, in degrees, cross streets, for `cut_streets`."""
    return _Plane(network).cuts(outlines)


def _land_handed(live: Won, draft: Won) -> defaultdict[Handing, float]:
    """Return the square metres that go from zone to zone; '' is no zone."""
    found: defaultdict[Handing, float] = defaultdict(float)
    everything = [shapely.union_all([area for _, area in one]) for one in (live, draft)]
    for a, area in live:
        for b, other in draft:
            if a != b and area.intersects(other):
                found[a, b] += shapely.intersection(area, other).area
        found[a, NOWHERE] += shapely.difference(area, everything[1]).area
    for b, other in draft:
        found[NOWHERE, b] += shapely.difference(other, everything[0]).area
    kept = {key: m2 for key, m2 in found.items() if m2 >= SLIVER_M2}
    return defaultdict(float, kept)


def _zones_of(pieces: Pieces, zones: ZoneMap, whole: bool) -> tuple[str, ...]:
    """Return the zone of the middle of each stretch; the tolerance at edges is not for streets."""
    exact = ZoneMap(zones.zones) if zones.edge_tolerance_m else zones
    outside = WHOLE_CITY if whole else NOWHERE
    middles = zip(*(column.tolist() for column in middle_points(pieces)), strict=True)
    return tuple([_winner(exact.zones_at(*at), outside) for at in middles])


def _winner(hits: tuple[Zone, ...], outside: str) -> str:
    if not hits:
        return outside
    return NOWHERE if hits[0].kind is ZoneKind.EXCLUDE else hits[0].zone_id


ByName = tuple[tuple[str, str, str, float], ...]


def _streets_handed(
    pieces: Pieces, length_m: NDArray[np.float64], live: Sequence[str], draft: Sequence[str]
) -> tuple[defaultdict[Handing, float], ByName]:
    """Return the metres that go from zone to zone, in all and by the name of the street."""
    total: defaultdict[Handing, float] = defaultdict(float)
    named: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for piece, (a, b) in enumerate(zip(live, draft, strict=True)):
        if a != b:
            metres = length_m.item(piece)
            total[a, b] += metres
            named[pieces.network.name_of(pieces.street.item(piece)), a, b] += metres
    ranked = sorted(named.items(), key=lambda item: (-item[1], item[0]))
    return total, tuple((*key, metres) for key, metres in ranked)
