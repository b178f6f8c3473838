"""Time limits of calls, and the number of agents at whom a call rings, are settings of a site."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

SECONDS = {"ring_seconds": 45, "queue_seconds": 300, "connect_seconds": 30, "resume_seconds": 30}
RING_LIMIT = 20


def upgrade() -> None:
    for name, seconds in SECONDS.items():
        column = sa.Column(name, sa.Integer(), nullable=False, server_default=str(seconds))
        op.add_column("recording_policies", column)
    op.add_column("recording_policies", sa.Column("ring_limit", sa.Integer()))
    policies = sa.table("recording_policies", sa.column("ring_limit", sa.Integer))
    op.execute(policies.update().values(ring_limit=RING_LIMIT))


def downgrade() -> None:
    with op.batch_alter_table("recording_policies") as policies:
        for column in (*SECONDS, "ring_limit"):
            policies.drop_column(column)
