"""Recorded positions of units: a CSV of agency, unit_id, lon, lat, at and, for replay, status.

What lives here: reading it, with every fault at once, and which fixes count. What does not:
snapping them to streets (`standing`).

For each hour of the week the latest local day counts on which anything was recorded in that hour,
and of each unit its last fix within the hour. Instants without an offset are local.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.studies.errors import BadScenario, Fault
from geodata.driving_time import hour_of_week
from routing.codes import Agency

COLUMNS: Final = ("agency", "unit_id", "lon", "lat", "at")
STATUS: Final = "status"
"""A column that may be there: AVAILABLE is free."""
ROWS_MAX: Final = 5_000_000
FAULTS_MAX: Final = 100
"""Faults listed; the others are counted."""
_FORM: Final = "Give a CSV of agency (CARE or SPD), unit_id, lon, lat, at (ISO 8601)."
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


def read_recorded(file: Path, zone: ZoneInfo) -> dict[int, Fixes]:
    """Return where units were, by hour of the week, Monday 00 = 0.

    Raises
    ------
    BadScenario
        With everything that is wrong with the file.
    """
    return by_hour(read_fixes(file, zone))


def read_fixes(file: Path, zone: ZoneInfo) -> list[RecordedFix]:
    """Return every fix of a file; raises what `read_recorded` does."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return _fixes(file, csv.DictReader(text), zone)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise BadScenario([_fault(file, None, "recorded_positions", f"{problem}.")]) from None


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


def _fixes(file: Path, table: "csv.DictReader[str]", zone: ZoneInfo) -> list[RecordedFix]:
    missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
    if missing:
        raise BadScenario([_fault(file, 1, name, "There is no such column.") for name in missing])
    found, faults, n_more = list[RecordedFix](), list[Fault](), 0
    for row in table:
        fix = _fix(file, table.line_num, row, zone)
        if isinstance(fix, RecordedFix):
            found.append(fix)
        elif len(faults) < FAULTS_MAX:
            faults.append(fix)
        else:
            n_more += 1
        if len(found) > ROWS_MAX:
            raise BadScenario([_fault(file, None, "rows", f"More than {ROWS_MAX:,}.")])
    if n_more:
        faults.append(_fault(file, None, "rows", f"{n_more:,} more rows are wrong."))
    if not found and not faults:
        faults.append(_fault(file, None, "rows", "There is none."))
    if faults:
        raise BadScenario(faults)
    return found


def _fix(
    file: Path, line: int, row: Mapping[str, str | None], zone: ZoneInfo
) -> RecordedFix | Fault:
    texts = {name: (row[name] or "").strip() for name in COLUMNS}
    try:
        agency = Agency(texts["agency"].upper())
    except ValueError:
        return _fault(file, line, "agency", f"It is {texts['agency']!r}, not CARE or SPD.")
    if not texts["unit_id"]:
        return _fault(file, line, "unit_id", "It is empty.")
    try:
        lon, lat = float(texts["lon"]), float(texts["lat"])
    except ValueError:
        return _fault(file, line, "lon, lat", f"{texts['lon']!r}, {texts['lat']!r}: no numbers.")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90 and lon and lat):
        return _fault(file, line, "lon, lat", f"{lon}, {lat} is no place in degrees.")
    try:
        at = datetime.fromisoformat(texts["at"])
    except ValueError:
        return _fault(file, line, "at", f"{texts['at']!r} is no instant.")
    local = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
    status = (row[STATUS] or "").strip().upper() if STATUS in row else None
    return RecordedFix(
        agency=agency, unit_id=texts["unit_id"], lon=lon, lat=lat, at=local, status=status
    )


def _fault(file: Path, line: int | None, where: str, message: str) -> Fault:
    return Fault(file=file.name, line=line, where=where, message=message, remedy=_FORM)
