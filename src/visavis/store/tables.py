"""The tables. A change here needs a migration beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData()

# Only the migrations create indexes, so the partial ones have their condition for SQLite
# alone here: `postgresql_where` would make every process import the dialect of PostgreSQL.


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC as ISO 8601 text with microseconds, which sorts by time on any database."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return value.astimezone(UTC).isoformat(timespec="microseconds") if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if value else None


sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("is_disabled", Boolean(create_constraint=False), nullable=False),
)

agents = Table(
    "agents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("is_administrator", Boolean(create_constraint=False), nullable=False),
    Column("is_disabled", Boolean(create_constraint=False), nullable=False),
    Column("is_away", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("signed_in_at", UtcDateTime),  # for the first time
)

agent_permissions = Table(
    "agent_permissions",
    metadata,
    Column("agent_id", Integer, ForeignKey("agents.id"), primary_key=True),
    Column("permission", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
)

roles = Table(
    "roles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("site_id", "name"),
)

role_permissions = Table(
    "role_permissions",
    metadata,
    Column("role_id", Integer, ForeignKey("roles.id"), primary_key=True),
    Column("permission", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
)

agent_roles = Table(
    "agent_roles",
    metadata,
    Column("agent_id", Integer, ForeignKey("agents.id"), primary_key=True),
    Column("role_id", Integer, ForeignKey("roles.id"), primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("agent_id", Integer, ForeignKey("agents.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("client_id", Text, ForeignKey("clients.id")),
    Column("family_id", Text),
    Column("scope", Text, nullable=False),
    Column("used_at", UtcDateTime),
    Column("device", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False, server_default=""),
    Column("last_used_at", UtcDateTime),
    Index("credentials_by_family", "family_id"),
    Index("credentials_by_agent", "site_id", "agent_id"),
)

clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_digest", LargeBinary(32)),
    Column("redirect_uris", JSON, nullable=False),
    Column("grants", JSON, nullable=False),
    Column("agent_id", Integer, ForeignKey("agents.id")),
    Column("is_disabled", Boolean(create_constraint=False), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("old_secret_digest", LargeBinary(32)),
    Column("old_secret_expires_at", UtcDateTime),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("agent_id", Integer, ForeignKey("agents.id"), nullable=False),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False),
    Column("family_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("code_challenge", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("agent_id", Integer, ForeignKey("agents.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
)

av_configs = Table(
    "av_configs",
    metadata,
    Column("site_id", Integer, ForeignKey("sites.id"), primary_key=True),
    Column("is_enabled", Boolean(create_constraint=False), nullable=False),
    Column("is_recording", Boolean(create_constraint=False), nullable=False),
    Column("recording_server_url", Text),
    Column("version", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("agent_id", Integer, ForeignKey("agents.id")),
    Column("created_at", String(32), nullable=False),  # the very text that the hash seals
    Column("action_type", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("object_name", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_by_time", "site_id", "created_at"),
    Index("audit_by_sequence", "site_id", "sequence", unique=True),
)

audit_chains = Table(
    "audit_chains",
    metadata,
    Column("site_id", Integer, ForeignKey("sites.id"), primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("removed_sequence", Integer, nullable=False),
    Column("removed_hash", String(64), nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("archive_url", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("alive_at", UtcDateTime),
    Column("machine", Text, nullable=False, server_default=""),
    Column("recorder_url", Text, nullable=False, server_default=""),
    Column("recorder_certificate", Text, nullable=False, server_default=""),
    Column("is_drained", Boolean(create_constraint=False), nullable=False, server_default=false()),
)

members = Table(
    "members",
    metadata,
    Column("node_id", Text, primary_key=True),
    Column("boot", Text, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("beaten_at", Float, nullable=False),  # seconds since 1970, by the database's clock
    Column("started_at", UtcDateTime, nullable=False),
    Column("version", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("load", JSON, nullable=False),
    Column("counts", JSON, nullable=False, server_default="{}"),
)

job_leases = Table(
    "job_leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Float, nullable=False),  # the three times by the database's clock
    Column("taken_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("figures", JSON(none_as_null=True)),
)

site_owners = Table(
    "site_owners",
    metadata,
    Column("cluster", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), primary_key=True),
    Column("node_id", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("since", Float, nullable=False),  # by the database's clock
)

live_calls = Table(
    "live_calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("node_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("term", BigInteger, nullable=False, server_default="0"),
    Index("live_calls_by_node", "node_id"),
)

staffed_sites = Table(
    "staffed_sites",
    metadata,
    Column("site_id", Integer, ForeignKey("sites.id"), primary_key=True),
    Column("node_id", Text, primary_key=True),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("visitor_name", Text, nullable=False),
    Column("visitor_email", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("is_recorded", Boolean(create_constraint=False), nullable=False),
    Column("recording_id", Text),
    Column("state", Text, nullable=False),
    Column("agent_id", Integer, ForeignKey("agents.id")),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("accepted_at", UtcDateTime),
    Column("connected_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("talk_ended_at", UtcDateTime),
    Column("reason", Text),
    Column("ended_by", Text, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("consent", Text, nullable=False),
    Column("is_unrecorded", Boolean(create_constraint=False), nullable=False),
    Column("message", Text, nullable=False),
    Column("quality", JSON),
    Index("calls_by_time", "site_id", "requested_at"),
)

call_events = Table(
    "call_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("call_id", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("name", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index("call_events_by_call", "site_id", "call_id"),
)

changes = Table(
    "changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("site_id", Integer, nullable=False),
    Column("agent_id", Integer),
    Column("at", String(32), nullable=False),  # in UTC by ISO 8601; only compared
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site_id", Integer, ForeignKey("sites.id"), nullable=False),
    Column("call_id", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("sha256", Text),
    Column("size", BigInteger),
    Column("delivered_at", UtcDateTime),
    Column("duration", Float),
    Column("state", Text, nullable=False),
    Column("uploaded", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", UtcDateTime),
    Column("next_try_at", UtcDateTime),
    Column("last_error", Text),
    Column("server_url", Text),
    Column("retry_asked_at", UtcDateTime),
    Column("missing", JSON(none_as_null=True)),
    Column("nodes", JSON(none_as_null=True)),  # whose spools have its journals; the first its home
    Column("collected", JSON(none_as_null=True)),  # by node, the journals that the home has of it
    Column("abandoned", JSON(none_as_null=True)),  # machines whose journals are not waited for
    Column("handover_digest", LargeBinary),  # of the token with which the home collects
    Column("handover_until", Float),  # by the database's clock
    Index("recordings_by_time", "site_id", "started_at"),
    Index("recordings_by_state", "site_id", "state"),
)

library_entries = Table(
    "library_entries",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("archive", Text, nullable=False),
    Column("site_id", BigInteger, nullable=False),  # an archive has recordings of unknown sites
    Column("id", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("visitor_name", Text, nullable=False),
    Column("visitor_email", Text, nullable=False),
    Column("agent_names", JSON, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("duration", Float, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("is_held", Boolean(create_constraint=False), nullable=False),
    Column("visitor_text", Text, nullable=False),
    Column("agent_text", Text, nullable=False),
    Column("visitor_sort", Text, nullable=False),
    Column("stamp", BigInteger, nullable=False),
    Index("library_entries_by_id", "archive", "site_id", "id", unique=True),
    Index("library_entries_by_time", "archive", "site_id", "started_at", "id"),
    Index("library_entries_by_duration", "archive", "site_id", "duration", "id"),
    Index("library_entries_by_size", "archive", "site_id", "size", "id"),
    Index("library_entries_by_visitor", "archive", "site_id", "visitor_sort", "id"),
    Index("library_entries_by_agent", "archive", "site_id", "agent_text", "id"),
    Index("library_entries_by_media", "archive", "site_id", "media", "started_at"),
    Index(
        "library_entries_held",
        *("archive", "site_id", "started_at", "id"),
        sqlite_where=text("is_held = 1"),
    ),
)

# an agent's recordings in the order of the list: one row for each agent of a recording
library_agents = Table(
    "library_agents",
    metadata,
    Column("archive", Text, primary_key=True),
    Column("site_id", BigInteger, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("started_at", Text, primary_key=True),
    Column(
        "number",
        Integer,
        ForeignKey("library_entries.number", ondelete="CASCADE"),
        primary_key=True,
    ),
    Index("library_agents_by_number", "number"),
    sqlite_with_rowid=False,
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("archive", Text, nullable=False),
    Column("site_id", BigInteger),
    Column("key", Text, nullable=False),
    Column("length", BigInteger),
    Column("metadata", JSON, nullable=False),
    Column("part_size", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("next_part", Integer, nullable=False),
    Column("multipart_id", Text),
    Column("state", Text, nullable=False),
    Column("sha256", Text),
    Column("holder", Text),
    Column("held_until", Float, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Index("uploads_by_change", "archive", "state", "changed_at"),
)

upload_parts = Table(
    "upload_parts",
    metadata,
    Column("upload_id", Text, ForeignKey("uploads.id"), primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("number", Integer),
    Column("etag", Text),
    Column("object_key", Text),
)

upload_keys = Table(
    "upload_keys",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("site_id", BigInteger),  # no foreign key: the database may lack the site
    Column("node", Text, nullable=False),
    Column("expires_at", Float),
)

recording_objects = Table(
    "recording_objects",
    metadata,
    Column("archive", Text, primary_key=True),
    Column("object_key", Text, primary_key=True),
    Column("site_id", BigInteger, nullable=False),
    Column("recording_id", Text, nullable=False),
    Column("media_info", Text, nullable=False),
    Column("is_deleting", Boolean(create_constraint=False), nullable=False),
    Index(
        "recording_objects_by_recording",
        *("archive", "site_id", "recording_id"),
        unique=True,
        sqlite_where=text("is_deleting = 0"),
    ),
    Index(
        "recording_objects_to_delete",
        *("archive", "site_id", "recording_id"),
        sqlite_where=text("is_deleting = 1"),
    ),
)

recording_policies = Table(
    "recording_policies",
    metadata,
    Column("site_id", Integer, ForeignKey("sites.id"), primary_key=True),
    Column("consent", Text, nullable=False),
    Column("unrecordable", Text, nullable=False),
    Column("retention_days", Integer),
    Column("secret", Text),
    Column("secret_origin", Text),
    Column("version", Integer, nullable=False),
    Column("ring_seconds", Integer, nullable=False),
    Column("queue_seconds", Integer, nullable=False),
    Column("connect_seconds", Integer, nullable=False),
    Column("resume_seconds", Integer, nullable=False),
    Column("ring_limit", Integer),
)
