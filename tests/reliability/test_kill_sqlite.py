"""kill -9 at any instant of writing: nothing acknowledged is lost, and nothing is kept in part."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.store.database import Database
from tests.reliability.found import Found, found_in, lost, out_of_line
from tests.reliability.lengths import length
from tests.reliability.nursery import ANSWER_S_MAX, Nursery, nursery
from tests.reliability.told import tell

KILLS = length(30, 1_000)
KILLS_OF_LIFE = 15
SEED = 20231001


@pytest.fixture(scope="module")
def processes() -> Iterator[Nursery]:
    with nursery() as made:
        yield made


def options(location: Path, run: int, **changes: Any) -> dict[str, Any]:
    told = {"location": str(location), "run": str(run), "seed": SEED, "threads": 4}
    return {**told, "operations": 10_000, **changes}


def tokens(lines: list[str]) -> set[str]:
    return {line.removeprefix("ack ") for line in lines}


def killed_at_a_seeded_instant(processes: Nursery, location: Path, run: int) -> set[str]:
    """Return what a process acknowledged before it was ended: at its start, or while it writes."""
    rng = random.Random(f"{SEED} {run}")
    child = processes.order(options(location, run))
    if rng.random() < 0.15:
        said = processes.read(1_000_000, rng.uniform(0, 0.1))
    else:
        said = processes.read(rng.randint(1, 60), ANSWER_S_MAX)
        said += processes.read(1_000_000, rng.uniform(0, 0.01))
    return tokens(said + processes.kill(child))


def opened(location: Path) -> Found:
    """Return what a database holds, which is empty when a process ended before it made tables."""
    with sqlite3.connect(location) as plain:
        made = plain.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    plain.close()
    if not made:
        return Found()
    database = Database(str(location))
    found = found_in(database)
    database.close()
    return found


def test_no_acknowledged_write_is_lost_and_none_is_kept_in_part(
    processes: Nursery, tmp_path: Path
) -> None:
    acknowledged: set[str] = set()
    total = kept_unsaid = 0
    for run in range(KILLS):
        life, place = divmod(run, KILLS_OF_LIFE)
        if place == 0:
            acknowledged = set()
        location = tmp_path / f"life{life}.sqlite"
        said = killed_at_a_seeded_instant(processes, location, run)
        acknowledged |= said
        total += len(said)
        found = opened(location)
        assert found.wrong == [], f"after kill {run}"
        assert lost(acknowledged, found) == [], f"after kill {run}"
        assert out_of_line(acknowledged, found) == [], f"after kill {run}"
        assert found.records == len(found.tokens)
        kept_unsaid += len(found.tokens - acknowledged)
        acknowledged |= found.tokens
    tell(f"{KILLS} kills, {total} acknowledged, 0 lost, {kept_unsaid} kept and not yet told")
    assert total > 10 * KILLS


def test_a_process_that_is_left_alone_ends_with_all_it_acknowledged(
    processes: Nursery, tmp_path: Path
) -> None:
    location = tmp_path / "left.sqlite"
    processes.order(options(location, 0, operations=5))
    said = tokens(processes.rest())
    assert said == opened(location).tokens == {f"0.{t}.{n}" for t in range(4) for n in range(1, 6)}


# -- what must be found: the same database with one thing wrong ------------------------------------

SPOILED = {
    "an acknowledged write is gone, with its record": (
        "breaks the chain",
        "DELETE FROM recommendations WHERE recommendation_id = :one",
        "DELETE FROM audit WHERE subject = :one",
    ),
    "a record is gone": ("record 4 stands at 3", "DELETE FROM audit WHERE number = 3"),
    "a record says something else": (
        "record 3 breaks the chain",
        "UPDATE audit SET record = CAST(replace(CAST(record AS TEXT), '20', '21') AS BLOB) "
        "WHERE number = 3",
    ),
    "a claim has one half": (
        "half pairs",
        "DELETE FROM claim_units WHERE unit_id LIKE '%-CARE'",
    ),
    "a claim has no record": (
        "a claim without its record",
        "INSERT INTO claims VALUES ('x', 'C0', NULL, 'LIVE', 1, 1, NULL, '{}')",
    ),
    "one unit of two is another": (
        "units written in part",
        "UPDATE units SET body = replace(body, '0.', '9.') WHERE unit_id = 'R0b'",
    ),
    "the roster's version ran on": ("roster ", "UPDATE roster_state SET version = version + 1"),
    "a change was not announced": ("the feed has a gap", "DELETE FROM changes WHERE change_id = 2"),
    "a call is of another recommendation": (
        "the call says",
        "UPDATE incidents SET body = replace(body, '0.', '9.')",
    ),
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=list(SPOILED))
def test_what_is_lost_or_half_written_is_found(
    processes: Nursery, tmp_path: Path, spoiled: tuple[str, ...]
) -> None:
    location = tmp_path / "spoiled.sqlite"
    processes.order(options(location, 0, operations=8))
    processes.rest()
    expected, *statements = spoiled
    with sqlite3.connect(location) as plain:
        one = plain.execute("SELECT max(recommendation_id) FROM recommendations").fetchone()[0]
        for statement in statements:
            plain.execute(statement, {"one": one} if ":one" in statement else {})
    plain.close()
    assert any(expected in said for said in opened(location).wrong)


def test_what_is_gone_without_a_trace_is_found_by_who_was_told(
    processes: Nursery, tmp_path: Path
) -> None:
    location = tmp_path / "short.sqlite"
    processes.order(options(location, 0, operations=3))
    said = tokens(processes.rest())
    found = opened(location)
    assert (lost(said, found), out_of_line(said, found)) == ([], [])
    assert lost({*said, "0.0.4"}, found) == ["0.0.4"]
    found.tokens.add("0.0.5")
    assert out_of_line(said, found) == ["0.0.5"]
