"""Uploads on a local disk.

The offset of an upload is the size of its file, but for what is unverified.

<uploads>/<id>.json         Upload: what the client said of it
<uploads>/<id>.part         the bytes so far; locked (flock) by the request that appends
<uploads>/<id>.unverified   while a chunk with a checksum arrives: the offset where it began
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import re
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from visavis.archive.ports import Admit, BusyError, DiskFullError, OpenUpload, Upload
from visavis.domain.library import Entry
from visavis.durable import free_bytes, sync_directory, write_atomically

SYNC_BYTES: Final = 32 * 1024 * 1024
"""Bytes after which a sync starts, so that the last sync, for which the client waits, is short."""

LIFETIME_SECONDS: Final = 7 * 24 * 3600.0
"""Time after the last byte at which an upload is discarded, or the record of a stored one."""

UNBEGUN_SECONDS: Final = 24 * 3600.0
"""Time after which an upload without a byte is discarded: it reserves its whole length."""
MAX_AGE_SECONDS: Final = 30 * 24 * 3600.0
"""Age at which an unfinished upload is discarded, even if bytes still arrive."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class UploadFile:
    """An upload's bytes, locked for this request."""

    def __init__(self, file: int, marker: Path) -> None:
        self._file = file
        self._marker = marker

    @property
    def offset(self) -> int:
        return os.fstat(self._file).st_size

    def write(self, data: bytes) -> None:
        """Append; raises `DiskFullError` and keeps the bytes that did fit."""
        view = memoryview(data)
        with disk_full_errors():
            while view:
                view = view[os.write(self._file, view) :]

    def sync(self) -> None:
        with disk_full_errors():
            os.fdatasync(self._file)

    def begin_unverified(self) -> None:
        """Begin bytes that do not count until `verified`, not even after a crash."""
        with disk_full_errors():
            write_atomically(self._marker, str(self.offset).encode())

    def verified(self) -> None:
        """Sync what was written and count it as verified."""
        self.sync()
        self._marker.unlink(missing_ok=True)
        sync_directory(self._marker.parent)

    def roll_back(self) -> None:
        """Discard the bytes written since `begin_unverified`, if it was called."""
        with suppress(FileNotFoundError):
            os.truncate(self._file, int(self._marker.read_bytes()))
            self.verified()


class Uploads:
    """A folder of uploads; every method works on disk and leaves it synced."""

    def __init__(self, directory: Path, lifetime_seconds: float = LIFETIME_SECONDS) -> None:
        self._directory = directory
        self._lifetime = lifetime_seconds
        directory.mkdir(parents=True, exist_ok=True)
        begun = (self.find(path.stem) for path in directory.glob("[!.]*.json"))
        self._unfinished = {one.id: one for one in begun if one and not one.sha256}

    @property
    def directory(self) -> Path:
        return self._directory

    def create(
        self,
        length: int | None,
        metadata: dict[str, str],
        site_id: int | None = None,
        key: str = "",
    ) -> Upload:
        """Raises `DiskFullError`."""
        upload = Upload(
            *(secrets.token_urlsafe(24), length, metadata, site_id),
            key=key,
            created_at=time.time(),
        )
        with disk_full_errors():
            with self.data(upload.id).open("xb") as file:
                os.fsync(file.fileno())
            self.save(upload)
        return upload

    def save(self, upload: Upload) -> None:
        write_atomically(self._sidecar(upload.id), msgspec.json.encode(upload))
        if upload.sha256:
            self._unfinished.pop(upload.id, None)
        else:
            self._unfinished[upload.id] = upload

    def unfinished(self) -> list[Upload]:
        """Return the uploads that the library does not have yet."""
        return list(self._unfinished.values())

    def find(self, upload_id: str) -> Upload | None:
        if not _ID.fullmatch(upload_id):
            return None
        try:
            content = self._sidecar(upload_id).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(content, type=Upload)

    def offset(self, upload: Upload) -> int:
        """Return the offset: bytes that are stored and verified."""
        try:
            size = self.data(upload.id).stat().st_size
        except FileNotFoundError:
            return upload.length or 0  # the library has it
        with suppress(FileNotFoundError):
            return int(self._marker(upload.id).read_bytes())
        return size

    def synced_offset(self, upload: Upload) -> int:
        """Return the offset, below which everything is on disk."""
        offset = self.offset(upload)
        with suppress(FileNotFoundError), self.data(upload.id).open("rb") as file:
            os.fdatasync(file.fileno())
        return offset

    @contextmanager
    def opened(self, upload: Upload) -> Iterator[UploadFile]:
        """Lock the upload for appending; raises `BusyError`, also if it has just been stored."""
        try:
            file = os.open(self.data(upload.id), os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            raise BusyError from None
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError from None
            part = UploadFile(file, self._marker(upload.id))
            part.roll_back()  # a crash may have left an unverified chunk
            yield part
        finally:
            os.close(file)

    def discard(self, upload: Upload) -> None:
        """Forget an upload; raises `BusyError`."""
        if not self.data(upload.id).exists():  # the library has it
            self.remove(upload)
            return
        with self.opened(upload):
            self.remove(upload)

    def remove(self, upload: Upload) -> None:
        """Forget an upload that is locked by the caller, or stored."""
        self._unfinished.pop(upload.id, None)
        self._sidecar(upload.id).unlink(missing_ok=True)
        self.data(upload.id).unlink(missing_ok=True)
        self._marker(upload.id).unlink(missing_ok=True)
        sync_directory(self._directory)

    def expires_at(self, upload: Upload) -> float:
        """Return when the upload expires, in seconds since the epoch."""
        changed = self._sidecar(upload.id).stat().st_mtime
        lifetime = self._lifetime
        with suppress(FileNotFoundError):
            data = self.data(upload.id).stat()
            changed = max(changed, data.st_mtime)
            lifetime = lifetime if data.st_size else min(lifetime, UNBEGUN_SECONDS)
        last = upload.created_at + MAX_AGE_SECONDS
        is_limited = upload.created_at and not upload.sha256
        return min(changed + lifetime, last) if is_limited else changed + lifetime

    def sweep(self, now: float) -> int:
        """Discard expired uploads and files left by crashes; return the number of uploads."""
        count = 0
        for sidecar in sorted(self._directory.glob("[!.]*.json")):
            # a request may remove an upload at any moment
            with suppress(BusyError, FileNotFoundError):
                upload = self.find(sidecar.stem)
                if upload and self.expires_at(upload) <= now:
                    self.discard(upload)
                    count += 1
        drafts = list(self._directory.glob(".*"))
        orphans = [p for p in self._directory.glob("*.part") if not p.with_suffix(".json").exists()]
        for path in drafts + orphans:
            with suppress(FileNotFoundError):
                if path.stat().st_mtime + self._lifetime <= now:
                    path.unlink()
        return count

    def data(self, upload_id: str) -> Path:
        return self._directory / f"{upload_id}.part"

    def _marker(self, upload_id: str) -> Path:
        return self._directory / f"{upload_id}.unverified"

    def _sidecar(self, upload_id: str) -> Path:
        return self._directory / f"{upload_id}.json"


class LocalUploadWriter:
    """Implements `UploadWriter` on an upload's locked file."""

    def __init__(self, file: UploadFile) -> None:
        self._file = file
        self._unsynced = 0

    @property
    def offset(self) -> int:
        return self._file.offset

    async def write(self, data: bytes) -> None:
        await asyncio.to_thread(self._file.write, data)
        self._unsynced += len(data)
        if self._unsynced >= SYNC_BYTES:
            await self.sync()

    async def sync(self) -> None:
        await asyncio.to_thread(self._file.sync)
        self._unsynced = 0

    async def begin_unverified(self) -> None:
        await asyncio.to_thread(self._file.begin_unverified)

    async def verified(self) -> None:
        await asyncio.to_thread(self._file.verified)

    async def roll_back(self) -> None:
        await asyncio.to_thread(self._file.roll_back)


class LocalUploads:
    """Implements `UploadStorage` on a directory."""

    def __init__(self, files: Uploads) -> None:
        self._files = files
        self._admitting = threading.Lock()

    async def start(self) -> None:
        """Do nothing: locks end with their process."""

    async def create(
        self,
        length: int | None,
        metadata: dict[str, str],
        site_id: int | None,
        key: str,
        admit: Admit,
    ) -> Upload:
        def create() -> Upload:
            with self._admitting:
                admit(self._unfinished(), free_bytes(self._files.directory))
                return self._files.create(length, metadata, site_id, key)

        return await asyncio.to_thread(create)

    async def find(self, upload_id: str) -> Upload | None:
        return await asyncio.to_thread(self._files.find, upload_id)

    async def unfinished(self) -> list[OpenUpload]:
        return await asyncio.to_thread(self._unfinished)

    def _unfinished(self) -> list[OpenUpload]:
        return [OpenUpload(one, self._files.offset(one)) for one in self._files.unfinished()]

    async def free_bytes(self) -> int | None:
        return await asyncio.to_thread(free_bytes, self._files.directory)

    async def save(self, upload: Upload) -> None:
        await asyncio.to_thread(self._files.save, upload)

    async def is_open(self, upload: Upload) -> bool:
        return await asyncio.to_thread(self._files.data(upload.id).exists)

    async def synced_offset(self, upload: Upload) -> int:
        return await asyncio.to_thread(self._files.synced_offset, upload)

    async def expires_at(self, upload: Upload) -> float:
        return await asyncio.to_thread(self._files.expires_at, upload)

    @asynccontextmanager
    async def opened(self, upload: Upload) -> AsyncIterator[LocalUploadWriter]:
        with self._files.opened(upload) as file:
            yield LocalUploadWriter(file)

    @asynccontextmanager
    async def whole(self, upload: Upload) -> AsyncIterator[Path]:
        yield self._files.data(upload.id)

    async def finish(self, upload: Upload, sha256: str, entry: Entry | None) -> Upload:
        stored = replace(upload, sha256=sha256)
        await asyncio.to_thread(self._files.save, stored)
        if entry is None:
            await asyncio.to_thread(self._files.data(upload.id).unlink, missing_ok=True)
        return stored

    async def discard(self, upload: Upload) -> None:
        await asyncio.to_thread(self._files.discard, upload)

    async def remove(self, upload: Upload) -> None:
        await asyncio.to_thread(self._files.remove, upload)

    async def sweep(self, now: float) -> int:
        return await asyncio.to_thread(self._files.sweep, now)


@contextmanager
def disk_full_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFullError from None
