"""A service that records, stopped, and `tandem replay` of what it kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from api.app import make_app
from api.cli import app
from api.settings import Settings
from api.store.database import Database
from api.store.tables import recommendations
from tests.api.builtin_view import builtin_view
from tests.api.call_story import ADDRESS, ASK, FakeClock, told
from tests.api.requests_made import CARE_2, ROSTER
from tests.api.waiting import wait_until

BATCH = "/v1/recommend-units/batch"


def recorded_ids(file: Path) -> list[str]:
    """Serve requests of every kind over a store, stop, and return what was recommended."""
    settings, clock = Settings(log_level="error", store=str(file)), FakeClock()
    made = make_app(settings, load=lambda _settings, _stage: builtin_view(), now=clock)
    answers: list[Any] = []
    with TestClient(made) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200, "the app is ready")
        assert client.put("/v1/units", json={"units": list(ROSTER)}).status_code == 200
        answers += [client.post(ASK, json=told(1) | {"units": None}).json()]
        answers += [client.post(ASK, json=told(2, CARE_2)).json()]
        clock.pass_by(60)
        answers += [client.put(ADDRESS, json=told(3, CARE_2)).json()["recommendation"]]
        answers += client.post(BATCH, json=several(units=None)).json()["recommendations"]
        answers += client.post(BATCH, json=several(units=list(ROSTER))).json()["recommendations"]
    assert all(answer["recorded"] for answer in answers)
    assert answers[2]["hold"]["held_since"] < answers[2]["decided_at"]
    return [answer["recommendation_id"] for answer in answers]


def several(**changes: Any) -> dict[str, Any]:
    calls = [told()["incident"] | {"incident_id": f"batch-{number}"} for number in range(3)]
    return told() | {"incidents": calls} | changes


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    file = tmp_path_factory.mktemp("replay") / "store.sqlite"
    return file, recorded_ids(file)


def replay(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["replay", *arguments, "--store", str(file)])


def test_all_that_was_recorded_is_identical(kept: tuple[Path, list[str]]) -> None:
    file, ids = kept
    done = replay(file, "--all")
    assert done.exit_code == 0, done.output
    assert f"{len(ids)} replayed: {len(ids)} identical, 0 verified, 0 different" in done.output


def test_one_tells_how_many_bytes_are_identical(kept: tuple[Path, list[str]]) -> None:
    file, ids = kept
    done = replay(file, ids[0])
    assert done.exit_code == 0
    assert re.fullmatch(r"identical: \d,\d{3} bytes", done.stdout.strip())


def test_the_recorded_answer_is_shown(kept: tuple[Path, list[str]]) -> None:
    file, ids = kept
    shown = json.loads(replay(file, ids[1], "--show").stdout)
    assert (shown["recommendation_id"], shown["outcome"]) == (ids[1], "HOLD")


def test_a_stretch_without_any_is_told_as_none(kept: tuple[Path, list[str]]) -> None:
    done = replay(kept[0], "--all", "--since", "2030-01-01")
    assert (done.exit_code, "0 replayed" in done.output) == (0, True)


def test_an_answer_that_differs_is_named_and_the_exit_code_says_so(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    ids = recorded_ids(file)
    database = Database(str(file))
    with database.writing() as connection:
        connection.execute(
            update(recommendations)
            .where(recommendations.c.recommendation_id == ids[0])
            .values(answer=b'{"outcome":"HOLD"}')
        )
    database.close()
    done = replay(file, ids[0])
    assert done.exit_code == 1
    assert 'different /outcome: recorded "HOLD", replayed "DISPATCH"' in done.stdout
    everything = replay(file, "--all")
    assert (everything.exit_code, "1 different" in everything.stdout) == (1, True)
    assert ids[0] in everything.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rec_0",), "No recommendation rec_0 is kept"),
        ((), "Name one recommendation"),
        (("rec_0", "--all"), "Name one recommendation"),
    ],
)
def test_what_cannot_be_replayed_is_one_clear_message(
    kept: tuple[Path, list[str]], arguments: tuple[str, ...], said: str
) -> None:
    done = replay(kept[0], *arguments)
    assert (done.exit_code, said in done.stderr) == (2, True)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = replay(tmp_path / "nothing.sqlite", "--all")
    assert (done.exit_code, "no such file" in done.stderr.replace("\n", " ")) == (2, True)
    assert not list(tmp_path.iterdir())


def test_the_help_has_examples() -> None:
    done = CliRunner().invoke(app, ["replay", "--help"])
    assert "tandem replay --all --since" in done.output
