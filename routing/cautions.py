"""What a dispatcher should know about an answer although it does not stop it.

What lives here: every warning of a recommendation, each with the place in the request it is about.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geodata.snap import NO_STREET
from routing.answer import AnswerWarning
from routing.arrivals import Muster, Target
from routing.codes import (
    Agency,
    Eta,
    GateCode,
    Mode,
    OverrideAction,
    PositionBasis,
    Role,
    WarningCode,
)
from routing.dispatch import Case
from routing.gates import CallCheck
from routing.halves import Half, Team
from routing.model import Incident, Situation
from routing.policy import Policy

_FRESH: Final = PositionBasis.AVL
_AGED: Final = (PositionBasis.AVL_AGED, PositionBasis.LAST_KNOWN)
_ASSUMED: Final = (PositionBasis.HOME_POST, PositionBasis.BEAT_CENTRE, PositionBasis.UNKNOWN)


def _warning(code: WarningCode, path: str, detail: str) -> AnswerWarning:
    return AnswerWarning(code=code, path=path, detail=detail)


def of_place(
    situation: Situation, incident: Incident, target: Target | None, policy: Policy
) -> Iterator[AnswerWarning]:
    """Yield what is doubtful about where the call is; without a target its place is no place."""
    if target is None:
        return
    snapped = target.snapped
    if snapped.street == NO_STREET:
        yield _warning(
            WarningCode.SNAP_FAR,
            "/incident/location",
            "no street anywhere near; straight lines used",
        )
    elif snapped.distance_m > policy.snap.warn_m:
        far = snapped.distance_m > policy.snap.refuse_m
        said = f"{round(snapped.distance_m)} m from the nearest street, at lon {snapped.lon:.6f}, "
        said += f"lat {snapped.lat:.6f}"
        name = situation.network.name_of(snapped.street)
        said += f" ({name})" if name else ""
        yield _warning(
            WarningCode.SNAP_FAR if far else WarningCode.SNAP_DISTANT,
            "/incident/location",
            said + ("; arrivals are straight-line estimates" if far else ""),
        )
    if situation.travel_times is None:
        yield _warning(
            WarningCode.NO_STREET_TIMES,
            "",
            "no drive times are loaded; arrivals are straight-line estimates",
        )
    at = incident.location
    if at.uncertainty_m > 0 and situation.zones.is_near_edge(at.lon, at.lat, at.uncertainty_m):
        yield _warning(
            WarningCode.ZONE_UNCERTAIN,
            "/incident/location/uncertainty_m",
            f"the edge of a zone lies within the call's {at.uncertainty_m:g} m of uncertainty",
        )


def of_overrides(incident: Incident, check: CallCheck) -> Iterator[AnswerWarning]:
    """Yield the overrides that somebody asserted and that changed nothing."""
    passed = {gate.gate for gate in check.gates if gate.code is GateCode.OVERRIDDEN}
    for place, taken in enumerate(incident.overrides):
        action = taken.action
        if action is OverrideAction.OVERRIDE_GATE:
            applied = taken.gate in passed
        elif action is OverrideAction.RELEASE_CARE_ALONE:
            applied = check.released
        elif action is OverrideAction.SEND_SPD_ONLY:
            applied = check.mode is Mode.SPD_ONLY
        else:
            applied = action is not OverrideAction.USE_RESERVE or taken.role is Role.SUPERVISOR
        if not applied:
            what = f"{action} {taken.gate}" if taken.gate else str(action)
            yield _warning(
                WarningCode.OVERRIDE_NOT_APPLIED,
                f"/incident/overrides/{place}",
                f"{what} by {taken.role} was not applied: the role may not, or nothing failed",
            )


def of_mode(case: Case, team: Team, *, sector_unknown: bool) -> Iterator[AnswerWarning]:
    """Yield what the mode needs and the request or the situation does not have."""
    situation, mode = case.situation, case.check.mode
    if mode is Mode.CARE_ONLY_ADD and Agency.SPD not in team.fixed:
        yield _warning(
            WarningCode.SPD_NOT_NAMED,
            "/incident/assigned",
            "an officer asks for CARE, and the request does not say which police are there",
        )
    if mode is Mode.SPD_ADD and situation.emergency_times is None:
        yield _warning(
            WarningCode.NOT_EMERGENCY_TIMES,
            "",
            "no drive times with lights and sirens are loaded; arrivals are those of routine trips",
        )
    if sector_unknown:
        yield _warning(
            WarningCode.SECTOR_UNKNOWN,
            "/incident/location",
            f"spd_scope is {case.check.policy.spd_scope} and the call's is not known; any police",
        )
    if situation.rung is not Eta.ROAD and situation.travel_times is not None:
        yield _warning(
            WarningCode.LOWER_RUNG, "", f"arrivals come from {situation.rung}, not live routing"
        )


def of_closures(muster: Muster, team: Team) -> Iterator[AnswerWarning]:
    """Yield that the call is inside a closure, with the metres, and which chosen units are."""
    times, labels = muster.times, muster.labels
    if times is None or labels is None or not times.has_closures or not muster.target.on_street:
        return
    metres = times.inside_m(muster.target.snapped)
    if metres > 0:
        yield _warning(
            WarningCode.INSIDE_CLOSURE,
            "/incident/location",
            f"inside a closure: reached over {max(1, round(metres))} m of closed street from the "
            "nearest open end",
        )
    chosen = {row for half in team.named() if not half.fixed for row in half.chosen}
    for row in sorted(chosen & set(labels.rows_inside)):
        if not muster.by_line[row]:
            yield _warning(
                WarningCode.INSIDE_CLOSURE,
                muster.roster.path(row, "/position"),
                f"{muster.roster.call_sign[row]}: stands inside a closure and drives out",
            )


def of_fixes(situation: Situation, future: NDArray[np.bool_] | None) -> Iterator[AnswerWarning]:
    """Yield the fixes that were not used, in the order of unit_id."""
    discarded, roster = situation.placement.discarded, situation.roster
    wrong = discarded if future is None else discarded | future
    for row in np.flatnonzero(wrong).tolist():
        late = future is not None and future[row]
        why = "fixed_at is in the future" if late else "outside the street network or (0, 0)"
        yield _warning(
            WarningCode.FIX_DISCARDED,
            roster.path(row, "/position"),
            f"{roster.unit_id[row]}: {why}; not used",
        )


def of_chosen(half: Half) -> list[AnswerWarning]:
    """Return what is doubtful about the units of a half that was looked for."""
    muster, found = half.muster, list[AnswerWarning]()
    for row in half.chosen:
        if muster.facts_of(row).position.basis is not _FRESH or muster.by_line.item(row):
            found += _position(muster, row)
        late = _shift(half, row)
        if late is not None:
            found.append(late)
    return found


def _shift(half: Half, row: int) -> AnswerWarning | None:
    muster = half.muster
    if row in half.guarded:
        return _warning(
            WarningCode.SHIFT_ENDING,
            muster.roster.path(row, "/shift_end"),
            f"{muster.roster.call_sign[row]}: last resort, its shift ends within "
            f"{muster.policy.shift_guard_s // 60} minutes or is over",
        )
    finish_s = muster.now_s + muster.arrive_s.item(row) + muster.policy.mean_service_s
    if not finish_s > muster.roster.shift_end_s.item(row):
        return None
    late_min = round((finish_s - float(muster.roster.shift_end_s[row])) / 60)
    return _warning(
        WarningCode.FINISH_AFTER_SHIFT,
        muster.roster.path(row, "/shift_end"),
        f"{muster.roster.call_sign[row]}: may finish {late_min} minutes after its shift",
    )


def _position(muster: Muster, row: int) -> Iterator[AnswerWarning]:
    path, name = muster.roster.path(row, "/position"), muster.roster.call_sign[row]
    position = muster.facts_of(row).position
    basis, age_s = position.basis, position.age_s
    if basis in _AGED:
        said = "of unknown age" if age_s is None else f"{age_s} s old"
        yield _warning(WarningCode.POSITION_AGED, path, f"{name}: position is {said}")
    elif basis in _ASSUMED:
        yield _warning(WarningCode.POSITION_ASSUMED, path, f"{name}: no usable position, {basis}")
    if muster.by_line[row] and muster.target.on_street:
        metres = float(muster.placement.positions.distance_m[row])
        said = (
            f"{round(metres)} m from any street" if np.isfinite(metres) else "far from any street"
        )
        yield _warning(
            WarningCode.UNIT_SNAP_FAR, path, f"{name}: {said}; arrival is a straight-line estimate"
        )


def of_fixed(half: Half) -> Iterator[AnswerWarning]:
    """Yield the units on the call whose arrival nobody knows."""
    for place in range(len(half.rows)):
        if half.arrive_s(place) is None:
            name = half.muster.roster.call_sign[half.rows[place]]
            yield _warning(
                WarningCode.ASSIGNED_ARRIVAL_UNKNOWN,
                "/incident/assigned",
                f"{name}: no position and not on scene, so its arrival is not known",
            )
