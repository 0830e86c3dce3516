"""Rule 17: a key declares which operator roles it may assert; any other is refused."""

import asyncio
import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from api.app import App
from api.auth.principal import Principal, require_operator_roles
from api.auth.roles import Role
from api.errors import OperatorRoleNotAllowed
from api.live_view import LiveView
from api.openapi import describe
from tests.api.asgi_caller import Reply, call
from tests.api.auth.credentials import key, token
from tests.api.auth.test_guard import secured
from tests.api.requests_made import request

OPERATORS: Final = ("DISPATCHER", "SUPERVISOR", "SPD_SERGEANT", "SYSTEM")
RECOMMEND: Final = "/v1/recommend-units"
CARE_ALONE: Final = {
    "action": "RELEASE_CARE_ALONE", "role": "SPD_SERGEANT", "reason_code": "SUPERVISOR_ORDER",
}  # fmt: skip


def post(
    app: App, body: Any, credential: str, method: str = "POST", path: str = RECOMMEND
) -> Reply:
    headers = {"content-type": "application/json", "authorization": f"Bearer {credential}"}
    return asyncio.run(call(app, method, path, json.dumps(body).encode(), headers))


def code_of(reply: Reply) -> str | None:
    found = json.loads(reply.body).get("code")
    return found if isinstance(found, str) else None


@pytest.mark.parametrize("mine", OPERATORS)
@pytest.mark.parametrize("told", OPERATORS)
def test_a_key_asserts_the_roles_that_it_declares_and_no_other(
    view: LiveView, mine: str, told: str
) -> None:
    made = key(Role.CAD, asserts=[mine])
    body = request(operator={"id": "D417", "role": told})
    found = post(secured(view, made), body, made.text)
    assert found.status == (200 if mine == told else 403)
    if mine != told:
        assert code_of(found) == "OPERATOR_ROLE_NOT_ALLOWED"
        assert json.loads(found.body)["errors"][0]["path"] == "/operator/role"
        assert told.encode() not in found.body.replace(mine.encode(), b"")


def test_a_key_that_may_assert_nobody_may_still_ask_for_itself(view: LiveView) -> None:
    made = key(Role.CAD)
    app = secured(view, made)
    assert post(app, request(operator=None), made.text).status == 200
    assert post(app, request(), made.text).status == 403


def test_what_a_person_decided_is_an_assertion_too(view: LiveView) -> None:
    body = request()
    body["incident"]["overrides"] = [CARE_ALONE]
    for asserts, status in ((["DISPATCHER"], 403), (["DISPATCHER", "SPD_SERGEANT"], 200)):
        made = key(Role.CAD, asserts=asserts)
        assert post(secured(view, made), body, made.text).status == status


@pytest.mark.parametrize(
    ("role", "operator", "status"),
    [
        ("dispatcher", "DISPATCHER", 200), ("dispatcher", "SUPERVISOR", 403),
        ("supervisor", "SUPERVISOR", 200), ("supervisor", "SPD_SERGEANT", 403),
        ("spd-sergeant", "SPD_SERGEANT", 200), ("spd-sergeant", "DISPATCHER", 403),
        ("cad", "DISPATCHER", 403),
    ],
)  # fmt: skip
def test_a_person_asserts_their_own_role(
    view: LiveView, role: str, operator: str, status: int
) -> None:
    body = request(operator={"id": "D417", "role": operator})
    assert post(secured(view), body, token(role)).status == status


# -- every address whose body names an operator ---------------------------------------------------


def writes_of(app: App) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and an example of each operation whose body may name an operator."""
    document = describe(app)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            model = document["components"]["schemas"].get(schema.get("$ref", "").split("/")[-1], {})
            if "operator" in model.get("properties", {}):
                examples = content["application/json"]["examples"].values()
                yield method.upper(), path, next(iter(examples))["value"]


def filled(path: str, body: dict[str, Any]) -> str:
    """Return a path with the ids of the body that it names."""
    ids = {"incident_id": body.get("incident", {}).get("incident_id", "x"),
           "unit_id": body.get("unit", {}).get("unit_id", "x")}  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "x").replace("#", "%23"), path)


def test_every_body_that_names_an_operator_is_held_to_it(view: LiveView) -> None:
    """New addresses are found by the description, so none can forget to ask."""
    bad, good = key(*Role, asserts=["SYSTEM"]), key(*Role, asserts=OPERATORS)
    app = secured(view, bad, good)
    writes = list(writes_of(app))
    assert len(writes) >= 7
    for method, path, example in writes:
        body = copy.deepcopy(example)
        body["operator"] = {"id": "D417", "role": "SUPERVISOR"}
        address = filled(path, body).replace("%23", "#")
        refused = post(app, body, bad.text, method, address)
        assert (refused.status, code_of(refused)) == (403, "OPERATOR_ROLE_NOT_ALLOWED"), path
        assert code_of(post(app, body, good.text, method, address)) != "OPERATOR_ROLE_NOT_ALLOWED"


def test_an_operation_that_asks_nobody_would_be_found(view: LiveView) -> None:
    made = key(*Role, asserts=["SYSTEM"])
    app = secured(view, made)
    every = Principal(key_id="x", roles=frozenset(Role), asserts=None)
    app.state.gate.ring.principal = lambda _text: every
    statuses = [
        post(app, {**example, "operator": {"id": "a", "role": "SUPERVISOR"}}, made.text, method,
             filled(path, example).replace("%23", "#")).status
        for method, path, example in writes_of(app)
    ]  # fmt: skip
    assert 403 not in statuses


def test_all_that_may_not_be_asserted_is_named() -> None:
    by = Principal(key_id="x", roles=frozenset(), asserts=frozenset({"DISPATCHER"}))
    require_operator_roles(by, [("/operator/role", "DISPATCHER")])
    with pytest.raises(OperatorRoleNotAllowed) as refused:
        require_operator_roles(by, [("/a", "SUPERVISOR"), ("/b", "DISPATCHER"), ("/c", "NONE")])
    assert [problem.path for problem in refused.value.problems] == ["/a", "/c"]
