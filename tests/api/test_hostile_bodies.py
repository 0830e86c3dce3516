"""Whatever is sent: never a fault, never an echo; the bad field, unit or row is always named."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from api.call_examples import read_call_examples
from api.incident_operations import update_incident
from api.live_view import LiveView
from api.openapi import describe
from api.operations import Manner
from tests.api.asgi_caller import Reply, call, ready_app
from tests.api.described_run import named_paths
from tests.api.described_values import Described, Place, pointer, same_line
from tests.api.hostile_bodies import (
    Case,
    byte_cases,
    damage_cases,
    field_cases,
    transport_cases,
    whole_body_cases,
)
from tests.api.hostile_endpoints import ALERT_ID, ENDPOINTS, RECOMMEND, Endpoint, new_canary


@pytest.fixture(scope="module")
def app(view: LiveView) -> Any:
    app = ready_app(view, log_level="debug")
    weapon = read_call_examples()["WEAPON"]["request"]
    manner = Manner(calls=app.state.service.calls, name=lambda _at: f"rec_{ALERT_ID[6:]}")
    body = json.dumps(weapon).encode()
    raised = update_incident(view, weapon["incident"]["incident_id"], body, manner).remembered.alert
    assert raised is not None
    assert raised.alert_id == ALERT_ID
    return app


def every_case(app: Any, endpoint: Endpoint) -> list[Case]:
    """Return the cases of an endpoint, always the same."""
    rng = random.Random(20231001)
    document = describe(app)
    operation = document["paths"][endpoint.path][endpoint.method.lower()]
    described = Described(
        document, operation["requestBody"]["content"]["application/json"]["schema"]
    )
    return [
        *field_cases(endpoint, described, rng),
        *damage_cases(endpoint, rng, 800),
        *byte_cases(endpoint, rng, 400),
        *whole_body_cases(endpoint, new_canary(rng)),
        *transport_cases(endpoint, new_canary(rng)),
    ]


@cache
def some_cases(app: Any, endpoint: Endpoint) -> list[Case]:
    """Return one in 41 of them, for services that are wrong at once."""
    return every_case(app, endpoint)[::41]


# -- what is wrong with a reply -------------------------------------------------------------------


def wrongs(case: Case, reply: Reply, logged: str) -> list[str]:
    """Return everything that must not be so."""
    found = []
    if reply.status not in case.statuses:
        found.append(f"status {reply.status}, expected {sorted(case.statuses)}")
    seen = [reply.body.decode(), repr(reply.headers)]
    if any(case.canary.text in text for text in (*seen, logged)):
        found.append("repeats a text of the body")
    if any(
        case.canary.name in text
        for text in ([logged] if reply.status in case.endpoint.taken else [*seen, logged])
    ):
        found.append("repeats a name of the body")
    if reply.status in case.endpoint.taken:
        return found + _wrongs_of_answer(case, reply)
    return found + _wrongs_of_refusal(case, reply)


def _wrongs_of_answer(case: Case, reply: Reply) -> list[str]:
    if reply.media_type != "application/json":
        return [f"an answer is {reply.media_type}"]
    case.endpoint.answer.model_validate_json(reply.body)
    paths = named_paths(json.loads(reply.body))
    if case.part is None or case.at is None:
        return []
    named = any(_within(path, case.part) and same_line(path, case.at) for path in paths)
    return [] if named else [f"no warning names {pointer(case.at)}: {paths}"]


def _wrongs_of_refusal(case: Case, reply: Reply) -> list[str]:
    if reply.media_type != "application/problem+json":
        return [f"a refusal is {reply.media_type}"]
    problem = json.loads(reply.body)
    found = [
        f"no {key}" for key in ("type", "title", "code", "detail", "remedy") if not problem.get(key)
    ]
    errors = problem.get("errors", [])
    if problem.get("status") != reply.status:
        found.append("another status in the problem")
    if case.said and problem.get("code") != case.said:
        found.append(f"code {problem.get('code')}, expected {case.said}")
    if reply.status == 422 and not (errors and all(e["remedy"] and e["code"] for e in errors)):
        found.append("no error with its remedy")
    if case.at is not None and not any(same_line(e["path"], case.at) for e in errors):
        found.append(f"no error names {pointer(case.at)}: {[e['path'] for e in errors]}")
    return found


def _within(path: str, place: Place) -> bool:
    return f"{path}/".startswith(f"{pointer(place)}/")


def run(app: ASGIApp, cases: Iterable[Case], capsys: Any) -> tuple[Counter[str], Counter[int]]:
    """Return how often each thing was wrong, and the statuses."""
    found: Counter[str] = Counter()
    statuses: Counter[int] = Counter()

    async def all_of_them() -> None:
        capsys.readouterr()
        for case in cases:
            endpoint = case.endpoint
            reply = await call(app, endpoint.method, case.address, case.body, case.headers)
            statuses[reply.status] += 1
            for wrong in wrongs(case, reply, capsys.readouterr().err):
                at = pointer(case.at) if case.at else "-"
                found[f"{wrong} at {at} in {case.body[:300]!r}"] += 1

    asyncio.run(all_of_them())
    return found, statuses


# -- the promise ----------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
def test_thousands_of_hostile_bodies_meet_no_fault_no_echo_and_are_named(
    app: Any, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = every_case(app, endpoint)
    prepare(app, endpoint)
    found, statuses = run(app, cases, capsys)
    assert found == Counter()
    assert statuses.total() == len(cases) >= endpoint.cases_min
    assert min(statuses[200], statuses[422]) >= endpoint.cases_min // 10
    assert set(statuses) == endpoint.taken | {413, 415, 422}


def prepare(app: ASGIApp, endpoint: Endpoint) -> None:
    """Empty the roster, or give it the units that an endpoint needs."""
    made = endpoint.before or (lambda _canary: {"units": []})
    body = json.dumps(made(new_canary(random.Random(7)))).encode()
    assert asyncio.run(call(app, "PUT", "/v1/units", body)).status == 200


def sent(app: ASGIApp, body: Any) -> Reply:
    made = body if isinstance(body, bytes) else json.dumps(body).encode()
    return asyncio.run(call(app, RECOMMEND.method, RECOMMEND.path, made))


def good(**incident: Any) -> Any:
    body = RECOMMEND.good(new_canary(random.Random(7)))
    body["incident"] |= incident
    return body


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (47.60977, -122.33782, "LOCATION_SWAPPED"),
        (0, 0, "LOCATION_ZERO"),
        (1_270_423.5, 225_171.2, "LOCATION_NOT_DEGREES"),
        (550_100.0, 5_272_900.0, "LOCATION_NOT_DEGREES"),
        (-122.33782, 45.5, "LOCATION_OUTSIDE"),
        (122.33782, 47.60977, "LOCATION_OUTSIDE"),
        (float("nan"), 47.6, "NOT_FINITE"),
        (-122.3, float("inf"), "NOT_FINITE"),
        (-122.3, "47.6", "WRONG_TYPE"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused_with_its_remedy(
    app: Any, lon: Any, lat: Any, code: str
) -> None:
    reply = sent(app, good(location={"lon": lon, "lat": lat}))
    problem = json.loads(reply.body)
    assert (reply.status, [one["code"] for one in problem["errors"]]) == (422, [code])
    assert problem["errors"][0]["path"].startswith("/incident/location")
    assert problem["errors"][0]["remedy"]


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 0), (47.61, -122.34), (1_270_423.5, 225_171.2), (-122.3, 45.5)]
)
def test_a_unit_with_a_place_that_cannot_be_meant_is_named(app: Any, lon: Any, lat: Any) -> None:
    body = good()
    body["units"][2]["position"] |= {"lon": lon, "lat": lat}
    answer = json.loads(sent(app, body).body)
    assert any(_within(one["path"], ("units", 2, "position")) for one in answer["warnings"])


@pytest.mark.parametrize("mode", ["BY_POLICY", "DUAL", "CARE_ONLY_ADD", "SPD_ADD"])
def test_an_empty_list_of_units_is_a_hold(app: Any, mode: str) -> None:
    body = good(requested_mode=mode) | {"units": []}
    reply = sent(app, body)
    assert (reply.status, json.loads(reply.body)["outcome"]) == (200, "HOLD")


@pytest.mark.parametrize(
    ("path", "count"), [("units", 2_001), ("competing", 201), ("exclude_unit_ids", 2_001)]
)
def test_lists_over_their_limit_are_refused_by_name(app: Any, path: str, count: int) -> None:
    row = {"unit_id": "2M1", "agency": "SPD"} if path == "units" else good()[path][0]
    reply = sent(app, good() | {path: [row] * count})
    assert (reply.status, json.loads(reply.body)["errors"][0]["path"]) == (422, f"/{path}")


def test_of_a_key_that_stands_twice_the_last_counts(app: Any) -> None:
    """RFC 8259 leaves it open; what matters is that it is always the same and no fault."""
    body = json.dumps(good())
    twice = body.replace('"lat": 47.60977', '"lat": 0, "lat": 47.60977', 1)
    assert twice != body
    one, two = (json.loads(sent(app, text.encode()).body) for text in (body, twice))
    assert one | {"recommendation_id": ""} == two | {"recommendation_id": ""}


def test_an_address_with_a_name_in_it_leaves_no_trace(
    app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    word = new_canary(random.Random(3)).text
    for method in ("GET", "POST", "PUT", "BREW"):
        for path in (f"/v1/{word}", f"/v1/network/{word}", f"/v1/network?name={word}"):
            reply = asyncio.run(call(app, method, path, word.encode(), {"x-name": word}))
            assert reply.status in {200, 404, 405}
            assert word not in reply.body.decode() + repr(reply.headers) + capsys.readouterr().err


# -- known-bad twins: services that break one promise each ----------------------------------------


async def _answer(app: ASGIApp, request: Request) -> Reply:
    body = await request.body()
    return await call(app, request.method, request.url.path, body, dict(request.headers))


def twin(app: ASGIApp, spoil: Any) -> ASGIApp:
    """Return the app with its replies spoilt."""

    async def spoilt(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        reply = await _answer(app, request)
        response: Response = spoil(await request.body(), reply)
        await response(scope, receive, send)

    return spoilt


def _faulty(body: bytes, reply: Reply) -> Response:
    return Response(status_code=500) if b"NaN" in body else _as_it_is(body, reply)


def _as_it_is(_body: bytes, reply: Reply) -> Response:
    return Response(reply.body, reply.status, media_type=reply.media_type)


def _echoing(body: bytes, reply: Reply) -> Response:
    if reply.status != 422:
        return _as_it_is(body, reply)
    problem = json.loads(reply.body) | {"input": body.decode(errors="replace")}
    return JSONResponse(problem, 422, media_type=reply.media_type)


def _echoing_in_a_header(body: bytes, reply: Reply) -> Response:
    response = _as_it_is(body, reply)
    response.headers["x-echo"] = body[-400:].decode("latin-1").replace("\n", " ")
    return response


def _silent(body: bytes, reply: Reply) -> Response:
    if reply.status != 200:
        return _as_it_is(body, reply)
    answer = json.loads(reply.body)
    silent = {key: [] for key in ("warnings", "rows") if key in answer}
    return JSONResponse(answer | silent)


def _unnamed(body: bytes, reply: Reply) -> Response:
    if reply.status != 422:
        return _as_it_is(body, reply)
    problem = json.loads(reply.body)
    for error in problem["errors"]:
        error["path"] = "/incident/elsewhere"
    return JSONResponse(problem, 422, media_type=reply.media_type)


def _plain(body: bytes, reply: Reply) -> Response:
    if reply.status != 422:
        return _as_it_is(body, reply)
    return JSONResponse(json.loads(reply.body), 422)


def _lenient(body: bytes, reply: Reply) -> Response:
    """Answer what ought to be refused with the answer to something else."""
    return _as_it_is(body, GOOD_REPLY[0] if reply.status == 422 else reply)


def _strict(body: bytes, reply: Reply) -> Response:
    """Refuse what one bad unit must not spoil."""
    degraded = reply.status == 200 and b"_LEFT_OUT" in reply.body
    return _as_it_is(body, REFUSED_REPLY[0] if degraded else reply)


GOOD_REPLY: list[Reply] = []
REFUSED_REPLY: list[Reply] = []


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (_faulty, "status 500"),
        (_echoing, "repeats a text"),
        (_echoing_in_a_header, "repeats a text"),
        (_silent, "no warning names"),
        (_unnamed, "no error names"),
        (_plain, "a refusal is application/json"),
        (_lenient, "status 200, expected [422]"),
        (_strict, "status 422, expected [200]"),
    ],
)
def test_a_service_that_breaks_a_promise_is_found(
    app: Any, spoil: Any, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    GOOD_REPLY[:] = [sent(app, good())]
    REFUSED_REPLY[:] = [sent(app, b"[]")]
    found, _ = run(twin(app, spoil), some_cases(app, RECOMMEND), capsys)
    assert any(wrong in one for one in found), list(found)[:5]


SPOILT = [
    (_faulty, "status 500"),
    (_echoing, "repeats"),
    (_silent, "no warning"),
    (_plain, "a refusal"),
]


@pytest.mark.parametrize(
    ("endpoint", "spoil", "wrong"),
    [
        pytest.param(endpoint, spoil, wrong, id=f"{wrong}-{endpoint.path}")
        for endpoint in ENDPOINTS[1:]
        for spoil, wrong in SPOILT
        if endpoint.mended or spoil is not _silent  # where nothing is mended, nothing is named
    ],
)
def test_what_is_broken_at_one_address_is_found_there(
    app: Any, endpoint: Endpoint, spoil: Any, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(app, endpoint)
    found, _ = run(twin(app, spoil), some_cases(app, endpoint), capsys)
    assert any(wrong in one for one in found), list(found)[:5]


def test_a_service_that_only_passes_replies_on_is_not_blamed(
    app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(twin(app, _as_it_is), some_cases(app, RECOMMEND), capsys)[0] == Counter()


def test_a_body_in_the_log_is_found(app: Any) -> None:
    case = some_cases(app, RECOMMEND)[0]
    reply = asyncio.run(call(app, RECOMMEND.method, RECOMMEND.path, case.body))
    assert wrongs(case, reply, "request 200") == []
    assert wrongs(case, reply, case.body.decode()) == [
        "repeats a text of the body",
        "repeats a name of the body",
    ]
