"""Rows and cells of the data that a study could not use: counted, listed, each with a remedy.

What lives here: `left_out_of` a world, and the section of the report with its table, which is a
file of the result too. What does not: finding them (`geodata.call_history`, `coverage.recorded`).

Posts and candidates are no records but choices of whoever asks: a wrong row of theirs is a fault of
the scenario (`post_files`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from benchmarks.studies.coverage.recorded import Recorded, read_fixes
from benchmarks.studies.past_demand import history_of_file
from benchmarks.studies.scenario import Scenario
from benchmarks.studies.table_check import tables_of
from benchmarks.studies.tables import Section, StudyResult, Table, texts
from benchmarks.studies.world import World
from geodata.call_cells import BadCell, BadRow
from geodata.call_history import CallHistory

TITLE: Final = "Rows of the data that were not used"
NAME: Final = "rows_not_used"
WHAT: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        BadRow.CELLS: ("more cells than the header", "Put texts with commas into quotes."),
        BadRow.NO_PLACE: ("nobody says where", "Give longitude and latitude."),
        BadRow.ZERO_PLACE: ("0 is what an unknown place looks like", "Give the place."),
        BadRow.NOT_DEGREES: (
            "no longitude and latitude in degrees",
            "Give degrees of WGS 84, no feet and no metres; lon and lat may be exchanged.",
        ),
        BadRow.NO_TIME: ("nobody says when", "Give the instant."),
        BadRow.BAD_TIME: (
            "an instant in a form that is not known",
            "Give ISO 8601, or time_format in a mapping file.",
        ),
        BadCell.PLACE: ("no place in degrees", "Give degrees of WGS 84."),
        BadCell.INSTANT: (
            "an instant in a form that is not known",
            "Give ISO 8601, or time_format in a mapping file.",
        ),
        BadCell.SECONDS: ("no seconds of a delay", "Give seconds, 0 to 30 days."),
        BadCell.TOO_EARLY: (
            "before the instant that it must follow",
            "Correct one of the two; what was before the call may be of another call.",
        ),
    }
)
"""What is wrong and its remedy, by reason."""
DEFINITIONS: Final = MappingProxyType(
    {
        "file": "The file of data.",
        "row": "Line of a CSV (the header is 1), or row of another table, from 1.",
        "column": "The cells that it is about.",
        "what": "What is wrong with them.",
        "value": "What stands there, cut to 60 signs.",
        "remedy": "What to do about it.",
        "effect": "LEFT_OUT: the row does not count. UNKNOWN: the row counts, and nobody knows "
        "this of it.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUsedRow:
    """One line of the table."""

    file: str
    row: int
    column: str
    what: str
    value: str
    remedy: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What one file has that could not be used."""

    words: str
    rows: tuple[NotUsedRow, ...]


def left_out_of(world: World, others: Sequence[Scenario] = ()) -> list[LeftOut]:
    """Return what files of data have that could not be used; files without are left out.

    Parameters
    ----------
    others
        Variations of the world's scenario.
    """
    zone, found = world.release.city_policy.window.zone, list[LeftOut]()
    scenarios = (world.scenario, *others)
    tables = {
        (past.file, past.mapping, past.layer): (one, past)
        for one in reversed(scenarios)
        for past in tables_of(one)
    }
    for one, past in tables.values():
        found += _of_calls(history_of_file(one, past))
    for file in dict.fromkeys(one.coverage.recorded_positions for one in scenarios):
        if file is not None:
            found += _of_positions(file.name, read_fixes(file, zone))
    return found


def _of_calls(history: CallHistory) -> Iterator[LeftOut]:
    if history.n_bad:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in history.bad.items())
        yield LeftOut(
            words=f"{history.source}: {history.n_bad:,} of {history.n_rows:,} rows were left out "
            f"({reasons}).",
            rows=tuple(
                _row(history.source, one.line, one.column, one.reason, one.value, "LEFT_OUT")
                for one in history.left_out
            ),
        )
    for agency, one in history.records.items():
        count = one.n_unreadable + one.n_disordered
        if count:
            yield LeftOut(
                words=f"{history.source}: {count:,} cells about {agency} units count as unknown.",
                rows=tuple(
                    _row(history.source, cell.line, cell.column, cell.reason, cell.value, "UNKNOWN")
                    for cell in one.not_used
                ),
            )


def _row(file: str, row: int, column: str, reason: str, value: str, effect: str) -> NotUsedRow:
    what, remedy = WHAT[reason]
    return NotUsedRow(
        file=file, row=row, column=column, what=f"{reason}: {what}", value=value, remedy=remedy,
        effect=effect,
    )  # fmt: skip


def _of_positions(file: str, recorded: Recorded) -> Iterator[LeftOut]:
    if not recorded.n_left_out:
        return
    yield LeftOut(
        words=f"{file}: {recorded.n_left_out:,} of {recorded.n_rows:,} recorded positions were "
        "left out.",
        rows=tuple(
            NotUsedRow(
                file=file, row=one.line or 0, column=one.where, what=one.message, value="",
                remedy=one.remedy, effect="LEFT_OUT",
            )
            for one in recorded.left_out
        ),
    )  # fmt: skip


def with_left_out(
    result: StudyResult, world: World, others: Sequence[Scenario] = ()
) -> StudyResult:
    """Return a result that tells of the rows and cells that could not be used, if there are any."""
    found = left_out_of(world, others)
    if not found:
        return result
    section = Section(
        title=TITLE, paragraphs=tuple(one.words for one in found), tables=(_table(found),)
    )
    return replace(
        result,
        in_short=(*result.in_short, *(one.words for one in found)),
        sections=(*result.sections, section),
    )


def _table(found: list[LeftOut]) -> Table:
    rows = [row for one in found for row in one.rows]
    columns = {
        name: np.array([row.row for row in rows], np.int64)
        if name == "row"
        else texts([getattr(row, name) for row in rows])
        for name in DEFINITIONS
    }
    return Table(name=NAME, title=TITLE, columns=columns, definitions=DEFINITIONS)
