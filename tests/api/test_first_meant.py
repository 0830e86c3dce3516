"""A path means one address, whatever the method."""

import pytest
from starlette.testclient import TestClient

from tests.api.requests_made import request


@pytest.mark.parametrize("path", ["/v1/incidents/A/override", "/v1/incidents/A/scene-safe"])
def test_what_is_done_with_a_call_is_no_call_of_that_name(client: TestClient, path: str) -> None:
    made = request(as_of=None)
    made["incident"]["incident_id"] = path.removeprefix("/v1/incidents/")
    reply = client.put(path, json=made)
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert client.get(path).status_code == 405


def test_an_id_with_a_slash_is_an_id_all_the_same(client: TestClient) -> None:
    assert client.get("/v1/incidents/A/other").status_code == 404
    assert client.get("/v1/incidents/A/other").json()["code"] == "INCIDENT_NOT_KNOWN"
