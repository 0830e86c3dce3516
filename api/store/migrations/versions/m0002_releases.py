"""Drafts of releases, and publications.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "drafts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("base_key", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("zones", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("editors", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_digest", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_drafts")),
    )
    op.create_index("uq_drafts_owner", "drafts", ["owner"], unique=True)
    op.create_table(
        "publications",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("release_key", sa.String(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("draft", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_publications")),
    )
    op.create_index("ix_publications_effective_at", "publications", ["effective_at"], unique=False)


def downgrade() -> None:
    """Take the tables away."""
    op.drop_table("publications")
    op.drop_table("drafts")
