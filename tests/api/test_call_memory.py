"""What is kept of a decision, and what the next one about the same call is told of it."""

import datetime as dt
from dataclasses import replace
from typing import Any

from msgspec import structs

from api.call_memory import Recalled, Remembered, recall, remember
from api.read_request import read_request
from api.request_schemas import RecommendRequest
from api.store.calls import CallStore, MemoryCalls
from routing.model import Agency, Answer, AssignedUnit, Incident, Mode, Status, Unit, UnitId
from tests.api.requests_made import as_bytes, request_about
from tests.routing.situations import ALL_NO, NOON, call, decide, unit

PAIR = [unit("C1", "AB"), unit("S1", "KL")]
CARE = AssignedUnit(unit_id=UnitId("C9"), agency=Agency.CARE, status=Status.ENROUTE)
ARMED = replace(ALL_NO, weapon=Answer.YES)


def recalled_by(calls: CallStore | None, request: RecommendRequest) -> Recalled:
    return recall(calls, request.incident, as_of=request.as_of)


def asked(version: int = 1, as_of: str | None = None) -> RecommendRequest:
    """Return a request about the call; only its id, version and `as_of` matter here."""
    made = request_about(incident_id=call().incident_id, version=version) | {"as_of": as_of}
    return read_request(as_bytes(made)).request


def told(
    calls: MemoryCalls, incident: Incident, *units: Unit, number: int = 0, **changes: Any
) -> Remembered:
    """Decide a version, remember it so many seconds after noon, and return what became of it."""
    recalled = recalled_by(calls, asked(incident.version))
    found = decide(list(units or PAIR), incident, now=NOON + dt.timedelta(seconds=number))
    return remember(recalled, incident, structs.replace(found, **changes), f"rec_{number}")


def test_rule_14_what_is_older_than_the_version_known_is_kept_nowhere() -> None:
    calls = MemoryCalls()
    told(calls, call(version=4))
    late = told(calls, call(version=3, screening=ARMED, assigned=(CARE,)), number=1)
    known = calls.known(call().incident_id)
    assert known is not None
    assert (known.version, known.recommendation_id, calls.open_alerts()) == (4, "rec_0", ())
    assert (late.is_late, [one.code for one in late.warnings]) == (True, ["INCIDENT_VERSION_OLD"])


def test_rule_14_each_recommendation_supersedes_the_last() -> None:
    calls = MemoryCalls()
    found = [told(calls, call(version=v), number=v).told.supersedes for v in (1, 2, 2)]
    assert found == [None, "rec_1", "rec_2"]


def test_rule_14_an_alert_is_raised_once_and_repeated() -> None:
    calls, armed = MemoryCalls(), call(screening=ARMED, assigned=(CARE,))
    found = [told(calls, armed, number=i) for i in range(3)]
    assert [one.is_raised for one in found] == [True, False, False]
    assert len({one.alert and one.alert.alert_id for one in found}) == 1
    calm = told(calls, call(version=2, assigned=(CARE,)), number=4)
    assert calm.told.safety_changed == found[0].told.safety_changed is not None


def test_rule_14_care_that_went_alone_gets_police_even_after_a_refusal_in_between() -> None:
    calls = MemoryCalls()
    told(calls, call(), mode=Mode.SOLO)
    refused = told(calls, call(version=2, call_type="BURGLARY"), number=2)
    assert refused.alert is None
    found = told(calls, call(version=3, assigned=(CARE,)), number=3)
    assert found.alert is not None
    assert [order.action for order in found.alert.orders] == ["SEND_SPD"]


def test_rule_9_units_that_were_named_are_told_and_those_on_the_call_are_not() -> None:
    calls = MemoryCalls()
    told(calls, call())
    known = calls.known(call().incident_id)
    assert known is not None
    assert known.unit_ids == ("S1", "C1")
    told(calls, call(version=2, assigned=(replace(CARE, unit_id=UnitId("C1")),)), number=1)
    known = calls.known(call().incident_id)
    assert known is not None
    assert known.unit_ids == ("S1",)


def test_rule_6_a_hold_is_remembered_and_the_unit_sent_at_once_is_named() -> None:
    calls = MemoryCalls()
    told(calls, call(), unit("S1", "KL"))
    known = calls.known(call().incident_id)
    assert known is not None
    assert (known.outcome, known.held_since, known.unit_ids) == ("HOLD", NOON, ("S1",))
    told(calls, call(version=2), number=1)
    known = calls.known(call().incident_id)
    assert known is not None
    assert (known.outcome, known.held_since) == ("DISPATCH", None)


def test_a_replay_has_no_past() -> None:
    calls = MemoryCalls()
    told(calls, call())
    assert recalled_by(calls, asked(as_of=NOON.isoformat())) == Recalled()
    assert recalled_by(None, asked()) == Recalled()
    assert recalled_by(calls, asked()).known is not None
