"""Nodes whose spools have the journals of a recording, and the names of their machines."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

IN_A_SPOOL = ("waiting", "muxing", "delivering", "failed")


def upgrade() -> None:
    op.add_column("nodes", sa.Column("machine", sa.Text(), nullable=False, server_default=""))
    op.add_column("recordings", sa.Column("nodes", sa.JSON()))
    recordings = sa.table(
        "recordings",
        sa.column("id", sa.Text()),
        sa.column("call_id", sa.Text()),
        sa.column("state", sa.Text()),
        sa.column("nodes", sa.JSON()),
    )
    calls = sa.table("calls", sa.column("id", sa.Text()), sa.column("node_id", sa.Text()))
    connection = op.get_bind()
    query = sa.select(recordings.c.id, calls.c.node_id)
    query = query.join(calls, calls.c.id == recordings.c.call_id)
    for row in connection.execute(query.where(recordings.c.state.in_(IN_A_SPOOL))).all():
        change = recordings.update().where(recordings.c.id == row.id)
        connection.execute(change.values(nodes=[row.node_id]))


def downgrade() -> None:
    with op.batch_alter_table("recordings") as table:
        table.drop_column("nodes")
    with op.batch_alter_table("nodes") as table:
        table.drop_column("machine")
