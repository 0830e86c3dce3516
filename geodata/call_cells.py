"""Cells of a table of past calls as what they mean: a place, an instant, a priority, seconds.

What lives here: reading one cell; nothing is guessed. What does not: which column is which
(`call_columns`), rows and tables (`call_history`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from geodata.call_columns import CallColumns, Names

EMPTY: Final = frozenset({"", "NULL", "NA", "N/A", "NAN", "NONE", "REDACTED", "UNKNOWN", "-"})
"""Texts of a place or a time that mean that nobody says."""
TIME_FORMATS: Final = ("%m/%d/%Y %I:%M:%S %p", "%Y %b %d %I:%M:%S %p")
"""How Seattle's open data writes an instant, beside ISO 8601."""
LISTED_MAX: Final = 10_000
"""Rows and cells that are listed; the others are counted."""
VALUE_MAX: Final = 60
YEAR_MIN: Final = 1970
YEAR_MAX: Final = 2200
SECONDS_MAX: Final = 30 * 86_400
"""Longer delays and responses are no delay of a call."""


class BadRow(StrEnum):
    """Why a row is left out."""

    CELLS = "CELLS"
    """It has more cells than the header, so that no cell can be trusted."""
    NO_PLACE = "NO_PLACE"
    ZERO_PLACE = "ZERO_PLACE"
    """Longitude or latitude is 0, which is what an unknown place looks like."""
    NOT_DEGREES = "NOT_DEGREES"
    """No longitude and latitude in degrees: swapped, feet or metres."""
    NO_TIME = "NO_TIME"
    BAD_TIME = "BAD_TIME"
    """An instant in a form that is not known."""


class BadCell(StrEnum):
    """Why a cell about a unit counts as not known, while its call stays."""

    PLACE = "BAD_PLACE"
    """No longitude and latitude in degrees, or 0."""
    INSTANT = "BAD_INSTANT"
    """An instant in a form that is not known."""
    SECONDS = "BAD_SECONDS"
    """No number of seconds, or one that cannot be a delay."""
    TOO_EARLY = "TOO_EARLY"
    """Before the instant that it must follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUsed:
    """One row that was left out, or one cell that counts as not known."""

    line: int
    reason: BadRow | BadCell
    column: str
    """The cells that the reason is about, as the header names them."""
    value: str
    """What stands there, cut to 60 signs."""


def not_used(
    line: int,
    reason: BadRow | BadCell,
    header: Sequence[str],
    cells: Sequence[str | None],
    places: Sequence[int | None],
) -> NotUsed:
    """Return what was not used of some cells of a row."""
    column = ", ".join(header[place] for place in places if place is not None)
    value = ", ".join(cell_of(cells, place) for place in places if place is not None)
    return NotUsed(line=line, reason=reason, column=column, value=value[:VALUE_MAX])


def place_of(there: Mapping[str, int], names: Names) -> int | None:
    """Return the place of the first name that a header has."""
    return next((there[name] for name in names if name in there), None)


def cell_of(cells: Sequence[str | None], place: int | None) -> str:
    """Return the text of a cell, '' where there is none."""
    if place is None or place >= len(cells):
        return ""
    return (cells[place] or "").strip()


def degrees_of(lon_text: str, lat_text: str) -> tuple[float, float] | BadRow:
    """Return longitude and latitude, or why they are none."""
    if lon_text.upper() in EMPTY or lat_text.upper() in EMPTY:
        return BadRow.NO_PLACE
    try:
        lon, lat = float(lon_text), float(lat_text)
    except ValueError:
        return BadRow.NOT_DEGREES
    if lon == 0 or lat == 0:
        return BadRow.ZERO_PLACE
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        return BadRow.NOT_DEGREES
    return lon, lat


def instant_of(text: str, columns: CallColumns) -> datetime | BadRow:
    """Return an instant with its offset from UTC, or why it is none."""
    if text.upper() in EMPTY:
        return BadRow.NO_TIME
    at = _read_time(text, columns.time_format)
    if at is None or not YEAR_MIN <= at.year <= YEAR_MAX:
        return BadRow.BAD_TIME
    return at.replace(tzinfo=columns.time_zone) if at.tzinfo is None else at


def _read_time(text: str, time_format: str | None) -> datetime | None:
    if time_format is None:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    for known in (time_format,) if time_format else TIME_FORMATS:
        try:
            return datetime.strptime(text, known)  # noqa: DTZ007  the caller adds the zone
        except ValueError:
            continue
    return None


def priority_of(text: str) -> int:
    """Return a whole number from 1 to 99, or 0 for anything else."""
    digits = text.lstrip("0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 2 else 0


def seconds_of(text: str) -> float | None:
    """Return seconds from 0 to SECONDS_MAX, NaN where nobody says, None for anything else."""
    if text.upper() in EMPTY:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= SECONDS_MAX else None
