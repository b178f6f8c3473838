"""Recorders that hand journals over to each other, and how far that is for each recording."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

NODES = ("recorder_url", "recorder_certificate")
RECORDINGS = ("collected", "abandoned", "handover_digest", "handover_until")


def upgrade() -> None:
    for name in NODES:
        op.add_column("nodes", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("recordings", sa.Column("collected", sa.JSON()))
    op.add_column("recordings", sa.Column("abandoned", sa.JSON()))
    op.add_column("recordings", sa.Column("handover_digest", sa.LargeBinary()))
    op.add_column("recordings", sa.Column("handover_until", sa.Float()))


def downgrade() -> None:
    with op.batch_alter_table("recordings") as table:
        for name in RECORDINGS:
            table.drop_column(name)
    with op.batch_alter_table("nodes") as table:
        for name in NODES:
            table.drop_column(name)
