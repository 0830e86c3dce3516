"""Four people with four keys: who may draft, approve, publish and only look."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import make_app
from api.auth.keys import NewKey
from api.auth.memory_keys import MemoryKeys
from api.auth.roles import Role
from api.live_view import LiveView
from api.settings import Settings
from tests.api.auth.credentials import key
from tests.api.store.engines import new_location
from tests.api.waiting import wait_until

KEYS: dict[str, NewKey] = {
    "editor": key(Role.GIS_EDITOR),
    "other editor": key(Role.GIS_EDITOR),
    "publisher": key(Role.GIS_PUBLISHER),
    "both": key(Role.GIS_EDITOR, Role.GIS_PUBLISHER),
    "desk": key(Role.GIS_EDITOR, Role.GIS_PUBLISHER, asserts=["SUPERVISOR"]),
    "auditor": key(Role.AUDITOR),
    "dispatcher": key(Role.DISPATCHER, asserts=["DISPATCHER"]),
    "admin": key(Role.ADMIN),
}
DRAFT = "/v1/drafts/night"


class City:
    """Asks with somebody's key."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def ask(self, who: str, method: str, path: str, body: Any = None, **more: str) -> Response:
        headers = {"authorization": f"Bearer {KEYS[who].text}", **more}
        return self.client.request(method, path, json=body, headers=headers)

    def etag(self) -> dict[str, str]:
        return {"if-match": self.ask("auditor", "GET", DRAFT).headers["etag"]}


@pytest.fixture
def city(view: LiveView) -> Iterator[City]:
    keys = MemoryKeys([one.kept for one in KEYS.values()])
    with new_location("sqlite") as location:
        settings = Settings(store=location, log_level="error", dev=False)
        app = make_app(settings, load=lambda _settings, _stage: view, keys=keys)
        with TestClient(app) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
            yield City(client)


def test_an_editor_drafts_and_a_publisher_approves_and_publishes(city: City) -> None:
    assert city.ask("editor", "PUT", DRAFT, {}).status_code == 201
    assert city.ask("editor", "POST", f"{DRAFT}/approve", {}, **city.etag()).status_code == 403
    assert city.ask("publisher", "POST", f"{DRAFT}/approve", {}, **city.etag()).status_code == 200
    assert city.ask("editor", "POST", f"{DRAFT}/publish", {}, **city.etag()).status_code == 403
    made = city.ask("publisher", "POST", f"{DRAFT}/publish", {}, **city.etag())
    assert made.status_code == 200, made.text
    told = made.json()["publication"]
    names = {who: one.kept.key_id for who, one in KEYS.items()}
    assert (told["published_by"], told["approved_by"]) == (names["publisher"],) * 2
    assert city.ask("editor", "POST", "/v1/releases/rollback", {}).status_code == 403
    assert city.ask("auditor", "GET", "/v1/releases/live").json()["publication"] == told


def test_a_person_with_both_roles_is_no_second_person(city: City) -> None:
    assert city.ask("both", "PUT", DRAFT, {}).status_code == 201
    refused = city.ask("both", "POST", f"{DRAFT}/approve", {}, **city.etag())
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_YOURS")
    assert city.ask("both", "POST", f"{DRAFT}/publish", {}, **city.etag()).status_code == 409


def test_a_key_approves_for_no_operator_what_it_has_worked_on_itself(city: City) -> None:
    eva = {"operator": {"id": "eva", "role": "SUPERVISOR"}}
    assert city.ask("desk", "PUT", DRAFT, {}).status_code == 201
    refused = city.ask("desk", "POST", f"{DRAFT}/approve", eva, **city.etag())
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_YOURS")
    assert city.ask("publisher", "POST", f"{DRAFT}/approve", {}, **city.etag()).status_code == 200


def test_a_draft_that_is_begun_for_an_operator_is_the_keys_and_not_approved_by_them(
    city: City,
) -> None:
    eva = {"operator": {"id": KEYS["publisher"].kept.key_id, "role": "SUPERVISOR"}}
    made = city.ask("desk", "PUT", DRAFT, eva)
    assert made.json()["draft"]["owner"] == KEYS["desk"].kept.key_id
    assert city.ask("desk", "PUT", f"{DRAFT}/zones", made.json()["zones"]).status_code == 200
    refused = city.ask("publisher", "POST", f"{DRAFT}/approve", {}, **city.etag())
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_YOURS")


def test_a_draft_is_its_owners_and_an_admin_may_forget_it(city: City) -> None:
    assert city.ask("editor", "PUT", DRAFT, {}).status_code == 201
    zones = city.ask("editor", "GET", DRAFT).json()["zones"]
    assert city.ask("other editor", "PUT", f"{DRAFT}/zones", zones).status_code == 403
    assert city.ask("other editor", "DELETE", DRAFT).status_code == 403
    assert city.ask("dispatcher", "GET", DRAFT).status_code == 403
    assert city.ask("admin", "DELETE", DRAFT).status_code == 200


def test_a_role_that_the_key_may_not_assert_is_refused(city: City) -> None:
    body = {"operator": {"id": "S7", "role": "SUPERVISOR"}}
    refused = city.ask("editor", "PUT", DRAFT, body)
    assert refused.json()["code"] == "OPERATOR_ROLE_NOT_ALLOWED"
