"""Admission of new uploads: quotas of sites and keys, and space on the disk."""

from __future__ import annotations

from typing import Final

import msgspec

from visavis.archive.library import SITE, Library
from visavis.archive.ports import DiskFullError, OpenUpload, Upload, UploadStorage
from visavis.archive.tus_headers import TusError
from visavis.archive.upload_keys import UploadKeyHolder

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

    def __init__(self, uploads: UploadStorage, library: Library, quota: Quota) -> None:
        self._uploads = uploads
        self._library = library
        self._quota = quota

    async def create(
        self, length: int | None, metadata: dict[str, str], uploader: UploadKeyHolder
    ) -> Upload:
        """Begin an upload; raise `TusError` or `DiskFullError`."""
        site, begun, stored = metadata.get("site", "1"), list[OpenUpload](), 0
        if self._quota.site_bytes and SITE.fullmatch(site):
            # these first: one that arrives meanwhile is counted twice instead of not at all
            begun = await self._uploads.unfinished()
            stored = await self._library.stored_bytes(int(site))

        def admit(open_uploads: list[OpenUpload], free: int | None) -> None:
            self._check_key(uploader, open_uploads)
            known = {one.upload.id: one for one in (*begun, *open_uploads)}
            self._check_site(site, length or 0, stored, list(known.values()))
            if free is not None and (length or 0) > _available(free, open_uploads):
                raise DiskFullError

        key = uploader.key
        return await self._uploads.create(length, metadata, uploader.site_id, key, admit)

    async def has_room(self) -> bool:
        """Whether there is free space that no unfinished upload has reserved."""
        free = await self._uploads.free_bytes()
        return free is None or _available(free, await self._uploads.unfinished()) > 0

    def _check_key(self, uploader: UploadKeyHolder, open_uploads: list[OpenUpload]) -> None:
        most = self._quota.uploads_per_key
        owner = (uploader.site_id, uploader.key)
        begun = sum((one.upload.site_id, one.upload.key) == owner for one in open_uploads)
        # our own recorder begins another upload only after the one before, for each place
        if most and uploader.site_id is not None and begun >= most:
            sentence = f"The key has {begun} unfinished uploads: finish or terminate some."
            raise TusError(429, sentence, **{"Retry-After": str(RETRY_SECONDS)})

    def _check_site(
        self, site: str, length: int, stored: int, open_uploads: list[OpenUpload]
    ) -> None:
        most = self._quota.site_bytes
        if not most:
            return
        begun = sum(
            one.offset if one.upload.length is None else one.upload.length
            for one in open_uploads
            if one.upload.metadata.get("site", "1") == site
        )
        if stored + begun + length > most:
            raise TusError(
                507, f"The site may store {most} bytes, and already stores {stored + begun}."
            )


def _available(free: int, open_uploads: list[OpenUpload]) -> int:
    """Return the free space that no unfinished upload has reserved."""
    reserved = sum(max(0, (one.upload.length or 0) - one.offset) for one in open_uploads)
    return free - RESERVE_BYTES - reserved
