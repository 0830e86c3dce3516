"""Records of units carry their status too: what a write of the roster means for claims and calls.

What lives here: `follow_roster`, the facts that follow from a write of the roster. What does not:
what one fact means (`facts`), and how the roster is kept (`api.store.sql_roster`).
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from api.claims.assignments import units_on_calls
from api.claims.call_facts import refresh_calls
from api.claims.claim_rows import claims_of_units
from api.claims.facts import Effects, Fact, take_fact
from api.claims.reports import ADD_EVENT, event_row, said_of_effects
from api.store.contract import RosterChange, RosterRead, RosterWritten
from api.store.records import StoredUnit
from api.store.writer import Transaction
from routing.codes import Status


def follow_roster(
    tx: Transaction, change: RosterChange, written: RosterWritten, before: RosterRead
) -> None:
    """Follow each status that a write of the roster changed, in its transaction.

    A unit that goes off the roster is off duty for its claim and its calls. What it changed stands
    in the audit record of the write.
    """
    facts = list(_facts(change, written, before))
    if not facts:
        return
    unit_ids = [fact.unit_id for fact in facts]
    bound = {*claims_of_units(tx.connection, unit_ids), *units_on_calls(tx.connection, unit_ids)}
    effects = [take_fact(tx, fact) if fact.unit_id in bound else Effects() for fact in facts]
    rows = [
        event_row(tx, fact, change.operator, one, is_applied=True)
        for fact, one in zip(facts, effects, strict=True)
    ]
    tx.connection.execute(ADD_EVENT, rows)
    refresh_calls(tx, [call for one in effects for call in one.incident_ids])
    found = [said_of_effects(one) for one in effects if one.claims or one.conflicts]
    if found:
        last = tx.notes[-1]
        tx.notes[-1] = replace(last, said={**last.said, "facts": found})


def _facts(change: RosterChange, written: RosterWritten, before: RosterRead) -> Iterator[Fact]:
    kept = {*written.added, *written.changed}
    for unit in change.units:
        known = before.units.get(unit.unit_id)
        if unit.unit_id in kept and (known is None or known.unit.status is not unit.status):
            yield _fact(unit, unit.status, unit.status_since, change.at)
    for unit_id in written.removed:
        yield _fact(before.units[unit_id].unit, Status.OFF_DUTY, None, change.at)


def _fact(unit: StoredUnit, status: Status, since: datetime | None, now: datetime) -> Fact:
    return Fact(
        unit_id=unit.unit_id,
        agency=unit.agency,
        status=status,
        at=since or now,
        is_own_clock=since is None,
    )
