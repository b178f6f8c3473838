"""The canonical encoding of audit entries, and where a chain breaks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from visavis.domain.audit import (
    COMMAND_LINE,
    NO_HASH,
    SYSTEM,
    AuditEntry,
    FieldChange,
    SealedEntry,
    author_of,
    hash_of,
    why_broken,
)
from visavis.domain.people import Agent, operator

AT = datetime(2026, 1, 31, 9, 0, 0, 120, tzinfo=UTC)
ENTRY = AuditEntry(
    "id1",
    3,
    7,
    AT,
    "agentCreated",
    'Added "Zoë" \u2028\x1f\n',
    (FieldChange("permissions", "", "View Recordings"),),
    "a@example.com",
    "agent zoë@example.com",
)
SEALED = SealedEntry(ENTRY, 1, NO_HASH, hash_of(ENTRY, 1, NO_HASH))


def test_the_encoding_is_the_documented_one() -> None:
    content = [
        *("visavis-audit-1", NO_HASH, 3, 1, "id1", "2026-01-31T09:00:00.000120+00:00", 7),
        *("a@example.com", "agentCreated", "agent zoë@example.com"),
        'Added "Zoë" \u2028\x1f\n',
        [["permissions", "", "View Recordings"]],
    ]
    encoded = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    assert hash_of(ENTRY, 1, NO_HASH) == hashlib.sha256(encoded).hexdigest()
    elsewhere = replace(ENTRY, created_at=AT.astimezone(timezone(timedelta(hours=2))))
    assert hash_of(elsewhere, 1, NO_HASH) == SEALED.hash


@pytest.mark.parametrize(
    "change",
    [
        {"id": "id2"},
        {"site_id": 4},
        {"agent_id": None},
        {"created_at": AT + timedelta(microseconds=1)},
        {"action_type": "agentDisabled"},
        {"summary": "Added"},
        {"changes": ()},
        {"author": "b@example.com"},
        {"object_name": "agent b"},
    ],
)
def test_every_field_is_sealed(change: dict[str, object]) -> None:
    changed = replace(SEALED, entry=replace(ENTRY, **change))  # type: ignore[arg-type]
    assert "content has been changed" in why_broken(changed, 0, NO_HASH)


def test_places_are_sealed() -> None:
    assert why_broken(SEALED, 0, NO_HASH) == ""
    assert "does not hold the hash" in why_broken(SEALED, 0, "1" * 64)
    later = replace(SEALED, sequence=4)
    assert why_broken(later, 1, NO_HASH) == "the entries from 2 to 3 are missing"
    assert "content" in why_broken(replace(SEALED, hash="1" * 64), 0, NO_HASH)


def test_authors_that_are_not_agents() -> None:
    assert author_of(None) == SYSTEM
    assert author_of(operator(1)) == COMMAND_LINE
    agent = Agent(1, 1, "a@example.com", "A", is_administrator=True)
    assert author_of(agent) == "a@example.com"
