"""`tandem closures` against a service on the loopback address."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.api.builtin_view import builtin_view
from tests.api.closures.http_closures import block
from tests.api.loopback import served


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = tmp_path_factory.mktemp("closures") / "store.sqlite"
    with served(builtin_view(), str(store), dev=True) as service:
        yield f"http://127.0.0.1:{service.port}"


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TANDEM_URL", url)
    monkeypatch.setenv("TANDEM_KEY", "tdm_key_of_a_test")
    return lambda *words: CliRunner().invoke(app, ["closures", *words])


def good(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_a_closure_is_added_activated_listed_and_ended(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "line.geojson"
    line = block(builtin_view().situation.network, 40)
    file.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": line}))
    added = run("add", "Parade", "--geometry", str(file), "--windows", "sat,sun 10:00-02:00")
    closure_id = good(added)
    assert "Closes" in added.stderr
    assert "PROPOSED" in good(run("list"))
    assert "ACTIVE" in good(run("activate", closure_id, "--accept-cut-off"))
    (listed,) = json.loads(good(run("list", "--state", "active", "--json")))
    assert listed["windows"] == [{"days": ["sat", "sun"], "start": "10:00", "end": "02:00"}]
    assert "ENDED, streets open" in good(run("end", closure_id, "--reason", "over"))
    assert json.loads(good(run("list", "--json"))) == []


def test_a_closure_is_added_and_activated_at_once_with_an_end(run: Any) -> None:
    closure_id = good(
        run("add", "Tree", "--at", "-122.3372", "47.6104", "--until", "2030-07-22T06:00-07:00",
            "--traffic", "all-but-emergency", "--activate", "--accept-cut-off")
    )  # fmt: skip
    (listed,) = json.loads(good(run("list", "--json")))
    assert (listed["closure_id"], listed["is_closed_now"]) == (closure_id, True)
    assert (listed["traffic"], listed["ends_at"]) == ("ALL_BUT_EMERGENCY", "2030-07-22T13:00:00Z")
    good(run("end", closure_id))


def test_what_the_service_refuses_is_told_in_its_words(run: Any) -> None:
    done = run("activate", "clo_none")
    assert done.exit_code == 2
    assert "No closure has this id" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "Tree"], "The place of the closure is not clear"),
        (["add", "Tree", "--at", "1", "2", "--windows", "monday"], "--windows"),
        (["list", "--url", "ftp://elsewhere"], "is no address of a service"),
        (["list", "--url", "http://127.0.0.1:9"], "No service answers at"),
    ],
)
def test_what_cannot_be_asked_is_said_before(run: Any, words: list[str], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_the_key_is_no_option(run: Any) -> None:
    assert "TANDEM_KEY" in run("--help").output
    assert "--key" not in run("add", "--help").output
