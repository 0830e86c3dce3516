"""The tables of closures: as persons write them, and as decisions have seen them."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from api.store.tables import TABLES

closures: Final = Table(
    "closures",
    TABLES,
    Column("closure_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("ends_at", BigInteger),  # null until somebody ends it
    Column("changed_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # KeptClosure as JSON
    Index("ix_closures_state", "state", "ends_at"),
)

closed_sets: Final = Table(
    "closed_sets",
    TABLES,
    Column("set_id", String, primary_key=True),
    Column("first_used_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # KeptClosedSet
)
