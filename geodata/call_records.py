"""What units did at past calls, as columns: who was dispatched from where, and when it was there.

What lives here: `UnitRecords` of one agency, and its reader. What does not: the calls themselves
(`call_history`), and what the columns are called (`call_columns`).

A cell that cannot be read, and an instant that lies before the one that it must follow, count as
not known, and are counted: the call itself stays.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geodata.call_cells import (
    EMPTY,
    LISTED_MAX,
    BadCell,
    BadRow,
    NotUsed,
    cell_of,
    degrees_of,
    instant_of,
    not_used,
    place_of,
    seconds_of,
)
from geodata.call_columns import RECORD_KEYS, CallColumns, RecordColumns, TimeIs

Reals = NDArray[np.float64]
_DELAY_OF = {"dispatched_at": "dispatch_delay_s", "at_scene_at": "response_s"}
_REALS = ("lon", "lat", "dispatched_s", "at_scene_s", "in_service_s")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitRecords:
    """Of one agency's first unit at each call; columns of shape (n_calls,)."""

    unit: tuple[str, ...]
    """Call sign, '' where nobody says."""
    status: tuple[str, ...]
    """Of that unit when it was dispatched, in capitals; '' where nobody says."""
    has_status: bool
    """Whether the table has a column of it at all."""
    lon: Reals
    """Degrees, where that unit was when it was dispatched; NaN where nobody says."""
    lat: Reals
    dispatched_s: Reals
    """Seconds since 1970 in UTC; NaN where nobody says."""
    at_scene_s: Reals
    in_service_s: Reals
    n_unreadable: int
    """Cells of the table that could not be read."""
    n_disordered: int
    """Instants before the one that they must follow."""
    not_used: tuple[NotUsed, ...] = ()
    """The first of these cells, of all the table."""

    def __len__(self) -> int:
        return len(self.unit)

    def rows(self, rows: NDArray[np.integer]) -> "UnitRecords":
        """Return the records of some calls, in their order."""
        chosen = rows.tolist()
        return replace(
            self,
            unit=tuple([self.unit[row] for row in chosen]),
            status=tuple([self.status[row] for row in chosen]),
            **{name: getattr(self, name)[rows] for name in _REALS},
        )

    def only(self, rows: NDArray[np.bool_]) -> "UnitRecords":
        """Return the records of the calls that are True."""
        return self.rows(np.flatnonzero(rows))


class RecordReader:
    """What has been read so far of one agency; used by one table's reader.

    Parameters
    ----------
    there
        Places of the table's columns by their plain names.
    header
        The columns as they are named.
    """

    def __init__(
        self,
        there: Mapping[str, int],
        header: Sequence[str],
        record: RecordColumns,
        columns: CallColumns,
    ) -> None:
        self._columns, self._header = columns, header
        self._line = 0
        self._not_used: list[NotUsed] = []
        self._place = {key: place_of(there, getattr(record, key)) for key in RECORD_KEYS}
        self._found: list[tuple[float, ...]] = []
        self._texts: list[tuple[str, str]] = []
        self._n_unreadable = self._n_disordered = 0

    @property
    def has_any(self) -> bool:
        """Whether the table has any of the columns."""
        return any(place is not None for place in self._place.values())

    def take(self, line: int, cells: Sequence[str | None], at_s: float) -> None:
        """Read the records of a call at an instant, seconds since 1970."""
        self._line = line
        lon, lat = self._unit_place(cells)
        dispatched_s = self._instant(cells, "dispatched_at", "dispatch_delay_s", at_s)
        at_scene_s = self._instant(cells, "at_scene_at", "response_s", at_s)
        in_service_s = self._instant(cells, "in_service_at", None, at_s)
        queued = self._columns.time_is in {TimeIs.RECEIVED, TimeIs.QUEUED}
        first_s = at_s if queued else math.nan
        dispatched_s = self._after(cells, dispatched_s, first_s, "dispatched_at")
        at_scene_s = self._after(cells, at_scene_s, dispatched_s, "at_scene_at")
        in_service_s = self._after(cells, in_service_s, dispatched_s, "in_service_at")
        self._found.append((lon, lat, dispatched_s, at_scene_s, in_service_s))
        unit, status = (self._text(cells, key) for key in ("unit", "unit_status"))
        self._texts.append((unit, status.upper()))

    def _text(self, cells: Sequence[str | None], key: str) -> str:
        text = cell_of(cells, self._place[key])
        return "" if text.upper() in EMPTY else text

    def _unit_place(self, cells: Sequence[str | None]) -> tuple[float, float]:
        if self._place["unit_lon"] is None or self._place["unit_lat"] is None:
            return math.nan, math.nan
        texts = [cell_of(cells, self._place[key]) for key in ("unit_lon", "unit_lat")]
        place = degrees_of(*texts)
        if isinstance(place, BadRow):
            if place is not BadRow.NO_PLACE:
                self._n_unreadable += 1
                self._note(cells, BadCell.PLACE, "unit_lon", "unit_lat")
            return math.nan, math.nan
        return place

    def _instant(
        self, cells: Sequence[str | None], key: str, delay: str | None, at_s: float
    ) -> float:
        if self._place[key] is not None:
            at = instant_of(cell_of(cells, self._place[key]), self._columns)
            if not isinstance(at, BadRow):
                return at.timestamp()
            if at is not BadRow.NO_TIME:
                self._n_unreadable += 1
                self._note(cells, BadCell.INSTANT, key)
            return math.nan
        if delay is None or self._place[delay] is None:
            return math.nan
        seconds = seconds_of(cell_of(cells, self._place[delay]))
        if seconds is None:
            self._n_unreadable += 1
            self._note(cells, BadCell.SECONDS, delay)
            return math.nan
        return at_s + seconds

    def _after(self, cells: Sequence[str | None], at_s: float, before_s: float, key: str) -> float:
        """Return an instant, NaN where it lies before the one that it must follow."""
        if at_s < before_s:
            self._n_disordered += 1
            told = key if self._place[key] is not None else _DELAY_OF[key]
            self._note(cells, BadCell.TOO_EARLY, told)
            return math.nan
        return at_s

    def _note(self, cells: Sequence[str | None], reason: BadCell, *keys: str) -> None:
        if len(self._not_used) < LISTED_MAX:
            places = [self._place[key] for key in keys]
            self._not_used.append(not_used(self._line, reason, self._header, cells, places))

    def records(self) -> UnitRecords:
        """Return what has been read."""
        reals = np.array(self._found, np.float64).reshape(-1, len(_REALS))
        units, statuses = zip(*self._texts, strict=True) if self._texts else ((), ())
        return UnitRecords(
            unit=tuple(units),
            status=tuple(statuses),
            has_status=self._place["unit_status"] is not None,
            n_unreadable=self._n_unreadable,
            n_disordered=self._n_disordered,
            not_used=tuple(self._not_used),
            **{name: reals[:, column].copy() for column, name in enumerate(_REALS)},
        )
