"""The page about the desk and its API description show what the code takes and returns."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.claims.facts import FactConflict
from api.claims.records import ClaimState, RefusalCode
from api.desk_examples import make_desk_examples, read_desk_examples
from api.openapi_desk import DESK_ANSWERS, DESK_OPERATIONS
from tests.test_readme import missing

PAGE = Path(__file__).parents[3] / "docs" / "desk.md"


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def wrong_blocks(page: str) -> list[str]:
    """Return the places where a block of the page says something else than the example it names."""
    blocks = re.findall(r"```json (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 7
    wrong = []
    for head, text in blocks:
        *_, name = head.split()
        side = "answer" if head[0].isdigit() else "request"
        wrong += [head + at for at in missing(json.loads(text), read_desk_examples()[name][side])]
    return wrong


def test_the_page_shows_what_the_code_answers() -> None:
    assert wrong_blocks(PAGE.read_text(encoding="utf-8")) == []


def test_a_changed_word_on_the_page_is_found() -> None:
    page = PAGE.read_text(encoding="utf-8").replace(
        '"UNIT_TAKEN", "unit_id"', '"UNIT_GONE", "unit_id"'
    )
    assert "409 REFUSED/reasons/0/code" in wrong_blocks(page)


def test_the_examples_are_what_the_code_returns() -> None:
    """`python -m api.desk_examples` writes them anew after a change that is meant."""
    assert make_desk_examples() == read_desk_examples()


@pytest.mark.parametrize("codes", [RefusalCode, FactConflict, ClaimState], ids=lambda c: c.__name__)
def test_every_code_is_on_the_page(codes: Any) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [code for code in codes if f"`{code}`" not in page] == []


@pytest.mark.parametrize("one", DESK_OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_operation_is_described_with_examples_that_fit(
    document: dict[str, Any], one: Any
) -> None:
    operation = document["paths"][one.path][one.method]
    assert {*one.answers, *one.refusals} <= set(operation["responses"])
    content = operation["responses"]["200"]["content"]["application/json"]
    _, model, _ = one.answers["200"]
    assert content["schema"]["$ref"].rpartition("/")[2] == model.__name__
    for example in content["examples"].values():
        model.model_validate_json(json.dumps(example["value"]))


@pytest.mark.parametrize("model", DESK_ANSWERS, ids=lambda one: one.__name__)
def test_every_key_of_an_answer_is_required(document: dict[str, Any], model: type) -> None:
    schema = document["components"]["schemas"][model.__name__]
    assert set(schema["required"]) == set(schema["properties"])
