"""Calls in progress outlive the app process: their snapshots, and the sites that are staffed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "live_calls",
        sa.Column("call_id", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
    )
    op.create_index("live_calls_by_node", "live_calls", ["node_id"])
    op.create_table(
        "staffed_sites",
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), primary_key=True),
        sa.Column("node_id", sa.Text(), primary_key=True),
    )
    op.add_column("nodes", sa.Column("alive_at", sa.String(32)))


def downgrade() -> None:
    with op.batch_alter_table("nodes") as nodes:
        nodes.drop_column("alive_at")
    op.drop_table("staffed_sites")
    op.drop_table("live_calls")
