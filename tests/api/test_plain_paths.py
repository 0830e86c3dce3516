"""An address that spells what no store can keep is refused, and stands in nobody's way."""

import random

import pytest

from api.live_view import LiveView
from tests.api.call_story import NOW, OPERATOR
from tests.api.claims.http_desk import HttpDesk, http_desk

LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6_000))
BUSY = {"status": "BUSY", "at": NOW.isoformat()}
WRITES = [
    ("/v1/units/{}/status", BUSY),
    ("/v1/incidents/{}/scene-safe", {"scene_safe_at": NOW.isoformat()}),
    ("/v1/recommendations/{}/confirm", OPERATOR),
    ("/v1/alerts/{}/acknowledge", OPERATOR),
]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_ids_that_cannot_be_kept_are_nobodys(view: LiveView, kind: str) -> None:
    with http_desk(kind, view) as desk:
        for name in ("%00", "a%0Ab", LONG):
            assert {answered(desk, address.format(name), body) for address, body in WRITES} == {404}
            for address in ("/v1/claims", "/v1/recommendations", "/v1/incidents", "/v1/units"):
                assert desk.client.get(f"{address}/{name}").status_code == 404
        assert "STORE_DOWN" not in desk.client.get("/readyz").json()["degraded"]
        assert answered(desk, "/v1/units/C%C3%A9%2F1%23a/status", BUSY) == 200


def answered(desk: HttpDesk, address: str, body: object) -> int:
    return desk.post(address, body).status_code
