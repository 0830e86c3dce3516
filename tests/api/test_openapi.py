"""The API description parses, and its examples are what the code takes and returns."""

import copy
import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.answer_schemas import RecommendAnswer
from api.examples import make_examples, read_examples
from api.read_request import read_request


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def dangling(document: dict[str, Any]) -> set[str]:
    wanted = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(document)))
    return wanted - set(document["components"]["schemas"])


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert dangling(document) == set()


def test_a_dangling_reference_is_found(document: dict[str, Any]) -> None:
    broken = copy.deepcopy(document)
    del broken["components"]["schemas"]["UnitEntry"]
    assert dangling(broken) == {"UnitEntry"}


def test_every_key_of_an_answer_is_required(document: dict[str, Any]) -> None:
    for name in ("RecommendAnswer", "GatePart", "AssignPart", "HoldPart", "BasisPart"):
        schema = document["components"]["schemas"][name]
        assert set(schema["required"]) == set(schema["properties"])


def test_refusals_are_described_as_problem_json(document: dict[str, Any]) -> None:
    responses = document["paths"]["/v1/recommend-units"]["post"]["responses"]
    assert set(responses) == {"200", "408", "413", "415", "422", "503"}
    assert "application/problem+json" in responses["422"]["content"]


def test_the_page_needs_nothing_from_elsewhere(document: dict[str, Any]) -> None:
    names = json.dumps(document).replace("http://www.opengis.net/def/crs/", "")
    assert "://" not in names  # those are names of systems, and nobody fetches them


def test_the_examples_are_what_the_code_returns() -> None:
    """`python -m api.examples` writes them anew after a change that is meant."""
    assert make_examples() == read_examples()


@pytest.mark.parametrize("outcome", ["DISPATCH", "HOLD", "NOT_ELIGIBLE"])
def test_the_examples_are_valid(document: dict[str, Any], outcome: str) -> None:
    operation = document["paths"]["/v1/recommend-units"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["examples"][outcome]["value"]
    assert read_request(json.dumps(body).encode()).warnings == ()
    answers = operation["responses"]["200"]["content"]["application/json"]["examples"]
    answer = RecommendAnswer.model_validate(answers[outcome]["value"])
    assert answer.outcome == outcome
