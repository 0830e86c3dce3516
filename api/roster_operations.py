"""What can be done with single units and with all of them, without HTTP.

`put_unit`, `remove_unit`, `get_unit`, `list_units`, and `reconcile` for a snapshot of the CAD.
Position feeds are in `position_feed`. What the CAD reports is a fact (rule 11): it is never refused
for not fitting, only flagged; what is older than what is kept changes nothing.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from api.answer_schemas import WarningPart
from api.asserted_roles import require_asserted
from api.auth.principal import LOCAL, Principal
from api.believed_fixes import FixJudge, not_used
from api.errors import NoSuchUnit
from api.live_roster import Keep, LiveRoster, keep_nothing, write_answered
from api.live_view import LiveView
from api.mending import pointer
from api.operations import Clock, to_milliseconds, utc_now
from api.read_request import RequestWarning, bounded
from api.read_roster import ReadSnapshot, read_snapshot, read_unit
from api.request_schemas import UnitEntry
from api.roster_schemas import (
    LISTED_MAX,
    ChangedPart,
    ConflictPart,
    RosterAnswer,
    SnapshotWritten,
    UnitAnswer,
    UnitResult,
    UnitWritten,
)
from api.store.contract import RosterChange, RosterRead, RosterStore, RosterWritten
from api.store.records import OnDuty, Operator, StoredUnit, is_older
from api.unit_records import (
    changed_fields,
    conflicts_of,
    flagged,
    kept_unit,
    stored_fix,
    stored_unit,
)
from routing.fixes import FixLimits
from routing.roster import UnitId


def put_unit(
    live: LiveRoster,
    unit_id: str,
    body: bytes,
    *,
    now: Clock = utc_now,
    by: Principal = LOCAL,
    keep: Keep = keep_nothing,
) -> UnitWritten:
    """Keep the record of one unit, and its position where it can be believed.

    Parameters
    ----------
    keep
        Keeps the answer in the transaction of the write.

    Raises
    ------
    InvalidRequest
        The record cannot be understood, or is that of another unit.
    OperatorRoleNotAllowed
        The caller may not assert the operator's role.
    StoreError
        Nothing was kept.
    """
    read = read_unit(body, unit_id)
    require_asserted(by, read.operator)
    sent = _Sent(entry=read.entry, path="/unit")
    records = _Records([sent], to_milliseconds(now()), read.operator, live.limits)

    def answer(written: RosterWritten) -> UnitWritten:
        (told,) = records.after
        result = records.result_of(told, written)
        return UnitWritten(
            roster_version=written.version,
            unit=kept_unit(records.after[told]),
            result=result,
            changed_fields=records.fields_of(
                told,
                changed=bool(written.changed),
                moved=bool(written.moved) and result is not UnitResult.ADDED,
            ),
            conflicts=records.conflicts,
            warnings=_parts([*read.warnings, *records.warnings]),
        )

    return write_answered(live, records.decide, [unit_id], answer, keep)


def remove_unit(
    live: LiveRoster, unit_id: str, *, now: Clock = utc_now, keep: Keep = keep_nothing
) -> UnitWritten:
    """Take a unit off the roster, with its position.

    Raises
    ------
    NoSuchUnit
        The roster does not have it.
    """
    at, found = to_milliseconds(now()), dict[UnitId, OnDuty]()

    def decide(read: RosterRead, _view: LiveView) -> RosterChange | None:
        found.update(read.units)
        return RosterChange(at=at, removed=frozenset(found)) if found else None

    def answer(written: RosterWritten) -> UnitWritten:
        if not written.removed:
            raise _no_such_unit()
        return UnitWritten(
            roster_version=written.version,
            unit=kept_unit(found[UnitId(unit_id)]),
            result=UnitResult.REMOVED,
            changed_fields=[],
            conflicts=[],
            warnings=[],
        )

    return write_answered(live, decide, [unit_id], answer, keep)


def get_unit(store: RosterStore, unit_id: str) -> UnitAnswer:
    """Return one unit as it is kept.

    Raises
    ------
    NoSuchUnit
        The roster does not have it.
    """
    read = store.read([unit_id])
    for kept in read.units.values():
        return UnitAnswer(roster_version=read.version, unit=kept_unit(kept))
    raise _no_such_unit()


def list_units(store: RosterStore) -> RosterAnswer:
    """Return all units as they are kept."""
    read = store.read()
    return RosterAnswer(
        roster_version=read.version, units=[kept_unit(kept) for kept in read.units.values()]
    )


def _no_such_unit() -> NoSuchUnit:
    return NoSuchUnit(
        "The roster does not have this unit.",
        remedy="GET /v1/units lists those it has; percent-encode the unit_id (# is %23).",
    )


# -- a snapshot -----------------------------------------------------------------------------------


def reconcile(
    live: LiveRoster,
    body: bytes,
    *,
    now: Clock = utc_now,
    by: Principal = LOCAL,
    keep: Keep = keep_nothing,
) -> SnapshotWritten:
    """Make the roster what the CAD says it is, and return the differences.

    Units that are not in the snapshot go off the roster. A unit whose row cannot be read stays as
    it was; where a row has not even a usable unit_id, nobody knows which unit it is, and no unit
    is removed.

    Raises
    ------
    InvalidRequest
        The body is no list of units.
    OperatorRoleNotAllowed
        The caller may not assert the operator's role.
    StoreError
        Nothing was kept.
    """
    read = read_snapshot(body)
    require_asserted(by, read.operator)
    sent = [
        _Sent(entry=entry, path=pointer(("units", row)))
        for entry, row in zip(read.units, read.rows, strict=True)
    ]
    records = _Records(sent, to_milliseconds(now()), read.operator, live.limits)
    missing = list[UnitId]()

    def decide(before: RosterRead, view: LiveView) -> RosterChange:
        change = records.decide(before, view)
        named = {*read.unreadable, *(unit.entry.unit_id for unit in sent)}
        missing.extend(unit_id for unit_id in before.units if unit_id not in named)
        gone = frozenset[UnitId]() if read.nameless else frozenset(missing)
        return replace(change, removed=gone)

    def answer(written: RosterWritten) -> SnapshotWritten:
        warnings = [*read.warnings, *records.warnings, *_held_back(read, missing)]
        return _differences(records, written, warnings, read)

    return write_answered(live, decide, None, answer, keep)


def _held_back(read: ReadSnapshot, missing: Sequence[UnitId]) -> list[RequestWarning]:
    """Name the removals that wait until every row says which unit it is."""
    if not read.nameless or not missing:
        return []
    said = f"{len(missing)} units are not in the snapshot and stay, because this row may be one"
    path = pointer(("units", read.nameless[0]))
    return [RequestWarning(code="REMOVALS_HELD_BACK", path=path, detail=said)]


def _differences(
    records: "_Records",
    written: RosterWritten,
    warnings: list[RequestWarning],
    read: ReadSnapshot,
) -> SnapshotWritten:
    changed, moved = frozenset(written.changed), frozenset(written.moved).difference(written.added)
    touched = sorted(changed | moved)
    ignored: list[str] = sorted(records.older)
    return SnapshotWritten(
        roster_version=written.version,
        received=read.received,
        added=list(written.added),
        changed=[
            ChangedPart(
                unit_id=unit_id,
                fields=records.fields_of(
                    unit_id, changed=unit_id in changed, moved=unit_id in moved
                ),
            )
            for unit_id in touched
        ],
        removed=list(written.removed),
        unchanged=len(read.units) - len(written.added) - len(touched) - len(ignored),
        ignored_older=ignored,
        conflicts=records.conflicts[:LISTED_MAX],
        conflicts_left_out=max(0, len(records.conflicts) - LISTED_MAX),
        warnings=_parts(warnings),
    )


# -- records --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A record as it was sent, and where in the request it stands."""

    entry: UnitEntry
    path: str


@dataclass(slots=True)
class _Records:
    """Records of one write, judged against those kept; filled when `decide` is called."""

    sent: Sequence[_Sent]
    at: dt.datetime
    operator: Operator | None
    limits: FixLimits
    after: dict[UnitId, OnDuty] = field(default_factory=dict)
    """Each unit as it is kept after the write."""
    older: set[UnitId] = field(default_factory=set)
    """Units whose record is older than the one kept."""
    conflicts: list[ConflictPart] = field(default_factory=list)
    warnings: list[RequestWarning] = field(default_factory=list)
    _fields: dict[UnitId, list[str]] = field(default_factory=dict)

    def decide(self, read: RosterRead, view: LiveView) -> RosterChange:
        """Return what to keep of the records and of the positions that came with them."""
        judge = FixJudge(read.units, self.at, view.situation.network, self.limits)
        units = []
        for sent in self.sent:
            unit = stored_unit(sent.entry, self.at)
            kept = read.units.get(unit.unit_id)
            if kept is not None and is_older(unit, kept.unit):
                self.older.add(unit.unit_id)
                self.after[unit.unit_id] = kept
                continue
            unit = self._compared(sent, unit, kept)
            units.append(unit)
            self._take_position(sent, judge)
            fix = judge.believed.get(unit.unit_id, kept.fix if kept else None)
            self.after[unit.unit_id] = OnDuty(unit=unit, fix=fix)
        return RosterChange(
            at=self.at, operator=self.operator, units=tuple(units), fixes=judge.believed
        )

    def _compared(self, sent: _Sent, unit: StoredUnit, kept: OnDuty | None) -> StoredUnit:
        """Return the record to keep: the one before where nothing changed, flagged where due."""
        if kept is None:
            return unit
        changed = changed_fields(unit, kept.unit)
        if not changed:
            return kept.unit
        self._fields[unit.unit_id] = changed
        found = conflicts_of(unit, kept.unit, sent.path)
        self.conflicts += found
        return flagged(unit, found) if found else unit

    def _take_position(self, sent: _Sent, judge: FixJudge) -> None:
        position = sent.entry.position
        if position is None:
            return
        fault = judge.take(UnitId(sent.entry.unit_id), stored_fix(position, self.at))
        if fault is not None:
            path = f"{sent.path}/position"
            warning = RequestWarning(code=str(fault), path=path, detail=not_used(fault))
            self.warnings.append(warning)

    def result_of(self, unit_id: UnitId, written: RosterWritten) -> UnitResult:
        """Return what became of a unit's record."""
        if unit_id in self.older:
            return UnitResult.IGNORED_OLDER
        if unit_id in written.added:
            return UnitResult.ADDED
        if unit_id in written.changed or unit_id in written.moved:
            return UnitResult.CHANGED
        return UnitResult.UNCHANGED

    def fields_of(self, unit_id: UnitId, *, changed: bool, moved: bool) -> list[str]:
        """Return the fields of a unit that are others now."""
        fields = self._fields.get(unit_id, []) if changed else []
        return [*fields, "position"] if moved else list(fields)


def _parts(warnings: Sequence[RequestWarning]) -> list[WarningPart]:
    return [WarningPart.model_validate(warning) for warning in bounded(warnings)]
