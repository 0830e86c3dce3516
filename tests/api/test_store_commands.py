"""`tandem store` and `tandem audit` as a person runs them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands.store import kept_for
from api.settings import Settings
from api.store.sql_prune import Kind
from tests.api.measures.days import DAY, keep, made
from tests.api.store.engines import DATABASES, new_location, opened
from tests.api.store.held_writer import keeps

Run = Callable[..., Result]
COMMANDS = (
    [["store", name] for name in ("upgrade", "downgrade", "info", "backup", "restore", "prune")]
    + [["audit", name] for name in ("verify", "head", "export")]
    + [["report", "daily"]]
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *said: CliRunner().invoke(app, [str(one) for one in said])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store with three writes."""
    file = tmp_path / "tandem.db"
    with opened(str(file)) as (_database, writer):
        for name in "abc":
            writer.call(keeps(name))
    return file


def good(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(done: Result, *words: str, code: int = 2) -> None:
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    for word in words:
        assert word in done.output.replace("\n", " ")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_with_an_example(run: Run, command: list[str]) -> None:
    said = good(run(*command, "--help"))
    assert f"tandem {' '.join(command)}" in said.split("Examples")[1]
    assert "--store" in said


@pytest.mark.parametrize("kind", DATABASES)
def test_an_empty_place_becomes_a_store_and_is_emptied_again(run: Run, kind: str) -> None:
    with new_location(kind) as location:
        assert "empty -> 0003" in good(run("store", "upgrade", "--store", location))
        found = json.loads(good(run("store", "info", "--json", "--store", location)))
        assert (found["engine"], found["revision"]) == (kind, "0003")
        assert found["size_bytes"] > 0
        assert found["rows"]["roster_state"] == 1
        refused(run("store", "downgrade", "base", "--store", location), "--yes")
        refused(run("store", "downgrade", "77", "--yes", "--store", location), "no revision 77")
        down = run("store", "downgrade", "base", "--yes", "--store", location)
        assert "0003 -> empty" in good(down)
        refused(run("store", "info", "--store", location), "tandem store upgrade")


def test_a_store_that_is_not_there_is_not_made_by_looking_for_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "nothing.db"
    for command in (["store", "info"], ["store", "prune"], ["audit", "verify"], ["audit", "head"]):
        refused(run(*command, "--store", file), "no store")
    assert not file.exists()


def test_without_a_place_a_command_says_how_to_name_one(run: Run) -> None:
    refused(run("store", "info"), "--store", "TANDEM_STORE")


def test_the_setting_names_the_store_too(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_STORE", str(place))
    assert "OK: 3 records in 1 chains." in good(run("audit", "verify"))


def test_a_bad_record_is_named_and_the_exit_code_is_1(run: Run, place: Path) -> None:
    with opened(str(place)) as (_database, writer):
        writer.call(lambda tx: tx.connection.exec_driver_sql("DELETE FROM audit WHERE number=2"))
    refused(run("audit", "verify", "--store", place), "BAD test, record 2: MISSING", code=1)


def test_a_head_kept_elsewhere_finds_a_store_that_was_put_back(
    run: Run, place: Path, tmp_path: Path
) -> None:
    copy, head = tmp_path / "copy.db", tmp_path / "head.json"
    good(run("store", "backup", copy, "--store", place))
    with opened(str(place)) as (_database, writer):
        writer.call(keeps("d"))
    head.write_text(good(run("audit", "head", "--store", place)))
    assert "OK" in good(run("audit", "verify", "--against", head, "--store", place))
    good(run("store", "restore", copy, "--force", "--store", place))
    assert "OK" in good(run("audit", "verify", "--store", place))
    done = run("audit", "verify", "--against", head, "--store", place)
    refused(done, "BAD test, record 4: MISSING", "had reached number 4", code=1)


def test_a_file_that_holds_no_heads_is_refused(run: Run, place: Path, tmp_path: Path) -> None:
    for text in ("", "[]", '{"at": "2026-07-21T20:05:00Z", "heads": [{"instance": 1}]}'):
        (tmp_path / "head.json").write_text(text)
        done = run("audit", "verify", "--against", tmp_path / "head.json", "--store", place)
        refused(done, "tandem audit head")
    refused(
        run("audit", "verify", "--against", tmp_path / "no", "--store", place), "cannot be read"
    )


def test_a_period_is_exported_and_the_file_checked(run: Run, place: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    period = ("--from", "2020-01-01", "--until", "2100-01-01T00:00:00-08:00")
    good(run("audit", "export", file, *period, "--store", place))
    assert "OK: 3 records" in good(run("audit", "verify", "--export", file))
    refused(run("audit", "export", file, *period, "--store", place), "there already")
    done = run(
        "audit", "export", tmp_path / "x", "--from", "noon", "--until", "x", "--store", place
    )
    refused(done, "--from is no instant")


def test_a_restore_refuses_what_is_no_backup(run: Run, place: Path, tmp_path: Path) -> None:
    refused(run("store", "restore", tmp_path / "no.db", "--store", place), "no backup")
    url = "postgresql://tandem@localhost/tandem"
    refused(run("store", "restore", place, "--store", url), "pg_restore")


@pytest.mark.parametrize("kind", DATABASES)
def test_pruning_first_says_and_then_forgets_what_is_old(
    run: Run, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_KEEP_STATUS_EVENTS_DAYS", "10")
    with new_location(kind) as location, opened(location) as (_database, writer):
        writer.call(keeps("a"))  # its row is of the year 1970
        said = good(run("store", "prune", "--dry-run", "--store", location))
        assert "STATUS_EVENTS: 1 rows older than 10 days" in said
        assert good(run("store", "prune", "--store", location)) == said
        assert "STATUS_EVENTS: 0 rows" in good(run("store", "prune", "--store", location))
        assert "OK: 2 records in 2 chains." in good(run("audit", "verify", "--store", location))


def test_every_kind_has_a_setting_of_its_own() -> None:
    settings: Any = Settings(keep_audit_days=5)
    kept = kept_for(settings)
    assert set(kept) == set(Kind)
    assert kept[Kind.AUDIT].days == 5
    names = {name for name in Settings.model_fields if name.startswith("keep_")}
    assert len(names) == len(Kind)


def test_a_day_is_reported_as_text_and_as_json(run: Run, place: Path) -> None:
    with opened(str(place)) as (_database, writer):
        units, overrides = made(1)
        writer.call(lambda tx: keep(tx, units, overrides))
    said = good(run("report", "daily", "--date", DAY.isoformat(), "--store", place))
    told = json.loads(good(run("report", "daily", "--date", DAY, "--json", "--store", place)))
    care = told["calls_by_care"]["total"]
    assert care > 5
    assert f"Calls answered by CARE: {care} " in said
    saved = told["officer_time_saved_net"]
    assert saved["low_s"] < saved["mid_s"] < saved["high_s"]
    assert f"Officer time saved, net: {saved['mid_s'] / 60:.1f} min" in said
    assert "assuming that police alone spend 30.0 min to 45.0 min" in said


def test_a_report_refuses_what_is_no_day_and_no_zone(run: Run, place: Path) -> None:
    refused(run("report", "daily", "--date", "July", "--store", place), "--date is no day")
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        refused(run("report", "daily", "--zone", zone, "--store", place), "--zone is no time zone")
    assert "0 calls" in good(run("report", "daily", "--store", place))  # of yesterday
