"""The rules that a unit must keep to be chosen, as bit masks over the roster (rule 7).

What lives here: what each unit breaks by itself. What does not: what other police work and the
reserve of a sector take away (`police`), and the gates of a call (`gates`).
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.codes import Mode, UnitRule
from routing.policy import ModeRules, Policy, Requirement
from routing.roster import AGENCIES, AVAILABLE, CREW_UNKNOWN, UnitColumns

_NOT_AVAILABLE: Final = int(UnitRule.STATUS_NOT_AVAILABLE)
_CLAIMED: Final = int(UnitRule.CLAIMED)
_CREW_BELOW: Final = int(UnitRule.CREW_BELOW_MINIMUM)
_CREW_UNKNOWN: Final = int(UnitRule.CREW_UNKNOWN)
_SKILL: Final = int(UnitRule.SKILL_MISSING)
SHIFT_ENDING: Final = int(UnitRule.SHIFT_ENDING)
NOT_REACHABLE: Final = int(UnitRule.NOT_REACHABLE)
EXCLUDED: Final = int(UnitRule.EXCLUDED)
ALREADY_ASSIGNED: Final = int(UnitRule.ALREADY_ASSIGNED)
OUT_OF_SCOPE: Final = int(UnitRule.OUT_OF_SCOPE)
HELD: Final = int(UnitRule.HELD_FOR_HIGHER_PRIORITY)
RESERVE: Final = int(UnitRule.RESERVE)
TAKEN: Final = int(UnitRule.TAKEN_IN_BATCH)

_RULE_BITS: Final = tuple((int(rule), str(rule.name)) for rule in UnitRule)


def broken_rules(
    roster: UnitColumns, policy: Policy, rules: ModeRules, mode: Mode, *, now_s: float
) -> NDArray[np.int32]:
    """Return (n_units,) the `UnitRule` bits that each unit breaks by itself; 0 qualifies.

    Which units a request rules out and which cannot be reached is added by the caller. For SPD_ADD
    only availability counts: no crew, no skill, no shift (rule 1).

    Parameters
    ----------
    now_s
        The instant of decision, seconds since 1970.
    """
    bits = np.where(roster.status == AVAILABLE, 0, _NOT_AVAILABLE).astype(np.int32)
    bits[roster.claimed] |= _CLAIMED
    if mode is Mode.SPD_ADD:
        return bits
    bits[now_s + policy.shift_guard_s > roster.shift_end_s] |= SHIFT_ENDING
    required = [rules.requirements.get(agency, _NO_DEMAND) for agency in AGENCIES]
    wanted = np.array([one.min_crew for one in required], np.int32)[roster.agency]
    unknown = roster.crew_count == CREW_UNKNOWN
    bits[~unknown & (roster.crew_count < wanted)] |= _CREW_BELOW
    # A unit on duty has somebody in it, so not knowing how many matters only above one.
    bits[unknown & (wanted > 1)] |= _CREW_UNKNOWN
    for code, one in enumerate(required):
        if one.required_skills:
            bits[(roster.agency == code) & ~roster.having(one.required_skills)] |= _SKILL
    return bits


_NO_DEMAND: Final = Requirement()


def preference_s(roster: UnitColumns, rules: ModeRules) -> NDArray[np.int64] | None:
    """Return (n_units,) seconds that count against each unit for preferred skills it lacks.

    None where the mode prefers none.
    """
    if not any(one.preferred_skills for one in rules.requirements.values()):
        return None
    against = np.zeros(len(roster), np.int64)
    for agency, one in rules.requirements.items():
        own = roster.agency == AGENCIES.index(agency)
        for skill, worth_s in one.preferred_skills.items():
            against[own & ~roster.having(frozenset({skill}))] += worth_s
    return against


def mark_units(
    bits: NDArray[np.int32], roster: UnitColumns, unit_ids: Iterable[str], bit: int
) -> None:
    """Set a bit on the rows of these units, in place; units that are not in the roster are none."""
    for unit_id in unit_ids:
        row = roster.row_of(unit_id)
        if row is not None:
            bits[row] |= bit


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
