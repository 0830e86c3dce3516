"""Positions of many units at once, without HTTP: `move_units`.

Each row is judged on its own, in the order sent, against the last fix of its unit that was
believed; a row that is not believed is named and the previous position kept (rule 7).
"""

from collections import Counter

from api.answer_schemas import WarningPart
from api.asserted_roles import require_asserted
from api.auth.principal import LOCAL, Principal
from api.believed_fixes import NOT_ON_ROSTER, FixJudge, discarded
from api.live_roster import Keep, LiveRoster, keep_nothing, write_answered
from api.live_view import LiveView
from api.operations import Clock, to_milliseconds, utc_now
from api.read_roster import ReadPositions, read_positions
from api.roster_schemas import LISTED_MAX, DiscardedPart, PositionsWritten
from api.store.contract import RosterChange, RosterRead, RosterWritten
from api.unit_records import stored_fix
from routing.roster import UnitId


def move_units(
    live: LiveRoster,
    body: bytes,
    *,
    now: Clock = utc_now,
    by: Principal = LOCAL,
    keep: Keep = keep_nothing,
) -> PositionsWritten:
    """Keep the fixes of a feed that can be believed, and say what became of each row.

    Raises
    ------
    InvalidRequest
        The body is no list of positions, or has too many.
    OperatorRoleNotAllowed
        The caller may not assert the operator's role.
    StoreError
        Nothing was kept.
    """
    read, at = read_positions(body), to_milliseconds(now())
    require_asserted(by, read.operator)
    refused, n_repeated = dict(read.discarded), 0

    def decide(before: RosterRead, view: LiveView) -> RosterChange | None:
        nonlocal n_repeated
        judge = FixJudge(before.units, at, view.situation.network, live.limits)
        for row, entry in zip(read.rows, read.positions, strict=True):
            unit_id = UnitId(entry.unit_id)
            known = unit_id in before.units
            fault = judge.take(unit_id, stored_fix(entry, at)) if known else NOT_ON_ROSTER
            if fault is not None:
                refused[row] = discarded(fault, f"/positions/{row}", entry.unit_id)
        n_repeated = judge.n_repeated
        if not judge.believed:
            return None
        return RosterChange(at=at, operator=read.operator, fixes=judge.believed)

    def answer(written: RosterWritten) -> PositionsWritten:
        rows = [refused[row] for row in sorted(refused)]
        return _answer(read, written.version, n_repeated, rows)

    return write_answered(live, decide, {one.unit_id for one in read.positions}, answer, keep)


def _answer(
    read: ReadPositions, version: int, n_repeated: int, rows: list[DiscardedPart]
) -> PositionsWritten:
    received = len(read.positions) + len(read.discarded)
    return PositionsWritten(
        roster_version=version,
        received=received,
        applied=received - n_repeated - len(rows),
        unchanged=n_repeated,
        discarded=len(rows),
        discarded_by_code=dict(sorted(Counter(row.code for row in rows).items())),
        rows=rows[:LISTED_MAX],
        rows_left_out=max(0, len(rows) - LISTED_MAX),
        warnings=[WarningPart.model_validate(warning) for warning in read.warnings],
    )
