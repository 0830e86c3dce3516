"""Who is on a call, kept with what is known of it, so that a recommendation counts them in.

What lives here: `refresh_calls`, which brings `KnownCall.on_call` to what claims and assignments
say, at the end of every write that changes one of them.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, update

from api.claims.assignments import of_call, scene_safe_at
from api.claims.claim_rows import live_claims
from api.store.calls import KnownCall, OnCall
from api.store.sql_calls import held_call
from api.store.statements import Statement
from api.store.tables import incidents
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
    return replace(
        call,
        on_call=on_call(tx, call.incident_id),
        scene_safe_at=scene_safe_at(tx.connection, call.incident_id),
    )


_KEEP: Final = Statement(
    update(incidents)
    .where(incidents.c.incident_id == bindparam("of"))
    .values(body=bindparam("now"))
)


def on_call(tx: Transaction, incident_id: str) -> tuple[OnCall, ...]:
    """Return the units that are on a call: as the CAD reports them, or else claimed for it."""
    found = {
        one.unit_id: OnCall(
            unit_id=one.unit_id,
            agency=one.agency,
            status=one.status,
            on_scene_at=one.stamps.get("on_scene"),
        )
        for one in of_call(tx.connection, incident_id)
        if one.is_open and one.agency is not None
    }
    for claim in live_claims(tx.connection, incident_id):
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
