"""Claims as rows: read, made and ended in the transaction of a write.

A claim is one row with its body as JSON, and a row for each of its units. `is_live` of those is
unique by unit (`tables.claim_units`), so the database itself refuses a second live claim.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.claims.records import Claim, ClaimedUnit, ClaimState
from api.store.records import Operator
from api.store.statements import Statement
from api.store.tables import claim_units, claims, to_us
from api.store.writer import Transaction
from routing.codes import ReasonCode

_CLAIM: Final = msgspec.json.Decoder(Claim)
_BODY: Final = select(claims.c.body)


def read_claim(connection: Connection, claim_id: str) -> Claim | None:
    """Return a claim, live or ended."""
    return _one(connection, _BODY.where(claims.c.claim_id == claim_id))


def claim_of_recommendation(connection: Connection, recommendation_id: str) -> Claim | None:
    """Return the claim that a confirmation of a recommendation made, however it ended."""
    asked = _BODY.where(claims.c.recommendation_id == recommendation_id)
    found = _all(connection, asked.order_by(claims.c.made_at))
    return next((claim for claim in found if claim.override_id is None), None)


def live_claims(connection: Connection, incident_id: str | None = None) -> list[Claim]:
    """Return the live claims of a call, or all, in the order in which they were made."""
    if incident_id is None:
        return _all(connection, _LIVE)
    return [_CLAIM.decode(body) for (body,) in _LIVE_OF_CALL.rows(connection, {"of": incident_id})]


_LIVE: Final = _BODY.where(claims.c.state == str(ClaimState.LIVE)).order_by(
    claims.c.made_at, claims.c.claim_id
)
_LIVE_OF_CALL: Final = Statement(_LIVE.where(claims.c.incident_id == bindparam("of")))


def claims_of_units(connection: Connection, unit_ids: Collection[str]) -> dict[str, Claim]:
    """Return the live claim of each unit that has one, by unit_id."""
    asked = (
        select(claim_units.c.unit_id, claims.c.body)
        .join(claims, claims.c.claim_id == claim_units.c.claim_id)
        .where(claim_units.c.is_live, claim_units.c.unit_id.in_(list(unit_ids)))
    )
    return {unit_id: _CLAIM.decode(body) for unit_id, body in connection.execute(asked)}


def due_claims(connection: Connection, at: datetime, most: int) -> list[Claim]:
    """Return live claims whose time is over at an instant, oldest first, at most so many."""
    asked = _BODY.where(claims.c.state == ClaimState.LIVE, claims.c.expires_at <= to_us(at))
    return _all(connection, asked.order_by(claims.c.expires_at, claims.c.claim_id).limit(most))


def _one(connection: Connection, asked: Any) -> Claim | None:
    body = connection.execute(asked).scalar_one_or_none()
    return None if body is None else _CLAIM.decode(body)


def _all(connection: Connection, asked: Any) -> list[Claim]:
    return [_CLAIM.decode(body) for (body,) in connection.execute(asked)]


# -- writing --------------------------------------------------------------------------------------


def make_claim(tx: Transaction, claim: Claim) -> bool:
    """Keep a claim with all of its units; False, and nothing kept, when a unit has one already."""
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(insert(claims).values(_row(claim)))
            tx.connection.execute(insert(claim_units), [_unit_row(claim, u) for u in claim.units])
    except IntegrityError:
        return False
    tell_claim(tx, claim)
    return True


def end_claim(
    tx: Transaction,
    claim: Claim,
    state: ClaimState,
    *,
    by: Operator | None = None,
    reason: tuple[ReasonCode, str | None] | None = None,
) -> Claim:
    """End a claim for all of its units at once, and return it."""
    code, text = reason or (None, None)
    ended = replace(claim, state=state, ended_at=tx.at, ended_by=by, reason=code, reason_text=text)
    of = claim_units.c.claim_id == claim.claim_id
    tx.connection.execute(update(claim_units).where(of).values(is_live=False))
    keep_claim(tx, ended)
    tell_claim(tx, ended)
    return ended


def keep_claim(tx: Transaction, claim: Claim) -> None:
    """Keep a claim as it is now; which units are live is not changed here."""
    of = claims.c.claim_id == claim.claim_id
    tx.connection.execute(update(claims).where(of).values(_row(claim)))


def tell_claim(tx: Transaction, claim: Claim) -> None:
    """Announce a claim with all that a reader needs who does not ask the database."""
    said = {
        "incident_id": claim.incident_id,
        "state": str(claim.state),
        "units": [[unit.unit_id, str(unit.agency)] for unit in claim.units],
    }
    tx.announce("claim", claim.claim_id, said)


def look_again(tx: Transaction, incident_id: str, why: str) -> None:
    """Announce that a call is to be looked at again."""
    tx.announce("queue", incident_id, {"why": why})


def said_of(claims_: Iterable[Claim]) -> list[dict[str, Any]]:
    """Return what the audit keeps of claims: ids and codes."""
    return [
        {
            "claim_id": one.claim_id,
            "incident_id": one.incident_id,
            "state": str(one.state),
            "unit_ids": one.unit_ids,
        }
        for one in claims_
    ]


def _row(claim: Claim) -> dict[str, Any]:
    return {
        "claim_id": claim.claim_id,
        "incident_id": claim.incident_id,
        "recommendation_id": claim.recommendation_id,
        "state": str(claim.state),
        "made_at": to_us(claim.made_at),
        "expires_at": to_us(claim.expires_at),
        "ended_at": None if claim.ended_at is None else to_us(claim.ended_at),
        "body": msgspec.json.encode(claim).decode(),
    }


def _unit_row(claim: Claim, unit: ClaimedUnit) -> dict[str, Any]:
    return {
        "claim_id": claim.claim_id,
        "unit_id": unit.unit_id,
        "agency": str(unit.agency),
        "is_live": True,
    }
