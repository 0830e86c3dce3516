"""How a claim ends without a report of the CAD: somebody gives it up, or its time is over.

Each ends for all of its units at once; the call is announced, so that it is looked at again.
"""

from datetime import datetime
from typing import Final

from api.claims.call_facts import refresh_calls
from api.claims.claim_rows import due_claims, end_claim, look_again, read_claim, said_of
from api.claims.records import Claim, ClaimState, RefusalCode, Refused, refused
from api.errors import NoSuchClaim
from api.store.records import Operator
from api.store.writer import Transaction
from routing.codes import ReasonCode

EXPIRED_MAX: Final = 500
"""Claims that one write expires at most; what is left is for the next one."""


def release(
    tx: Transaction,
    claim_id: str,
    operator: Operator,
    reason: ReasonCode,
    reason_text: str | None = None,
) -> Claim | Refused:
    """Give a claim up; one that was given up before is returned as it is.

    Raises
    ------
    NoSuchClaim
        No claim has this id.
    """
    claim = read_claim(tx.connection, claim_id)
    if claim is None:
        raise NoSuchClaim("No claim has this id.", remedy="GET /v1/claims lists the live ones.")
    if claim.state is ClaimState.RELEASED:
        return claim
    if claim.state is not ClaimState.LIVE:
        said = f"The claim is {claim.state} and holds no unit."
        return refused(claim.incident_id, RefusalCode.CLAIM_ENDED, said)
    ended = end_claim(tx, claim, ClaimState.RELEASED, by=operator, reason=(reason, reason_text))
    look_again(tx, claim.incident_id, "CLAIM_RELEASED")
    refresh_calls(tx, [claim.incident_id])
    said_ = {
        **said_of([ended])[0],
        "reason": str(reason),
        "reason_text": reason_text,
        "operator": [operator.operator_id, operator.role],
    }
    tx.note("CLAIM_RELEASED", claim_id, said_)
    return ended


def expire_claims(tx: Transaction, at: datetime) -> list[Claim]:
    """End the claims whose time is over at an instant, and return them; one audit record for all.

    A unit that the CAD has on the call already stays there; only the claim is over.
    """
    ended = [
        end_claim(tx, claim, ClaimState.EXPIRED)
        for claim in due_claims(tx.connection, at, EXPIRED_MAX)
    ]
    for claim in ended:
        look_again(tx, claim.incident_id, "CLAIM_EXPIRED")
    refresh_calls(tx, [claim.incident_id for claim in ended])
    if ended:
        tx.note("CLAIMS_EXPIRED", ended[0].claim_id, {"claims": said_of(ended)})
    return ended
