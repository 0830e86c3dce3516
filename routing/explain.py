"""Per unit: why it was chosen, what removed it, or how many seconds it is behind (rule 13).

What lives here: `Explanation`. Objects are made only for the units that are shown.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import ExplainedUnit, Explanation, KindCounts
from routing.candidates_kernel import NEVER_S, tally
from routing.codes import UnitRule, Verdict
from routing.eligibility import rule_names
from routing.halves import Half, Team
from routing.roster import AGENCIES

NOTHING: Final = Explanation(units=(), counts={})
"""For a call that no units were looked at for."""


def explain(
    team: Team,
    bits: NDArray[np.int32],
    held_for: Mapping[int, str],
) -> Explanation:
    """Return verdicts on the units of each kind that was looked for, nearest first, and counts.

    A kind that is on the call already was not looked for, so its units are not judged.

    Parameters
    ----------
    held_for
        The more urgent incident by row of the roster.
    """
    sought = team.sought.values()
    counts = {half.agency: _counts(half, half.totals or _totals(half, bits)) for half in sought}
    shown = [one for half in sought for one in _explained(half, bits, held_for)]
    return Explanation(units=tuple(shown), counts=counts)


def _explained(
    half: Half, bits: NDArray[np.int32], held_for: Mapping[int, str]
) -> list[ExplainedUnit]:
    rows, muster, chosen = half.shown, half.muster, half.chosen
    roster, against = muster.roster, muster.preference_s
    agency, ids, call_signs, known = half.agency, roster.unit_id, roster.call_sign, muster.known
    first_s = half.arrivals_s[0] if half.rows else None
    found = []
    for row, broken in zip(rows, map(bits.item, rows), strict=True):
        told = known.get(row) or muster.facts_of(row)
        arrive_s = told.arrive_s
        verdict = _SELECTED if row in chosen else _verdict(half, row, broken)
        behind_s = None if first_s is None or verdict is _REMOVED else arrive_s - first_s
        found.append(
            ExplainedUnit(
                unit_id=ids[row],
                call_sign=call_signs[row],
                agency=agency,
                verdict=verdict,
                rules=rule_names(broken),
                arrive_s=None if arrive_s == NEVER_S else arrive_s,
                behind_s=behind_s,
                preference_s=0 if against is None else int(against[row]),
                held_for=held_for.get(row),
                position=told.position,
            )
        )
    return found


def _verdict(half: Half, row: int, broken: int) -> Verdict:
    if broken == 0:
        return _BEHIND
    return Verdict.LAST_RESORT if row in half.guarded else _REMOVED


# Members of an enumeration by name of their own: to look one up costs more than all the rest.
_SELECTED: Final = Verdict.SELECTED
_BEHIND: Final = Verdict.BEHIND
_REMOVED: Final = Verdict.REMOVED


def _totals(half: Half, bits: NDArray[np.int32]) -> list[int]:
    by_kind: list[list[int]] = tally(bits, half.muster.roster.agency).tolist()
    return by_kind[AGENCIES.index(half.agency)]


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
