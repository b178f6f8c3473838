"""Entries of the audit log: the time, the agent and the change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ActionType(StrEnum):
    """Kinds of audited actions; the first is the hosted product's, the others are ours."""

    CONFIGURATION = "audioAndVideoChatManagement"
    RECORDING_POLICY = "recordingPolicyManagement"
    RECORDING_PLAYED = "recordingPlayed"
    RECORDING_DOWNLOADED = "recordingDownloaded"
    RECORDING_COMPOSED = "recordingComposed"
    RECORDING_HELD = "recordingHeld"
    RECORDING_RELEASED = "recordingReleased"
    RECORDING_DELETED = "recordingDeleted"


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
