"""A copy of a store while it is written to, checked before it has its name, and its way back.

SQLite is copied by its own backup interface, within one transaction that sees one moment, so that
writers go on and the copy never has to begin anew. PostgreSQL is copied by its own `pg_dump`.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from api.errors import StartError
from api.store.audit_chain import Note, append_notes, enter_instance
from api.store.database import Database, make_private
from api.store.schema import known_revisions, newest_revision
from geodata.on_disk import sync

PAGES_A_STEP: Final = 500
MAINTENANCE: Final = "maintenance"
"""Name of the instance under which commands write to a store."""
Copied = Callable[[int, int], None]
"""Is told how many pages are copied, of how many."""


def backup(database: Database, target: Path, told: Copied) -> None:
    """Copy a store to a file that is not there yet, whole and checked or not at all.

    Raises
    ------
    StartError
        It cannot be copied; no file of that name is left.
    """
    if target.exists():
        raise StartError(f"{target} is there already.", remedy="Name a file that is not.")
    with _finished(target) as unfinished:
        if database.is_embedded:
            _copy(_file_of(database), unfinished, told)
            checked_revision(unfinished)
        else:
            _dump(database.url, unfinished)


@contextmanager
def _finished(target: Path) -> Iterator[Path]:
    """Yield a file beside another, which gets its name at the end, synced; or nothing is left."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        make_private(str(unfinished))
        yield unfinished
        for path in (unfinished, target.parent):
            sync(path)
        unfinished.replace(target)
        sync(target.parent)
    except OSError as error:
        raise StartError(
            f"{target} cannot be written ({error.strerror}).", remedy="Name a file that can."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _file_of(database: Database) -> Path:
    file = Path(database.url.database or "")
    if not file.is_file():
        raise StartError(f"There is no store at {file}.", remedy="Name the file of a store.")
    return file


def _copy(source: Path, target: Path, told: Copied) -> None:
    try:
        with (
            closing(sqlite3.connect(source, isolation_level=None)) as before,
            closing(sqlite3.connect(target, isolation_level=None)) as after,
        ):
            before.execute("BEGIN")
            before.execute("SELECT count(*) FROM sqlite_master").fetchone()  # holds this moment
            before.backup(
                after,
                pages=PAGES_A_STEP,
                progress=lambda _status, left, all_: told(all_ - left, all_),
            )
            before.execute("ROLLBACK")
            after.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
    except sqlite3.Error as error:
        raise StartError(f"The store cannot be copied ({error}).", remedy="Try again.") from None


def checked_revision(file: Path) -> str:
    """Return the revision of a file that is whole and a store.

    Raises
    ------
    StartError
        It is damaged, or no store of this software.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as found:
            said = [row[0] for row in found.execute("PRAGMA integrity_check(3)")]
            loose = found.execute("PRAGMA foreign_key_check").fetchall()
            (revision,) = found.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise StartError(f"{file} is no store ({error}).", remedy="Name another file.") from None
    if said != ["ok"] or loose:
        raise StartError(f"{file} is damaged ({'; '.join(said)}).", remedy="Name another file.")
    return str(revision)


def _dump(url: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise StartError(
            "PostgreSQL is backed up by its own pg_dump, which is not on this machine.",
            remedy="Install PostgreSQL's client programs, or see docs/store.md.",
        )
    password = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    address = url.set(drivername="postgresql", password=None)
    command = [program, "--format=custom", "--no-owner", f"--file={target}",
               f"--dbname={address.render_as_string(hide_password=False)}"]  # fmt: skip
    done = subprocess.run(  # noqa: S603  the program's own path, and no shell
        command, env=os.environ | password, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:]
        raise StartError(f"pg_dump failed: {' '.join(said)}", remedy="See docs/store.md.")


# -- the way back ---------------------------------------------------------------------------------


def restore(file: Path, target: Path, *, force: bool, at: datetime) -> Path | None:
    """Put a backup in a store's place; return where the old store was kept, if there was one.

    Raises
    ------
    StartError
        The backup is damaged or of another version, the store is in use, or it is there and
        `force` was not given. Nothing was changed.
    """
    revision = checked_revision(file)
    if revision not in known_revisions():
        raise StartError(
            f"{file} is of revision {revision}, which this version does not know.",
            remedy="Install the version of Tandem that wrote it.",
        )
    if target.exists():
        _require_unused(target)
        if not force:
            raise StartError(
                f"There is a store at {target}.",
                remedy="Give --force to put the backup in its place; the old one is kept beside.",
            )
    with _finished(target) as unfinished:
        shutil.copyfile(file, unfinished)
        if revision == newest_revision():
            _note(unfinished, file, at)
        return _put_aside(target, at)


def _require_unused(target: Path) -> None:
    """Fold a store into one file, which works only while nobody else has it open."""
    try:
        with closing(sqlite3.connect(target, isolation_level=None, timeout=0)) as found:
            found.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        raise StartError(
            f"The store at {target} is in use.", remedy="Stop the service, then try again."
        ) from None
    except sqlite3.DatabaseError:
        return  # damaged: it is kept aside as it is


def _put_aside(target: Path, at: datetime) -> Path | None:
    if not target.exists():
        return None
    aside = target.with_name(f"{target.name}.before-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    target.rename(aside)
    return aside


def _note(store: Path, backup_file: Path, at: datetime) -> None:
    """Write the restoring into the audit log of the store that will be."""
    database = Database(str(store))
    with database.writing() as connection:
        enter_instance(connection, MAINTENANCE, at)
        said = {"backup_bytes": backup_file.stat().st_size}
        note = Note(kind="RESTORED", subject=backup_file.name, said=said, at=at)
        append_notes(connection, MAINTENANCE, [note])
    database.close()
    with closing(sqlite3.connect(store, isolation_level=None)) as found:
        found.execute("PRAGMA journal_mode=DELETE")
