"""The tables of drafts and publications; a release itself is kept in `tables.releases`."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from api.store.tables import TABLES

drafts: Final = Table(
    "drafts",
    TABLES,
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("base_key", String, nullable=False),
    Column("version", BigInteger, nullable=False),  # from 1, one more with each change
    Column("text", Text, nullable=False),  # the release file, without zones
    Column("zones", Text, nullable=False),  # GeoJSON
    Column("note", Text, nullable=False),
    Column("editors", Text, nullable=False),  # JSON list of who changed it
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("approved_by", String),
    Column("approved_digest", String),
    Index("uq_drafts_owner", "owner", unique=True),  # one draft for each editor
)

publications: Final = Table(
    "publications",
    TABLES,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1, without a gap
    Column("release_key", String, nullable=False),
    Column("effective_at", BigInteger, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", String, nullable=False),
    Column("approved_by", String),
    Column("draft", String),
    Column("kind", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("withdrawn_at", BigInteger),
    Index("ix_publications_effective_at", "effective_at"),
)
