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
from starlette.types import ASGIApp

CASES_MIN = 100
RECOMMEND = "POST /v1/recommend-units"
DECIDING = (RECOMMEND, "PUT /v1/incidents/{incident_id}")
ROSTER = ("PUT /v1/units", "PUT /v1/units/{unit_id}", "POST /v1/units/positions")
OF_ADDRESS = ("INCIDENT_ID_MISMATCH", "UNIT_ID_MISMATCH")
"""The id in the body must be the one in the address, which a description cannot say."""

LENIENT = {"negative_data_rejection": {"enabled": False}}
"""Bad rows and options are left out and named (rule 12): `bad_data_is_refused_or_named` instead."""
PLACED = {"positive_data_acceptance": {"enabled": False}}
"""A place may lie outside the streets: `good_data_is_refused_for_its_place_only` instead."""


@schemathesis.check
def bad_data_is_refused_or_named(_context: Any, response: Any, case: Any) -> None:
    """A body that breaks the description is refused, or answered with a warning."""
    if _mode(case) == "negative" and case.operation.label in (*DECIDING, *ROSTER):
        status = response.status_code
        said = response.json() if status in {200, 201} else {}
        named = said.get("warnings") or said.get("discarded")
        assert named or status == 503 or 400 <= status < 500, "bad data was taken in silence"


@schemathesis.check
def good_data_is_refused_for_its_place_only(_context: Any, response: Any, case: Any) -> None:
    """A body that keeps to the description is answered, unless nothing is known of its place."""
    if _mode(case) == "positive" and case.operation.label in (*DECIDING, *ROSTER):
        if response.status_code in {200, 201}:
            return
        codes = {error["code"] for error in response.json().get("errors", ())}
        assert response.status_code in {422, 503}, f"good data met {response.status_code}"
        assert all(code.startswith("LOCATION_") or code in OF_ADDRESS for code in codes), codes


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
    app: ASGIApp, *, cases_max: int = CASES_MIN + 20, without: tuple[str, ...] = ()
) -> Found:
    """Test every operation that the app describes."""
    off = {name: {"enabled": False} for name in without}
    config = SchemathesisConfig.from_dict(
        {
            "seed": 20231001,
            "continue-on-failure": True,
            "generation": {
                "max-examples": cases_max, "deterministic": True, "no-shrink": True,
                "database": "none",
            },
            "cache": {"enabled": False},
            "checks": off,
            "operations": [
                {"include-name": name, "checks": LENIENT | PLACED | off}
                for name in (*DECIDING, *ROSTER)
            ],
        }
    )  # fmt: skip
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
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
