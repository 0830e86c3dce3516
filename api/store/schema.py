"""How the tables come about, and whether they are the ones that this version expects."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from api.errors import StartError
from api.store import closure_tables as _closures  # noqa: F401  tables are known once imported
from api.store import release_tables as _releases  # noqa: F401  tables are known once imported
from api.store.database import Database

FOLDER: Final = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """Return the revision that the tables have, None for a database without any of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """Return the revision that this version of the software expects."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None, "no migration is shipped"
    return newest


def known_revisions() -> frozenset[str]:
    """Return the revisions that this version can bring up to its own."""
    return frozenset(
        one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision, whole or not at all; `base` takes all of them away."""
    with database.writing() as connection:
        config = _config_for(connection)
        if revision == "base" or revision.startswith("-"):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to an older revision, or away with `base`, with all that is in them.

    Raises
    ------
    StartError
        It is no older revision of these tables.
    """
    if revision != "base" and revision not in known_revisions():
        raise StartError(
            f"There is no revision {revision}.",
            remedy=f"Give base or one of {', '.join(sorted(known_revisions()))}.",
        )
    with database.writing() as connection:
        config = _config_for(connection)
        command.downgrade(config, revision)


def require_schema(database: Database) -> None:
    """Make the tables of an empty database, and refuse those of another version.

    Raises
    ------
    StartError
        The tables are older or newer than this version's.
    """
    with database.reading() as connection:
        found = revision_of(connection)
    newest = newest_revision()
    if found is None:
        migrate(database)
    elif found != newest:
        remedy = (
            "Back it up, then run tandem store upgrade."
            if found in known_revisions()
            else "Install the version of Tandem that wrote it, or restore a backup of this one's."
        )
        raise StartError(
            f"The store's tables are of revision {found}; this version needs {newest}.",
            remedy=remedy,
        )


def _config_for(connection: Connection) -> Config:
    if connection.dialect.name == "postgresql":
        # Reading the migrations may take a busy machine longer than a writer may be idle.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    config = _config()
    config.attributes["connection"] = connection
    return config


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
