"""Recordings of which the file lacks media that were received."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("recordings", sa.Column("missing", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    with op.batch_alter_table("recordings") as recordings:
        recordings.drop_column("missing")
