"""Table of the agents of recordings, in the order of the library's list.

SQLite's index of trigrams no longer contains the agents, nor a copy of the texts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"

SPLIT_POSTGRESQL = """
INSERT INTO library_agents (archive, site_id, agent, started_at, number)
SELECT DISTINCT archive, site_id, agent, started_at, number
FROM library_entries, unnest(string_to_array(agent_text, chr(10))) agent WHERE agent <> ''
"""
SPLIT_SQLITE = """
WITH RECURSIVE split (number, agent, rest) AS (
  SELECT number, '', agent_text || char(10) FROM library_entries
  UNION ALL
  SELECT number, substr(rest, 1, instr(rest, char(10)) - 1), substr(rest, instr(rest, char(10)) + 1)
  FROM split WHERE rest <> ''
)
INSERT INTO library_agents (archive, site_id, agent, started_at, number)
SELECT DISTINCT archive, site_id, agent, started_at, number
FROM split JOIN library_entries USING (number) WHERE agent <> ''
"""
FORGET = (
    "DROP TRIGGER library_text_insert",
    "DROP TRIGGER library_text_delete",
    "DROP TRIGGER library_text_update",
    "DROP TABLE library_text",
)
REMOVE = (
    "INSERT INTO library_text (library_text, rowid, visitor_text) "
    "VALUES ('delete', old.number, old.visitor_text)"
)
ADD = "INSERT INTO library_text (rowid, visitor_text) VALUES (new.number, new.visitor_text)"
VISITORS = (
    "CREATE VIRTUAL TABLE library_text USING fts5(visitor_text, tokenize='trigram', "
    "content='library_entries', content_rowid='number')",
    "INSERT INTO library_text (library_text) VALUES ('rebuild')",
    f"CREATE TRIGGER library_text_insert AFTER INSERT ON library_entries BEGIN {ADD}; END",
    f"CREATE TRIGGER library_text_delete AFTER DELETE ON library_entries BEGIN {REMOVE}; END",
    "CREATE TRIGGER library_text_update AFTER UPDATE OF visitor_text ON library_entries "
    f"BEGIN {REMOVE}; {ADD}; END",
)
NAMES = (
    "CREATE VIRTUAL TABLE library_text USING fts5(visitor_text, agent_text, tokenize='trigram')",
    "INSERT INTO library_text (rowid, visitor_text, agent_text) "
    "SELECT number, visitor_text, agent_text FROM library_entries",
    "CREATE TRIGGER library_text_insert AFTER INSERT ON library_entries BEGIN "
    "INSERT INTO library_text (rowid, visitor_text, agent_text) "
    "VALUES (new.number, new.visitor_text, new.agent_text); END",
    "CREATE TRIGGER library_text_delete AFTER DELETE ON library_entries BEGIN "
    "DELETE FROM library_text WHERE rowid = old.number; END",
    "CREATE TRIGGER library_text_update AFTER UPDATE OF visitor_text, agent_text "
    "ON library_entries BEGIN UPDATE library_text SET visitor_text = new.visitor_text, "
    "agent_text = new.agent_text WHERE rowid = new.number; END",
)


def upgrade() -> None:
    op.create_table(
        "library_agents",
        sa.Column("archive", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.BigInteger(), primary_key=True),
        sa.Column("agent", sa.Text(), primary_key=True),
        sa.Column("started_at", sa.Text(), primary_key=True),
        sa.Column(
            "number",
            sa.Integer(),
            sa.ForeignKey("library_entries.number", ondelete="CASCADE"),
            primary_key=True,
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("library_agents_by_number", "library_agents", ["number"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SPLIT_SQLITE)
        for statement in (*FORGET, *VISITORS):
            op.execute(statement)
    else:
        op.execute(SPLIT_POSTGRESQL)
        op.execute("DROP INDEX IF EXISTS library_entries_agent_text")


def downgrade() -> None:
    op.drop_table("library_agents")
    if op.get_bind().dialect.name == "sqlite":
        for statement in (*FORGET, *NAMES):
            op.execute(statement)
