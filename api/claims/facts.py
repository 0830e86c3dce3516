"""What a status of a unit means for claims and calls: facts, never refused (rule 11).

What lives here: from one status of one unit, as the CAD reports it, to the assignments and claims
as they are then, with `conflicts` where it does not fit. What does not: keeping the report itself
and the unit's record (`reports`, `roster_facts`).

A report without a call is about the call that the unit is on, or else is claimed for: no other is
known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from api.claims.assignments import (
    SCENE_SAFE,
    TOLD_SAFE,
    Assignment,
    joined,
    keep_assignment,
    left,
    of_call,
    open_of_unit,
    scene_safe_at,
)
from api.claims.claim_rows import (
    claims_of_units,
    end_claim,
    keep_claim,
    live_claims,
    look_again,
)
from api.claims.records import Claim, ClaimState
from api.ids import new_id
from api.store.calls import ALERT_PREFIX
from api.store.sql_calls import read_call
from api.store.writer import Transaction
from routing.codes import Agency, Mode, Status

ON_CALL: Final = frozenset(
    {
        Status.DISPATCHED, Status.ENROUTE, Status.STAGED, Status.ON_SCENE, Status.TRANSPORTING,
        Status.AT_FACILITY,
    }
)  # fmt: skip
"""What a unit's status says while it is on a call."""


class FactConflict(StrEnum):
    """What does not fit a report; recorded with it, and nothing is made up to make it fit.

    UNIT_ALREADY_ASSIGNED: the CAD had it on another call, or another call holds it by a claim,
    which is displaced.
    RELEASED_BEFORE_SCENE_SAFE: police left a call that CARE is on before the scene was safe and
    CARE was there.
    HALF_PAIR: a call for a pair has one unit of it only.
    ILLEGAL_STATUS_JUMP: the status cannot follow the one before.
    OLDER_THAN_KNOWN: a later status of the unit is known; recorded, and nothing is changed.
    AT_IN_FUTURE: it begins later than now; recorded as sent, and taken as if it began now.
    UNIT_NOT_IN_ROSTER: the roster does not have the unit; its calls are followed all the same.
    """

    UNIT_ALREADY_ASSIGNED = "UNIT_ALREADY_ASSIGNED"
    RELEASED_BEFORE_SCENE_SAFE = "RELEASED_BEFORE_SCENE_SAFE"
    HALF_PAIR = "HALF_PAIR"
    ILLEGAL_STATUS_JUMP = "ILLEGAL_STATUS_JUMP"
    OLDER_THAN_KNOWN = "OLDER_THAN_KNOWN"
    AT_IN_FUTURE = "AT_IN_FUTURE"
    UNIT_NOT_IN_ROSTER = "UNIT_NOT_IN_ROSTER"


class Conflict(Struct, frozen=True, kw_only=True):
    """One thing that does not fit, and on which call."""

    code: FactConflict
    detail: str
    incident_id: str | None = None


class Fact(Struct, frozen=True, kw_only=True):
    """One status of one unit, as the CAD reports it."""

    unit_id: str
    agency: Agency | None
    status: Status
    at: datetime
    is_own_clock: bool = False
    """Whether `at` is by our clock, because the CAD said none that can be believed."""
    incident_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Effects:
    """What a fact changed."""

    conflicts: list[Conflict] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    """Claims that ended by it."""

    @property
    def incident_ids(self) -> list[str]:
        """Calls of which something is another now."""
        return [
            *(one.incident_id for one in self.assignments),
            *(c.incident_id for c in self.claims),
        ]

    def flag(self, code: FactConflict, detail: str, incident_id: str | None = None) -> None:
        """Add what does not fit."""
        self.conflicts.append(Conflict(code=code, detail=detail, incident_id=incident_id))


def take_fact(tx: Transaction, fact: Fact) -> Effects:
    """Bring assignments and claims to what a fact says."""
    on = open_of_unit(tx.connection, fact.unit_id)
    claim = claims_of_units(tx.connection, [fact.unit_id]).get(fact.unit_id)
    effects = Effects()
    call = fact.incident_id or _call_meant(fact, on, claim)
    if fact.status in ON_CALL or (fact.incident_id and fact.status in _EITHER):
        if call is not None:
            _join(tx, fact, call, on, claim, effects)
    elif fact.status is not Status.UNKNOWN:
        _leave_all(tx, fact, on, claim, effects)
    return effects


_EITHER: Final = frozenset({Status.BUSY, Status.UNKNOWN})
"""On a call where the report names one."""


def _call_meant(fact: Fact, on: Sequence[Assignment], claim: Claim | None) -> str | None:
    claimed = None if claim is None else claim.incident_id
    if claimed is not None and fact.status is Status.DISPATCHED:
        return claimed
    return on[0].incident_id if on else claimed


# -- onto a call ----------------------------------------------------------------------------------


def _join(
    tx: Transaction,
    fact: Fact,
    call: str,
    on: Sequence[Assignment],
    claim: Claim | None,
    effects: Effects,
) -> None:
    is_known = any(one.incident_id == call for one in on)
    others = [one for one in on if one.incident_id != call]
    if claim is not None and claim.incident_id != call and not is_known:
        said = f"It was claimed for {claim.incident_id}; that claim is displaced."
        effects.flag(FactConflict.UNIT_ALREADY_ASSIGNED, said, claim.incident_id)
        _displace(tx, claim, fact.unit_id, effects)
    for one in others:
        said = f"It was on {one.incident_id}, and nobody said that it was cleared."
        effects.flag(FactConflict.UNIT_ALREADY_ASSIGNED, said, one.incident_id)
        _leave(tx, one, fact.at, call, effects)
    own = claim if claim is not None and claim.incident_id == call else None
    there = of_call(tx.connection, call)
    earlier = next((one for one in there if one.unit_id == fact.unit_id), None)
    fresh = Assignment(
        incident_id=call,
        unit_id=fact.unit_id,
        agency=fact.agency,
        status=fact.status,
        claim_id=own.claim_id if own else earlier.claim_id if earlier else None,
        assigned_at=fact.at,
        stamps={},
    )
    after = joined(earlier, fresh, fact.status, fact.at)
    keep_assignment(tx, after, is_new=earlier is None)
    effects.assignments.append(after)
    if own is not None:
        _report_claimed(tx, own, fact, effects)
    if earlier is None:
        _flag_half_pair(tx, after, there, effects)


def _report_claimed(tx: Transaction, claim: Claim, fact: Fact, effects: Effects) -> None:
    """Note that the CAD has a unit on the call that claimed it; the last one fulfils the claim."""
    units = tuple(
        replace(unit, reported_at=unit.reported_at or fact.at)
        if unit.unit_id == fact.unit_id
        else unit
        for unit in claim.units
    )
    now = replace(claim, units=units)
    if now.is_reported:
        effects.claims.append(end_claim(tx, now, ClaimState.FULFILLED))
    elif now != claim:
        keep_claim(tx, now)


def _flag_half_pair(
    tx: Transaction, fresh: Assignment, others: Sequence[Assignment], effects: Effects
) -> None:
    """Flag a unit that is the first on a call for a pair, with nobody claimed to go with it."""
    call = read_call(tx.connection, fresh.incident_id)
    if call is None or call.answering is not Mode.DUAL or fresh.agency is None:
        return
    kinds = {one.agency for one in others}
    for claim in live_claims(tx.connection, fresh.incident_id):
        kinds |= {unit.agency for unit in claim.units}
    for claim in effects.claims:
        if claim.incident_id == fresh.incident_id:
            kinds |= {unit.agency for unit in claim.units}
    if kinds <= {fresh.agency, None}:
        said = f"Only {fresh.agency} is on this call, which is for a pair."
        effects.flag(FactConflict.HALF_PAIR, said, fresh.incident_id)


# -- off a call -----------------------------------------------------------------------------------


def _leave_all(
    tx: Transaction,
    fact: Fact,
    on: Sequence[Assignment],
    claim: Claim | None,
    effects: Effects,
) -> None:
    if claim is not None:
        was_there = claim.unit(fact.unit_id).reported_at is not None
        if was_there or fact.status is not Status.AVAILABLE:
            _displace(tx, claim, fact.unit_id, effects)
    for one in on:
        _leave(tx, one, fact.at, None, effects)


def _leave(
    tx: Transaction, one: Assignment, at: datetime, moved_to: str | None, effects: Effects
) -> None:
    after = left(one, at, moved_to)
    keep_assignment(tx, after, is_new=False)
    effects.assignments.append(after)
    staying = [u for u in of_call(tx.connection, one.incident_id) if u.is_open]
    coming = _kinds_coming(tx, one.incident_id)
    other = {Agency.CARE: Agency.SPD, Agency.SPD: Agency.CARE}.get(one.agency or Agency.CARE)
    before = len(effects.conflicts)
    if not one.was_there and any(unit.agency is other for unit in staying):
        said = f"{one.unit_id} left before it arrived, and {other} is on the call."
        effects.flag(FactConflict.HALF_PAIR, said, one.incident_id)
    care = [unit for unit in staying if unit.agency is Agency.CARE]
    if one.agency is Agency.SPD and (care or Agency.CARE in coming):
        _flag_early_release(tx, one, care, effects)
    if moved_to is not None or len(effects.conflicts) > before:
        look_again(tx, one.incident_id, "UNIT_LEFT")


def _kinds_coming(tx: Transaction, incident_id: str) -> set[Agency]:
    return {u.agency for claim in live_claims(tx.connection, incident_id) for u in claim.units}


def _flag_early_release(
    tx: Transaction, one: Assignment, care: Sequence[Assignment], effects: Effects
) -> None:
    """Flag, and announce as an alert, police that left before they might (rule 5)."""
    is_safe = scene_safe_at(tx.connection, one.incident_id, SCENE_SAFE, TOLD_SAFE) is not None
    if is_safe and any(unit.was_there for unit in care):
        return
    said = f"{one.unit_id} left before SCENE_SAFE and CARE on scene; recorded as it is."
    effects.flag(FactConflict.RELEASED_BEFORE_SCENE_SAFE, said, one.incident_id)
    told = {
        "event": str(FactConflict.RELEASED_BEFORE_SCENE_SAFE),
        "incident_id": one.incident_id,
        "unit_id": one.unit_id,
    }
    tx.announce("alert", new_id(ALERT_PREFIX, tx.at), told)


def _displace(tx: Transaction, claim: Claim, unit_id: str, effects: Effects) -> None:
    """End a claim whose unit is elsewhere: its partner is free, its call is looked at again."""
    ended = end_claim(tx, claim, ClaimState.DISPLACED)
    effects.claims.append(ended)
    there = [u.unit_id for u in claim.units if u.reported_at and u.unit_id != unit_id]
    if there and len(claim.units) > 1:
        said = f"{', '.join(there)} of the displaced claim is on the call already."
        effects.flag(FactConflict.HALF_PAIR, said, claim.incident_id)
    look_again(tx, claim.incident_id, "CLAIM_DISPLACED")
