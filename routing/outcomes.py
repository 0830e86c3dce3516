"""The three outcomes of a decision, each filled into one Recommendation.

What lives here: DISPATCH, HOLD and NOT_ELIGIBLE as answers, with their overrides, warnings and
basis. What does not: which of them it is (`recommend`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.answer import (
    AnswerWarning,
    Assignment,
    Basis,
    GateResult,
    Hold,
    Override,
    Recommendation,
)
from routing.arrivals import Muster, Target, find_target
from routing.cautions import of_chosen, of_fixed, of_fixes, of_place
from routing.codes import (
    Agency,
    Eta,
    Gate,
    GateCode,
    GateOutcome,
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
    choose_pair,
    pair_times,
)
from routing.eligibility import CallCheck
from routing.explain import NOTHING, explain
from routing.halves import Half
from routing.hold import hold_for_opening, hold_for_units
from routing.wording import for_dispatch, for_hold, for_not_eligible

FIRE_DEPARTMENT: Final = "FIRE_DEPARTMENT"

StageCallback = Callable[[str], None]
"""Told the name of each stage as it begins; lets the caller time them and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What every answer to one call shares."""

    case: Case
    check: CallCheck
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """The units of the roster as seen from the call, the rules they break, and what is doubtful."""

    muster: Muster
    bits: NDArray[np.int32]
    future: NDArray[np.bool_]
    """(n_units,) fixes in the future."""


# -- the three outcomes ---------------------------------------------------------------------------


def dispatched(
    draft: Draft, field: Field, halves: Mapping[Agency, Half], begin: StageCallback
) -> Recommendation:
    """Return the answer when both halves can be filled: the pair, and what comes next to it."""
    case, check = draft.case, draft.check
    proven = choose_pair(halves)
    assign = assignments(case, halves)
    complete = all(half.fixed for half in halves.values())
    begin("EXPLAIN")
    return replace(
        _blank(draft, field.muster.target),
        outcome=Outcome.DISPATCH,
        mode=check.mode,
        message=for_dispatch(assign),
        assign=assign,
        pair=pair_times(halves),
        alternatives=alternatives(halves, case.options.alternatives),
        explain=explain(halves, field.muster, field.bits, case.options.explain),
        overrides=() if complete else (_override(OverrideAction.USE_OTHER_UNIT, Role.DISPATCHER),),
        next_step=NextStep.NONE if complete else NextStep.CONFIRM,
        warnings=_warnings(draft, field, halves),
        basis=_basis(draft, field.muster.target, assign, proven=proven),
    )


def held(
    draft: Draft,
    field: Field,
    halves: Mapping[Agency, Half],
    opens_at: datetime | None,
    begin: StageCallback,
) -> Recommendation:
    """Return the answer when a half is missing, or when the hours begin at `opens_at`."""
    incident, muster = draft.case.incident, field.muster
    send_now = _send_now(draft, halves, opens_at)
    if opens_at is None:
        hold = hold_for_units(incident, halves, muster, field.bits, send_now)
    else:
        hold = hold_for_opening(incident, halves, muster, opens_at, send_now)
    begin("EXPLAIN")
    return replace(
        _blank(draft, muster.target),
        outcome=Outcome.HOLD,
        mode=draft.check.mode,
        message=for_hold(hold, draft.check.policy.window),
        explain=explain(halves, muster, field.bits, draft.case.options.explain),
        hold=hold,
        overrides=_hold_overrides(hold, opens_at),
        next_step=NextStep.WAIT_OR_OVERRIDE,
        warnings=_warnings(draft, field, halves),
        basis=_basis(draft, muster.target, send_now, proven=True),
    )


def _send_now(
    draft: Draft, halves: Mapping[Agency, Half], opens_at: datetime | None
) -> tuple[Assignment, ...]:
    """Return the police that go at once: CARE has to wait (rule 6), or is on the call without them.

    The second happens before the hours alone, because in them the pair would be complete.
    """
    police, care = halves[Agency.SPD], halves[Agency.CARE]
    if police.fixed or not police.rows:
        return ()
    care_waits = not care.fixed and (opens_at is not None or not care.rows)
    if care_waits and not draft.check.policy.on_no_care_send_spd:
        return ()
    return (assignment(draft.case, police, 0, None),) if care_waits or care.fixed else ()


def not_eligible(draft: Draft) -> Recommendation:
    """Return the answer when a gate failed: no units, and who may override what."""
    failing, policy = draft.check.failing, draft.check.policy
    refer_to = _refer_to(failing)
    target = None
    if draft.check.gates[0].result is GateOutcome.PASS:
        target = find_target(draft.case.situation, draft.case.incident.location, policy)
    place = of_place(draft.case.situation, draft.case.incident, target, policy)
    return replace(
        _blank(draft, target),
        mode=None if refer_to is None else Mode.REFER,
        refer_to=refer_to,
        message=for_not_eligible(failing, refer_to, draft.check.mode),
        overrides=_gate_overrides(failing),
        next_step=NextStep.NORMAL_RESPONSE_PLAN if refer_to is None else NextStep.REFER,
        warnings=tuple(place),
    )


def _refer_to(failing: tuple[GateResult, ...]) -> str | None:
    """Return who takes a medical call; with a weapon or violence it needs more than them."""
    codes = {code for gate in failing for code in (gate.code, *gate.further_codes)}
    harm = {GateCode.WEAPON_REPORTED, GateCode.VIOLENCE_REPORTED}
    medical = GateCode.MEDICAL_REPORTED in codes and not codes & harm
    return FIRE_DEPARTMENT if medical else None


# -- what the outcomes share ----------------------------------------------------------------------


def _blank(draft: Draft, target: Target | None) -> Recommendation:
    """Return an answer without a decision, which each outcome fills."""
    incident = draft.case.incident
    return Recommendation(
        incident_id=incident.incident_id,
        incident_version=incident.version,
        decided_at=draft.decided_at,
        valid_until=draft.decided_at + timedelta(seconds=draft.check.policy.valid_for_s),
        outcome=Outcome.NOT_ELIGIBLE,
        mode=None,
        urgent=draft.check.mode is Mode.SPD_ADD,
        refer_to=None,
        message="",
        gates=draft.check.gates,
        assign=(),
        pair=None,
        alternatives=(),
        explain=NOTHING,
        hold=None,
        overrides=(),
        next_step=NextStep.NORMAL_RESPONSE_PLAN,
        warnings=(),
        basis=_basis(draft, target, (), proven=True),
    )


def _warnings(
    draft: Draft, field: Field, halves: Mapping[Agency, Half]
) -> tuple[AnswerWarning, ...]:
    situation, muster = draft.case.situation, field.muster
    found: list[AnswerWarning] = []
    found += of_place(situation, draft.case.incident, muster.target, draft.check.policy)
    for half in halves.values():
        if half.fixed:
            found += of_fixed(half)
        elif half.rows:
            found += of_chosen(half, int(field.bits[half.rows[0]]))
    discarded = np.flatnonzero(situation.placement.discarded).tolist()
    found += of_fixes(situation.roster, discarded, np.flatnonzero(field.future).tolist())
    return tuple(found)


def _override(action: OverrideAction, role: Role, gate: Gate | None = None) -> Override:
    return Override(action=action, role=role, gate=gate)


def _hold_overrides(hold: Hold, opens_at: datetime | None) -> tuple[Override, ...]:
    """Return what a person may do instead of waiting."""
    overrides: list[Override] = []
    if opens_at is not None:
        overrides.append(_override(OverrideAction.OVERRIDE_GATE, Role.SUPERVISOR, Gate.TIME_WINDOW))
        return tuple(overrides)
    if hold.missing == (Agency.SPD,):
        overrides.append(_override(OverrideAction.RELEASE_CARE_ALONE, Role.SPD_SERGEANT))
    if hold.missing == (Agency.CARE,):
        overrides.append(_override(OverrideAction.SEND_SPD_ONLY, Role.DISPATCHER))
    overrides.append(_override(OverrideAction.DIVERT_UNIT, Role.SUPERVISOR))
    return tuple(overrides)


def _gate_overrides(failing: Iterable[GateResult]) -> tuple[Override, ...]:
    """Return who may let the call pass; nobody, when one of the gates is beyond anybody."""
    roles = [(gate.gate, gate.overridable_by or Role.NONE) for gate in failing]
    if any(role is Role.NONE for _, role in roles):
        return ()
    return tuple(_override(OverrideAction.OVERRIDE_GATE, role, gate) for gate, role in roles)


def _basis(
    draft: Draft, target: Target | None, chosen: Iterable[Assignment], *, proven: bool
) -> Basis:
    situation = draft.case.situation
    times, versions = situation.travel_times, situation.versions
    by_line = times is None or (target is not None and not target.on_street)
    estimated = any(
        unit.arrive_s is not None and unit.drive_m is None and not unit.already_assigned
        for unit in chosen
    )
    return Basis(
        eta=Eta.STRAIGHT_LINE if by_line else Eta.ROAD,
        degraded=by_line or estimated,
        release_id=versions.release_id,
        zone_version=versions.zone_version,
        policy_version=versions.policy_version,
        network_id=situation.network.source.network_id,
        weights_id=None if times is None else times.weights_id,
        closures_active=versions.closures_active,
        unit_source=versions.unit_source,
        proven_optimal=proven,
        cut_short=False,
        software=versions.software,
    )
