"""The columns of a roster after a change: units that came, changed or went, or that moved.

What lives here: `with_changes`, `with_fixes` and `with_claimed`, which make new columns beside the
old ones and touch only what changed. What does not: where the units are then (`live`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from routing.roster import UnitColumns, fix_columns
from routing.unit_fields import FixLike

Rows = NDArray[np.intp]

_COLUMNS: Final = tuple(field.name for field in fields(UnitColumns) if field.init)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merge:
    """Where the rows of a changed roster come from."""

    source: Rows | None
    """(n_after,) the row before; for a unit of the change any row, it is overwritten. None where
    no unit came or went, so that every row stays where it is."""
    fresh: Rows
    """(n_changed,) the rows after of the units of the change, in their order."""

    def column(self, before: NDArray[Any], changed: NDArray[Any]) -> NDArray[Any]:
        """Return a column (n_after, ...) from the one before and that of the change; read-only."""
        if not len(before):
            return changed
        after: NDArray[Any] = before.copy() if self.source is None else before[self.source]
        after[self.fresh] = changed
        after.setflags(write=False)
        return after

    def texts(self, before: tuple[Any, ...], changed: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what `column` does, of a tuple."""
        if not before:
            return changed
        rows = None if self.source is None else self.source.tolist()
        after = list(before) if rows is None else [before[row] for row in rows]
        for row, value in zip(self.fresh.tolist(), changed, strict=True):
            after[row] = value
        return tuple(after)


def merge_of(before: UnitColumns, changed: UnitColumns, removed: Collection[str]) -> Merge:
    """Return how a roster with units changed, added and removed is put together."""
    rows = [before.row_of(unit_id) for unit_id in changed.unit_id]
    if not removed and None not in rows:
        return Merge(source=None, fresh=np.array(rows, np.intp))
    gone = set(removed).union(changed.unit_id)
    kept = [row for row, unit_id in enumerate(before.unit_id) if unit_id not in gone]
    ids = [*(before.unit_id[row] for row in kept), *changed.unit_id]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    from_where = np.array(kept + [0] * len(changed), np.intp)[order]
    place = np.empty(len(ids), np.intp)
    place[order] = np.arange(len(ids))
    return Merge(source=from_where, fresh=place[len(kept) :])


def with_changes(before: UnitColumns, changed: UnitColumns, merge: Merge) -> UnitColumns:
    """Return the columns after a change."""
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        old, new = getattr(before, name), getattr(changed, name)
        combine = merge.texts if isinstance(old, tuple) else merge.column
        columns[name] = combine(old, new)
    return UnitColumns(**columns)


def with_fixes(before: UnitColumns, rows: Rows, fixes: Sequence[FixLike]) -> UnitColumns:
    """Return the columns with other fixes in some rows; all other columns are shared."""
    moved = {}
    for name, values in fix_columns(fixes).items():
        column = getattr(before, name).copy()
        column[rows] = values
        column.setflags(write=False)
        moved[name] = column
    return replace(before, **moved)


def with_claimed(before: UnitColumns, unit_ids: Collection[str]) -> UnitColumns:
    """Return the columns with these units claimed and no others; itself when they are already."""
    column = np.zeros(len(before), np.bool_)
    rows = [row for row in map(before.row_of, unit_ids) if row is not None]
    column[rows] = True
    if np.array_equal(column, before.claimed):
        return before
    column.setflags(write=False)
    after = replace(before, claimed=column)
    after.remember_skills(before)
    return after
