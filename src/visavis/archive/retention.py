"""Retention: deletes recordings after their site's retention, expired uploads and renditions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from visavis.archive.deletion import Deletion
from visavis.archive.library import HeldError, Library
from visavis.archive.media_info import read_time
from visavis.archive.renditions import Renditions
from visavis.archive.storage import Entry
from visavis.archive.uploads import Uploads

log = structlog.get_logger(__name__)

RetentionDays = Callable[[int], Awaitable[int | None]]
"""Returns a site's retention in days, `None` without limit."""

SWEEP_SECONDS: Final = 600.0


class RetentionSweeper:
    """Sweeps that read the state from disk, so an interrupted one is repeated without harm."""

    def __init__(
        self,
        library: Library,
        uploads: Uploads,
        renditions: Renditions,
        deletion: Deletion,
        retention_days_of: RetentionDays,
    ) -> None:
        self._library = library
        self._uploads = uploads
        self._renditions = renditions
        self._deletion = deletion
        self._retention_days_of = retention_days_of

    async def sweep(self) -> None:
        """Delete expired recordings, uploads and renditions."""
        now = time.time()
        await asyncio.to_thread(self._uploads.sweep, now)
        await asyncio.to_thread(self._renditions.sweep, now)
        await self.apply_retention(datetime.fromtimestamp(now, UTC))

    async def apply_retention(self, now: datetime) -> int:
        """Delete recordings older than their site's retention; return their number."""
        count = 0
        for site_id in sorted({entry.site_id for entry in self._library.all()}):
            days = await self._retention_days_of(site_id)
            if days is None:
                continue
            for entry in self._library.list_by_site(site_id):
                if _is_due(entry, now - timedelta(days=days)):
                    count += await self._delete(entry, days)
        return count

    async def _delete(self, entry: Entry, days: int) -> bool:
        try:
            await self._deletion.delete(entry, None, f": kept for {days} days")
        except HeldError:  # put on hold at this moment
            return False
        return True


def _is_due(entry: Entry, oldest: datetime) -> bool:
    started_at = read_time(entry.started_at)
    return not entry.is_held and started_at is not None and started_at < oldest
