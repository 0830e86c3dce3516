"""The engines of the store that the tests of its contract run on.

SQLite runs on a real file, PostgreSQL on a real server; each store made here is empty, and ends
with its test.
"""

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import text

from api.store.audit_chain import FIRST, enter_instance
from api.store.calls import CallStore, MemoryCalls
from api.store.contract import RosterStore
from api.store.database import Database
from api.store.memory import MemoryRoster
from api.store.schema import require_schema
from api.store.sql_calls import SqlCalls
from api.store.sql_roster import SqlRoster
from api.store.tables import TABLES, instances
from api.store.writer import Transaction, Writer
from tests.api.store.servers import drop_database, new_database

Store = TypeVar("Store")
DATABASES: Final = ("sqlite", "postgresql")
INSTANCE: Final = "test"


@contextmanager
def new_location(kind: str) -> Iterator[str]:
    """Yield the location of an empty database of a kind, which ends with the test."""
    if kind == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="tandem-store-"))
        yield str(folder / "store.sqlite")
        shutil.rmtree(folder)
    else:
        url = new_database()
        yield url
        drop_database(url)


@contextmanager
def opened(location: str, instance: str = INSTANCE) -> Iterator[tuple[Database, Writer]]:
    """Yield a database with its tables, and the writer of an instance."""
    database = Database(location)
    require_schema(database)
    with database.writing() as connection:
        enter_instance(connection, instance, dt.datetime.now(dt.UTC))
    writer = Writer(database, instance=instance)
    yield database, writer
    writer.close()
    database.close()


def emptied(tx: Transaction) -> None:
    """Take all rows away, as if the database were new; cheaper than a new one."""
    for table in reversed(TABLES.sorted_tables):
        if table.name not in ("roster_state", "change_state", "instances"):
            tx.connection.execute(table.delete())
    tx.connection.execute(text("UPDATE roster_state SET version = 0"))
    tx.connection.execute(text("UPDATE change_state SET head = 0"))
    tx.connection.execute(instances.delete().where(instances.c.instance != INSTANCE))
    tx.connection.execute(instances.update().values(audit_count=0, audit_head=FIRST))


class _Shared:
    """One database of each kind for all tests of a run."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Database, Writer]] = {}
        self._ends: list[object] = []

    def of(self, kind: str) -> tuple[Database, Writer]:
        if kind not in self._kept:
            location = new_location(kind)
            made = opened(location.__enter__())
            self._ends.append((location, made))
            self._kept[kind] = made.__enter__()
        database, writer = self._kept[kind]
        writer.call(emptied)
        return database, writer


SHARED: Final = _Shared()


def _sql(kind: str, make: Callable[[Database, Writer, int], Store]) -> Callable[[int], Store]:
    return lambda most: make(*SHARED.of(kind), most)


ENGINES: dict[str, Callable[[int], RosterStore]] = {
    "memory": MemoryRoster,
    **{kind: _sql(kind, SqlRoster) for kind in DATABASES},
}
"""By name: makes an empty store that takes so many units."""

CALL_ENGINES: dict[str, Callable[[int], CallStore]] = {
    "memory": MemoryCalls,
    **{kind: _sql(kind, SqlCalls) for kind in DATABASES},
}
"""By name: makes an empty memory of so many calls."""
