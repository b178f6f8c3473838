"""Nodes that take no new calls until an operator says so."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column(
        "nodes", sa.Column("is_drained", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("nodes") as table:
        table.drop_column("is_drained")
