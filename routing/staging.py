"""Where CARE waits until the scene is safe, and for how long.

What lives here: the point on CARE's way short of the call, the words for where that is, and the
waits. What does not: whether CARE has to wait at all (`dispatch`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata.network import StreetNetwork
from geodata.snap import NO_INCIDENT, NO_STREET, StreetIndex
from routing.answer import Stage
from routing.arrivals import Target, line_m
from routing.policy import Policy

if TYPE_CHECKING:
    from routing.travel_time import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds that CARE waits at its point."""

    least_s: int | None
    expected_s: int | None


def waits(care_s: int | None, spd_s: int | None, spd_there_for_s: int, policy: Policy) -> Waits:
    """Return the least wait, for police to arrive, and the expected one, until the scene is safe.

    Parameters
    ----------
    care_s, spd_s
        Arrivals in seconds from the decision; None when not known.
    spd_there_for_s
        How long police have been on scene already.
    """
    if care_s is None or spd_s is None:
        return Waits(least_s=None, expected_s=None)
    safe_s = spd_s - spd_there_for_s + policy.scene_safe_after_s
    return Waits(least_s=max(0, spd_s - care_s), expected_s=max(0, safe_s - care_s))


def stage_on_route(network: StreetNetwork, route: "Route", waiting: Waits, policy: Policy) -> Stage:
    """Return the point on a route that lies `stage_short_m` before its end, or its start.

    Nobody waits on a motorway, a ramp or in a tunnel: the point is then where the route leaves it,
    unless that is less than half as far from the call.
    """
    lon, lat, place = route.place_before_end(policy.stage_short_m)
    if network.street_flags.item(_street(network, route, place)) & NO_INCIDENT:
        barred = network.street_flags[network.edge_street[route.edges]] & NO_INCIDENT != 0
        ahead = place + int(np.argmin(barred[place:]))
        left_m = route.length_m - route.edge_begin_m.item(ahead)
        if not barred[ahead] and left_m >= 0.5 * policy.stage_short_m:
            lon, lat, _ = route.place_before_end(left_m)
            place = ahead
    where = near(network, _street(network, route, place), lon, lat)
    return _stage((lon, lat), where, waiting, policy)


def _street(network: StreetNetwork, route: "Route", place: int) -> int:
    return network.edge_street.item(route.edges.item(place))


def stage_on_line(
    network: StreetNetwork,
    streets: StreetIndex,
    start: tuple[float, float],
    target: Target,
    waiting: Waits,
    policy: Policy,
) -> Stage:
    """Return the point on the straight line to the call, moved to the nearest street if any."""
    whole_m = line_m(*start, target)
    share = min(1.0, policy.stage_short_m / whole_m) if whole_m > 0 else 1.0
    lon = target.lon + share * (start[0] - target.lon)
    lat = target.lat + share * (start[1] - target.lat)
    snapped = streets.snap_incident(lon, lat)
    if snapped.street == NO_STREET or snapped.distance_m > policy.snap.warn_m:
        return _stage((lon, lat), "", waiting, policy)
    place = (snapped.lon, snapped.lat)
    return _stage(place, near(network, snapped.street, *place), waiting, policy)


def _stage(place: tuple[float, float], where: str, waiting: Waits, policy: Policy) -> Stage:
    return Stage(
        lon=round(place[0], 6),
        lat=round(place[1], 6),
        near=where,
        min_wait_s=waiting.least_s,
        expected_wait_s=waiting.expected_s,
        expected_wait_basis=f"ASSUMED_{policy.scene_safe_after_s}_S_TO_SAFE",
    )


def near(network: StreetNetwork, street: int, lon: float, lat: float) -> str:
    """Return the name of a street and of the one it crosses nearest to a point on it.

    Of its two ends the nearer one that has another name counts; with none, the street stands
    alone. An unnamed street gives way to what it meets.
    """
    own = network.name_of(street)
    for junction in sorted(network.ends_of(street), key=_nearness_to(network, lon, lat)):
        others = [name for name in network.names_at(junction) if name != own]
        if others:
            return " / ".join(([own] if own else []) + others[: 1 if own else 2])
    return own


def _nearness_to(network: StreetNetwork, lon: float, lat: float) -> Callable[[int], float]:
    """Return what sorts junctions by their distance from a point, nearest first."""
    lons, lats = network.junction_lon, network.junction_lat
    return lambda junction: (lons.item(junction) - lon) ** 2 + (lats.item(junction) - lat) ** 2
