"""Units as they are told (`Unit`) and as a decision reads them (`UnitColumns`).

What lives here: one row per unit, in order of unit_id whatever the order they came in, so that no
answer depends on it. What does not: where a unit is taken to be (`placement`) and whether it
qualifies (`eligibility`).
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NewType, TypeVar

import numpy as np
from numpy.typing import NDArray

from routing.codes import Agency, Status
from routing.unit_fields import FixLike, UnitLike

UnitId = NewType("UnitId", str)

CARE: Final = 0
SPD: Final = 1
AGENCIES: Final = (Agency.CARE, Agency.SPD)
"""Agency of each code in a column."""

STATUSES: Final = tuple(Status)
"""Status of each code in a column."""
AVAILABLE: Final = STATUSES.index(Status.AVAILABLE)
UNKNOWN: Final = STATUSES.index(Status.UNKNOWN)

CREW_UNKNOWN: Final = -1
SKILL_SETS_MAX: Final = 16
"""Sets of skills that a roster remembers who has."""

_AGENCY_CODE: Final = {agency: code for code, agency in enumerate(AGENCIES)}
_STATUS_CODE: Final = {str(status): code for code, status in enumerate(STATUSES)}

Reals = NDArray[np.float64]
Code = TypeVar("Code", np.int8, np.int32, np.bool_)


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
    _skill_bits: dict[tuple[frozenset[str], frozenset[str]], NDArray[np.int64]] = field(
        default_factory=dict, init=False, repr=False
    )

    _latest: list[float] = field(default_factory=list, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.unit_id)

    @property
    def latest_fix_s(self) -> float:
        """Seconds since 1970 of the latest fix of all, -inf without any; remembered."""
        if not self._latest:
            self._latest.append(float(np.fmax.reduce(self.fixed_at_s, initial=-math.inf)))
        return self._latest[0]

    def row_of(self, unit_id: str) -> int | None:
        """Return the row of a unit, or None."""
        row = bisect_left(self.unit_id, unit_id)
        return row if row < len(self.unit_id) and self.unit_id[row] == unit_id else None

    def skill_bits(self, of_care: frozenset[str], of_spd: frozenset[str]) -> NDArray[np.int64]:
        """Return (n_units,) 1 where a unit has all the skills of its kind, 0 where it lacks one.

        Remembered, because a policy asks for the same few sets again and again.
        """
        known, wanted = self._skill_bits, (of_care, of_spd)
        if wanted not in known:
            if len(known) >= SKILL_SETS_MAX:
                known.clear()
            has = np.where(self.agency == CARE, self.having(of_care), self.having(of_spd))
            known[wanted] = has.astype(np.int64)
        return known[wanted]

    def remember_skills(self, other: "UnitColumns") -> None:
        """Take over what another roster of the same units remembers of their skills."""
        self._skill_bits.update(other._skill_bits)  # noqa: SLF001  one of its own kind

    def having(self, skills: frozenset[str]) -> NDArray[np.bool_]:
        """Return (n_units,) True where a unit has all of these skills."""
        return np.fromiter((skills <= own for own in self.skills), np.bool_, len(self))

    def path(self, row: int, field: str = "") -> str:
        """Return the JSON pointer of a unit in the request, '' for a unit of the roster."""
        sent = self.row[row]
        return "" if sent is None else f"/units/{sent}{field}"


_DAY_1970: Final = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def _seconds(instant: datetime | None) -> float:
    """Return what `timestamp` does of an instant with an offset, in half the time.

    A roster of 500 units has 1,500 instants, and they were a quarter of its cost.
    """
    if instant is None:
        return math.nan
    offset = instant.utcoffset()
    assert offset is not None, "an instant without its offset from UTC"
    minutes = 60 * instant.hour + instant.minute - 1440 * (_DAY_1970 - instant.toordinal())
    local_s = 60 * minutes + instant.second - 86400 * offset.days - offset.seconds
    return local_s + (instant.microsecond - offset.microseconds) / 1e6


def _fix_row(fix: FixLike | None) -> tuple[float | None, ...]:
    """Return the last six of `_NUMBERS`; numpy makes NaN of None."""
    if fix is None:
        return (math.nan,) * 6
    return (
        _seconds(fix.fixed_at),
        fix.lon,
        fix.lat,
        fix.heading_deg,
        fix.speed_mps,
        fix.accuracy_m,
    )


def fix_columns(fixes: Sequence[FixLike]) -> dict[str, Reals]:
    """Return the columns of a roster that a fix decides, (n,) each, by their names."""
    table = np.array([_fix_row(fix) for fix in fixes], np.float64).reshape(len(fixes), -1)
    return dict(zip(_NUMBERS[-6:], table.T, strict=True))


def unit_columns(units: Iterable[UnitLike], rows: Sequence[int] | None = None) -> UnitColumns:
    """Return units as columns, in order of unit_id.

    Parameters
    ----------
    rows
        The place of each unit in the list of a request, for warnings; None takes `Unit.row`.

    Raises
    ------
    ValueError
        When two units have the same unit_id.
    """
    as_sent = list(units)
    order = sorted(range(len(as_sent)), key=[unit.unit_id for unit in as_sent].__getitem__)
    sorted_units = [as_sent[i] for i in order]
    for one, other in pairwise(sorted_units):
        if one.unit_id == other.unit_id:
            raise ValueError(f"unit_id {one.unit_id!r} occurs twice; keep one entry of each unit")
    numbers = _numbers(sorted_units)
    crew = [CREW_UNKNOWN if u.crew_count is None else u.crew_count for u in sorted_units]
    status = [_STATUS_CODE.get(u.status, UNKNOWN) for u in sorted_units]
    for column in numbers:
        column.setflags(write=False)
    return UnitColumns(
        unit_id=tuple(UnitId(u.unit_id) for u in sorted_units),
        call_sign=tuple(u.call_sign or u.unit_id for u in sorted_units),
        version=tuple(u.version for u in sorted_units),
        skills=tuple(frozenset(u.skills) for u in sorted_units),
        home_post=tuple(u.home_post for u in sorted_units),
        home_sector=tuple(u.home_sector for u in sorted_units),
        home_beat=tuple(u.home_beat for u in sorted_units),
        row=tuple(as_sent[i].row if rows is None else rows[i] for i in order),
        agency=_column([_AGENCY_CODE[u.agency] for u in sorted_units], np.int8),
        status=_column(status, np.int8),
        crew_count=_column(crew, np.int32),
        claimed=_column([u.claimed for u in sorted_units], np.bool_),
        **dict(zip(_NUMBERS, numbers, strict=True)),
    )


def _column(values: list[int] | list[bool], kind: type[Code]) -> NDArray[Code]:
    column = np.array(values, kind)
    column.setflags(write=False)
    return column


_NUMBERS: Final = (
    "status_since_s", "available_since_s", "expected_clear_s", "shift_end_s",
    "fixed_at_s", "lon", "lat", "heading_deg", "speed_mps", "accuracy_m",
)  # fmt: skip


def _numbers(units: list[UnitLike]) -> list[Reals]:
    """Return a column (n_units,) for each of `_NUMBERS`."""
    told = []
    for u in units:
        status_since_s = _seconds(u.status_since)
        lasts = u.available_since is None and u.status == Status.AVAILABLE
        available_since_s = status_since_s if lasts else _seconds(u.available_since)
        clear_s, end_s = _seconds(u.expected_clear_at), _seconds(u.shift_end)
        told.append((status_since_s, available_since_s, clear_s, end_s, *_fix_row(u.position)))
    return list(np.array(told, np.float64).reshape(len(units), len(_NUMBERS)).T.copy())
