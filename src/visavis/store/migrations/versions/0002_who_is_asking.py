"""Roles, OAuth clients, codes and token families, API keys, disabling, nodes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SITE = ("site_id", "sites.id")
AGENT = ("agent_id", "agents.id")


def _flag() -> sa.Column[bool]:
    return sa.Column(
        "is_disabled",
        sa.Boolean(create_constraint=False),
        nullable=False,
        server_default=sa.false(),
    )


def _reference(
    name: str, target: str, *, key: bool = False, nullable: bool = False
) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(target), primary_key=key, nullable=nullable)


def upgrade() -> None:
    op.add_column("sites", _flag())
    op.add_column("agents", _flag())
    op.create_table(
        "roles",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference(*SITE),
        sa.Column("name", sa.Text(), nullable=False),
        sa.UniqueConstraint("site_id", "name"),
    )
    op.create_table(
        "role_permissions",
        _reference("role_id", "roles.id", key=True),
        sa.Column("permission", sa.Text(), primary_key=True),
        _reference(*SITE),
    )
    op.create_table(
        "agent_roles",
        _reference(*AGENT, key=True),
        _reference("role_id", "roles.id", key=True),
        _reference(*SITE),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Text(), primary_key=True),
        _reference(*SITE),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(32)),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("grants", sa.JSON(), nullable=False),
        _reference(*AGENT, nullable=True),
        sa.Column("is_disabled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "authorization_codes",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        _reference(*SITE),
        _reference(*AGENT),
        sa.Column("client_id", sa.Text(), sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("family_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("used_at", sa.String(32)),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), primary_key=True),
        _reference(*SITE),
        _reference(*AGENT),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("created_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "nodes",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("archive_url", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
    )
    with op.batch_alter_table("credentials") as credentials:
        credentials.add_column(sa.Column("client_id", sa.Text()))
        credentials.create_foreign_key("credentials_client", "clients", ["client_id"], ["id"])
        credentials.add_column(sa.Column("family_id", sa.Text()))
        credentials.add_column(sa.Column("scope", sa.Text(), nullable=False, server_default=""))
        credentials.add_column(sa.Column("used_at", sa.String(32)))
    # what was issued before scopes existed was issued for everything
    op.execute(
        "UPDATE credentials SET scope = "
        "'accept_calls manage_settings view_audit_log view_recordings'"
    )
    op.create_index("credentials_by_family", "credentials", ["family_id"])
    op.create_index("credentials_by_agent", "credentials", ["site_id", "agent_id"])
    with op.batch_alter_table("audit") as audit:  # the command line is no agent
        audit.alter_column("agent_id", existing_type=sa.Integer(), nullable=True)
    op.add_column("calls", sa.Column("node_id", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("calls", "node_id")
    op.execute("DELETE FROM audit WHERE agent_id IS NULL")
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("agent_id", existing_type=sa.Integer(), nullable=False)
    op.drop_index("credentials_by_agent")
    op.drop_index("credentials_by_family")
    with op.batch_alter_table("credentials") as credentials:
        credentials.drop_constraint("credentials_client", type_="foreignkey")
        for column in ("client_id", "family_id", "scope", "used_at"):
            credentials.drop_column(column)
    for table in ("nodes", "api_keys", "authorization_codes", "clients"):
        op.drop_table(table)
    for table in ("agent_roles", "role_permissions", "roles"):
        op.drop_table(table)
    op.drop_column("agents", "is_disabled")
    op.drop_column("sites", "is_disabled")
