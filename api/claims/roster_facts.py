"""Records of units carry their status too: what a write of the roster means for claims and calls.

What lives here: `write_roster_facts`, the roster's write with the facts that follow from it. What
does not: what one fact means (`facts`), and how the roster is kept (`api.store.sql_roster`).
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from api.claims.call_facts import refresh_calls
from api.claims.facts import Effects, Fact, take_fact
from api.claims.reports import keep_event, said_of_effects
from api.store.contract import RosterChange, RosterWritten
from api.store.memory import ROSTER_UNITS_MAX
from api.store.records import StoredUnit
from api.store.sql_roster import read_roster, write_roster
from api.store.writer import Transaction
from routing.codes import Status
from routing.roster import UnitId


def write_roster_facts(
    tx: Transaction, change: RosterChange, units_max: int = ROSTER_UNITS_MAX
) -> RosterWritten:
    """Keep a change of the roster, and follow each status that it changes.

    A unit that goes off the roster is off duty for its claim and its calls.

    Raises
    ------
    RosterFull
        It would hold more units than it takes.
    """
    touched = [*(unit.unit_id for unit in change.units), *change.removed]
    before = read_roster(tx.connection, touched).units if touched else {}
    told = {name: one.unit for name, one in before.items()}
    written = write_roster(tx, change, units_max)
    effects = [_follow(tx, change, fact) for fact in _facts(change, written, told)]
    refresh_calls(tx, [call for one in effects for call in one.incident_ids])
    found = [said_of_effects(one) for one in effects if one.claims or one.conflicts]
    if found:
        last = tx.notes[-1]
        tx.notes[-1] = replace(last, said={**last.said, "facts": found})
    return written


def _facts(
    change: RosterChange, written: RosterWritten, before: dict[UnitId, StoredUnit]
) -> Iterator[Fact]:
    kept = {*written.added, *written.changed}
    for unit in change.units:
        known = before.get(unit.unit_id)
        if unit.unit_id in kept and (known is None or known.status is not unit.status):
            yield _fact(unit, unit.status, unit.status_since or change.at)
    for unit_id in written.removed:
        yield _fact(before[unit_id], Status.OFF_DUTY, change.at)


def _fact(unit: StoredUnit, status: Status, at: Any) -> Fact:
    return Fact(unit_id=unit.unit_id, agency=unit.agency, status=status, at=at)


def _follow(tx: Transaction, change: RosterChange, fact: Fact) -> Effects:
    effects = take_fact(tx, fact)
    keep_event(tx, fact, change.operator, effects, is_applied=True)
    return effects
