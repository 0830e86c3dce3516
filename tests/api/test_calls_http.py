"""Calls that are remembered, over HTTP: versions, safety alerts, what is kept and what is held."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.app import make_app
from api.live_view import LiveView
from api.settings import Settings
from tests.api.call_story import (
    ADDRESS,
    ASK,
    CALL,
    CARE,
    NOW,
    OPERATOR,
    POLICE,
    CallStory,
    FakeClock,
    named,
    on_the_call,
    orders,
    told,
)
from tests.api.requests_made import CARE_2, CARE_3, SPD_1, unit
from tests.api.test_http import assert_problem
from tests.api.waiting import wait_until

ARMED = {"weapon": "YES"}
TOGETHER = [CARE, POLICE]
ON_SCENE = on_the_call("CARE2#a", "CARE", "ON_SCENE")


@pytest.fixture
def story(view: LiveView) -> Iterator[CallStory]:
    """A new app that remembers nothing, at five past one."""
    clock = FakeClock()
    app = make_app(Settings(log_level="error"), load=lambda _settings, _stage: view, now=clock)
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "ready")
        yield CallStory(client, clock)


# -- versions -------------------------------------------------------------------------------------


def test_rule_14_each_recommendation_supersedes_the_one_before(story: CallStory) -> None:
    first = story.ask(3)
    again, higher = story.ask(3), story.ask(4)
    assert first["supersedes"] is None
    assert again["supersedes"] == first["recommendation_id"]
    assert higher["supersedes"] == again["recommendation_id"]
    assert (story.known()["version"], story.known()["recommendation_id"]) == (
        4, higher["recommendation_id"],
    )  # fmt: skip


def test_rule_14_an_older_version_arriving_late_changes_nothing(story: CallStory) -> None:
    story.put(4)
    before = story.known()
    late = story.put(3, screening=ARMED, assigned=TOGETHER)
    assert (late["applied"], late["known_version"], late["recommendation"]) == (False, 4, None)
    assert late["warnings"][0]["code"] == "INCIDENT_VERSION_OLD"
    assert (story.known(), story.alerts()) == (before, [])


def test_rule_14_an_older_version_that_is_asked_about_is_decided_and_not_kept(
    story: CallStory,
) -> None:
    story.ask(4)
    before = story.known()
    late = story.ask(3, screening=ARMED, assigned=TOGETHER)
    assert (late["outcome"], late["supersedes"]) == ("NOT_ELIGIBLE", None)
    warning = late["warnings"][0]
    assert (warning["code"], warning["path"]) == ("INCIDENT_VERSION_OLD", "/incident/version")
    assert "version 4" in warning["detail"]
    assert (story.known(), story.alerts()) == (before, [])


def test_rule_14_a_higher_version_runs_the_gates_again(story: CallStory) -> None:
    assert story.put(1)["recommendation"]["outcome"] == "DISPATCH"
    changed = story.put(2, screening=ARMED)
    assert (changed["applied"], changed["known_version"]) == (True, 2)
    assert changed["recommendation"]["outcome"] == "NOT_ELIGIBLE"
    assert changed["safety_changed"] is None  # nobody is on the way


# -- safety ---------------------------------------------------------------------------------------


def test_rule_14_a_weapon_found_while_care_is_under_way_stops_it(story: CallStory) -> None:
    story.ask(1)
    assert story.ask(2, assigned=TOGETHER)["safety_changed"] is None
    alert = story.ask(3, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    assert orders(alert) == [("STOP_AND_STAGE", ["CARE2#a"])]
    assert (alert["incident_id"], alert["reasons"]) == (CALL, ["WEAPON_REPORTED"])
    assert alert["raised_at"] == "2026-07-21T20:05:02.120Z"
    assert (alert["acknowledged_at"], alert["acknowledged_by"]) == (None, None)


def test_rule_14_a_weapon_found_while_care_is_on_scene_withdraws_it(story: CallStory) -> None:
    story.put(1, assigned=[ON_SCENE, POLICE])
    alert = story.put(2, assigned=[ON_SCENE, POLICE], screening=ARMED)["safety_changed"]
    assert orders(alert) == [("WITHDRAW", ["CARE2#a"])]


def test_rule_14_a_weapon_found_where_care_is_without_police_sends_police(
    story: CallStory,
) -> None:
    story.put(1, assigned=[CARE])
    alert = story.put(2, assigned=[CARE], screening=ARMED)["safety_changed"]
    assert orders(alert) == [("STOP_AND_STAGE", ["CARE2#a"]), ("SEND_SPD", [])]


def test_rule_14_it_is_repeated_until_somebody_acknowledges_it(story: CallStory) -> None:
    alert = story.ask(2, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    story.clock.pass_by(30)
    for answer in (
        story.ask(2, assigned=TOGETHER, screening=ARMED),
        story.put(3, assigned=TOGETHER),  # the weapon was a mistake; nobody said so to CARE
        story.put(1),
        story.ask(1),
        story.known(),
    ):
        assert answer["safety_changed"] == alert
    assert story.alerts() == [alert]
    assert story.acknowledge(alert).status_code == 200
    assert story.ask(3, assigned=TOGETHER)["safety_changed"] is None
    assert (story.known()["safety_changed"], story.alerts()) == (None, [])


def test_rule_14_the_same_change_is_not_raised_twice(story: CallStory) -> None:
    alert = story.put(2, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    story.acknowledge(alert)
    assert story.put(3, assigned=TOGETHER, screening=ARMED)["safety_changed"] is None
    backed = story.ask(3, assigned=TOGETHER, screening=ARMED, requested_mode="SPD_ADD")
    assert backed["mode"] == "SPD_ADD"  # it tests no screening, so the weapon is not gone
    assert story.put(4, assigned=TOGETHER, screening=ARMED)["safety_changed"] is None


def test_rule_14_another_change_raises_another_alert(story: CallStory) -> None:
    first = story.put(2, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    there = [ON_SCENE, POLICE]
    story.clock.pass_by(60)
    second = story.put(3, assigned=there, screening=ARMED)["safety_changed"]
    assert (orders(second), second["alert_id"] != first["alert_id"]) == (
        [("WITHDRAW", ["CARE2#a"])], True,
    )  # fmt: skip
    assert story.alerts() == [first, second]
    story.acknowledge(second)
    assert story.known()["safety_changed"] == first  # nobody has seen to that one


def test_rule_14_a_change_that_was_gone_and_comes_back_is_raised_again(story: CallStory) -> None:
    first = story.put(2, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    story.acknowledge(first)
    story.put(3, assigned=TOGETHER)
    again = story.put(4, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    assert again["alert_id"] != first["alert_id"]


def test_rule_14_another_call_type_after_dispatch_revokes_nothing(story: CallStory) -> None:
    story.ask(1)
    changed = story.put(2, assigned=TOGETHER, call_type="BURGLARY")
    assert changed["safety_changed"] is None
    gates = {one["gate"]: one for one in changed["recommendation"]["gates"]}
    assert (gates["CALL_TYPE"]["result"], gates["CALL_TYPE"]["code"]) == (
        "PASS", "ALREADY_DISPATCHED",
    )  # fmt: skip
    assert story.put(3, call_type="BURGLARY")["recommendation"]["outcome"] == "NOT_ELIGIBLE"


def test_the_first_acknowledgement_stands(story: CallStory) -> None:
    alert = story.put(2, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    story.clock.pass_by(20)
    first = story.acknowledge(alert).json()
    assert first["alert"]["acknowledged_by"] == OPERATOR["operator"]
    assert first["alert"]["acknowledged_at"] == "2026-07-21T20:05:22.120Z"
    story.clock.pass_by(20)
    other = {"operator": {"id": "S9", "role": "SUPERVISOR"}, "remark": "seen"}
    second = story.acknowledge(alert, other).json()
    assert second["alert"] == first["alert"]
    assert [one["code"] for one in second["warnings"]] == ["UNKNOWN_FIELD"]


def test_who_acknowledges_has_to_be_said(story: CallStory) -> None:
    alert = story.put(2, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    for body in ({}, {"operator": None}, {"operator": {"id": "D1"}}, []):
        assert_problem(story.acknowledge(alert, body), 422)
    assert story.alerts() == [alert]
    problem = assert_problem(story.acknowledge({"alert_id": "alert_none"}), 404)
    assert problem["code"] == "ALERT_NOT_KNOWN"


# -- what a later recommendation is told ----------------------------------------------------------


def test_rule_9_the_unit_named_before_is_kept_for_a_small_gain(story: CallStory) -> None:
    first = named(story.ask(1, CARE_3, SPD_1))
    little = unit("2M0#b", "SPD", -122.3398, 47.6119)  # a few seconds nearer than 2M1
    alone = named(story.ask(1, CARE_3, SPD_1, little, incident_id="another call"))
    kept = story.ask(2, CARE_3, SPD_1, little)
    assert (first, alone) == (["2M1#b", "CARE3#a"], ["2M0#b", "CARE3#a"])
    assert named(kept) == first
    near = unit("2M5#b", "SPD", -122.3372, 47.6104)
    assert named(story.ask(3, CARE_3, SPD_1, near)) == ["2M5#b", "CARE3#a"]


def test_rule_6_a_call_is_held_since_its_first_hold_and_escalates(story: CallStory) -> None:
    first = story.ask(1, CARE_2)["hold"]
    assert (first["held_since"], first["escalated"]) == ("2026-07-21T20:05:02.120Z", False)
    story.clock.pass_by(899)
    almost = story.put(2, CARE_2)["recommendation"]["hold"]
    assert (almost["held_since"], almost["escalated"]) == (first["held_since"], False)
    story.clock.pass_by(1)
    late = story.ask(2, CARE_2)["hold"]
    assert (late["held_since"], late["escalated"]) == (first["held_since"], True)
    assert story.known()["held_since"] == first["held_since"]


def test_rule_6_a_dispatch_ends_the_hold(story: CallStory) -> None:
    story.ask(1, CARE_2)
    story.clock.pass_by(600)
    assert story.ask(2)["outcome"] == "DISPATCH"
    assert story.known()["held_since"] is None
    story.clock.pass_by(600)
    again = story.ask(3, CARE_2)["hold"]
    assert (again["held_since"], again["escalated"]) == ("2026-07-21T20:25:02.120Z", False)


def test_a_replay_neither_reads_nor_writes_what_is_remembered(story: CallStory) -> None:
    as_of = NOW.isoformat()
    story.ask(5, as_of=as_of)
    assert_problem(story.client.get(ADDRESS), 404)
    story.put(5, CARE_2, assigned=[], screening={})
    alert = story.put(6, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    before = story.known()
    story.clock.pass_by(60)
    replay = story.ask(1, CARE_2, as_of=as_of)
    assert (replay["supersedes"], replay["safety_changed"], replay["warnings"]) == (None, None, [])
    told_again = story.put(9, as_of=as_of)
    assert (told_again["applied"], told_again["known_version"]) == (False, None)
    assert told_again["recommendation"]["outcome"] == "DISPATCH"
    assert (story.known(), story.alerts()) == (before, [alert])


# -- addresses, figures, failures -----------------------------------------------------------------


def test_another_call_than_in_the_address_is_refused(story: CallStory) -> None:
    reply = story.client.put("/v1/incidents/other", json=told(1))
    problem = assert_problem(reply, 422)
    assert problem["errors"][0]["code"] == "INCIDENT_ID_MISMATCH"
    assert assert_problem(story.client.get("/v1/incidents/other"), 404)["code"] == (
        "INCIDENT_NOT_KNOWN"
    )


def test_an_id_with_a_slash_has_an_address(story: CallStory) -> None:
    made = told(1, incident_id="2026/214 a")
    assert story.client.put("/v1/incidents/2026%2F214%20a", json=made).status_code == 200
    known = story.client.get("/v1/incidents/2026%2F214%20a").json()
    assert known["incident_id"] == "2026/214 a"


def test_versions_and_alerts_are_counted_without_ids(story: CallStory) -> None:
    alert = story.put(2, assigned=TOGETHER, screening=ARMED)["safety_changed"]
    story.put(1)
    story.ask(1)
    story.ask(3, assigned=[ON_SCENE, POLICE], screening=ARMED)
    story.acknowledge(alert)
    story.acknowledge(alert)
    text = story.client.get("/metrics").text
    for line in (
        'tandem_call_versions_total{result="APPLIED"} 2.0',
        'tandem_call_versions_total{result="LATE"} 2.0',
        'tandem_safety_alerts_total{event="RAISED"} 2.0',
        'tandem_safety_alerts_total{event="ACKNOWLEDGED"} 1.0',
        "tandem_safety_alerts_open 1.0",
        "tandem_calls_known 1.0",
        'tandem_warnings_total{code="INCIDENT_VERSION_OLD"} 2.0',
    ):
        assert line in text.splitlines()
    assert CALL not in text
    assert "CALLS_IN_MEMORY" in story.client.get("/readyz").json()["degraded"]


def test_without_its_memory_the_service_still_recommends(story: CallStory) -> None:
    story.ask(1)
    story.client.app.state.service.calls.close()  # type: ignore[attr-defined]
    answer = story.ask(2)
    assert (answer["outcome"], answer["supersedes"]) == ("DISPATCH", None)
    assert [one["code"] for one in answer["warnings"]] == ["CALL_MEMORY_UNAVAILABLE"]
    assert_problem(story.client.get(ADDRESS), 503)
    assert_problem(story.client.get("/v1/alerts"), 503)
    assert story.client.get("/metrics").status_code == 200
    assert story.client.post(ASK, json=told(2, as_of=NOW.isoformat())).json()["warnings"] == []
