"""Past calls from a table, as columns: where, when, of which type; what was left out and why.

    history = read_history(Path("calls.csv.gz"))

What lives here: `CallHistory`, reading a CSV (also .csv.gz), and `history_of`, which takes the rows
of any other source. What does not: what columns are called (`call_columns`), what a call means.

A row that cannot be used is counted by its reason and listed with its line (the first
`LISTED_MAX`); nothing is guessed. A second row of the same call is a repeat, counted apart. Times
without an offset are local; the hour that the clock repeats counts as its first.
"""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, TextIO
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.artifacts import file_sha256
from geodata.call_cells import (
    LISTED_MAX,
    BadRow,
    NotUsed,
    cell_of,
    degrees_of,
    instant_of,
    not_used,
    place_of,
    priority_of,
)
from geodata.call_columns import CallColumns, CallFileError, columns_for, plain_name
from geodata.call_records import RecordReader, UnitRecords
from geodata.text_files import line_not_utf8

ROWS_MAX: Final = 5_000_000
TOLD_EVERY: Final = 5_000
"""Rows between two calls of `progress`."""
NO_TYPE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CallHistory:
    """Past calls in the order of their table; columns of shape (n_calls,)."""

    source: str
    """Name of the file."""
    sha256: str
    """Of its bytes; '' where the rows came from elsewhere."""
    columns: CallColumns
    lon: NDArray[np.float64]
    """Degrees."""
    lat: NDArray[np.float64]
    at_s: NDArray[np.float64]
    """Seconds since 1970 in UTC."""
    type_number: NDArray[np.int32]
    """Index into `types`; NO_TYPE where the table says none."""
    types: tuple[str, ...]
    """The texts of call types."""
    priority: NDArray[np.int16]
    """1 is the highest; 0 where the table says none."""
    call_id: tuple[str, ...]
    """By the table, or `line-7`."""
    first_day: date
    """Local day of the first call, or where the period asked for begins."""
    last_day: date
    """Local day of the last call, or where that period ends; included."""
    n_rows: int
    """Of the table."""
    n_repeats: int
    """Rows of calls that an earlier row has told."""
    bad: Mapping[BadRow, int]
    """Rows left out, by reason."""
    left_out: tuple[NotUsed, ...]
    """The first of them."""
    assumed_type: str | None = None
    """What every call is taken to be, by an assumption of whoever reads; see `assuming`."""
    records: Mapping[str, UnitRecords] = field(default_factory=lambda: MappingProxyType({}))
    """What units did, by agency (CARE, SPD); of an agency that the table tells nothing of, none."""

    def __len__(self) -> int:
        return len(self.lon)

    @property
    def is_proxy(self) -> bool:
        """Whether this is no record of calls that were judged eligible."""
        return not self.columns.is_record or self.assumed_type is not None

    @property
    def has_types(self) -> bool:
        """Whether any call has a type."""
        return bool(len(self.types))

    @property
    def n_bad(self) -> int:
        """Rows left out."""
        return sum(self.bad.values())

    @property
    def weeks(self) -> float:
        """Whole days of the period by seven."""
        return ((self.last_day - self.first_day).days + 1) / 7

    def call_type(self, row: int) -> str:
        """Return the text of a call's type, '' where the table says none."""
        number = self.type_number.item(row)
        return "" if number == NO_TYPE else self.types[number]

    def instant(self, row: int) -> datetime:
        """Return when a call was, in UTC."""
        return datetime.fromtimestamp(self.at_s.item(row), UTC)

    def only(self, rows: NDArray[np.bool_]) -> "CallHistory":
        """Return some of the calls, of the same period."""
        columns = ("lon", "lat", "at_s", "type_number", "priority")
        chosen = {name: getattr(self, name)[rows] for name in columns}
        ids = tuple(self.call_id[row] for row in np.flatnonzero(rows).tolist())
        records = {agency: one.only(rows) for agency, one in self.records.items()}
        return replace(self, call_id=ids, records=MappingProxyType(records), **chosen)

    def between(self, first: date | None, last: date | None) -> "CallHistory":
        """Return the calls of some local days, both included; the period shrinks to them.

        Raises
        ------
        CallFileError
            No day of the period is left.
        """
        begin, end = (
            max(first or self.first_day, self.first_day),
            min(last or self.last_day, self.last_day),
        )
        if begin > end:
            raise CallFileError(
                f"No day is left between {first or 'the first'} and {last or 'the last'}: "
                f"{self.source} holds {self.first_day} to {self.last_day}."
            )
        zone = self.columns.time_zone
        bounds = [_midnight(day, zone) for day in (begin, end + timedelta(days=1))]
        rows = (self.at_s >= bounds[0]) & (self.at_s < bounds[1])
        return replace(self.only(rows), first_day=begin, last_day=end)

    def assuming(self, call_type: str) -> "CallHistory":
        """Return the same calls as if each had been of one type: an assumption, and told as one."""
        return replace(
            self,
            type_number=np.zeros(len(self), np.int32),
            types=(call_type,),
            assumed_type=call_type,
        )


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


# -- reading --------------------------------------------------------------------------------------

NumberedRow = tuple[int, Sequence[str | None]]
"""The line of a row in its file, and its cells."""
Progress = Callable[[int], None]
"""Told how many rows have been read."""


def _tell_nobody(_n_rows: int) -> None:
    """Do nothing."""


def read_history(
    file: Path, columns: CallColumns | None = None, *, progress: Progress = _tell_nobody
) -> CallHistory:
    """Return the calls of a CSV file (.csv, .csv.gz).

    Parameters
    ----------
    columns
        What its columns are; None takes the built-in ones that its header fits.

    Raises
    ------
    CallFileError
        It cannot be read, lacks a column, has too many rows, or holds no call.
    """
    try:
        digest = file_sha256(file)
        with _opened(file) as text:
            table = csv.reader(text)
            header = next(table, [])
            rows = ((table.line_num, cells) for cells in table if cells)
            found = history_of(rows, header, columns or columns_for(header), progress=progress)
    except UnicodeDecodeError as problem:
        line = line_not_utf8(file)
        said = f"{file}: it is not UTF-8 ({problem.reason}). Save it as CSV in UTF-8."
        raise CallFileError(said, line) from None
    except (OSError, EOFError, zlib.error, csv.Error) as problem:
        raise CallFileError(f"{file}: {problem}. Give a CSV file of past calls.") from None
    except CallFileError as problem:
        raise CallFileError(f"{file}: {problem}", problem.line) from None
    return replace(found, source=file.name, sha256=digest)


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    if file.suffix == ".gz":
        with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as text:
            yield text
    else:
        with file.open(encoding="utf-8-sig", newline="") as text:
            yield text


def history_of(
    rows: Iterable[NumberedRow],
    header: Sequence[str],
    columns: CallColumns,
    *,
    progress: Progress = _tell_nobody,
) -> CallHistory:
    """Return the calls of rows from any table.

    Raises
    ------
    CallFileError
        A column is missing, there are too many rows, or no row holds a call.
    """
    reader = _Reader(header, columns)
    for line, cells in rows:
        reader.take(line, cells)
        if reader.n_rows % TOLD_EVERY == 0:
            progress(reader.n_rows)
    return reader.history()


class _Reader:
    """What has been read so far; used by one call of `history_of`."""

    def __init__(self, header: Sequence[str], columns: CallColumns) -> None:
        self._columns = columns
        self._header = header
        there = {plain_name(name): place for place, name in reversed(list(enumerate(header)))}
        places = [place_of(there, names) for names in columns.required]
        missing = [n for n, at in zip(columns.required, places, strict=True) if at is None]
        if missing:
            wanted = ", ".join(" or ".join(names) for names in missing)
            has = ", ".join(header)
            raise CallFileError(f"The table has no column {wanted}; it has {has}.", line=1)
        self._lon, self._lat, self._at = (place for place in places if place is not None)
        optional = (columns.call_type, columns.priority, columns.call_id)
        self._type, self._priority, self._id = (place_of(there, names) for names in optional)
        self.n_rows = 0
        self._n_repeats = 0
        self._bad: Counter[BadRow] = Counter()
        self._left_out: list[NotUsed] = []
        self._seen: set[str] = set()
        self._types: dict[str, int] = {}
        self._found: list[tuple[float, float, float, int, int, str]] = []
        self._days: list[date] = []
        self._records = {
            agency: reader
            for agency, one in columns.records.items()
            if (reader := RecordReader(there, header, one, columns)).has_any
        }

    def take(self, line: int, cells: Sequence[str | None]) -> None:
        """Read one row: a call, a repeat, or a row to be left out."""
        self.n_rows += 1
        if self.n_rows > ROWS_MAX:
            raise CallFileError(f"It has more than {ROWS_MAX:,} rows: give fewer years.")
        if len(cells) > len(self._header):
            self._leave_out(line, BadRow.CELLS, cells)
            return
        call_id = cell_of(cells, self._id)
        if call_id and call_id in self._seen:
            self._n_repeats += 1
            return
        place = degrees_of(cell_of(cells, self._lon), cell_of(cells, self._lat))
        if isinstance(place, BadRow):
            self._leave_out(line, place, cells, self._lon, self._lat)
            return
        at = instant_of(cell_of(cells, self._at), self._columns)
        if isinstance(at, BadRow):
            self._leave_out(line, at, cells, self._at)
            return
        self._seen.add(call_id)
        self._days.append(at.astimezone(self._columns.time_zone).date())
        kind, priority = self._type_of(cells), priority_of(cell_of(cells, self._priority))
        self._found.append((*place, at.timestamp(), kind, priority, call_id or f"line-{line}"))
        for reader in self._records.values():
            reader.take(line, cells, at.timestamp())

    def _leave_out(
        self, line: int, reason: BadRow, cells: Sequence[str | None], *places: int
    ) -> None:
        self._bad[reason] += 1
        if len(self._left_out) >= LISTED_MAX:
            return
        one = not_used(line, reason, self._header, cells, places)
        if reason is BadRow.CELLS:
            said = f"{len(cells)} cells, header {len(self._header)}"
            one = replace(one, column="the row", value=said)
        self._left_out.append(one)

    def _type_of(self, cells: Sequence[str | None]) -> int:
        text = cell_of(cells, self._type)
        if not text:
            return NO_TYPE
        text = self._columns.call_types.get(text, text)
        return self._types.setdefault(text, len(self._types))

    def history(self) -> CallHistory:
        """Return what has been read."""
        if not self._found:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in self._bad.items())
            first = f"; the first on line {self._left_out[0].line}" if self._left_out else ""
            raise CallFileError(f"No row holds a call ({reasons or 'there is none'}{first}).")
        lon, lat, at_s, kind, priority, ids = zip(*self._found, strict=True)
        return CallHistory(
            source="",
            sha256="",
            columns=self._columns,
            lon=np.array(lon, np.float64),
            lat=np.array(lat, np.float64),
            at_s=np.array(at_s, np.float64),
            type_number=np.array(kind, np.int32),
            types=tuple(self._types),
            priority=np.array(priority, np.int16),
            call_id=ids,
            first_day=min(self._days),
            last_day=max(self._days),
            n_rows=self.n_rows,
            n_repeats=self._n_repeats,
            bad=MappingProxyType(dict(self._bad)),
            left_out=tuple(self._left_out),
            records=MappingProxyType({name: one.records() for name, one in self._records.items()}),
        )
