"""One record of a unit against the one that is kept: what changed, and what does not fit.

What lives here: from a record as it was sent to the one that is stored, and back to the answer.
A record that does not fit is kept all the same and flagged; nothing is made up to make it fit.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from api.request_schemas import PositionEntry, UnitEntry
from api.roster_schemas import (
    ConflictCode,
    ConflictPart,
    KeptHome,
    KeptPosition,
    KeptUnit,
    PositionRow,
)
from api.store.records import OnDuty, StoredFix, StoredUnit
from routing.codes import Status
from routing.roster import UnitId
from routing.unit_status import is_legal_step

_STATUS_OF: Final = {str(status): status for status in Status}
_PLAIN: Final = (
    "version", "agency", "call_sign", "unit_type", "crew_count", "skills", "status",
    "status_since", "available_since", "expected_clear_at", "shift_start", "shift_end",
)  # fmt: skip
_HOME: Final = ("home_post", "home_sector", "home_beat")


def stored_unit(entry: UnitEntry, at: dt.datetime) -> StoredUnit:
    """Return a record as it is kept, before anything is flagged."""
    return StoredUnit(
        unit_id=UnitId(entry.unit_id),
        agency=entry.agency,
        received_at=at,
        version=entry.version,
        call_sign=entry.call_sign,
        unit_type=entry.unit_type,
        crew_count=entry.crew_count,
        skills=tuple(sorted(set(entry.skills))),
        status=_STATUS_OF.get(entry.status, Status.UNKNOWN),
        status_since=_utc(entry.status_since),
        available_since=_utc(entry.available_since),
        expected_clear_at=_utc(entry.expected_clear_at),
        shift_start=_utc(entry.shift_start),
        shift_end=_utc(entry.shift_end),
        home_post=entry.home_post,
        home_sector=entry.home_sector,
        home_beat=entry.home_beat,
    )


def flagged(unit: StoredUnit, conflicts: Sequence[ConflictPart]) -> StoredUnit:
    """Return a record with what does not fit the one before."""
    return replace(unit, conflicts=tuple(str(one.code) for one in conflicts))


def stored_fix(fix: PositionEntry | PositionRow, at: dt.datetime) -> StoredFix:
    """Return a fix as it is kept."""
    return StoredFix(
        lon=fix.lon,
        lat=fix.lat,
        fixed_at=_utc(fix.fixed_at),
        received_at=at,
        heading_deg=fix.heading_deg,
        speed_mps=fix.speed_mps,
        accuracy_m=fix.accuracy_m,
    )


def changed_fields(unit: StoredUnit, kept: StoredUnit) -> list[str]:
    """Return the fields, by their names in the contract, that are others than before."""
    plain = [name for name in _PLAIN if getattr(unit, name) != getattr(kept, name)]
    moved_home = any(getattr(unit, name) != getattr(kept, name) for name in _HOME)
    return [*plain, "home"] if moved_home else plain


def conflicts_of(unit: StoredUnit, kept: StoredUnit, path: str) -> list[ConflictPart]:
    """Return what does not fit the record before; `path` is where the record stands."""
    found = []
    if not is_legal_step(kept.status, unit.status):
        said = f"{unit.status} cannot follow {kept.status}; recorded, no step in between made up"
        found.append((ConflictCode.ILLEGAL_STATUS_JUMP, "/status", said))
    since, before = unit.status_since, kept.status_since
    if since is not None and before is not None and since < before:
        early_s = (before - since).total_seconds()
        said = f"begins {early_s:.0f} s before the status that it follows; recorded as sent"
        found.append((ConflictCode.STATUS_SINCE_BACKWARDS, "/status_since", said))
    if unit.agency is not kept.agency:
        said = f"was {kept.agency} and is {unit.agency} now; recorded as sent"
        found.append((ConflictCode.AGENCY_CHANGED, "/agency", said))
    return [
        ConflictPart(unit_id=unit.unit_id, code=code, path=path + field, detail=said)
        for code, field, said in found
    ]


def kept_unit(kept: OnDuty) -> KeptUnit:
    """Return a unit of the roster as it is answered."""
    unit, fix = kept.unit, kept.fix
    return KeptUnit(
        unit_id=unit.unit_id,
        call_sign=unit.call_sign,
        version=unit.version,
        agency=unit.agency,
        unit_type=unit.unit_type,
        crew_count=unit.crew_count,
        skills=list(unit.skills),
        status=unit.status,
        status_since=unit.status_since,
        available_since=unit.available_since,
        expected_clear_at=unit.expected_clear_at,
        shift_start=unit.shift_start,
        shift_end=unit.shift_end,
        home=KeptHome(post=unit.home_post, sector=unit.home_sector, beat=unit.home_beat),
        position=None if fix is None else KeptPosition.model_validate(fix),
        received_at=unit.received_at,
        conflicts=list(unit.conflicts),
    )


def _utc(instant: dt.datetime | None) -> dt.datetime | None:
    return None if instant is None else instant.astimezone(dt.UTC)
