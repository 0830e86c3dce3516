"""Recorded positions of units: a CSV of agency, unit_id, lon, lat, at and, for replay, status.

What lives here: reading it, and which fixes count. What does not: snapping them to streets
(`standing`). A row that cannot be used is left out, counted and listed; a file without its columns,
or without one good row, is refused.

For each hour of the week the latest local day counts on which anything was recorded in that hour,
and of each unit its last fix within the hour. Instants without an offset are local.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.studies.errors import THE_FILE, BadScenario, Fault, fault_of, said_by
from benchmarks.studies.reading import like_one_of
from geodata.call_cells import LISTED_MAX, YEAR_MAX, YEAR_MIN
from geodata.driving_time import hour_of_week
from geodata.text_files import line_not_utf8
from routing.codes import Agency

COLUMNS: Final = ("agency", "unit_id", "lon", "lat", "at")
STATUS: Final = "status"
"""A column that may be there: AVAILABLE is free."""
ROWS_MAX: Final = 5_000_000
FAULTS_MAX: Final = 100
"""Rows that are told where none is good."""
VALUE_MAX: Final = 60
FORM: Final = "Give a CSV (UTF-8) of agency (CARE or SPD), unit_id, lon, lat, at (ISO 8601)."
DEGREES: Final = "Give degrees of WGS 84, neither 0 nor feet nor metres."
INSTANT: Final = "Give an instant such as 2026-07-20T13:05:00-07:00."
Fixes = Mapping[Agency, Mapping[str, tuple[float, float]]]
"""lon and lat by unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFix:
    """Where one unit was at one instant."""

    agency: Agency
    unit_id: str
    lon: float
    lat: float
    at: datetime
    """Local."""
    status: str | None = None
    """In capitals, '' where it is empty; None where the file has no such column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a file of positions holds."""

    fixes: tuple[RecordedFix, ...]
    n_rows: int
    n_left_out: int
    left_out: tuple[Fault, ...]
    """The first rows that were left out, each with what is wrong with it."""


def read_recorded(file: Path, zone: ZoneInfo) -> dict[int, Fixes]:
    """Return where units were, by hour of the week, Monday 00 = 0.

    Raises
    ------
    BadScenario
        The file cannot be used.
    """
    return by_hour(read_fixes(file, zone).fixes)


def read_fixes(file: Path, zone: ZoneInfo) -> Recorded:
    """Return every fix of a file, which is read once; raises what `read_recorded` does."""
    try:
        return _read(file, zone, file.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        line = line_not_utf8(file)
        fault = fault_of(file, THE_FILE, f"cannot be read: {said_by(problem)}.", FORM, line=line)
        raise BadScenario([fault]) from None


@lru_cache(maxsize=1)
def _read(file: Path, zone: ZoneInfo, _changed_ns: int) -> Recorded:
    with file.open(encoding="utf-8-sig", newline="") as text:
        table = csv.DictReader(text)
        missing = list(_missing(file, table.fieldnames or ()))
        if missing:
            raise BadScenario(missing)
        return _fixes(file, table, zone)


def by_hour(fixes: Iterable[RecordedFix]) -> dict[int, Fixes]:
    """Return the last fix of each unit in each hour of the week, of the latest day of that hour."""
    latest: dict[int, date] = {}
    last: dict[tuple[int, Agency, str], RecordedFix] = {}
    fixes = sorted(fixes, key=lambda fix: (fix.at, fix.agency, fix.unit_id, fix.lon, fix.lat))
    for fix in fixes:
        hour = hour_of_week(fix.at)
        latest[hour] = fix.at.date()
        last[hour, fix.agency, fix.unit_id] = fix
    found: dict[int, dict[Agency, dict[str, tuple[float, float]]]] = {}
    for (hour, agency, unit_id), fix in sorted(last.items()):
        if fix.at.date() == latest[hour]:
            of_kind = found.setdefault(hour, {}).setdefault(agency, {})
            of_kind[unit_id] = fix.lon, fix.lat
    return dict(found)


def _missing(file: Path, header: Sequence[str]) -> Iterable[Fault]:
    for name in COLUMNS:
        if name not in header:
            like = like_one_of(name, [one for one in header if one], "columns")
            yield fault_of(file, name, "is no column of the table.", f"{like} {FORM}", line=1)


def _fixes(file: Path, table: "csv.DictReader[str]", zone: ZoneInfo) -> Recorded:
    found, faults, n_rows = list[RecordedFix](), list[Fault](), 0
    for n_rows, row in enumerate(table, 1):
        if n_rows > ROWS_MAX:
            message = f"has more than {ROWS_MAX:,} rows."
            raise BadScenario([fault_of(file, THE_FILE, message, "Give fewer days.")])
        fix = _fix(file, table.line_num, row, zone)
        if isinstance(fix, RecordedFix):
            found.append(fix)
        elif len(faults) < LISTED_MAX:
            faults.append(fix)
    if not found:
        raise BadScenario(faults[:FAULTS_MAX] or [fault_of(file, THE_FILE, "has no row.", FORM)])
    return Recorded(
        fixes=tuple(found), n_rows=n_rows, n_left_out=n_rows - len(found), left_out=tuple(faults)
    )


def _fix(
    file: Path, line: int, row: Mapping[str, str | None], zone: ZoneInfo
) -> RecordedFix | Fault:
    if None in row:
        return fault_of(file, "the row", "has more cells than the header.", "Put texts with commas "
                        "into quotes.", line=line)  # fmt: skip
    texts = {name: (row[name] or "").strip() for name in COLUMNS}
    said = {name: f"is {text[:VALUE_MAX]!r}" for name, text in texts.items()}
    if texts["agency"].upper() not in tuple(Agency):
        return fault_of(file, "agency", f"{said['agency']}.", "Give CARE or SPD.", line=line)
    if not texts["unit_id"]:
        return fault_of(file, "unit_id", "is empty.", "Name the unit.", line=line)
    lon, lat = _degrees(texts["lon"], 180), _degrees(texts["lat"], 90)
    if lon is None or lat is None:
        name = "lon" if lon is None else "lat"
        return fault_of(file, name, f"{said[name]}.", DEGREES, line=line)
    at = _instant(texts["at"])
    if at is None:
        return fault_of(file, "at", f"{said['at']}.", INSTANT, line=line)
    agency = Agency(texts["agency"].upper())
    local = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
    status = (row[STATUS] or "").strip().upper() if STATUS in row else None
    return RecordedFix(
        agency=agency, unit_id=texts["unit_id"], lon=lon, lat=lat, at=local, status=status
    )


def _degrees(text: str, most: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value and abs(value) <= most else None


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if YEAR_MIN < at.year <= YEAR_MAX else None
