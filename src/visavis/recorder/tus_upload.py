"""Uploader of recordings by tus 1.0, which resumes interrupted uploads."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import httpx2
import msgspec
import structlog

from visavis.domain.delivery_status import RecordingServer
from visavis.domain.recording import MATROSKA, Delivery, Manifest
from visavis.local_socket import require_private_directory
from visavis.outbound.errors import DeliveryError, refusal
from visavis.outbound.http import Body, HttpClient
from visavis.recorder.tus_protocol import (
    TUS,
    ServerCapabilities,
    create,
    encode_metadata,
    read_capabilities,
    read_upload_offset,
)
from visavis.spool import reader as spool_reader

log = structlog.get_logger(__name__)

READ_BYTES: Final = 1024 * 1024
PATCH_BYTES: Final = 64 * 1024 * 1024
CHECKED_PATCH_BYTES: Final = 16 * 1024 * 1024
"""Smaller than `PATCH_BYTES`, as one wrong byte makes the client repeat the whole request."""
MIN_PATCH_BYTES: Final = 64 * 1024
"""Requests are never made smaller: a server that rejects this size is misconfigured."""
MAX_REMEMBERED_LIMITS: Final = 1024
MAX_BREAKS: Final = 3
"""After this many consecutive interruptions of the same request, its size is halved."""
MAX_REFUSALS: Final = 3
"""After this many consecutive requests without progress, the upload fails."""
CONFIRMATION: Final = "visavis-sha256"
MAX_MISSING_LENGTH: Final = 1000
"""Maximum length of the metadata `missing`, as servers and proxies limit the size of a header."""

OnProgress = Callable[[int], None]
"""Called with the number of bytes of the file that have been sent."""

_GONE: Final = frozenset({403, 404, 410})
_MOVED_ON, _TOO_LARGE, _LOCKED, _MISMATCH = 409, 413, 423, 460


class RequestSizeLimits:
    """Largest request bodies that recording servers accept, by URL, learned from rejections.

    Proxies limit the size of a request body (nginx to 1 MiB by default), and tus has no header to
    announce such a limit. Only the limits of the most recently used servers are remembered.
    """

    def __init__(self) -> None:
        self._limits: OrderedDict[str, int] = OrderedDict()
        self._breaks: OrderedDict[tuple[str, int, int], int] = OrderedDict()

    def limit(self, server_url: str) -> int | None:
        """Return the largest accepted body in bytes, or `None` if no limit is known."""
        return self._limits.get(server_url)

    def lower(self, server_url: str, limit: int) -> None:
        """Remember that the server rejected a body of more than `limit` bytes."""
        self._limits[server_url] = limit
        self._limits.move_to_end(server_url)
        while len(self._limits) > MAX_REMEMBERED_LIMITS:
            self._limits.popitem(last=False)
        log.info("recording server limits requests", server_url=server_url, piece_bytes=limit)

    def break_off(self, upload_url: str, offset: int, length: int) -> None:
        """Count a request during which the connection was lost."""
        piece = upload_url, offset, length
        self._breaks[piece] = self._breaks.pop(piece, 0) + 1
        while len(self._breaks) > MAX_REMEMBERED_LIMITS:
            self._breaks.popitem(last=False)

    def shorten(self, server_url: str, upload_url: str, offset: int, length: int) -> int:
        """Return the length of the next request, halved if the same one was interrupted too often.

        Some servers and proxies reset the connection instead of responding with 413.
        """
        if self._breaks.get((upload_url, offset, length), 0) < MAX_BREAKS:
            return length
        if length > MIN_PATCH_BYTES:
            length = max(MIN_PATCH_BYTES, length // 2)
            self.lower(server_url, length)
        return length


class TusUploader:
    """Delivers recordings to any tus server. Only the built-in archive receives `archive_key`.

    With `archive_socket`, the built-in archive is reached over this Unix socket instead of its
    public URL, so that neither its certificate nor a proxy can interrupt deliveries.
    """

    def __init__(
        self,
        *,
        archive_url: str,
        archive_key: Callable[[], str],
        allow_private: bool,
        archive_socket: Path | None = None,
    ) -> None:
        self._archive_socket = archive_socket
        self._archive_url = archive_url
        self._archive_key = archive_key
        self._allow_private = allow_private
        self.limits: Final = RequestSizeLimits()

    async def deliver(
        self,
        directory: Path,
        manifest: Manifest,
        server: RecordingServer,
        on_progress: OnProgress = lambda _: None,
    ) -> None:
        """Upload a recording; returns once the server has the whole file.

        Raises `DeliveryError`. The upload's URL is stored in the spool, so after a crash another
        call resumes the upload.
        """
        if not server.url:
            raise DeliveryError("The site has no recording server.", is_servers=True)
        delivery = await asyncio.to_thread(spool_reader.read_delivery, directory)
        if delivery is None:
            raise DeliveryError("The recording has not been made into a file yet.")
        if delivery.is_uploaded and delivery.server_url == server.url:
            return  # The process ended before the delivery was saved in the database.
        async with self.client(server) as client:
            await self.upload(client, directory, manifest, delivery, server).complete(on_progress)

    def upload(
        self,
        client: HttpClient,
        directory: Path,
        manifest: Manifest,
        delivery: Delivery,
        server: RecordingServer,
    ) -> RecordingUpload:
        """Return the upload of a file in the spool to a server."""
        upload = RecordingUpload(client, directory, manifest, delivery, server.url, self.limits)
        upload.must_confirm = self.is_archive(server.url)
        return upload

    def client(self, server: RecordingServer) -> HttpClient:
        """Return an HTTP client for a recording server, with its credentials."""
        is_archive = self.is_archive(server.url)
        if is_archive and self._archive_socket:
            _require_own_socket(self._archive_socket)
        return HttpClient(
            bearer=self._archive_key() if is_archive else server.secret,
            allow_private=self._allow_private or is_archive,
            socket=self._archive_socket if is_archive else None,
        )

    def is_archive(self, url: str) -> bool:
        """Whether a URL is that of the built-in archive."""
        return bool(self._archive_url) and url == self._archive_url


def _require_own_socket(archive_socket: Path) -> None:
    try:
        require_private_directory(archive_socket.parent)
    except OSError as error:
        sentence = f"The built-in recording server cannot be reached: {error.strerror}."
        raise DeliveryError(sentence, is_servers=True) from None


class RecordingUpload:
    """Upload of one recording to one server.

    With `must_confirm`, the server must return the SHA-256 of the file that it has stored.
    """

    def __init__(
        self,
        client: HttpClient,
        directory: Path,
        manifest: Manifest,
        delivery: Delivery,
        server_url: str,
        limits: RequestSizeLimits,
    ) -> None:
        self._client = client
        self._directory = directory
        self._manifest = manifest
        self._delivery = delivery
        self._server_url = server_url
        self._limits = limits
        self._checksum: str | None = None
        self._confirmed: str | None = None
        self.metadata = metadata(manifest, delivery)
        self.must_confirm = False

    async def complete(self, on_progress: OnProgress) -> None:
        """Send the rest of the file, and record in the spool that the server has all of it.

        The response to the last PATCH is the proof of that. A HEAD request is not used, because a
        server may move a finished upload away at once.
        """
        await self.begin()
        url, offset = await self._resume() or await self.create()
        await self.send_rest(url, offset, on_progress)
        self._delivery = msgspec.structs.replace(self._delivery, is_uploaded=True)
        await asyncio.to_thread(spool_reader.write_delivery, self._directory, self._delivery)

    async def begin(self) -> ServerCapabilities:
        """Read the server's capabilities; raise `DeliveryError` if the file is too large for it."""
        capabilities = await read_capabilities(self._client, self._server_url)
        self._checksum = capabilities.checksum
        capabilities.require_size(self._delivery.size)
        return capabilities

    async def send_rest(self, url: str, offset: int, on_progress: OnProgress) -> None:
        """Send everything from `offset` on; return once the server has acknowledged all of it."""
        refusals = 0
        while offset < self._delivery.size or not self._is_confirmed():
            on_progress(offset)
            before, offset = offset, await self.append(url, offset, on_progress)
            refusals = 0 if offset > before else refusals + 1
            if refusals == MAX_REFUSALS:
                raise DeliveryError("The recording server does not accept the file.")
        on_progress(offset)

    async def _resume(self) -> tuple[str, int] | None:
        """Return the URL and offset of an earlier attempt, if the server still has it."""
        url = self._delivery.upload_url
        if url is None or self._delivery.server_url != self._server_url:
            return None
        response = await self._client.request("HEAD", url, TUS)
        if response.status_code in _GONE:
            return None
        offset = self._read_offset(response)
        length = response.headers.get("upload-length", str(self._delivery.size))
        is_ours = length == str(self._delivery.size) and offset <= self._delivery.size
        return (url, offset) if is_ours else None

    async def create(self) -> tuple[str, int]:
        """Create an upload; return its URL and offset."""
        headers = {
            **TUS,
            "Upload-Length": str(self._delivery.size),
            "Upload-Metadata": encode_metadata(self.metadata),
        }
        url = await create(self._client, self._server_url, headers)
        self._confirmed = None
        self._delivery = msgspec.structs.replace(
            self._delivery, server_url=self._server_url, upload_url=url, is_uploaded=False
        )
        await asyncio.to_thread(spool_reader.write_delivery, self._directory, self._delivery)
        return url, 0

    async def append(
        self, url: str, offset: int, on_progress: OnProgress, max_bytes: int | None = None
    ) -> int:
        """Send the next request, of at most `max_bytes` bytes; return the new upload offset.

        If the server rejects it as too large (413), its size is halved until the server accepts it.
        """
        max_bytes = max_bytes or (CHECKED_PATCH_BYTES if self._checksum else PATCH_BYTES)
        max_bytes = min(max_bytes, self._limits.limit(self._server_url) or max_bytes)
        length = min(max_bytes, self._delivery.size - offset)
        length = self._limits.shorten(self._server_url, url, offset, length)
        response = await self._send(url, offset, length, on_progress)
        while response.status_code == _TOO_LARGE and length > MIN_PATCH_BYTES:
            length = max(MIN_PATCH_BYTES, length // 2)
            self._limits.lower(self._server_url, length)
            response = await self._send(url, offset, length, on_progress)
        if response.status_code == _TOO_LARGE:
            raise refusal(f"takes no request of {length} bytes", response)
        if response.status_code in {_MOVED_ON, _MISMATCH}:
            # The offset or the checksum was wrong: ask the server for the current offset.
            return await self.read_offset(url)
        if response.status_code in _GONE | {_LOCKED}:
            raise refusal("no longer takes this upload", response)
        return self._read_offset(response, 204, 200)

    async def read_offset(self, url: str) -> int:
        """Ask the server for the current offset of the upload."""
        return self._read_offset(await self._client.request("HEAD", url, TUS))

    async def _send(
        self, url: str, offset: int, length: int, on_progress: OnProgress
    ) -> httpx2.Response:
        headers = {
            **TUS,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
        }
        if self._checksum and length:
            file = self._directory / MATROSKA
            digest = await asyncio.to_thread(digest_of, file, offset, length, self._checksum)
            headers["Upload-Checksum"] = f"{self._checksum} {base64.b64encode(digest).decode()}"
        body = self._body(offset, length, on_progress)
        try:
            return await self._client.request("PATCH", url, headers, body, length)
        except DeliveryError as error:
            if error.is_broken_off:
                self._limits.break_off(url, offset, length)
            raise

    def _read_offset(self, response: httpx2.Response, *expected: int) -> int:
        offset = read_upload_offset(response, *(expected or (200, 204)))
        self._confirmed = response.headers.get(CONFIRMATION)
        return offset

    def _is_confirmed(self) -> bool:
        """Whether the server has returned the SHA-256 of the whole file, if it must.

        Our archive returns it once the file is verified and stored, also in response to an empty
        PATCH. Raises `DeliveryError` if the SHA-256 differs from that of the file.
        """
        if self._confirmed is None:
            return not self.must_confirm
        if self._confirmed != self._delivery.sha256:
            raise DeliveryError(
                "The file on the recording server differs from the one that was sent."
            )
        return True

    def _body(self, offset: int, length: int, on_progress: OnProgress) -> Body:
        async def read() -> AsyncIterator[bytes]:
            with (self._directory / MATROSKA).open("rb") as file:
                file.seek(offset)
                at, end = offset, offset + length
                while at < end and (data := await asyncio.to_thread(file.read, READ_BYTES)):
                    piece = data[: end - at]
                    yield piece
                    at += len(piece)
                    on_progress(at)

        return read


def digest_of(path: Path, offset: int, length: int, algorithm: str) -> bytes:
    """Return the digest of a part of a file. Blocks."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        file.seek(offset)
        while length > 0 and (data := file.read(min(READ_BYTES, length))):
            digest.update(data)
            length -= len(data)
    return digest.digest()


def metadata(manifest: Manifest, delivery: Delivery) -> dict[str, str]:
    """Return the metadata of an upload, which `docs/recording-server.md` describes."""
    known = {
        "site": str(manifest.site_id),
        "call": manifest.call_id,
        "recording": manifest.recording_id,
        "filename": f"{manifest.recording_id}.mkv",
        "filetype": "video/x-matroska",
        "sha256": delivery.sha256,
        "startedAt": manifest.started_at.isoformat(),
        "duration": f"{delivery.duration:.3f}",
        "media": manifest.media,
        "visitorName": manifest.visitor_name,
        "agentName": manifest.agent_name,
    }
    if delivery.missing:
        known["missing"] = "\n".join(delivery.missing)[:MAX_MISSING_LENGTH]
    return known
