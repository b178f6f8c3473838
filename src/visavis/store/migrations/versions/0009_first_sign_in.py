"""The first time that each agent has signed in with the password."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("agents", sa.Column("signed_in_at", sa.String(32)))
    agents = sa.table("agents", sa.column("id"), sa.column("signed_in_at"))
    credentials = sa.table(
        "credentials", sa.column("agent_id"), sa.column("kind"), sa.column("created_at")
    )
    first_session = (
        sa.select(sa.func.min(credentials.c.created_at))
        .where(credentials.c.agent_id == agents.c.id, credentials.c.kind == "session")
        .scalar_subquery()
    )
    op.execute(agents.update().values(signed_in_at=first_session))


def downgrade() -> None:
    with op.batch_alter_table("agents") as agents:
        agents.drop_column("signed_in_at")
