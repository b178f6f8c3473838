"""Uploads to an archive on an object store, as the database describes them."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class UploadState(StrEnum):
    """State of an upload: only an open one may become adopted or removed."""

    OPEN = "open"
    ADOPTED = "adopted"
    """Its object belongs to a recording, or did until the recording was deleted."""
    REMOVED = "removed"
    """Its parts and its object are being deleted."""


class StoredUpload(msgspec.Struct, frozen=True, kw_only=True):
    """An upload and how much of it is stored.

    Times are seconds since the epoch by the database's clock. `offset` is the number of bytes that
    are stored and acknowledged; `part_size` the size of each part but the last. `multipart_id` is
    the object store's name of the multipart upload, once there is one.
    """

    id: str
    site_id: int | None
    key: str
    length: int | None
    metadata: dict[str, str]
    part_size: int
    created_at: float = 0.0
    changed_at: float = 0.0
    offset: int = 0
    multipart_id: str | None = None
    state: UploadState = UploadState.OPEN
    sha256: str | None = None


class UploadPiece(msgspec.Struct, frozen=True, kw_only=True):
    """Stored bytes of an upload: a part of the multipart upload, or an object of their own.

    A part has `number` and `etag`. An object, `object_key`, contains the bytes at the end of a
    request that do not fill a part; they are stored again as the beginning of the next part.
    """

    offset: int
    size: int
    number: int | None = None
    etag: str | None = None
    object_key: str | None = None


class UploadLease(msgspec.Struct, frozen=True):
    """The right to write to an upload until another request has a higher `epoch`."""

    epoch: int
    upload: StoredUpload
    pieces: tuple[UploadPiece, ...]


class RecordingObject(msgspec.Struct, frozen=True):
    """The object of a recording; `media_info` as JSON."""

    key: str
    media_info: str
