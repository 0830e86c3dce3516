"""Several pending calls as whole-number tables, in an order that does not depend on who asks.

What lives here: `PendingCall`, the tables that all steps of the batch work on, what a choice of
units is worth, and which units cannot matter. What does not: any choice (`pairing_batch`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.assign import IMPOSSIBLE, NO_UNIT

Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]

ARRIVAL_MAX_S: Final = 2**22
"""Longer arrivals, 48 days, are refused: their sums would not fit the solver's whole numbers."""

LOWEST_PRIORITY: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PendingCall:
    """One call that waits, and what could go to it.

    Each half is one of three things: a row of arrivals in whole seconds, one column for each unit
    of that kind, from which one unit is chosen; the arrival of a unit that is on this call already
    (0 when on scene); or None when the call needs nobody of that kind (SOLO, SPD_ADD, SPD_ONLY).
    """

    incident_id: str
    """The last tie-break, so it must differ from call to call."""
    care_s: Whole | Sequence[int] | int | None
    spd_s: Whole | Sequence[int] | int | None
    priority: int | None = None
    """1 is best; None comes last."""
    escalated: bool = False
    """The call is past its `escalate_at`."""
    queued_s: int | None = None
    """How long it has waited; None counts as just arrived."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """The calls in canonical order: best priority, escalated, longest queued, incident_id.

    Index 0 stands for CARE and 1 for SPD throughout.
    """

    rank: Whole
    """(n_calls,) position of each canonical call in the list that was given."""
    classes: tuple[tuple[int, ...], ...]
    """Sets of calls, the most important first: as many as can be of each are served (rule 10)."""
    arrive_s: tuple[Whole, Whole]
    """(n_calls, n_units) each; IMPOSSIBLE where the unit cannot go or nobody is to be chosen."""
    chooses: tuple[Mask, Mask]
    """(n_calls,) whether the call is to be given a unit of this kind."""
    fixed_max_s: Whole
    """(n_calls,) the later arrival of units that are on the call already, 0 if there are none."""
    fixed_sum_s: Whole
    """(n_calls,) the sum of those arrivals."""

    @property
    def n_calls(self) -> int:
        """Number of calls."""
        return len(self.rank)


Worth = tuple[tuple[int, ...], int, int]
"""Minus the served calls of each class, the sum of max, the sum of both: less is better."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """Who goes where, by canonical call."""

    units: tuple[Whole, Whole]
    """(n_calls,) columns of CARE and of SPD, or NO_UNIT."""
    served: Mask
    """(n_calls,) whether the call has all that it needs."""
    worth: Worth


def make_tables(calls: Sequence[PendingCall]) -> Tables:
    """Return the tables of the calls.

    Raises
    ------
    ValueError
        Two calls with one incident_id, rows of unequal length, or an arrival out of range.
    """
    if len({call.incident_id for call in calls}) != len(calls):
        raise ValueError("two pending calls have the same incident_id; expected each call once")
    rank = sorted(range(len(calls)), key=lambda place: _canonical_key(calls[place]))
    ordered = [calls[place] for place in rank]
    halves = tuple([c.care_s for c in ordered]), tuple([c.spd_s for c in ordered])
    fixed = np.array(
        [[half if isinstance(half, int) else 0 for half in kind] for kind in halves], np.int64
    )
    if fixed.size and not 0 <= fixed.min() <= fixed.max() < ARRIVAL_MAX_S:
        raise ValueError(f"a fixed arrival is outside 0 to {ARRIVAL_MAX_S - 1} s")
    return Tables(
        rank=np.array(rank, np.int64),
        classes=_classes(ordered),
        arrive_s=(_table(halves[0]), _table(halves[1])),
        chooses=(_choosing(halves[0]), _choosing(halves[1])),
        fixed_max_s=fixed.max(axis=0),
        fixed_sum_s=fixed.sum(axis=0),
    )


_Half = Whole | Sequence[int] | int | None


def _canonical_key(call: PendingCall) -> tuple[int, bool, int, str]:
    priority = LOWEST_PRIORITY if call.priority is None else call.priority
    return priority, not call.escalated, -(call.queued_s or 0), call.incident_id


def _choosing(halves: Sequence[_Half]) -> Mask:
    return np.array([half is not None and not isinstance(half, int) for half in halves], np.bool_)


def _table(halves: Sequence[_Half]) -> Whole:
    rows = [np.asarray(h, np.int64) for h in halves if h is not None and not isinstance(h, int)]
    widths = {row.shape for row in rows}
    if len(widths) > 1:
        raise ValueError(f"rows of arrivals have shapes {sorted(widths)}; expected all equal")
    width = rows[0].shape if rows else (0,)
    table = np.full((len(halves), *width), IMPOSSIBLE, np.int64)
    if rows:
        table[_choosing(halves)] = rows
    wrong = (table != IMPOSSIBLE) & ((table < 0) | (table >= ARRIVAL_MAX_S))
    if wrong.any():
        raise ValueError(
            f"an arrival of {table[wrong][0]} s; expected 0 to {ARRIVAL_MAX_S - 1} or IMPOSSIBLE"
        )
    return table


def _classes(ordered: Sequence[PendingCall]) -> tuple[tuple[int, ...], ...]:
    """Return the sets of calls whose served members count, each set once.

    First the priorities; then, by priority, those past `escalate_at`; then, in canonical order,
    those of equal priority, escalation and age.
    """
    keys = [_canonical_key(call)[:3] for call in ordered]
    found: dict[tuple[int, ...], None] = {}
    for depth in (1, 2, 3):
        groups: dict[tuple[int, ...], list[int]] = {}
        for place, key in enumerate(keys):
            if depth != 2 or not key[1]:
                groups.setdefault(key[:depth], []).append(place)
        found |= dict.fromkeys(tuple(group) for group in groups.values())
    return tuple(found)


def choice_of(tables: Tables, care: Whole, spd: Whole) -> Choice:
    """Return the choice with its worth; a call is served if no chosen half of it is empty."""
    served = np.ones(tables.n_calls, np.bool_)
    latest_s, total_s = tables.fixed_max_s.copy(), tables.fixed_sum_s.copy()
    for units, chooses, arrive_s in zip((care, spd), tables.chooses, tables.arrive_s, strict=True):
        served &= ~chooses | (units != NO_UNIT)
        rows = np.flatnonzero(units != NO_UNIT)
        arrivals = arrive_s[rows, units[rows]]
        latest_s[rows] = np.maximum(latest_s[rows], arrivals)
        total_s[rows] += arrivals
    counts = tuple(-sum(bool(served[call]) for call in group) for group in tables.classes)
    worth = counts, int(latest_s[served].sum()), int(total_s[served].sum())
    return Choice(units=(care, spd), served=served, worth=worth)


def one_after_the_other(tables: Tables) -> Choice:
    """Return what comes of serving the calls in canonical order, each as well as it can be."""
    units = np.full((2, tables.n_calls), NO_UNIT, np.int64)
    left = [arrive_s.copy() for arrive_s in tables.arrive_s]
    for call in range(tables.n_calls):
        best = [int(table[call].argmin()) if table.shape[1] else NO_UNIT for table in left]
        wanted = [kind for kind in (0, 1) if tables.chooses[kind][call]]
        if all(best[k] != NO_UNIT and left[k][call, best[k]] != IMPOSSIBLE for k in wanted):
            for kind in wanted:
                units[kind, call] = best[kind]
                left[kind][:, best[kind]] = IMPOSSIBLE
    return choice_of(tables, units[0], units[1])


def that_can_matter(tables: Tables) -> tuple[Mask, Mask]:
    """Return which (call, unit) of each kind an optimal choice can need.

    For n calls that choose a unit of a kind, the n nearest of each call (equals by column) are
    enough: were another chosen, one of these n would be free, since the other calls hold at most
    n - 1; taking it instead makes neither the max nor the sum worse, and among equals it is the
    earlier column. So no level of the objective, nor the canonical step, loses anything.
    """
    can_go = [arrive_s != IMPOSSIBLE for arrive_s in tables.arrive_s]
    servable = np.ones(tables.n_calls, np.bool_)
    for kind in (0, 1):
        servable &= ~tables.chooses[kind] | can_go[kind].any(axis=1)
    kept = []
    for arrive_s, can, chooses in zip(tables.arrive_s, can_go, tables.chooses, strict=True):
        place = arrive_s.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        kept.append(can & servable[:, None] & (place < chooses.sum()))
    return kept[0], kept[1]
