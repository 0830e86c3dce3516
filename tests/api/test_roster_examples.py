"""The roster's page and its API description show what the code takes and returns."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.openapi_desk import DESK_OPERATIONS
from api.openapi_roster import OPERATIONS
from api.roster_examples import make_roster_examples, read_roster_examples
from api.roster_schemas import (
    PositionsWritten,
    RosterAnswer,
    SnapshotWritten,
    UnitAnswer,
    UnitWritten,
)
from tests.test_readme import missing

PAGE = Path(__file__).parents[2] / "docs" / "roster.md"
ANSWERS = (UnitAnswer, UnitWritten, RosterAnswer, SnapshotWritten, PositionsWritten)


@pytest.fixture(scope="module")
def paths(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()["paths"]
    return found


def wrong_blocks(page: str) -> list[str]:
    """Return the places where a block of the page says something else than the example it names."""
    blocks = re.findall(r"```json (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 6
    wrong = []
    for head, text in blocks:
        *_, name = head.split()
        side = "answer" if head.startswith("200") else "request"
        wrong += [head + at for at in missing(json.loads(text), read_roster_examples()[name][side])]
    return wrong


def test_the_page_shows_what_the_code_answers() -> None:
    assert wrong_blocks(PAGE.read_text(encoding="utf-8")) == []


def test_a_changed_figure_on_the_page_is_found() -> None:
    page = PAGE.read_text(encoding="utf-8").replace('"discarded": 3', '"discarded": 4')
    assert wrong_blocks(page) == ["200 POSITIONS/discarded"]


def test_the_examples_are_what_the_code_returns() -> None:
    """`python -m api.roster_examples` writes them anew after a change that is meant."""
    assert make_roster_examples() == read_roster_examples()


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_operation_is_described_with_examples_that_fit(
    paths: dict[str, Any], one: Any
) -> None:
    operation = paths[one.path][one.method]
    assert set(operation["responses"]) == {*one.answers, *one.refusals}
    assert operation["summary"]
    assert operation["description"]
    models = {model.__name__: model for model in ANSWERS}
    content = operation["responses"]["200"]["content"]["application/json"]
    model = models[content["schema"]["$ref"].rpartition("/")[2]]
    for example in content["examples"].values():
        model.model_validate_json(json.dumps(example["value"]))
    if one.request is not None:
        body = operation["requestBody"]["content"]["application/json"]
        for name, example in body["examples"].items():
            assert example["value"] == read_roster_examples()[name]["request"]


def test_every_address_of_the_roster_is_described(paths: dict[str, Any]) -> None:
    described = {(one.path, one.method) for one in (*OPERATIONS, *DESK_OPERATIONS)}
    served = {(p, m) for p, methods in paths.items() if p.startswith("/v1/units") for m in methods}
    assert {one for one in described if one[0].startswith("/v1/units")} == served


@pytest.mark.parametrize("model", [UnitWritten, SnapshotWritten, PositionsWritten, RosterAnswer])
def test_every_key_of_an_answer_is_required(client: TestClient, model: type) -> None:
    schema = client.get("/openapi.json").json()["components"]["schemas"][model.__name__]
    assert set(schema["required"]) == set(schema["properties"])
