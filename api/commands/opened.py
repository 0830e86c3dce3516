"""Opening the store for a command: one that is there, and of this version."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.commands.console import notes
from api.errors import StartError
from api.settings import read_settings

if TYPE_CHECKING:
    from api.store.database import Database
    from api.store.writer import Writer


def location_of(store: str | None) -> str:
    """Return where the store is, as the option or the setting says."""
    location = store or read_settings().store
    if location is None:
        raise StartError(
            "Nothing says where the store is.",
            remedy="Name it with --store or TANDEM_STORE: a file, or postgresql://user@host/name.",
        )
    return location


@contextmanager
def reached(store: str | None, *, must_exist: bool = True) -> Iterator["Database"]:
    """Yield the database, whatever tables it has; a file is not made by looking for it."""
    from api.store.database import Database

    location = location_of(store)
    if must_exist and "://" not in location and not Path(location).expanduser().is_file():
        raise StartError(f"There is no store at {location}.", remedy="Name the file of a store.")
    database = Database(location)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def opened(store: str | None) -> Iterator["Database"]:
    """Yield the database of a store that this version can read."""
    from api.store.schema import newest_revision, require_schema, revision_of

    with reached(store) as database:
        with database.reading() as connection:
            found = revision_of(connection)
        if found is None:
            raise StartError(
                f"There are no tables at {database.shown}.",
                remedy=f"Run `tandem store upgrade`, which brings them to {newest_revision()}.",
            )
        require_schema(database)
        yield database


@contextmanager
def maintained(store: str | None) -> Iterator[tuple["Database", "Writer"]]:
    """Yield the database and a writer of its own chain, beside a service that may be running."""
    from api.store.audit_chain import enter_instance
    from api.store.backup import MAINTENANCE
    from api.store.writer import Writer

    with opened(store) as database:
        with database.writing() as connection:
            enter_instance(connection, MAINTENANCE, datetime.now(UTC))
        writer = Writer(database, instance=MAINTENANCE)
        try:
            yield database, writer
        finally:
            writer.close()


def progress_bar() -> Progress:
    """Return a bar on standard error, which vanishes at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=not notes.is_terminal,
    )
