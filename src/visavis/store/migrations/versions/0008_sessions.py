"""Sessions tell the browser, the network and the time of their last use."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name in ("device", "address"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("credentials", column)
    op.add_column("credentials", sa.Column("last_used_at", sa.String(32)))


def downgrade() -> None:
    with op.batch_alter_table("credentials") as credentials:
        for column in ("device", "address", "last_used_at"):
            credentials.drop_column(column)
