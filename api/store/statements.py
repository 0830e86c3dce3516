"""Statements of the busiest paths, compiled once for each engine and given to its driver as text.

A statement costs SQLAlchemy some 20 us and SQLite 2; a record of a recommendation takes ten. What
is written is still SQLAlchemy's construct, and a failure is told as SQLAlchemy tells it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError

Values = Mapping[str, Any]
NOTHING: Final[Values] = {}


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    names: tuple[str, ...]
    """Of the values, in their order; empty where the driver takes them by name."""
    fixed: Values
    """Values that stand in the construct."""

    def bound(self, values: Values) -> Any:
        """Return values as the driver takes them."""
        told = {**self.fixed, **values} if self.fixed else values
        if not self.names:
            return told
        return itemgetter(*self.names)(told) if len(self.names) > 1 else (told[self.names[0]],)


class Statement:
    """One statement.

    Values and rows are the driver's own: what SQLite keeps of a boolean comes back as 0 or 1.

    Parameters
    ----------
    construct
        Every value that changes is a `bindparam`; there is no list of values (IN).
    """

    def __init__(self, construct: Executable) -> None:
        self.construct: Any = construct
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Values = NOTHING) -> list[tuple[Any, ...]]:
        """Return the rows that it finds, or that it says it wrote."""
        found: list[tuple[Any, ...]] = self._executed(connection, values).fetchall()
        return found

    def run(self, connection: Connection, values: Values = NOTHING) -> int:
        """Return how many rows it wrote."""
        return int(self._executed(connection, values).rowcount)

    def run_each(self, connection: Connection, values: Sequence[Values]) -> None:
        """Run it once for each of some values."""
        if len(values) == 1:
            self.run(connection, values[0])
            return
        compiled, driver = self._for(connection)
        try:
            driver.cursor().executemany(compiled.text, [compiled.bound(one) for one in values])
        except connection.dialect.loaded_dbapi.Error as error:
            raise _told(connection, driver, compiled.text, error) from error

    def _executed(self, connection: Connection, values: Values) -> Any:
        compiled, driver = self._for(connection)
        try:
            return driver.execute(compiled.text, compiled.bound(values))
        except connection.dialect.loaded_dbapi.Error as error:
            raise _told(connection, driver, compiled.text, error) from error

    def _for(self, connection: Connection) -> tuple[_Compiled, Any]:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self.construct, dialect)
        return compiled, _driver_of(connection)


def _driver_of(connection: Connection) -> Any:
    """Return the driver's connection, in a transaction."""
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy would, to see one moment; it ends with the connection
    return connection.connection.dbapi_connection


def _compile(construct: Any, dialect: Dialect) -> _Compiled:
    compiled = construct.compile(dialect=dialect)
    fixed = {name: bind.value for name, bind in compiled.binds.items() if bind.value is not None}
    return _Compiled(str(compiled), tuple(compiled.positiontup or ()), fixed)


def _told(connection: Connection, driver: Any, text: str, error: Any) -> BaseException:
    """Return a driver's error as SQLAlchemy raises it, without the values."""
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, driver, None)
    told: BaseException = DBAPIError.instance(
        text, None, error, dialect.loaded_dbapi.Error,
        hide_parameters=True, connection_invalidated=is_lost, dialect=dialect,
    )  # fmt: skip
    if is_lost:
        connection.invalidate(error)
    return told
