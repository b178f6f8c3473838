"""Entries of the audit log: the time, the agent and the change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FieldChange:
    field_name: str
    old_value: str
    new_value: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of one agent, or of the command line, which has no `agent_id`.

    `id` is unique over all sites.
    """

    id: str
    site_id: int
    agent_id: int | None
    created_at: datetime
    action_type: str
    summary: str
    changes: tuple[FieldChange, ...]
