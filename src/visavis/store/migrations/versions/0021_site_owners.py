"""Owners of sites, with terms that fence off the processes that owned them before."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "site_owners",
        sa.Column("cluster", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), primary_key=True),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
    )
    op.add_column(
        "live_calls", sa.Column("term", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    with op.batch_alter_table("live_calls") as live_calls:
        live_calls.drop_column("term")
    op.drop_table("site_owners")
