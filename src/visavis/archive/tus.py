"""The tus 1.0 server (https://tus.io/protocols/resumable-upload): core, creation, termination."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import os
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from visavis.archive.library import Library, RefusedError
from visavis.archive.uploads import Upload, Uploads

VERSION: Final = "1.0.0"
MAX_SIZE: Final = 64 * 1024**3
MAX_METADATA_BYTES: Final = 8 * 1024
SYNC_BYTES: Final = 1024 * 1024
SHA256_HEADER: Final = "Visavis-Sha256"
"""On answers about an upload that is whole, checked and stored: its SHA-256, as confirmation."""

_CHECKSUM_MISMATCH: Final = 460


class TusError(Exception):
    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.response = PlainTextResponse(f"{sentence}\n", status, headers=headers)


class TusServer:
    """Takes recordings for a library from whoever has the key."""

    def __init__(self, uploads: Uploads, library: Library, key: str) -> None:
        self._uploads = uploads
        self._library = library
        self._key = key
        self._busy: set[str] = set()

    def routes(self, prefix: str) -> list[BaseRoute]:
        each = ["OPTIONS", "HEAD", "PATCH", "DELETE", "POST"]
        return [
            Route(prefix, self._serve, methods=["OPTIONS", "POST"]),
            Route(prefix + "/", self._serve, methods=["OPTIONS", "POST"]),
            Route(prefix + "/{upload_id}", self._serve, methods=each),
        ]

    async def _serve(self, request: Request) -> Response:
        try:
            response = await self._perform(request)
        except TusError as error:
            response = error.response
        response.headers["Tus-Resumable"] = VERSION
        return response

    async def _perform(self, request: Request) -> Response:
        method = request.headers.get("x-http-method-override", request.method).upper()
        upload_id = request.path_params.get("upload_id")
        if method == "OPTIONS":
            return _abilities()
        self._demand_key(request)
        if request.headers.get("tus-resumable") != VERSION:
            raise TusError(412, "This server speaks tus 1.0.0.", **{"Tus-Version": VERSION})
        if upload_id is None:
            if method == "POST":
                return await self._create(request)
            raise TusError(405, "Create an upload with POST.", Allow="OPTIONS, POST")
        upload = await asyncio.to_thread(self._uploads.find, upload_id)
        if upload is None:
            raise TusError(404, "There is no such upload.")
        match method:
            case "HEAD":
                return self._state(upload, 200)
            case "PATCH":
                return await self._append(request, upload)
            case "DELETE":
                await asyncio.to_thread(self._uploads.discard, upload)
                return Response(status_code=204)
        raise TusError(405, "Use HEAD, PATCH or DELETE.", Allow="DELETE, HEAD, OPTIONS, PATCH")

    def _demand_key(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        is_key = hmac.compare_digest(given.strip().encode(), self._key.encode())
        if scheme.casefold() != "bearer" or not is_key:
            challenge = {"WWW-Authenticate": 'Bearer realm="visavis archive"'}
            raise TusError(401, "Send the archive's key as a bearer token.", **challenge)

    async def _create(self, request: Request) -> Response:
        length = _number(request, "upload-length")
        if length > MAX_SIZE:
            raise TusError(413, f"An upload may have at most {MAX_SIZE} bytes.")
        metadata = _metadata(request.headers.get("upload-metadata", ""))
        upload = await asyncio.to_thread(self._uploads.create, length, metadata)
        location = f"{request.url.path.rstrip('/')}/{upload.id}"
        return Response(status_code=201, headers={"Location": location, "Upload-Offset": "0"})

    async def _append(self, request: Request, upload: Upload) -> Response:
        if request.headers.get("content-type") != "application/offset+octet-stream":
            raise TusError(415, "Send application/offset+octet-stream.")
        if upload.id in self._busy:
            raise TusError(423, "Another request writes to this upload.")
        self._busy.add(upload.id)
        try:
            if _number(request, "upload-offset") != self._uploads.offset(upload):
                raise TusError(409, "The upload stands at another offset: ask with HEAD.")
            if self._uploads.offset(upload) < upload.length:
                await self._receive(request, upload)
            if self._uploads.offset(upload) == upload.length and not upload.stored:
                upload = await self._finish(upload)
        finally:
            self._busy.discard(upload.id)
        return self._state(upload, 204)

    async def _receive(self, request: Request, upload: Upload) -> None:
        """Append the body; what arrives before the connection breaks is kept."""
        file = os.open(self._uploads.data(upload.id), os.O_WRONLY | os.O_APPEND)
        room = upload.length - os.fstat(file).st_size
        waiting = bytearray()
        try:
            async for chunk in request.stream():
                room -= len(chunk)
                if room < 0:
                    raise TusError(413, "That is more than the upload's length.")
                waiting += chunk
                if len(waiting) >= SYNC_BYTES:
                    await asyncio.to_thread(_append, file, bytes(waiting))
                    waiting.clear()
        except ClientDisconnect:
            raise TusError(400, "The connection broke.") from None
        finally:
            await asyncio.to_thread(_append, file, bytes(waiting))
            os.close(file)

    async def _finish(self, upload: Upload) -> Upload:
        try:
            entry = await asyncio.to_thread(
                self._library.keep, upload, self._uploads.data(upload.id)
            )
        except RefusedError as refusal:
            await asyncio.to_thread(self._uploads.discard, upload)
            raise TusError(_CHECKSUM_MISMATCH, str(refusal)) from None
        metadata = {**upload.metadata, "sha256": entry.sha256}
        stored = Upload(upload.id, upload.length, metadata, stored=True)
        await asyncio.to_thread(self._uploads.save, stored)
        return stored

    def _state(self, upload: Upload, status: int) -> Response:
        headers = {
            "Upload-Offset": str(self._uploads.offset(upload)),
            "Upload-Length": str(upload.length),
            "Cache-Control": "no-store",
        }
        if upload.stored:
            headers[SHA256_HEADER] = upload.metadata["sha256"]
        return Response(status_code=status, headers=headers)


def _abilities() -> Response:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination",
        "Tus-Max-Size": str(MAX_SIZE),
    }
    return Response(status_code=204, headers=headers)


def _append(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    os.fdatasync(file)


def _number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise TusError(400, f"{name.title()} must be a number of bytes.")
    return int(value)


def _metadata(header: str) -> dict[str, str]:
    """`key base64, key base64, key` (tus creation extension)."""
    if len(header) > MAX_METADATA_BYTES:
        raise TusError(413, "Upload-Metadata is too long.")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise TusError(400, "Upload-Metadata must be key base64 pairs.") from None
    return found
