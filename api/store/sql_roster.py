"""The roster in a database: the promises of `api.store.contract`, kept by one transaction a write.

A write reads the rows it touches, judges them as every engine does (`RosterDraft`), and writes what
differs. Rows are bound as plain numbers and text, because a feed moves a thousand units at once.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from api.store.contract import RosterChange, RosterRead, RosterWritten
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
IDS_MAX: Final = 500
"""Ids asked for by name in one statement; of more the whole roster is read."""


class SqlRoster:
    """The roster of all processes that share a database.

    Whoever opened the database and its writer closes them.
    """

    def __init__(
        self, database: Database, writer: Writer, units_max: int = ROSTER_UNITS_MAX
    ) -> None:
        self.database = database
        self.writer = writer
        self.shared = not database.is_embedded
        self._units_max = units_max
        self._is_open = True

    def read(self, unit_ids: Collection[str] | None = None) -> RosterRead:
        """Return the units that are asked for and known, or all, of one moment."""
        with self._open().reading() as connection:
            return read_roster(connection, unit_ids)

    def write(self, change: RosterChange) -> RosterWritten:
        """Keep a change, whole or not at all."""
        self._open()
        return self.writer.call(lambda tx: write_roster(tx, change, self._units_max))

    def close(self) -> None:
        """Answer no more."""
        self._is_open = False

    def _open(self) -> Database:
        if not self._is_open:
            raise closed()
        return self.database


def read_roster(connection: Connection, unit_ids: Collection[str] | None = None) -> RosterRead:
    """Return units of the roster, all for None, as the transaction of the connection sees them."""
    version = int(connection.execute(_VERSION).scalar_one())
    asked = select(units.c.body, positions).outerjoin(positions).order_by(units.c.unit_id)
    if unit_ids is not None and len(unit_ids) <= IDS_MAX:
        asked = asked.where(units.c.unit_id.in_(list(unit_ids)))
    found = {}
    for body, _, *fix in connection.execute(asked):
        unit = _RECORD.decode(body)
        if unit_ids is None or unit.unit_id in unit_ids:
            found[unit.unit_id] = OnDuty(unit=unit, fix=_fix(fix))
    return RosterRead(version=version, units=dict(sorted(found.items())))


_VERSION: Final = select(roster_state.c.version)


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


def write_roster(
    tx: Transaction, change: RosterChange, units_max: int = ROSTER_UNITS_MAX
) -> RosterWritten:
    """Keep a change in a transaction, with one audit record and a change for each unit.

    Raises
    ------
    RosterFull
        It would hold more units than it takes.
    """
    touched = {*change.fixes, *change.removed, *(unit.unit_id for unit in change.units)}
    # Held until the end, so that of two processes the second judges by what the first kept.
    tx.connection.execute(_HOLD)
    before = read_roster(tx.connection, touched)
    draft = RosterDraft(before.units)
    draft.keep_records(change.units)
    draft.keep_fixes(change.fixes)
    draft.remove(change.removed)
    written = draft.written(before.version)
    if not written.anything:
        return written
    if written.added:
        kept = tx.connection.execute(select(func.count()).select_from(units)).scalar_one()
        require_room(kept + len(written.added) - len(written.removed), units_max)
    _keep(tx.connection, draft.units, written)
    _tell(tx, change, written)
    return written


_HOLD: Final = update(roster_state).values(version=roster_state.c.version)


def _keep(connection: Connection, after: Mapping[UnitId, OnDuty], written: RosterWritten) -> None:
    connection.execute(update(roster_state).values(version=written.version))
    _run(connection, _REMOVE, ({"of": unit_id} for unit_id in written.removed))
    _run(connection, insert(units), (_unit_row(after[one].unit) for one in written.added))
    _run(connection, _CHANGE, (_unit_row(after[one].unit, "_") for one in written.changed))
    fixes = [(one, cast(StoredFix, after[one].fix)) for one in written.moved]
    _run(connection, _UNPLACE, ({"of": unit_id} for unit_id, _ in fixes))
    rows = [_fix_row(unit_id, fix) for unit_id, fix in fixes]
    _run(connection, insert(positions), rows)
    _run(connection, insert(position_history), [{k: row[k] for k in _PAST} for row in rows])


_REMOVE: Final = delete(units).where(units.c.unit_id == bindparam("of"))
_UNPLACE: Final = delete(positions).where(positions.c.unit_id == bindparam("of"))
_CHANGE: Final = (
    update(units)
    .where(units.c.unit_id == bindparam("_unit_id"))
    .values(agency=bindparam("_agency"), status=bindparam("_status"), body=bindparam("_body"))
)
_PAST: Final = ("unit_id", "received_at", "fixed_at", "lon", "lat")


def _run(connection: Connection, statement: Any, rows: Iterable[dict[str, Any]]) -> None:
    told = list(rows)
    if told:
        connection.execute(statement, told)


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
