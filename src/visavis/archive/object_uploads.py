"""Uploads to an object store, by any node that shares the database and the bucket.

    recordings/<upload>                  the object that a complete upload becomes
    uploads/<upload>/<offset>-<random>   the end of a request that did not fill a part

An upload is one multipart upload of equal parts. Its row in the database has the offset, which a
request raises only after the object store has acknowledged the bytes, and only while it has the
lease of the upload. Bytes that a request stores after it has lost its lease belong to no upload,
because part numbers and keys are never used twice.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from visavis.archive.object_copies import ObjectCopies
from visavis.archive.ports import (
    Admit,
    BusyError,
    ObjectMissingError,
    ObjectStore,
    OpenUpload,
    StorageUnavailableError,
    Upload,
    UploadLostError,
)
from visavis.archive.uploads import (
    LIFETIME_SECONDS,
    MAX_AGE_SECONDS,
    UNBEGUN_SECONDS,
    disk_full_errors,
)
from visavis.domain.errors import VisavisError
from visavis.domain.library import Entry
from visavis.domain.uploads import StoredUpload, UploadLease, UploadPiece, UploadState
from visavis.services.ports import Store, Transaction, UploadRows
from visavis.tasks import cancelled, child

T = TypeVar("T")

log = structlog.get_logger(__name__)

PART_BYTES: Final = 16 * 1024 * 1024
"""Size of each part but the last; some stores accept only equal ones."""
MAX_PARTS: Final = 10_000
"""Maximum number of parts of an upload to an object store."""
LEASE_SECONDS: Final = 30.0
"""Time after which another node may continue the upload of a node that died."""
PARTS_AT_ONCE: Final = 4
"""Parts that are in memory at the same time."""
SWEEP_LIMIT: Final = 1_000


def object_key(upload_id: str) -> str:
    return f"recordings/{upload_id}"


def pieces_prefix(upload_id: str) -> str:
    return f"uploads/{upload_id}/"


class _Commit(msgspec.Struct):
    """Rise of the offset, and the pieces in which the bytes are stored."""

    before: int
    after: int
    added: list[UploadPiece]
    replaced: list[UploadPiece]


class ObjectUploadWriter:
    """Implements `UploadWriter` under a lease of the upload.

    Bytes that do not fill a part yet are in a temporary file, so that many simultaneous requests
    need little memory.
    """

    def __init__(
        self,
        objects: ObjectStore,
        store: Store,
        lease: UploadLease,
        buffer: int,
        parts_at_once: asyncio.Semaphore,
    ) -> None:
        self._objects = objects
        self._store = store
        self._epoch = lease.epoch
        self._upload = lease.upload
        self._buffer = buffer
        self._parts_at_once = parts_at_once
        self._multipart_id = lease.upload.multipart_id
        self._begin = lease.upload.offset
        self._size = 0
        self._tail = [piece for piece in lease.pieces if piece.object_key]
        self._unverified: _Commit | None = None
        self._tail_before: list[UploadPiece] = []
        self._failure: Exception | None = None

    @property
    def offset(self) -> int:
        return self._begin + self._size

    async def write(self, data: bytes) -> None:
        """Append; raises `DiskFullError`, `BusyError` and `StorageUnavailableError`."""
        self._require_usable()
        view = memoryview(data)
        while view:
            some = view[: self._room()]
            await _finished(partial(self._append, some))
            view = view[len(some) :]
            if not self._room():
                await self._guarded(self._store_part)

    async def sync(self) -> None:
        """Store what was written, unless it is still unverified."""
        self._require_usable()
        if self._unverified is None:
            await self._guarded(self._store_rest)

    async def begin_unverified(self) -> None:
        """Begin bytes whose offset is not committed until `verified`."""
        self._unverified = _Commit(self._begin, self._begin, [], list[UploadPiece]())
        self._tail_before = list(self._tail)

    async def verified(self) -> None:
        """Store what was written and count it as verified."""
        self._require_usable()
        await self._guarded(self._store_rest)
        pending, self._unverified = self._unverified, None
        if pending and pending.after > pending.before:
            await self._guarded(lambda: self._save(pending))

    async def roll_back(self) -> None:
        """Discard the bytes written since `begin_unverified`, unless they are verified."""
        if self._unverified is not None:
            pending, self._unverified = self._unverified, None
            self._begin, self._size, self._tail = pending.before, 0, self._tail_before
            await self._delete_objects(pending.added)

    async def complete(self) -> None:
        """Make an object of all parts; may be repeated.

        Raises `UploadLostError` if the parts are gone.
        """
        self._require_usable()
        if self._tail:
            await self._guarded(self._store_part)
        key = object_key(self._upload.id)
        upload_id = self._upload.id
        pieces = await self._store.read(lambda rows: rows.uploads.pieces(upload_id))
        parts = [(one.number, one.etag) for one in pieces if one.number and one.etag]
        with suppress(ObjectMissingError):  # it was completed before a crash
            if self._multipart_id and parts:
                await self._objects.complete_multipart(key, self._multipart_id, parts)
        size = await self._objects.size(key)
        if size is None:
            raise UploadLostError
        if size != self._begin:
            log.error("an upload has another size in the object store", upload=key, size=size)
            raise StorageUnavailableError

    def _room(self) -> int:
        return self._upload.part_size - self._tail_size() - self._size

    def _tail_size(self) -> int:
        return sum(piece.size for piece in self._tail)

    def _append(self, data: memoryview) -> None:
        with disk_full_errors():
            while data:
                written = os.pwrite(self._buffer, data, self._size)
                self._size += written
                data = data[written:]

    async def _store_rest(self) -> None:
        """Store the bytes that do not fill a part: as the last part or as an object."""
        if not self._size:
            return
        if self.offset == self._upload.length:
            await self._store_part()
            return
        key = f"{pieces_prefix(self._upload.id)}{self._begin}-{secrets.token_hex(6)}"
        async with self._parts_at_once:
            data = await _finished(self._buffered)
            await self._objects.put(key, data)
        piece = UploadPiece(offset=self._begin, size=len(data), object_key=key)
        await self._commit(piece, [])
        self._tail.append(piece)

    async def _store_part(self) -> None:
        """Store a part of the objects at the end of the upload and the bytes in the buffer."""
        tail, size = self._tail, self._tail_size() + self._size
        multipart_id = await self._begun_multipart()
        number = await self._allotted()
        async with self._parts_at_once:
            stored = [await self._objects.read(one.object_key or "", 0, one.size) for one in tail]
            data = b"".join([*stored, await _finished(self._buffered)])
            key = object_key(self._upload.id)
            etag = await self._objects.put_part(key, multipart_id, number, data)
        offset = tail[0].offset if tail else self._begin
        part = UploadPiece(offset=offset, size=size, number=number, etag=etag)
        await self._commit(part, tail)
        self._tail = []

    def _buffered(self) -> bytes:
        return os.pread(self._buffer, self._size, 0)

    async def _begun_multipart(self) -> str:
        if self._multipart_id is None:
            begun = await self._objects.begin_multipart(object_key(self._upload.id))
            await self._fenced(lambda rows: rows.set_multipart(self._upload.id, self._epoch, begun))
            self._multipart_id = begun
        return self._multipart_id

    async def _allotted(self) -> int:
        number = await self._fenced(lambda rows: rows.allot_part(self._upload.id, self._epoch))
        if number is None or number > MAX_PARTS:
            raise UploadLostError
        return number

    async def _commit(self, added: UploadPiece, replaced: Sequence[UploadPiece]) -> None:
        after = self._begin + self._size
        if self._unverified is None:
            await self._save(_Commit(self._begin, after, [added], list(replaced)))
        else:
            pending = self._unverified
            stored = [piece for piece in replaced if piece.offset < pending.before]
            pending.replaced += stored
            gone = [piece.offset for piece in replaced]
            pending.added = [one for one in pending.added if one.offset not in gone] + [added]
            pending.after = after
        self._begin, self._size = after, 0

    async def _save(self, commit: _Commit) -> None:
        offsets = commit.before, commit.after
        await self._fenced(
            lambda rows: rows.commit(
                self._upload.id, self._epoch, offsets, commit.added, commit.replaced
            )
        )
        await self._delete_objects(commit.replaced)

    async def _fenced(self, work: Callable[[UploadRows], T]) -> T:
        """Perform work that requires the lease; raises `BusyError` if another request has it."""
        result = await self._store.write(lambda rows: work(rows.uploads))
        if not result:
            raise BusyError
        return result

    async def _delete_objects(self, pieces: Sequence[UploadPiece]) -> None:
        """Delete objects that no upload needs; those that remain are deleted with the upload."""
        with suppress(StorageUnavailableError):
            for piece in pieces:
                if piece.object_key:
                    await self._objects.delete(piece.object_key)

    async def _guarded(self, work: Callable[[], object]) -> None:
        """Store something; after a failure nothing more is stored by this request."""
        try:
            await work()  # type: ignore[misc]
        except ObjectMissingError:
            self._failure = UploadLostError()
            raise self._failure from None
        except Exception as error:
            self._failure = error
            raise

    def _require_usable(self) -> None:
        if self._failure is not None:
            raise self._failure


class ObjectUploads:
    """Implements `UploadStorage` on an object store and the database.

    `holder` names this process: a restarted one need not wait for its own leases to end.
    """

    def __init__(
        self, objects: ObjectStore, store: Store, copies: ObjectCopies, directory: Path, holder: str
    ) -> None:
        self._objects = objects
        self._store = store
        self._copies = copies
        self._directory = directory
        self._holder = holder
        self._archive = objects.name
        self._writers: dict[tuple[str, int], ObjectUploadWriter] = {}
        self._parts_at_once = asyncio.Semaphore(PARTS_AT_ONCE)

    async def start(self) -> None:
        """End the leases of an earlier process on this directory."""
        await self._write(lambda rows: rows.release_all(self._archive, self._holder))

    async def create(
        self,
        length: int | None,
        metadata: dict[str, str],
        site_id: int | None,
        key: str,
        admit: Admit,
    ) -> Upload:
        new = StoredUpload(
            id=secrets.token_urlsafe(24),
            site_id=site_id,
            key=key,
            length=length,
            metadata=metadata,
            part_size=PART_BYTES,
        )

        def create(rows: UploadRows) -> StoredUpload:
            rows.lock_creation()
            admit([_open(one) for one in rows.unfinished(self._archive)], None)
            return rows.add(self._archive, new)

        return _upload(await self._write(create))

    async def find(self, upload_id: str) -> Upload | None:
        stored = await self._find(upload_id)
        return _upload(stored) if stored else None

    async def unfinished(self) -> list[OpenUpload]:
        stored = await self._read(lambda rows: rows.unfinished(self._archive))
        return [_open(one) for one in stored]

    async def free_bytes(self) -> int | None:
        return None

    async def save(self, upload: Upload) -> None:
        await self._write(lambda rows: rows.set_length(upload.id, upload.length))

    async def is_open(self, upload: Upload) -> bool:
        stored = await self._find(upload.id)
        return stored is not None and stored.state is UploadState.OPEN

    async def synced_offset(self, upload: Upload) -> int:
        stored = await self._find(upload.id)
        return stored.offset if stored else upload.length or 0

    async def expires_at(self, upload: Upload) -> float:
        stored = await self._find(upload.id)
        return _expires_at(stored) if stored else 0.0

    @asynccontextmanager
    async def opened(self, upload: Upload) -> AsyncIterator[ObjectUploadWriter]:
        lease = await self._write(lambda rows: rows.acquire(upload.id, self._holder, LEASE_SECONDS))
        if lease is None:
            raise BusyError

        renewing = child(self._renew(upload.id, lease.epoch))
        try:
            with tempfile.TemporaryFile(dir=self._directory) as buffer:
                yield self._writer(lease, buffer.fileno())
        except UploadLostError:
            await self.remove(upload)
            raise
        finally:
            self._writers.pop((upload.id, lease.epoch), None)
            await cancelled(renewing)
            with suppress(VisavisError):  # the lease ends by itself
                await self._write(lambda rows: rows.release(upload.id, lease.epoch))

    def _writer(self, lease: UploadLease, buffer: int) -> ObjectUploadWriter:
        writer = ObjectUploadWriter(self._objects, self._store, lease, buffer, self._parts_at_once)
        self._writers[lease.upload.id, lease.epoch] = writer
        return writer

    async def _renew(self, upload_id: str, epoch: int) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with suppress(VisavisError):  # there is time for another attempt
                await self._write(lambda rows: rows.renew(upload_id, epoch, LEASE_SECONDS))

    @asynccontextmanager
    async def whole(self, upload: Upload) -> AsyncIterator[Path]:
        """Complete an upload that the caller has opened, and read it back.

        The client may delete its own file after the confirmation, so the bytes that the object
        store returns are verified.
        """
        # a request that has lost its lease may still be running here
        writer = self._writers[max(key for key in self._writers if key[0] == upload.id)]
        await writer.complete()
        async with self._copies.opened(object_key(upload.id), writer.offset) as file:
            yield file

    async def finish(self, upload: Upload, sha256: str, entry: Entry | None) -> Upload:
        key = object_key(upload.id)

        def finish(rows: Transaction) -> None:
            rows.uploads.finish(upload.id, sha256)
            if entry is None:
                rows.recording_objects.add_deletion(self._archive, key)

        await self._store.write(finish)
        if entry is None:
            await self._delete_object(key)
        with suppress(StorageUnavailableError):
            await self._objects.delete_below(pieces_prefix(upload.id))
        return msgspec.structs.replace(upload, sha256=sha256)

    async def discard(self, upload: Upload) -> None:
        if not await self.is_open(upload):
            await self.remove(upload)
            return
        async with self.opened(upload):
            await self.remove(upload)

    async def remove(self, upload: Upload) -> None:
        """Forget an upload; its object is kept if a recording has it.

        If the object store does not answer, the sweep deletes the bytes.
        """
        if await self._write(lambda rows: rows.set_state(upload.id, UploadState.REMOVED)):
            stored = await self._read(lambda rows: rows.find(self._archive, upload.id))
            with suppress(StorageUnavailableError):
                await self._delete_removed(stored)
        else:
            stored = await self._read(lambda rows: rows.find(self._archive, upload.id))
            if stored and stored.state is UploadState.ADOPTED:
                with suppress(StorageUnavailableError):  # the next sweep tries it again
                    await self._objects.delete_below(pieces_prefix(upload.id))
                    await self._write(lambda rows: rows.delete(upload.id))

    async def sweep(self, now: float) -> int:
        """Discard expired uploads and leftovers of requests; return the number of uploads."""
        count = 0
        for state in (UploadState.OPEN, UploadState.ADOPTED):
            for one in await self._unchanged(state, UNBEGUN_SECONDS):
                if _expires_at(one) <= now:
                    with suppress(BusyError):
                        await self.discard(_upload(one))
                        count += 1
        for one in await self._unchanged(UploadState.REMOVED, 2 * LEASE_SECONDS):
            with suppress(StorageUnavailableError):  # reported; the next sweep tries it again
                await self._delete_removed(one)
        deletions = await self._store.read(
            lambda rows: rows.recording_objects.list_deletions(self._archive, SWEEP_LIMIT)
        )
        for key in deletions:
            await self._delete_object(key)
        return count

    async def _unchanged(self, state: UploadState, seconds: float) -> Sequence[StoredUpload]:
        return await self._read(
            lambda rows: rows.list_unchanged(self._archive, state, seconds, SWEEP_LIMIT)
        )

    async def _delete_removed(self, upload: StoredUpload | None) -> None:
        """Delete what is stored of a removed upload, and then its row."""
        if upload is None:
            return
        key = object_key(upload.id)
        if upload.multipart_id:
            await self._objects.abort_multipart(key, upload.multipart_id)
            await self._objects.delete(key)
        await self._objects.delete_below(pieces_prefix(upload.id))
        await self._write(lambda rows: rows.delete(upload.id))

    async def _delete_object(self, key: str) -> None:
        await delete_object(self._objects, self._store, key)

    async def _find(self, upload_id: str) -> StoredUpload | None:
        stored = await self._read(lambda rows: rows.find(self._archive, upload_id))
        return None if stored is None or stored.state is UploadState.REMOVED else stored

    async def _read(self, work: Callable[[UploadRows], T]) -> T:
        return await self._store.read(lambda rows: work(rows.uploads))

    async def _write(self, work: Callable[[UploadRows], T]) -> T:
        return await self._store.write(lambda rows: work(rows.uploads))


async def _finished(work: Callable[[], T]) -> T:
    """Perform work on a file in a thread, which has ended when this ends or is cancelled.

    A thread cannot be cancelled, and would go on with a file that is closed meanwhile.
    """
    working = child(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


async def delete_object(objects: ObjectStore, store: Store, key: str) -> None:
    """Delete an object marked for deletion; if the store is down, the sweep deletes it."""
    try:
        await objects.delete(key)
    except StorageUnavailableError:
        log.warning("an object is deleted later", key=key)
        return
    await store.write(lambda rows: rows.recording_objects.end_deletion(objects.name, key))


def _upload(stored: StoredUpload) -> Upload:
    return Upload(
        id=stored.id,
        length=stored.length,
        metadata=stored.metadata,
        site_id=stored.site_id,
        sha256=stored.sha256,
        key=stored.key,
        created_at=stored.created_at,
    )


def _open(stored: StoredUpload) -> OpenUpload:
    return OpenUpload(_upload(stored), stored.offset)


def _expires_at(stored: StoredUpload) -> float:
    lifetime = LIFETIME_SECONDS if stored.offset else UNBEGUN_SECONDS
    expires_at = stored.changed_at + lifetime
    return expires_at if stored.sha256 else min(expires_at, stored.created_at + MAX_AGE_SECONDS)
