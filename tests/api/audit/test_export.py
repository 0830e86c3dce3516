"""A period of the audit log as a file that proves itself, or no file at all."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.audit.export import check_export, export
from api.audit.pages import Pages
from api.errors import StartError
from api.store.database import Database
from tests.api.audit.chains import LONG, SHORT, START, seeded, two_chains
from tests.api.audit.tamperings import other_bytes

DAY = dt.timedelta(days=1)


def minutes(number: float) -> dt.datetime:
    return START + dt.timedelta(minutes=number)


@pytest.fixture
def two(tmp_path: Path) -> Any:
    with two_chains(str(tmp_path / "store.db")) as database:
        yield database


def exported(database: Database, file: Path, since: dt.datetime, until: dt.datetime) -> list[Any]:
    done = export(Pages(database.reading, 7), file, since, until, lambda _count: None)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[-1] == {"records": done.records, "chains": done.chains}
    return lines


def test_a_file_of_everything_proves_itself_with_nothing_but_sha256(
    two: Database, tmp_path: Path
) -> None:
    lines = exported(two, tmp_path / "all.jsonl", START - DAY, START + DAY)
    numbers: dict[str, list[int]] = {}
    chain, last = "", b""
    for line in lines[1:-1]:
        if "chain" in line:
            chain, last = line["chain"], bytes.fromhex(line["hash"])
            continue
        last = hashlib.sha256(last + line["record"].encode()).digest()
        assert line["hash"] == last.hex()
        assert json.loads(line["record"])["instance"] == chain
        numbers.setdefault(chain, []).append(line["number"])
    assert numbers == {"a": list(range(1, LONG + 1)), "b": list(range(1, SHORT + 1))}
    assert check_export(tmp_path / "all.jsonl") == LONG + SHORT


def test_a_period_holds_its_records_and_the_hash_before_them(two: Database, tmp_path: Path) -> None:
    lines = exported(two, tmp_path / "part.jsonl", minutes(0.5), minutes(1))
    instants = [json.loads(line["record"])["at"] for line in lines if "record" in line]
    assert len(instants) == 30  # the clock of the chains goes on by a second for each write
    assert min(instants) >= "2026-07-21T18:00:30"
    assert max(instants) < "2026-07-21T18:01:00"
    assert check_export(tmp_path / "part.jsonl") == 30


def test_a_period_without_records_is_a_file_that_says_so(two: Database, tmp_path: Path) -> None:
    lines = exported(two, tmp_path / "none.jsonl", START - 2 * DAY, START - DAY)
    assert lines[1:] == [{"records": 0, "chains": 0}]
    assert check_export(tmp_path / "none.jsonl") == 0


def test_a_bad_record_is_not_exported(two: Database, tmp_path: Path) -> None:
    with two.writing() as connection:
        connection.execute(text("UPDATE audit SET subject = 'x' WHERE number = 40"))
    with pytest.raises(StartError, match="record 40: EDITED"):
        exported(two, tmp_path / "all.jsonl", START - DAY, START + DAY)
    assert [one.name for one in tmp_path.iterdir() if "jsonl" in one.name] == []


def test_a_file_that_is_there_is_left_alone(two: Database, tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").write_text("mine")
    with pytest.raises(StartError, match="there already"):
        exported(two, tmp_path / "all.jsonl", START - DAY, START + DAY)
    assert (tmp_path / "all.jsonl").read_text() == "mine"


def test_an_exported_file_that_is_changed_anywhere_is_refused(
    two: Database, tmp_path: Path
) -> None:
    file = tmp_path / "all.jsonl"
    exported(two, file, START - DAY, START + DAY)
    whole = file.read_bytes()
    begin = whole.index(b"\n") + 1  # the first line is what was asked for, and proves nothing
    for number in range(200):
        changed = other_bytes(seeded(number), whole[begin:])
        if changed.strip() == whole[begin:].strip():
            continue
        file.write_bytes(whole[:begin] + changed)
        if says_the_same(whole[begin:], changed):
            continue
        with pytest.raises(StartError):
            check_export(file)


def says_the_same(before: bytes, after: bytes) -> bool:
    """Tell whether lines differ only in spaces, names of chains or letters of a hash's case."""
    try:
        told = [[json.loads(line) for line in text.splitlines()] for text in (before, after)]
    except ValueError:
        return False
    for lines in told:
        for line in lines:
            line.pop("chain", None)
            line["hash"] = str(line.get("hash")).lower()
    return told[0] == told[1]


@pytest.mark.parametrize("cut", [1, 2, 30])
def test_a_file_that_was_cut_off_is_refused(two: Database, tmp_path: Path, cut: int) -> None:
    file = tmp_path / "all.jsonl"
    exported(two, file, START - DAY, START + DAY)
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-cut]))
    with pytest.raises(StartError, match="last line is missing"):
        check_export(file)
