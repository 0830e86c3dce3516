"""From the bytes of a body to a change of the roster: one bad row never fails the rest (rule 12).

Read like the units of a recommendation (`read_request`, `mending`): a bad optional field is left
out, a bad row is left out whole, and each is named with its JSON pointer. A row of a feed that is
left out is one of its discarded rows, so it carries a remedy as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from api.errors import InvalidRequest, Problem
from api.mending import LeftOut, Leniency, Location, optional_fields, pointer, read_leniently
from api.read_request import (
    RequestWarning,
    bounded,
    entries_of_unit,
    one_entry_each,
    unknown_fields,
    unknown_statuses,
    warning_of,
)
from api.request_schemas import Entry, Id, OperatorEntry, UnitEntry
from api.roster_schemas import DiscardedPart, PositionRow, PositionsWrite, SnapshotWrite, UnitWrite
from api.store.records import Operator
from api.validation_words import problem_of

_UNIT: Final = Leniency(
    rows={("unit",): ("UNIT", UnitEntry)},
    mendable=frozenset(chain(optional_fields(UnitEntry, ("unit",)), (("operator",),))),
)
_SNAPSHOT: Final = Leniency(
    rows={("units",): ("UNIT", UnitEntry)},
    mendable=frozenset(
        chain(optional_fields(UnitEntry, ("units", "*")), (("operator",), ("units", "*")))
    ),
)
_POSITIONS: Final = Leniency(
    rows={("positions",): ("POSITION", PositionRow)},
    mendable=frozenset(
        chain(optional_fields(PositionRow, ("positions", "*")), (("operator",), ("positions", "*")))
    ),
)
_ID: Final = TypeAdapter[str](Id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUnit:
    """One unit's record, with what was done to make it so."""

    entry: UnitEntry
    operator: Operator | None
    warnings: tuple[RequestWarning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSnapshot:
    """All units of a snapshot that can be used, and what is known of the others."""

    units: tuple[UnitEntry, ...]
    """One of each unit."""
    rows: tuple[int, ...]
    """The row of each in the list as it was sent."""
    received: int
    """Rows that were sent."""
    unreadable: frozenset[str]
    """Units whose row was left out; they are on duty, only their record is not known."""
    nameless: tuple[int, ...]
    """Rows that were left out without a usable unit_id."""
    operator: Operator | None
    warnings: tuple[RequestWarning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPositions:
    """The rows of a feed that can be judged, and those that cannot."""

    positions: tuple[PositionRow, ...]
    rows: tuple[int, ...]
    """The row of each in the list as it was sent."""
    discarded: tuple[tuple[int, DiscardedPart], ...]
    """Rows that were left out, by their number."""
    operator: Operator | None
    warnings: tuple[RequestWarning, ...]


def read_unit(body: bytes, unit_id: str) -> ReadUnit:
    """Read the record of one unit.

    Raises
    ------
    InvalidRequest
        Not JSON, no usable unit_id or agency, or another unit than the one in the address.
    """
    told, gone = read_leniently(UnitWrite, body, _UNIT)
    entry = told.unit
    if entry.unit_id != unit_id:
        problem = Problem(
            path="/unit/unit_id",
            code="UNIT_ID_MISMATCH",
            detail="names another unit than the address",
            remedy="Send the same unit_id in both, percent-encoded in the address (# is %23).",
        )
        raise InvalidRequest(
            f"{problem.path}: {problem.detail}.", remedy=problem.remedy, problems=(problem,)
        )
    entries = chain(_top(told, told.operator), entries_of_unit(("unit",), entry))
    warnings = [
        *(warning_of(part, _UNIT) for part in gone),
        *_status_warning(entry),
        *unknown_fields(entries),
    ]
    return ReadUnit(entry=entry, operator=_operator(told.operator), warnings=bounded(warnings))


def _status_warning(entry: UnitEntry) -> list[RequestWarning]:
    found = unknown_statuses([entry], [0])
    return [RequestWarning(code=w.code, path="/unit/status", detail=w.detail) for w in found]


def read_snapshot(body: bytes) -> ReadSnapshot:
    """Read all units of the CAD.

    Raises
    ------
    InvalidRequest
        Not JSON, or no list of units.
    """
    told, gone = read_leniently(SnapshotWrite, body, _SNAPSHOT)
    left_out = {int(one.part[1]): one for one in gone if _SNAPSHOT.is_row(one.part)}
    rows = _rows_left(len(told.units), left_out)
    kept, doubles = one_entry_each(told.units, rows)
    units, kept_rows = [told.units[i] for i in kept], [rows[i] for i in kept]
    ids = {row: _id_of(one.raw) for row, one in left_out.items()}
    entries = chain.from_iterable(
        entries_of_unit(("units", row), unit) for row, unit in zip(kept_rows, units, strict=True)
    )
    return ReadSnapshot(
        units=tuple(units),
        rows=tuple(kept_rows),
        received=len(told.units) + len(left_out),
        unreadable=frozenset(unit_id for unit_id in ids.values() if unit_id is not None),
        nameless=tuple(row for row, unit_id in ids.items() if unit_id is None),
        operator=_operator(told.operator),
        warnings=(
            *(warning_of(part, _SNAPSHOT) for part in gone),
            *unknown_statuses(units, kept_rows),
            *doubles,
            *unknown_fields(chain(_top(told, told.operator), entries)),
        ),
    )


def read_positions(body: bytes) -> ReadPositions:
    """Read a position feed.

    Raises
    ------
    InvalidRequest
        Not JSON, no list of positions, or too many.
    """
    told, gone = read_leniently(PositionsWrite, body, _POSITIONS)
    left_out = {int(one.part[1]): one for one in gone if _POSITIONS.is_row(one.part)}
    rows = _rows_left(len(told.positions), left_out)
    entries = (
        (("positions", row), entry)
        for row, entry in zip(rows, told.positions, strict=True)
        if entry.__pydantic_extra__
    )
    return ReadPositions(
        positions=tuple(told.positions),
        rows=rows,
        discarded=tuple((row, _discarded(one)) for row, one in left_out.items()),
        operator=_operator(told.operator),
        warnings=bounded(
            [
                *(warning_of(one, _POSITIONS) for one in gone if not _POSITIONS.is_row(one.part)),
                *unknown_fields(chain(_top(told, told.operator), entries)),
            ]
        ),
    )


def _rows_left(n_left: int, left_out: dict[int, LeftOut]) -> tuple[int, ...]:
    """Return the rows, as they were sent, of those that were not left out."""
    return tuple(row for row in range(n_left + len(left_out)) if row not in left_out)


def _discarded(one: LeftOut) -> DiscardedPart:
    problem = problem_of(one.fault, pointer(one.fault["loc"]))
    return DiscardedPart(
        path=problem.path,
        unit_id=_id_of(one.raw),
        code=problem.code,
        detail=problem.detail,
        remedy=problem.remedy,
    )


def _id_of(raw: Any) -> str | None:
    """Return the unit_id of a row that was left out, where that at least can be used."""
    try:
        return _ID.validate_python(raw.get("unit_id") if isinstance(raw, dict) else None)
    except ValidationError:
        return None


def _operator(entry: OperatorEntry | None) -> Operator | None:
    return None if entry is None else Operator(operator_id=entry.id, role=entry.role)


def _top(*entries: Entry | None) -> Iterator[tuple[Location, Entry]]:
    """Yield the parts above the rows that have unknown keys: the body and its operator."""
    places: Sequence[Location] = ((), ("operator",))
    for at, entry in zip(places, entries, strict=True):
        if entry is not None and entry.model_extra:
            yield at, entry
