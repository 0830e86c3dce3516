"""`tandem store`: bring its tables up and down, look at it, back it up, put it back, prune it."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.commands.console import notes, out
from api.commands.opened import location_of, maintained, opened, progress_bar, reached
from api.errors import StartError
from api.settings import Settings, read_settings

if TYPE_CHECKING:
    from api.store.database import Database
    from api.store.sql_prune import Kind


def run_upgrade(store: str | None) -> None:
    """Bring the tables to this version's revision."""
    from api.store.schema import migrate

    with reached(store, must_exist=False) as database:
        before = _revision(database)
        migrate(database)
        out.print(f"{database.shown}: {before or 'empty'} -> {_revision(database)}", markup=False)


def run_downgrade(store: str | None, revision: str, *, yes: bool) -> None:
    """Take the tables back to an older revision."""
    from api.store.schema import downgrade

    if not yes:
        raise StartError(
            "What the older tables have no place for is lost.",
            remedy="Make a backup (`tandem store backup`), then give --yes.",
        )
    with reached(store) as database:
        before = _revision(database)
        downgrade(database, revision)
        out.print(f"{database.shown}: {before} -> {_revision(database) or 'empty'}", markup=False)


def _revision(database: "Database") -> str | None:
    from api.store.schema import revision_of

    with database.reading() as connection:
        return revision_of(connection)


def run_info(store: str | None, *, as_json: bool) -> None:
    """Say what a store holds."""
    import msgspec

    with opened(store) as database:
        found = _info(database)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
        return
    for name, value in found.items():
        if isinstance(value, dict):
            out.print(f"{name}:", markup=False)
            for key, inner in value.items():
                out.print(f"  {key}: {inner}", markup=False)
        else:
            out.print(f"{name}: {value}", markup=False)


def _info(database: "Database") -> dict[str, Any]:
    from api.store.sql_heads import read_heads
    from api.store.sql_info import count_rows, size_bytes

    with database.reading() as connection:
        rows = count_rows(connection)
        heads = read_heads(connection)
    return {
        "store": database.shown,
        "engine": database.url.get_backend_name(),
        "revision": _revision(database),
        "size_bytes": size_bytes(database),
        "rows": rows,
        "audit_numbers": {head.instance: head.number for head in heads},
    }


def run_backup(store: str | None, file: Path) -> None:
    """Copy a store while it is written to."""
    from api.store.backup import backup

    with opened(store) as database, progress_bar() as bar:
        task = bar.add_task("copying", total=None)
        backup(database, file, lambda done, of: bar.update(task, completed=done, total=of))
    notes.print(f"{file}: {file.stat().st_size:,} bytes, checked.", markup=False)


def run_restore(store: str | None, file: Path, *, force: bool) -> None:
    """Put a backup in a store's place."""
    from api.store.backup import restore

    location = location_of(store)
    if "://" in location:
        raise StartError(
            "A PostgreSQL database is restored by its own pg_restore.",
            remedy="docs/store.md tells the commands.",
        )
    if not file.is_file():
        raise StartError(f"There is no backup at {file}.", remedy="Name the file of a backup.")
    target = Path(location).expanduser().absolute()
    aside = restore(file, target, force=force, at=datetime.now(UTC))
    kept = "" if aside is None else f" The store that was there is kept as {aside.name}."
    notes.print(f"{target} is the backup now.{kept}", markup=False)


def run_prune(store: str | None, *, dry_run: bool) -> None:
    """Forget what is older than its kind is kept."""
    from api.audit.prune import prune

    keep = kept_for(read_settings())
    now = datetime.now(UTC)
    if dry_run:
        _show_old(store, keep, now)
        return
    with maintained(store) as (_database, writer), progress_bar() as bar:
        tasks = {kind: bar.add_task(kind, total=None) for kind in keep}
        gone = prune(writer, keep, now, lambda kind, rows: bar.advance(tasks[kind], rows))
    for kind, rows in gone.items():
        out.print(f"{kind}: {rows:,} rows older than {keep[kind].days} days", markup=False)


def _show_old(store: str | None, keep: "dict[Kind, timedelta]", now: datetime) -> None:
    from api.store.sql_prune import count_old

    with opened(store) as database, database.reading() as connection:
        for kind, kept in keep.items():
            rows = count_old(connection, kind, now - kept)
            out.print(f"{kind}: {rows:,} rows older than {kept.days} days", markup=False)


def kept_for(settings: Settings) -> "dict[Kind, timedelta]":
    """Return for how long each kind is kept."""
    from api.store.sql_prune import Kind

    return {kind: timedelta(days=getattr(settings, f"keep_{kind.lower()}_days")) for kind in Kind}
