"""Ports of the archive: storage of uploads in progress, storage of recordings, and objects.

`uploads` and `storage` implement the first two on a local disk, `object_uploads` and
`object_storage` on an object store. Data that a method writes are durable when it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from visavis.archive.media_info import MediaInfo
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.library import Entry

Key: TypeAlias = tuple[int, str]
"""The ids of a recording's site and of the recording."""


class BusyError(Exception):
    """Error: another request is writing to the upload."""


class DiskFullError(Exception):
    """Error: the disk is full. Acknowledged bytes are kept."""


class StorageUnavailableError(VisavisError):
    """Error: the object store does not answer, or answers incorrectly."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.StoreUnavailable,
            "The object store is not responding: try again in a moment.",
        )


class ObjectMissingError(Exception):
    """Error: there is no such object, or no such multipart upload."""


class UploadLostError(Exception):
    """Error: the object store cannot continue an upload, or has lost its parts."""


class RefusedError(Exception):
    """Error: a finished upload is not accepted; the message says why."""


class HeldError(Exception):
    """Error: the recording is on legal hold."""


class Upload(msgspec.Struct, frozen=True):
    """An upload as its client described it.

    `length` in bytes, `None` until the client knows it; `site_id` where the key is one site's, and
    `key` its name; `sha256` once the library has it; `created_at` in seconds since the epoch.
    """

    id: str
    length: int | None
    metadata: dict[str, str]
    site_id: int | None = None
    sha256: str | None = None
    key: str = ""
    created_at: float = 0.0


class OpenUpload(msgspec.Struct, frozen=True):
    """An upload that the library does not have yet, and the bytes that are stored of it."""

    upload: Upload
    offset: int


Admit: TypeAlias = Callable[[list[OpenUpload], int | None], None]
"""Raises an error if no upload may begin, given those in progress and the bytes that are free."""


class UploadWriter(Protocol):
    """An upload that is locked for one request, which appends to it."""

    @property
    def offset(self) -> int:
        """The offset of the next byte."""

    async def write(self, data: bytes) -> None:
        """Append; raises `DiskFullError` and keeps the bytes that did fit."""

    async def sync(self) -> None:
        """Make everything that was written durable."""

    async def begin_unverified(self) -> None:
        """Begin bytes that do not count until `verified`, not even after a crash."""

    async def verified(self) -> None:
        """Sync what was written and count it as verified."""

    async def roll_back(self) -> None:
        """Discard the bytes written since `begin_unverified`, unless they are verified."""


class UploadStorage(Protocol):
    """Storage of uploads until the library has them."""

    async def start(self) -> None:
        """Clean up after an earlier process."""

    async def create(
        self,
        length: int | None,
        metadata: dict[str, str],
        site_id: int | None,
        key: str,
        admit: Admit,
    ) -> Upload:
        """Begin an upload; raise `DiskFullError` or what `admit` raises.

        No other upload begins between `admit` and the new one.
        """

    async def find(self, upload_id: str) -> Upload | None: ...
    async def unfinished(self) -> list[OpenUpload]: ...
    async def free_bytes(self) -> int | None:
        """Return the bytes that the storage can still take, `None` if there is no limit."""

    async def save(self, upload: Upload) -> None:
        """Save a changed description of an upload."""

    async def is_open(self, upload: Upload) -> bool:
        """Whether its bytes are still here; the library has them otherwise."""

    async def synced_offset(self, upload: Upload) -> int:
        """Return the offset, below which everything is durable and verified."""

    async def expires_at(self, upload: Upload) -> float:
        """Return when the upload expires, in seconds since the epoch."""

    def opened(self, upload: Upload) -> AbstractAsyncContextManager[UploadWriter]:
        """Lock the upload for appending; raises `BusyError`, also if it has just been stored."""

    def whole(self, upload: Upload) -> AbstractAsyncContextManager[Path]:
        """Return a file with all bytes of an open upload, for reading and for the library."""

    async def finish(self, upload: Upload, sha256: str, entry: Entry | None) -> Upload:
        """Save that the library has the upload as `entry`, or discard its bytes if it has not."""

    async def discard(self, upload: Upload) -> None:
        """Forget an upload; raises `BusyError`."""

    async def remove(self, upload: Upload) -> None:
        """Forget an upload that is locked by the caller, or stored."""

    async def sweep(self, now: float) -> int:
        """Discard expired uploads and what crashes left; return the number of uploads."""


class Stamped(msgspec.Struct, frozen=True):
    """A recording, and the version of its description in the storage."""

    entry: Entry
    stamp: int


class RecordingStorage(Protocol):
    """Storage of complete recordings."""

    @property
    def name(self) -> str:
        """The name of this storage among those whose libraries share a database."""

    async def changes(self, known: Mapping[Key, int]) -> tuple[list[Stamped], list[Key]]:
        """Return the recordings whose stamp is another, and the keys of those that are gone."""

    async def adopt(self, entry: Entry, info: MediaInfo, upload_id: str, file: Path) -> Stamped:
        """Take a whole upload over, which is in `file`.

        Return the recording of that id as it is stored; raise `RefusedError` if it is another one.
        """

    async def adopted(self, site_id: int, recording_id: str) -> Stamped | None:
        """Return a recording that was taken over, though perhaps the library was not told."""

    async def hold(self, entry: Entry, *, is_held: bool) -> Stamped:
        """Put a recording on legal hold, or release it; raises `KeyError` if it is gone."""

    async def delete(self, entry: Entry) -> None:
        """Delete a recording for good; raises `HeldError`. A missing one is ignored."""

    async def media_info(self, entry: Entry) -> MediaInfo: ...
    def opened(self, entry: Entry) -> AbstractAsyncContextManager[Path]:
        """Return the recording as a file of this machine."""

    async def download(
        self, entry: Entry, request: Request, name: str, headers: Mapping[str, str]
    ) -> Response:
        """Return the answer to a request for a recording or ranges of it."""


class ObjectStore(Protocol):
    """Objects of a bucket, by key; every method raises `StorageUnavailableError`.

    A multipart upload becomes an object of the parts that are given on its completion.
    """

    @property
    def name(self) -> str:
        """The name of the bucket and the prefix, the same on every node."""

    async def is_there(self) -> bool:
        """Whether the bucket exists and accepts the credentials; if not, the log says why."""

    async def begin_multipart(self, key: str) -> str: ...
    async def put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> str:
        """Store a part and return its ETag; raises `DiskFullError`, `ObjectMissingError`."""

    async def complete_multipart(
        self, key: str, multipart_id: str, parts: Sequence[tuple[int, str]]
    ) -> None:
        """Make an object of parts, each given by its number and ETag; raises `ObjectMissingError`.

        The error may also mean that the multipart upload was completed already.
        """

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        """Discard the parts of a multipart upload; a missing one is ignored."""

    async def put(self, key: str, data: bytes) -> None:
        """Store an object; raises `DiskFullError`."""

    async def size(self, key: str) -> int | None:
        """Return the size of an object; `None` if there is none."""

    async def read(self, key: str, start: int, size: int) -> bytes:
        """Return `size` bytes of an object from `start` on; raises `ObjectMissingError`."""

    async def delete(self, key: str) -> None:
        """Delete an object; a missing one is ignored."""

    async def delete_below(self, prefix: str) -> None:
        """Delete all objects whose keys begin with `prefix`."""

    def close(self) -> None: ...
