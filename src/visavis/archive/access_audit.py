"""Access audit: what people do with recordings, recorded before it happens."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final, Protocol

from visavis.domain.audit import ActionType, FieldChange
from visavis.domain.library import Entry
from visavis.domain.people import Agent
from visavis.services.ports import Transaction

REMEMBERED_SECONDS: Final = 6 * 3600.0
"""Seconds after which a page that still plays a recording is audited again."""
MAX_REMEMBERED: Final = 10_000


class RecordingAction(StrEnum):
    """Actions on recordings, by their `actionType` in the audit log."""

    PLAYED = ActionType.RECORDING_PLAYED
    DOWNLOADED = ActionType.RECORDING_DOWNLOADED
    COMPOSED = ActionType.RECORDING_COMPOSED
    HELD = ActionType.RECORDING_HELD
    RELEASED = ActionType.RECORDING_RELEASED
    DELETED = ActionType.RECORDING_DELETED


class AppendAudit(Protocol):
    def __call__(
        self,
        site_id: int,
        agent_id: int | None,
        action_type: str,
        summary: str,
        changes: tuple[FieldChange, ...],
        is_new: Callable[[Transaction], bool] = ...,
        /,
    ) -> Awaitable[None]:
        """Returns once the entry is durable. `agent_id` `None` is the system itself.

        No entry is added if `is_new` returns false in the transaction of the entry.
        """


_WORDS: Final = {
    RecordingAction.PLAYED: "Played",
    RecordingAction.DOWNLOADED: "Downloaded",
    RecordingAction.COMPOSED: "Composed",
    RecordingAction.HELD: "Put on legal hold",
    RecordingAction.RELEASED: "Released from legal hold",
    RecordingAction.DELETED: "Deleted",
}


class AccessAudit:
    """Records each action once, however many requests a browser makes for it."""

    def __init__(self, audit: AppendAudit, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._clock = clock
        self._recorded_at: OrderedDict[tuple[object, ...], float] = OrderedDict()

    async def record(self, action: RecordingAction, agent: Agent | None, entry: Entry) -> None:
        """Append an entry to the audit log; raises `VisavisError` if that fails."""
        agent_id = agent.id or None if agent else None
        summary = _summary(action, entry)
        await self._audit(entry.site_id, agent_id, action, summary, _change(action, entry))

    async def record_retention(
        self, entry: Entry, days: int, is_new: Callable[[Transaction], bool]
    ) -> None:
        """Add an entry on a deletion by the system, if `is_new` is true in its transaction."""
        action = RecordingAction.DELETED
        summary = f"{_summary(action, entry)}: kept for {days} days"
        changes = _change(action, entry)
        await self._audit(entry.site_id, None, action, summary, changes, is_new)

    async def record_once(
        self, action: RecordingAction, agent: Agent, entry: Entry, occasion: str
    ) -> None:
        """As `record`, but once for each `occasion`: a page that was opened, a download."""
        key = (action, agent.id, entry.site_id, entry.id, occasion)
        now = self._clock()
        if self._recorded_at.get(key, float("-inf")) + REMEMBERED_SECONDS > now:
            return
        await self.record(action, agent, entry)
        self._recorded_at[key] = now
        while len(self._recorded_at) > MAX_REMEMBERED:
            self._recorded_at.popitem(last=False)


def _summary(action: RecordingAction, entry: Entry) -> str:
    name = entry.visitor_name or "a visitor"
    return f"{_WORDS[action]} the recording of {entry.started_at[:19]} with {name}"


def _change(action: RecordingAction, entry: Entry) -> tuple[FieldChange, ...]:
    match action:
        case RecordingAction.HELD:
            return (FieldChange("isHeld", "false", "true"), FieldChange("recording", "", entry.id))
        case RecordingAction.RELEASED:
            return (FieldChange("isHeld", "true", "false"), FieldChange("recording", "", entry.id))
        case RecordingAction.DELETED:
            return (FieldChange("recording", entry.id, ""),)
    return (FieldChange("recording", "", entry.id),)
