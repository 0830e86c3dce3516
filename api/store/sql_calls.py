"""Calls in a database: the promises of `api.store.calls`, kept by one transaction each.

The service decides by what it holds in memory (`api.store.calls.MemoryCalls`), which it fills from
here at the start, and keeps each decision here in the transaction of its record
(`keep_decision`). `SqlCalls` is the same as a store of its own.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import BigInteger, Connection, bindparam, case, delete, func, insert, select, update

from api.store.calls import (
    CALLS_MAX,
    Acknowledged,
    Decided,
    KnownCall,
    SafetyAlert,
    following,
)
from api.store.database import Database, closed
from api.store.records import Operator
from api.store.statements import Statement
from api.store.tables import alerts, incidents, to_us
from api.store.writer import Transaction, Writer
from routing.codes import Outcome

_CHANGED: Final = ("version", "outcome", "touched_at", "body")
_CALL: Final = msgspec.json.Decoder(KnownCall)
Begun = Callable[[Transaction, KnownCall], KnownCall]
Shown = Callable[[KnownCall], bool]
"""Tells whether the memory of this process holds a call exactly so."""


def read_call(connection: Connection, incident_id: str) -> KnownCall | None:
    """Return what is kept of a call."""
    return _read(_BODY, connection, incident_id)


_ONE: Final = select(incidents.c.body).where(incidents.c.incident_id == bindparam("of"))
_BODY: Final = Statement(_ONE)
_HELD: Final = Statement(_ONE.with_for_update())


def _read(asked: Statement, connection: Connection, incident_id: str) -> KnownCall | None:
    rows = asked.rows(connection, {"of": incident_id})
    return _CALL.decode(rows[0][0]) if rows else None


def read_calls(connection: Connection, incident_ids: Collection[str]) -> list[KnownCall]:
    """Return what is kept of calls, of those that are known, in no order."""
    asked = select(incidents.c.body).where(incidents.c.incident_id.in_(list(incident_ids)))
    return [_CALL.decode(body) for (body,) in connection.execute(asked)]


def read_latest_calls(connection: Connection, most: int) -> list[KnownCall]:
    """Return calls, the one untouched for longest first: all with open alerts, then the latest."""
    alerting = select(alerts.c.incident_id).where(alerts.c.is_open)
    latest = select(incidents.c.incident_id).order_by(incidents.c.touched_at.desc()).limit(most)
    asked = (
        select(incidents.c.body)
        .where(incidents.c.incident_id.in_(alerting) | incidents.c.incident_id.in_(latest))
        .order_by(incidents.c.touched_at, incidents.c.incident_id)
    )
    return [_CALL.decode(body) for (body,) in connection.execute(asked)]


def keep_decision(
    tx: Transaction,
    decided: Decided,
    request: bytes | None = None,
    *,
    begun: Begun | None = None,
    waited: bool = False,
    shown: Shown | None = None,
) -> KnownCall | None:
    """Keep a decision in a transaction and return the call; None when it is older than known.

    Parameters
    ----------
    request
        The request as it was sent, for solving a HOLD again; without one it does not wait.
    begun
        Returns a call that was not known before with what was reported of it already.
    waited
        Whether it waited elsewhere since it was made: then one that was made later stands. All
        others stand in the order in which they are kept, whatever the clocks of instances say.
    shown
        Asked after the commit, so that what memory holds already is not read back.
    """
    known = held_call(tx.connection, decided.incident_id)
    is_late = waited and _is_late(known, decided)
    call = None if is_late else following(known, decided)
    if call is None:
        return None
    if known is None and begun is not None:
        call = begun(tx, call)
    waits = call.outcome is Outcome.HOLD and request is not None
    row = _row(call, tx.at) | {"request": request, "is_pending": waits}
    if known is None:
        _ADD.run(tx.connection, row)
    else:
        row["of"] = row.pop("incident_id")
        _CHANGE.run(tx.connection, row)
    if call.alerts and (known is None or call.alerts != known.alerts):
        _keep_alerts(tx, call)
    said = {"version": call.version, "outcome": call.outcome}
    is_shown = None if shown is None else partial(shown, call)
    tx.announce("call", call.incident_id, said, is_shown=is_shown)
    return call


def _is_late(known: KnownCall | None, decided: Decided) -> bool:
    """Tell whether a decision of the same version that was made later is kept already."""
    return (
        known is not None
        and known.version == decided.version
        and known.decided_at > decided.decided_at
    )


_ADD: Final = Statement(
    insert(incidents).values(
        {name: bindparam(name) for name in ("incident_id", *_CHANGED, "is_pending", "request")}
        | {"pending_since": bindparam("touched_at")}
    )
)
_SINCE: Final = case(
    (incidents.c.is_pending, incidents.c.pending_since),
    else_=bindparam("touched_at", type_=BigInteger),
)
"""A call that waits goes on waiting since it began to."""
_CHANGE: Final = Statement(
    update(incidents)
    .where(incidents.c.incident_id == bindparam("of"))
    .values(
        {name: bindparam(name) for name in (*_CHANGED, "is_pending")}
        | {"pending_since": _SINCE}
        | {"request": func.coalesce(bindparam("request"), incidents.c.request)}
    )
)


def held_call(connection: Connection, incident_id: str) -> KnownCall | None:
    """Return a call whose row nobody else changes until this transaction ends."""
    return _read(_HELD, connection, incident_id)


def _row(call: KnownCall, at: datetime) -> dict[str, Any]:
    return {
        "incident_id": call.incident_id,
        "version": call.version,
        "outcome": str(call.outcome),
        "touched_at": to_us(at),
        "body": msgspec.json.encode(call).decode(),
    }


def _keep_alerts(tx: Transaction, call: KnownCall) -> None:
    of = alerts.c.incident_id == call.incident_id
    known = set(tx.connection.execute(select(alerts.c.alert_id).where(of)).scalars())
    tx.connection.execute(delete(alerts).where(of))
    rows = [
        {"alert_id": one.alert_id, "incident_id": call.incident_id, "is_open": one.is_open}
        for one in call.alerts
    ]
    tx.connection.execute(insert(alerts), rows)
    for one in call.alerts:
        if one.alert_id not in known:
            tx.announce("alert", one.alert_id, {"incident_id": call.incident_id, "event": "RAISED"})


def keep_acknowledgement(
    tx: Transaction, alert_id: str, operator: Operator, at: datetime
) -> Acknowledged | None:
    """Acknowledge an alert in a transaction, unless somebody has; None when it is not known."""
    asked = select(alerts.c.incident_id).where(alerts.c.alert_id == alert_id)
    incident_id = tx.connection.execute(asked).scalar_one_or_none()
    call = None if incident_id is None else held_call(tx.connection, incident_id)
    if call is None:
        return None
    place, alert = next((i, a) for i, a in enumerate(call.alerts) if a.alert_id == alert_id)
    if not alert.is_open:
        return Acknowledged(alert=alert, is_first=False)
    alert = replace(alert, acknowledged_at=at, acknowledged_by=operator)
    call = replace(call, alerts=(*call.alerts[:place], alert, *call.alerts[place + 1 :]))
    body = msgspec.json.encode(call).decode()
    tx.connection.execute(
        update(incidents).where(incidents.c.incident_id == incident_id).values(body=body)
    )
    tx.connection.execute(update(alerts).where(alerts.c.alert_id == alert_id).values(is_open=False))
    said = {"incident_id": incident_id, "operator": [operator.operator_id, operator.role]}
    tx.note("ALERT_ACKNOWLEDGED", alert_id, said)
    tx.announce("alert", alert_id, {"incident_id": incident_id, "event": "ACKNOWLEDGED"})
    return Acknowledged(alert=alert, is_first=True)


def read_open_alerts(connection: Connection) -> tuple[SafetyAlert, ...]:
    """Return all alerts that nobody has acknowledged, oldest first."""
    alerting = select(alerts.c.incident_id).where(alerts.c.is_open)
    asked = select(incidents.c.body).where(incidents.c.incident_id.in_(alerting))
    calls = [_CALL.decode(body) for (body,) in connection.execute(asked)]
    found = [alert for call in calls for alert in call.alerts if alert.is_open]
    return tuple(sorted(found, key=lambda alert: (alert.raised_at, alert.alert_id)))


def count_calls(connection: Connection) -> int:
    """Return how many calls are kept."""
    return int(connection.execute(select(func.count()).select_from(incidents)).scalar_one())


def forget_calls(tx: Transaction, kept_max: int) -> int:
    """Forget the calls untouched for longest, those with open alerts last; return how many."""
    over = count_calls(tx.connection) - kept_max
    if over <= 0:
        return 0
    alerting = select(alerts.c.incident_id).where(alerts.c.is_open)
    oldest = (
        select(incidents.c.incident_id)
        .order_by(incidents.c.incident_id.in_(alerting), incidents.c.touched_at)
        .limit(over)
    )
    names = list(tx.connection.execute(oldest).scalars())
    tx.connection.execute(delete(incidents).where(incidents.c.incident_id.in_(names)))
    tx.note("CALLS_FORGOTTEN", str(len(names)), {"kept_max": kept_max})
    return len(names)


class SqlCalls:
    """Calls of all processes that share a database; every method waits for it.

    Whoever opened the database and its writer closes them.
    """

    def __init__(self, database: Database, writer: Writer, calls_max: int = CALLS_MAX) -> None:
        self.database = database
        self.writer = writer
        self._calls_max = calls_max
        self._is_open = True

    def known(self, incident_id: str) -> KnownCall | None:
        """Return what is remembered of a call."""
        with self._open().reading() as connection:
            return read_call(connection, incident_id)

    def record(self, decided: Decided) -> KnownCall | None:
        """Remember a recommendation and return the call, or None when a newer one is known."""

        def keep(tx: Transaction) -> KnownCall | None:
            call = keep_decision(tx, decided)
            forget_calls(tx, self._calls_max)
            return call

        self._open()
        return self.writer.call(keep)

    def open_alerts(self) -> tuple[SafetyAlert, ...]:
        """Return all alerts that nobody has acknowledged, oldest first."""
        with self._open().reading() as connection:
            return read_open_alerts(connection)

    def acknowledge(self, alert_id: str, operator: Operator, at: datetime) -> Acknowledged | None:
        """Acknowledge an alert, unless somebody has; None when it is not known."""
        self._open()
        return self.writer.call(lambda tx: keep_acknowledgement(tx, alert_id, operator, at))

    def count(self) -> int:
        """Return how many calls are remembered."""
        with self._open().reading() as connection:
            return count_calls(connection)

    def close(self) -> None:
        """Answer no more."""
        self._is_open = False

    def _open(self) -> Database:
        if not self._is_open:
            raise closed()
        return self.database
