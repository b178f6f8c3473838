"""Actions on recordings in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.archive.conftest import AGENTS
from tests.archive.test_search import entry
from visavis.archive import access_audit as module
from visavis.archive.access_audit import AccessAudit, RecordingAction
from visavis.domain.audit import FieldChange
from visavis.domain.people import operator

pytestmark = pytest.mark.anyio

ENTRY = entry(1)


class AuditHarness:
    def __init__(self) -> None:
        self.heard: list[tuple[int | None, str, str, tuple[FieldChange, ...]]] = []
        self.now = 0.0
        self.access_audit = AccessAudit(self.hear, lambda: self.now)

    async def hear(
        self,
        _: int,
        agent_id: int | None,
        action: str,
        summary: str,
        changes: tuple[FieldChange, ...],
        is_new: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        assert is_new(None)
        self.heard.append((agent_id, action, summary, changes))


async def test_who_did_what_in_words() -> None:
    harness = AuditHarness()
    await harness.access_audit.record(RecordingAction.PLAYED, AGENTS["viewer"], ENTRY)
    await harness.access_audit.record_retention(ENTRY, 30, lambda _: True)
    await harness.access_audit.record(RecordingAction.HELD, operator(1), entry(1, visitor_name=""))
    played, deleted, held = harness.heard
    assert played[:3] == (
        7,
        "recordingPlayed",
        "Played the recording of 2026-01-01T12:00:00 with Visitor 1",
    )
    assert played[3] == (FieldChange("recording", "", "r1"),)
    assert deleted[0] is None
    assert deleted[2].endswith("with Visitor 1: kept for 30 days")
    assert deleted[3] == (FieldChange("recording", "r1", ""),)
    assert held[0] is None
    assert held[2].endswith("with a visitor")
    assert held[3][0] == FieldChange("isHeld", "false", "true")


async def test_once_for_each_occasion_and_agent() -> None:
    harness = AuditHarness()
    viewer, admin = AGENTS["viewer"], AGENTS["admin"]
    for agent, occasion in ((viewer, "a"), (viewer, "a"), (viewer, "b"), (admin, "a")):
        await harness.access_audit.record_once(RecordingAction.PLAYED, agent, ENTRY, occasion)
    assert [agent_id for agent_id, *_ in harness.heard] == [7, 7, 8]
    harness.now += module.REMEMBERED_SECONDS
    await harness.access_audit.record_once(RecordingAction.PLAYED, viewer, ENTRY, "a")
    assert len(harness.heard) == 4


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    harness = AuditHarness()
    for occasion in ("a", "b", "c", "a"):
        await harness.access_audit.record_once(
            RecordingAction.PLAYED, AGENTS["viewer"], ENTRY, occasion
        )
    assert len(harness.heard) == 4
