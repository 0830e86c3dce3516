"""The demand of a scenario: past calls or generated ones, for CARE and for police.

What lives here: from the tables of `demand` to `Demand`. What does not: the calls themselves
(`past_demand`, `generated_demand`).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from api.release_lines import Path as KeyPath
from api.release_lines import line_of, lines_of_keys
from benchmarks.studies.errors import THE_FILE, Fault, fault_of
from benchmarks.studies.reading import Reading, like_one_of
from benchmarks.studies.scenario import Demand, GeneratedCalls, PastCalls, Spread
from benchmarks.studies.scenario_keys import DEMAND, GENERATED, PAST
from benchmarks.studies.scenario_values import shown
from geodata.call_columns import CallFileError, ColumnFileError, read_columns

_MAPPING: Final = "docs/impact.md shows a whole mapping file."
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
INSIDE: Final = ("ZONE", "CITY")
GENERATED_DEFAULT: Final = GeneratedCalls(per_day=7.3)
"""Stands in for what is wrong, so that the rest can be read (CARE's year 2, two-year report)."""


Areas = Mapping[str, Collection[str] | None]
"""Names of the areas of each geography; None where its file is wrong."""


def read_demand(reading: Reading, raw: Mapping[str, Any], areas: Areas) -> Demand:
    """Return what comes in; what is wrong is kept, and a default stands in its place."""
    path: KeyPath = ("demand",)
    table = reading.table(path, raw)
    values = reading.take(path, table, DEMAND, ("care", "police"))
    police = None
    if "police" in table:
        police = _calls(reading, (*path, "police"), table, areas, inside="CITY")
    if "care" not in table:
        remedy = 'Give [demand.care] with calls = "FILE", or with per_day = 7.3.'
        reading.missing((*path, "care"), remedy)
        return Demand(care=GENERATED_DEFAULT, police=police, **values)
    care = _calls(reading, (*path, "care"), table, areas, inside="ZONE")
    return Demand(care=care, police=police, **values)


def _calls(
    reading: Reading,
    path: KeyPath,
    above: Mapping[str, Any],
    areas: Areas,
    *,
    inside: str,
) -> PastCalls | GeneratedCalls:
    raw = above[str(path[-1])]
    if not isinstance(raw, dict):
        reading.fault(path, f"is {shown(raw)}, and no table.",
                      'Give calls = "FILE", or per_day = 7.3.')  # fmt: skip
        return GENERATED_DEFAULT
    if "calls" in raw and "per_day" in raw:
        reading.fault((*path, "per_day"), "stands beside calls.",
                      "Give past calls (calls) or generated ones (per_day), not both.")  # fmt: skip
        return GENERATED_DEFAULT
    if "calls" in raw:
        return _past(reading, path, raw) or GENERATED_DEFAULT
    if "per_day" not in raw and not set(raw) & set(GENERATED):
        reading.fault(path, "has neither calls nor per_day.",
                      'Give calls = "FILE", or per_day = 7.3.')  # fmt: skip
        reading.unknown(path, raw, {*PAST, *GENERATED})
        return GENERATED_DEFAULT
    return _generated(reading, path, raw, areas, inside)


def _past(reading: Reading, path: KeyPath, raw: Mapping[str, Any]) -> PastCalls | None:
    values = reading.take(path, raw, PAST)
    file = reading.path_of((*path, "calls"), values.pop("calls", None))
    mapping = reading.path_of((*path, "mapping"), values.pop("mapping", None))
    if mapping is not None:
        for fault in mapping_faults(mapping):
            reading.keep((*path, "mapping"), fault)
    first, last = values.get("first_day"), values.get("last_day")
    if first and last and first > last:
        reading.fault((*path, "last_day"), f"is {last}, before first_day {first}.",
                      "Give a last day that is not before the first.")  # fmt: skip
    if "call_types" in values and "assume_type" in values:
        reading.fault((*path, "assume_type"), "stands beside call_types.",
                      "Give one: types that count, or one type for every call.")  # fmt: skip
    return None if file is None else PastCalls(file=file, told_at=path, mapping=mapping, **values)


def mapping_faults(file: Path) -> Iterator[Fault]:
    """Yield everything that is wrong with a mapping file, each with its line."""
    try:
        read_columns(file)
    except ColumnFileError as problem:
        lines = lines_of_keys(file.read_text(encoding="utf-8"))
        for told in problem.problems:
            key, _, message = told.partition(" ")
            at = line_of(tuple(key.split(".")), lines)
            yield fault_of(file, key, f"{message}.", _MAPPING, line=at)
    except CallFileError as problem:
        said = str(problem).removeprefix(f"{file}: ")
        found = _AT_LINE.search(said)
        line = int(found[1]) if found else None
        yield fault_of(file, THE_FILE, said, _MAPPING, line=line)


def _generated(
    reading: Reading, path: KeyPath, raw: Mapping[str, Any], areas: Areas, inside: str
) -> GeneratedCalls:
    values = reading.take(path, raw, GENERATED)
    values["inside"] = _inside(reading, path, values.get("inside", inside))
    pattern = values.pop("pattern", None)
    spread = values.get("spread", Spread.STREETS)
    if pattern is not None:
        at = (*path, "pattern")
        if isinstance(pattern, dict):
            values["pattern"] = _past(reading, at, pattern)
            _no_use(reading, at, pattern)
        else:
            reading.fault(at, f"is {shown(pattern)}, and no table.",
                          'Give pattern = { calls = "FILE" }.')  # fmt: skip
    _goes_with(reading, path, raw, spread)
    if spread is Spread.AREAS and "areas" in values:
        _areas(reading, path, values, areas)
    if "priorities" in values and not sum(values["priorities"]) > 0:
        reading.fault((*path, "priorities"), "has no weight above 0.", "Give some weight.")
        del values["priorities"]
    values.setdefault("per_day", GENERATED_DEFAULT.per_day)
    return GeneratedCalls(told_at=path, **values)


def _areas(reading: Reading, path: KeyPath, values: Mapping[str, Any], areas: Areas) -> None:
    """Keep a fault for a geography that is none, and for each weight of no area of it."""
    name = values["areas"]
    if name not in areas:
        reading.fault((*path, "areas"), f"is {shown(name)}, which is no geography.",
                      f"Give one of {', '.join(sorted(areas))}, or add [areas.NAME].")  # fmt: skip
        return
    known = areas[name]
    for area in values.get("area_weights", ()):
        if known is not None and area not in known:
            reading.fault((*path, "area_weights", area), f"is no area of {name}.",
                          like_one_of(area, known, f"areas of {name}"))  # fmt: skip


def _no_use(reading: Reading, path: KeyPath, pattern: Mapping[str, Any]) -> None:
    """Keep a fault for each key that a pattern would not heed."""
    for name in ("call_types", "assume_type", "rate_factor"):
        if name in pattern:
            reading.fault((*path, name), "has no use in a pattern: all its calls are drawn from.",
                          "Leave it out, or give a table of the calls that are meant.")  # fmt: skip


def _inside(reading: Reading, path: KeyPath, told: str) -> str:
    if told.upper() in INSIDE:
        return told.upper()
    reading.fault((*path, "inside"), f"is {shown(told)}.", f"Give one of {', '.join(INSIDE)}.")
    return INSIDE[0]


def _goes_with(reading: Reading, path: KeyPath, raw: Mapping[str, Any], spread: Spread) -> None:
    """Keep a fault for each key that the spread needs, or has no use for."""
    for name, wanted, needed in (
        ("areas", Spread.AREAS, True),
        ("area_weights", Spread.AREAS, False),
        ("pattern", Spread.PATTERN, True),
    ):
        if name in raw and spread is not wanted:
            reading.fault((*path, name), f"has no use with spread {spread}.",
                          f'Set spread = "{wanted}", or leave it out.')  # fmt: skip
        if needed and spread is wanted and name not in raw:
            reading.fault((*path, "spread"), f"is {spread}, and {name} is missing.",
                          f"Give {name}: {GENERATED[name].told}.")  # fmt: skip
