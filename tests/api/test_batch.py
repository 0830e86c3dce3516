"""Several pending calls over HTTP: no unit twice, one bad call fails no other, all in time."""

import asyncio
import copy
import json
import sys
import threading
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.app import make_app
from api.batch_example import make_batch_example, read_batch_example
from api.batch_operations import ANSWER_S, ANSWER_SHARE, recommend_together
from api.batch_schemas import BatchPart, RecommendBatchAnswer
from api.commands.serve import SWITCH_INTERVAL_S, make_server
from api.errors import BatchesWaiting, InvalidRequest
from api.ladder import always_answering
from api.line import Line
from api.live_view import LiveView
from api.operations import recommend_units
from api.settings import Settings
from benchmarks import interference
from routing.codes import Eta
from routing.recommend_batch import recommend_batch
from tests.api.asgi_caller import call, ready_app
from tests.api.requests_made import REQUEST, as_bytes, many_units, request, unit
from tests.api.waiting import wait_until

PATH = "/v1/recommend-units/batch"
SLACK_S = 0.05


def incident(k: int, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(REQUEST["incident"]), "incident_id": f"I{k}", **changes}


def batch(*incidents: Any, units: Any = None, **changes: Any) -> dict[str, Any]:
    made = request(*(units or ()), **changes)
    del made["incident"]
    return {**made, "incidents": list(incidents)}


def seeded(n_calls: int, n_units: int, seed: int = 7, **changes: Any) -> dict[str, Any]:
    """Return a batch of calls of four priorities over downtown."""
    rng = np.random.default_rng([12, seed])
    calls = [
        incident(
            k,
            priority=int(rng.integers(1, 5)),
            location={"lon": -122.342 + 0.016 * rng.random(), "lat": 47.598 + 0.014 * rng.random()},
        )
        for k in range(n_calls)
    ]
    return batch(*calls, units=many_units(n_units), **changes)


def answered(view: LiveView, made: Any, **how: Any) -> dict[str, Any]:
    how = {"elapsed_s": lambda: 0.0, "name": lambda _at: "rec_X", **how}
    found: dict[str, Any] = json.loads(recommend_together(view, as_bytes(made), **how).body)
    return found


def sent(answer: Any) -> list[str]:
    """Return the units that go to any call, those sent at once to a call that waits included."""
    found = []
    for one in answer["recommendations"]:
        units = [*one["assign"], *(one["hold"]["send_now"] if one["hold"] else ())]
        found += [unit["unit_id"] for unit in units if not unit["already_assigned"]]
    return found


def outcomes(answer: Any) -> dict[str, str]:
    return {one["incident_id"]: one["outcome"] for one in answer["recommendations"]}


def named(answer: Any) -> list[tuple[str, str]]:
    return [(one["code"], one["path"]) for one in answer["warnings"]]


# -- what is answered -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_rule_9_a_batch_of_one_is_the_single_call_to_the_byte(view: LiveView, seed: int) -> None:
    made = seeded(1, 4 + 3 * seed, seed)
    made["competing"] = [
        {"incident_id": "other", "agency": "SPD", "sector": "M", "priority": 1, "units_needed": 1}
    ]
    one = {**made, "incident": made["incidents"][0]}
    del one["incidents"]
    alone = recommend_units(view, as_bytes(one), name=lambda _at: "rec_X").body
    body = recommend_together(
        view, as_bytes(made), elapsed_s=lambda: 0.0, name=lambda _at: "rec_X"
    ).body
    assert b'"recommendations":[' + alone + b'],"batch":{' in body


def test_rule_10_no_unit_is_in_two_answers_over_http(client: TestClient) -> None:
    answer = client.post(PATH, json=seeded(50, 120)).json()
    units = sent(answer)
    assert len(units) == len(set(units)) >= 50
    assert [one["incident_id"] for one in answer["recommendations"]] == [f"I{k}" for k in range(50)]
    assert len({one["recommendation_id"] for one in answer["recommendations"]}) == 50


def test_rule_10_calls_one_by_one_would_send_the_same_unit_twice(client: TestClient) -> None:
    made = seeded(50, 120)
    calls = [{**made, "incident": one} for one in made["incidents"]]
    answers = [client.post("/v1/recommend-units", json=one).json() for one in calls]
    units = sent({"recommendations": answers})
    assert len(units) > len(set(units))


def test_an_answer_is_what_the_contract_says_key_by_key(view: LiveView) -> None:
    body = recommend_together(view, as_bytes(seeded(6, 20))).body
    told = json.loads(body)
    whole = RecommendBatchAnswer.model_validate_json(body)
    assert json.loads(whole.model_dump_json()) == told
    assert list(told) == list(RecommendBatchAnswer.model_fields)
    assert list(told["batch"]) == list(BatchPart.model_fields)


def test_equal_requests_have_equal_bytes(view: LiveView) -> None:
    made = seeded(12, 60)
    assert answered(view, made) == answered(view, made)


def test_the_facts_are_those_of_the_answers(view: LiveView) -> None:
    answer = answered(view, seeded(12, 60))
    facts, served = answer["batch"], [one for one in answer["recommendations"] if one["pair"]]
    assert facts["calls"] == 12
    assert facts["served"] == len(served)
    assert facts["sum_of_max_s"] == sum(one["pair"]["both_at_s"] for one in served)
    assert facts["proven_optimal"]
    assert facts["gap_s"] == facts["sum_of_max_s"] - facts["bound_of_max_s"] == 0
    assert all(one["basis"]["proven_optimal"] for one in served)


def test_competing_work_that_is_one_of_the_calls_holds_no_unit_from_them(view: LiveView) -> None:
    police = [unit("2M1#b", "SPD", -122.3400, 47.6120), *many_units(5)[:1]]
    need = {"incident_id": "I1", "sector": "M", "priority": 1}
    made = batch(incident(0, priority=3), units=police, competing=[need])
    assert outcomes(answered(view, made)) == {"I0": "HOLD"}
    made["incidents"].append(incident(1, priority=4))
    assert outcomes(answered(view, made))["I0"] == "DISPATCH"


def test_the_roster_is_read_and_named_where_units_is_null(client: TestClient) -> None:
    answer = client.post(PATH, json={**batch(incident(0)), "units": None}).json()
    assert answer["recommendations"][0]["basis"]["unit_source"] == "ROSTER"
    assert answer["recommendations"][0]["basis"]["roster_version"] is not None


# -- one bad call fails no other ------------------------------------------------------------------

BAD_CALLS: list[tuple[Any, str, str]] = [
    ({"location": {"lon": 47.6104, "lat": -122.3372}}, "LOCATION_SWAPPED", "/location"),
    ({"location": {"lon": 0, "lat": 0}}, "LOCATION_ZERO", "/location"),
    ({"location": {"lon": -122.2, "lat": 47.61}}, "LOCATION_OUTSIDE", "/location"),
    ({"location": {"lon": "x", "lat": 47.61}}, "INCIDENT_ENTRY_LEFT_OUT", ""),
    ({"received_at": "2026-07-21T13:03:20"}, "INCIDENT_ENTRY_LEFT_OUT", ""),
    ({"incident_id": None}, "INCIDENT_ENTRY_LEFT_OUT", ""),
    ({"priority": "HIGH"}, "INCIDENT_ENTRY_LEFT_OUT", ""),
]


@pytest.mark.parametrize(("change", "code", "at"), BAD_CALLS)
def test_rule_12_a_bad_call_is_left_out_and_named_and_the_others_are_decided(
    view: LiveView, change: Any, code: str, at: str
) -> None:
    good = batch(incident(0), incident(2))
    answer = answered(view, batch(incident(0), incident(1, **change), incident(2)))
    assert named(answer) == [(code, f"/incidents/1{at}")]
    assert answer["recommendations"] == answered(view, good)["recommendations"]


@pytest.mark.parametrize(("change", "at"), [(change, at) for change, _, at in BAD_CALLS])
def test_a_batch_without_a_call_that_can_be_understood_is_refused(
    view: LiveView, change: Any, at: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        answered(view, batch(incident(0, **change), 17))
    paths = [problem.path for problem in refused.value.problems]
    assert len(paths) == 2
    assert "/incidents/1" in paths
    assert any(path.startswith(f"/incidents/0{at}") for path in paths)
    assert all(problem.remedy for problem in refused.value.problems)


def test_a_batch_of_no_calls_is_refused(client: TestClient) -> None:
    for made in (batch(), {**batch(), "incidents": None}, {"units": []}):
        problem = client.post(PATH, json=made)
        assert (problem.status_code, problem.json()["errors"][0]["path"]) == (422, "/incidents")


def test_more_calls_than_may_be_are_refused(client: TestClient) -> None:
    made = batch(*map(incident, range(201)))
    problem = client.post(PATH, json=made)
    assert (problem.status_code, problem.json()["errors"][0]["code"]) == (422, "TOO_LONG")


def test_of_a_call_that_is_there_twice_the_highest_version_counts_then_the_first(
    view: LiveView,
) -> None:
    calls = [incident(0, version=v, priority=p) for v, p in ((1, 1), (3, 2), (3, 3), (2, 4))]
    answer = answered(view, batch(*calls))
    assert [one["incident_version"] for one in answer["recommendations"]] == [3]
    assert named(answer) == [("INCIDENT_ENTRY_LEFT_OUT", f"/incidents/{k}") for k in (0, 2, 3)]
    assert "/incidents/1," in answer["warnings"][0]["detail"]


def test_rule_12_bad_rows_within_a_call_are_named_at_their_place(view: LiveView) -> None:
    call_1 = incident(1, assigned=[{"unit_id": "", "agency": "SPD"}], colour="red")
    call_1["location"]["uncertainty_m"] = "wide"
    made = batch(incident(0), call_1)
    made["units"][2]["status"] = "MEAL"
    made["units"].append({"unit_id": "X"})
    answer = answered(view, made)
    assert list(outcomes(answer)) == ["I0", "I1"]
    assert sorted(named(answer)) == [
        ("ASSIGNED_ENTRY_LEFT_OUT", "/incidents/1/assigned/0"),
        ("INCIDENT_ENTRY_DEGRADED", "/incidents/1/location/uncertainty_m"),
        ("UNIT_ENTRY_DEGRADED", "/units/2/status"),
        ("UNIT_ENTRY_LEFT_OUT", "/units/4"),
        ("UNKNOWN_FIELD", "/incidents/1/colour"),
    ]


# -- in time, and beside other requests -----------------------------------------------------------


class Timer:
    """Seconds that pass by a step each time that somebody looks."""

    def __init__(self, step_s: float) -> None:
        self.now_s, self.step_s = 0.0, step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def test_the_deadline_counts_from_the_arrival_and_cuts_the_search_short(view: LiveView) -> None:
    made = seeded(12, 60)
    assert not answered(view, made)["batch"]["cut_short"]
    late = answered(view, made, elapsed_s=lambda: 1.0)
    assert late["batch"]["cut_short"]
    assert late["batch"]["served"] > 0
    assert len(set(sent(late))) == len(sent(late))
    kept_back = 12 * ANSWER_S
    assert answered(view, made, elapsed_s=lambda: 1.0 - kept_back)["batch"]["cut_short"]


def test_what_preparing_took_is_kept_back_for_the_answers(view: LiveView) -> None:
    clock_s, left_s = [0.2], list[float]()

    def slowly(*given: Any, stage: Any, seconds_left: Any, **how: Any) -> Any:
        clock_s[0] += 0.1  # a busy machine prepares the calls
        stage("SOLVE")
        left_s.append(seconds_left())
        return recommend_batch(*given, stage=stage, seconds_left=seconds_left, **how)

    answered(view, seeded(3, 20), elapsed_s=lambda: clock_s[0], decide=slowly)
    assert left_s == [pytest.approx(1.0 - 0.3 - ANSWER_SHARE * 0.1)]


def test_time_that_runs_out_meanwhile_ends_the_search(view: LiveView) -> None:
    answer = answered(view, seeded(40, 120), elapsed_s=Timer(0.5))
    assert answer["batch"]["cut_short"]
    going = [one for one in answer["recommendations"] if one["outcome"] == "DISPATCH"]
    assert going
    assert not any(one["basis"]["proven_optimal"] for one in going)
    assert all(one["basis"]["cut_short"] for one in going)


@pytest.mark.parametrize(("n_calls", "deadline_ms"), [(50, 1_000), (200, 600)])
def test_a_large_batch_is_answered_within_its_deadline(
    client: TestClient, n_calls: int, deadline_ms: int
) -> None:
    made = seeded(n_calls, 120, options={"deadline_ms": deadline_ms})
    client.post(PATH, json=seeded(20, 60))  # compiled and imported
    took_s = min(timed_s(client, made) for _ in range(3))
    assert took_s <= deadline_ms / 1000 + SLACK_S


def timed_s(client: TestClient, made: Any) -> float:
    began = perf_counter()
    assert client.post(PATH, json=made).status_code == 200
    return perf_counter() - began


def test_other_requests_are_answered_while_a_batch_is_decided(view: LiveView) -> None:
    app, order = ready_app(view, log_level="error"), list[str]()
    single = as_bytes(request())

    async def ask(path: str, body: bytes) -> None:
        reply = await call(app, "POST", path, body)
        order.append(path)
        assert reply.status == 200

    async def both() -> None:
        held = threading.Event()
        app.state.service.batches.begin(lambda: held.wait(60))
        many = asyncio.create_task(ask(PATH, as_bytes(seeded(5, 20))))
        await asyncio.sleep(0)
        await ask("/v1/recommend-units", single)
        held.set()
        await many

    asyncio.run(both())
    assert order == ["/v1/recommend-units", PATH]


def test_batches_over_the_limit_are_refused_with_retry_after(view: LiveView) -> None:
    app = ready_app(view, log_level="error", batches_waiting_max=2)
    body = as_bytes(seeded(3, 20))

    async def three() -> list[Any]:
        held = threading.Event()
        app.state.service.batches.begin(lambda: held.wait(60))
        tasks = [asyncio.create_task(call(app, "POST", PATH, body)) for _ in range(3)]
        refused = await tasks[2]
        held.set()
        return [refused, *await asyncio.gather(*tasks[:2]), await call(app, "POST", PATH, body)]

    refused, *others = asyncio.run(three())
    assert refused.status == 503
    assert json.loads(refused.body)["code"] == "TOO_MANY_BATCHES"
    assert (b"retry-after", b"1") in refused.headers
    assert [reply.status for reply in others] == [200, 200, 200]


def test_a_line_takes_its_work_one_at_a_time_in_order() -> None:
    line, seen, running = Line("test", 5, lambda n: BatchesWaiting(str(n))), list[int](), [0]

    def work(k: int) -> int:
        running[0] += 1
        seen.append(k * running[0])
        running[0] -= 1
        return k

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*[line.run(lambda k=k: work(k)) for k in range(1, 6)])

    assert asyncio.run(all_of_them()) == seen == [1, 2, 3, 4, 5]
    line.close()


def test_rule_12_a_batch_that_fails_by_the_streets_is_answered_by_straight_lines(
    view: LiveView,
) -> None:
    def faulty(situation: Any, *asked: Any, **how: Any) -> Any:
        if situation.rung is Eta.ROAD:
            raise ZeroDivisionError
        return recommend_batch(situation, *asked, **how)

    fell = list[Eta]()
    decide = always_answering(faulty, lambda _fault, rung: fell.append(rung))
    answer = answered(view, seeded(3, 20), decide=decide)
    assert {one["basis"]["eta"] for one in answer["recommendations"]} == {"STRAIGHT_LINE"}
    assert fell == [Eta.ROAD]


def test_the_server_lets_the_event_loop_run_in_time(view: LiveView) -> None:
    before = sys.getswitchinterval()
    try:
        make_server(Settings(log_level="error"), ready_app(view))
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
        assert SWITCH_INTERVAL_S == interference.SWITCH_INTERVAL_S
    finally:
        sys.setswitchinterval(before)


# -- what is counted, logged and described --------------------------------------------------------


@pytest.fixture
def fresh(view: LiveView) -> Iterator[TestClient]:
    app = make_app(Settings(log_level="info"), load=lambda _settings, _stage: view)
    with TestClient(app) as made:
        wait_until(lambda: made.get("/readyz").status_code == 200, "ready")
        yield made


def test_batches_are_counted_and_the_log_has_ids_alone(
    fresh: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    response = fresh.post(PATH, json=seeded(5, 40))
    ids = [one["recommendation_id"] for one in response.json()["recommendations"]]
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["route"], line["ids"], line["calls"]) == (PATH, ids, 5)
    assert not {"I0", REQUEST["request_id"]} & set(json.dumps(line).split('"'))
    text = fresh.get("/metrics").text
    assert 'tandem_batches_total{outcome="PROVEN"} 1.0' in text
    assert 'tandem_batch_calls_bucket{le="5.0",outcome="PROVEN"} 1.0' in text
    assert 'tandem_batch_gap_seconds_bucket{le="0.0",outcome="PROVEN"} 1.0' in text
    assert 'tandem_batch_seconds_count{outcome="PROVEN"} 1.0' in text
    stages = [part.partition(";")[0] for part in response.headers["server-timing"].split(", ")]
    assert stages == ["read", "units", "prepare", "solve", "explain", "write", "total"]


def test_the_example_is_what_the_code_returns() -> None:
    """`python -m api.batch_example` writes it anew after a change that is meant."""
    assert make_batch_example() == read_batch_example()


def test_the_description_has_the_example(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"][PATH]["post"]
    content = operation["responses"]["200"]["content"]["application/json"]
    RecommendBatchAnswer.model_validate(content["examples"]["BATCH"]["value"])
    assert operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(operation["responses"]) == {"200", "408", "413", "415", "422", "503"}
