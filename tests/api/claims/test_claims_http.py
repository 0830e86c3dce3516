"""The life of a call over HTTP: confirmed, overridden, reported, released, and sent again."""

import asyncio
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.auth.principal import LOCAL
from api.claims.reports import Reported
from api.claims.writes import reporting
from api.idempotency import Keyed
from api.keyed_writes import KeepOnce, write_once
from api.live_view import LiveView
from api.roster_operations import remove_unit
from api.store.contract import RosterChange, RosterRead, RosterWritten
from api.store.writer import Transaction
from routing.codes import Status
from routing.roster import STATUSES, UnitId
from tests.api.call_story import ADDRESS, ASK, CALL, OPERATOR, named, told
from tests.api.claims.http_desk import OTHER_CALL, HttpDesk, http_desk, served
from tests.api.requests_made import SPD_1
from tests.api.store.engines import DATABASES

SUPERVISOR = {"operator": {"id": "V1", "role": "SUPERVISOR"}}


@pytest.fixture
def desk(view: LiveView) -> Iterator[HttpDesk]:
    with http_desk("sqlite", view) as made:
        yield made


@pytest.fixture(params=DATABASES)
def either(request: pytest.FixtureRequest, view: LiveView) -> Iterator[HttpDesk]:
    """A desk of each engine; the operations themselves are all tested on both."""
    with http_desk(request.param, view) as made:
        yield made


def unit_ids(claim: Any) -> list[str]:
    return [unit["unit_id"] for unit in claim["units"]]


def test_a_confirmed_pair_is_claimed_and_no_other_call_is_offered_it(desk: HttpDesk) -> None:
    first = desk.ask()
    reply = desk.confirm(first)
    assert reply.status_code == 200
    claim = reply.json()["claim"]
    assert (claim["state"], unit_ids(claim)) == ("LIVE", named(first))
    assert desk.claims() == [claim]
    other = desk.ask(OTHER_CALL)
    assert set(named(other)).isdisjoint(named(first))
    rules = {one["unit_id"]: one["rules"] for one in other["explain"]["units"]}
    assert [rules[unit_id] for unit_id in named(first)] == [["CLAIMED"], ["CLAIMED"]]


def test_the_units_of_its_own_claim_are_on_the_call(desk: HttpDesk) -> None:
    first = desk.ask()
    desk.confirm(first)
    again = desk.ask()
    assert named(again) == []
    assert again["next_step"] == "NONE"
    assert [unit["already_assigned"] for unit in again["assign"]] == [True, True]


def test_a_lost_race_is_told_by_unit_with_a_fresh_recommendation(either: HttpDesk) -> None:
    desk = either
    mine, theirs = desk.ask(), desk.ask(OTHER_CALL)
    assert named(mine) == named(theirs)
    assert desk.confirm(theirs).status_code == 200
    reply = desk.confirm(mine)
    problem = reply.json()
    assert (reply.status_code, problem["code"]) == (409, "CLAIM_REFUSED")
    assert {(one["code"], one["unit_id"]) for one in problem["reasons"]} == {
        ("UNIT_TAKEN", unit_id) for unit_id in named(mine)
    }
    fresh = problem["recommendation"]
    assert fresh["recorded"] is True
    assert set(named(fresh)).isdisjoint(named(mine))
    assert desk.confirm(fresh).status_code == 200
    assert len(desk.claims()) == 2


def test_a_superseded_recommendation_is_answered_with_the_one_that_holds(desk: HttpDesk) -> None:
    old, new = desk.ask(), desk.ask()
    problem = desk.confirm(old).json()
    assert [one["code"] for one in problem["reasons"]] == ["RECOMMENDATION_SUPERSEDED"]
    assert problem["recommendation"]["recommendation_id"] == new["recommendation_id"]


def test_a_recommendation_is_read_again_byte_for_byte(desk: HttpDesk) -> None:
    answer = desk.ask()
    address = f"/v1/recommendations/{answer['recommendation_id']}"
    assert desk.client.get(address).json() == answer
    assert desk.client.get(f"{address}X").status_code == 404


def test_released_units_are_offered_again(desk: HttpDesk) -> None:
    first = desk.ask()
    claim = desk.confirm(first).json()["claim"]
    body = OPERATOR | {"reason_code": "OFFICER_KNOWLEDGE"}
    reply = desk.post(f"/v1/claims/{claim['claim_id']}/release", body)
    assert reply.json()["claim"]["state"] == "RELEASED"
    assert named(desk.ask(OTHER_CALL)) == named(first)
    known = desk.client.get(f"/v1/claims/{claim['claim_id']}").json()["claim"]
    assert known == reply.json()["claim"]


def test_a_report_elsewhere_displaces_the_claim_and_decisions_see_it(either: HttpDesk) -> None:
    desk = either
    first = desk.ask()
    claim = desk.confirm(first).json()["claim"]
    police, care = unit_ids(claim)
    found = desk.report(police, "DISPATCHED", OTHER_CALL)
    assert [one["code"] for one in found["conflicts"]] == ["UNIT_ALREADY_ASSIGNED"]
    assert [one["state"] for one in found["claims"]] == ["DISPLACED"]
    again = desk.ask()
    assert care in named(again)
    assert police not in named(again)


def test_reports_fulfil_a_claim_and_the_units_stay_on_the_call(desk: HttpDesk) -> None:
    claim = desk.confirm(desk.ask()).json()["claim"]
    for unit_id in unit_ids(claim):
        found = desk.report(unit_id, "DISPATCHED", CALL)
    assert [one["state"] for one in found["claims"]] == ["FULFILLED"]
    assert desk.claims() == []
    assert [one["already_assigned"] for one in desk.ask()["assign"]] == [True, True]
    unit = desk.client.get(f"/v1/units/{unit_ids(claim)[0].replace('#', '%23')}").json()["unit"]
    assert unit["status"] == "DISPATCHED"


def test_scene_safe_by_report_lets_care_proceed(desk: HttpDesk) -> None:
    assert [one["approach"] for one in desk.ask()["assign"]] == [
        "PROCEED",
        "STAGE_UNTIL_SCENE_SAFE",
    ]
    body = {"scene_safe_at": desk.clock.at.isoformat()}
    assert desk.post(f"{ADDRESS}/scene-safe", body).json()["is_first"] is True
    assert [one["approach"] for one in desk.ask()["assign"]] == ["PROCEED", "PROCEED"]


def test_another_unit_is_claimed_by_an_override(desk: HttpDesk) -> None:
    first = desk.ask()
    reply = desk.override("USE_OTHER_UNIT", "2K3#b")
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert unit_ids(answer["claim"]) == ["2K3#b", named(first)[1]]
    assert answer["recommendation"] is None


def test_a_gate_that_is_let_pass_is_recommended_with(desk: HttpDesk) -> None:
    outside = desk.ask(call_type="NOISE COMPLAINT")
    assert outside["outcome"] == "NOT_ELIGIBLE"
    offered = [one for one in outside["overrides"] if one["gate"] == "CALL_TYPE"]
    assert offered, outside["overrides"]
    by = {"operator": {"id": "V1", "role": offered[0]["role"]}}
    reply = desk.override("OVERRIDE_GATE", gate="CALL_TYPE", **by)
    assert reply.status_code == 200, reply.text
    fresh = reply.json()["recommendation"]
    assert (fresh["outcome"], fresh["recorded"]) == ("DISPATCH", True)
    assert desk.confirm(fresh).status_code == 200


def test_other_needs_words(desk: HttpDesk) -> None:
    desk.ask()
    assert desk.override("USE_OTHER_UNIT", "2K3#b", reason_code="OTHER").status_code == 422
    reply = desk.override("USE_OTHER_UNIT", "2K3#b", reason_code="OTHER", reason_text="radio check")
    assert reply.status_code == 200


def test_what_is_wrong_with_the_asking_leaves_the_recommendation_standing(desk: HttpDesk) -> None:
    first = desk.ask()
    problem = desk.override("DIVERT_UNIT", "2K3#b").json()
    assert [one["code"] for one in problem["reasons"]] == ["OVERRIDE_NOT_OFFERED"]
    assert problem["recommendation"] is None
    assert desk.confirm(first).status_code == 200


def test_a_repeated_confirmation_gets_the_first_answer_byte_for_byte(either: HttpDesk) -> None:
    desk = either
    answer = desk.ask()
    first, again = desk.confirm(answer, key="k1"), desk.confirm(answer, key="k1")
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = desk.post(
        f"/v1/recommendations/{answer['recommendation_id']}/confirm", SUPERVISOR, key="k1"
    )
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_repeated_override_gets_the_recommendation_that_was_made_with_it(desk: HttpDesk) -> None:
    desk.ask(call_type="NOISE COMPLAINT")
    body = SUPERVISOR | {
        "action": "OVERRIDE_GATE", "gate": "CALL_TYPE", "reason_code": "SUPERVISOR_ORDER",
    }  # fmt: skip
    first = desk.post(f"{ADDRESS}/override", body, key="k2")
    again = desk.post(f"{ADDRESS}/override", body, key="k2")
    assert first.json()["recommendation"]["outcome"] == "DISPATCH"
    assert again.content == first.content


WRITES: list[tuple[str, str, Any]] = [
    ("POST", ASK, told() | {"units": None}),
    ("POST", ASK + "/batch", {"incidents": [told()["incident"]]}),
    ("PUT", ADDRESS, told() | {"units": None}),
    ("PUT", "/v1/units", {"units": [SPD_1 | {"version": 89}]}),
    ("PUT", "/v1/units/NEW", {"unit": SPD_1 | {"unit_id": "NEW"}}),
    ("DELETE", "/v1/units/2M1%23b", None),
    ("POST", "/v1/units/2M1%23b/status", {"status": "BUSY", "at": "2026-07-21T20:05:02Z"}),
    ("POST", f"{ADDRESS}/scene-safe", {"scene_safe_at": "2026-07-21T20:05:02Z"}),
]


def test_every_write_is_done_once_for_each_key(desk: HttpDesk) -> None:
    for number, (method, path, body) in enumerate(WRITES):

        def send(key: str, method: str = method, path: str = path, body: Any = body) -> Any:
            made = {} if body is None else {"json": body}
            return desk.client.request(method, path, headers={"Idempotency-Key": key}, **made)

        first = send(f"k{number}")
        noted = desk.audited()
        again = send(f"k{number}")
        assert first.status_code in (200, 201), first.text
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        assert again.headers["idempotency-replayed"] == "true"
        assert desk.audited() == noted
        assert "idempotency-replayed" not in send(f"other{number}").headers


def test_an_answer_is_kept_with_the_write_so_that_a_crash_between_them_loses_none(
    desk: HttpDesk,
) -> None:
    service, path = desk.client.app.state.service, "/v1/units/2M1%23b"  # type: ignore[attr-defined]
    keyed = Keyed(caller="development", key="k1", route=f"DELETE {path}", body=b"")
    keep = KeepOnce(keyed, lambda _written: 200)
    remove_unit(service.live, "2M1#b", keep=keep)  # and nothing more: no reply, no second write
    again = desk.client.delete(path, headers={"Idempotency-Key": "k1"})
    assert again.status_code == 200, again.text
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["result"] == "REMOVED"
    assert desk.client.delete(path, headers={"Idempotency-Key": "k2"}).status_code == 404


def test_a_unit_is_free_of_its_claim_only_when_its_reported_status_shows(desk: HttpDesk) -> None:
    service = desk.client.app.state.service  # type: ignore[attr-defined]
    first = desk.ask()
    desk.confirm(first)
    care, spd = named(first)
    desk.report(care, "DISPATCHED", CALL)
    live, seen, made = service.live, list[LiveView](), list[Reported]()

    def told(reported: Reported) -> None:  # committed, and not shown yet
        made.append(reported)
        seen.append(live.view)

    body = {"status": "DISPATCHED", "at": desk.clock.at.isoformat(), "incident_id": CALL}
    do = reporting(spd, json.dumps(body).encode(), LOCAL, {}, told)
    asyncio.run(write_once(service.desk, None, do))
    assert made[0].claims
    seen.append(live.view)
    live.refresh(desk.clock.at, changed=[spd], version=made[0].roster_version)
    assert not live.view.claimed
    assert not any(is_offered(view, unit) for view in (*seen, live.view) for unit in (care, spd))


def test_a_unit_is_free_of_its_claim_only_when_its_record_shows(desk: HttpDesk) -> None:
    service = desk.client.app.state.service  # type: ignore[attr-defined]
    first = desk.ask()
    desk.confirm(first)
    live, seen = service.live, list[LiveView]()
    _, spd = named(first)

    def busy(read: RosterRead, _view: LiveView) -> RosterChange:
        unit = replace(read.units[UnitId(spd)].unit, status=Status.BUSY, version=None)
        return RosterChange(at=desk.clock.at, units=(unit,))

    def then(tx: Transaction, _written: RosterWritten) -> None:
        tx.after.append(lambda: seen.append(live.view))

    live.write(busy, [spd], then)
    assert not live.view.claimed
    assert seen
    assert not any(is_offered(view, spd) for view in (*seen, live.view))


def is_offered(view: LiveView, unit_id: str) -> bool:
    """Tell whether a decision with a view would find a unit available and free of claims."""
    roster = view.on_duty.roster
    row = roster.row_of(UnitId(unit_id))
    assert row is not None
    return unit_id not in view.claimed and STATUSES[roster.status[row]] is Status.AVAILABLE


def test_a_key_that_is_none_is_refused(desk: HttpDesk) -> None:
    reply = desk.confirm(desk.ask(), key="x" * 256)
    assert reply.json()["errors"][0]["code"] == "IDEMPOTENCY_KEY_INVALID"


def test_claims_outlive_the_process(either: HttpDesk, view: LiveView) -> None:
    desk = either
    first = desk.ask()
    desk.confirm(first)
    with served(desk.location, view, instance="second") as later:
        assert [unit_ids(claim) for claim in later.claims()] == [named(first)]
        assert set(named(later.ask(OTHER_CALL))).isdisjoint(named(first))


def test_units_that_come_with_a_request_are_claimed_by_their_ids(desk: HttpDesk) -> None:
    first = desk.ask()
    desk.confirm(first)
    own = desk.client.post(ASK, json=told(incident_id=OTHER_CALL)).json()
    assert set(named(own)).isdisjoint(named(first))
    replay = told(incident_id=OTHER_CALL, as_of="2026-07-21T20:05:02Z")
    assert named(desk.client.post(ASK, json=replay).json()) == named(first)


def test_what_happens_is_counted(desk: HttpDesk) -> None:
    answer = desk.ask()
    desk.ask(OTHER_CALL)
    claim = desk.confirm(answer).json()["claim"]
    desk.report(unit_ids(claim)[0], "BUSY")
    lines = desk.metrics()
    assert 'tandem_claims_total{event="CONFIRMED"} 1.0' in lines
    assert 'tandem_claims_total{event="DISPLACED"} 1.0' in lines
    assert 'tandem_status_reports_total{result="APPLIED"} 1.0' in lines


HOSTILE = ["", "{", "[]", "null", '{"operator": 1}', '{"operator": {"id": "", "role": "x"}}',
           '{"operator": {"id": "D", "role": "DISPATCHER"}, "reason_code": "NONE"}',
           '{"status": "BUSY", "at": "2026-07-21T20:05:02"}', '{"status": NaN, "at": 1e999}',
           '{"status": "\\ud800", "at": "2026-07-21T20:05:02Z"}',
           '{"scene_safe_at": "9999-12-31T23:59:59Z"}', "[" * 5000]  # fmt: skip
ADDRESSES = ["/v1/recommendations/rec_1/confirm", "/v1/claims/x/release", f"{ADDRESS}/override",
             f"{ADDRESS}/scene-safe", "/v1/units/a%2Fb/status"]  # fmt: skip


def test_hostile_bodies_are_refused_as_the_callers_fault(desk: HttpDesk) -> None:
    for path, body in itertools.product(ADDRESSES, HOSTILE):
        reply = desk.client.post(path, content=body, headers={"content-type": "application/json"})
        assert 400 <= reply.status_code < 500, (body, reply.text)
        assert reply.headers["content-type"] == "application/problem+json"


def test_without_a_store_there_is_no_desk(client: Any) -> None:
    for path in ("/v1/recommendations/rec_1/confirm", "/v1/claims/c/release"):
        reply = client.post(path, json=OPERATOR | {"reason_code": "SAFETY"})
        assert (reply.status_code, reply.json()["code"]) == (503, "STORE_NOT_CONFIGURED")
        assert reply.headers["retry-after"]
