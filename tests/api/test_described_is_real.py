"""The API description is what the service does: every operation, every check, every link."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import given, settings
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from api.app import make_app
from api.live_view import LiveView
from api.openapi import describe
from api.settings import Settings
from tests.api.asgi_caller import call, ready_app, ready_desk
from tests.api.described_run import (
    CASES_MIN,
    RECOMMEND,
    SMALL,
    STREAM,
    Found,
    links_of,
    operations_with_bodies,
    run_described,
)


@pytest.fixture(scope="module")
def app(view: LiveView) -> Iterator[FastAPI]:
    with ready_desk(view, log_level="error") as made:
        yield made


@pytest.fixture(scope="module")
def found(app: FastAPI) -> Found:
    return run_described(app)


def operations(app: FastAPI) -> list[str]:
    paths = describe(app)["paths"]
    return [f"{method.upper()} {path}" for path, found in paths.items() for method in found]


def test_no_operation_differs_from_its_description(app: FastAPI, found: Found) -> None:
    assert found.errors == []
    assert found.failures == {}
    assert set(found.cases) == set(operations(app)) - {f"GET {STREAM}"}


def test_each_check_had_something_to_do(app: FastAPI, found: Found) -> None:
    for name in (
        "not_a_server_error", "status_code_conformance", "content_type_conformance",
        "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
        "positive_data_acceptance", "missing_required_header", "unsupported_method",
        "allow_header_conformance", "bad_data_is_refused_or_named",
        "good_data_is_refused_for_no_schema_only",
    ):  # fmt: skip
        assert found.checks[name] > 0, name
    for operation in operations_with_bodies(app):
        assert found.cases[operation] >= CASES_MIN or operation in SMALL, operation
    assert found.links >= links_of(describe(app))  # it infers some by itself


def test_operations_without_parameters_take_any_query_and_headers(view: LiveView) -> None:
    """The engine has one case for them, because their description leaves nothing to vary."""
    with ready_desk(view, log_level="error") as app:  # the engine stops an app after its test
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        plain = [
            operation
            for operation in (result.ok() for result in schema.get_all_operations())
            if operation.method.upper() == "GET" and "parameters" not in operation.definition.raw
        ]
        assert {operation.path for operation in plain} >= {"/v1/network", "/v1/pending", "/readyz"}
        for operation in plain:
            answers_whatever_is_asked_beside(operation)


def answers_whatever_is_asked_beside(operation: Any) -> None:
    rng = random.Random(20231001)
    for _ in range(CASES_MIN):
        word = f"w{rng.getrandbits(40):x}"
        response = operation.Case().call(params={word: word}, headers={"x-word": word})
        operation.validate_response(response)
        assert response.status_code == 200


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_small_operation_takes_as_many_drawn_cases(view: LiveView, name: str) -> None:
    method, _, path = name.partition(" ")
    app = ready_app(view, log_level="error")
    operation = schemathesis.openapi.from_asgi("/openapi.json", app)[path][method]
    statuses: list[int] = []

    @settings(max_examples=CASES_MIN, deadline=None, derandomize=True, database=None)
    @given(case=operation.as_strategy())
    def answers_as_described(case: schemathesis.Case) -> None:
        response = case.call()
        case.validate_response(response)
        statuses.append(response.status_code)

    answers_as_described()
    assert len(statuses) >= CASES_MIN
    assert set(statuses) <= {404, 422}  # no alert has the drawn name


def test_a_service_that_is_not_ready_answers_as_described() -> None:
    def never(_settings: Settings, _stage: Any) -> LiveView:
        raise OSError("no streets")

    starting = make_app(Settings(log_level="error"), load=never)
    found = run_described(
        starting, cases_max=4, without=("not_a_server_error", "positive_data_acceptance")
    )
    assert (found.errors, found.failures) == ([], {})


# -- known-bad twins ------------------------------------------------------------------------------


def spoilt(view: LiveView, change: Any) -> FastAPI:
    """Return an app whose description, or behaviour, was changed."""
    app = ready_app(view, log_level="error")
    document = app.openapi()
    change(app, document)
    return app


def _without_422(_app: FastAPI, document: Any) -> None:
    del document["paths"]["/v1/recommend-units"]["post"]["responses"]["422"]


def _other_type(_app: FastAPI, document: Any) -> None:
    responses = document["paths"]["/metrics"]["get"]["responses"]
    responses["200"]["content"] = {"application/json": {}}


def _other_shape(_app: FastAPI, document: Any) -> None:
    answer = document["components"]["schemas"]["RecommendAnswer"]
    answer["properties"]["outcome"] = {"type": "integer"}


def _undescribed_limit(_app: FastAPI, document: Any) -> None:
    incident = document["components"]["schemas"]["IncidentEntry"]
    incident["properties"]["incident_id"] = {"type": "string"}


def _described_limit(_app: FastAPI, document: Any) -> None:
    unit = document["components"]["schemas"]["UnitEntry"]
    unit["required"] = [*unit["required"], "shift_end"]


@pytest.mark.parametrize(
    ("change", "operation", "check"),
    [
        (_without_422, RECOMMEND, "status_code_conformance"),
        (_other_type, "GET /metrics", "content_type_conformance"),
        (_other_shape, RECOMMEND, "response_schema_conformance"),
        (_undescribed_limit, RECOMMEND, "good_data_is_refused_for_no_schema_only"),
        (_described_limit, RECOMMEND, "bad_data_is_refused_or_named"),
    ],
)
def test_a_description_that_lies_is_found(
    view: LiveView, change: Any, operation: str, check: str
) -> None:
    found = run_described(spoilt(view, change), cases_max=8, only=operation)
    assert (operation, check) in found.failures, found


def test_a_description_that_tells_the_truth_is_not_blamed(app: FastAPI) -> None:
    found = run_described(app, cases_max=8, only="GET /metrics")
    assert (found.errors, found.failures) == ([], {})
    assert set(found.cases) == {"GET /metrics"}


def test_a_roster_that_takes_bad_rows_in_silence_is_found(app: FastAPI) -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body() if scope["type"] == "http" else b""
        if scope["type"] != "http" or scope["method"] != "PUT":
            return await app(scope, repeated(body, receive), send)
        reply = await call(app, "PUT", scope["path"], body, dict(Request(scope).headers))
        told = json.loads(reply.body)
        told |= {"warnings": told["warnings"][:1]} if told.get("warnings") else {}
        return await JSONResponse(told, reply.status, media_type=reply.media_type)(
            scope, receive, send
        )

    failures = run_described(silent, cases_max=8, only="PUT /v1/units").failures
    assert ("PUT /v1/units", "bad_data_is_refused_or_named") in failures


def repeated(body: bytes, receive: Receive) -> Receive:
    """Return what receives a body that was received already."""
    parts = [body]

    async def once() -> Any:
        more = {"type": "http.request", "body": b"", "more_body": False}
        return more | {"body": parts.pop()} if parts else await receive()

    return once


def test_a_fault_is_found(app: FastAPI) -> None:
    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/healthz":
            await JSONResponse({}, 500)(scope, receive, send)
        else:
            await app(scope, receive, send)

    found = run_described(faulty, cases_max=1, only="GET /healthz")
    assert ("GET /healthz", "not_a_server_error") in found.failures
