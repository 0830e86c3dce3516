"""A write whose process ends between its commit and its reply is sent again, and kept once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.store.database import Database
from tests.reliability.found import found_in
from tests.reliability.lengths import length
from tests.reliability.nursery import Nursery, nursery
from tests.reliability.told import tell

KILLS = length(25, 1_000)
SEED = 20231001


@pytest.fixture(scope="module")
def processes() -> Iterator[Nursery]:
    with nursery() as made:
        yield made


def sent(processes: Nursery, location: Path, number: int, *, killed: bool) -> list[str]:
    """Return what a process said that sends one write again and the next one."""
    told: dict[str, Any] = {"task": "retry", "location": str(location), "number": number}
    processes.order({**told, "seed": SEED, "killed": killed})
    return [line.removeprefix("ack ") for line in processes.rest()]


def test_each_write_is_kept_once_and_its_retry_gets_the_first_answer(
    processes: Nursery, tmp_path: Path
) -> None:
    location = tmp_path / "store.sqlite"
    for number in range(1, KILLS + 1):
        said = sent(processes, location, number, killed=True)
        expected = [f"replayed 0.0.{number - 1} at"] if number > 1 else []
        assert [line.rpartition(" ")[0] for line in said] == expected
    said = sent(processes, location, KILLS + 1, killed=False)
    assert [line.split()[0] for line in said] == ["replayed", "answered"]
    database = Database(str(location))
    found = found_in(database)
    with database.reading() as connection:
        answers = connection.execute(text("SELECT count(*) FROM idempotency")).scalar_one()
    database.close()
    assert found.wrong == []
    assert found.tokens == {f"0.0.{number}" for number in range(1, KILLS + 2)}
    assert found.records == answers == KILLS + 1
    tell(f"{KILLS} kills between commit and reply, each sent again: one record each")
