"""`tandem release draft ... history` against a service on the loopback address."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.live_view import LiveView
from tests.api.loopback import Served, served
from tests.api.releases.drawn import collection, square
from tests.api.store.engines import new_location

Run = Callable[..., Result]
COMMANDS = ("draft", "diff", "approve", "publish", "rollback", "withdraw", "history")


@pytest.fixture(scope="module")
def service(view: LiveView) -> Iterator[Served]:
    with new_location("sqlite") as location, served(view, location) as made:
        yield made


@pytest.fixture
def run(service: Served, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TANDEM_URL", f"http://127.0.0.1:{service.port}")
    monkeypatch.delenv("TANDEM_KEY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, ["release", *map(str, words)])


def good(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return done.stdout


def test_from_a_draft_to_a_release_in_force_and_back(run: Run, tmp_path: Path) -> None:
    assert "can be published" in good(run("draft", "night", "--note", "longer"))
    file, zones = tmp_path / "night.toml", tmp_path / "zones.geojson"
    file.write_text(good(run("draft", "night", "--show")).replace('to = "23:00"', 'to = "01:00"'))
    zones.write_text(json.dumps(collection(square(-122.34, 47.60, 0.01, zone_id="CORE"))))
    good(run("draft", "night", "--policy", file, "--import", zones))
    told = good(run("diff", "night"))
    assert "every day 11:00-01:00" in told
    assert "PILOT_CORE" in told
    assert "metres of street" in told
    refused = run("publish", "night")
    assert (refused.exit_code, "Nobody has approved" in refused.stderr) == (2, True)
    mine = run("approve", "night")
    assert "worked on" in mine.stderr
    assert "approved by eva" in good(run("approve", "night", "--operator", "eva", "SUPERVISOR"))
    assert "is in force" in good(run("publish", "night", "--reason", "summer"))
    assert "is in force" in good(run("rollback"))
    history = json.loads(good(run("history", "--json")))
    assert [one["kind"] for one in history["publications"]] == ["ROLLBACK", "PUBLISH", "START"]
    assert "summer" in good(run("history"))


def test_what_is_to_be_mended_leaves_with_1(run: Run, tmp_path: Path) -> None:
    zones = tmp_path / "zones.geojson"
    far = collection(square(-100.0, 40.0, zone_id="FAR"))
    zones.write_text(json.dumps(far))
    done = run("draft", "far", "--zones", zones)
    assert (done.exit_code, "OUTSIDE_STREETS" in done.stdout) == (1, True)
    zones.write_text("{")
    taken = run("draft", "far", "--import", zones)
    assert (taken.exit_code, "Nothing of it was taken" in taken.stdout) == (1, True)
    assert "far" in good(run("draft"))
    assert "deleted" in good(run("draft", "far", "--delete"))


def test_a_refusal_is_told_once_and_in_commands(run: Run) -> None:
    none = run("diff", "nosuch").stderr
    assert none == "Error: No draft has this name. `tandem release draft` lists them.\n"
    good(run("draft", "words"))
    assert "`tandem release approve NAME`" in run("publish", "words").stderr
    instant = run("publish", "words", "--at", "2026-11-26T10:00").stderr
    assert instant.count("must be an instant") == instant.count("Write it with its offset") == 1
    other = run("approve", "words", "--version", 99).stderr
    assert ("--version" in other, "ETag" in other, "If-Match" in other) == (True, False, False)
    good(run("draft", "words", "--delete"))


def test_a_key_in_the_history_can_be_copied(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = json.loads(good(run("history", "--json")))["publications"]
    shown = good(run("history"))
    assert told
    assert all(one["release_key"] in shown for one in told)


def test_the_impact_of_a_draft_is_measured_against_what_is_in_force(
    run: Run, tmp_path: Path
) -> None:
    good(run("draft", "later", "--note", "longer hours"))
    file, calls, found = tmp_path / "l.toml", tmp_path / "calls.csv", tmp_path / "impact.json"
    file.write_text(good(run("draft", "later", "--show")).replace('to = "23:00"', 'to = "01:00"'))
    good(run("draft", "later", "--policy", file))
    days = [f"2026-07-{day:02}" for day in range(6, 13)]
    rows = [f"{day}T{hour}:30:00-07:00" for day in days for hour in (12, 23)]
    text = "\n".join(f"{at},-122.3364,47.6085,PERSON DOWN" for at in rows)
    calls.write_text(f"at,lon,lat,type\n{text}\n")
    asked = ("--calls", calls, "--no-what-if", "--json", found)
    assert "later (version 2)" in good(run("impact", "later", *asked))
    told = json.loads(found.read_text())
    assert told["manifest"]["draft"] == "later (version 2)"
    in_force = json.loads(good(run("history", "--json")))["live"]["release_key"]
    assert told["manifest"]["live"] == in_force
    in_hours = told["calls"]["total"]["in_hours"]
    assert (in_hours["live"], in_hours["draft"], in_hours["gained"]) == (7, 14, 7)
    handed = good(run("diff", "later", "--calls", calls))
    assert [words for words in map(str.split, handed.splitlines()) if "in_hours" in words] == [
        ["│", "in_hours", "│", "7", "│", "14", "│", "7", "│", "0", "│", "0", "│"]
    ]
    both = run("impact", "later", "--draft", file, "--calls", calls)
    assert (both.exit_code, "not clear" in both.stderr) == (2, True)


def test_where_nobody_answers_the_remedy_is_told(run: Run) -> None:
    done = run("history", "--url", "http://127.0.0.1:9")
    assert (done.exit_code, "tandem serve" in done.stderr) == (2, True)
    assert run("history", "--url", "file:///etc/passwd").exit_code == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_no_option_for_the_key(run: Run, command: str) -> None:
    said = good(run(command, "--help"))
    assert f"tandem release {command}" in said.split("Examples")[1]
    assert "--url" in said
    assert "--key" not in said
