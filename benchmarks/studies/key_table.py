"""Every key of a scenario file as Markdown, made from what the reader goes by.

    python -m benchmarks.studies.key_table      # put between the marks of docs/studies.md

What lives here: the rows with their defaults. What does not: the keys (`scenario_keys`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from benchmarks.studies.scenario import (
    CoverageSpec,
    Demand,
    Durations,
    GeneratedCalls,
    PastCalls,
    Scenario,
    SimulationSpec,
    SitingSpec,
    UnitGroup,
)
from benchmarks.studies.scenario_keys import TABLES
from benchmarks.studies.scenario_values import Key

BEGIN: Final = "<!-- keys of a scenario: made by benchmarks.studies.key_table -->"
END: Final = "<!-- end of the keys -->"
NOUNS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "": Scenario, "streets": Scenario, "zone": Scenario, "units.CARE, units.SPD": UnitGroup,
        "demand": Demand, "past calls": PastCalls, "generated calls": GeneratedCalls,
        "durations": Durations, "coverage": CoverageSpec, "siting": SitingSpec,
        "simulation": SimulationSpec,
    }
)  # fmt: skip
TOLD: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("streets", "network"): "the built-in schematic of the pilot area",
        ("streets", "driving"): "the built-in figures",
        ("zone", "release"): "the pilot's release",
        ("zone", "geojson"): "the release's zones",
        ("zone", "hours"): "the policies' hours",
        ("areas.NAME", "field"): "found by the name of the geography",
        ("units.CARE, units.SPD", "count"): "one at each post",
        ("units.CARE, units.SPD", "posts"): '"pilot"',
        ("units.CARE, units.SPD", "sectors"): "all",
        ("units.CARE, units.SPD", "precinct"): "all",
        ("units.CARE, units.SPD", "shifts"): "always on duty",
        ("units.CARE, units.SPD", "crew"): "CARE 2, SPD 1",
        ("shifts", "days"): "daily",
        ("shifts", "break_min"): "0",
        ("past calls", "first_day"): "the table's first",
        ("past calls", "last_day"): "the table's last",
        ("past calls", "call_types"): "all",
        ("generated calls", "hour_weights"): "all alike; the pattern's own",
        ("generated calls", "inside"): "CARE: ZONE, police: CITY",
        ("siting", "candidates"): "a grid over the zones",
        ("siting", "busy"): "from calls, hours and minutes of a call",
    }
)  # fmt: skip
"""Defaults that are no value of a noun."""


def key_tables() -> str:
    """Return one Markdown table for each table of a scenario file."""
    return "\n".join(line for heading, keys in TABLES.items() for line in _table(heading, keys))


def default_of(heading: str, name: str, key: Key) -> str:
    """Return what holds where a key is left out, as the documentation says it."""
    if key.needed:
        return "needed"
    if (heading, name) in TOLD:
        return TOLD[heading, name]
    noun = NOUNS.get(heading)
    value = next((_made(one) for one in fields(noun) if one.name == name), None) if noun else None
    return "none" if value is None else _written(value)


def _table(heading: str, keys: Mapping[str, Key]) -> Iterator[str]:
    yield f"**{heading or 'At the top'}**\n"
    yield "| key | may be | default | what |\n|---|---|---|---|"
    for name, key in keys.items():
        may_be = key.kind.words.replace("|", "\\|")
        yield f"| `{name}` | {may_be} | {default_of(heading, name, key)} | {key.told} |"
    yield ""


def _made(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return None if field.default_factory is MISSING else field.default_factory()


def _written(value: Any) -> str:
    if isinstance(value, (tuple, frozenset)):
        return ", ".join(map(_written, value)) or "none"
    if isinstance(value, Mapping):
        return "none" if not value else str(dict(value))
    return f"{value:g}" if isinstance(value, float) else _day_or_text(value)


def _day_or_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


if __name__ == "__main__":
    print(key_tables())
