"""What every memory of calls promises; the numbers are those of `api.store.calls`."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.errors import StoreUnavailable
from api.store.calls import ALERTS_OF_CALL_MAX, CallStore, Decided, MemoryCalls
from api.store.records import Operator
from api.store.sql_calls import SqlCalls, keep_decision
from routing.codes import Agency, GateCode, Mode, Outcome, SafetyAction
from routing.updates import SafetyChange, SafetyOrder
from tests.api.store.engines import CALL_ENGINES

NOW = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)
CALLS_MAX = 4
DISPATCHER = Operator(operator_id="D1", role="DISPATCHER")
SUPERVISOR = Operator(operator_id="S1", role="SUPERVISOR")


@pytest.fixture(params=CALL_ENGINES)
def calls(request: pytest.FixtureRequest) -> Iterator[CallStore]:
    made = CALL_ENGINES[request.param](CALLS_MAX)
    yield made
    made.close()


def decided(name: str = "A", version: int = 1, seconds: int = 0, **changes: Any) -> Decided:
    """Return a dispatch of C1 and S1, so many seconds after NOW."""
    values: dict[str, Any] = {
        "outcome": Outcome.DISPATCH, "mode": Mode.DUAL, "unit_ids": ("S1", "C1"),
        "recommendation_id": f"rec_{name}{version}{seconds}", "held_since": None, "change": None,
        "screened": True, "decided_at": NOW + dt.timedelta(seconds=seconds),
    }  # fmt: skip
    return Decided(incident_id=name, version=version, **values | changes)


def change(*unit_ids: str, reason: GateCode = GateCode.WEAPON_REPORTED) -> SafetyChange:
    order = SafetyOrder(action=SafetyAction.WITHDRAW, agency=Agency.CARE, unit_ids=unit_ids)
    return SafetyChange(reasons=(reason,), orders=(order,), message="Withdraw.")


def test_a_call_decided_twice_at_one_instant_is_not_put_back_by_a_late_reading() -> None:
    calls = MemoryCalls()
    first = calls.record(decided("A", recommendation_id="rec_1"))
    assert first is not None
    calls.record(decided("A", recommendation_id="rec_2"))
    calls.put(first, is_settled=False)  # read before the second was written

    def now() -> str:
        known = calls.known("A")
        assert known is not None
        return known.recommendation_id

    assert now() == "rec_2"
    calls.put(first)  # what the store has is what holds
    assert now() == "rec_1"


def test_what_was_decided_is_known(calls: CallStore) -> None:
    assert calls.known("A") is None
    kept = calls.record(decided("A", 3, held_since=NOW))
    assert kept == calls.known("A")
    assert kept is not None
    assert (kept.version, kept.unit_ids, kept.held_since) == (3, ("S1", "C1"), NOW)
    assert (calls.known("B"), calls.count()) == (None, 1)


def test_older_never_replaces_newer(calls: CallStore) -> None:
    kept = calls.record(decided("A", 3))
    assert calls.record(decided("A", 2, 5, change=change("C1"))) is None
    assert (calls.known("A"), calls.open_alerts()) == (kept, ())
    again = calls.record(decided("A", 3, 9))
    assert again is not None
    assert again.recommendation_id == "rec_A39"


def test_a_decision_that_waited_elsewhere_does_not_replace_a_later_one() -> None:
    calls = CALL_ENGINES["sqlite"](CALLS_MAX)
    assert isinstance(calls, SqlCalls)
    kept = calls.record(decided("A", 3, 9))
    early = decided("A", 3, 5)
    assert calls.writer.call(lambda tx: keep_decision(tx, early, waited=True)) is None
    assert calls.known("A") == kept
    again = calls.record(early)  # by another clock; nothing waited
    assert again is not None
    assert again.recommendation_id == early.recommendation_id
    newer = decided("A", 4, 5)
    assert calls.writer.call(lambda tx: keep_decision(tx, newer, waited=True)) is not None
    calls.close()


def test_the_latest_version_is_known_whatever_order_updates_come_in(calls: CallStore) -> None:
    rng = random.Random(20231001)
    for _ in range(50):
        name, versions = f"A{rng.random()}", rng.sample(range(9), 6)
        told = [calls.record(decided(name, version)) for version in versions]
        best = max(versions)
        for i, kept in enumerate(told):
            assert (kept is None) == (versions[i] < max(versions[: i + 1]))
        found = calls.known(name)
        assert found is not None
        assert found.version == best


def test_an_alert_is_open_until_it_is_acknowledged_and_the_first_stands(calls: CallStore) -> None:
    calls.record(decided("A", 1, change=change("C1")))
    calls.record(decided("A", 2, 1))  # the change is gone, the alert is not
    (alert,) = calls.open_alerts()
    first = calls.acknowledge(alert.alert_id, DISPATCHER, NOW)
    second = calls.acknowledge(alert.alert_id, SUPERVISOR, NOW + dt.timedelta(hours=1))
    assert first is not None
    assert second is not None
    assert (first.is_first, second.is_first, second.alert) == (True, False, first.alert)
    assert first.alert.acknowledged_by == DISPATCHER
    assert calls.open_alerts() == ()
    known = calls.known("A")
    assert known is not None
    assert (known.alert, known.alerts) == (None, (first.alert,))
    assert calls.acknowledge("alert_none", DISPATCHER, NOW) is None


@pytest.mark.parametrize(
    ("after", "n_alerts"),
    [
        ({"change": change("C1")}, 1),
        ({"change": change("C1", "C2")}, 2),
        ({"change": change("C1", reason=GateCode.VIOLENCE_REPORTED)}, 2),
        ({"change": None}, 1),
    ],
)
def test_one_change_raises_one_alert(calls: CallStore, after: Any, n_alerts: int) -> None:
    calls.record(decided("A", 1, change=change("C1")))
    kept = calls.record(decided("A", 2, 1, **after))
    assert kept is not None
    assert len(kept.alerts) == n_alerts == len(calls.open_alerts())


def test_less_of_a_change_is_no_news(calls: CallStore) -> None:
    calls.record(decided("A", 1, change=change("C1", "C2")))
    less = calls.record(decided("A", 2, 1, change=change("C2")))
    assert less is not None
    assert len(less.alerts) == 1


@pytest.mark.parametrize(("screened", "n_alerts"), [(True, 2), (False, 1)])
def test_a_change_is_gone_only_when_the_screening_was_tested(
    calls: CallStore, screened: bool, n_alerts: int
) -> None:
    calls.record(decided("A", 1, change=change("C1")))
    calls.record(decided("A", 2, 1, screened=screened))
    again = calls.record(decided("A", 3, 2, change=change("C1")))
    assert again is not None
    assert len(again.alerts) == n_alerts


def test_the_mode_that_answers_is_that_of_the_last_recommendation_that_had_one(
    calls: CallStore,
) -> None:
    calls.record(decided("A", 1, mode=Mode.SOLO))
    kept = calls.record(decided("A", 2, 1, mode=None, outcome=Outcome.NOT_ELIGIBLE))
    assert kept is not None
    assert (kept.mode, kept.answering) == (None, Mode.SOLO)


def test_open_alerts_are_listed_oldest_first(calls: CallStore) -> None:
    for name, seconds in (("B", 5), ("A", 9), ("C", 1)):
        calls.record(decided(name, 1, seconds, change=change("C1")))
    assert [one.incident_id for one in calls.open_alerts()] == ["C", "B", "A"]


def test_the_call_untouched_for_longest_goes_first(calls: CallStore) -> None:
    for name in "ABCD":
        calls.record(decided(name))
    calls.record(decided("A", 2))
    calls.record(decided("E"))
    assert [name for name in "ABCDE" if calls.known(name)] == ["A", "C", "D", "E"]


def test_a_call_with_an_open_alert_goes_last(calls: CallStore) -> None:
    calls.record(decided("A", change=change("C1")))
    for name in "BCDEFGH":
        calls.record(decided(name))
    assert [name for name in "ABCDEFGH" if calls.known(name)] == ["A", "F", "G", "H"]
    for name in "IJKL":
        calls.record(decided(name, change=change("C1")))
    assert calls.count() == CALLS_MAX == len(calls.open_alerts())
    assert calls.known("A") is None


def test_alerts_of_a_call_are_bounded_and_those_that_went_are_not_known(calls: CallStore) -> None:
    for i in range(ALERTS_OF_CALL_MAX + 2):
        calls.record(decided("A", 1, i, change=change(f"C{i}")))
    found = calls.open_alerts()
    assert len(found) == ALERTS_OF_CALL_MAX
    assert found[0].orders[0].unit_ids == ("C2",)
    assert calls.acknowledge("alert_A10", DISPATCHER, NOW) is None
    assert all(calls.acknowledge(one.alert_id, DISPATCHER, NOW) for one in found)


def test_what_is_forgotten_takes_its_alerts_along(calls: CallStore) -> None:
    calls.record(decided("A", change=change("C1")))
    calls.acknowledge("alert_A10", DISPATCHER, NOW)
    for name in "BCDE":
        calls.record(decided(name))
    assert calls.known("A") is None
    assert calls.acknowledge("alert_A10", DISPATCHER, NOW) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda calls: calls.known("A"),
        lambda calls: calls.record(decided()),
        lambda calls: calls.open_alerts(),
        lambda calls: calls.acknowledge("x", DISPATCHER, NOW),
    ],
)
def test_a_closed_store_says_so(calls: CallStore, ask: Callable[[CallStore], Any]) -> None:
    calls.close()
    with pytest.raises(StoreUnavailable):
        ask(calls)


# -- known-bad twins ------------------------------------------------------------------------------


class TakesAnything(MemoryCalls):
    """A memory that the last to come overwrites."""

    def record(self, decided: Decided) -> Any:
        self._calls.pop(decided.incident_id, None)
        return super().record(decided)


@pytest.mark.parametrize(
    "promise",
    [
        test_older_never_replaces_newer,
        test_the_latest_version_is_known_whatever_order_updates_come_in,
        test_the_mode_that_answers_is_that_of_the_last_recommendation_that_had_one,
        test_an_alert_is_open_until_it_is_acknowledged_and_the_first_stands,
    ],
)
def test_a_memory_that_takes_anything_is_found(promise: Callable[[CallStore], None]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        promise(TakesAnything(CALLS_MAX))
