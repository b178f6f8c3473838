"""The resource `global/auditLogs`, and the lines of its export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from visavis.domain.audit import ActionType, AuditEntry, SealedEntry
from visavis.domain.people import Agent
from visavis.protocol.query import Place
from visavis.protocol.wire import JsonBody, Page, Time, encode, format_time

ActionName = Annotated[str, Meta(extra_json_schema={"enum": list(ActionType)})]


class Detail(JsonBody):
    """A changed field."""

    field_name: str
    new_value: str
    old_value: str


class AuditLog(JsonBody):
    """An action of an agent; agentId is null for the command line, the system and unknown callers.

    author is the agent's e-mail address at that time, or one of command line, system, anonymous.
    """

    id: str
    site_id: int
    agent_id: int | None
    agent_email: str
    create_time: Time
    action_type: ActionName
    action_summary: str
    action_details: list[Detail]
    agent_name: str
    author: str
    object_name: str


class AuditLogPage(Page):
    """A page of the log, newest first, with the URLs of the previous and the next page."""

    audit_logs: list[AuditLog]


class AuditLogLine(JsonBody):
    """A line of the export: all hashed values of an entry, and the hash.

    createTime has microseconds.
    """

    site_id: int
    sequence: int
    id: str
    create_time: str
    agent_id: int | None
    author: str
    action_type: ActionName
    object_name: str
    action_summary: str
    action_details: list[Detail]
    previous_hash: str
    hash: str


def log_of(entry: AuditEntry, agent: Agent | None) -> AuditLog:
    """Return the body for an entry; `agent` is its author in their present state."""
    return AuditLog(
        id=entry.id,
        site_id=entry.site_id,
        agent_id=entry.agent_id,
        agent_email=agent.email if agent else "",
        create_time=format_time(entry.created_at),
        action_type=entry.action_type,
        action_summary=entry.summary,
        action_details=_details(entry),
        agent_name=agent.name if agent else "",
        author=entry.author,
        object_name=entry.object_name,
    )


def page_of(logs: list[AuditLog], place: Place) -> AuditLogPage:
    """Return a page of the log; `place` is its position in the list."""
    return AuditLogPage(**place._asdict(), audit_logs=logs)


def lines(batch: Sequence[SealedEntry]) -> bytes:
    """Return entries as JSON lines."""
    return b"".join(encode(_line(sealed)) + b"\n" for sealed in batch)


def _line(sealed: SealedEntry) -> AuditLogLine:
    entry = sealed.entry
    return AuditLogLine(
        site_id=entry.site_id,
        sequence=sealed.sequence,
        id=entry.id,
        create_time=entry.created_at.isoformat(timespec="microseconds"),
        agent_id=entry.agent_id,
        author=entry.author,
        action_type=entry.action_type,
        object_name=entry.object_name,
        action_summary=entry.summary,
        action_details=_details(entry),
        previous_hash=sealed.previous_hash,
        hash=sealed.hash,
    )


def _details(entry: AuditEntry) -> list[Detail]:
    return [
        Detail(change.field_name, change.new_value, change.old_value) for change in entry.changes
    ]
