"""The rules that a unit must keep to be chosen, as bit masks over the roster (rule 7).

What lives here: what is asked of each kind, and marks on units that a request names. What each
unit breaks by itself is found in one pass over the roster (`candidates_kernel`). What does not:
what other police work and the reserve of a sector take away (`police`), and the gates (`gates`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.candidates_kernel import Needs
from routing.codes import Agency, UnitRule
from routing.policy import ModeRules, Policy, Requirement
from routing.roster import AGENCIES, UnitColumns

SHIFT_ENDING: Final = int(UnitRule.SHIFT_ENDING)
EXCLUDED: Final = int(UnitRule.EXCLUDED)
ALREADY_ASSIGNED: Final = int(UnitRule.ALREADY_ASSIGNED)
OUT_OF_SCOPE: Final = int(UnitRule.OUT_OF_SCOPE)
HELD: Final = int(UnitRule.HELD_FOR_HIGHER_PRIORITY)
RESERVE: Final = int(UnitRule.RESERVE)
TAKEN: Final = int(UnitRule.TAKEN_IN_BATCH)

_RULE_BITS: Final = tuple((int(rule), str(rule.name)) for rule in UnitRule)


def needs_of(policy: Policy, rules: ModeRules | None) -> Needs:
    """Return what `candidates_kernel.survey` wants of CARE and SPD: turnout, crew, skills."""
    turnout_s, (care, spd) = turnouts_s(policy), _demands(rules)
    return (
        (turnout_s[0], care.min_crew, 1 if care.required_skills else 0),
        (turnout_s[1], spd.min_crew, 1 if spd.required_skills else 0),
    )


def turnouts_s(policy: Policy) -> tuple[int, int]:
    """Return the seconds until CARE and until SPD drives off; by the codes of a roster's column."""
    return policy.turnout_care_s, policy.turnout_spd_s


def skill_bits(roster: UnitColumns, rules: ModeRules | None) -> NDArray[np.int64]:
    """Return (n_units,) 1 where a unit has the skills that its kind must have."""
    care, spd = _demands(rules)
    return roster.skill_bits(care.required_skills, spd.required_skills)


def _demands(rules: ModeRules | None) -> tuple[Requirement, Requirement]:
    """Return what a mode wants of CARE and of SPD."""
    if rules is None:
        return _NO_DEMAND, _NO_DEMAND
    wanted = rules.requirements
    return wanted.get(Agency.CARE, _NO_DEMAND), wanted.get(Agency.SPD, _NO_DEMAND)


_NO_DEMAND: Final = Requirement()
UNFREE: Final = int(UnitRule.STATUS_NOT_AVAILABLE | UnitRule.CLAIMED | UnitRule.NOT_REACHABLE)
"""What alone counts for SPD_ADD: no crew, no skill, no shift (rule 1)."""


def preference_s(roster: UnitColumns, rules: ModeRules) -> NDArray[np.int64] | None:
    """Return (n_units,) seconds that count against each unit for preferred skills it lacks.

    None where the mode prefers none.
    """
    if not [one for one in rules.requirements.values() if one.preferred_skills]:
        return None
    against = np.zeros(len(roster), np.int64)
    for agency, one in rules.requirements.items():
        own = roster.agency == AGENCIES.index(agency)
        for skill, worth_s in one.preferred_skills.items():
            against[own & ~roster.having(frozenset({skill}))] += worth_s
    return against


def mark_taken(
    bits: NDArray[np.int32], roster: UnitColumns, taken: Mapping[str, str]
) -> dict[int, str]:
    """Set TAKEN_IN_BATCH on units that other calls have, in place; return the call by row."""
    held_for = {}
    for unit_id, incident_id in taken.items():
        row = roster.row_of(unit_id)
        if row is not None:
            bits[row] |= TAKEN
            held_for[row] = incident_id
    return held_for


@cache
def rule_names(bits: int) -> tuple[str, ...]:
    """Return the names of the rules in a bit mask, in their order of declaration."""
    return tuple([name for bit, name in _RULE_BITS if bits & bit])
