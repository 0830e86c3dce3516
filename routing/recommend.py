"""Start reading here: one Situation and one Incident become one Recommendation.

`recommend` is the whole decision: gates, arrivals, rules of units, the pair, the explanation. It is
pure: no clock (`decided_at` is given), no files, no chance; equal inputs give equal answers, byte
for byte, whatever order the units came in. "No unit is free" is an answer, not an error.
"""

from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import GateResult, Recommendation
from routing.arrivals import NEVER_S, Target, find_target, gather
from routing.codes import Agency, GateCode
from routing.dispatch import SHOWN, Case
from routing.eligibility import (
    ALREADY_ASSIGNED,
    EXCLUDED,
    NOT_REACHABLE,
    broken_rules,
    check_call,
    mark_units,
)
from routing.halves import Half, candidates, fixed_halves
from routing.model import Incident, Options, Situation
from routing.outcomes import Draft, Field, StageCallback, dispatched, held, not_eligible
from routing.placement import FIX, Placement, place_units

_PLAIN: Final = Options()


def _no_stage(_name: str) -> None:
    pass


def recommend(
    situation: Situation,
    incident: Incident,
    decided_at: datetime,
    options: Options = _PLAIN,
    *,
    stage: StageCallback | None = None,
) -> Recommendation:
    """Return what to do with a call.

    Parameters
    ----------
    decided_at
        The instant to decide for, with an offset from UTC.
    stage
        Called with GATES, ARRIVALS, RULES, PAIR and EXPLAIN as each begins.

    Raises
    ------
    ValueError
        When `decided_at` has no offset from UTC.
    """
    if decided_at.tzinfo is None:
        raise ValueError(
            f"decided_at is {decided_at}; expected an instant with its offset from UTC"
        )
    begin = stage or _no_stage
    case = Case(situation=situation, incident=incident, options=options)
    decided_at = decided_at.astimezone(UTC)
    begin("GATES")
    check = check_call(situation, incident, decided_at)
    draft = Draft(case=case, check=check, decided_at=decided_at)
    failing = check.failing
    held_until = _opening(failing)
    if failing and held_until is None:
        return not_eligible(draft)
    begin("ARRIVALS")
    target = find_target(situation, incident.location, check.policy)
    field = _survey(draft, target)
    begin("RULES")
    halves = _halves(draft, field, target)
    if held_until is not None or any(not half.rows for half in halves.values()):
        return held(draft, field, halves, held_until, begin)
    begin("PAIR")
    return dispatched(draft, field, halves, begin)


def _opening(failing: tuple[GateResult, ...]) -> datetime | None:
    """Return when the hours begin, if that is all that the call has to wait for."""
    if len(failing) == 1 and failing[0].code is GateCode.BEFORE_OPENING:
        return failing[0].opens_at
    return None


# -- the units ------------------------------------------------------------------------------------


def _survey(draft: Draft, target: Target) -> Field:
    situation, policy = draft.case.situation, draft.check.policy
    roster, now_s = situation.roster, draft.decided_at.timestamp()
    future = roster.fixed_at_s > now_s + policy.future_fix_s
    muster = gather(
        situation,
        (roster, _placement_without(situation, future)),
        target,
        policy=policy,
        decided_at=draft.decided_at,
    )
    rules = policy.modes[draft.check.mode]
    bits = broken_rules(roster, rules, now_s=now_s, guard_s=policy.shift_guard_s)
    bits[muster.arrive_s == NEVER_S] |= NOT_REACHABLE
    mark_units(bits, roster, draft.case.options.exclude_unit_ids, EXCLUDED)
    mark_units(bits, roster, [u.unit_id for u in draft.case.incident.assigned], ALREADY_ASSIGNED)
    return Field(muster=muster, bits=bits, future=future)


def _placement_without(situation: Situation, future: NDArray[np.bool_]) -> Placement:
    """Return where the units are, without fixes in the future (rare, so all are placed anew)."""
    if not (future & (situation.placement.source == FIX)).any():
        return situation.placement
    return place_units(
        situation.roster,
        network=situation.network,
        streets=situation.streets,
        travel_times=situation.travel_times,
        homes=situation.homes,
        ignore_fix=future,
    )


def _halves(draft: Draft, field: Field, target: Target) -> dict[Agency, Half]:
    """Return both halves, SPD first: fixed where a unit is on the call, else the candidates."""
    case = draft.case
    fixed = fixed_halves(
        case.situation,
        case.incident,
        target,
        policy=draft.check.policy,
        decided_at=draft.decided_at,
    )
    return {
        agency: fixed.get(agency) or candidates(field.muster, field.bits, agency, case.options)
        for agency in SHOWN
    }
