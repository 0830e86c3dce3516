"""The columns of a roster after a change: units that came, changed or went, or that moved.

What lives here: `with_changes` and `with_fixes`, which make new columns beside the old ones and
touch only what changed. What does not: where the units are then (`live`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from routing.roster import UnitColumns, fix_columns
from routing.unit_fields import FixLike

Rows = NDArray[np.intp]

_COLUMNS: Final = tuple(field.name for field in fields(UnitColumns))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merge:
    """Where the rows of a changed roster come from."""

    source: Rows
    """(n_after,) the row before; for a unit of the change any row, it is overwritten."""
    fresh: Rows
    """(n_changed,) the rows after of the units of the change, in their order."""

    def column(
        self, before: NDArray[np.generic], changed: NDArray[np.generic]
    ) -> NDArray[np.generic]:
        """Return a column (n_after, ...) from the one before and that of the change; read-only."""
        if not len(before):
            return changed
        after = before[self.source]
        after[self.fresh] = changed
        after.setflags(write=False)
        return after


def taken(roster: UnitColumns, rows: Rows) -> UnitColumns:
    """Return some rows of a roster, which must be in rising order."""
    chosen = rows.tolist()
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        column = getattr(roster, name)
        as_tuple = isinstance(column, tuple)
        columns[name] = tuple([column[row] for row in chosen]) if as_tuple else column[rows]
    return UnitColumns(**columns)


def merge_of(before: UnitColumns, changed: UnitColumns, removed: Collection[str]) -> Merge:
    """Return how a roster with units changed, added and removed is put together."""
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
    source, fresh = merge.source.tolist(), merge.fresh.tolist()
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        old, new = getattr(before, name), getattr(changed, name)
        if isinstance(old, tuple):
            column = [old[row] for row in source] if old else [None] * len(source)
            for row, value in zip(fresh, new, strict=True):
                column[row] = value
            columns[name] = tuple(column)
        else:
            columns[name] = merge.column(old, new)
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


def scattered(rows: Rows) -> Callable[[NDArray[np.generic], NDArray[np.generic]], Any]:
    """Return how a column gets new values in some rows: a copy of it, read-only."""

    def column(before: NDArray[np.generic], changed: NDArray[np.generic]) -> NDArray[np.generic]:
        after = before.copy()
        after[rows] = changed
        after.setflags(write=False)
        return after

    return column
