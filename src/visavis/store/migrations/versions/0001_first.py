"""Sites, agents, credentials, configurations, audit, calls, recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("is_administrator", sa.Boolean(create_constraint=False), nullable=False),
    )
    op.create_table(
        "agent_permissions",
        sa.Column("agent_id", sa.Integer(), sa.ForeignKey("agents.id"), primary_key=True),
        sa.Column("permission", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
    )
    op.create_table(
        "credentials",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("agent_id", sa.Integer(), sa.ForeignKey("agents.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "av_configs",
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), primary_key=True),
        sa.Column("is_enabled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("is_recording", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("recording_server_url", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("agent_id", sa.Integer(), sa.ForeignKey("agents.id"), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("action_type", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("visitor_name", sa.Text(), nullable=False),
        sa.Column("visitor_email", sa.Text(), nullable=False),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("is_recorded", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("recording_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Integer(), sa.ForeignKey("agents.id")),
        sa.Column("requested_at", sa.String(32), nullable=False),
        sa.Column("accepted_at", sa.String(32)),
        sa.Column("connected_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("reason", sa.Text()),
        sa.Column("ended_by", sa.Text(), nullable=False),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.Integer(), sa.ForeignKey("sites.id"), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("size", sa.Integer()),
        sa.Column("delivered_at", sa.String(32)),
    )
    op.create_index("audit_by_time", "audit", ["site_id", "created_at"])
    op.create_index("calls_by_time", "calls", ["site_id", "requested_at"])
    op.create_index("recordings_by_time", "recordings", ["site_id", "started_at"])


def downgrade() -> None:
    op.drop_table("recordings")
    op.drop_table("calls")
    op.drop_table("audit")
    op.drop_table("av_configs")
    op.drop_table("credentials")
    op.drop_table("agent_permissions")
    op.drop_table("agents")
    op.drop_table("sites")
