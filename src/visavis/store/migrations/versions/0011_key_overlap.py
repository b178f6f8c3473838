"""API keys and client secrets stay valid for a time after they were replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("expires_at", sa.String(32)))
    op.add_column("clients", sa.Column("old_secret_digest", sa.LargeBinary(32)))
    op.add_column("clients", sa.Column("old_secret_expires_at", sa.String(32)))


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_column("expires_at")
    with op.batch_alter_table("clients") as clients:
        for column in ("old_secret_digest", "old_secret_expires_at"):
            clients.drop_column(column)
