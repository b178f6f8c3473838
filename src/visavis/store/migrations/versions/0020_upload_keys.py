"""Upload keys, valid at all nodes that share the database."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "upload_keys",
        sa.Column("sha256", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger()),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Float()),
    )


def downgrade() -> None:
    op.drop_table("upload_keys")
