"""Per unit: why it was chosen, what removed it, or how many seconds it is behind (rule 13).

What lives here: `Explanation`. Objects are made only for the units that are shown.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import ExplainedUnit, Explanation, KindCounts
from routing.arrivals import NEVER_S, Muster
from routing.codes import Agency, Explain, UnitRule, Verdict
from routing.dispatch import SHOWN
from routing.eligibility import SHIFT_ENDING, rule_names
from routing.halves import Half
from routing.roster import AGENCIES

NEAREST_OF_A_KIND: Final = 5

NOTHING: Final = Explanation(units=(), counts={})
"""For a call that no units were looked at for."""

_MASKS: Final = 2 * max(int(rule) for rule in UnitRule)


def explain(
    halves: Mapping[Agency, Half], muster: Muster, bits: NDArray[np.int32], wanted: Explain
) -> Explanation:
    """Return verdicts on the units of each kind that was looked for, nearest first, and counts.

    A kind that is on the call already was not looked for, so its units are not judged.
    """
    sought = [halves[agency] for agency in SHOWN if not halves[agency].fixed]
    counts = {half.agency: _counts(half, muster, bits) for half in sought}
    if wanted is Explain.NONE:
        return Explanation(units=(), counts=counts)
    shown = (
        _explained(half, muster, bits, row)
        for half in sought
        for row in _rows_to_show(half, muster, wanted)
    )
    return Explanation(units=tuple(shown), counts=counts)


def _rows_to_show(half: Half, muster: Muster, wanted: Explain) -> Iterable[int]:
    rows = np.flatnonzero(muster.roster.agency == AGENCIES.index(half.agency))
    ordered: list[int] = muster.nearest_first(rows).tolist()
    if wanted is Explain.ALL:
        return ordered
    shown = ordered[:NEAREST_OF_A_KIND]
    chosen = half.rows[:1]
    return [*shown, *(row for row in chosen if row not in shown)]


def _explained(half: Half, muster: Muster, bits: NDArray[np.int32], row: int) -> ExplainedUnit:
    roster, broken = muster.roster, int(bits[row])
    arrive_s = int(muster.arrive_s[row])
    verdict = _verdict(half, row, broken)
    removed = verdict is Verdict.REMOVED
    return ExplainedUnit(
        unit_id=roster.unit_id[row],
        call_sign=roster.call_sign[row],
        agency=half.agency,
        verdict=verdict,
        rules=rule_names(broken),
        arrive_s=None if arrive_s == NEVER_S else arrive_s,
        behind_s=None if removed else arrive_s - int(muster.arrive_s[half.rows[0]]),
        held_for=None,
        position=muster.position_used(row),
    )


def _verdict(half: Half, row: int, broken: int) -> Verdict:
    if half.rows and row == half.rows[0]:
        return Verdict.SELECTED
    if broken == 0:
        return Verdict.BEHIND
    offered = half.last_resort and broken == SHIFT_ENDING
    return Verdict.LAST_RESORT if offered else Verdict.REMOVED


def _counts(half: Half, muster: Muster, bits: NDArray[np.int32]) -> KindCounts:
    own = bits[muster.roster.agency == AGENCIES.index(half.agency)]
    by_mask = np.bincount(own, minlength=_MASKS)
    removed: dict[str, int] = {}
    for mask in np.flatnonzero(by_mask[1:]).tolist():
        for name in rule_names(mask + 1):
            removed[name] = removed.get(name, 0) + int(by_mask[mask + 1])
    return KindCounts(
        seen=len(own), qualified=int(by_mask[0]), removed=dict(sorted(removed.items()))
    )
