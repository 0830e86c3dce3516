"""What a store holds, in figures."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select, text

from api.store.database import Database
from api.store.tables import TABLES

_SIZE: Final = text("SELECT pg_database_size(current_database())")


def count_rows(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, in the order of their names."""
    return {
        name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for name, table in sorted(TABLES.tables.items())
    }


def size_bytes(database: Database) -> int:
    """Return how much room a store takes on its disk, its write-ahead log included."""
    if database.is_embedded:
        file = Path(database.url.database or "")
        parts = (file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm")))
        return sum(part.stat().st_size for part in parts if part.is_file())
    with database.reading() as connection:
        return int(connection.execute(_SIZE).scalar_one())
