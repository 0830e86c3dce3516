"""The six gates of a call, each with its reason and who may override it (rules 1, 2 and 15).

What lives here: which mode decides a call (`mode_of`) and what its gates say (`check_call`). What
does not: the rules of units (`eligibility`), seconds, and what follows from a failed gate
(`recommend`).

All gates are listed, failed or not: whoever asks sees at once everything that would have to change.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from geodata.place_check import PlaceCheck, check_place
from geodata.zones import Zone, ZoneKind
from routing.codes import (
    Agency,
    Answer,
    Gate,
    GateCode,
    GateOutcome,
    Mode,
    Origin,
    OverrideAction,
    Question,
    Role,
)
from routing.model import GateResult, Incident, Screening, Situation, TakenOverride
from routing.policy import (
    DUAL_RULES,
    SPD_ADD_RULES,
    SPD_ONLY_RULES,
    Area,
    ModeRules,
    Policy,
)

ACTS_FOR: Final = MappingProxyType(
    {
        Role.DISPATCHER: frozenset({Role.DISPATCHER}),
        Role.SUPERVISOR: frozenset({Role.DISPATCHER, Role.SUPERVISOR}),
        Role.SPD_SERGEANT: frozenset({Role.SPD_SERGEANT}),
        Role.NONE: frozenset[Role](),
    }
)
"""For which roles a role may decide."""


class CallCheck(Struct, frozen=True, kw_only=True, eq=False):
    """What the gates said, and the policy, mode and rules that they were read from."""

    gates: tuple[GateResult, ...]
    failing: tuple[GateResult, ...]
    """Every gate that failed, in their order."""
    policy: Policy
    mode: Mode
    rules: ModeRules
    """Of the mode; of DUAL where the policy does not have the mode."""
    released: bool = False
    """A police sergeant lets CARE go alone."""


class _Call(Struct, frozen=True, kw_only=True, eq=False):
    """What all gates read."""

    situation: Situation
    incident: Incident
    decided_at: datetime
    place: PlaceCheck
    hits: tuple[Zone, ...]
    policy: Policy
    mode: Mode
    rules: ModeRules | None
    """None where the policy does not have the mode."""
    released: bool


def check_call(situation: Situation, incident: Incident, decided_at: datetime) -> CallCheck:
    """Return the result of all six gates."""
    call = _read(situation, incident, decided_at)
    zone = _zone(call)
    if incident.overrides:
        zone = _overridden(zone, incident.overrides)
    zoned = zone.result is not GateOutcome.FAIL
    gates = [_location(call.place), zone]
    gates += [_result(call, gate, zoned=zoned) for gate in _AFTER_ZONE]
    if incident.overrides:
        gates = [_overridden(gate, incident.overrides) for gate in gates]
    if incident.assigned and any(unit.agency is Agency.CARE for unit in incident.assigned):
        gates = [_not_revoked(gate) for gate in gates]
    return CallCheck(
        gates=tuple(gates),
        failing=tuple([gate for gate in gates if gate.result is _FAIL]),
        policy=call.policy,
        mode=call.mode,
        rules=call.rules or DUAL_RULES,
        released=call.released,
    )


_FAIL: Final = GateOutcome.FAIL
_AFTER_ZONE: Final = (Gate.TIME_WINDOW, Gate.CALL_TYPE, Gate.SCREENING, Gate.MODE)


def _read(situation: Situation, incident: Incident, decided_at: datetime) -> _Call:
    at = incident.location
    place = check_place(situation.network, at.lon, at.lat)
    hits: tuple[Zone, ...] = ()
    if place in (PlaceCheck.INSIDE, PlaceCheck.OUTSIDE):
        hits = situation.zones.zones_at(at.lon, at.lat)
    taking = [zone for zone in hits if zone.kind is not ZoneKind.EXCLUDE]
    policy = situation.policy_of(taking[0] if taking else None)
    released = has_taken(incident, OverrideAction.RELEASE_CARE_ALONE, Role.SPD_SERGEANT)
    mode = mode_of(incident, policy)
    return _Call(
        situation=situation,
        incident=incident,
        decided_at=decided_at,
        place=place,
        hits=hits,
        policy=policy,
        mode=mode,
        rules=rules_of(policy, mode, released=released),
        released=released and mode is Mode.SOLO,
    )


# -- the mode -------------------------------------------------------------------------------------


def mode_of(incident: Incident, policy: Policy) -> Mode:
    """Return the mode that decides a call: what persons decided, what was asked, what policy says.

    BY_POLICY means the policy's `officer_mode` where an officer asks and police are on the call.
    """
    if incident.overrides:
        if has_taken(incident, OverrideAction.SEND_SPD_ONLY, Role.DISPATCHER):
            return Mode.SPD_ONLY
        if has_taken(incident, OverrideAction.RELEASE_CARE_ALONE, Role.SPD_SERGEANT):
            return Mode.SOLO
    asked = incident.requested_mode
    if asked is not Mode.BY_POLICY:
        return asked
    by_officer = incident.origin is not Origin.CALL_911 and _police_assigned(incident)
    return (
        policy.officer_mode
        if by_officer and policy.officer_mode in policy.modes
        else policy.by_policy_mode
    )


def rules_of(policy: Policy, mode: Mode, *, released: bool) -> ModeRules | None:
    """Return the rules of a mode, or None where the policy does not have it.

    Police can always be sent. CARE that a sergeant releases is judged as the pair would be.
    """
    if mode is Mode.SPD_ADD:
        return policy.modes.get(mode, SPD_ADD_RULES)
    if mode is Mode.SPD_ONLY:
        return policy.modes.get(mode, SPD_ONLY_RULES)
    if released and mode is Mode.SOLO:
        return _released_rules(policy)
    return policy.modes.get(mode)


def _released_rules(policy: Policy) -> ModeRules:
    pair = policy.modes.get(Mode.DUAL, DUAL_RULES)
    return ModeRules(
        requirements={Agency.CARE: pair.requirements[Agency.CARE]},
        refuses_yes=pair.refuses_yes,
        refuses_unknown=pair.refuses_unknown,
        gates=pair.gates,
        area=pair.area,
    )


def _police_assigned(incident: Incident) -> bool:
    return any(unit.agency is Agency.SPD for unit in incident.assigned)


def has_taken(incident: Incident, action: OverrideAction, role: Role) -> bool:
    """Tell whether somebody who may decide for `role` took this override."""
    return bool(incident.overrides) and any(
        taken.action is action and role in ACTS_FOR[taken.role] for taken in incident.overrides
    )


def _overridden(gate: GateResult, overrides: tuple[TakenOverride, ...]) -> GateResult:
    """Return a gate as passed, where it failed and a person with the role for it let it pass."""
    role = gate.overridable_by
    if gate.result is not GateOutcome.FAIL or role in (None, Role.NONE):
        return gate
    if not any(
        taken.action is OverrideAction.OVERRIDE_GATE
        and taken.gate is gate.gate
        and role in ACTS_FOR[taken.role]
        for taken in overrides
    ):
        return gate
    return _let_pass(gate, GateCode.OVERRIDDEN)


def _not_revoked(gate: GateResult) -> GateResult:
    """Return hours and call type as passed: after dispatch they revoke nothing (rule 14)."""
    revokes = gate.gate not in (Gate.TIME_WINDOW, Gate.CALL_TYPE)
    if gate.result is not GateOutcome.FAIL or revokes:
        return gate
    return _let_pass(gate, GateCode.ALREADY_DISPATCHED)


def _let_pass(gate: GateResult, code: GateCode) -> GateResult:
    codes = (gate.code, *gate.further_codes)
    return GateResult(
        gate=gate.gate,
        result=GateOutcome.PASS,
        code=code,
        value=gate.value,
        zones=gate.zones,
        further_codes=tuple([failed for failed in codes if failed is not None]),
    )


# -- the gates ------------------------------------------------------------------------------------


def _pass(gate: Gate, value: str | None = None, code: GateCode | None = None) -> GateResult:
    return GateResult(gate=gate, result=GateOutcome.PASS, value=value, code=code)


def _fail(gate: Gate, code: GateCode, role: Role, *, value: str | None = None) -> GateResult:
    return GateResult(
        gate=gate, result=GateOutcome.FAIL, code=code, value=value, overridable_by=role
    )


def _not_evaluated(gate: Gate, code: GateCode) -> GateResult:
    return GateResult(gate=gate, result=GateOutcome.NOT_EVALUATED, code=code)


def _location(place: PlaceCheck) -> GateResult:
    """Far from a street is no failure: the answer then rests on straight lines and says so."""
    if place is PlaceCheck.INSIDE:
        return _PASS_LOCATION
    return _fail(Gate.LOCATION, GateCode(f"LOCATION_{place}"), Role.NONE)


_PASS_LOCATION: Final = _pass(Gate.LOCATION)


def _zone(call: _Call) -> GateResult:
    rules = call.rules
    if rules is not None and Gate.ZONE not in rules.gates:
        return _not_evaluated(Gate.ZONE, GateCode.NOT_IN_MODE)
    if call.place not in (PlaceCheck.INSIDE, PlaceCheck.OUTSIDE):
        return _not_evaluated(Gate.ZONE, GateCode.NO_LOCATION)
    hits = call.hits
    if hits:
        winner = hits[0]
        excluded = winner.kind is ZoneKind.EXCLUDE
        return GateResult(
            gate=Gate.ZONE,
            result=GateOutcome.FAIL if excluded else GateOutcome.PASS,
            code=GateCode.EXCLUDED_ZONE if excluded else None,
            overridable_by=Role.SUPERVISOR if excluded else None,
            value=winner.zone_id,
            zones=tuple([zone.zone_id for zone in hits]),
        )
    if rules is not None and rules.area is Area.CITY:
        return _pass(Gate.ZONE, code=GateCode.WHOLE_CITY)
    at = call.incident.location
    nearest = call.situation.zones.nearest(at.lon, at.lat)
    return GateResult(
        gate=Gate.ZONE,
        result=GateOutcome.FAIL,
        code=GateCode.OUTSIDE_ALL_ZONES,
        overridable_by=Role.SUPERVISOR,
        nearest=None if nearest is None else nearest[0].zone_id,
        edge_m=None if nearest is None else round(nearest[1]),
    )


def _result(call: _Call, gate: Gate, *, zoned: bool) -> GateResult:
    """Return what a gate says; outside every zone there is no policy to test most of them by."""
    if gate is Gate.SCREENING:
        if call.rules is None:
            return _not_evaluated(gate, GateCode.MODE_NOT_ALLOWED)
    elif not zoned and all(zone.kind is ZoneKind.EXCLUDE for zone in call.hits):
        return _not_evaluated(gate, GateCode.NO_ZONE)
    if call.rules is not None and gate not in call.rules.gates:
        return _not_evaluated(gate, GateCode.NOT_IN_MODE)
    return _TESTS[gate](call)


def _mode(call: _Call) -> GateResult:
    mode = call.mode
    if call.rules is None:
        return _fail(Gate.MODE, GateCode.MODE_NOT_ALLOWED, Role.SUPERVISOR, value=mode.value)
    if call.released:
        return _pass(Gate.MODE, mode.value, GateCode.RELEASED_BY_SERGEANT)
    incident = call.incident
    if (
        mode is Mode.CARE_ONLY_ADD
        and incident.origin is Origin.CALL_911
        and not _police_assigned(incident)
    ):
        return _fail(Gate.MODE, GateCode.NO_SPD_ON_CALL, Role.SPD_SERGEANT, value=mode.value)
    return _PASS_MODE[mode]


_PASS_MODE: Final = {mode: _pass(Gate.MODE, mode.value) for mode in Mode}


def _window(call: _Call) -> GateResult:
    return check_window(call.policy, call.incident, call.decided_at)


def check_window(policy: Policy, incident: Incident, decided_at: datetime) -> GateResult:
    """Test the hours at the instant of decision.

    A call *accepted before closing* stays eligible: it was received or queued during the opening
    that closed last, however long ago that was. It fails with BEFORE_OPENING, and is held, when the
    window opens later the same local day and within `hold_before_opening_max_s`.
    """
    window = policy.window
    if window.open_at(decided_at) is not None:
        return _pass(Gate.TIME_WINDOW, str(window))
    last = window.last_before(decided_at)
    accepted = (incident.received_at, incident.queued_at)
    if last is not None and any(at is not None and last.holds(at) for at in accepted):
        return GateResult(
            gate=Gate.TIME_WINDOW,
            result=GateOutcome.PASS,
            code=GateCode.ACCEPTED_BEFORE_CLOSING,
            value=str(window),
        )
    following = window.next_after(decided_at)
    opens_at = None if following is None else following.opens_at
    wait_max = timedelta(seconds=policy.hold_before_opening_max_s)
    held = (
        opens_at is not None
        and window.local_date(opens_at) == window.local_date(decided_at)
        and opens_at - decided_at <= wait_max
    )
    return GateResult(
        gate=Gate.TIME_WINDOW,
        result=GateOutcome.FAIL,
        code=GateCode.BEFORE_OPENING if held else GateCode.OUTSIDE_WINDOW,
        value=str(window),
        overridable_by=Role.SUPERVISOR,
        opens_at=opens_at,
    )


def _call_type(call: _Call) -> GateResult:
    types = call.policy.call_types
    kind = types.kind(call.incident.call_type)
    if kind is None:
        return _fail(Gate.CALL_TYPE, GateCode.CALL_TYPE_NOT_MAPPED, Role.DISPATCHER)
    if kind not in types.eligible:
        code = GateCode.CALL_TYPE_NOT_ELIGIBLE
        return _fail(Gate.CALL_TYPE, code, Role.SUPERVISOR, value=kind)
    return _pass(Gate.CALL_TYPE, kind)


def _screening(call: _Call) -> GateResult:
    assert call.rules is not None, "a mode that is not allowed has no screening"
    return check_screening(call.incident.screening, call.rules)


_YES_CODE: Final = {
    Question.WEAPON: GateCode.WEAPON_REPORTED,
    Question.VIOLENCE: GateCode.VIOLENCE_REPORTED,
    Question.MEDICAL: GateCode.MEDICAL_REPORTED,
    Question.ENFORCEMENT: GateCode.ENFORCEMENT_NEEDED,
    Question.DRUG_USE: GateCode.DRUG_USE_REPORTED,
}
_UNKNOWN_CODE: Final = {
    Question.WEAPON: GateCode.WEAPON_UNKNOWN,
    Question.VIOLENCE: GateCode.VIOLENCE_UNKNOWN,
    Question.MEDICAL: GateCode.MEDICAL_UNKNOWN,
    Question.ENFORCEMENT: GateCode.ENFORCEMENT_UNKNOWN,
    Question.DRUG_USE: GateCode.DRUG_USE_UNKNOWN,
}
NEVER_OVERRIDDEN: Final = frozenset(
    {
        GateCode.WEAPON_REPORTED,
        GateCode.VIOLENCE_REPORTED,
        GateCode.MEDICAL_REPORTED,
        GateCode.SCREENING_NOT_RECORDED,
    }
)
"""A weapon or violence is no call for CARE, a medical one is the fire department's, and a screening
that nobody did is mended by doing it."""


_NO: Final = Answer.NO
_PASS_SCREENING: Final = _pass(Gate.SCREENING)


def check_screening(screening: Screening, rules: ModeRules) -> GateResult:
    """Test the call taker's answers; YES weighs most, then a missing record, then UNKNOWN."""
    answers = [one for one in screening.answers() if one[1] is not _NO]
    if not answers and screening.completed_at is not None:
        return _PASS_SCREENING
    codes = [_YES_CODE[q] for q, a in answers if a is Answer.YES and q in rules.refuses_yes]
    if screening.completed_at is None:
        codes.append(GateCode.SCREENING_NOT_RECORDED)
    else:
        unknown = [q for q, a in answers if a is Answer.UNKNOWN and q in rules.refuses_unknown]
        codes += [_UNKNOWN_CODE[q] for q in unknown]
    if not codes:
        return _PASS_SCREENING
    never = not NEVER_OVERRIDDEN.isdisjoint(codes)
    return GateResult(
        gate=Gate.SCREENING,
        result=GateOutcome.FAIL,
        code=codes[0],
        further_codes=tuple(codes[1:]),
        overridable_by=Role.NONE if never else Role.SUPERVISOR,
    )


_TESTS: Final[Mapping[Gate, Callable[[_Call], GateResult]]] = {
    Gate.TIME_WINDOW: _window,
    Gate.CALL_TYPE: _call_type,
    Gate.SCREENING: _screening,
    Gate.MODE: _mode,
}
