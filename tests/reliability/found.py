"""What a database holds after a crash, read with plain SQL and judged by itself.

Nothing here uses the code that wrote it: the chain is computed anew with hashlib.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from api.store.database import Database
from tests.reliability.writing import REFUSED

EMPTY_HEAD = bytes(32)


@dataclass(slots=True, kw_only=True)
class Found:
    """What was found; `wrong` is empty for a database in which all is well."""

    tokens: set[str] = field(default_factory=set)
    """Operations that have an audit record."""
    records: int = 0
    wrong: list[str] = field(default_factory=list)

    def require(self, holds: object, said: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(said)


def found_in(database: Database) -> Found:
    """Read a database and judge it."""
    found = Found()
    with database.reading() as connection:
        if database.is_embedded:
            intact = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            found.require(intact == "ok", f"integrity check: {intact}")
            strays = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            found.require(not strays, f"rows without their parents: {strays[:3]}")
        _read_chains(connection, found)
        _read_feed(connection, found)
        _read_effects(connection, found)
    refused = [token for token in found.tokens if token.startswith(REFUSED)]
    found.require(not refused, f"refused and kept: {refused[:3]}")
    return found


def _read_chains(connection: Connection, found: Found) -> None:
    kept = connection.execute(text("SELECT instance, audit_count, audit_head FROM instances"))
    for instance, count, head in kept.fetchall():
        rows = connection.execute(
            text("SELECT number, record, hash FROM audit WHERE instance = :of ORDER BY number"),
            {"of": instance},
        ).fetchall()
        last = EMPTY_HEAD
        for place, (number, record, kept_hash) in enumerate(rows, start=1):
            last = hashlib.sha256(last + bytes(record)).digest()
            found.require(number == place, f"{instance}: record {number} stands at {place}")
            found.require(last == bytes(kept_hash), f"{instance}: record {number} breaks the chain")
        found.require(count == len(rows), f"{instance}: {len(rows)} records, head says {count}")
        found.require(last == bytes(head), f"{instance}: the head is of another chain")
        found.records += len(rows)
    named = connection.execute(text("SELECT record FROM audit")).scalars().all()
    tokens = [_token(json.loads(bytes(record))) for record in named]
    twice = [token for token, n in Counter(tokens).items() if n > 1]
    found.require(not twice, f"more than one record of {twice[:3]}")
    found.tokens = set(tokens)


def _token(record: dict[str, object]) -> str:
    said = record["said"]
    if record["kind"] == "ROSTER" and isinstance(said, dict):
        return str(said["operator"][0])
    return str(record["subject"])


def _read_feed(connection: Connection, found: Found) -> None:
    head = connection.execute(text("SELECT head FROM change_state")).scalar_one()
    numbers = connection.execute(text("SELECT change_id FROM changes ORDER BY 1")).scalars().all()
    found.require(list(numbers) == list(range(1, head + 1)), "the feed has a gap or a tail")
    found.require(head == found.records, f"{head} changes beside {found.records} audit records")


def _read_effects(connection: Connection, found: Found) -> None:
    """Compare what the audit says with the rows; each operation here writes one record."""
    kinds = Counter(connection.execute(text("SELECT kind FROM audit")).scalars())
    version = connection.execute(text("SELECT version FROM roster_state")).scalar_one()
    found.require(version == kinds["ROSTER"], f"roster {version}, records {kinds['ROSTER']}")
    made = set(connection.execute(text("SELECT recommendation_id FROM recommendations")).scalars())
    found.require(made <= found.tokens, "a recommendation without its audit record")
    found.require(len(made) == kinds["RECOMMENDED"], "an audit record without its recommendation")
    claimed = connection.execute(
        text(
            "SELECT claims.claim_id, count(claim_units.unit_id) FROM claims "
            "LEFT JOIN claim_units ON claim_units.claim_id = claims.claim_id "
            "GROUP BY claims.claim_id"
        )
    ).fetchall()
    halves = [claim for claim, n in claimed if n != 2]
    found.require(not halves, f"half pairs: {halves[:3]}")
    found.require({claim for claim, _ in claimed} <= found.tokens, "a claim without its record")
    found.require(len(claimed) == kinds["CLAIMED"], "an audit record without its claim")
    _read_units(connection, found)
    _read_calls(connection, found)


def _read_units(connection: Connection, found: Found) -> None:
    asked = text(
        "SELECT units.unit_id, units.body, positions.accuracy_m FROM units "
        "LEFT JOIN positions ON positions.unit_id = units.unit_id ORDER BY units.unit_id"
    )
    told: dict[str, list[tuple[object, ...]]] = {}
    for unit_id, body, accuracy_m in connection.execute(asked):
        unit = json.loads(body)
        told.setdefault(unit_id[:-1], []).append((unit["call_sign"], unit["version"]))
        found.require(unit["call_sign"] in found.tokens, f"{unit_id} without its audit record")
        if unit_id.endswith("a"):
            found.require(accuracy_m == unit["version"], f"{unit_id} and its place differ")
    halves = [pair for pair, both in told.items() if len(both) != 2 or both[0] != both[1]]
    found.require(not halves, f"units written in part: {halves[:3]}")


def _read_calls(connection: Connection, found: Found) -> None:
    for incident_id, body, request in connection.execute(
        text("SELECT incident_id, body, request FROM incidents")
    ):
        token = json.loads(body)["recommendation_id"]
        newest = connection.execute(
            text(
                "SELECT recommendation_id FROM recommendations WHERE incident_id = :of "
                "ORDER BY incident_version DESC LIMIT 1"
            ),
            {"of": incident_id},
        ).scalar_one_or_none()
        found.require(token == newest, f"{incident_id}: the call says {token}, {newest} is kept")
        found.require(bytes(request).decode() == token, f"{incident_id}: another request")


def lost(acknowledged: set[str], found: Found) -> list[str]:
    """Return what was acknowledged and is not there."""
    return sorted(acknowledged - found.tokens)


def out_of_line(acknowledged: set[str], found: Found) -> list[str]:
    """Return what was kept and was neither acknowledged nor the one that its thread waited for."""
    latest: dict[str, int] = {}
    for token in acknowledged:
        thread, _, number = token.rpartition(".")
        latest[thread] = max(latest.get(thread, 0), int(number))
    found_out = []
    for token in found.tokens - acknowledged:
        thread, _, number = token.rpartition(".")
        if int(number) != latest.get(thread, 0) + 1:
            found_out.append(token)
    return sorted(found_out)
