"""From the short form of a scenario file to the request exactly as a CAD sends it.

What lives here: what a file may leave out or abbreviate. What a request means is not known here.

`calls/day.toml` holds what most calls share and who is on duty; a file names what differs. Anywhere
in a request `corner = "3rd Avenue / Pike Street"` stands for the lon and lat of that corner of the
built-in streets, `"-80 s"` (or min, or h) for an instant so much before `as_of`, and `"23:00"`, or
`"04:00 next day"`, for the wall clock of its day. `without = ["home"]` leaves fields out.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from geodata.pilot.tables import read_corners

JsonObject = dict[str, Any]
Table = Mapping[str, Any]

_AGO: Final = re.compile(r"([+-]\d+) (s|min|h)")
_WALL_CLOCK: Final = re.compile(r"(\d\d):(\d\d)( next day)?")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600}


def request_of(scenario: Table, day: Table) -> JsonObject:
    """Return the request of a scenario, ready to be written as JSON."""
    as_of: datetime = scenario["as_of"]
    changes = {"incident": scenario.get("incident", {}), **scenario.get("request", {})}
    short = merged(day["request"], changes)
    told: Table = scenario.get("unit", {})
    unknown = sorted(set(told) - set(scenario["units"]))
    if unknown:
        raise ValueError(f"[unit.{unknown[0]}] is not among units = {scenario['units']}")
    units = [_unit(day, sign, told.get(sign, {})) for sign in scenario["units"]]
    return {"as_of": as_of.isoformat(), **spelt_out({**short, "units": units}, as_of)}


def _unit(day: Table, call_sign: str, changes: Table) -> JsonObject:
    """Return a unit of the day with the changes of a scenario."""
    unit = merged(merged(day["every_unit"], day["units"][call_sign]), changes)
    corner = unit.pop("corner")
    if "lon" not in unit.get("position", {"lon": None}):
        unit["position"] = {"corner": corner, **unit["position"]}
    return {"call_sign": call_sign, **unit}


def merged(base: Table, changes: Table) -> JsonObject:
    """Return a table with changes laid over it, tables within tables likewise."""
    made = {key: value for key, value in base.items() if key not in changes.get("without", ())}
    for key, value in changes.items():
        old = made.get(key)
        deeper = isinstance(old, Mapping) and isinstance(value, Mapping)
        made[key] = merged(made[key], value) if deeper else value
    made.pop("without", None)
    return made


def spelt_out(value: Any, as_of: datetime) -> Any:
    """Return a value with corners as lon and lat, and with instants in full."""
    if isinstance(value, Mapping):
        told = {key: spelt_out(one, as_of) for key, one in value.items() if key != "corner"}
        return {**_corner(value["corner"]), **told} if "corner" in value else told
    if isinstance(value, list):
        return [spelt_out(one, as_of) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _instant(value, as_of) if isinstance(value, str) else value


def _instant(text: str, as_of: datetime) -> str:
    ago, wall = _AGO.fullmatch(text), _WALL_CLOCK.fullmatch(text)
    if ago:
        return (as_of + timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])).isoformat()
    if wall:
        days = timedelta(days=1 if wall[3] else 0)
        at = as_of.replace(hour=int(wall[1]), minute=int(wall[2]), second=0, microsecond=0)
        return (at + days).isoformat()
    return text


def place_words(lon: float, lat: float) -> str:
    """Return the corner that a place is, or its degrees."""
    at_corner = [name for name, place in _corners().items() if place == (lon, lat)]
    return at_corner[0] if at_corner else f"{lon:.5f}, {lat:.5f}"


def _corner(name: str) -> JsonObject:
    corners = _corners()
    if name not in corners:
        raise ValueError(f"corner '{name}' is not in geodata/pilot/corners.csv")
    return {"lon": corners[name][0], "lat": corners[name][1]}


@cache
def _corners() -> dict[str, tuple[float, float]]:
    return {corner.name: (corner.lon, corner.lat) for corner in read_corners()}
