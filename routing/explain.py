"""Per unit: why it was chosen, what removed it, or how many seconds it is behind (rule 13).

What lives here: `Explanation`. Objects are made only for the units that are shown.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import ExplainedUnit, Explanation, KindCounts
from routing.arrivals import ALL_UNITS, EVERY_ROW, Muster
from routing.candidates_kernel import NEVER_S, tally
from routing.codes import Explain, UnitRule, Verdict
from routing.eligibility import rule_names
from routing.halves import Half, Team
from routing.roster import AGENCIES

NEAREST_OF_A_KIND: Final = 5

NOTHING: Final = Explanation(units=(), counts={})
"""For a call that no units were looked at for."""


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
    totals = tally(bits, muster.roster.agency).tolist() if sought else ()
    counts = {half.agency: _counts(half, totals[AGENCIES.index(half.agency)]) for half in sought}
    if wanted is Explain.NONE:
        return Explanation(units=(), counts=counts)
    shown = [one for half in sought for one in _explained(half, muster, bits, held_for, wanted)]
    return Explanation(units=tuple(shown), counts=counts)


def _rows_to_show(
    half: Half, muster: Muster, bits: NDArray[np.int32], wanted: Explain
) -> list[int]:
    if wanted is Explain.ALL:
        return muster.nearest(half.agency, bits, ALL_UNITS, EVERY_ROW)
    shown = muster.nearest(half.agency, bits, ALL_UNITS, NEAREST_OF_A_KIND)
    shown += [row for row in half.chosen if row not in shown]
    return shown


def _explained(
    half: Half,
    muster: Muster,
    bits: NDArray[np.int32],
    held_for: Mapping[int, str],
    wanted: Explain,
) -> list[ExplainedUnit]:
    roster = muster.roster
    rows = _rows_to_show(half, muster, bits, wanted)
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


def _counts(half: Half, totals: list[int]) -> KindCounts:
    """Return the counts of a kind from its row of `candidates_kernel.tally`."""
    seen, qualified, *by_rule = totals
    # A guarded unit that is chosen for want of others was not removed.
    if half.guarded:
        by_rule[_GUARD] -= len(half.guarded.intersection(half.chosen))
    removed = {_RULES[place]: by_rule[place] for place in _BY_NAME if by_rule[place]}
    return KindCounts(seen=seen, qualified=qualified, removed=removed)


_RULES: Final = tuple([str(rule.name) for rule in UnitRule])
_GUARD: Final = _RULES.index(str(UnitRule.SHIFT_ENDING.name))
_BY_NAME: Final = sorted(range(len(_RULES)), key=_RULES.__getitem__)
"""Places of the rules in the order of the alphabet, as the counts are told."""
