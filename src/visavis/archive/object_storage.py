"""Storage of the archive's recordings on an object store, and their library.

The database has the library and the key of each recording's object. Both change in one transaction,
so nodes that share the database need not notify each other. An object is deleted after its row;
until the object store has confirmed the deletion, the key stays marked for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from os import stat_result
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Send

from visavis.archive.library import Library
from visavis.archive.media_info import MediaInfo
from visavis.archive.media_types import MATROSKA_TYPE
from visavis.archive.object_copies import ObjectCopies
from visavis.archive.object_uploads import delete_object, object_key
from visavis.archive.ports import (
    HeldError,
    Key,
    ObjectMissingError,
    ObjectStore,
    RefusedError,
    Stamped,
)
from visavis.archive.storage import RecordingResponse
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.library import Entry
from visavis.domain.uploads import RecordingObject, UploadState
from visavis.services.ports import Store, Transaction

STAMP: Final = 0
"""Stamp of every recording: the database is the only description."""


class ObjectStorage:
    """Implements `RecordingStorage`; its methods change the library, too."""

    def __init__(self, objects: ObjectStore, store: Store, copies: ObjectCopies) -> None:
        self._objects = objects
        self._store = store
        self._copies = copies

    @property
    def name(self) -> str:
        return self._objects.name

    async def changes(self, known: Mapping[Key, int]) -> tuple[list[Stamped], list[Key]]:
        return [], []

    async def adopt(self, entry: Entry, info: MediaInfo, upload_id: str, file: Path) -> Stamped:
        key = object_key(upload_id)

        def adopt(rows: Transaction) -> tuple[Entry, str]:
            is_open = rows.uploads.set_state(upload_id, UploadState.ADOPTED)
            found = rows.uploads.find(self.name, upload_id)
            if is_open:
                return add_recording(rows, self.name, entry, key, info)
            if found is None or found.state is not UploadState.ADOPTED:
                raise RefusedError("The upload was terminated.")
            known = rows.library.find(self.name, entry.site_id, entry.id)
            stored = rows.recording_objects.find(self.name, entry.site_id, entry.id)
            if known is None or stored is None:
                raise RefusedError("The recording was deleted.")
            return known, stored.key

        adopted, used_key = await self._store.write(adopt)
        if used_key != key:
            await delete_object(self._objects, self._store, key)
        return Stamped(adopted, STAMP)

    async def adopted(self, site_id: int, recording_id: str) -> Stamped | None:
        entry = await self._store.read(
            lambda rows: rows.library.find(self.name, site_id, recording_id)
        )
        return Stamped(entry, STAMP) if entry else None

    async def hold(self, entry: Entry, *, is_held: bool) -> Stamped:
        held = msgspec.structs.replace(entry, is_held=is_held)
        if not await self._store.write(lambda rows: rows.library.hold(self.name, held, STAMP)):
            raise KeyError(entry.id)
        return Stamped(held, STAMP)

    async def delete(self, entry: Entry) -> None:
        """Delete a recording, then its object; if that fails, the sweep deletes the object."""

        def delete(rows: Transaction) -> str | None:
            if rows.library.delete_unless_held(self.name, entry.site_id, entry.id):
                return rows.recording_objects.begin_deletion(self.name, entry.site_id, entry.id)
            if rows.library.find(self.name, entry.site_id, entry.id):
                raise HeldError
            return None

        if key := await self._store.write(delete):
            await delete_object(self._objects, self._store, key)

    async def media_info(self, entry: Entry) -> MediaInfo:
        found = await self._find(entry)
        return msgspec.json.decode(found.media_info, type=MediaInfo) if found else MediaInfo()

    def opened(self, entry: Entry) -> AbstractAsyncContextManager[Path]:
        return self._opened(entry)

    @asynccontextmanager
    async def _opened(self, entry: Entry) -> AsyncIterator[Path]:
        found = await self._find(entry)
        if found is None:
            raise VisavisError(ErrorCode.RecordingNotFound)
        try:
            async with self._copies.opened(found.key, entry.size) as path:
                yield path
        except ObjectMissingError:
            raise VisavisError(ErrorCode.RecordingNotFound) from None

    async def download(
        self, entry: Entry, request: Request, name: str, headers: Mapping[str, str]
    ) -> Response:
        found = await self._find(entry)
        # checked first, because an error can no longer be reported after the headers
        if found is None or await self._objects.size(found.key) != entry.size:
            raise VisavisError(ErrorCode.RecordingNotFound)
        return ObjectResponse(self._objects, found.key, entry, name, headers)

    async def _find(self, entry: Entry) -> RecordingObject | None:
        return await self._store.read(
            lambda rows: rows.recording_objects.find(self.name, entry.site_id, entry.id)
        )


def add_recording(
    rows: Transaction, archive: str, entry: Entry, key: str, info: MediaInfo
) -> tuple[Entry, str]:
    """Add a recording whose object is stored; return the recording and the key of its object.

    If the recording exists already, return the existing one; the new object must then be deleted.
    Raises `RefusedError` if another recording has that id.
    """
    media_info = msgspec.json.encode(info).decode()
    new = RecordingObject(key, media_info)
    if rows.recording_objects.add(archive, entry.site_id, entry.id, new):
        rows.library.save(archive, [(entry, STAMP)])
        return entry, key
    known = rows.library.find(archive, entry.site_id, entry.id)
    stored = rows.recording_objects.find(archive, entry.site_id, entry.id)
    if known is None or stored is None or known.sha256 != entry.sha256:
        raise RefusedError("There is another recording with that id.")
    if stored.key != key:  # the recording was uploaded twice
        rows.recording_objects.add_deletion(archive, key)
    return known, stored.key


class SharedLibrary(Library):
    """Library whose table only the storage changes."""

    async def index(self) -> int:
        return 0

    async def _add(self, stored: Stamped) -> Entry:
        return stored.entry

    async def hold(self, entry: Entry, *, is_held: bool) -> Entry:
        return (await self._storage.hold(entry, is_held=is_held)).entry

    async def delete(self, entry: Entry) -> None:
        await self._storage.delete(entry)


class ObjectResponse(RecordingResponse):
    """Response with an object or ranges of it.

    Each block is a request of its own to the object store, so that a client that reads slowly
    keeps neither a connection nor more than a block.
    """

    def __init__(
        self,
        objects: ObjectStore,
        key: str,
        entry: Entry,
        name: str,
        headers: Mapping[str, str],
    ) -> None:
        modified = datetime.fromisoformat(entry.started_at).timestamp()
        described = stat_result((0o100600, 0, 0, 1, 0, 0, entry.size, modified, modified, modified))
        super().__init__(
            key,
            media_type=MATROSKA_TYPE,
            filename=name,
            headers=headers,
            stat_result=described,
        )
        self._file = _ObjectFile(objects, key, entry.size)

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[Any]:
        yield self._file

    async def _handle_simple(self, send: Send, send_header_only: bool, send_pathsend: bool) -> None:
        await super()._handle_simple(send, send_header_only, send_pathsend=False)


class _ObjectFile:
    """The part of a file's methods that `FileResponse` uses."""

    def __init__(self, objects: ObjectStore, key: str, size: int) -> None:
        self._objects = objects
        self._key = key
        self._size = size
        self._position = 0

    async def seek(self, position: int) -> None:
        self._position = position

    async def read(self, size: int) -> bytes:
        size = min(size, self._size - self._position)
        if size <= 0:
            return b""
        data = await self._objects.read(self._key, self._position, size)
        self._position += size
        return data
