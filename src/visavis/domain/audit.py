"""Entries of the audit log, the hash chain that seals them, and the search for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from visavis.domain.people import OPERATOR_ID, Agent

FORMAT: Final = "visavis-audit-1"
"""Name of the canonical encoding; every change of the encoding gets a new name."""

NO_HASH: Final = "0" * 64
"""Previous hash of the first entry of a chain."""

COMMAND_LINE: Final = "command line"
SYSTEM: Final = "system"
ANONYMOUS: Final = "anonymous"
"""Authors of entries that no agent caused."""


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
    RECORDING_DELIVERED_WITHOUT = "recordingDeliveredWithout"
    SIGNED_IN = "signedIn"
    SIGN_IN_FAILED = "signInFailed"
    CLIENT_REFUSED = "clientRefused"
    TOKEN_REFUSED = "tokenRefused"  # noqa: S105  an action's name
    UPLOAD_KEY_REFUSED = "uploadKeyRefused"
    SIGNED_OUT = "signedOut"
    SIGNED_OUT_EVERYWHERE = "signedOutEverywhere"
    SESSION_ENDED = "sessionEnded"
    PASSWORD_CHANGED = "passwordChanged"  # noqa: S105  an action's name
    PASSWORD_RESET = "passwordReset"  # noqa: S105  an action's name
    AGENT_CREATED = "agentCreated"
    AGENT_DISABLED = "agentDisabled"
    AGENT_ENABLED = "agentEnabled"
    AGENT_PERMISSIONS_CHANGED = "agentPermissionsChanged"
    ROLE_CREATED = "roleCreated"
    ROLE_PERMISSIONS_CHANGED = "rolePermissionsChanged"
    ROLE_ASSIGNED = "roleAssigned"
    ROLE_UNASSIGNED = "roleUnassigned"
    API_KEY_CREATED = "apiKeyCreated"
    API_KEY_ROTATED = "apiKeyRotated"
    API_KEY_DELETED = "apiKeyDeleted"
    CLIENT_CREATED = "clientCreated"
    CLIENT_GRANTS_CHANGED = "clientGrantsChanged"
    CLIENT_SECRET_ROTATED = "clientSecretRotated"  # noqa: S105  an action's name
    CLIENT_DISABLED = "clientDisabled"
    CLIENT_ENABLED = "clientEnabled"
    TOKEN_ISSUED = "tokenIssued"  # noqa: S105  an action's name
    TOKEN_ROTATED = "tokenRotated"  # noqa: S105  an action's name
    TOKEN_REVOKED = "tokenRevoked"  # noqa: S105  an action's name
    TOKEN_REUSED = "tokenReused"  # noqa: S105  an action's name
    SITE_CREATED = "siteCreated"
    SITE_DISABLED = "siteDisabled"
    SITE_ENABLED = "siteEnabled"
    UPLOAD_KEY_CREATED = "uploadKeyCreated"
    UPLOAD_KEY_ROTATED = "uploadKeyRotated"
    UPLOAD_KEY_DELETED = "uploadKeyDeleted"
    NODE_DRAINED = "nodeDrained"
    NODE_UNDRAINED = "nodeUndrained"
    LOG_EXPORTED = "auditLogExported"
    LOG_TRIMMED = "auditLogTrimmed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    field_name: str
    old_value: str
    new_value: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action of an agent, or of an author without an `agent_id`, such as the command line.

    `id` is unique across all sites. `author` is the agent's e-mail address at that time, or one of
    the authors above that are not agents. `object_name` is the name of the object that was changed.
    """

    id: str
    site_id: int
    agent_id: int | None
    created_at: datetime
    action_type: str
    summary: str
    changes: tuple[FieldChange, ...]
    author: str = ""
    object_name: str = ""


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry at its position in its site's hash chain. Hashes are lower-case hexadecimal."""

    entry: AuditEntry
    sequence: int
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditChain:
    """The last entry of a site's chain, and the beginning of the part that is still stored.

    Entries up to `removed_sequence` were removed because of their age; `removed_hash` is the hash
    of the last of these.
    """

    sequence: int = 0
    hash: str = NO_HASH
    removed_sequence: int = 0
    removed_hash: str = NO_HASH


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """Filters of the audit log; `until` is exclusive.

    `author` and `object_name` match any part of the entry's text.
    """

    agent_id: int | None = None
    author: str = ""
    actions: tuple[str, ...] = ()
    object_name: str = ""
    since: datetime | None = None
    until: datetime | None = None


EVERY_ENTRY: Final = AuditSearch()


def author_of(agent: Agent | None) -> str:
    """Return the author of an entry; `None` stands for the system itself."""
    if agent is None:
        return SYSTEM
    return COMMAND_LINE if agent.id == OPERATOR_ID else agent.email


def new_entry(
    entry_id: str,
    now: datetime,
    author: Agent | None,
    site_id: int,
    action: ActionType,
    object_name: str,
    summary: str,
    *changes: FieldChange,
) -> AuditEntry:
    """Return the entry of an action of an agent, the command line (`operator`) or the system."""
    return AuditEntry(
        entry_id,
        site_id,
        author.id or None if author else None,
        now,
        action.value,
        summary,
        changes,
        author_of(author),
        object_name,
    )


def time_text(moment: datetime) -> str:
    """Return a time as it is stored and sealed: in UTC by ISO 8601, which sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def hash_of(entry: AuditEntry, sequence: int, previous_hash: str) -> str:
    """Return the SHA-256 of the canonical encoding of an entry at its position in the chain.

    The encoding is a JSON array in UTF-8 without insignificant space (RFC 8785).
    """
    encoded = msgspec.json.encode(
        [
            FORMAT,
            previous_hash,
            entry.site_id,
            sequence,
            entry.id,
            time_text(entry.created_at),
            entry.agent_id,
            entry.author,
            entry.action_type,
            entry.object_name,
            entry.summary,
            [[c.field_name, c.old_value, c.new_value] for c in entry.changes],
        ]
    )
    return hashlib.sha256(encoded).hexdigest()


def why_broken(sealed: SealedEntry, sequence: int, previous_hash: str) -> str:
    """Return why an entry does not continue the chain; empty if it does.

    `sequence` and `previous_hash` are those of the entry before it.
    """
    if sealed.sequence != sequence + 1:
        return f"the entries from {sequence + 1} to {sealed.sequence - 1} are missing"
    if sealed.previous_hash != previous_hash:
        return "it does not hold the hash of the entry before it"
    if sealed.hash != hash_of(sealed.entry, sealed.sequence, sealed.previous_hash):
        return "its content has been changed"
    return ""
