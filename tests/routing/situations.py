"""A small drawn city, its units and its calls: what tests of decisions start from.

    A---B---C---D---E
    |   |   |   |   |
    F---G---H---I---J
    |   |   |   |   |
    K---L---M---N---O

A block is 220 m, so 24 s at 10 m/s with the routine profile's factor of 1.1 (24.2 s). The zone CORE
covers everything west of the street D-I-N, and the edge lies on that street.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from geodata.driving_time import ROUTINE, edge_times
from geodata.snap import StreetIndex
from geodata.zones import ZoneMap
from routing.live import with_roster
from routing.model import (
    PILOT,
    Agency,
    Answer,
    Fix,
    Homes,
    Incident,
    IncidentId,
    Location,
    Options,
    Place,
    Recommendation,
    Screening,
    Situation,
    Status,
    Unit,
    UnitId,
    place_units,
    unit_columns,
)
from routing.recommend import recommend
from routing.road_hierarchy import build_hierarchy
from routing.travel_time import TravelTimes
from tests.street_drawing import StreetMap, draw

CITY = "\n".join(
    [
        "A---B---C---D---E",
        "|   |   |   |   |",
        "F---G---H---I---J",
        "|   |   |   |   |",
        "K---L---M---N---O",
    ]
)
ROWS, COLUMNS = ("ABCDE", "FGHIJ", "KLMNO"), ("AFK", "BGL", "CHM", "DIN", "EJO")
AVENUES = ("1st Avenue", "2nd Avenue", "3rd Avenue", "4th Avenue", "5th Avenue")
STREETS = ("Union Street", "Pike Street", "Pine Street")

NOON = datetime(2026, 7, 21, 20, 5, 2, 120_000, tzinfo=UTC)
"""A Tuesday, 13:05 in Seattle: the pilot is open."""

ALL_NO = Screening(
    completed_at=NOON - timedelta(seconds=30),
    weapon=Answer.NO,
    violence=Answer.NO,
    medical=Answer.NO,
    enforcement=Answer.NO,
    drug_use=Answer.UNKNOWN,
    place=Place.STREET,
)


@cache
def city() -> StreetMap:
    lines = [*zip(ROWS, STREETS, strict=True), *zip(COLUMNS, AVENUES, strict=True)]
    named = {a + b: {"name": name} for line, name in lines for a, b in pairwise(line)}
    return draw(CITY, block_m=220.0, streets=named)


def square(
    west: float, south: float, east: float, north: float, **properties: Any
) -> dict[str, Any]:
    """Return a GeoJSON feature of a rectangle."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def zone_map(*features: dict[str, Any], edge_tolerance_m: float = 0.0) -> ZoneMap:
    data = {"type": "FeatureCollection", "features": list(features)}
    return ZoneMap.from_geojson(data, edge_tolerance_m=edge_tolerance_m)


def core(**properties: Any) -> dict[str, Any]:
    """Return the zone from west of A to the street D-I-N."""
    west, south, _, north = city().network.bounds
    edge = city().position("DI", 0.5)[0]
    return square(west - 0.01, south - 0.01, edge, north + 0.01, zone_id="CORE", **properties)


@cache
def empty_city() -> Situation:
    network = city().network
    graph, hierarchy = build_hierarchy(network)
    times = TravelTimes(network, graph, hierarchy, edge_times(network, ROUTINE))
    streets, roster = StreetIndex.build(network), unit_columns(())
    return Situation(
        network=network,
        streets=streets,
        travel_times=times,
        zones=zone_map(core()),
        policy=PILOT,
        roster=roster,
        placement=place_units(roster, network=network, streets=streets, travel_times=times),
    )


def situation(units: Iterable[Unit] = (), **changes: Any) -> Situation:
    """Return the city with these units; changes replace parts before the units are placed."""
    return with_roster(replace(empty_city(), **changes), unit_columns(units))


def fix(letters: str = "AB", fraction: float = 0.5, *, age_s: float = 5.0) -> Fix:
    lon, lat = city().position(letters, fraction)
    return Fix(lon=lon, lat=lat, fixed_at=NOON - timedelta(seconds=age_s))


def unit(unit_id: str, at: str | Fix | None = "AB", **changes: Any) -> Unit:
    """Return an available unit; ids that begin with C are CARE, others SPD."""
    return Unit(
        **{
            "unit_id": UnitId(unit_id),
            "agency": Agency.CARE if unit_id.startswith("C") else Agency.SPD,
            "crew_count": 2,
            "status": Status.AVAILABLE,
            "status_since": NOON - timedelta(minutes=30),
            "shift_end": NOON + timedelta(hours=8),
            "position": fix(at) if isinstance(at, str) else at,
            **changes,
        }
    )


def call(at: str = "BG", fraction: float = 0.5, **changes: Any) -> Incident:
    """Return an eligible call in the zone."""
    lon, lat = city().position(at, fraction)
    return Incident(
        **{
            "incident_id": IncidentId("2026000214377"),
            "received_at": NOON - timedelta(seconds=100),
            "queued_at": NOON - timedelta(seconds=20),
            "location": Location(lon=lon, lat=lat),
            "call_type": "PERSON DOWN",
            "screening": ALL_NO,
            **changes,
        }
    )


def decide(
    units: Sequence[Unit], incident: Incident | None = None, /, **changes: Any
) -> Recommendation:
    """Return the recommendation; `now`, `options` and parts of the situation may be given."""
    now = changes.pop("now", NOON)
    options = changes.pop("options", Options())
    return recommend(situation(units, **changes), incident or call(), now, options)


def gate(answer: Recommendation, name: str) -> Any:
    return next(result for result in answer.gates if result.gate == name)


def chosen(answer: Recommendation) -> dict[str, str]:
    return {str(one.agency): one.unit_id for one in answer.assign}


def warned(answer: Recommendation) -> set[str]:
    return {str(warning.code) for warning in answer.warnings}


HOMES = Homes(posts={"HQ": city().position("KL", 0.5)}, beats={"M1": city().position("NO", 0.5)})
