"""Studies are begun, watched, ended and read over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.live_view import LiveView
from api.openapi_studies import EXAMPLE_SCENARIO
from tests.api.asgi_caller import ready_desk

COVERAGE = {"kind": "coverage", "scenario": EXAMPLE_SCENARIO}


@pytest.fixture(scope="module")
def app(view: LiveView) -> Iterator[FastAPI]:
    with ready_desk(view) as made:
        yield made


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as made:
        yield made


@pytest.fixture(scope="module")
def data(app: FastAPI) -> Path:
    return app.state.service.current_studies().data


def test_a_study_waits_for_its_turn_is_listed_and_ended(client: TestClient) -> None:
    begun = client.post("/v1/studies", json=COVERAGE)
    assert (begun.status_code, begun.json()["state"]) == (202, "QUEUED")
    one = f"/v1/studies/{begun.json()['study_id']}"
    assert client.get(one).json() == begun.json()
    assert begun.json() in client.get("/v1/studies").json()["studies"]
    assert client.post(f"{one}/cancel").json()["state"] == "CANCELLED"
    assert client.get(f"{one}/files/report.html").status_code == 404
    assert client.get("/v1/studies/none").json()["code"] == "STUDY_NOT_KNOWN"


def test_a_scenario_file_is_taken_as_it_is_when_it_is_asked_for(
    client: TestClient, data: Path
) -> None:
    file = data / "pilot.toml"
    file.write_text(EXAMPLE_SCENARIO, encoding="utf-8")
    asked = {"kind": "simulate", "scenario_file": "pilot.toml"}
    begun = client.post("/v1/studies", json=asked)
    file.unlink()
    assert begun.status_code == 202
    kept = data / f"{begun.json()['study_id']}.toml"
    assert kept.read_text(encoding="utf-8") == EXAMPLE_SCENARIO


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({}, "ONE_SCENARIO"),
        ({"scenario": EXAMPLE_SCENARIO, "scenario_file": "pilot.toml"}, "ONE_SCENARIO"),
        ({"scenario_file": "none.toml"}, "SCENARIO_FILE_UNREADABLE"),
        ({"scenario_file": "../jobs.toml"}, "BAD_CHARACTERS"),
        ({"scenario_file": "/etc/passwd"}, "BAD_CHARACTERS"),
        ({"scenario_file": ".toml"}, "BAD_CHARACTERS"),
        ({"scenario": ""}, "TOO_SHORT"),
        ({"scenario": "name ="}, "SCENARIO_NOT_TOML"),
    ],
)
def test_what_is_no_scenario_is_refused(
    client: TestClient, told: dict[str, str], code: str
) -> None:
    refused = client.post("/v1/studies", json={"kind": "coverage"} | told)
    assert refused.status_code == 422
    assert [problem["code"] for problem in refused.json()["errors"]] == [code]
