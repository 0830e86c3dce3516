"""Confirm a recommendation: a claim on its units, all of them or none (rule 11).

What lives here: what must be true inside the transaction for a claim to be made. What does not:
the fresh recommendation for a call that lost, which is decided after the transaction, and how the
database refuses a second claim (`claim_rows`, `tables.claim_units`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from api.claims.assignments import of_call, units_on_calls
from api.claims.call_facts import refresh_calls
from api.claims.claim_rows import (
    claim_of_recommendation,
    claims_of_units,
    live_claims,
    make_claim,
    said_of,
)
from api.claims.records import (
    CLAIM_PREFIX,
    Claim,
    ClaimedUnit,
    ClaimState,
    Confirmation,
    Refusal,
    RefusalCode,
    Refused,
    refused,
)
from api.claims.sent import Sent, SentUnit, read_sent
from api.errors import NoSuchRecommendation
from api.ids import new_id
from api.store.records import StoredUnit
from api.store.sql_calls import held_call
from api.store.sql_roster import read_roster
from api.store.writer import Transaction
from routing.codes import Agency, Mode, Status, UnitSource

_KEPT = (ClaimState.LIVE, ClaimState.FULFILLED)


def confirm(tx: Transaction, asked: Confirmation) -> Claim | Refused:
    """Claim the units of a recommendation that are not on the call yet.

    Asked again for a recommendation that was confirmed, it returns the same claim.

    Raises
    ------
    NoSuchRecommendation
        It is not kept.
    """
    sent = sent_or_refuse(tx, asked.recommendation_id)
    before = claim_of_recommendation(tx.connection, asked.recommendation_id)
    if before is not None:
        return before if before.state in _KEPT else _ended(before)
    stale = why_stale(tx, sent)
    if stale is not None:
        return stale
    going = sent.going
    if not going:
        return refused(
            sent.incident_id,
            RefusalCode.NOTHING_TO_CONFIRM,
            f"The recommendation is {sent.outcome} and names no unit that is to go.",
        )
    told = [*held_by_call(tx, sent, going), *_changed(tx, sent, going)]
    told += taken(tx, [unit.unit_id for unit in going])
    if told:
        return Refused(incident_id=sent.incident_id, reasons=tuple(told))
    claim = Claim(
        claim_id=new_id(CLAIM_PREFIX, tx.at),
        incident_id=sent.incident_id,
        recommendation_id=sent.recommendation_id,
        mode=sent.mode,
        made_at=tx.at,
        expires_at=tx.at + timedelta(seconds=asked.claim_s),
        units=tuple(map(claimed, going)),
        operator=asked.operator,
    )
    if not make_claim(tx, claim):
        return lost(tx, sent.incident_id, claim.unit_ids)
    refresh_calls(tx, [sent.incident_id])
    said = {
        **said_of([claim])[0],
        "recommendation_id": sent.recommendation_id,
        "operator": [asked.operator.operator_id, asked.operator.role],
    }
    tx.note("CLAIM_MADE", claim.claim_id, said)
    return claim


def sent_or_refuse(tx: Transaction, recommendation_id: str) -> Sent:
    """Return a recommendation as it was sent.

    Raises
    ------
    NoSuchRecommendation
        It is not kept.
    """
    sent = read_sent(tx.connection, recommendation_id)
    if sent is None:
        raise NoSuchRecommendation(
            "No recommendation with this id is kept.",
            remedy="Confirm what POST /v1/recommend-units answered with `recorded: true`.",
        )
    return sent


def why_stale(tx: Transaction, sent: Sent) -> Refused | None:
    """Return why a recommendation is no longer the one to act on, or None."""
    call = held_call(tx.connection, sent.incident_id)
    if call is not None and call.version > sent.incident_version:
        said = f"Version {call.version} of the call is known; this one is of version "
        said += f"{sent.incident_version}."
        return refused(sent.incident_id, RefusalCode.INCIDENT_CHANGED, said)
    if call is None or call.recommendation_id != sent.recommendation_id:
        said = "A later recommendation was made for this call."
        return refused(sent.incident_id, RefusalCode.RECOMMENDATION_SUPERSEDED, said)
    if tx.at > sent.valid_until:
        late_s = (tx.at - sent.valid_until).total_seconds()
        said = f"It was valid until {late_s:.0f} s ago."
        return refused(sent.incident_id, RefusalCode.RECOMMENDATION_EXPIRED, said)
    return None


def claimed(unit: SentUnit) -> ClaimedUnit:
    """Return a unit as a claim has it."""
    return ClaimedUnit(unit_id=unit.unit_id, agency=unit.agency, unit_version=unit.unit_version)


def lost(tx: Transaction, incident_id: str, unit_ids: Iterable[str]) -> Refused:
    """Return the refusal of units of which another claim came first."""
    return Refused(incident_id=incident_id, reasons=tuple(taken(tx, unit_ids)))


def _ended(claim: Claim) -> Refused:
    said = f"It was confirmed, and its claim is {claim.state}."
    return refused(claim.incident_id, RefusalCode.CLAIM_ENDED, said)


def held_by_call(
    tx: Transaction, sent: Sent, going: Sequence[SentUnit | ClaimedUnit]
) -> Iterator[Refusal]:
    """Yield the units that the call holds and that this recommendation would send once more."""
    kinds = {unit.agency for unit in going}
    claims = live_claims(tx.connection, sent.incident_id)
    held: list[tuple[str, Agency | None]] = [
        (unit.unit_id, unit.agency) for claim in claims for unit in claim.units
    ]
    held += _there_beside(tx, sent, {*(name for name, _ in held), *(u.unit_id for u in going)})
    for unit_id, agency in held:
        if agency in kinds and unit_id not in sent.fixed_ids:
            said = "The call holds this unit, and the recommendation does not know of it."
            yield Refusal(code=RefusalCode.CALL_CLAIMED, detail=said, unit_id=unit_id)


def _there_beside(
    tx: Transaction, sent: Sent, named: Collection[str]
) -> Iterator[tuple[str, Agency | None]]:
    """Yield the units that the CAD has on the call; who asks for more police gets them."""
    if sent.mode is not Mode.SPD_ADD:
        for one in of_call(tx.connection, sent.incident_id):
            if one.is_open and one.unit_id not in named:
                yield one.unit_id, one.agency


def _changed(tx: Transaction, sent: Sent, going: Sequence[SentUnit]) -> Iterator[Refusal]:
    """Yield units that are no longer what was recommended.

    Units that came with the request need not be on the roster; where they are, they are judged.
    """
    on_duty = on_duty_of(tx, [unit.unit_id for unit in going])
    others = [unit.unit_id for unit in going if unit.unit_id not in on_duty]
    elsewhere = units_on_calls(tx.connection, others) if others else set()
    for unit in going:
        kept = on_duty.get(unit.unit_id)
        if unit.unit_id in elsewhere:
            yield changed(unit.unit_id, ON_A_CALL)
        elif kept is None:
            if sent.basis.unit_source is UnitSource.ROSTER:
                yield gone(unit.unit_id)
        elif kept.status is not Status.AVAILABLE:
            yield changed(unit.unit_id, f"It is {kept.status}.")
        elif unit.unit_version is not None and kept.version != unit.unit_version:
            said = f"Its record is of version {kept.version}, not {unit.unit_version}."
            yield changed(unit.unit_id, said)


ON_A_CALL: Final = "The CAD has it on a call."


def on_duty_of(tx: Transaction, unit_ids: Collection[str]) -> dict[str, StoredUnit]:
    """Return the records of those units that are on the roster."""
    read = read_roster(tx.connection, unit_ids).units
    return {str(unit_id): one.unit for unit_id, one in read.items()}


def taken(tx: Transaction, unit_ids: Iterable[str]) -> list[Refusal]:
    """Return a reason for each unit that another claim holds."""
    named = list(unit_ids)
    held = claims_of_units(tx.connection, named)
    said = "Another claim holds it."
    return [
        Refusal(code=RefusalCode.UNIT_TAKEN, detail=said, unit_id=unit_id)
        for unit_id in named
        if unit_id in held
    ]


def changed(unit_id: str, detail: str) -> Refusal:
    """Return the reason of a unit that is no longer what was recommended."""
    return Refusal(code=RefusalCode.UNIT_CHANGED, detail=detail, unit_id=unit_id)


def gone(unit_id: str) -> Refusal:
    """Return the reason of a unit that the roster does not have."""
    said = "The roster does not have it."
    return Refusal(code=RefusalCode.UNIT_GONE, detail=said, unit_id=unit_id)
