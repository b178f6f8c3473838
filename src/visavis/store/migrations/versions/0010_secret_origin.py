"""A recording server's secret belongs to the scheme, host and port that it was stored for."""

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

PORTS = {"http": 80, "https": 443}


def upgrade() -> None:
    op.add_column("recording_policies", sa.Column("secret_origin", sa.Text()))
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT p.site_id, c.recording_server_url FROM recording_policies p "
            "JOIN av_configs c ON c.site_id = p.site_id WHERE p.secret IS NOT NULL"
        )
    ).all()
    for site_id, url in found:
        parts = urlsplit(url or "")
        port = parts.port or PORTS.get(parts.scheme)
        origin = f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""
        connection.execute(
            sa.text("UPDATE recording_policies SET secret_origin = :origin WHERE site_id = :site"),
            {"origin": origin, "site": site_id},
        )


def downgrade() -> None:
    with op.batch_alter_table("recording_policies") as policies:
        policies.drop_column("secret_origin")
