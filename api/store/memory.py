"""The roster in the memory of one process: the engine for trying things out, and for tests.

It is gone when the process ends, and no other process sees it; `tandem serve` therefore refuses
more than one worker.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from operator import attrgetter
from threading import Lock
from typing import Final

from api.errors import RosterFull, StoreUnavailable
from api.store.contract import RosterChange, RosterRead, RosterWritten, Then
from api.store.records import OnDuty, StoredFix, StoredUnit, is_older, is_older_fix
from routing.roster import UnitId

ROSTER_UNITS_MAX: Final = 2_000


class MemoryRoster:
    """One dictionary by unit_id, changed as a whole under one lock."""

    def __init__(self, units_max: int = ROSTER_UNITS_MAX) -> None:
        self._units: dict[UnitId, OnDuty] = {}
        self._version = 0
        self._units_max = units_max
        self._lock = Lock()
        self._is_open = True

    def read(self, unit_ids: Collection[str] | None = None) -> RosterRead:
        """Return the units that are asked for and known, or all, of one moment."""
        with self._lock:
            self._require_open()
            wanted = self._units if unit_ids is None else self._units.keys() & set(unit_ids)
            units = {unit_id: self._units[unit_id] for unit_id in sorted(wanted)}
            return RosterRead(version=self._version, units=units)

    def write(self, change: RosterChange, then: Then | None = None) -> RosterWritten:  # noqa: ARG002  nothing is kept
        """Keep a change, whole or not at all."""
        with self._lock:
            self._require_open()
            draft = RosterDraft(self._units)
            draft.keep_records(change.units)
            draft.keep_fixes(change.fixes)
            draft.remove(change.removed)
            require_room(len(draft.units), self._units_max)
            written = draft.written(self._version)
            self._units, self._version = draft.units, written.version
            return written

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._is_open = False
            self._units = {}

    def _require_open(self) -> None:
        if not self._is_open:
            raise StoreUnavailable(
                "The roster's store is closed.", remedy="The service is stopping; ask again."
            )


def require_room(units: int, units_max: int) -> None:
    """Refuse more units than a roster takes.

    Raises
    ------
    RosterFull
        There are more.
    """
    if units > units_max:
        raise RosterFull(
            f"The roster would hold {units} units; it takes {units_max}.",
            remedy="Send a snapshot (PUT /v1/units) or DELETE units that are off duty.",
        )


class RosterDraft:
    """A copy of the units that a change touches, or of all, into which the change is put.

    What every engine judges by: the promises of `api.store.contract` about single units.
    """

    def __init__(self, units: Mapping[UnitId, OnDuty]) -> None:
        self.units = dict(units)
        self._done: dict[str, list[UnitId]] = {}

    def _note(self, what: str, unit_id: UnitId) -> None:
        self._done.setdefault(what, []).append(unit_id)

    def keep_records(self, units: Collection[StoredUnit]) -> None:
        """Keep records, the ones that are older than those kept passed over."""
        for unit in units:
            kept = self.units.get(unit.unit_id)
            if kept is None:
                self.units[unit.unit_id] = OnDuty(unit=unit)
                self._note("added", unit.unit_id)
            elif is_older(unit, kept.unit):
                self._note("older_records", unit.unit_id)
            elif _differs(unit, kept.unit):
                self.units[unit.unit_id] = OnDuty(unit=unit, fix=kept.fix)
                self._note("changed", unit.unit_id)

    def keep_fixes(self, fixes: Mapping[UnitId, StoredFix]) -> None:
        """Keep fixes of units that are known, older ones passed over."""
        for unit_id, fix in fixes.items():
            kept = self.units.get(unit_id)
            if kept is None:
                self._note("unknown", unit_id)
            elif kept.fix is not None and is_older_fix(fix, kept.fix):
                self._note("older_fixes", unit_id)
            elif kept.fix is None or _differs_fix(fix, kept.fix):
                self.units[unit_id] = OnDuty(unit=kept.unit, fix=fix)
                self._note("moved", unit_id)

    def remove(self, unit_ids: Collection[UnitId]) -> None:
        """Take units off."""
        for unit_id in unit_ids:
            was_there = self.units.pop(unit_id, None) is not None
            self._note("removed" if was_there else "unknown", unit_id)

    def written(self, version: int) -> RosterWritten:
        """Return what changed since the roster of a version."""
        done = {what: tuple(sorted(unit_ids)) for what, unit_ids in self._done.items()}
        written = RosterWritten(version=version, **done)
        return replace(written, version=version + 1) if written.anything else written


def _differs(unit: StoredUnit, kept: StoredUnit) -> bool:
    """Tell whether a record says anything else; when it came does not count."""
    return bool(_TOLD(unit) != _TOLD(kept))


def _differs_fix(fix: StoredFix, kept: StoredFix) -> bool:
    """Tell whether a fix says anything else; when it came does not count."""
    return fix.fixed_at != kept.fixed_at or bool(_FIX_TOLD(fix) != _FIX_TOLD(kept))


_TOLD: Final = attrgetter(
    *(name for name in StoredUnit.__slots__ if name not in ("received_at", "conflicts"))
)
_FIX_TOLD: Final = attrgetter(*(name for name in StoredFix.__slots__ if name != "received_at"))
