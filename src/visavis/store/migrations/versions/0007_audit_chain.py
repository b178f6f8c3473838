"""Each entry of the audit log holds the hash of the one before it, in one chain per site."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

FORMAT = "visavis-audit-1"
NO_HASH = "0" * 64
BATCH = 1000


def upgrade() -> None:
    for column in (
        sa.Column("author", sa.Text(), nullable=False, server_default=""),
        sa.Column("object_name", sa.Text(), nullable=False, server_default=""),
        sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("previous_hash", sa.String(64), nullable=False, server_default=""),
        sa.Column("hash", sa.String(64), nullable=False, server_default=""),
    ):
        op.add_column("audit", column)
    op.create_table(
        "audit_chains",
        sa.Column(
            "site_id",
            sa.Integer(),
            sa.ForeignKey("sites.id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("removed_sequence", sa.Integer(), nullable=False),
        sa.Column("removed_hash", sa.String(64), nullable=False),
    )
    op.execute(
        "UPDATE audit SET author = (SELECT email FROM agents WHERE agents.id = audit.agent_id) "
        "WHERE agent_id IS NOT NULL"
    )
    connection = op.get_bind()
    for site_id in connection.execute(sa.text("SELECT id FROM sites")).scalars().all():
        _seal(connection, site_id)
    op.create_index("audit_by_sequence", "audit", ["site_id", "sequence"], unique=True)


def _seal(connection: sa.Connection, site_id: int) -> None:
    """Seal the entries of a site in the order of their time."""
    rows = connection.execute(
        sa.text(
            "SELECT id, agent_id, created_at, action_type, summary, changes, author FROM audit "
            "WHERE site_id = :site ORDER BY created_at, id"
        ),
        {"site": site_id},
    ).all()
    sequence, previous, batch = 0, NO_HASH, []
    for row in rows:
        changes = [
            [change["field_name"], change["old_value"], change["new_value"]]
            for change in json.loads(row.changes)
        ]
        named = {name: old or new for name, old, new in changes}
        object_name = f"recording {named['recording']}" if "recording" in named else ""
        by_system = "system" if object_name else "command line"
        author = row.author if row.agent_id is not None else by_system
        sequence += 1
        content = [
            *(FORMAT, previous, site_id, sequence, row.id, row.created_at, row.agent_id),
            *(author, row.action_type, object_name, row.summary, changes),
        ]
        encoded = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        digest = hashlib.sha256(encoded).hexdigest()
        batch.append(
            {
                "id": row.id,
                "author": author,
                "object_name": object_name,
                "sequence": sequence,
                "previous_hash": previous,
                "hash": digest,
            }
        )
        previous = digest
        if len(batch) == BATCH:
            _save(connection, batch)
            batch = []
    if batch:
        _save(connection, batch)
    connection.execute(
        sa.text("INSERT INTO audit_chains VALUES (:site, :sequence, :hash, 0, :none)"),
        {"site": site_id, "sequence": sequence, "hash": previous, "none": NO_HASH},
    )


def _save(connection: sa.Connection, batch: list[dict[str, object]]) -> None:
    connection.execute(
        sa.text(
            "UPDATE audit SET author = :author, object_name = :object_name, sequence = :sequence, "
            "previous_hash = :previous_hash, hash = :hash WHERE id = :id"
        ),
        batch,
    )


def downgrade() -> None:
    op.drop_index("audit_by_sequence", "audit")
    op.drop_table("audit_chains")
    with op.batch_alter_table("audit") as audit:
        for column in ("author", "object_name", "sequence", "previous_hash", "hash"):
            audit.drop_column(column)
