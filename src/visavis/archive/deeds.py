"""What people do with recordings, told to the site's audit log before it happens."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final, Protocol

from visavis.archive.storage import Entry
from visavis.domain.audit import ActionType, FieldChange
from visavis.domain.people import Agent

REMEMBERED_SECONDS: Final = 6 * 3600.0
"""A page that plays for longer counts as opened again."""
MAX_REMEMBERED: Final = 10_000


class Deed(StrEnum):
    """The `actionType`s of what is done with recordings."""

    PLAYED = ActionType.RECORDING_PLAYED
    DOWNLOADED = ActionType.RECORDING_DOWNLOADED
    COMPOSED = ActionType.RECORDING_COMPOSED
    HELD = ActionType.RECORDING_HELD
    RELEASED = ActionType.RECORDING_RELEASED
    DELETED = ActionType.RECORDING_DELETED


class Audit(Protocol):
    def __call__(
        self,
        site_id: int,
        agent_id: int | None,
        action_type: str,
        summary: str,
        changes: tuple[FieldChange, ...],
        /,
    ) -> Awaitable[None]:
        """Returns once the entry is durable. `agent_id` `None` is the system itself."""


_WORDS: Final = {
    Deed.PLAYED: "Played",
    Deed.DOWNLOADED: "Downloaded",
    Deed.COMPOSED: "Composed",
    Deed.HELD: "Put on legal hold",
    Deed.RELEASED: "Released from legal hold",
    Deed.DELETED: "Deleted",
}


class Deeds:
    """Notes each deed once, however many requests a browser makes of it."""

    def __init__(self, audit: Audit, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._clock = clock
        self._noted: OrderedDict[tuple[object, ...], float] = OrderedDict()

    async def note(self, deed: Deed, agent: Agent | None, entry: Entry, why: str = "") -> None:
        """Tell the audit log; raises `VisavisError` where it cannot be told."""
        name = entry.visitor_name or "a visitor"
        summary = f"{_WORDS[deed]} the recording of {entry.started_at[:19]} with {name}{why}"
        agent_id = agent.id or None if agent else None
        await self._audit(entry.site_id, agent_id, deed, summary, _change(deed, entry))

    async def note_once(self, deed: Deed, agent: Agent, entry: Entry, occasion: str) -> None:
        """As `note`, but once for each `occasion`: a page that was opened, a download."""
        key = (deed, agent.id, entry.site_id, entry.id, occasion)
        now = self._clock()
        if self._noted.get(key, float("-inf")) + REMEMBERED_SECONDS > now:
            return
        await self.note(deed, agent, entry)
        self._noted[key] = now
        while len(self._noted) > MAX_REMEMBERED:
            self._noted.popitem(last=False)


def _change(deed: Deed, entry: Entry) -> tuple[FieldChange, ...]:
    match deed:
        case Deed.HELD:
            return (FieldChange("isHeld", "false", "true"), FieldChange("recording", "", entry.id))
        case Deed.RELEASED:
            return (FieldChange("isHeld", "true", "false"), FieldChange("recording", "", entry.id))
        case Deed.DELETED:
            return (FieldChange("recording", entry.id, ""),)
    return (FieldChange("recording", "", entry.id),)
