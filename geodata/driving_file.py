"""A city's own driving figures, from a TOML file; what it leaves out keeps its default.

    [routine]
    signal_s = 12.0
    [routine.unposted_mph]
    RESIDENTIAL = 18
    [[routine.hours]]
    days = ["mon", "tue", "wed", "thu", "fri"]
    from = 7
    to = 10
    factor = 1.2
    [emergency]
    speed_factor = 1.3

`from` is the first hour, `to` the hour after the last, 24 for midnight; a later entry of `hours`
wins over an earlier one.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from geodata.driving_time import (
    EMERGENCY,
    ROUTINE,
    DrivingProfile,
)
from geodata.errors import GeodataError
from geodata.network import HOURS_PER_WEEK, KMH_PER_MPH, RoadClass

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FACTORS_MAX: Final = 24
"""Most different hour factors of one profile: each takes the memory of one weight set."""
FILE_BYTES_MAX: Final = 1_000_000

_BUILT_IN: Final = {"routine": ROUTINE, "emergency": EMERGENCY}
_PLAIN: Final = {field.name for field in fields(DrivingProfile)} - {
    "name", "unposted_kmh", "hour_factor",
}  # fmt: skip


class DrivingFileError(GeodataError):
    """A file of driving figures that cannot be used."""


def read_profiles(path: Path) -> Mapping[str, DrivingProfile]:
    """Return the profiles `ROUTINE` and `EMERGENCY` with the figures of a file.

    Raises
    ------
    DrivingFileError
        The file cannot be read, is no TOML, or a figure in it is unknown or cannot be.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise DrivingFileError(f"{path}: more than {FILE_BYTES_MAX:,} bytes.")
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DrivingFileError(f"{path}: {error}. docs/settings.md shows an example.") from None
    unknown = sorted(set(tables) - set(_BUILT_IN))
    if unknown:
        raise DrivingFileError(f"{path}: unknown [{unknown[0]}]; expected [routine], [emergency].")
    try:
        return {p.name: _changed(p, tables.get(name, {})) for name, p in _BUILT_IN.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DrivingFileError(f"{path}: {error}. docs/settings.md shows an example.") from None


def _changed(profile: DrivingProfile, table: Mapping[str, Any]) -> DrivingProfile:
    changes: dict[str, Any] = {}
    for key, value in table.items():
        if key == "hours":
            changes["hour_factor"] = _hour_factors(value)
        elif key == "unposted_mph":
            changes["unposted_kmh"] = _unposted_kmh(profile, value)
        elif key in _PLAIN:
            default = getattr(profile, key)
            if isinstance(value, bool) != isinstance(default, bool) or isinstance(value, str):
                raise ValueError(f"{key} is {value!r}; expected a value such as {default!r}")
            changes[key] = value
        else:
            known = ", ".join(sorted([*_PLAIN, "hours", "unposted_mph"]))
            raise ValueError(f"unknown figure '{key}'; known are {known}")
    return replace(profile, **changes)


def _hour_factors(entries: list[Mapping[str, Any]]) -> tuple[float, ...]:
    factors = [1.0] * HOURS_PER_WEEK
    for entry in entries:
        if set(entry) != {"days", "from", "to", "factor"}:
            raise ValueError(
                f"an entry of hours has {sorted(entry)}; days, from, to, factor wanted"
            )
        begin, end = entry["from"], entry["to"]
        if not (isinstance(begin, int) and isinstance(end, int) and 0 <= begin < end <= 24):
            raise ValueError(f"hours from {begin} to {end}; expected 0 <= from < to <= 24")
        for day in entry["days"]:
            if day not in DAYS:
                raise ValueError(f"unknown day {day!r}; expected one of {', '.join(DAYS)}")
            first = 24 * DAYS.index(day)
            factors[first + begin : first + end] = [float(entry["factor"])] * (end - begin)
    if len(set(factors)) > FACTORS_MAX:
        raise ValueError(f"{len(set(factors))} different hour factors; at most {FACTORS_MAX}")
    return tuple(factors)


def _unposted_kmh(profile: DrivingProfile, mph: Mapping[str, float]) -> tuple[float, ...]:
    unknown = sorted(set(mph) - {road.name for road in RoadClass})
    if unknown:
        raise ValueError(f"unknown road class {unknown[0]!r} in unposted_mph")
    return tuple(
        mph[road.name] * KMH_PER_MPH if road.name in mph else profile.unposted_kmh[road]
        for road in RoadClass
    )
