"""Retention: deletes recordings after their site's retention, expired uploads and renditions."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from visavis.archive.deletion import Deletion
from visavis.archive.library import Library
from visavis.archive.ports import HeldError, UploadStorage
from visavis.archive.renditions import Renditions
from visavis.domain.library import Entry
from visavis.services.jobs import Jobs

log = structlog.get_logger(__name__)

RetentionDays = Callable[[int], Awaitable[int | None]]
"""Returns a site's retention in days, `None` without limit."""

SWEEP_SECONDS: Final = 600.0
AT_ONCE: Final = 100
"""Recordings that are looked up together."""


class RetentionSweeper:
    """Sweeps that read the state from disk, so an interrupted one is repeated without harm."""

    def __init__(
        self,
        library: Library,
        uploads: UploadStorage,
        renditions: Renditions,
        deletion: Deletion,
        retention_days_of: RetentionDays,
        jobs: Jobs,
    ) -> None:
        self._library = library
        self._uploads = uploads
        self._renditions = renditions
        self._deletion = deletion
        self._retention_days_of = retention_days_of
        self._jobs = jobs

    async def sweep(self) -> None:
        """Delete expired recordings and uploads, unless another process of the storage does so."""
        name = f"archive {self._library.name}"
        await self._jobs.perform(name, SWEEP_SECONDS, self._sweep_storage)

    async def sweep_renditions(self) -> None:
        """Delete the renditions of this process that are not used."""
        await self._renditions.sweep(time.time())

    async def _sweep_storage(self) -> None:
        now = time.time()
        try:
            await self._uploads.sweep(now)
        finally:
            await self.apply_retention(datetime.fromtimestamp(now, UTC))

    async def apply_retention(self, now: datetime) -> int:
        """Delete recordings older than their site's retention; return their number."""
        count = 0
        for site_id in await self._library.site_ids():
            days = await self._retention_days_of(site_id)
            if days is None:
                continue
            oldest, batch, deleted = now - timedelta(days=days), AT_ONCE, AT_ONCE
            while batch == AT_ONCE and deleted:
                due = await self._library.list_due(site_id, oldest, AT_ONCE)
                batch, deleted = len(due), sum([await self._delete(one, days) for one in due])
                count += deleted
        return count

    async def _delete(self, entry: Entry, days: int) -> bool:
        try:
            await self._deletion.delete_due(entry, days)
        except HeldError:  # put on hold at this moment
            return False
        return True
