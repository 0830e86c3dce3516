"""Override a recommendation: other units, or a decision of a person in a role, with its reason.

What lives here: what is kept of an override, and the claim on the units that it names (both or
none, and never a unit that another claim holds). What does not: the recommendation that is made
with it afterwards (`OVERRIDE_GATE`, `RELEASE_CARE_ALONE`, `SEND_SPD_ONLY`).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import insert

from api.claims.assignments import units_on_calls
from api.claims.call_facts import on_call, refresh_calls
from api.claims.claim_rows import look_again, make_claim, said_of
from api.claims.confirm import (
    ON_A_CALL,
    changed,
    gone,
    held_by_call,
    on_duty_of,
    sent_or_refuse,
    taken,
    why_stale,
)
from api.claims.records import (
    CLAIM_PREFIX,
    OVERRIDE_PREFIX,
    Claim,
    ClaimedUnit,
    Overridden,
    OverrideAsked,
    Refusal,
    RefusalCode,
    Refused,
    refused,
)
from api.claims.sent import Named, Sent, named_by_request
from api.errors import NoSuchIncident
from api.ids import new_id
from api.store.records import StoredUnit
from api.store.sql_calls import held_call
from api.store.tables import overrides, to_us
from api.store.writer import Transaction
from routing.codes import Agency, OverrideAction, Role, Status
from routing.gates import ACTS_FOR

NAMES_UNITS: Final = frozenset(
    {OverrideAction.USE_OTHER_UNIT, OverrideAction.DIVERT_UNIT, OverrideAction.USE_RESERVE}
)
"""Overrides that claim units; with the others another recommendation is made."""


def override(tx: Transaction, asked: OverrideAsked) -> Overridden | Refused:
    """Keep an override, with a claim on the units that it names.

    Raises
    ------
    NoSuchIncident
        Nothing is known of the call.
    NoSuchRecommendation
        The recommendation is not kept.
    """
    sent = sent_or_refuse(tx, asked.recommendation_id or _newest(tx, asked.incident_id))
    refusal = _not_of_call(sent, asked) or why_stale(tx, sent) or _not_offered(sent, asked)
    if refusal is not None:
        return refusal
    made = Overridden(
        override_id=new_id(OVERRIDE_PREFIX, tx.at),
        incident_id=sent.incident_id,
        recommendation_id=sent.recommendation_id,
        action=asked.action,
        role=asked.operator.role,
        reason=asked.reason,
        reason_text=asked.reason_text,
        gate=asked.gate,
        unit_ids=tuple(asked.unit_ids),
        operator=asked.operator,
        at=tx.at,
        claim=None,
    )
    if asked.action in NAMES_UNITS:
        claim = _claim(tx, sent, asked, made.override_id)
        if isinstance(claim, Refused):
            return claim
        made = replace(made, claim=claim)
        refresh_calls(tx, [sent.incident_id])
    else:
        look_again(tx, sent.incident_id, f"OVERRIDE_{asked.action}")
    _keep(tx, made)
    return made


def _newest(tx: Transaction, incident_id: str) -> str:
    call = held_call(tx.connection, incident_id)
    if call is None:
        raise NoSuchIncident(
            "Nothing is remembered of this call.",
            remedy="Ask for a recommendation first; an override says what it is instead of.",
        )
    return call.recommendation_id


def _not_of_call(sent: Sent, asked: OverrideAsked) -> Refused | None:
    if sent.incident_id == asked.incident_id:
        return None
    said = "The recommendation is for another call."
    return refused(asked.incident_id, RefusalCode.RECOMMENDATION_SUPERSEDED, said)


def _not_offered(sent: Sent, asked: OverrideAsked) -> Refused | None:
    """Return why this role may not do this instead, or None."""
    role = asked.operator.role
    acts_for = ACTS_FOR[Role(role)] if role in set(Role) else frozenset()
    for offer in sent.overrides:
        same = offer.action is asked.action and (offer.gate is None or offer.gate == asked.gate)
        if same and offer.role in acts_for:
            return None
    offered = ", ".join(f"{o.action} by {o.role}" for o in sent.overrides) or "none"
    said = f"{asked.action} by {role} is not offered; offered: {offered}."
    return refused(sent.incident_id, RefusalCode.OVERRIDE_NOT_OFFERED, said)


# -- the claim on named units ---------------------------------------------------------------------


def _claim(tx: Transaction, sent: Sent, asked: OverrideAsked, override_id: str) -> Claim | Refused:
    request = named_by_request(tx.connection, sent.incident_id)
    places = _places(tx, sent, request)
    on_duty = on_duty_of(tx, [*asked.unit_ids, *(one for one, _ in places if one)])
    kinds = {**request.agencies, **{name: unit.agency for name, unit in on_duty.items()}}
    units = _filled(places, asked.unit_ids, kinds, on_duty)
    if units is None:
        said = "The named units do not stand in for units of their kind so that all are there."
        return refused(sent.incident_id, RefusalCode.PAIR_INCOMPLETE, said)
    named = [unit.unit_id for unit in units]
    told = [*held_by_call(tx, sent, units), *_not_ready(tx, asked, units, on_duty)]
    told += taken(tx, named)
    claim = Claim(
        claim_id=new_id(CLAIM_PREFIX, tx.at),
        incident_id=sent.incident_id,
        recommendation_id=sent.recommendation_id,
        override_id=override_id,
        mode=sent.mode,
        made_at=tx.at,
        expires_at=tx.at + timedelta(seconds=asked.claim_s),
        units=units,
        operator=asked.operator,
    )
    if told or not make_claim(tx, claim):
        reasons = tuple(told) or tuple(taken(tx, named))
        return Refused(incident_id=sent.incident_id, reasons=reasons)
    return claim


Place = tuple[str | None, Agency]
"""A unit, or None where none was found, and of which kind it has to be."""


def _places(tx: Transaction, sent: Sent, request: Named) -> list[Place]:
    """Return what the call needs beside the units that are on it."""
    if sent.hold is None:
        return [(unit.unit_id, unit.agency) for unit in sent.going]
    there = {unit.unit_id for unit in on_call(tx, sent.incident_id)}
    there |= request.assigned
    tentative = sent.hold.tentative.items()
    return [(unit_id, agency) for agency, unit_id in tentative if unit_id not in there]


def _filled(
    places: Sequence[Place],
    unit_ids: Sequence[str],
    kinds: Mapping[str, Agency],
    on_duty: Mapping[str, StoredUnit],
) -> tuple[ClaimedUnit, ...] | None:
    """Return the units with the named ones in their places; None unless every place is filled."""
    named = dict.fromkeys(unit_ids)
    filled = {i: unit_id for i, (unit_id, _) in enumerate(places) if unit_id in named}
    for unit_id in named:
        if unit_id in filled.values():
            continue
        kind = kinds.get(unit_id)
        free = [i for i, (_, agency) in enumerate(places) if i not in filled and agency is kind]
        if not free:
            return None
        filled[free[0]] = unit_id
    who = [(filled.get(i, unit_id), agency) for i, (unit_id, agency) in enumerate(places)]
    if not named or not all(unit_id for unit_id, _ in who):
        return None
    return tuple(
        ClaimedUnit(
            unit_id=unit_id,
            agency=agency,
            unit_version=on_duty[unit_id].version if unit_id in on_duty else None,
        )
        for unit_id, agency in who
        if unit_id
    )


def _not_ready(
    tx: Transaction,
    asked: OverrideAsked,
    units: Sequence[ClaimedUnit],
    on_duty: Mapping[str, StoredUnit],
) -> list[Refusal]:
    """Return the units that cannot go; one that is diverted comes from other work."""
    found = []
    others = [unit.unit_id for unit in units if unit.unit_id not in on_duty]
    elsewhere = units_on_calls(tx.connection, others) if others else set()
    for unit in units:
        kept = on_duty.get(unit.unit_id)
        is_diverted = asked.action is OverrideAction.DIVERT_UNIT and unit.unit_id in asked.unit_ids
        if kept is None and is_diverted:
            found.append(gone(unit.unit_id))
        elif unit.unit_id in elsewhere:
            found.append(changed(unit.unit_id, ON_A_CALL))
        elif kept is not None and not is_diverted and kept.status is not Status.AVAILABLE:
            found.append(changed(unit.unit_id, f"It is {kept.status}."))
    return found


def _keep(tx: Transaction, made: Overridden) -> None:
    row: dict[str, Any] = {
        "override_id": made.override_id,
        "incident_id": made.incident_id,
        "recommendation_id": made.recommendation_id,
        "claim_id": None if made.claim is None else made.claim.claim_id,
        "action": str(made.action),
        "reason": str(made.reason),
        "at": to_us(made.at),
        "body": msgspec.json.encode(made).decode(),
    }
    tx.connection.execute(insert(overrides).values(row))
    said = {
        "incident_id": made.incident_id,
        "recommendation_id": made.recommendation_id,
        "action": str(made.action),
        "gate": made.gate,
        "reason": str(made.reason),
        "reason_text": made.reason_text,
        "operator": [made.operator.operator_id, made.operator.role],
        "claim": None if made.claim is None else said_of([made.claim])[0],
    }
    tx.note("OVERRIDE", made.override_id, said)
