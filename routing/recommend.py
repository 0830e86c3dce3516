"""Start reading here: one Situation and one Incident become one Recommendation.

`recommend` is the whole decision: gates, arrivals, rules of units, the pair, the explanation. It is
pure: no clock (`decided_at` is given), no files, no chance; equal inputs give equal answers, byte
for byte, whatever order the units came in. "No unit is free" is an answer, not an error.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from routing.answer import GateResult, Recommendation
from routing.arrivals import NO_MARKS, Muster, Ranked, Target, Terms, find_target, gather
from routing.codes import Agency, Eta, GateCode, Mode, Outcome
from routing.dispatch import Case
from routing.eligibility import (
    ALREADY_ASSIGNED,
    EXCLUDED,
    mark_taken,
)
from routing.gates import CallCheck, check_call
from routing.halves import Team, fixed_halves, form_team, needed_units, wish_for
from routing.model import Incident, Options, Situation
from routing.outcomes import Draft, Field, StageCallback, dispatched, held, not_eligible
from routing.placement import FIX, Placement, place_units
from routing.police import NO_LIMITS, limit_police
from routing.policy import OnNoSpd
from routing.roster import UnitColumns

_PLAIN: Final = Options()


def no_stage(_name: str) -> None:
    """Do nothing when a stage begins."""


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
        Called with GATES, SNAP, LABELS, RULES, SOLVE, ROUTES and EXPLAIN as each begins.

    Raises
    ------
    ValueError
        When `decided_at` has no offset from UTC.
    """
    if decided_at.tzinfo is None:
        raise ValueError(
            f"decided_at is {decided_at}; expected an instant with its offset from UTC"
        )
    decided_at = decided_at.astimezone(UTC)
    begin = stage or no_stage
    return conclude(prepare(situation, incident, decided_at, options, begin))


class Prepared(Struct, frozen=True, kw_only=True, eq=False):
    """A call whose gates are tested and whose units are surveyed, before anybody is chosen."""

    draft: Draft
    field: Field | None = None
    """None for a call that is not eligible."""
    team: Team | None = None
    opens_at: datetime | None = None
    """When the hours begin, for a call that has to wait for them."""


def prepare(
    situation: Situation,
    incident: Incident,
    decided_at: datetime,
    options: Options,
    begin: StageCallback,
) -> Prepared:
    """Return everything that the choice of units rests on; `decided_at` in UTC."""
    begin("GATES")
    check = check_call(situation, incident, decided_at)
    case = Case(situation=situation, incident=incident, options=options, check=check)
    draft = Draft(case=case, decided_at=decided_at)
    opens_at = _opening(check.failing)
    if check.failing and opens_at is None:
        return Prepared(draft=draft)
    begin("SNAP")
    target = find_target(situation, incident.location, check.policy)
    begin("LABELS")
    needed = needed_units(check, incident)
    terms = Terms(
        policy=check.policy,
        decided_at=decided_at,
        rules=check.rules,
        urgent=check.mode is Mode.SPD_ADD,
        marks=_marks(situation.roster, incident, options),
        wish=wish_for(needed, options),
    )
    muster, future = _muster(situation, target, terms)
    begin("RULES")
    field = _survey(draft, muster, future, begin)
    fixed = fixed_halves(situation, incident, target, terms) if incident.assigned else {}
    ranked = muster.ranked if field.limits is NO_LIMITS else None
    if ranked is not None and not _has_earlier(ranked, field, options.earlier_unit_ids):
        ranked = None
    team = form_team(muster, field.bits, needed, options, fixed, ranked)
    return Prepared(draft=draft, field=field, team=team, opens_at=opens_at)


def _has_earlier(ranked: Ranked, field: Field, earlier: frozenset[str]) -> bool:
    """Tell whether the units named earlier that qualify are among the first of their kind."""
    roster = field.muster.roster
    for unit_id in earlier:
        row = roster.row_of(unit_id)
        if (
            row is not None
            and field.bits[row] == 0
            and row not in ranked.qualified[roster.agency[row]]
        ):
            return False
    return True


def conclude(prepared: Prepared) -> Recommendation:
    """Return the answer to a call for whose team the first candidates are right."""
    draft, field, team = prepared.draft, prepared.field, prepared.team
    if field is None or team is None:
        return not_eligible(draft)
    field.begin("SOLVE")
    if prepared.opens_at is None and not team.missing:
        return dispatched(draft, field, team)
    if team.missing == (Agency.SPD,) and _care_may_go_alone(draft.case.check):
        solo = conclude(_alone(prepared))
        if solo.outcome is Outcome.DISPATCH:
            return solo
    return held(draft, field, team, prepared.opens_at)


def _alone(prepared: Prepared) -> Prepared:
    """Return the same call as one that CARE answers alone."""
    case, field = prepared.draft.case, prepared.field
    assert field is not None, "a call that is not eligible has nobody to send"
    incident = replace(case.incident, requested_mode=Mode.SOLO)
    decided_at = prepared.draft.decided_at
    return prepare(case.situation, incident, decided_at, case.options, field.begin)


def _opening(failing: tuple[GateResult, ...]) -> datetime | None:
    """Return when the hours begin, if that is all that the call has to wait for."""
    if len(failing) == 1 and failing[0].code is GateCode.BEFORE_OPENING:
        return failing[0].opens_at
    return None


def _care_may_go_alone(check: CallCheck) -> bool:
    """Tell whether the policy lets CARE go alone when the pair waits for police only (rule 6)."""
    policy = check.policy
    return (
        check.mode is Mode.DUAL and policy.on_no_spd is OnNoSpd.SOLO and Mode.SOLO in policy.modes
    )


# -- the units ------------------------------------------------------------------------------------


def _marks(roster: UnitColumns, incident: Incident, options: Options) -> NDArray[np.int64]:
    """Return the rows and bits of units that the request names: (n, 2)."""
    if not options.exclude_unit_ids and not incident.assigned:
        return NO_MARKS
    marks = [(unit_id, EXCLUDED) for unit_id in options.exclude_unit_ids]
    marks += [(unit.unit_id, ALREADY_ASSIGNED) for unit in incident.assigned]
    rows = [(roster.row_of(unit_id), bit) for unit_id, bit in marks]
    return np.array([one for one in rows if one[0] is not None], np.int64).reshape(-1, 2)


def _muster(
    situation: Situation, target: Target, terms: Terms
) -> tuple[Muster, NDArray[np.bool_] | None]:
    """Return the units as seen from the call, and (n_units,) whose fix is in the future, if any."""
    roster = situation.roster
    latest_s = terms.decided_at.timestamp() + terms.policy.future_fix_s
    future = roster.fixed_at_s > latest_s if roster.latest_fix_s > latest_s else None
    placement = _placement(situation, future)
    return gather(situation, (roster, placement), target, terms), future


def _placement(situation: Situation, future: NDArray[np.bool_] | None) -> Placement:
    """Return where the units are: the view's own, but for fixes that must not be used (rare)."""
    ignore = future
    if situation.rung is Eta.BEAT_ORDER:
        ignore = np.ones(len(situation.roster), np.bool_)
    if ignore is None or not (ignore & (situation.placement.source == FIX)).any():
        return situation.placement
    return place_units(
        situation.roster,
        network=situation.network,
        streets=situation.streets,
        travel_times=situation.travel_times,
        homes=situation.homes,
        ignore_fix=ignore,
    )


def _survey(
    draft: Draft, muster: Muster, future: NDArray[np.bool_] | None, begin: StageCallback
) -> Field:
    """Return the units with the rules that each of them breaks."""
    case, roster = draft.case, muster.roster
    check = case.check
    bits = muster.broken
    limits = NO_LIMITS
    if check.mode is not Mode.SPD_ADD:
        limits = limit_police(
            case.situation, case.incident, check, muster, bits, case.options.competing
        )
    if case.options.taken:
        taken = mark_taken(bits, roster, case.options.taken)
        limits = replace(limits, held_for={**limits.held_for, **taken})
    return Field(muster=muster, bits=bits, future=future, limits=limits, begin=begin)
