"""What is remembered of each call between requests, and the engine that keeps it in memory.

What every engine promises (`tests/api/store/test_calls.py`):

1. **An update is whole**: nobody sees a part of one, and two of one call never mix.
2. **Older never replaces newer**, whatever order updates arrive in. An update of the version that
   is known is not older: the CAD may ask about one version as often as it likes.
3. **An alert stays open until somebody acknowledges it**, whatever happens to its call meanwhile.
   The first acknowledgement stands.
4. **One change raises one alert.** Another raises another, and so does one that was gone
   meanwhile.
5. **It is bounded.** The call that was untouched for longest goes first; one with an open alert
   goes only when all others have one too.

A recommendation is answered between `known` and `record`, on the thread of the event loop, so an
engine answers both without waiting. What these mean for a decision is in `api.call_memory`.
"""

from collections import OrderedDict
from datetime import datetime
from operator import attrgetter
from threading import Lock
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from api.errors import StoreUnavailable
from api.store.records import Operator
from routing.codes import Agency, GateCode, Mode, Outcome, Status
from routing.updates import SafetyChange, SafetyOrder

CALLS_MAX: Final = 10_000
ALERTS_OF_CALL_MAX: Final = 20

ALERT_PREFIX: Final = "alert_"


class SafetyAlert(Struct, frozen=True, kw_only=True):
    """A safety change that somebody has to acknowledge."""

    alert_id: str
    incident_id: str
    raised_at: datetime
    reasons: tuple[GateCode, ...]
    orders: tuple[SafetyOrder, ...]
    message: str
    acknowledged_at: datetime | None = None
    acknowledged_by: Operator | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has acknowledged it."""
        return self.acknowledged_at is None


class Decided(Struct, frozen=True, kw_only=True):
    """What one recommendation said of a call."""

    incident_id: str
    version: int
    outcome: Outcome
    mode: Mode | None
    recommendation_id: str
    decided_at: datetime
    unit_ids: tuple[str, ...]
    """Units that it named and that were not on the call yet."""
    held_since: datetime | None
    """Since when the call is on HOLD without interruption; None when it is not."""
    change: SafetyChange | None
    screened: bool
    """Whether the screening was tested; where not, a change that is not seen need not be gone."""


class OnCall(Struct, frozen=True, kw_only=True):
    """A unit that is on a call: a claim holds it, or the CAD reported it there."""

    unit_id: str
    agency: Agency
    status: Status
    on_scene_at: datetime | None = None


class KnownCall(Struct, frozen=True, kw_only=True):
    """One call as it is remembered."""

    incident_id: str
    version: int
    outcome: Outcome
    mode: Mode | None
    recommendation_id: str
    decided_at: datetime
    unit_ids: tuple[str, ...]
    held_since: datetime | None
    answering: Mode | None
    """The mode of the last recommendation that had one."""
    change: SafetyChange | None
    """What is no longer right since units were sent, and was told."""
    alerts: tuple[SafetyAlert, ...] = ()
    """Raised for this call, oldest first; of ALERTS_OF_CALL_MAX and more, the oldest are gone."""
    on_call: tuple[OnCall, ...] = ()
    """Units that count as assigned, whether a request names them or not."""
    scene_safe_at: datetime | None = None
    """Since when the scene is safe, by a report."""

    @property
    def alert(self) -> SafetyAlert | None:
        """The newest alert that nobody has acknowledged."""
        return next((one for one in reversed(self.alerts) if one.is_open), None)


class Acknowledged(Struct, frozen=True, kw_only=True):
    """An alert that is acknowledged, and whether it was only now."""

    alert: SafetyAlert
    is_first: bool


class CallStore(Protocol):
    """Calls as they are remembered; see the promises above.

    Every method raises `StoreUnavailable` when the engine cannot be reached.
    """

    def known(self, incident_id: str) -> KnownCall | None:
        """Return what is remembered of a call."""

    def record(self, decided: Decided) -> KnownCall | None:
        """Remember a recommendation and return the call as it is known now.

        None when it is older than what is known; then nothing changed.
        """

    def open_alerts(self) -> tuple[SafetyAlert, ...]:
        """Return all alerts that nobody has acknowledged, oldest first."""

    def acknowledge(self, alert_id: str, operator: Operator, at: datetime) -> Acknowledged | None:
        """Acknowledge an alert, unless somebody has; None when it is not known."""

    def count(self) -> int:
        """Return how many calls are remembered."""

    def close(self) -> None:
        """Let go of what the engine holds; afterwards every call raises `StoreUnavailable`."""


# -- one call -------------------------------------------------------------------------------------


def following(known: KnownCall | None, decided: Decided) -> KnownCall | None:
    """Return a call as it is after a recommendation; None when what is known is newer."""
    answering, change = decided.mode, decided.change
    alerts: tuple[SafetyAlert, ...] = ()
    if known is not None:
        if known.version > decided.version:
            return None
        answering, alerts = decided.mode or known.answering, known.alerts
        if change is None and not decided.screened:
            change = known.change
    if change is not None and (known is None or _is_news(change, known.change)):
        alerts = (*alerts, _raised(change, decided))[-ALERTS_OF_CALL_MAX:]
    return KnownCall(
        incident_id=decided.incident_id,
        version=decided.version,
        outcome=decided.outcome,
        mode=decided.mode,
        recommendation_id=decided.recommendation_id,
        decided_at=decided.decided_at,
        unit_ids=decided.unit_ids,
        held_since=decided.held_since,
        answering=answering,
        change=change,
        alerts=alerts,
        on_call=() if known is None else known.on_call,
        scene_safe_at=None if known is None else known.scene_safe_at,
    )


def _is_news(change: SafetyChange, told: SafetyChange | None) -> bool:
    """Tell whether a change has a reason, or orders a unit to do something, that was not told."""
    return told is None or not _said(change) <= _said(told)


def _said(change: SafetyChange) -> set[tuple[str, ...]]:
    orders = {(one.action, name) for one in change.orders for name in one.unit_ids or ("",)}
    return {(code,) for code in change.reasons} | orders


def _raised(change: SafetyChange, decided: Decided) -> SafetyAlert:
    """Return the alert of a change; a recommendation raises one at most and lends it its id."""
    return SafetyAlert(
        alert_id=ALERT_PREFIX + decided.recommendation_id.rpartition("_")[2],
        incident_id=decided.incident_id,
        raised_at=decided.decided_at,
        reasons=change.reasons,
        orders=change.orders,
        message=change.message,
    )


def _is_newer(known: KnownCall, call: KnownCall, *, is_settled: bool) -> bool:
    ours, theirs = (known.version, known.decided_at), (call.version, call.decided_at)
    return ours > theirs or (
        ours == theirs and not is_settled and known.recommendation_id != call.recommendation_id
    )


def _all_alerts(
    told: tuple[SafetyAlert, ...], known: tuple[SafetyAlert, ...]
) -> tuple[SafetyAlert, ...]:
    """Return alerts as they are told, and after them those that only we know."""
    ids = {alert.alert_id for alert in told}
    ours = [alert for alert in known if alert.alert_id not in ids]
    return (*told, *ours)[-ALERTS_OF_CALL_MAX:]


# -- the engine in memory -------------------------------------------------------------------------


class MemoryCalls:
    """Two dictionaries under one lock, which the event loop and the thread of the batches share."""

    def __init__(self, calls_max: int = CALLS_MAX) -> None:
        self._calls: OrderedDict[str, KnownCall] = OrderedDict()
        self._calls_of_alerts: dict[str, str] = {}
        self._alerting: set[str] = set()
        """Calls with an open alert."""
        self._calls_max = calls_max
        self._is_open = True
        self._lock = Lock()

    def known(self, incident_id: str) -> KnownCall | None:
        """Return what is remembered of a call."""
        with self._lock:
            self._require_open()
            return self._calls.get(incident_id)

    def record(self, decided: Decided) -> KnownCall | None:
        """Remember a recommendation and return the call, or None when a newer one is known."""
        with self._lock:
            self._require_open()
            known = self._calls.get(decided.incident_id)
            call = following(known, decided)
            if call is None:
                return None
            self._take(call, known)
            return call

    def holds(self, call: KnownCall) -> bool:
        """Tell whether a call is remembered exactly so."""
        return self._calls.get(call.incident_id) == call

    def put(self, call: KnownCall, *, is_settled: bool = True) -> None:
        """Take a call as another store has it; of what is newer here only facts and alerts are.

        A decision that is on its way to that store stands here already.

        Parameters
        ----------
        is_settled
            Whether that store has what was decided here at the same instant, too. If not, what
            stands here stays.
        """
        with self._lock:
            self._require_open()
            known = self._calls.get(call.incident_id)
            if known is not None and _is_newer(known, call, is_settled=is_settled):
                call = replace(
                    known,
                    alerts=_all_alerts(call.alerts, known.alerts),
                    on_call=call.on_call,
                    scene_safe_at=call.scene_safe_at,
                )
            self._take(call, known)

    def put_facts(
        self, incident_id: str, on_call: tuple[OnCall, ...], scene_safe_at: datetime | None
    ) -> None:
        """Take who is on a call, and leave all else that is known of it."""
        with self._lock:
            self._require_open()
            known = self._calls.get(incident_id)
            if known is not None:
                facts = replace(known, on_call=on_call, scene_safe_at=scene_safe_at)
                self._calls[incident_id] = facts

    def decided_since(self, at: datetime) -> list[KnownCall]:
        """Return the calls whose recommendation is younger than an instant, in no order."""
        with self._lock:
            return [call for call in self._calls.values() if call.decided_at > at]

    def open_alerts(self) -> tuple[SafetyAlert, ...]:
        """Return all alerts that nobody has acknowledged, oldest first."""
        with self._lock:
            self._require_open()
            found = [a for name in self._alerting for a in self._calls[name].alerts if a.is_open]
            return tuple(sorted(found, key=attrgetter("raised_at", "alert_id")))

    def acknowledge(self, alert_id: str, operator: Operator, at: datetime) -> Acknowledged | None:
        """Acknowledge an alert, unless somebody has; None when it is not known."""
        with self._lock:
            self._require_open()
            incident_id = self._calls_of_alerts.get(alert_id)
            if incident_id is None:
                return None
            call = self._calls[incident_id]
            place, alert = next((i, a) for i, a in enumerate(call.alerts) if a.alert_id == alert_id)
            if not alert.is_open:
                return Acknowledged(alert=alert, is_first=False)
            alert = replace(alert, acknowledged_at=at, acknowledged_by=operator)
            alerts = (*call.alerts[:place], alert, *call.alerts[place + 1 :])
            self._calls[incident_id] = replace(call, alerts=alerts)
            if not any(one.is_open for one in alerts):
                self._alerting.discard(incident_id)
            return Acknowledged(alert=alert, is_first=True)

    def count(self) -> int:
        """Return how many calls are remembered."""
        return len(self._calls)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._is_open = False
            self._calls.clear()
            self._calls_of_alerts.clear()
            self._alerting.clear()

    def _take(self, call: KnownCall, known: KnownCall | None) -> None:
        self._calls[call.incident_id] = call
        self._calls.move_to_end(call.incident_id)
        if call.alerts and (known is None or call.alerts != known.alerts):
            self._take_alerts(call, known)
        if len(self._calls) > self._calls_max:
            self._forget_one()

    def _take_alerts(self, call: KnownCall, known: KnownCall | None) -> None:
        """Find the call by the alerts it has now, and no longer by those that it had."""
        for gone in known.alerts if known else ():
            self._calls_of_alerts.pop(gone.alert_id, None)
        for alert in call.alerts:
            self._calls_of_alerts[alert.alert_id] = call.incident_id
        if call.alert is None:
            self._alerting.discard(call.incident_id)
        else:
            self._alerting.add(call.incident_id)

    def _forget_one(self) -> None:
        """Forget the call untouched for longest, of those without an open alert where there are."""
        oldest = next(iter(self._calls))
        name = next((one for one in self._calls if one not in self._alerting), oldest)
        for alert in self._calls.pop(name).alerts:
            self._calls_of_alerts.pop(alert.alert_id, None)
        self._alerting.discard(name)

    def _require_open(self) -> None:
        if not self._is_open:
            raise StoreUnavailable(
                "The memory of calls is closed.", remedy="The service is stopping; ask again."
            )
