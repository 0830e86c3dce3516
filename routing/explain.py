"""Per unit: why it was chosen, what removed it, or how many seconds it is behind (rule 13).

What lives here: `Explanation`. Objects are made only for the units that are shown.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import ExplainedUnit, Explanation, KindCounts
from routing.arrivals import NEVER_S, Muster
from routing.codes import Explain, UnitRule, Verdict
from routing.eligibility import SHIFT_ENDING, rule_names
from routing.halves import Half, Team
from routing.roster import AGENCIES

NEAREST_OF_A_KIND: Final = 5

NOTHING: Final = Explanation(units=(), counts={})
"""For a call that no units were looked at for."""

_SHIFT_ENDING: Final = rule_names(SHIFT_ENDING)[0]

_MASKS: Final = 2 * max(int(rule) for rule in UnitRule)


def explain(
    team: Team,
    muster: Muster,
    bits: NDArray[np.int32],
    held_for: Mapping[int, str],
    wanted: Explain,
) -> Explanation:
    """Return verdicts on the units of each kind that was looked for, nearest first, and counts.

    A kind that is on the call already was not looked for, so its units are not judged.

    Parameters
    ----------
    held_for
        The more urgent incident by row of the roster.
    """
    sought = team.sought.values()
    counts = {half.agency: _counts(half, muster, bits) for half in sought}
    if wanted is Explain.NONE:
        return Explanation(units=(), counts=counts)
    shown = [one for half in sought for one in _explained(half, muster, bits, held_for, wanted)]
    return Explanation(units=tuple(shown), counts=counts)


def _rows_to_show(half: Half, muster: Muster, wanted: Explain) -> Iterable[int]:
    rows = np.flatnonzero(muster.roster.agency == AGENCIES.index(half.agency))
    ordered: list[int] = muster.nearest_first(rows).tolist()
    if wanted is Explain.ALL:
        return ordered
    shown = ordered[:NEAREST_OF_A_KIND]
    return [*shown, *(row for row in half.chosen if row not in shown)]


def _explained(
    half: Half,
    muster: Muster,
    bits: NDArray[np.int32],
    held_for: Mapping[int, str],
    wanted: Explain,
) -> list[ExplainedUnit]:
    roster = muster.roster
    rows = list(_rows_to_show(half, muster, wanted))
    if not rows:
        return []
    first_s = int(muster.arrive_s[half.rows[0]]) if half.rows else None
    against = muster.preference_s
    preference_s = [0] * len(rows) if against is None else against[rows].tolist()
    told = zip(
        rows,
        bits[rows].tolist(),
        muster.arrive_s[rows].tolist(),
        preference_s,
        muster.positions_used(rows),
        strict=True,
    )
    found = []
    for row, broken, arrive_s, preferred_s, position in told:
        verdict = _verdict(half, row, broken)
        removed = verdict is Verdict.REMOVED or first_s is None
        found.append(
            ExplainedUnit(
                unit_id=roster.unit_id[row],
                call_sign=roster.call_sign[row],
                agency=half.agency,
                verdict=verdict,
                rules=rule_names(broken),
                arrive_s=None if arrive_s == NEVER_S else arrive_s,
                behind_s=None if removed else arrive_s - first_s,
                preference_s=preferred_s,
                held_for=held_for.get(row),
                position=position,
            )
        )
    return found


def _verdict(half: Half, row: int, broken: int) -> Verdict:
    if row in half.chosen:
        return Verdict.SELECTED
    if broken == 0:
        return Verdict.BEHIND
    return Verdict.LAST_RESORT if row in half.guarded else Verdict.REMOVED


def _counts(half: Half, muster: Muster, bits: NDArray[np.int32]) -> KindCounts:
    own = bits[muster.roster.agency == AGENCIES.index(half.agency)]
    by_mask = np.bincount(own, minlength=_MASKS)
    removed: dict[str, int] = {}
    for mask in np.flatnonzero(by_mask[1:]).tolist():
        for name in rule_names(mask + 1):
            removed[name] = removed.get(name, 0) + int(by_mask[mask + 1])
    # A guarded unit that is chosen for want of others was not removed.
    guarded = len(half.guarded.intersection(half.chosen))
    if guarded:
        removed[_SHIFT_ENDING] -= guarded
        removed = {name: count for name, count in removed.items() if count}
    return KindCounts(
        seen=len(own), qualified=int(by_mask[0]), removed=dict(sorted(removed.items()))
    )
