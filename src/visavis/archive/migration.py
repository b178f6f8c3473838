"""Migration of an archive from the local disk to an object store.

A recording is copied, read back and compared with the SHA-256 of its sidecar, and only then added
to the library of the object store. Then a file beside it marks it as migrated, so that an
interrupted migration continues where it was, and a recording that was deleted since is not copied
again.

    <library>/<site>/<id>.migrated   the recording is in the object store, or was deleted there
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import msgspec

from visavis.archive.media_info import MediaInfo
from visavis.archive.object_storage import add_recording
from visavis.archive.object_uploads import PART_BYTES
from visavis.archive.ports import ObjectMissingError, ObjectStore
from visavis.domain.library import Entry
from visavis.durable import sync_directory, write_atomically
from visavis.services.ports import Store

MARK: Final = ".migrated"


class MigrationError(Exception):
    """Error: a recording cannot be migrated; the message says why."""


class LocalRecording(msgspec.Struct, frozen=True):
    """A recording on the local disk."""

    file: Path
    entry: Entry
    info: MediaInfo

    @property
    def mark(self) -> Path:
        return self.file.with_suffix(MARK)


def local_recordings(library: Path) -> Iterator[LocalRecording]:
    """Yield the recordings of a library that are not migrated yet, in the order of their names."""
    for sidecar in sorted(library.glob("[0-9]*/*.json")):
        file = sidecar.with_suffix(".mkv")
        if not file.exists() or sidecar.with_suffix(MARK).exists():
            continue
        details = sidecar.with_suffix(".details")
        info = details.read_bytes() if details.exists() else b"{}"
        yield LocalRecording(
            file,
            msgspec.json.decode(sidecar.read_bytes(), type=Entry),
            msgspec.json.decode(info, type=MediaInfo),
        )


class Migration:
    """Copies recordings of the local disk to an object store; `progress` receives the bytes."""

    def __init__(
        self, objects: ObjectStore, store: Store, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        self._objects = objects
        self._store = store
        self._progress = progress

    async def migrate(self, recording: LocalRecording, *, removes: bool) -> None:
        """Copy a recording, verify the copy and add it to the library.

        With `removes` the local files are deleted afterwards. Doing it again changes nothing.
        Raises `MigrationError`, `RefusedError`, `StorageUnavailableError`.
        """
        entry = recording.entry
        name, key = self._objects.name, f"recordings/migrated/{entry.site_id}/{entry.id}"
        known = await self._store.read(
            lambda rows: rows.recording_objects.find(name, entry.site_id, entry.id)
        )
        if known is None:
            await self._copy(recording, key)
            try:
                await self._verify(entry, key)
            except MigrationError:
                await self._objects.delete(key)  # not in the library: the next run copies it again
                raise
            await self._store.write(
                lambda rows: add_recording(rows, name, entry, key, recording.info)
            )
        else:  # from an earlier run, or uploaded again
            await self._verify(entry, known.key)
        await asyncio.to_thread(write_atomically, recording.mark, b"")
        if removes:
            await asyncio.to_thread(_remove, recording)

    async def _copy(self, recording: LocalRecording, key: str) -> None:
        size = recording.file.stat().st_size
        if size != recording.entry.size:
            raise MigrationError(
                f"{recording.file} has {size} bytes instead of {recording.entry.size}."
            )
        if await self._objects.size(key) == size:
            return  # an earlier run was interrupted; the copy is verified in any case
        multipart_id = await self._objects.begin_multipart(key)
        parts = list[tuple[int, str]]()
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._objects.abort_multipart, key, multipart_id)
            with recording.file.open("rb") as file:
                while data := await asyncio.to_thread(file.read, PART_BYTES):
                    number = len(parts) + 1
                    etag = await self._objects.put_part(key, multipart_id, number, data)
                    parts.append((number, etag))
                    self._progress(len(data))
            await self._objects.complete_multipart(key, multipart_id, parts)
            undo.pop_all()

    async def _verify(self, entry: Entry, key: str) -> None:
        """Compare what the object store returns with the sidecar; raises `MigrationError`."""
        sha256, size = hashlib.sha256(), await self._objects.size(key)
        try:
            for start in range(0, entry.size if size == entry.size else 0, PART_BYTES):
                count = min(PART_BYTES, entry.size - start)
                data = await self._objects.read(key, start, count)
                await asyncio.to_thread(sha256.update, data)
        except ObjectMissingError:
            size = None
        if size != entry.size or sha256.hexdigest() != entry.sha256:
            raise MigrationError(
                f"Recording {entry.id} of site {entry.site_id} is not the same in the object store "
                "as its SHA-256 says: look at the local file."
            )


def _remove(recording: LocalRecording) -> None:
    """Delete the local files but the mark, in case the files are restored from a backup."""
    for suffix in (".mkv", ".details", ".json"):
        recording.file.with_suffix(suffix).unlink(missing_ok=True)
    sync_directory(recording.file.parent)
