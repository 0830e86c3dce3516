"""Who is on a call, kept with what is known of it, so that a recommendation counts them in.

What lives here: `refresh_calls`, which brings `KnownCall.on_call` to what claims and assignments
say, at the end of every write that changes one of them.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import BigInteger, BindParameter, Text, bindparam, func, literal, select, update

from api.claims.assignments import SCENE_SAFE, Assignment, of_call
from api.claims.claim_rows import live_claims
from api.claims.records import Claim, ClaimState
from api.store.calls import KnownCall, OnCall
from api.store.sql_calls import held_call
from api.store.statements import Statement
from api.store.tables import assignments, claims, from_us, incidents, status_events
from api.store.writer import Transaction
from routing.codes import Status


def refresh_calls(tx: Transaction, incident_ids: Iterable[str]) -> None:
    """Keep who is on each of these calls, and announce those of which it is another now.

    A call that nobody asked about is not known, and not made known by this.
    """
    for incident_id in dict.fromkeys(incident_ids):
        call = held_call(tx.connection, incident_id)
        if call is None:
            continue
        facts = _with_facts(tx, call)
        if facts == call:
            continue
        row = {"of": incident_id, "now": msgspec.json.encode(facts).decode()}
        _KEEP.run(tx.connection, row)
        tx.announce("call", incident_id, said_of_call(facts))


def begun_call(tx: Transaction, call: KnownCall) -> KnownCall:
    """Return a call that is asked about for the first time, with what was reported of it before."""
    facts = _with_facts(tx, call)
    if facts != call:
        tx.announce("call", call.incident_id, said_of_call(facts))
    return facts


def _with_facts(tx: Transaction, call: KnownCall) -> KnownCall:
    there, claims_of_it, safe_at = list[Assignment](), list[Claim](), None
    for kind, body, at in _FACTS.rows(tx.connection, {"of": call.incident_id}):
        if kind == _SAFE:
            safe_at = None if at is None else from_us(at)
        elif kind == _THERE:
            there.append(_ASSIGNMENT.decode(body))
        else:
            claims_of_it.append(_CLAIM.decode(body))
    return replace(call, on_call=_on_call(there, claims_of_it), scene_safe_at=safe_at)


_THERE, _CLAIMED, _SAFE = "THERE", "CLAIMED", "SAFE"
_ASSIGNMENT: Final = msgspec.json.Decoder(Assignment)
_CLAIM: Final = msgspec.json.Decoder(Claim)
_OF: Final[BindParameter[str]] = bindparam("of")
_FACTS: Final = Statement(
    select(literal(_THERE), assignments.c.body, literal(0, BigInteger))
    .where(assignments.c.incident_id == _OF)
    .union_all(
        select(literal(_CLAIMED), claims.c.body, literal(0, BigInteger)).where(
            claims.c.incident_id == _OF, claims.c.state == str(ClaimState.LIVE)
        ),
        select(literal(_SAFE), literal("", Text), func.min(status_events.c.at)).where(
            status_events.c.incident_id == _OF, status_events.c.status == SCENE_SAFE
        ),
    )
)
"""All that is known of a call in one look, of which each takes its time of a commit."""


_KEEP: Final = Statement(
    update(incidents)
    .where(incidents.c.incident_id == bindparam("of"))
    .values(body=bindparam("now"))
)


def on_call(tx: Transaction, incident_id: str) -> tuple[OnCall, ...]:
    """Return the units that are on a call: as the CAD reports them, or else claimed for it."""
    return _on_call(of_call(tx.connection, incident_id), live_claims(tx.connection, incident_id))


def _on_call(there: Iterable[Assignment], claimed: Iterable[Claim]) -> tuple[OnCall, ...]:
    found = {
        one.unit_id: OnCall(
            unit_id=one.unit_id,
            agency=one.agency,
            status=one.status,
            on_scene_at=one.stamps.get("on_scene"),
        )
        for one in there
        if one.is_open and one.agency is not None
    }
    for claim in claimed:
        for unit in claim.units:
            held = OnCall(unit_id=unit.unit_id, agency=unit.agency, status=Status.DISPATCHED)
            found.setdefault(unit.unit_id, held)
    return tuple(found[unit_id] for unit_id in sorted(found))


def said_of_call(call: KnownCall) -> dict[str, Any]:
    """Return what is announced of a call with its facts."""
    return {
        "version": call.version,
        "outcome": call.outcome,
        "on_call": call.on_call,
        "scene_safe_at": call.scene_safe_at,
    }
