"""Units as they are told (`Unit`) and as a decision reads them (`UnitColumns`).

What lives here: one row per unit, in order of unit_id whatever the order they came in, so that no
answer depends on it. What does not: where a unit is taken to be (`placement`) and whether it
qualifies (`eligibility`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, NewType

import numpy as np
from numpy.typing import NDArray

from routing.codes import Agency, Status

UnitId = NewType("UnitId", str)

CARE: Final = 0
SPD: Final = 1
AGENCIES: Final = (Agency.CARE, Agency.SPD)
"""Agency of each code in a column."""

STATUSES: Final = tuple(Status)
"""Status of each code in a column."""
AVAILABLE: Final = STATUSES.index(Status.AVAILABLE)

CREW_UNKNOWN: Final = -1

_AGENCY_CODE: Final = {agency: code for code, agency in enumerate(AGENCIES)}
_STATUS_CODE: Final = {status: code for code, status in enumerate(STATUSES)}

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What a unit's device said: degrees, metres, metres per second; None is not known."""

    lon: float
    lat: float
    fixed_at: datetime | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of the roster at one moment. Instants carry an offset from UTC."""

    unit_id: UnitId
    """Unique per duty period."""
    agency: Agency
    call_sign: str | None = None
    """For display only; None shows the unit_id."""
    version: int | None = None
    crew_count: int | None = None
    skills: frozenset[str] = frozenset()
    status: Status = Status.UNKNOWN
    status_since: datetime | None = None
    available_since: datetime | None = None
    """None reads as `status_since` while AVAILABLE."""
    expected_clear_at: datetime | None = None
    shift_end: datetime | None = None
    home_post: str | None = None
    home_sector: str | None = None
    home_beat: str | None = None
    position: Fix | None = None
    claimed: bool = False
    """A confirmed recommendation for another call holds it."""
    row: int | None = None
    """Its place in the list of the request, for warnings; None from the roster."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitColumns:
    """Units as read-only columns, each of shape (n_units,), sorted by unit_id.

    Instants are seconds since 1970 (UTC), NaN when not known; degrees and metres NaN likewise.
    """

    unit_id: tuple[UnitId, ...]
    call_sign: tuple[str, ...]
    version: tuple[int | None, ...]
    skills: tuple[frozenset[str], ...]
    home_post: tuple[str | None, ...]
    home_sector: tuple[str | None, ...]
    home_beat: tuple[str | None, ...]
    row: tuple[int | None, ...]
    agency: NDArray[np.int8]
    """CARE or SPD."""
    status: NDArray[np.int8]
    """Index into STATUSES."""
    crew_count: NDArray[np.int32]
    """People, or CREW_UNKNOWN."""
    claimed: NDArray[np.bool_]
    status_since_s: Reals
    available_since_s: Reals
    expected_clear_s: Reals
    shift_end_s: Reals
    fixed_at_s: Reals
    lon: Reals
    lat: Reals
    heading_deg: Reals
    speed_mps: Reals
    accuracy_m: Reals

    def __len__(self) -> int:
        return len(self.unit_id)

    def row_of(self, unit_id: str) -> int | None:
        """Return the row of a unit, or None."""
        low, high = 0, len(self.unit_id)
        while low < high:
            middle = (low + high) // 2
            if self.unit_id[middle] < unit_id:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.unit_id) and self.unit_id[low] == unit_id else None

    def having(self, skills: frozenset[str]) -> NDArray[np.bool_]:
        """Return (n_units,) True where a unit has all of these skills."""
        return np.fromiter((skills <= own for own in self.skills), np.bool_, len(self))

    def path(self, row: int, field: str = "") -> str:
        """Return the JSON pointer of a unit in the request, '' for a unit of the roster."""
        sent = self.row[row]
        return "" if sent is None else f"/units/{sent}{field}"


def _seconds(instant: datetime | None) -> float:
    return math.nan if instant is None else instant.timestamp()


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _available_since(unit: Unit) -> datetime | None:
    if unit.available_since is None and unit.status == Status.AVAILABLE:
        return unit.status_since
    return unit.available_since


def _fix_row(fix: Fix | None) -> tuple[float, ...]:
    if fix is None:
        return (math.nan,) * 6
    return (
        _seconds(fix.fixed_at),
        fix.lon,
        fix.lat,
        _known(fix.heading_deg),
        _known(fix.speed_mps),
        _known(fix.accuracy_m),
    )


def unit_columns(units: Iterable[Unit]) -> UnitColumns:
    """Return units as columns, in order of unit_id.

    Raises
    ------
    ValueError
        When two units have the same unit_id.
    """
    rows = sorted(units, key=lambda unit: unit.unit_id)
    for one, other in pairwise(rows):
        if one.unit_id == other.unit_id:
            raise ValueError(f"unit_id {one.unit_id!r} occurs twice; keep one entry of each unit")
    instants = [
        (
            _seconds(u.status_since),
            _seconds(_available_since(u)),
            _seconds(u.expected_clear_at),
            _seconds(u.shift_end),
            *_fix_row(u.position),
        )
        for u in rows
    ]
    numbers = np.array(instants, np.float64).reshape(len(rows), 10).T.copy()
    crew = [CREW_UNKNOWN if u.crew_count is None else u.crew_count for u in rows]
    columns = (
        np.array([_AGENCY_CODE[u.agency] for u in rows], np.int8),
        np.array([_STATUS_CODE[u.status] for u in rows], np.int8),
        np.array(crew, np.int32),
        np.array([u.claimed for u in rows], np.bool_),
    )
    for column in (numbers, *columns):
        column.setflags(write=False)
    agency, status, crew_count, claimed = columns
    return UnitColumns(
        unit_id=tuple(u.unit_id for u in rows),
        call_sign=tuple(u.call_sign or u.unit_id for u in rows),
        version=tuple(u.version for u in rows),
        skills=tuple(u.skills for u in rows),
        home_post=tuple(u.home_post for u in rows),
        home_sector=tuple(u.home_sector for u in rows),
        home_beat=tuple(u.home_beat for u in rows),
        row=tuple(u.row for u in rows),
        agency=agency,
        status=status,
        crew_count=crew_count,
        claimed=claimed,
        status_since_s=numbers[0],
        available_since_s=numbers[1],
        expected_clear_s=numbers[2],
        shift_end_s=numbers[3],
        fixed_at_s=numbers[4],
        lon=numbers[5],
        lat=numbers[6],
        heading_deg=numbers[7],
        speed_mps=numbers[8],
        accuracy_m=numbers[9],
    )
