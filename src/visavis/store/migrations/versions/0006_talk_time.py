"""The end of a call's talk, which waiting for a lost party is not part of."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("calls", sa.Column("talk_ended_at", sa.String(32)))
    calls = sa.table(
        "calls",
        sa.column("connected_at", sa.String),
        sa.column("ended_at", sa.String),
        sa.column("talk_ended_at", sa.String),
    )
    was_connected = calls.c.connected_at.is_not(None)
    op.execute(calls.update().where(was_connected).values(talk_ended_at=calls.c.ended_at))


def downgrade() -> None:
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("talk_ended_at")
