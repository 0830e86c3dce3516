"""Closures of streets.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "closures",
        sa.Column("closure_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("closure_id", name=op.f("pk_closures")),
    )
    op.create_index("ix_closures_state", "closures", ["state", "ends_at"], unique=False)
    op.create_table(
        "closed_sets",
        sa.Column("set_id", sa.String(), nullable=False),
        sa.Column("first_used_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("set_id", name=op.f("pk_closed_sets")),
    )


def downgrade() -> None:
    """Take the tables away."""
    op.drop_table("closed_sets")
    op.drop_table("closures")
