"""The library of the archive is a table, with indexes of trigrams for names."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

TRIGRAMS = (
    "CREATE VIRTUAL TABLE library_text USING fts5(visitor_text, agent_text, tokenize='trigram')",
    "CREATE TRIGGER library_text_insert AFTER INSERT ON library_entries BEGIN "
    "INSERT INTO library_text (rowid, visitor_text, agent_text) "
    "VALUES (new.number, new.visitor_text, new.agent_text); END",
    "CREATE TRIGGER library_text_delete AFTER DELETE ON library_entries BEGIN "
    "DELETE FROM library_text WHERE rowid = old.number; END",
    "CREATE TRIGGER library_text_update AFTER UPDATE OF visitor_text, agent_text "
    "ON library_entries BEGIN UPDATE library_text SET visitor_text = new.visitor_text, "
    "agent_text = new.agent_text WHERE rowid = new.number; END",
)
IS_AVAILABLE = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
MAY_CREATE = "SELECT has_database_privilege(current_database(), 'CREATE')"


def upgrade() -> None:
    op.create_table(
        "library_entries",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("visitor_name", sa.Text(), nullable=False),
        sa.Column("visitor_email", sa.Text(), nullable=False),
        sa.Column("agent_names", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("duration", sa.Float(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("is_held", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("visitor_text", sa.Text(), nullable=False),
        sa.Column("agent_text", sa.Text(), nullable=False),
        sa.Column("visitor_sort", sa.Text(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "library_entries_by_id", "library_entries", ["archive", "site_id", "id"], unique=True
    )
    for name, column in (
        ("time", "started_at"),
        ("duration", "duration"),
        ("size", "size"),
        ("visitor", "visitor_sort"),
        ("agent", "agent_text"),
    ):
        columns = ["archive", "site_id", column, "id"]
        op.create_index(f"library_entries_by_{name}", "library_entries", columns)
    op.create_index(
        "library_entries_by_media", "library_entries", ["archive", "site_id", "media", "started_at"]
    )
    op.create_index(
        "library_entries_held",
        "library_entries",
        ["archive", "site_id", "started_at", "id"],
        postgresql_where=sa.text("is_held"),
        sqlite_where=sa.text("is_held = 1"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in TRIGRAMS:
            op.execute(statement)
    else:
        _index_trigrams()


def _index_trigrams() -> None:
    """Index the names, where the server has the extension that comes with PostgreSQL.

    Without it a search for a rare name reads every recording of the site.
    """
    connection = op.get_bind()
    if not all(connection.execute(sa.text(one)).scalar() for one in (IS_AVAILABLE, MAY_CREATE)):
        return
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for column in ("visitor_text", "agent_text"):
        op.execute(
            f"CREATE INDEX library_entries_{column} ON library_entries "
            f"USING gin ({column} gin_trgm_ops)"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("library_text")
    op.drop_table("library_entries")
