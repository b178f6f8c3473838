"""The tus 1.0 server (https://tus.io/protocols/resumable-upload).

Extensions: creation, creation-with-upload, creation-defer-length, checksum, expiration,
termination. An answer that tells an offset is given only after everything below it is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from visavis.archive import tus_headers as h
from visavis.archive.admission import Admission, Quota
from visavis.archive.inspection import Inspector
from visavis.archive.library import Library, checked_sha256, read_ids
from visavis.archive.ports import (
    BusyError,
    DiskFullError,
    RefusedError,
    Upload,
    UploadLostError,
    UploadStorage,
    UploadWriter,
)
from visavis.archive.tus_headers import TusError
from visavis.archive.upload_body import receive
from visavis.archive.upload_keys import UploadKeyHolder, UploadKeys
from visavis.protocol.routes import Access

EXTENSIONS: Final = (
    "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination"
)
TEST_KEY: Final = "test"
"""Metadata key of files that only test whether recordings can be uploaded."""
SHA256_HEADER: Final = "Visavis-Sha256"
"""On answers about an upload that is whole, checked and stored: its SHA-256, as confirmation."""


OnRefused = Callable[[Request], Awaitable[None]]
"""Callback for a request with a key that is not valid."""


async def ignore_refusal(_request: Request) -> None:
    """Do nothing when a key is refused."""


async def is_never_disabled(_site_id: int) -> bool:
    """An archive without a database of sites."""
    return False


class TusServer:
    """The tus server: accepts recordings for the library from holders of a key."""

    def __init__(
        self,
        uploads: UploadStorage,
        library: Library,
        keys: UploadKeys,
        clock: Callable[[], float],
        quota: Quota,
        is_disabled: Callable[[int], Awaitable[bool]] = is_never_disabled,
        on_refused: OnRefused = ignore_refusal,
    ) -> None:
        """`is_disabled` says whether the keys of a site are refused."""
        self._is_disabled = is_disabled
        self._on_refused = on_refused
        self._uploads = uploads
        self._library = library
        self._keys = keys
        self._clock = clock
        self._inspector = Inspector()
        self._admission = Admission(uploads, library, quota)

    async def admit(self, request: Request, _: Access) -> UploadKeyHolder:
        """Return the holder of the request's key; raises `TusError`."""
        uploader = await self._require_key(request)
        if uploader.site_id is not None and await self._is_disabled(uploader.site_id):
            raise TusError(403, "The site of this key is disabled.")
        return uploader

    async def abilities(self, _: Request) -> Response:
        """Answer OPTIONS: the version and the extensions."""
        return _abilities()

    async def serve(self, request: Request, uploader: UploadKeyHolder) -> Response:
        """Answer a request of the holder of a key; raises `TusError`."""
        try:
            response = await self._perform(request, uploader)
        except BusyError:
            raise TusError(423, "Another request writes to this upload.") from None
        except DiskFullError:
            raise TusError(507, "The disk is full: try again later.") from None
        except UploadLostError:
            raise TusError(410, "The upload cannot go on: create another.") from None
        response.headers["Tus-Resumable"] = h.VERSION
        return response

    async def _perform(self, request: Request, uploader: UploadKeyHolder) -> Response:
        method = request.headers.get("x-http-method-override", request.method).upper()
        upload_id = request.path_params.get("upload_id")
        if method == "OPTIONS":
            return _abilities()
        if request.headers.get("tus-resumable") != h.VERSION:
            raise TusError(412, "This server supports tus 1.0.0.", **{"Tus-Version": h.VERSION})
        h.refuse_unknown_extensions(request)
        if upload_id is None:
            if method == "POST":
                return await self._create(request, uploader)
            raise TusError(405, "Create an upload with POST.", Allow="OPTIONS, POST")
        upload = await self._find(upload_id, uploader)
        match method:
            case "HEAD":
                return await self._head(upload)
            case "PATCH":
                return await self._patch(request, upload)
            case "DELETE":
                await self._uploads.discard(upload)
                return Response(status_code=204)
        raise TusError(405, "Use HEAD, PATCH or DELETE.", Allow="DELETE, HEAD, OPTIONS, PATCH")

    async def _require_key(self, request: Request) -> UploadKeyHolder:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        uploader = await self._keys.uploader(given.strip())
        if scheme.casefold() != "bearer" or not uploader:
            if given:
                await self._on_refused(request)
            challenge = {"WWW-Authenticate": 'Bearer realm="visavis archive"'}
            raise TusError(401, "Send the archive's key as a bearer token.", **challenge)
        return uploader

    async def _find(self, upload_id: str, uploader: UploadKeyHolder) -> Upload:
        upload = await self._uploads.find(upload_id)
        if upload is None or uploader.site_id not in {None, upload.site_id}:
            raise TusError(404, "There is no such upload.")
        if await self._uploads.expires_at(upload) <= self._clock():
            raise TusError(410, "The upload has expired: create another.")
        return upload

    async def _create(self, request: Request, uploader: UploadKeyHolder) -> Response:
        length = h.read_length(request)
        metadata = h.read_metadata(request)
        if uploader.site_id is not None:
            if metadata.get("site", str(uploader.site_id)) != str(uploader.site_id):
                raise TusError(403, "The key belongs to another site.")
            metadata["site"] = str(uploader.site_id)
        brings_body = request.headers.get("content-type") == h.BODY_TYPE
        checksum = h.read_checksum(request) if brings_body else None
        upload = await self._admission.create(length, metadata, uploader)
        async with self._uploads.opened(upload) as part:
            try:
                if brings_body:
                    await receive(request, part, _room(upload, part), checksum)
                upload = await self._stored(upload, part.offset)
            except (TusError, DiskFullError):
                await self._uploads.remove(upload)  # its URL has not been sent
                raise
            response = await self._described(upload, part.offset, 201)
        response.headers["Location"] = _location(request, upload)
        return response

    async def _head(self, upload: Upload) -> Response:
        """Answer HEAD; an upload is reported as complete only once the library has it.

        A process that received the last byte may have been killed before handing the file over,
        and a client that knows that the upload is complete does not come again.
        """
        offset = await self._uploads.synced_offset(upload)
        if offset == upload.length and not upload.sha256:
            if await self._uploads.is_open(upload):
                async with self._uploads.opened(upload):
                    upload = await self._stored(upload, offset)
            else:
                upload = await self._stored(upload, offset)
        return await self._described(upload, offset, 200)

    async def _patch(self, request: Request, upload: Upload) -> Response:
        h.require_body_type(request)
        checksum = h.read_checksum(request)
        offset = h.read_number(request, "upload-offset")
        if not await self._uploads.is_open(upload):
            if offset != upload.length:
                raise TusError(409, "The upload is complete.")
            return await self._described(await self._stored(upload, offset), offset, 204)
        async with self._uploads.opened(upload) as part:
            if offset != part.offset:
                raise TusError(409, "The upload is at another offset: ask with HEAD.")
            upload = await self._with_length(request, upload, offset)
            if upload.length is None and not await self._admission.has_room():
                raise DiskFullError
            await receive(request, part, _room(upload, part), checksum)
            upload = await self._stored(upload, part.offset)
            return await self._described(upload, part.offset, 204)

    async def _with_length(self, request: Request, upload: Upload, offset: int) -> Upload:
        """The upload with its length, where the client now tells it."""
        if "upload-length" not in request.headers:
            return upload
        length = h.checked_length(h.read_number(request, "upload-length"))
        if upload.length not in {None, length} or length < offset:
            raise TusError(400, "The upload already has another length.")
        if upload.length is None:
            upload = replace(upload, length=length)
            await self._uploads.save(upload)
        return upload

    async def _stored(self, upload: Upload, offset: int) -> Upload:
        """Hand the upload to the library if it is whole; raises 460 when its SHA-256 is another.

        An upload of nothing is whole, but no recording. The file of a test of the recording server
        is checked and confirmed, and then removed instead of kept.
        """
        if upload.sha256 or not upload.length or offset < upload.length:
            return upload
        try:
            if await self._uploads.is_open(upload):
                return await self._keep(upload)
            entry = await self._library.adopted(upload.metadata, upload.id)
        except RefusedError as refusal:
            await self._uploads.remove(upload)
            raise TusError(h.CHECKSUM_MISMATCH, str(refusal)) from None
        if entry is None:
            raise TusError(410, "The recording has been deleted.")
        return await self._uploads.finish(upload, entry.sha256, entry)

    async def _keep(self, upload: Upload) -> Upload:
        """Hand a whole upload to the library; raises `RefusedError`."""
        async with self._uploads.whole(upload) as file:
            entry, sha256 = None, await asyncio.to_thread(checked_sha256, upload.metadata, file)
            if upload.metadata.get(TEST_KEY) != "true":
                read_ids(upload.metadata, upload.id)
                info = await self._inspector.contents(file)
                entry = await self._library.keep(upload.metadata, upload.id, file, sha256, info)
        return await self._uploads.finish(upload, sha256, entry)

    async def _described(self, upload: Upload, offset: int, status: int) -> Response:
        headers = {
            "Upload-Offset": str(offset),
            "Upload-Expires": formatdate(await self._uploads.expires_at(upload), usegmt=True),
            "Cache-Control": "no-store",
        }
        if upload.length is None:
            headers["Upload-Defer-Length"] = "1"
        else:
            headers["Upload-Length"] = str(upload.length)
        if upload.metadata and status == 200:
            headers["Upload-Metadata"] = h.write_metadata(upload.metadata)
        if upload.sha256:
            headers[SHA256_HEADER] = upload.sha256
        return Response(status_code=status, headers=headers)


def _room(upload: Upload, part: UploadWriter) -> int:
    """Return how many bytes the upload may still receive."""
    return (h.MAX_SIZE if upload.length is None else upload.length) - part.offset


def _location(request: Request, upload: Upload) -> str:
    """The upload's URL, relative to the request's (RFC 9110 §10.2.2).

    A proxy may publish the archive below a path prefix of its own, which only the client knows.
    """
    _, _, last = request.url.path.rpartition("/")
    return f"{last}/{upload.id}" if last else upload.id


def _abilities() -> Response:
    headers = {
        "Tus-Resumable": h.VERSION,
        "Tus-Version": h.VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(h.MAX_SIZE),
        "Tus-Checksum-Algorithm": ",".join(h.ALGORITHMS),
    }
    return Response(status_code=204, headers=headers)
