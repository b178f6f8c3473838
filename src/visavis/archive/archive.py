"""Composition of the archive from its parts."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
from starlette.requests import Request

from visavis.archive.access_audit import AccessAudit, AppendAudit
from visavis.archive.admission import Quota
from visavis.archive.deletion import Deletion, OnDeleted, ignore_deletion
from visavis.archive.library import Library
from visavis.archive.library_api import LibraryApi
from visavis.archive.object_copies import ObjectCopies
from visavis.archive.object_storage import ObjectStorage, SharedLibrary
from visavis.archive.object_uploads import ObjectUploads
from visavis.archive.ports import ObjectStore, UploadStorage
from visavis.archive.renditions import Renditions
from visavis.archive.retention import SWEEP_SECONDS, RetentionDays, RetentionSweeper
from visavis.archive.routes import library_routes, upload_routes
from visavis.archive.storage import NAME_FILE, LocalStorage, ensure_name
from visavis.archive.tus_server import OnRefused, TusServer, ignore_refusal, is_never_disabled
from visavis.archive.upload_keys import UploadKeyHolder, UploadKeys
from visavis.archive.uploads import LocalUploads, Uploads
from visavis.durable import lock_directory
from visavis.protocol.routes import Access, Caller, Routes
from visavis.services.jobs import LOOK_SECONDS, Jobs
from visavis.services.ports import Store
from visavis.tasks import cancelled, run_every, run_forever

log = structlog.get_logger(__name__)

Gate = Callable[[Request, Access], Awaitable[UploadKeyHolder]]
NO_QUOTA: Final = Quota()
OBJECTS: Final = "objects"
NODE_FILE: Final = ".node"
KEYS_SECONDS: Final = 3600.0


class Archive:
    """A recording server on a directory, or on an object store with a directory for its files.

    <directory>/uploads   incomplete uploads
    <directory>/library   complete recordings
    <directory>/cache     renditions, which can be made again
    <directory>/objects   on an object store: copies and buffers, which can be made again
    """

    def __init__(
        self,
        directory: Path,
        *,
        key: Callable[[], str],
        store: Store,
        audit: AppendAudit,
        retention_days_of: RetentionDays,
        objects: ObjectStore | None = None,
        on_deleted: OnDeleted = ignore_deletion,
        quota: Quota = NO_QUOTA,
        is_disabled: Callable[[int], Awaitable[bool]] = is_never_disabled,
        on_refused: OnRefused = ignore_refusal,
        node_id: str = "archive",
    ) -> None:
        self._objects = objects
        self._directory_lock = lock_directory(
            directory / OBJECTS if objects else directory,
            f"another process uses the archive in {directory}: stop it, or choose another "
            "directory",
        )
        self._uploads, self._library = uploads, library = (
            _on_object_store(objects, directory / OBJECTS, store)
            if objects
            else _on_disk(directory, store)
        )
        access_audit = AccessAudit(audit)
        keys = self._keys = UploadKeys(store, key)
        self._directory = directory
        self._node = ensure_name(directory / NODE_FILE)
        self._tus = TusServer(uploads, library, keys, time.time, quota, is_disabled, on_refused)
        self._renditions = Renditions(directory / "cache", library)
        deletion = Deletion(library, self._renditions, access_audit, on_deleted)
        self._api = LibraryApi(library, self._renditions, access_audit, deletion)
        self._sweeper = RetentionSweeper(
            library,
            uploads,
            self._renditions,
            deletion,
            retention_days_of,
            Jobs(store, node_id),
        )

    def routes(self) -> Routes:
        return (*upload_routes(self._tus), *library_routes(self._api))

    def gates(self) -> dict[Caller, Gate]:
        """Return the check of the callers whom only the archive knows."""
        return {Caller.UPLOADER: self._tus.admit}

    async def index(self) -> None:
        """Index the recordings that came or went while no archive ran, as from a backup."""
        await self._keys.import_file(self._directory)
        if self._objects:
            await self._objects.is_there()
        await self._uploads.start()
        count = await self._library.index()
        if count:
            log.info("the library was indexed", recordings=count)

    def start(self) -> asyncio.Task[None]:
        return run_forever("archive", self.run)

    async def run(self) -> None:
        """Index the library and sweep until cancelled, then stop the renditions in progress.

        The index may take long after an upgrade, and calls do not wait for it.
        """
        await self.index()
        sweeping = run_every("archive sweep", LOOK_SECONDS, self._sweeper.sweep)
        renditions = run_every("archive renditions", SWEEP_SECONDS, self._sweeper.sweep_renditions)
        publishing = run_every("archive key", KEYS_SECONDS, self._publish_key)
        try:
            await sweeping
        finally:
            await cancelled(sweeping, renditions, publishing)
            await self._renditions.close()

    async def _publish_key(self) -> None:
        await self._keys.publish_own(self._node)

    def close(self) -> None:
        """Release the lock of the directory."""
        os.close(self._directory_lock)
        if self._objects:
            self._objects.close()


def _on_disk(directory: Path, store: Store) -> tuple[UploadStorage, Library]:
    uploads = LocalUploads(Uploads(directory / "uploads"))
    return uploads, Library(LocalStorage(directory / "library"), store)


def _on_object_store(
    objects: ObjectStore, directory: Path, store: Store
) -> tuple[UploadStorage, Library]:
    copies = ObjectCopies(objects, directory / "copies")
    holder = ensure_name(directory / NAME_FILE)
    uploads = ObjectUploads(objects, store, copies, directory, holder)
    return uploads, SharedLibrary(ObjectStorage(objects, store, copies), store)
