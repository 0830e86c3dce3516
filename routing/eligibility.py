"""What a call must pass and what a unit must have, each with its reason.

What lives here: the gates of a call (`check_call`) and the rules of a unit (`broken_rules`). What
does not: seconds, and what follows from a failed gate (`recommend`).

All gates are listed, failed or not: whoever asks sees at once everything that would have to change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.snap import PlaceCheck, check_place
from geodata.zones import Zone, ZoneKind
from routing.codes import (
    Answer,
    Gate,
    GateCode,
    GateOutcome,
    Mode,
    Question,
    Role,
    UnitRule,
)
from routing.model import GateResult, Incident, Screening, Situation
from routing.policy import ModeRules, Policy
from routing.roster import AGENCIES, AVAILABLE, CREW_UNKNOWN, UnitColumns

MODES_BUILT: Final = frozenset({Mode.DUAL})
"""Modes that this version decides; all others are answered with MODE_NOT_SUPPORTED."""

# -- the call -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCheck:
    """What the gates said, and the policy and mode that they were read from."""

    gates: tuple[GateResult, ...]
    policy: Policy
    mode: Mode

    @property
    def failing(self) -> tuple[GateResult, ...]:
        """Every gate that failed, in their order."""
        return tuple([gate for gate in self.gates if gate.result is GateOutcome.FAIL])


def check_call(situation: Situation, incident: Incident, decided_at: datetime) -> CallCheck:
    """Return the result of all six gates."""
    at = incident.location
    place = check_place(situation.network, at.lon, at.lat)
    hits: tuple[Zone, ...] = ()
    if place in (PlaceCheck.INSIDE, PlaceCheck.OUTSIDE):
        hits = situation.zones.zones_at(at.lon, at.lat)
    taking = next((zone for zone in hits if zone.kind is not ZoneKind.EXCLUDE), None)
    policy = situation.policy_of(taking)
    asked = incident.requested_mode
    mode = policy.by_policy_mode if asked is Mode.BY_POLICY else asked
    return CallCheck(
        gates=(
            _location(place),
            *_gates_of_mode(situation, incident, decided_at, (mode, policy, hits, place)),
        ),
        policy=policy,
        mode=mode,
    )


_Context = tuple[Mode, Policy, tuple[Zone, ...], PlaceCheck]


def _gates_of_mode(
    situation: Situation, incident: Incident, decided_at: datetime, context: _Context
) -> tuple[GateResult, ...]:
    """Return the five gates after LOCATION; a mode that is not built has no gates to test."""
    mode, policy, hits, place = context
    after_location = (Gate.ZONE, Gate.TIME_WINDOW, Gate.CALL_TYPE, Gate.SCREENING)
    if mode not in MODES_BUILT:
        code = GateCode.MODE_NOT_SUPPORTED
        untested = tuple(_not_evaluated(gate, code) for gate in after_location)
        return (*untested, _fail(Gate.MODE, code, Role.NONE, value=mode.value))
    zone = _zone(situation, incident, hits, place)
    rules = policy.modes.get(mode)
    screening = (
        _not_evaluated(Gate.SCREENING, GateCode.MODE_NOT_ALLOWED)
        if rules is None
        else check_screening(incident.screening, rules)
    )
    if all(hit.kind is ZoneKind.EXCLUDE for hit in hits):
        untested = tuple(
            _not_evaluated(gate, GateCode.NO_ZONE)
            for gate in (Gate.TIME_WINDOW, Gate.CALL_TYPE, Gate.MODE)
        )
        return (zone, *untested[:2], screening, untested[2])
    return (
        zone,
        check_window(policy, incident, decided_at),
        _call_type(policy, incident.call_type),
        screening,
        _pass(Gate.MODE, mode.value)
        if rules is not None
        else _fail(Gate.MODE, GateCode.MODE_NOT_ALLOWED, Role.SUPERVISOR, value=mode.value),
    )


def _pass(gate: Gate, value: str | None = None) -> GateResult:
    return GateResult(gate=gate, result=GateOutcome.PASS, value=value)


def _fail(gate: Gate, code: GateCode, role: Role, *, value: str | None = None) -> GateResult:
    return GateResult(
        gate=gate, result=GateOutcome.FAIL, code=code, value=value, overridable_by=role
    )


def _not_evaluated(gate: Gate, code: GateCode) -> GateResult:
    return GateResult(gate=gate, result=GateOutcome.NOT_EVALUATED, code=code)


def _location(place: PlaceCheck) -> GateResult:
    """Far from a street is no failure: the answer then rests on straight lines and says so."""
    if place is PlaceCheck.INSIDE:
        return _pass(Gate.LOCATION)
    return _fail(Gate.LOCATION, GateCode(f"LOCATION_{place}"), Role.NONE)


def _zone(
    situation: Situation, incident: Incident, hits: tuple[Zone, ...], place: PlaceCheck
) -> GateResult:
    if place not in (PlaceCheck.INSIDE, PlaceCheck.OUTSIDE):
        return _not_evaluated(Gate.ZONE, GateCode.NO_LOCATION)
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
    nearest = situation.zones.nearest(incident.location.lon, incident.location.lat)
    return GateResult(
        gate=Gate.ZONE,
        result=GateOutcome.FAIL,
        code=GateCode.OUTSIDE_ALL_ZONES,
        overridable_by=Role.SUPERVISOR,
        nearest=None if nearest is None else nearest[0].zone_id,
        edge_m=None if nearest is None else round(nearest[1]),
    )


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


def _call_type(policy: Policy, raw: str) -> GateResult:
    kind = policy.call_types.kind(raw)
    if kind is None:
        return _fail(Gate.CALL_TYPE, GateCode.CALL_TYPE_NOT_MAPPED, Role.DISPATCHER)
    if kind not in policy.call_types.eligible:
        code = GateCode.CALL_TYPE_NOT_ELIGIBLE
        return _fail(Gate.CALL_TYPE, code, Role.SUPERVISOR, value=kind)
    return _pass(Gate.CALL_TYPE, kind)


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


def check_screening(screening: Screening, rules: ModeRules) -> GateResult:
    """Test the call taker's answers; YES weighs most, then a missing record, then UNKNOWN."""
    answers = screening.answers()
    codes = [_YES_CODE[q] for q, a in answers if a is Answer.YES and q in rules.refuses_yes]
    if screening.completed_at is None:
        codes.append(GateCode.SCREENING_NOT_RECORDED)
    else:
        unknown = [q for q, a in answers if a is Answer.UNKNOWN and q in rules.refuses_unknown]
        codes += [_UNKNOWN_CODE[q] for q in unknown]
    if not codes:
        return _pass(Gate.SCREENING)
    never = not NEVER_OVERRIDDEN.isdisjoint(codes)
    return GateResult(
        gate=Gate.SCREENING,
        result=GateOutcome.FAIL,
        code=codes[0],
        further_codes=tuple(codes[1:]),
        overridable_by=Role.NONE if never else Role.SUPERVISOR,
    )


# -- the units ------------------------------------------------------------------------------------

_NOT_AVAILABLE: Final = int(UnitRule.STATUS_NOT_AVAILABLE)
_CLAIMED: Final = int(UnitRule.CLAIMED)
_CREW_BELOW: Final = int(UnitRule.CREW_BELOW_MINIMUM)
_CREW_UNKNOWN: Final = int(UnitRule.CREW_UNKNOWN)
_SKILL: Final = int(UnitRule.SKILL_MISSING)
SHIFT_ENDING: Final = int(UnitRule.SHIFT_ENDING)
NOT_REACHABLE: Final = int(UnitRule.NOT_REACHABLE)
EXCLUDED: Final = int(UnitRule.EXCLUDED)
ALREADY_ASSIGNED: Final = int(UnitRule.ALREADY_ASSIGNED)

_RULE_BITS: Final = tuple((int(rule), str(rule.name)) for rule in UnitRule)


def broken_rules(
    roster: UnitColumns, rules: ModeRules, *, now_s: float, guard_s: int
) -> NDArray[np.int32]:
    """Return (n_units,) the `UnitRule` bits that each unit breaks by itself; 0 qualifies.

    Which units a request rules out and which cannot be reached is added by the caller.

    Parameters
    ----------
    now_s
        The instant of decision, seconds since 1970.
    """
    bits = np.where(roster.status == AVAILABLE, 0, _NOT_AVAILABLE).astype(np.int32)
    bits[roster.claimed] |= _CLAIMED
    bits[now_s + guard_s > roster.shift_end_s] |= SHIFT_ENDING
    least_crew = np.array([rules.requirements[agency].min_crew for agency in AGENCIES], np.int32)
    wanted = least_crew[roster.agency]
    unknown = roster.crew_count == CREW_UNKNOWN
    bits[~unknown & (roster.crew_count < wanted)] |= _CREW_BELOW
    # A unit on duty has somebody in it, so not knowing how many matters only above one.
    bits[unknown & (wanted > 1)] |= _CREW_UNKNOWN
    for code, agency in enumerate(AGENCIES):
        skills = rules.requirements[agency].required_skills
        if skills:
            bits[(roster.agency == code) & ~roster.having(skills)] |= _SKILL
    return bits


def mark_units(
    bits: NDArray[np.int32], roster: UnitColumns, unit_ids: Iterable[str], bit: int
) -> None:
    """Set a bit on the rows of these units, in place; units that are not in the roster are none."""
    for unit_id in unit_ids:
        row = roster.row_of(unit_id)
        if row is not None:
            bits[row] |= bit


def rule_names(bits: int) -> tuple[str, ...]:
    """Return the names of the rules in a bit mask, in their order of declaration."""
    return tuple([name for bit, name in _RULE_BITS if bits & bit])
