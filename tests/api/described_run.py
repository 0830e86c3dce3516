"""One run of schemathesis over the whole API description: examples, coverage, fuzzing, links.

The engine is used rather than its pytest plugin, because one run then has all phases with every
check, as its command line has, and can be counted.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.api.asgi_caller import call
from tests.api.described_values import Described, same_line

CASES_MIN = 100
SMALL = {"POST /v1/alerts/{alert_id}/acknowledge"}
"""Operations with so little to vary that the engine finds fewer different cases."""
RECOMMEND = "POST /v1/recommend-units"
DRAWN = {RECOMMEND: 60, "PUT /v1/incidents/{incident_id}": 60, "POST /v1/recommend-units/batch": 40}
"""Operations with a thousand cases from the description alone, of which fewer are drawn."""

STREAM = "/v1/events"
"""Its answer does not end; `test_events` asks it."""

LENIENT = {"negative_data_rejection": {"enabled": False}}
"""Bad rows and options are left out and named (rule 12): `bad_data_is_refused_or_named` instead."""
PLACED = {"positive_data_acceptance": {"enabled": False}}
"""What no schema can say may be refused: `good_data_is_refused_for_no_schema_only` instead."""

BEYOND_A_SCHEMA = (
    "LOCATION_", "UNIT_ID_MISMATCH", "INCIDENT_ID_MISMATCH", "REASON_TEXT_MISSING", "EFFECTIVE_AT_",
    "DRAFT_NAME_INVALID", "CLOSURE", "SCENARIO_",
)  # fmt: skip
"""Codes of good data that is refused: a place without streets, two names for one unit or call, a
reason that must be said in words, parts of a closure that do not go together, a text that is no
scenario."""
ANOTHER_NOW = {403, 405, 409, 412, 428}
"""What it is about is another now, another's, only read, or not the version that was meant."""
DAYS = ("GET /v1/measures/daily", "GET /v1/public/measures")
"""Not every date is a day of this century, nor over; `test_measures_http` has those."""
FEATURES = "/ogc"
FOR_THE_CALLER = {"allow_header_conformance": {"enabled": False}}
"""`Allow` of OPTIONS below it is what this caller may do; `test_edits_of_qgis` has that."""
FEATURE_CASES = 30
"""Of reads below it, whose answers are alike; `tests/api/ogc` asks them at length."""


@schemathesis.check
def bad_data_is_refused_or_named(_context: Any, response: Any, case: Any) -> None:
    """A body that breaks the description is refused, or answered with every bad place named."""
    if not is_of_json(case) or _mode(case) != "negative":
        return
    status = response.status_code
    if status == 503 or 400 <= status < 500:
        return
    assert 200 <= status < 300, f"bad data met {status}"
    named = named_paths(response.json())
    assert named, "bad data was taken in silence"
    unnamed = [
        place for place in described_body(case).wrong_places(_sent(response))
        if named[-1] != CUT and not any(same_line(path, place) for path in named)
    ]  # fmt: skip
    assert not unnamed, f"nothing names {unnamed[:5]}"


@schemathesis.check
def good_data_is_refused_for_no_schema_only(_context: Any, response: Any, case: Any) -> None:
    """A body that keeps to the description is answered, unless no schema could say why not."""
    if not is_of_json(case) or _mode(case) != "positive" or 200 <= response.status_code < 300:
        return
    if response.status_code in ANOTHER_NOW:
        return
    codes = {error["code"] for error in response.json().get("errors", ())}
    assert response.status_code in {404, 422, 503}, f"good data met {response.status_code}"
    assert all(code.startswith(BEYOND_A_SCHEMA) for code in codes), f"good data met {codes}"


CUT = ""
"""The path of the warning that there are more than are listed."""


def named_paths(answer: Mapping[str, Any]) -> list[str]:
    """Return the paths of the warnings of an answer and of the rows that it did not use.

    One fault is named of a row that is not used, whatever else is wrong with it.
    """
    rows = ["/".join(one["path"].split("/")[:3]) for one in answer.get("rows", ())]
    named = [*rows, *(one["path"] for one in answer.get("warnings", ()))]
    return [*named, CUT] if answer.get("rows_left_out") else named


def is_of_json(case: Any) -> bool:
    """Tell whether an operation takes JSON that the description has in every part."""
    body = case.operation.definition.raw.get("requestBody", {})
    return "application/json" in body.get("content", {})


def described_body(case: Any) -> Described:
    """Return what the description says of the body of an operation."""
    document = case.operation.schema.raw_schema
    body = case.operation.definition.raw["requestBody"]
    return Described(document, body["content"]["application/json"]["schema"])


def _sent(response: Any) -> Any:
    body = response.request.body
    return json.loads(body.read() if hasattr(body, "read") else body)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Let the address name the unit or call of the body, as any sender does; else most differ."""
    for noun in ("unit", "incident"):
        told = case.body.get(noun) if isinstance(case.body, dict) else None
        name = told.get(f"{noun}_id") if isinstance(told, dict) else None
        is_asked = f"{noun}_id" in (case.path_parameters or ())
        if is_asked and isinstance(name, str) and name.strip("./"):  # clients resolve dots
            case.path_parameters[f"{noun}_id"] = name


def _mode(case: Any) -> str:
    return str(case.meta.generation.mode.value) if case.meta is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run did and what it found."""

    failures: Mapping[tuple[str, str], str]
    """What was wrong, by operation and check."""
    cases: Counter[str]
    """How many cases each operation had."""
    checks: Counter[str]
    """How often each check passed."""
    links: int
    """Links between operations that were followed."""
    errors: list[str] = field(default_factory=list)
    """What kept the run from testing."""


def run_described(
    app: ASGIApp,
    *,
    cases_max: int = CASES_MIN + 20,
    without: tuple[str, ...] = (),
    only: str = "",
) -> Found:
    """Test every operation that the app describes, or one of them."""
    off = {name: {"enabled": False} for name in without}
    config = SchemathesisConfig.from_dict(
        {
            "seed": 20231001,
            "continue-on-failure": True,
            "generation": drawing(cases_max),
            "cache": {"enabled": False},
            "checks": off,
            "operations": [
                {
                    "include-name": name,
                    "checks": LENIENT | PLACED | off,
                    "generation": drawing(min(cases_max, DRAWN.get(name, cases_max))),
                }
                for name in (*operations_with_bodies(app), *DAYS)
            ]
            + [
                {
                    "include-name": name,
                    "checks": PLACED | (FOR_THE_CALLER if name.startswith("OPTIONS") else {}) | off,
                    "generation": drawing(min(cases_max, FEATURE_CASES)),
                }
                for name in operations_with_features(app)
            ],
        }
    )  # fmt: skip
    described = describing(app, only) if only else app
    schema = schemathesis.openapi.from_asgi("/openapi.json", described, config=config)
    schema = schema.exclude(path=STREAM)
    failures: dict[tuple[str, str], str] = {}
    found = Found(failures=failures, cases=Counter(), checks=Counter(), links=0)
    links = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _take(event.recorder, found, failures)
        elif isinstance(event, events.NonFatalError):
            found.errors.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            found.errors.append(repr(event.exception))
        elif isinstance(event, events.PhaseStarted) and event.payload is not None:
            links = event.payload.transitions_selected
    return Found(
        failures=failures, cases=found.cases, checks=found.checks, links=links, errors=found.errors
    )


def drawing(cases_max: int) -> dict[str, Any]:
    """Return how cases are drawn: always the same, and as they are."""
    return {
        "max-examples": cases_max, "deterministic": True, "no-shrink": True, "database": "none",
    }  # fmt: skip


def describing(app: ASGIApp, operation: str) -> ASGIApp:
    """Return the app with a description of one operation, which leads to no other."""
    method, _, path = operation.partition(" ")

    async def one_described(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/openapi.json":
            return await app(scope, receive, send)
        document = json.loads((await call(app, "GET", "/openapi.json")).body)
        own = document["paths"][path][method.lower()]
        for response in own["responses"].values():
            response.pop("links", None)
        document["paths"] = {path: {method.lower(): own}}
        return await JSONResponse(document)(scope, receive, send)

    return one_described


def operations_with_bodies(app: ASGIApp) -> list[str]:
    """Return the operations of a description that take a body."""
    raw = schemathesis.openapi.from_asgi("/openapi.json", app).raw_schema
    return [
        f"{method.upper()} {path}"
        for path, operations in raw["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    ]


def operations_with_features(app: ASGIApp) -> list[str]:
    """Return the operations below /ogc without a body.

    No schema says that a box has its least corner first, or that a collection is only read.
    """
    raw = schemathesis.openapi.from_asgi("/openapi.json", app).raw_schema
    return [
        f"{method.upper()} {path}"
        for path, operations in raw["paths"].items()
        for method, operation in operations.items()
        if path.startswith(FEATURES) and "requestBody" not in operation
    ]


def _take(recorder: Any, found: Found, failures: dict[tuple[str, str], str]) -> None:
    for node in recorder.cases.values():
        found.cases[node.value.operation.label] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                found.checks[check.name] += 1
                continue
            label = recorder.cases[case_id].value.operation.label
            response = recorder.interactions[case_id].response
            failure = check.failure_info.failure
            said = (
                f"{failure.title}: {failure.message} (status {response and response.status_code})"
            )
            failures.setdefault((label, check.name), said)


def links_of(document: Mapping[str, Any]) -> int:
    """Return how many links a description has."""
    return json.dumps(document).count('"operationId"') - sum(
        "operationId" in operation
        for path in document["paths"].values()
        for operation in path.values()
    )
