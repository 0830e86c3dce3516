"""The tag rules: what OpenStreetMap's tags mean for a car of a responder.

What lives here: pure functions from tags to the attributes of a way and the controls of a node.
What does not: files and graphs, and turn restrictions (`restriction_tags`). The rules follow the
pages `Key:access`, `Key:oneway`, `Key:maxspeed` and `Tag:highway=stop` of the OpenStreetMap wiki;
where OSMnx reads a value differently the function says so.

Not read: `*:conditional` tags of ways and nodes (rules by the hour), advisory speeds,
`highway=give_way`, and signals that are tagged on a crossing only (`crossing=traffic_signals`; the
junction has its own).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geodata.network import KMH_PER_MPH, RoadClass, StreetFlag
from geodata.raw_streets import Control, Direction

Tags = Mapping[str, str]

LIMIT_MAX_KMH: Final = 200.0
"""A posted limit above this is a typing error and read as none."""

ROAD_CLASSES: Final = {value.name.lower(): value for value in RoadClass} | {
    "road": RoadClass.UNCLASSIFIED
}
SERVICE_LEFT_OUT: Final = frozenset({"parking_aisle", "driveway", "drive-through"})
ACCESS_KEYS: Final = ("motorcar", "motor_vehicle", "vehicle", "access")
"""Most specific first: the first of them with a known value decides."""
ACCESS_OPEN: Final = frozenset(
    [
        *("yes", "permissive", "designated", "destination", "customers", "delivery"),
        *("public", "official", "discouraged", "unknown"),
    ]
)
ACCESS_PRIVATE: Final = frozenset(
    [
        *("private", "permit", "residents", "military", "employees", "staff"),
        *("members", "emergency", "agricultural", "forestry"),
    ]
)
ACCESS_CLOSED: Final = frozenset(
    {"no", "bus", "psv", "foot", "bicycle", "pedestrian", "use_sidepath"}
)
ONEWAY_KEYS: Final = ("oneway:motorcar", "oneway:motor_vehicle", "oneway")
ONEWAY_ALONG: Final = frozenset({"yes", "true", "1"})
ONEWAY_TURNED: Final = frozenset({"-1", "reverse"})
ONEWAY_REVERSIBLE: Final = frozenset({"reversible", "alternating"})
ROUND_JUNCTIONS: Final = frozenset({"roundabout", "circular"})
NO_TUNNEL: Final = frozenset({"no", "building_passage", "culvert", "avalanche_protector"})
CONTROLLED_CLASSES: Final = frozenset(
    {RoadClass.MOTORWAY, RoadClass.MOTORWAY_LINK, RoadClass.TRUNK_LINK}
)
SIGNALS_NOT_COUNTED: Final = frozenset(
    {"ramp_meter", "blinker", "emergency", "continuous_green", "no"}
)
"""Signals that normally let traffic pass: dark, flashing, green, or on at rush hours only."""

WAY_TAGS: Final = (
    *("highway", "name", "ref", "area", "service", "motorroad", "junction", "emergency"),
    *ACCESS_KEYS,
    *ONEWAY_KEYS,
    *("maxspeed", "maxspeed:forward", "maxspeed:backward", "tunnel", "bridge"),
)
"""Every tag of a way that these rules read."""
NODE_TAGS: Final = ("highway", "traffic_signals", "traffic_signals:direction", "direction", "stop")
"""Every tag of a node that these rules read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayTags:
    """What the tags of one drivable way say; `turned` when it runs against its nodes."""

    name: str
    road_class: RoadClass
    direction: Direction
    turned: bool
    limit_along_kmh: float | None
    limit_against_kmh: float | None
    flags: StreetFlag


def read_way(tags: Tags) -> WayTags | str:
    """Return what a way is to a car, or the reason (in words) why it is left out."""
    road_class = ROAD_CLASSES.get(tags.get("highway", ""))
    if road_class is None:
        return "ways that are no car road"
    if tags.get("area") == "yes":
        return "ways that outline an area"
    if road_class is RoadClass.SERVICE and tags.get("service") in SERVICE_LEFT_OUT:
        return "driveways, parking aisles and drive-throughs"
    access = car_access(tags)
    if access is None:
        return "ways closed to cars"
    direction, turned = car_direction(tags)
    along, against = speed_limits_kmh(tags)
    return WayTags(
        name=tags.get("name") or tags.get("ref") or "",
        road_class=road_class,
        direction=direction,
        turned=turned,
        limit_along_kmh=against if turned else along,
        limit_against_kmh=along if turned else against,
        flags=access | shape_flags(tags, road_class) | gate_flag(direction),
    )


def car_access(tags: Tags) -> StreetFlag | None:
    """Return no flag for an open way, PRIVATE for a barred one, None for one closed to cars.

    A closed way that `emergency=yes` or `designated` opens to responders is PRIVATE. Of several
    values ("private;destination") the most open one counts. An unknown value is passed over.
    """
    for key in ACCESS_KEYS:
        values = {value.strip() for value in tags.get(key, "").split(";")}
        if values & ACCESS_OPEN:
            return StreetFlag(0)
        if values & ACCESS_PRIVATE:
            return StreetFlag.PRIVATE
        if values & ACCESS_CLOSED:
            opened = tags.get("emergency") in ("yes", "designated")
            return StreetFlag.PRIVATE if opened else None
    return StreetFlag(0)


def car_direction(tags: Tags) -> tuple[Direction, bool]:
    """Return the direction of travel and whether it runs against the order of nodes.

    Without a known `oneway` value, motorways, roundabouts and traffic circles are one-way; ramps
    (`motorway_link`) need the tag.
    """
    for key in ONEWAY_KEYS:
        value = tags.get(key)
        if value in ONEWAY_ALONG:
            return Direction.ALONG, False
        if value in ONEWAY_TURNED:
            return Direction.ALONG, True
        if value in ONEWAY_REVERSIBLE:
            return Direction.REVERSIBLE, False
        if value in ("no", "false", "0"):
            return Direction.BOTH, False
    if tags.get("highway") == "motorway" or tags.get("junction") in ROUND_JUNCTIONS:
        return Direction.ALONG, False
    return Direction.BOTH, False


def speed_limits_kmh(tags: Tags) -> tuple[float | None, float | None]:
    """Return the posted limits along and against the order of nodes, None where unposted."""
    both = parse_limit_kmh(tags.get("maxspeed"))
    along = parse_limit_kmh(tags.get("maxspeed:forward"))
    against = parse_limit_kmh(tags.get("maxspeed:backward"))
    return (both if along is None else along), (both if against is None else against)


def parse_limit_kmh(text: str | None) -> float | None:
    """Return km/h of a `maxspeed` value, None where it posts no number.

    "25 mph", "40" and "40 km/h" are numbers; "none", "walk", "signals" and "US:urban" are not. A
    list ("30;20 mph", "30|20": lanes or stretches) gives its mean, as OSMnx does; a unit at its end
    holds for all of it.
    """
    if not text:
        return None
    lowered = text.lower()
    factor = KMH_PER_MPH if "mph" in lowered else 1.0
    bare = lowered.replace("mph", "").replace("km/h", "").replace("kmh", "").replace("kph", "")
    limits = []
    for part in bare.replace("|", ";").replace(",", ";").split(";"):
        try:
            limit = float(part) * factor
        except ValueError:
            continue
        if 0 < limit <= LIMIT_MAX_KMH:
            limits.append(limit)
    return sum(limits) / len(limits) if limits else None


def shape_flags(tags: Tags, road_class: RoadClass) -> StreetFlag:
    """Return CONTROLLED, TUNNEL, BRIDGE and ROUNDABOUT as the tags have it.

    A roofed street (`covered=yes`), a passage through a building and a mere `layer=-1` are no
    tunnels: they have doors and addresses.
    """
    flags = StreetFlag(0)
    if road_class in CONTROLLED_CLASSES or tags.get("motorroad") == "yes":
        flags |= StreetFlag.CONTROLLED
    if tags.get("tunnel", "no") not in NO_TUNNEL:
        flags |= StreetFlag.TUNNEL
    if tags.get("bridge", "no") != "no":
        flags |= StreetFlag.BRIDGE
    if tags.get("junction") in ROUND_JUNCTIONS:
        flags |= StreetFlag.ROUNDABOUT
    return flags


def gate_flag(direction: Direction) -> StreetFlag:
    """Return GATED for reversible lanes, which are closed unless a time window opens them."""
    return StreetFlag.GATED if direction is Direction.REVERSIBLE else StreetFlag(0)


def read_control(tags: Tags) -> Control:
    """Return what makes a driver stop at a node; `Control(0)` for most.

    A direction that is missing or an angle ("90", "e;w") says nothing about the way: a signal then
    counts both ways, a stop sign where `Control.STOP_NEAREST` says.
    """
    kinds = {kind.strip() for kind in tags.get("highway", "").split(";")}
    control = Control(0)
    if "traffic_signals" in kinds and tags.get("traffic_signals") not in SIGNALS_NOT_COUNTED:
        facing = tags.get("traffic_signals:direction", tags.get("direction"))
        control |= _facing(facing, Control.SIGNAL_ALONG, Control.SIGNAL_AGAINST) or (
            Control.SIGNAL_ALONG | Control.SIGNAL_AGAINST
        )
    if "stop" in kinds:
        undirected = Control.STOP_NEAREST
        if tags.get("stop") == "minor":
            undirected |= Control.STOP_MINOR
        facing = tags.get("direction")
        control |= _facing(facing, Control.STOP_ALONG, Control.STOP_AGAINST) or undirected
    return control


def _facing(value: str | None, along: Control, against: Control) -> Control:
    """Return the bits that `forward`, `backward` or `both` stand for, none for other values."""
    return {"forward": along, "backward": against, "both": along | against}.get(
        value or "", Control(0)
    )
