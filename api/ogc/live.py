"""The collections of what is in force now, read from one view: nobody edits them here."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import numpy as np
import shapely

from api.auth.roles import READS, Role, Roles
from api.live_view import LiveView
from api.ogc.collections import About, Field, Kind, Shape
from api.ogc.layers import Layer
from geodata.beats import sector_of
from geodata.network import NO_EDGE, RoadClass, StreetFlag, StreetNetwork
from geodata.zones import ZoneKind
from routing.roster import AGENCIES, CREW_UNKNOWN, STATUSES

MAPS: Final[Roles] = frozenset(
    {Role.GIS_EDITOR, Role.GIS_PUBLISHER, Role.SUPERVISOR, Role.ANALYST, Role.AUDITOR}
)
"""Those who work with maps: a city has some 30,000 streets."""

INSTANT: Final = {"format": "date-time"}
TEXTS: Final = {"items": {"type": "string"}}

_CLASSES: Final = {one.value: one.name for one in RoadClass}
_TUNNEL, _BRIDGE, _PRIVATE, _GATED = (
    flag.value
    for flag in (StreetFlag.TUNNEL, StreetFlag.BRIDGE, StreetFlag.PRIVATE, StreetFlag.GATED)
)
"""As numbers: making members of an enumeration took most of the time of a page."""

ZONE_FIELDS: Final = (
    Field(name="zone_id", title="Id"),
    Field(name="name", title="Name"),
    Field(name="kind", title="Kind", more={"enum": [kind.value for kind in ZoneKind]}),
    Field(name="precedence", title="Precedence", kind=Kind.WHOLE),
    Field(name="policy_id", title="Policy; empty is the city's"),
)
"""Names of at most 10 characters, which survive a Shapefile."""

ZONES: Final = About(
    collection_id="zones",
    title="Zones in force",
    description="The zones that decisions are made by now. Change them in a draft.",
    shape=Shape.AREA,
    fields=ZONE_FIELDS,
)
POSTS: Final = About(
    collection_id="posts",
    title="Posts",
    description="Where units start from when nothing better is known.",
    shape=Shape.POINT,
    fields=(Field(name="post_id", title="Id"),),
)
BEATS: Final = About(
    collection_id="beats",
    title="Police beats",
    description="The beats that the service knows (TANDEM_BEATS).",
    shape=Shape.AREA,
    fields=(Field(name="beat", title="Beat"), Field(name="sector", title="Sector")),
)
UNITS: Final = About(
    collection_id="units",
    title="Units on the roster",
    description="Each unit at its last fix that was believed; without one it has no geometry.",
    shape=Shape.POINT,
    fields=(
        Field(name="unit_id", title="Id"),
        Field(name="call_sign", title="Call sign"),
        Field(name="agency", title="Agency", more={"enum": [one.value for one in AGENCIES]}),
        Field(name="status", title="Status", more={"enum": [one.value for one in STATUSES]}),
        Field(name="since", title="Status since", more=INSTANT),
        Field(name="crew_count", title="Crew", kind=Kind.WHOLE),
        Field(name="skills", title="Skills", kind=Kind.LIST, more=TEXTS),
        Field(name="post", title="Home post"),
        Field(name="sector", title="Home sector"),
        Field(name="beat", title="Home beat"),
        Field(name="shift_end", title="End of shift", more=INSTANT),
        Field(name="fixed_at", title="Position made at", more=INSTANT),
        Field(name="claimed", title="Held for a call", kind=Kind.YES_NO),
    ),
    readers=READS,
)
STREETS: Final = About(
    collection_id="streets",
    title="Streets",
    description="The streets that are driven on, each from one junction to the next. The ids are "
    "those of this network and change with it.",
    shape=Shape.LINE,
    fields=(
        Field(name="street", title="Id", kind=Kind.WHOLE),
        Field(name="name", title="Name"),
        Field(name="class", title="Class", more={"enum": [one.name for one in RoadClass]}),
        Field(name="length_m", title="Metres", kind=Kind.REAL),
        Field(name="one_way", title="One way", kind=Kind.YES_NO),
        Field(name="tunnel", title="Tunnel", kind=Kind.YES_NO),
        Field(name="bridge", title="Bridge", kind=Kind.YES_NO),
        Field(name="private", title="Barred to the public", kind=Kind.YES_NO),
        Field(name="gated", title="Open in some hours only", kind=Kind.YES_NO),
        Field(name="way_id", title="Way of the source", kind=Kind.WHOLE),
    ),
    readers=MAPS,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveCollection:
    """A collection that a view holds."""

    about: About
    made: Callable[[], Layer]

    def layer(self) -> Layer:
        """Return its features."""
        return self.made()


def live_collections(view: LiveView) -> tuple[LiveCollection, ...]:
    """Return the collections of a view."""
    network = view.situation.network
    return (
        LiveCollection(about=ZONES, made=lambda: zone_layer(view)),
        LiveCollection(about=POSTS, made=lambda: post_layer(view)),
        LiveCollection(about=BEATS, made=lambda: beat_layer(view)),
        LiveCollection(about=UNITS, made=lambda: unit_layer(view)),
        LiveCollection(about=STREETS, made=lambda: street_layer(network)),
    )


def zone_layer(view: LiveView) -> Layer:
    """Return the zones in force, in the order in which they win."""
    zones = view.situation.zones.zones

    def properties(row: int) -> dict[str, Any]:
        zone = zones[row]
        return {
            "zone_id": zone.zone_id,
            "name": zone.name,
            "kind": zone.kind.value,
            "precedence": zone.precedence,
            "policy_id": zone.policy_id or None,
        }

    return Layer.of(
        [zone.zone_id for zone in zones], _outlines([zone.geometry for zone in zones]), properties
    )


def post_layer(view: LiveView) -> Layer:
    """Return the posts, in the order of their ids."""
    posts = sorted(view.situation.homes.posts.items())
    return Layer.of(
        [post_id for post_id, _ in posts],
        [shapely.Point(lon, lat) for _, (lon, lat) in posts],
        lambda row: {"post_id": posts[row][0]},
    )


def beat_layer(view: LiveView) -> Layer:
    """Return the police beats, in the order of their names; none where none are known."""
    known = view.situation.beats
    beats = [] if known is None else sorted(known.outlines.items())
    return Layer.of(
        [beat for beat, _ in beats],
        _outlines([outline for _, outline in beats]),
        lambda row: {"beat": beats[row][0], "sector": sector_of(beats[row][0])},
    )


def unit_layer(view: LiveView) -> Layer:
    """Return the units on the roster, in the order of their ids."""
    roster = view.on_duty.roster

    def properties(row: int) -> dict[str, Any]:
        crew = roster.crew_count.item(row)
        return {
            "unit_id": roster.unit_id[row],
            "call_sign": roster.call_sign[row],
            "agency": AGENCIES[roster.agency[row]].value,
            "status": STATUSES[roster.status[row]].value,
            "since": _instant(roster.status_since_s.item(row)),
            "crew_count": None if crew == CREW_UNKNOWN else crew,
            "skills": sorted(roster.skills[row]),
            "post": roster.home_post[row],
            "sector": roster.home_sector[row],
            "beat": roster.home_beat[row],
            "shift_end": _instant(roster.shift_end_s.item(row)),
            "fixed_at": _instant(roster.fixed_at_s.item(row)),
            "claimed": bool(roster.claimed[row]),
        }

    places = [
        None if math.isnan(lon) or math.isnan(lat) else shapely.Point(lon, lat)
        for lon, lat in zip(roster.lon.tolist(), roster.lat.tolist(), strict=True)
    ]
    return Layer.of(roster.unit_id, places, properties)


@lru_cache(maxsize=1)
def street_layer(network: StreetNetwork) -> Layer:
    """Return the streets of a network, in its own order; kept until there is another network."""
    points = np.column_stack((network.point_lon, network.point_lat))
    street = np.repeat(np.arange(network.n_streets), np.diff(network.street_point_first))
    lines = np.asarray(shapely.linestrings(points, indices=street), dtype=object)
    one_way = (network.street_along == NO_EDGE) | (network.street_against == NO_EDGE)

    def properties(row: int) -> dict[str, Any]:
        flags = network.street_flags.item(row)
        return {
            "street": row,
            "name": network.name_of(row),
            "class": _CLASSES[network.street_class.item(row)],
            "length_m": round(network.street_length_m.item(row), 2),
            "one_way": bool(one_way[row]),
            "tunnel": bool(flags & _TUNNEL),
            "bridge": bool(flags & _BRIDGE),
            "private": bool(flags & _PRIVATE),
            "gated": bool(flags & _GATED),
            "way_id": network.street_way_id.item(row),
        }

    return Layer.of([str(row) for row in range(network.n_streets)], lines, properties)


def _outlines(areas: list[Any]) -> Any:
    """Return areas wound as RFC 7946 has it: outer rings against the clock."""
    return shapely.orient_polygons(np.array(areas, dtype=object), exterior_cw=False)


def _instant(seconds: float) -> str | None:
    if math.isnan(seconds):
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
