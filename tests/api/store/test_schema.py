"""The tables: what the migration makes is what the code expects; another version is refused."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from api.errors import StartError
from api.store import schema
from api.store.database import Database
from api.store.schema import migrate, newest_revision, require_schema, revision_of
from api.store.tables import TABLES
from tests.api.store.engines import new_location

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "lamps"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("lamps", sa.Column("lamp_id", sa.String(), nullable=False))
    {then}


def downgrade() -> None:
    op.drop_table("lamps")
"""

_SHAPES = {
    "sqlite": ["SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%'"],
    "postgresql": [
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND indexname NOT LIKE 'alembic%'",
        "SELECT table_name, column_name || data_type || is_nullable || coalesce(column_default, '')"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name NOT LIKE 'alembic%'",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'",
    ],
}
"""What each engine itself says of its tables."""


@pytest.fixture
def empty(kind: str) -> Iterator[Database]:
    with new_location(kind) as location:
        database = Database(location)
        yield database
        database.close()


def shape(database: Database) -> dict[str, str]:
    """Return what the engine says of its tables, without the order of lines and spaces."""
    kind = "sqlite" if database.is_embedded else "postgresql"
    with database.reading() as connection:
        rows = [row for asked in _SHAPES[kind] for row in connection.execute(text(asked))]
    lines = ((str(name), str(said).split("\n")) for name, said in rows)
    return {
        f"{name}/{'' if len(said) > 1 else said}": " ".join(sorted(" ".join(said).split()))
        for name, said in lines
    }


def revision(database: Database) -> str | None:
    with database.reading() as connection:
        return revision_of(connection)


def differences(database: Database) -> list[Any]:
    with database.reading() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), TABLES)


def test_the_migrations_make_the_tables_that_the_code_expects(empty: Database, kind: str) -> None:
    require_schema(empty)
    assert differences(empty) == []
    with new_location(kind) as location:
        made = Database(location)
        with made.writing() as connection:
            TABLES.create_all(connection)
        assert shape(made) == shape(empty)
        made.close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX ix_audit_subject",
        "ALTER TABLE audit ADD COLUMN colour TEXT",
        "DROP INDEX uq_claim_units_live; CREATE UNIQUE INDEX uq_claim_units_live"
        " ON claim_units (unit_id)",
    ],
)
def test_tables_that_differ_are_found(empty: Database, change: str) -> None:
    require_schema(empty)
    before = shape(empty)
    with empty.writing() as connection:
        for statement in change.split(";"):
            connection.execute(text(statement))
    assert shape(empty) != before


def test_up_and_down_and_up_again_leaves_the_same(empty: Database) -> None:
    nothing = shape(empty)
    migrate(empty)
    tables = shape(empty)
    migrate(empty, "base")
    assert shape(empty) == nothing == {}
    assert revision(empty) is None
    migrate(empty)
    assert shape(empty) == tables
    with empty.reading() as connection:
        for counter in ("roster_state", "change_state"):
            assert connection.execute(text(f"SELECT count(*) FROM {counter}")).scalar_one() == 1


def test_tables_that_are_there_already_are_left_alone(empty: Database) -> None:
    require_schema(empty)
    with empty.writing() as connection:
        connection.execute(text("UPDATE roster_state SET version = 9"))
    require_schema(empty)
    with empty.reading() as connection:
        assert connection.execute(text("SELECT version FROM roster_state")).scalar_one() == 9


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes this version one that ships another migration; its end is put in by the test."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def ship(then: str = "") -> pytest.MonkeyPatch:
        (folder / "versions" / "m9999_next.py").write_text(NEXT.format(then=then))
        monkeypatch.setattr(schema, "FOLDER", folder)
        return monkeypatch

    return ship


def test_older_tables_are_refused_until_they_are_upgraded(empty: Database, later: Any) -> None:
    require_schema(empty)
    later()
    assert newest_revision() == "lamps"
    with pytest.raises(StartError, match="tandem store upgrade"):
        require_schema(empty)
    assert revision(empty) == "0003"
    migrate(empty)
    require_schema(empty)
    assert revision(empty) == "lamps"


def test_newer_tables_are_refused_and_left_alone(empty: Database, later: Any) -> None:
    later()
    require_schema(empty)
    before = shape(empty)
    later().undo()
    with pytest.raises(StartError, match="Install the version of Tandem that wrote it"):
        require_schema(empty)
    assert shape(empty) == before


def test_a_migration_that_fails_half_way_leaves_nothing(empty: Database, later: Any) -> None:
    require_schema(empty)
    before = shape(empty)
    later("raise KeyError('half way')")
    with pytest.raises(KeyError):
        migrate(empty)
    assert shape(empty) == before
    assert revision(empty) == "0003"
