"""Members, the app processes that share the database, and leases of the periodic jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("node_id", sa.Text(), primary_key=True),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("beaten_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("load", sa.JSON(), nullable=False),
    )
    op.create_table(
        "job_leases",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("taken_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.JSON()),
    )


def downgrade() -> None:
    op.drop_table("job_leases")
    op.drop_table("members")
