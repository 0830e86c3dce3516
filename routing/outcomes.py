"""The three outcomes of a decision, each filled into one Recommendation.

What lives here: DISPATCH, HOLD and NOT_ELIGIBLE as answers, with their overrides, warnings and
basis. What does not: which of them it is (`recommend`).
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from routing import cautions
from routing.answer import (
    AnswerWarning,
    Assignment,
    Basis,
    Explanation,
    GateResult,
    Hold,
    Override,
    Recommendation,
)
from routing.arrivals import BY_STREET, Muster, Target, find_target
from routing.closed_streets import metres_inside, touched_closures
from routing.codes import (
    Agency,
    Eta,
    Gate,
    GateCode,
    GateOutcome,
    HoldReason,
    Mode,
    NextStep,
    Outcome,
    OverrideAction,
    Role,
)
from routing.dispatch import (
    Case,
    alternatives,
    assignment,
    assignments,
    check_choice,
    pair_times,
)
from routing.explain import NOTHING, explain
from routing.halves import Team
from routing.hold import Waiting, hold_for_opening, hold_for_units
from routing.interlock import of_release
from routing.police import PoliceLimits
from routing.policy import OnNoCare
from routing.wording import for_dispatch, for_hold, for_not_eligible

FIRE_DEPARTMENT: Final = "FIRE_DEPARTMENT"

StageCallback = Callable[[str], None]
"""Told the name of each stage as it begins; lets the caller time them and changes nothing."""


class Draft(Struct, frozen=True, kw_only=True, eq=False):
    """What every answer to one call shares."""

    case: Case
    decided_at: datetime
    proven: bool = True
    """Whether the choice of units is the best there is; a batch may not have had time to prove."""
    cut_short: bool = False
    """A deadline ended the search of a batch."""


class Field(Struct, frozen=True, kw_only=True, eq=False):
    """The units of the roster as seen from the call, the rules they break, and what is doubtful."""

    muster: Muster
    bits: NDArray[np.int32]
    future: NDArray[np.bool_] | None
    """(n_units,) fixes in the future; None without any."""
    limits: PoliceLimits
    begin: StageCallback


# -- the three outcomes ---------------------------------------------------------------------------


def dispatched(draft: Draft, field: Field, team: Team) -> Recommendation:
    """Return the answer when all kinds are there: the units, and what comes next to them."""
    case = draft.case
    check_choice(team)
    field.begin("ROUTES")
    assign = assignments(case, team)
    field.begin("EXPLAIN")
    return _answer(
        draft,
        field.muster.target,
        outcome=Outcome.DISPATCH,
        mode=case.check.mode,
        message=for_dispatch(assign),
        assign=assign,
        pair=pair_times(team),
        alternatives=alternatives(team, case.options.alternatives),
        explain=_explain(field, team),
        overrides=(_USE_OTHER_UNIT,) if team.sought else (),
        next_step=NextStep.CONFIRM if team.sought else NextStep.NONE,
        inside_closure_m=metres_inside(field.muster),
        closures=touched_closures(case.situation, field.muster.target, team),
        warnings=_warnings(draft, field, team),
        basis=_basis(draft, field.muster, assign, proven=draft.proven),
    )


def held(draft: Draft, field: Field, team: Team, opens_at: datetime | None) -> Recommendation:
    """Return the answer when a half is missing, or when the hours begin at `opens_at`."""
    check = draft.case.check
    waiting = Waiting(
        incident=draft.case.incident,
        team=team,
        muster=field.muster,
        bits=field.bits,
        urgent=check.mode is Mode.SPD_ADD,
    )
    send_now = _send_now(draft, team, opens_at)
    if opens_at is None:
        hold = hold_for_units(waiting, send_now)
    else:
        hold = hold_for_opening(waiting, opens_at, send_now)
    field.begin("EXPLAIN")
    return _answer(
        draft,
        field.muster.target,
        outcome=Outcome.HOLD,
        mode=check.mode,
        message=for_hold(hold, check.mode, check.policy.window),
        explain=_explain(field, team),
        hold=hold,
        overrides=_hold_overrides(check.mode, hold, opens_at),
        next_step=NextStep.WAIT_OR_OVERRIDE,
        inside_closure_m=metres_inside(field.muster),
        closures=touched_closures(draft.case.situation, field.muster.target, team),
        warnings=_warnings(draft, field, team),
        basis=_basis(draft, field.muster, send_now, proven=draft.proven),
    )


def _send_now(draft: Draft, team: Team, opens_at: datetime | None) -> tuple[Assignment, ...]:
    """Return the police that go at once: CARE has to wait (rule 6), or is on the call without them.

    The second happens before the hours alone, because in them the pair would be complete.
    """
    police, care = team.sought.get(Agency.SPD), team.sought.get(Agency.CARE)
    if police is None or not police.complete or draft.case.check.mode is not Mode.DUAL:
        return ()
    care_waits = care is not None and (opens_at is not None or not care.complete)
    if care_waits and draft.case.check.policy.on_no_care is not OnNoCare.SEND_SPD:
        return ()
    if not care_waits and care is not None:
        return ()
    return tuple(
        [assignment(draft.case, police, place, None) for place in range(len(police.chosen))]
    )


def not_eligible(draft: Draft) -> Recommendation:
    """Return the answer when a gate failed: no units, and who may override what."""
    case = draft.case
    failing, policy = case.check.failing, case.check.policy
    refer_to = _refer_to(failing)
    target = None
    if case.check.gates[0].result is GateOutcome.PASS:
        target = find_target(case.situation, case.incident.location, policy)
    place = cautions.of_place(case.situation, case.incident, target, policy)
    asserted = cautions.of_overrides(case.incident, case.check)
    return _answer(
        draft,
        target,
        outcome=Outcome.NOT_ELIGIBLE,
        mode=None if refer_to is None else Mode.REFER,
        refer_to=refer_to,
        message=for_not_eligible(failing, refer_to),
        explain=NOTHING,
        overrides=_gate_overrides(failing),
        next_step=NextStep.NORMAL_RESPONSE_PLAN if refer_to is None else NextStep.REFER,
        closures=touched_closures(case.situation, target, None),
        warnings=(*place, *asserted),
    )


def _refer_to(failing: tuple[GateResult, ...]) -> str | None:
    """Return who takes a medical call; with a weapon or violence it needs more than them."""
    codes = {code for gate in failing for code in (gate.code, *gate.further_codes)}
    harm = {GateCode.WEAPON_REPORTED, GateCode.VIOLENCE_REPORTED}
    medical = GateCode.MEDICAL_REPORTED in codes and not codes & harm
    return FIRE_DEPARTMENT if medical else None


# -- what the outcomes share ----------------------------------------------------------------------


def _answer(draft: Draft, target: Target | None, **filled: Any) -> Recommendation:
    """Return an answer with what each outcome fills in, and the rest empty."""
    case = draft.case
    if "basis" not in filled:
        filled["basis"] = _basis(draft, target, (), proven=True)
    return Recommendation(
        incident_id=case.incident.incident_id,
        incident_version=case.incident.version,
        decided_at=draft.decided_at,
        valid_until=draft.decided_at + timedelta(seconds=case.check.policy.valid_for_s),
        urgent=case.check.mode is Mode.SPD_ADD,
        gates=case.check.gates,
        **filled,
    )


def _explain(field: Field, team: Team) -> Explanation:
    return explain(team, field.bits, field.limits.held_for)


def _warnings(draft: Draft, field: Field, team: Team) -> tuple[AnswerWarning, ...]:
    case, muster = draft.case, field.muster
    situation = case.situation
    found: list[AnswerWarning] = []
    found += cautions.of_place(situation, case.incident, muster.target, case.check.policy)
    if case.incident.overrides:
        found += cautions.of_overrides(case.incident, case.check)
    if case.incident.assigned:
        found += of_release(case.incident)
    found += cautions.of_mode(case, team, sector_unknown=field.limits.sector_unknown)
    found += cautions.of_closures(muster, team)
    for half in team.named():
        found += cautions.of_fixed(half) if half.fixed else cautions.of_chosen(half)
    if field.future is not None or situation.placement.any_discarded:
        found += cautions.of_fixes(situation, field.future)
    return tuple(found)


_USE_OTHER_UNIT: Final = Override(action=OverrideAction.USE_OTHER_UNIT, role=Role.DISPATCHER)
_SEND_SPD_ONLY: Final = Override(action=OverrideAction.SEND_SPD_ONLY, role=Role.DISPATCHER)
_DIVERT_UNIT: Final = Override(action=OverrideAction.DIVERT_UNIT, role=Role.SUPERVISOR)
_USE_RESERVE: Final = Override(action=OverrideAction.USE_RESERVE, role=Role.SUPERVISOR)
_RELEASE_CARE: Final = Override(action=OverrideAction.RELEASE_CARE_ALONE, role=Role.SPD_SERGEANT)
_OPEN_EARLY: Final = Override(
    action=OverrideAction.OVERRIDE_GATE, role=Role.SUPERVISOR, gate=Gate.TIME_WINDOW
)


def _hold_overrides(mode: Mode, hold: Hold, opens_at: datetime | None) -> tuple[Override, ...]:
    """Return what a person may do instead of waiting."""
    if opens_at is not None:
        return (_OPEN_EARLY,)
    overrides = []
    if HoldReason.RESERVE in hold.reasons:
        overrides.append(_USE_RESERVE)
    if mode is Mode.DUAL and hold.missing == (Agency.SPD,):
        overrides.append(_RELEASE_CARE)
    if mode in (Mode.DUAL, Mode.SOLO) and hold.missing == (Agency.CARE,):
        overrides.append(_SEND_SPD_ONLY)
    return (*overrides, _DIVERT_UNIT)


def _gate_overrides(failing: Iterable[GateResult]) -> tuple[Override, ...]:
    """Return who may let the call pass; nobody, when one of the gates is beyond anybody."""
    roles = [(gate.gate, gate.overridable_by or Role.NONE) for gate in failing]
    if any(role is Role.NONE for _, role in roles):
        return ()
    return tuple(
        [
            Override(action=OverrideAction.OVERRIDE_GATE, role=role, gate=gate)
            for gate, role in roles
        ]
    )


def _basis(
    draft: Draft, seen: Muster | Target | None, chosen: Iterable[Assignment], *, proven: bool
) -> Basis:
    situation = draft.case.situation
    versions = situation.versions
    muster = seen if isinstance(seen, Muster) else None
    target = muster.target if muster is not None else seen
    times = situation.travel_times if muster is None else muster.times
    eta = situation.rung
    if eta in BY_STREET and (
        times is None or (isinstance(target, Target) and not target.on_street)
    ):
        eta = Eta.STRAIGHT_LINE
    estimated = any(
        unit.arrive_s is not None and unit.drive_m is None and not unit.already_assigned
        for unit in chosen
    )
    return Basis(
        eta=eta,
        degraded=eta is not Eta.ROAD or estimated,
        release_id=versions.release_id,
        zone_version=versions.zone_version,
        policy_version=versions.policy_version,
        network_id=situation.network.source.network_id,
        weights_id=None if times is None else times.weights_id,
        closures_active=versions.closures_active,
        unit_source=versions.unit_source,
        proven_optimal=proven,
        cut_short=draft.cut_short,
        software=versions.software,
        rung=situation.rung,
    )
