"""What a release would change against another: zones, streets that change hands, and policies.

What lives here: the comparison, as figures and as sentences. What does not: its effect on calls
and drive times (impact).

A place belongs to the zone that wins there (rule 15), or to none. A street changes hands where its
owner is another afterwards; it is counted once, by the metres of its centre line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np
import shapely
from msgspec import Struct
from shapely.geometry.base import BaseGeometry

from geodata.earth import metres_per_degree
from geodata.network import StreetNetwork
from geodata.zone_streets import street_lines
from geodata.zones import Zone
from routing.hours import TimeWindow, TimeWindows
from routing.policy import Policy
from routing.release import Release

LEAST_M2: Final = 1.0
"""Less is rounding."""
LEAST_M: Final = 0.5
LINES_MAX: Final = 1_000
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NOWHERE: Final = ""
"""The owner of a place in no zone."""


class ZoneChange(Struct, frozen=True, kw_only=True):
    """What becomes of one zone."""

    zone_id: str
    change: str
    """ADDED, REMOVED, MOVED (another outline) or CHANGED (another attribute alone)."""
    area_m2: float
    """Afterwards; 0 of a zone that is removed."""
    gained_m2: float = 0.0
    lost_m2: float = 0.0
    attributes: tuple[str, ...] = ()
    """In words."""


class Handed(Struct, frozen=True, kw_only=True):
    """Streets that change hands."""

    before: str
    """zone_id, or '' outside all."""
    after: str
    street_m: float
    area_m2: float


class Difference(Struct, frozen=True, kw_only=True):
    """What is another between two releases."""

    zones: tuple[ZoneChange, ...]
    handed: tuple[Handed, ...]
    policies: tuple[str, ...]
    """In words, a sentence for each."""

    @property
    def street_m(self) -> float:
        """Metres of all streets that change hands."""
        return sum(one.street_m for one in self.handed)


def differences(before: Release, after: Release, network: StreetNetwork) -> Difference:
    """Return what is another afterwards."""
    scale = np.array(metres_per_degree(_latitude(before, after)))
    old, new = _in_metres(before.zones.zones, scale), _in_metres(after.zones.zones, scale)
    return Difference(
        zones=tuple(_zone_changes(before, after, old, new)),
        handed=tuple(_handed(old, new, network, scale)) if old != new else (),
        policies=tuple(policy_words(before, after))[:LINES_MAX],
    )


Outlines = dict[str, BaseGeometry]
"""Of each zone by its zone_id in the order in which they win, in metres of a plane."""


def _latitude(before: Release, after: Release) -> float:
    areas = [zone.geometry for release in (before, after) for zone in release.zones.zones]
    if not areas:
        return 0.0
    bounds = shapely.total_bounds(areas)
    return float(0.5 * (bounds[1] + bounds[3]))


def _in_metres(zones: Sequence[Zone], scale: Any) -> Outlines:
    return {
        zone.zone_id: shapely.transform(zone.geometry, lambda points: points * scale)
        for zone in zones
    }


# -- zones ----------------------------------------------------------------------------------------


def _zone_changes(
    before: Release, after: Release, old: Outlines, new: Outlines
) -> Iterator[ZoneChange]:
    were = {zone.zone_id: zone for zone in before.zones.zones}
    for zone in sorted(after.zones.zones, key=lambda one: one.zone_id):
        area_m2, was = new[zone.zone_id].area, were.pop(zone.zone_id, None)
        if was is None:
            yield ZoneChange(
                zone_id=zone.zone_id, change="ADDED", area_m2=area_m2, gained_m2=area_m2
            )
            continue
        gained_m2 = shapely.difference(new[zone.zone_id], old[zone.zone_id]).area
        lost_m2 = shapely.difference(old[zone.zone_id], new[zone.zone_id]).area
        attributes = tuple(_attribute_words(was, zone))
        is_moved = not was.geometry.equals(zone.geometry)
        if is_moved or attributes:
            yield ZoneChange(
                zone_id=zone.zone_id,
                change="MOVED" if is_moved else "CHANGED",
                area_m2=area_m2,
                gained_m2=gained_m2,
                lost_m2=lost_m2,
                attributes=attributes,
            )
    for zone_id in sorted(were):
        lost_m2 = old[zone_id].area
        yield ZoneChange(zone_id=zone_id, change="REMOVED", area_m2=0.0, lost_m2=lost_m2)


def _attribute_words(was: Zone, now: Zone) -> Iterator[str]:
    for name in ("name", "kind", "precedence", "policy_id"):
        before, after = getattr(was, name), getattr(now, name)
        if before != after:
            yield f"{name} is {_value_words(after)}, was {_value_words(before)}"


# -- who owns a place -----------------------------------------------------------------------------


def _handed(old: Outlines, new: Outlines, network: StreetNetwork, scale: Any) -> Iterator[Handed]:
    owned, owns = _owned(old), _owned(new)
    all_old, all_new = shapely.union_all([*old.values()]), shapely.union_all([*new.values()])
    owned[NOWHERE] = shapely.difference(all_new, all_old)
    owns[NOWHERE] = shapely.difference(all_old, all_new)
    lines = street_lines(network, scale)
    tree = shapely.STRtree(lines)
    names, areas = list(owns), [*owns.values()]
    owners = shapely.STRtree(areas)
    for before, area in sorted(owned.items()):
        for place in sorted(owners.query(area, predicate="intersects").tolist()):
            if names[place] == before:
                continue
            shared = shapely.intersection(area, areas[place])
            if shared.area <= LEAST_M2:
                continue
            shapely.prepare(shared)
            near = lines[tree.query(shared, predicate="intersects")]
            street_m = float(shapely.length(shapely.intersection(near, shared)).sum())
            yield Handed(
                before=before,
                after=names[place],
                street_m=street_m if street_m > LEAST_M else 0.0,
                area_m2=shared.area,
            )


def _owned(outlines: Outlines) -> Outlines:
    """Return what each zone wins: its outline without those of the zones before it."""
    areas = [*outlines.values()]
    tree = shapely.STRtree(areas)
    found: Outlines = {}
    for place, (zone_id, area) in enumerate(outlines.items()):
        stronger = [areas[i] for i in tree.query(area, predicate="intersects") if i < place]
        found[zone_id] = shapely.difference(area, shapely.union_all(stronger)) if stronger else area
    return found


# -- policies in words ----------------------------------------------------------------------------


def policy_words(before: Release, after: Release) -> Iterator[str]:
    """Yield a sentence for everything but zones that is another afterwards."""
    was, now = _policies(before), _policies(after)
    for name in sorted(was.keys() | now.keys()):
        if name not in was:
            yield f"policy {name} is added: {hours_words(now[name].window)}"
        elif name not in now:
            yield f"policy {name} is removed"
        else:
            yield from _changed(f"policy {name}: ", was[name], now[name])
    for title, old, new in (
        ("CAD status", before.status_of, after.status_of),
        ("sector", before.precinct_of, after.precinct_of),
        ("", _plain(before), _plain(after)),
    ):
        yield from _changed(f"{title} ".lstrip(), dict(old), dict(new))


def _policies(release: Release) -> dict[str, Policy]:
    return {release.city_policy.policy_id: release.city_policy, **release.zone_policies}


def _plain(release: Release) -> dict[str, Any]:
    return {
        "city_policy": release.city_policy.policy_id,
        "edge_tolerance_m": release.zones.edge_tolerance_m,
    }


def _changed(title: str, before: Any, after: Any) -> Iterator[str]:
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield f"{title}{name} is gone, was {old[name]}"
        elif name not in old:
            yield f"{title}{name} is {new[name]}, was not there"
        elif old[name] != new[name]:
            yield f"{title}{name} is {new[name]}, was {old[name]}"


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value within another by its path, in words."""
    if isinstance(value, TimeWindow | TimeWindows):
        yield name.rstrip(".").replace("window", "hours"), hours_words(value)
    elif is_dataclass(value):
        for one in fields(value):
            if one.compare:
                yield from _leaves(getattr(value, one.name), f"{name}{one.name}.")
    elif isinstance(value, Mapping) and value:
        for key in sorted(value, key=str):
            yield from _leaves(value[key], f"{name}{key}.")
    else:
        yield name.rstrip("."), _value_words(value)


def _value_words(value: Any) -> str:
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(map(str, value))) or "nothing"
    if isinstance(value, tuple):
        return " to ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value)
    if isinstance(value, Mapping) or value is None or value == "":
        return "nothing"
    return f"{value:,}" if isinstance(value, int) else str(value)


def hours_words(window: Any) -> str:
    """Return windows in words: `every day 11:00-23:00, America/Los_Angeles`."""
    windows = (window,) if isinstance(window, TimeWindow) else window.windows
    said = [f"{_days_words(sorted(one.days))} {one}" for one in windows]
    return f"{', '.join(said)}, {window.zone}"


def _days_words(days: Sequence[int]) -> str:
    if len(days) == len(DAYS):
        return "every day"
    if len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]}"
    return " ".join(DAYS[day] for day in days)
