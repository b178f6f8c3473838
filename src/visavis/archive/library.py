"""Library of the archive: complete recordings, found, held and deleted.

Its table is in the database, so that searches neither load every recording nor keep the event loop
busy, and each process that uses the same storage sees the same library.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from visavis.archive.media_info import MediaInfo, read_time
from visavis.archive.ports import RecordingStorage, RefusedError, Stamped
from visavis.domain.library import Entry, FoundEntries, LibrarySearch
from visavis.services.ports import Store, Transaction

SITE: Final = re.compile(r"[1-9][0-9]{0,17}")
RECORDING: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
INDEX_BATCH: Final = 1_000
"""Recordings that are indexed in one transaction."""


NO_MEDIA_INFO: Final = MediaInfo()


class Library:
    """All recordings of a storage."""

    def __init__(self, storage: RecordingStorage, store: Store) -> None:
        self._storage = storage
        self._store = store
        self._name = storage.name

    @property
    def name(self) -> str:
        """Name of the storage, by which the database distinguishes the libraries in it."""
        return self._name

    async def index(self) -> int:
        """Index what has changed in the storage without us; return how many recordings."""
        name = self._name
        known = await self._store.read(lambda rows: rows.library.stamps(name))
        changed, gone = await self._storage.changes(known)
        for start in range(0, len(changed), INDEX_BATCH):
            some = [(one.entry, one.stamp) for one in changed[start : start + INDEX_BATCH]]
            await self._store.write(lambda rows, some=some: rows.library.save(name, some))  # type: ignore[misc]
        if gone:
            await self._store.write(lambda rows: rows.library.delete(name, gone))
        return len(changed) + len(gone)

    async def find(self, site_id: int, recording_id: str) -> Entry | None:
        name = self._name
        return await self._store.read(lambda rows: rows.library.find(name, site_id, recording_id))

    async def search(self, site_id: int, search: LibrarySearch) -> FoundEntries:
        name = self._name
        return await self._store.read(lambda rows: rows.library.search(name, site_id, search))

    async def site_ids(self) -> Sequence[int]:
        """Return the sites that have recordings."""
        name = self._name
        return await self._store.read(lambda rows: rows.library.site_ids(name))

    async def stored_bytes(self, site_id: int) -> int:
        name = self._name
        return await self._store.read(lambda rows: rows.library.stored_bytes(name, site_id))

    async def list_due(self, site_id: int, before: datetime, limit: int) -> Sequence[Entry]:
        """Return the oldest recordings from before a time that are not on legal hold."""
        name, time = self._name, _iso(before)
        return await self._store.read(
            lambda rows: rows.library.list_due(name, site_id, time, limit)
        )

    async def media_info(self, entry: Entry) -> MediaInfo:
        return await self._storage.media_info(entry)

    def opened(self, entry: Entry) -> AbstractAsyncContextManager[Path]:
        """Return the recording as a file of this machine."""
        return self._storage.opened(entry)

    async def download(
        self, entry: Entry, request: Request, name: str, headers: Mapping[str, str]
    ) -> Response:
        return await self._storage.download(entry, request, name, headers)

    async def keep(
        self,
        metadata: Mapping[str, str],
        upload_id: str,
        file: Path,
        sha256: str,
        info: MediaInfo = NO_MEDIA_INFO,
    ) -> Entry:
        """Take the file of a whole upload in; raises `RefusedError`.

        Doing it again with the same recording, also after a crash half-way, changes nothing.
        """
        site_id, recording_id = read_ids(metadata, upload_id)
        entry = _entry(metadata, site_id, recording_id, info, sha256, file)
        return await self._add(await self._storage.adopt(entry, info, upload_id, file))

    async def adopted(self, metadata: Mapping[str, str], upload_id: str) -> Entry | None:
        """Return the recording of an upload whose bytes were taken in before."""
        found = await self._storage.adopted(*read_ids(metadata, upload_id))
        return await self._add(found) if found else None

    async def _add(self, stored: Stamped) -> Entry:
        name, entry, stamp = self._name, stored.entry, stored.stamp
        await self._store.write(lambda rows: rows.library.save(name, [(entry, stamp)]))
        return entry

    async def hold(self, entry: Entry, *, is_held: bool) -> Entry:
        """Put a recording on legal hold, or release it; raises `KeyError` if it is gone."""
        name = self._name
        held = await self._storage.hold(entry, is_held=is_held)
        await self._store.write(lambda rows: rows.library.hold(name, held.entry, held.stamp))
        return held.entry

    def deletion_of(self, entry: Entry) -> Callable[[Transaction], bool]:
        """Return a unit of work that begins a deletion by the retention, unless it has begun."""
        name = self._name
        return lambda rows: rows.library.begin_deletion(name, entry.site_id, entry.id)

    async def delete(self, entry: Entry) -> None:
        """Delete a recording for good; raises `HeldError`. A missing one is ignored."""
        name, key = self._name, (entry.site_id, entry.id)
        await self._storage.delete(entry)
        await self._store.write(lambda rows: rows.library.delete(name, [key]))


def read_ids(metadata: Mapping[str, str], upload_id: str) -> tuple[int, str]:
    """Return the ids of the site and the recording; raise `RefusedError`."""
    site, recording = metadata.get("site", "1"), metadata.get("recording") or upload_id
    if not SITE.fullmatch(site) or not RECORDING.fullmatch(recording):
        raise RefusedError("The metadata site or recording is not an id.")
    return int(site), recording


def checked_sha256(metadata: Mapping[str, str], path: Path) -> str:
    """Return the SHA-256 of a file; raise `RefusedError` if its metadata tell another."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if metadata.get("sha256", sha256) != sha256:
        raise RefusedError("The file does not have the SHA-256 of its metadata.")
    return sha256


def _entry(
    metadata: Mapping[str, str],
    site_id: int,
    recording_id: str,
    info: MediaInfo,
    sha256: str,
    file: Path,
) -> Entry:
    said = metadata.get
    found = file.stat()
    arrived_at = datetime.fromtimestamp(found.st_mtime, UTC)
    started_at = read_time(said("startedAt", "")) or arrived_at
    agent_names = info.agent_names or tuple(filter(None, (said("agentName"),)))
    return Entry(
        id=recording_id,
        site_id=site_id,
        call_id=said("call", ""),
        media=said("media", "video"),
        visitor_name=info.visitor_name or said("visitorName", ""),
        visitor_email=info.visitor_email,
        agent_names=agent_names,
        started_at=_iso(started_at),
        duration=round(info.duration or _seconds(said("duration", "")), 3),
        size=found.st_size,
        sha256=sha256,
        missing=tuple(filter(None, said("missing", "").splitlines())),
    )


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < 10**7 else 0.0
