"""One database: SQLite, which is embedded, or PostgreSQL, which several instances may share.

What lives here: connections, their settings and their failures. What does not: which tables there
are (`tables`), how they come about (`schema`), and who writes (`writer`).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ResourceClosedError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from api.errors import StartError, StoreUnavailable
from api.store.statements import Statement

CONNECT_S_MAX: Final = 3
LOCK_S_MAX: Final = 5
"""How long a writer waits for another process that writes."""
IDLE_S_MAX: Final = 10
"""How long PostgreSQL lets a process that has stopped keep the turn of writing."""
CONNECTIONS_MAX: Final = 8
LOOK_AGAIN_S: Final = 0.0005
"""How often a process looks whether another one has ended its transaction."""
CHECKPOINT_PAGES: Final = 4_000
"""Pages of the log after which a commit brings them into SQLite's file, and waits for that too."""
LOG_BYTES_MAX: Final = CHECKPOINT_PAGES * (4_096 + 24)
"""The same in bytes; a log that was longer for a while, as beside an old reader, is cut to it."""
_WRITES: Final = "tandem_writes"
_TURN: Final = Statement(
    text(
        f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_S_MAX}s', true),"
        " pg_advisory_xact_lock(7263326)"
    )
)
_IN_MEMORY: Final = (None, "", ":memory:")

_FAILURES: Final = (OperationalError, InterfaceError, InternalError, PoolTimeout)


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return a failure of the engine as ours; nothing of the statement is repeated."""
    kind = type(getattr(error, "orig", None) or error).__name__
    return StoreUnavailable(
        f"The store cannot be reached ({kind}).",
        remedy="Ask again; recommendations are still answered. GET /readyz says more.",
    )


def closed() -> StoreUnavailable:
    """Return the refusal of a store that was closed."""
    return StoreUnavailable("The store is closed.", remedy="The service is stopping; ask again.")


def is_failure(error: BaseException) -> bool:
    """Tell whether an error is the engine's and not the statement's.

    A file that is no database, or a damaged one, raises the bare `DatabaseError`.
    """
    return (
        isinstance(error, _FAILURES)
        or type(error) is DatabaseError
        or (isinstance(error, DBAPIError) and error.connection_invalidated)
        or isinstance(error, ResourceClosedError)
    )


class Database:
    """Connections to one database.

    Parameters
    ----------
    location
        A file for SQLite, `:memory:` for one that ends with the process, or a URL such as
        `postgresql://user@host/name`.

    Raises
    ------
    StartError
        It names no engine that is known.
    """

    def __init__(self, location: str, *, synchronous: str = "FULL") -> None:
        self.url = _url(location)
        self.is_embedded = self.url.get_backend_name() == "sqlite"
        self.is_in_memory = self.is_embedded and self.url.database in _IN_MEMORY
        self.engine = _sqlite(self.url, synchronous) if self.is_embedded else _postgresql(self.url)
        # Connections of their own, so that no number of readers keeps a writer waiting.
        self._writers = self.engine
        if not self.is_in_memory:
            self._writers = (
                _sqlite(self.url, synchronous, waits_s=0)
                if self.is_embedded
                else _postgresql(self.url)
            )
        # SQLite's transactions see one moment by themselves.
        isolation = {} if self.is_embedded else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(**isolation)

    @property
    def shown(self) -> str:
        """What may be shown of where it is: never a password."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment.

        Raises
        ------
        StoreUnavailable
            The engine cannot be reached.
        """
        with _ours(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection that commits at the end; an error takes everything back.

        One process writes at a time, on PostgreSQL as on SQLite: groups of writes that took rows in
        different orders would else lock each other out, and all of both would be refused.

        Raises
        ------
        StoreUnavailable
            The engine cannot be reached; whether it was kept is not known when the commit failed.
        """
        with _ours(), self.connected() as connection, self.begun(connection):
            yield connection

    def connected(self) -> Connection:
        """Return a connection that can write."""
        return self._writers.connect().execution_options(**{_WRITES: True})

    def begun(self, connection: Connection) -> RootTransaction:
        """Begin a transaction that has the turn of writing."""
        transaction = connection.begin()
        if not self.is_embedded:
            _TURN.rows(connection)
        return transaction

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()
        self._writers.dispose()


class Pen:
    """What one writer writes with: a connection of its own, which stays open; for one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield the connection as `Database.writing` does, and raise what that raises."""
        with _ours():
            connection, transaction = self._begun()
            try:
                with transaction:
                    yield connection
            except BaseException:
                self.close()
                raise
            if self._database.is_in_memory:
                self.close()  # there is one connection for all

    def close(self) -> None:
        """Let go of the connection; the next transaction opens another."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _begun(self) -> tuple[Connection, RootTransaction]:
        is_new = self._kept is None
        while True:
            connection = self._kept = self._kept or self._database.connected()
            try:
                return connection, self._database.begun(connection)
            except BaseException as error:
                self.close()
                # A server that was started anew since the last write has the next connection.
                if is_new or not (isinstance(error, DBAPIError) and error.connection_invalidated):
                    raise
            is_new = True


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if is_failure(error):
            raise unavailable(error) from None
        raise
    except (PoolTimeout, ResourceClosedError) as error:
        raise unavailable(error) from None


def _url(location: str) -> URL:
    if "://" not in location:
        return URL.create(
            "sqlite", database=location if location == ":memory:" else _file(location)
        )
    try:
        url = make_url(location)
    except (ArgumentError, ValueError):
        raise _unknown() from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        return url
    raise _unknown()


def _file(location: str) -> str:
    return str(Path(location).expanduser().absolute())


def _unknown() -> StartError:
    return StartError(
        "The store's location names no engine that is known.",
        remedy="Give a file for SQLite, or postgresql://user@host/name.",
    )


def _sqlite(url: URL, synchronous: str, waits_s: int = LOCK_S_MAX) -> Engine:
    memory = url.database in _IN_MEMORY
    if not memory:
        make_private(str(url.database))
    if memory:
        # One connection for all threads: another one would see another, empty database.
        url = url.set(database="file:tandem?mode=memory", query={"uri": "true"})
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if memory else CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=LOCK_S_MAX,
        connect_args={"check_same_thread": False, "timeout": LOCK_S_MAX},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
            f"journal_size_limit={LOG_BYTES_MAX}",
            f"busy_timeout={waits_s * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that began by reading could not become one while another writes.
        if connection.get_execution_options().get(_WRITES):
            _take_turn(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _take_turn(connection: Connection) -> None:
    """Begin to write, once another process that writes has ended its transaction.

    SQLite itself looks ever more rarely, in the end ten times a second, and would not find the
    millisecond that lies between two transactions of a process that writes without a pause.
    """
    deadline_s = monotonic() + LOCK_S_MAX
    plain = connection.connection.dbapi_connection
    assert isinstance(plain, sqlite3.Connection)
    while True:
        try:
            plain.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline_s:
                break
        sleep(LOOK_AGAIN_S)
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails again, and is told as it should be


def make_private(file: str) -> None:
    """Make a file that is not there readable to its owner alone; SQLite keeps that for its own."""
    with suppress(OSError):  # what is wrong with the place is said by SQLite
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=LOCK_S_MAX,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_S_MAX,
            "application_name": "tandem",
            # A server that has gone without a word is noticed; the system's defaults take hours.
            "tcp_user_timeout": IDLE_S_MAX * 1000,
            "keepalives_idle": LOCK_S_MAX,
            "keepalives_interval": 1,
            "keepalives_count": LOCK_S_MAX,
            "options": f"-c lock_timeout={LOCK_S_MAX}s -c timezone=UTC",
        },
    )
