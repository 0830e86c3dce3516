"""A desk without streets: units and recommendations are written as the service does, and acted on.

Units are named after their kind and a number: C1 is CARE, S1 is SPD.
"""

import atexit
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import func, select

from api.claims.call_facts import begun_call
from api.claims.claim_rows import read_claim
from api.claims.confirm import confirm
from api.claims.ending import expire_claims, release
from api.claims.override import override
from api.claims.records import Claim, Confirmation, Overridden, OverrideAsked, Refused
from api.claims.reports import (
    Reported,
    SceneSafe,
    StatusReport,
    report_scene_safe,
    report_status,
)
from api.claims.roster_facts import follow_roster
from api.store.calls import Decided, KnownCall
from api.store.contract import RosterChange
from api.store.database import Database
from api.store.records import Operator, StoredUnit
from api.store.sql_calls import keep_decision, read_call
from api.store.sql_roster import SqlRoster
from api.store.tables import audit, changes, claim_units, recommendations, to_us
from api.store.writer import Operation, Transaction, Writer
from routing.codes import Agency, Mode, Outcome, OverrideAction, ReasonCode, Status
from routing.roster import UnitId
from tests.api.store.engines import SHARED, emptied, opened

NOW = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)
CLAIM_S = 120
VALID_S = 60
DISPATCHER = Operator(operator_id="D417", role="DISPATCHER")
SUPERVISOR = Operator(operator_id="V12", role="SUPERVISOR")
SERGEANT = Operator(operator_id="P3", role="SPD_SERGEANT")
Done = TypeVar("Done")

OFFERED = {
    Outcome.DISPATCH: [("USE_OTHER_UNIT", "DISPATCHER", None)],
    Outcome.HOLD: [
        ("RELEASE_CARE_ALONE", "SPD_SERGEANT", None),
        ("DIVERT_UNIT", "SUPERVISOR", None),
    ],
}


def kind_of(unit_id: str) -> Agency:
    return Agency.CARE if unit_id.startswith("C") else Agency.SPD


class DeskStory:
    """One store with a clock that stands still until it is moved."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self.database = database
        self.writer = writer
        self.at = NOW
        self._count = 0

    def pass_by(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)

    def do(self, operation: Operation[Done]) -> Done:
        return self.writer.call(operation)

    # -- what the service writes ------------------------------------------------------------------

    def units(self, *unit_ids: str, version: int = 1, **told: Any) -> None:
        """Have units on the roster, AVAILABLE unless told otherwise."""
        told = {"status": Status.AVAILABLE, "received_at": self.at, **told}
        records = [
            StoredUnit(unit_id=UnitId(one), agency=kind_of(one), version=version, **told)
            for one in unit_ids
        ]
        self.write(RosterChange(at=self.at, units=tuple(records)))

    def off_duty(self, unit_id: str) -> None:
        self.write(RosterChange(at=self.at, removed=frozenset({UnitId(unit_id)})))

    def write(self, change: RosterChange) -> None:
        """Write the roster as the service does."""
        SqlRoster(self.database, self.writer, follow=follow_roster).write(change)

    def recommend(self, call: str, *unit_ids: str, **told: Any) -> str:
        """Keep a recommendation of units and return its id; see `answer`."""
        self._count += 1
        made = answer(f"rec_{self._count:06}", call, unit_ids, at=self.at, **told)
        self.do(lambda tx: keep(tx, made, self.at))
        return str(made["recommendation_id"])

    # -- what is done -----------------------------------------------------------------------------

    def confirm(self, recommendation_id: str) -> Claim | Refused:
        asked = Confirmation(
            recommendation_id=recommendation_id, operator=DISPATCHER, claim_s=CLAIM_S
        )
        return self.do(lambda tx: confirm(tx, asked))

    def confirmed(self, call: str, *unit_ids: str, **told: Any) -> Claim:
        """Recommend units for a call, and confirm them."""
        made = self.confirm(self.recommend(call, *unit_ids, **told))
        assert isinstance(made, Claim), made
        return made

    def override(
        self,
        call: str,
        action: OverrideAction,
        *unit_ids: str,
        by: Operator = DISPATCHER,
        gate: str | None = None,
    ) -> Overridden | Refused:
        asked = OverrideAsked(
            incident_id=call,
            action=action,
            operator=by,
            reason=ReasonCode.UNIT_CLOSER,
            unit_ids=unit_ids,
            gate=gate,
            claim_s=CLAIM_S,
        )
        return self.do(lambda tx: override(tx, asked))

    def release(self, claim: Claim) -> Claim | Refused:
        return self.release_id(claim.claim_id)

    def release_id(self, claim_id: str) -> Claim | Refused:
        reason = ReasonCode.OFFICER_KNOWLEDGE
        return self.do(lambda tx: release(tx, claim_id, DISPATCHER, reason))

    def expire(self) -> list[Claim]:
        return self.do(lambda tx: expire_claims(tx, self.at))

    def report(
        self, unit_id: str, status: Status, call: str | None = None, *, ago_s: float = 0
    ) -> Reported:
        told = StatusReport(
            unit_id=unit_id,
            status=status,
            at=self.at - dt.timedelta(seconds=ago_s),
            incident_id=call,
        )
        return self.do(lambda tx: report_status(tx, told))

    def scene_safe(self, call: str) -> None:
        self.do(lambda tx: report_scene_safe(tx, SceneSafe(incident_id=call, at=self.at)))

    # -- what is there ----------------------------------------------------------------------------

    def claim(self, claim: Claim) -> Claim:
        with self.database.reading() as connection:
            found = read_claim(connection, claim.claim_id)
        assert found is not None
        return found

    def call(self, call: str) -> KnownCall:
        with self.database.reading() as connection:
            found = read_call(connection, call)
        assert found is not None
        return found

    def on_call(self, call: str) -> list[str]:
        return [unit.unit_id for unit in self.call(call).on_call]

    def live(self) -> list[tuple[str, str]]:
        """Return the unit and the claim of each live claim of a unit."""
        asked = select(claim_units.c.unit_id, claim_units.c.claim_id).where(claim_units.c.is_live)
        with self.database.reading() as connection:
            return sorted((unit, claim) for unit, claim in connection.execute(asked))

    def announced(self, topic: str) -> list[str]:
        asked = select(changes.c.key).where(changes.c.topic == topic)
        with self.database.reading() as connection:
            return list(connection.execute(asked.order_by(changes.c.change_id)).scalars())

    def audited(self) -> list[str]:
        with self.database.reading() as connection:
            return list(connection.execute(select(audit.c.kind).order_by(audit.c.number)).scalars())

    def audit_count(self) -> int:
        with self.database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())


@cache
def _in_memory() -> tuple[Database, Writer]:
    made = opened(":memory:")
    atexit.register(made.__exit__, None, None, None)
    return made.__enter__()


@contextmanager
def desk_story(kind: str, *, quick: bool = False) -> Iterator[DeskStory]:
    """Yield a desk over an empty database of a kind; a quick SQLite is one in memory."""
    database, writer = _in_memory() if quick and kind == "sqlite" else SHARED.of(kind)
    writer.call(emptied)
    story = DeskStory(database, writer)
    before, writer.now = writer.now, lambda: story.at
    yield story
    writer.now = before


def answer(
    recommendation_id: str, call: str, unit_ids: Sequence[str], *, at: dt.datetime, **told: Any
) -> dict[str, Any]:
    """Return the fields of an answer that are read again.

    Parameters
    ----------
    told
        `version` of the call; `fixed`, units on the call already; `hold` with `tentative` and
        `send_now` (ids) in place of units; `unit_version`, or `unit_versions` by unit; `source` of
        the units; `offered`, overrides as (action, role, gate).
    """
    hold, unit_version = told.get("hold"), told.get("unit_version", 1)
    outcome = Outcome.DISPATCH if hold is None else Outcome.HOLD
    versions = told.get("unit_versions", {})
    assign = [_sent(one, unit_version, True) for one in told.get("fixed", ())]
    assign += [_sent(one, versions.get(one, unit_version), False) for one in unit_ids]
    if hold is not None:
        going = [_sent(one, unit_version, False) for one in hold.get("send_now", ())]
        hold = {"tentative": hold["tentative"], "send_now": going}
    return {
        "recommendation_id": recommendation_id,
        "incident_id": call,
        "incident_version": told.get("version", 1),
        "decided_at": at.isoformat(),
        "valid_until": (at + dt.timedelta(seconds=VALID_S)).isoformat(),
        "outcome": outcome,
        "mode": told.get("mode", "DUAL"),
        "assign": assign if hold is None else [],
        "hold": hold,
        "overrides": [
            {"action": action, "role": role, "gate": gate}
            for action, role, gate in told.get("offered", OFFERED[outcome])
        ],
        "explain": {"units": []},
        "basis": {"unit_source": told.get("source", "ROSTER")},
    }


def _sent(unit_id: str, unit_version: int | None, fixed: bool) -> dict[str, Any]:
    return {
        "agency": kind_of(unit_id),
        "unit_id": unit_id,
        "unit_version": unit_version,
        "already_assigned": fixed,
    }


def keep(tx: Transaction, made: dict[str, Any], at: dt.datetime) -> None:
    """Keep a recommendation as `api.recording` does."""
    row = {
        "recommendation_id": made["recommendation_id"],
        "incident_id": made["incident_id"],
        "incident_version": made["incident_version"],
        "decided_at": to_us(at),
        "outcome": str(made["outcome"]),
        "mode": "DUAL",
        "answer": json.dumps(made).encode(),
        "seen": b"",
    }
    tx.connection.execute(recommendations.insert().values(row))
    named = tuple(one["unit_id"] for one in made["assign"] if not one["already_assigned"])
    decided = Decided(
        incident_id=made["incident_id"],
        version=made["incident_version"],
        outcome=made["outcome"],
        mode=Mode.DUAL,
        recommendation_id=made["recommendation_id"],
        decided_at=at,
        unit_ids=named,
        held_since=at if made["hold"] else None,
        change=None,
        screened=True,
    )
    tx.note("RECOMMENDED", made["recommendation_id"], {})
    keep_decision(tx, decided, b'{"incident": {}}', begun=begun_call)
