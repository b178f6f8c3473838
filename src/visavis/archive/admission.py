"""Admission of new uploads: quotas of sites and keys, and space on the disk."""

from __future__ import annotations

import threading
from typing import Final

import msgspec

from visavis.archive.library import Library
from visavis.archive.tus_headers import TusError
from visavis.archive.upload_keys import UploadKeyHolder
from visavis.archive.uploads import DiskFullError, Upload, Uploads
from visavis.durable import free_bytes

RESERVE_BYTES: Final = 64 * 1024**2
"""Bytes that announced uploads must leave free, for the sidecars of others."""
RETRY_SECONDS: Final = 600


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a site's storage and of a key's unfinished uploads; 0 is no limit."""

    site_bytes: int = 0
    uploads_per_key: int = 0


class Admission:
    """Begins uploads for which there is room.

    An upload reserves its whole length from its first request on: otherwise any number of uploads
    is accepted that together exceed the disk, and all of them fail later.
    """

    def __init__(self, uploads: Uploads, library: Library, quota: Quota) -> None:
        self._uploads = uploads
        self._library = library
        self._quota = quota
        self._admitting = threading.Lock()

    def create(
        self, length: int | None, metadata: dict[str, str], uploader: UploadKeyHolder
    ) -> Upload:
        """Begin an upload; raise `TusError` or `DiskFullError`."""
        with self._admitting:
            open_uploads = self._uploads.unfinished()
            self._check_key(uploader, open_uploads)
            self._check_site(metadata.get("site", "1"), length or 0, open_uploads)
            if (length or 0) > self.available_bytes():
                raise DiskFullError
            return self._uploads.create(length, metadata, uploader.site_id, uploader.key)

    def available_bytes(self) -> int:
        """Return the free space that no unfinished upload has reserved."""
        reserved = sum(
            max(0, (upload.length or 0) - self._uploads.offset(upload))
            for upload in self._uploads.unfinished()
        )
        return free_bytes(self._uploads.directory) - RESERVE_BYTES - reserved

    def _check_key(self, uploader: UploadKeyHolder, open_uploads: list[Upload]) -> None:
        most = self._quota.uploads_per_key
        owner = (uploader.site_id, uploader.key)
        begun = sum((upload.site_id, upload.key) == owner for upload in open_uploads)
        # our own recorder begins another upload only after the one before, for each place
        if most and uploader.site_id is not None and begun >= most:
            sentence = f"The key has {begun} unfinished uploads: finish or terminate some."
            raise TusError(429, sentence, **{"Retry-After": str(RETRY_SECONDS)})

    def _check_site(self, site: str, length: int, open_uploads: list[Upload]) -> None:
        most = self._quota.site_bytes
        if not most:
            return
        stored = sum(entry.size for entry in self._library.all() if str(entry.site_id) == site)
        begun = sum(
            self._uploads.offset(upload) if upload.length is None else upload.length
            for upload in open_uploads
            if upload.metadata.get("site", "1") == site
        )
        if stored + begun + length > most:
            raise TusError(
                507, f"The site may store {most} bytes, and already stores {stored + begun}."
            )
