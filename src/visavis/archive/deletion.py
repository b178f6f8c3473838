"""Deletion of recordings, by a person or by the retention."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from visavis.archive.access_audit import AccessAudit, RecordingAction
from visavis.archive.library import Library
from visavis.archive.renditions import Renditions
from visavis.domain.library import Entry
from visavis.domain.people import Agent

OnDeleted = Callable[[int, str], Awaitable[None]]
"""Callback after a deletion, with the ids of the site and the recording."""


async def ignore_deletion(_site_id: int, _recording_id: str) -> None:
    """Do nothing: an archive that runs alone has no database of calls."""


class Deletion:
    """Deletes recordings with all that was made of them, and reports it."""

    def __init__(
        self,
        library: Library,
        renditions: Renditions,
        access_audit: AccessAudit,
        on_deleted: OnDeleted,
    ) -> None:
        self._library = library
        self._renditions = renditions
        self._access_audit = access_audit
        self._on_deleted = on_deleted

    async def delete(self, entry: Entry, agent: Agent) -> None:
        """Delete a recording permanently; raises `HeldError`."""
        # audited first: a deletion without an entry would be worse than an entry without one
        await self._access_audit.record(RecordingAction.DELETED, agent, entry)
        await self._delete(entry)

    async def delete_due(self, entry: Entry, days: int) -> None:
        """Delete a recording that was kept for `days`; raises `HeldError`.

        Only one entry is added, even if several processes delete it or one dies meanwhile.
        """
        is_new = self._library.deletion_of(entry)
        await self._access_audit.record_retention(entry, days, is_new)
        await self._delete(entry)

    async def _delete(self, entry: Entry) -> None:
        await self._library.delete(entry)
        await self._renditions.forget(entry)
        await self._on_deleted(entry.site_id, entry.id)
