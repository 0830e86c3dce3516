"""The page about calls and its API description show what the code takes and returns."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.call_examples import make_call_examples, read_call_examples
from api.openapi_calls import CALL_ANSWERS, CALL_OPERATIONS
from api.openapi_desk import DESK_OPERATIONS
from tests.test_readme import missing

PAGE = Path(__file__).parents[2] / "docs" / "calls.md"


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def wrong_blocks(page: str) -> list[str]:
    """Return the places where a block of the page says something else than the example it names."""
    blocks = re.findall(r"```json (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 4
    wrong = []
    for head, text in blocks:
        *_, name = head.split()
        side = "answer" if head.startswith("200") else "request"
        wrong += [head + at for at in missing(json.loads(text), read_call_examples()[name][side])]
    return wrong


def test_the_page_shows_what_the_code_answers() -> None:
    assert wrong_blocks(PAGE.read_text(encoding="utf-8")) == []


def test_a_changed_word_on_the_page_is_found() -> None:
    page = PAGE.read_text(encoding="utf-8").replace('"STOP_AND_STAGE"', '"WITHDRAW"')
    assert "200 WEAPON/safety_changed/orders/0/action" in wrong_blocks(page)


def test_the_examples_are_what_the_code_returns() -> None:
    """`python -m api.call_examples` writes them anew after a change that is meant."""
    assert make_call_examples() == read_call_examples()


@pytest.mark.parametrize("one", CALL_OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_operation_is_described_with_examples_that_fit(
    document: dict[str, Any], one: Any
) -> None:
    operation = document["paths"][one.path][one.method]
    assert set(operation["responses"]) == {*one.answers, *one.refusals}
    assert operation["description"]
    models = {model.__name__: model for model in CALL_ANSWERS}
    content = operation["responses"]["200"]["content"]["application/json"]
    model = models[content["schema"]["$ref"].rpartition("/")[2]]
    assert content["examples"]
    for example in content["examples"].values():
        model.model_validate_json(json.dumps(example["value"]))


def test_every_address_of_calls_is_described(document: dict[str, Any]) -> None:
    described = {(one.path, one.method) for one in (*CALL_OPERATIONS, *DESK_OPERATIONS)}
    ours = ("/v1/incidents", "/v1/alerts")
    served = {(p, m) for p, found in document["paths"].items() if p.startswith(ours) for m in found}
    assert {one for one in described if one[0].startswith(ours)} == served


@pytest.mark.parametrize("model", CALL_ANSWERS, ids=lambda one: one.__name__)
def test_every_key_of_an_answer_is_required(document: dict[str, Any], model: type) -> None:
    schema = document["components"]["schemas"][model.__name__]
    assert set(schema["required"]) == set(schema["properties"])


def test_links_lead_to_operations_that_take_what_they_give(document: dict[str, Any]) -> None:
    operations = {
        operation["operationId"]: operation
        for found in document["paths"].values()
        for operation in found.values()
        if "operationId" in operation
    }
    links = [
        link
        for operation in operations.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) == 9
    for link in links:
        asked = operations[link["operationId"]]["parameters"]
        taken = {one["name"] for one in asked if one["in"] == "path"}
        assert set(link["parameters"]) == taken
