"""One database: SQLite, which is embedded, or PostgreSQL, which several instances may share.

What lives here: connections, their settings and their failures. What does not: which tables there
are (`tables`), how they come about (`schema`), and who writes (`writer`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
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

CONNECT_S_MAX: Final = 3
LOCK_S_MAX: Final = 5
"""How long SQLite waits for another process that writes."""
CONNECTIONS_MAX: Final = 8
_WRITES: Final = "tandem_writes"

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
        self.engine = _sqlite(self.url, synchronous) if self.is_embedded else _postgresql(self.url)

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
        with _ours(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection that commits at the end; an error takes everything back.

        Raises
        ------
        StoreUnavailable
            The engine cannot be reached; whether it was kept is not known when the commit failed.
        """
        with _ours(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


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


def _sqlite(url: URL, synchronous: str) -> Engine:
    memory = url.database in (None, "", ":memory:")
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
            f"busy_timeout={LOCK_S_MAX * 1000}",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that began by reading could not become one while another writes.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=LOCK_S_MAX,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_S_MAX, "application_name": "tandem"},
    )
