"""Calls and their events, delivery status of recordings, recording policy of each site."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _call_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("origin", sa.Text(), nullable=False, server_default="widget"),
        sa.Column("consent", sa.Text(), nullable=False, server_default="none"),
        sa.Column(
            "is_unrecorded",
            sa.Boolean(create_constraint=False),
            nullable=False,
            server_default=sa.false(),
        ),
        sa.Column("message", sa.Text(), nullable=False, server_default=""),
        sa.Column("quality", sa.JSON()),
    )


def _recording_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("duration", sa.Float()),
        sa.Column("state", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("uploaded", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("tried_at", sa.String(32)),
        sa.Column("next_try_at", sa.String(32)),
        sa.Column("last_error", sa.Text()),
        sa.Column("server_url", sa.Text()),
        sa.Column("retry_asked_at", sa.String(32)),
    )


def upgrade() -> None:
    for column in _call_columns():
        op.add_column("calls", column)
    for column in _recording_columns():
        op.add_column("recordings", column)
    # a recording of an hour in good quality is larger than an INTEGER of PostgreSQL holds
    with op.batch_alter_table("recordings") as recordings:
        recordings.alter_column("size", existing_type=sa.Integer(), type_=sa.BigInteger())
    op.create_index("recordings_by_state", "recordings", ["site_id", "state"])
    op.execute("UPDATE recordings SET state = 'delivered' WHERE delivered_at IS NOT NULL")
    op.create_table(
        "call_events",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
    )
    op.create_index("call_events_by_call", "call_events", ["site_id", "call_id"])
    op.create_table(
        "recording_policies",
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), primary_key=True),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("unrecordable", sa.Text(), nullable=False),
        sa.Column("retention_days", sa.Integer()),
        sa.Column("secret", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("recording_policies")
    op.drop_index("call_events_by_call")
    op.drop_table("call_events")
    op.drop_index("recordings_by_state")
    with op.batch_alter_table("recordings") as recordings:
        recordings.alter_column("size", existing_type=sa.BigInteger(), type_=sa.Integer())
        for column in _recording_columns():
            recordings.drop_column(column.name)
    with op.batch_alter_table("calls") as calls:
        for column in _call_columns():
            calls.drop_column(column.name)
