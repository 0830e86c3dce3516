"""Past calls of a scenario, from CSV, GeoPackage or Parquet, and which of them count.

What lives here: `read_past`, the calls of a table that count as CARE's or as police work. What does
not: reading CSV (`geodata.call_history`), other tables (`call_tables`), columns of `Calls`
(`demand_making`).

A table is read once in a process, however often it is asked for. Rows that cannot be used are
counted by their reason and listed (`left_out`); nothing is guessed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.impact.words import PROXY
from benchmarks.studies.call_tables import read_table
from benchmarks.studies.errors import THE_FILE, BadScenario, Fault, fault_of
from benchmarks.studies.reading import like_one_of
from benchmarks.studies.scenario import PastCalls, Scenario
from benchmarks.studies.scenario_values import shown
from geodata.call_columns import CallFileError, read_columns
from geodata.call_history import NO_TYPE, CallHistory
from routing.policy import normalised
from routing.release import Release

_TABLE: Final = "docs/impact.md says what a table of calls may be (UTF-8, a row for each call)."
TABLES_MAX: Final = 4
"""Tables that are remembered in a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Calls of a table that count, and what a reader must know of them."""

    history: CallHistory
    notes: tuple[str, ...]
    is_proxy: bool


def history_of_file(scenario: Scenario, past: PastCalls) -> CallHistory:
    """Return all calls of a table within the days that the scenario tells for it.

    Raises
    ------
    BadScenario
        The table cannot be used, or none of its days is left.
    """
    try:
        files = (past.file,) if past.mapping is None else (past.file, past.mapping)
        changed_ns = tuple(file.stat().st_mtime_ns for file in files)
        found = _read(past.file, past.mapping, past.layer, changed_ns)
    except (CallFileError, OSError) as problem:
        said = str(problem).removeprefix(f"{past.file}: ")
        line = getattr(problem, "line", None)
        raise BadScenario([fault_of(past.file, THE_FILE, said, _TABLE, line=line)]) from None
    if past.first_day is None and past.last_day is None:
        return found
    try:
        return found.between(past.first_day, past.last_day)
    except CallFileError as problem:
        key = "first_day" if past.first_day is not None else "last_day"
        remedy = "Give days that the table has."
        fault = scenario.fault((*past.told_at, key), str(problem), remedy)
        raise BadScenario([fault]) from None


@lru_cache(maxsize=TABLES_MAX)
def _read(
    file: Path, mapping: Path | None, layer: str | None, _changed_ns: tuple[int, ...]
) -> CallHistory:
    return read_table(file, None if mapping is None else read_columns(mapping), layer)


def care_calls(scenario: Scenario, past: PastCalls, release: Release) -> Past:
    """Return the calls that count as CARE's: of the types told, of one assumed, or the release's.

    Raises
    ------
    BadScenario
        The table cannot be used, or no call of it counts.
    """
    history = history_of_file(scenario, past)
    if past.assume_type is not None:
        chosen = history.assuming(past.assume_type)
        said = f"Every row is taken as of the type {past.assume_type}: an assumption."
    elif past.call_types:
        chosen, said = _of_types(scenario, past, history)
    else:
        chosen, said = _of_release(scenario, past, history, release)
    return Past(history=chosen, notes=(*_notes(history), said), is_proxy=_is_proxy(past, history))


def _is_proxy(past: PastCalls, history: CallHistory) -> bool:
    return history.is_proxy or bool(past.call_types) or past.assume_type is not None


def require_types(scenario: Scenario, past: PastCalls, history: CallHistory) -> None:
    """Refuse types that no row of a table has.

    Raises
    ------
    BadScenario
        With each of them, on its line of the scenario.
    """
    known = {normalised(text) for text in history.types}
    missing = [
        _no_type(scenario, past, place, history.types)
        for place, text in enumerate(past.call_types)
        if normalised(text) not in known
    ]
    if missing:
        raise BadScenario(missing)


def _of_types(scenario: Scenario, past: PastCalls, history: CallHistory) -> tuple[CallHistory, str]:
    require_types(scenario, past, history)
    known = {normalised(text): text for text in history.types}
    wanted = {normalised(text) for text in past.call_types}
    rows = _rows_of(history, [normalised(text) in wanted for text in history.types])
    named = ", ".join(known[one] for one in sorted(wanted))
    return history.only(rows), f"CARE's calls are those of the types {named} ({rows.sum():,} rows)."


def _no_type(scenario: Scenario, past: PastCalls, place: int, types: Collection[str]) -> Fault:
    text = past.call_types[place]
    return scenario.fault(
        (*past.told_at, "call_types", place),
        f"is {shown(text)}; no row of {past.file.name} has this type.",
        like_one_of(text, types, "types of the table"),
    )


def _rows_of(history: CallHistory, wanted: Iterable[bool]) -> NDArray[np.bool_]:
    """Return the rows whose type is wanted; those without a type are not."""
    assert NO_TYPE == -1, "the last place stands for no type"
    flags = np.array([*wanted, False], np.bool_)
    return flags[history.type_number]


def _of_release(
    scenario: Scenario, past: PastCalls, history: CallHistory, release: Release
) -> tuple[CallHistory, str]:
    policies = (release.city_policy, *release.zone_policies.values())
    taken = [
        any(one.call_types.kind(text) in one.call_types.eligible for one in policies)
        for text in history.types
    ]
    if not any(taken):
        what = "The table has no call types" if not history.types else "The release takes no type"
        raise BadScenario([scenario.fault(
            (*past.told_at, "calls"),
            f"is {past.file.name}. {what}: no row would count as CARE's.",
            "Give call_types = [...] (texts of the table that count), assume_type, or [call_types] "
            "in a mapping file.",
        )])  # fmt: skip
    rows = _rows_of(history, taken)
    named = ", ".join(text for text, takes in zip(history.types, taken, strict=True) if takes)
    return history.only(rows), (
        f"CARE's calls are those of the types that the release takes: {named} "
        f"({rows.sum():,} rows)."
    )


def police_jobs(scenario: Scenario, past: PastCalls, release: Release) -> Past:
    """Return the calls that are background police work: all but CARE's of the same table.

    Raises
    ------
    BadScenario
        The table cannot be used.
    """
    history, care = history_of_file(scenario, past), scenario.demand.care
    notes = _notes(history)
    if past.call_types:
        chosen, said = _of_types(scenario, past, history)
        notes = (*notes, said.replace("CARE's calls", "Police jobs"))
    elif isinstance(care, PastCalls) and care.file == past.file and care.assume_type is None:
        theirs = frozenset(care_calls(scenario, care, release).history.call_id)
        rows = np.array([one not in theirs for one in history.call_id], np.bool_)
        chosen, notes = history.only(rows), (*notes, "Police jobs are all rows but CARE's.")
    else:
        chosen, notes = history, (*notes, "Police jobs are all rows.")
    return Past(history=chosen, notes=notes, is_proxy=history.is_proxy)


def _notes(history: CallHistory) -> tuple[str, ...]:
    """Return what a reader must know of a table: what it is, and the rows that were left out."""
    columns = history.columns
    notes = [
        f"{history.source}: {history.n_rows:,} rows, {history.first_day} to {history.last_day}; "
        f"the time of a call is {columns.time_is.value.lower().replace('_', ' ')}."
    ]
    if history.is_proxy:
        notes.append(PROXY)
    if columns.note:
        notes.append(columns.note)
    if history.n_repeats:
        notes.append(f"{history.n_repeats:,} rows repeat a call that an earlier row has told.")
    notes += _record_notes(history)
    if history.n_bad:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in history.bad.items())
        notes.append(f"{history.n_bad:,} rows were left out: {reasons}.")
    return tuple(notes)


def _record_notes(history: CallHistory) -> list[str]:
    """Return what is unknown of units because its cells are unusable; their calls stay."""
    found = []
    for agency, one in history.records.items():
        if one.n_unreadable:
            found.append(
                f"Cells about {agency} units that cannot be read, and count as unknown: "
                f"{one.n_unreadable:,}."
            )
        if one.n_disordered:
            found.append(
                f"Instants of {agency} units before the one that they must follow, which count as "
                f"unknown: {one.n_disordered:,}."
            )
    return found


def days_of(scenario: Scenario, past: Past, days: tuple[date, date] | None) -> CallHistory:
    """Return the calls of some local days; of all of the table without.

    Raises
    ------
    BadScenario
        The table has no call within these days.
    """
    if days is None:
        return past.history
    try:
        return past.history.between(*days)
    except CallFileError as problem:
        remedy = "Set first_day and days in [simulation] within the table's period."
        fault = scenario.fault(("simulation", "first_day"), str(problem), remedy)
        raise BadScenario([fault]) from None
