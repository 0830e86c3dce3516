"""The roster in a database: the promises of `api.store.contract`, kept by one transaction a write.

A write reads the rows it touches, judges them as every engine does (`RosterDraft`), and writes what
differs. Rows are bound as plain numbers and text, because a feed moves a thousand units at once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from api.store.contract import RosterChange, RosterRead, RosterWritten, Then
from api.store.database import Database, closed
from api.store.memory import ROSTER_UNITS_MAX, RosterDraft, require_room
from api.store.records import OnDuty, StoredFix, StoredUnit
from api.store.tables import (
    from_us,
    position_history,
    positions,
    roster_state,
    to_us,
    units,
)
from api.store.writer import Transaction, Writer
from routing.roster import UnitId

_RECORD: Final = msgspec.json.Decoder(StoredUnit)
Follow = Callable[[Transaction, RosterChange, RosterWritten, RosterRead], None]
"""Is given what was asked, what came of it, and the roster before."""


class SqlRoster:
    """The roster of all processes that share a database.

    Whoever opened the database and its writer closes them.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        units_max: int = ROSTER_UNITS_MAX,
        follow: Follow | None = None,
    ) -> None:
        self.database = database
        self.writer = writer
        self.follow = follow
        """What else a write of the roster means, in its transaction (`api.claims`)."""
        self._units_max = units_max
        self._is_open = True
        self._kept: RosterRead | None = None
        """As it was read or written last; the version tells whether it still is."""

    def read(self, unit_ids: Collection[str] | None = None) -> RosterRead:
        """Return the units that are asked for and known, or all, of one moment."""
        with self._open().reading() as connection:
            kept = self._kept = self._current(connection)
        if unit_ids is None:
            return kept
        asked = sorted(kept.units.keys() & set(unit_ids))
        return RosterRead(version=kept.version, units={one: kept.units[one] for one in asked})

    def write(self, change: RosterChange, then: Then | None = None) -> RosterWritten:
        """Keep a change, whole or not at all."""
        self._open()

        def operation(tx: Transaction) -> RosterWritten:
            hold_roster(tx.connection)
            before = self._current(tx.connection)
            written, after = write_roster(tx, change, before, self._units_max)
            if self.follow is not None and written.anything:
                self.follow(tx, change, written, before)
            if then is not None:
                then(tx, written)
            tx.after.append(partial(setattr, self, "_kept", after))
            return written

        return self.writer.call(operation)

    def _current(self, connection: Connection) -> RosterRead:
        """Return all units, read anew only if the version says that they are others.

        What a transaction sees is remembered by its commit and not before: it may be taken back.
        """
        kept = self._kept
        if kept is None or kept.version != version_of(connection):
            return read_roster(connection)
        return kept

    def close(self) -> None:
        """Answer no more."""
        self._is_open = False

    def _open(self) -> Database:
        if not self._is_open:
            raise closed()
        return self.database


def version_of(connection: Connection) -> int:
    """Return the version of the roster as the transaction of the connection sees it."""
    return int(connection.execute(_VERSION).scalar_one())


_VERSION: Final = select(roster_state.c.version)


def read_roster(connection: Connection, unit_ids: Collection[str] | None = None) -> RosterRead:
    """Return units of the roster, all for None, as the transaction of the connection sees them."""
    version = version_of(connection)
    asked = select(units.c.body, positions).outerjoin(positions).order_by(units.c.unit_id)
    if unit_ids is not None:
        asked = asked.where(units.c.unit_id.in_(list(unit_ids)))
    found = {}
    for body, _, *fix in connection.execute(asked):
        unit = _RECORD.decode(body)
        found[unit.unit_id] = OnDuty(unit=unit, fix=_fix(fix))
    return RosterRead(version=version, units=dict(sorted(found.items())))


def _fix(row: list[Any]) -> StoredFix | None:
    lon, lat, fixed_at, received_at, heading_deg, speed_mps, accuracy_m = row
    if received_at is None:
        return None
    return StoredFix(
        lon=lon,
        lat=lat,
        fixed_at=None if fixed_at is None else from_us(fixed_at),
        received_at=from_us(received_at),
        heading_deg=heading_deg,
        speed_mps=speed_mps,
        accuracy_m=accuracy_m,
    )


def hold_roster(connection: Connection) -> None:
    """Let nobody else write the roster until the transaction of the connection ends.

    So that of two processes the second judges by what the first kept.
    """
    connection.execute(_HOLD)


_HOLD: Final = update(roster_state).values(version=roster_state.c.version)


def write_roster(
    tx: Transaction,
    change: RosterChange,
    before: RosterRead,
    units_max: int = ROSTER_UNITS_MAX,
) -> tuple[RosterWritten, RosterRead]:
    """Keep a change in a transaction that holds the roster, and return what it is afterwards.

    One audit record and one change of the feed are written.

    Parameters
    ----------
    before
        All units.

    Raises
    ------
    RosterFull
        It would hold more units than it takes.
    """
    draft = RosterDraft(before.units)
    draft.keep_records(change.units)
    draft.keep_fixes(change.fixes)
    draft.remove(change.removed)
    written = draft.written(before.version)
    if not written.anything:
        return written, before
    require_room(len(draft.units), units_max)
    _keep(tx.connection, draft.units, written)
    _tell(tx, change, written)
    after = dict(sorted(draft.units.items())) if written.added else draft.units
    return written, RosterRead(version=written.version, units=after)


def keep_status(tx: Transaction, unit: StoredUnit) -> int:
    """Keep the record of a unit that is on the roster, as part of another write.

    Returns the version of the roster afterwards.
    """
    hold_roster(tx.connection)
    version = version_of(tx.connection) + 1
    tx.connection.execute(_MOVE, {"to": version})
    tx.connection.execute(_CHANGE, _unit_row(unit, "_"))
    tx.announce("units", str(version), {"changed": [unit.unit_id], "moved": [], "removed": []})
    return version


def _keep(connection: Connection, after: Mapping[UnitId, OnDuty], written: RosterWritten) -> None:
    connection.execute(_MOVE, {"to": written.version})
    _run(connection, _REMOVE, ({"of": unit_id} for unit_id in written.removed))
    _run(connection, _ADD, (_unit_row(after[one].unit) for one in written.added))
    _run(connection, _CHANGE, (_unit_row(after[one].unit, "_") for one in written.changed))
    fixes = [(one, cast(StoredFix, after[one].fix)) for one in written.moved]
    _run(connection, _UNPLACE, ({"of": unit_id} for unit_id, _ in fixes))
    rows = [_fix_row(unit_id, fix) for unit_id, fix in fixes]
    _run(connection, _PLACE, rows)
    _run(connection, _PAST, ({name: row[name] for name in _PAST_NAMES} for row in rows))


_MOVE: Final = update(roster_state).values(version=bindparam("to"))
_REMOVE: Final = delete(units).where(units.c.unit_id == bindparam("of"))
_ADD: Final = insert(units)
_CHANGE: Final = (
    update(units)
    .where(units.c.unit_id == bindparam("_unit_id"))
    .values(agency=bindparam("_agency"), status=bindparam("_status"), body=bindparam("_body"))
)
_UNPLACE: Final = delete(positions).where(positions.c.unit_id == bindparam("of"))
_PLACE: Final = insert(positions)
_PAST: Final = insert(position_history)
_PAST_NAMES: Final = tuple(column.name for column in position_history.columns)


def _run(connection: Connection, statement: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Run a statement for each row, the rows handed to the driver as they are.

    Bound one by one by the library, a thousand positions took six times as long.
    """
    told = list(rows)
    if not told:
        return
    names = list(told[0])
    compiled = statement.compile(dialect=connection.dialect, column_keys=names)
    if compiled.positiontup is not None:
        ordered = [tuple(row[name] for name in compiled.positiontup) for row in told]
        connection.exec_driver_sql(compiled.string, ordered)
    else:
        connection.exec_driver_sql(compiled.string, told)


def _unit_row(unit: StoredUnit, prefix: str = "") -> dict[str, Any]:
    return {
        f"{prefix}unit_id": unit.unit_id,
        f"{prefix}agency": str(unit.agency),
        f"{prefix}status": str(unit.status),
        f"{prefix}body": msgspec.json.encode(unit).decode(),
    }


def _fix_row(unit_id: UnitId, fix: StoredFix) -> dict[str, Any]:
    return {
        "unit_id": unit_id,
        "lon": fix.lon,
        "lat": fix.lat,
        "fixed_at": None if fix.fixed_at is None else to_us(fix.fixed_at),
        "received_at": to_us(fix.received_at),
        "heading_deg": fix.heading_deg,
        "speed_mps": fix.speed_mps,
        "accuracy_m": fix.accuracy_m,
    }


def _tell(tx: Transaction, change: RosterChange, written: RosterWritten) -> None:
    """Note the write once, and announce each unit that is another now.

    Positions are audited by their number: each stands in the history with its instant.
    """
    operator = change.operator
    said = {
        "roster_version": written.version,
        "added": written.added,
        "changed": written.changed,
        "removed": written.removed,
        "moved": len(written.moved),
        "operator": None if operator is None else [operator.operator_id, operator.role],
    }
    tx.note("ROSTER", str(written.version), said)
    tx.announce(
        "units",
        str(written.version),
        {
            "changed": [*written.added, *written.changed],
            "moved": written.moved,
            "removed": written.removed,
        },
    )
