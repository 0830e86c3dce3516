"""Where CARE waits until the scene is safe, and for how long.

What lives here: the point on CARE's way short of the call, the words for where that is, and the
waits. What does not: whether CARE has to wait at all (`dispatch`).
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from geodata.network import StreetNetwork
from geodata.snap import NO_STREET, StreetIndex
from routing.answer import Stage
from routing.arrivals import Target, line_m
from routing.policy import Policy

if TYPE_CHECKING:
    from routing.route import Drive


class Waits(Struct, frozen=True, kw_only=True):
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


def stage_on_way(network: StreetNetwork, drive: "Drive", waiting: Waits, policy: Policy) -> Stage:
    """Return the point on a way that lies `stage_short_m` before its end, or its start."""
    where = _named(network, drive.street, drive.junctions)
    return _stage((drive.lon, drive.lat), where, waiting, policy)


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
    lons, lats = network.junction_lon, network.junction_lat

    def nearness(junction: int) -> float:
        return (lons.item(junction) - lon) ** 2 + (lats.item(junction) - lat) ** 2

    tail, head = network.ends_of(street)
    nearer_first = (head, tail) if nearness(head) < nearness(tail) else (tail, head)
    return _named(network, street, nearer_first)


def _named(network: StreetNetwork, street: int, nearer_first: tuple[int, int]) -> str:
    own = network.name_of(street)
    for junction in nearer_first:
        others = [name for name in network.names_at(junction) if name != own]
        if others:
            return " / ".join(([own] if own else []) + others[: 1 if own else 2])
    return own
