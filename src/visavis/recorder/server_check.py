"""Check whether a recording server accepts recordings, by the upload of a small test file."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
import tempfile
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

from visavis.domain.delivery_status import RecordingServer, ServerCheck
from visavis.domain.recording import MATROSKA, Delivery, Manifest
from visavis.outbound.errors import DeliveryError
from visavis.outbound.http import HttpClient
from visavis.recorder.tus_protocol import TUS, ServerCapabilities
from visavis.recorder.tus_upload import RecordingUpload, TusUploader

CHECK_SECONDS: Final = 15.0
MAX_CHECKS: Final = 4
FIRST_PIECE: Final = 1024
"""Size of the first request, so that the server has to report and continue a partial upload."""
FILE_BYTES: Final = FIRST_PIECE + 1024 * 1024 + 64 * 1024
"""Size of the test file. The second request exceeds 1 MiB, the default body limit of nginx."""
TEST_KEY: Final = "test"
"""Metadata key of the test file; our archive confirms such a file without keeping it."""

_EBML: Final = bytes.fromhex(
    "1a45dfa3 a3 4286810142f7810142f2810442f381084282886d6174726f736b61 42878104 42858102"
)
"""EBML header of an empty Matroska file, because servers may check the type of a file."""


class _Result(NamedTuple):
    capabilities: ServerCapabilities
    request_limit: int | None
    is_removed: bool


class RecordingServerChecker:
    """Checks up to `MAX_CHECKS` servers at once; implements `services.ports.RecordingServers`."""

    def __init__(self, uploader: TusUploader) -> None:
        self._uploader = uploader
        self._places = asyncio.Semaphore(MAX_CHECKS)

    async def check(self, site_id: int, server: RecordingServer) -> ServerCheck:
        """Upload a small file like a recording, then remove it if the server supports that.

        Never raises: the result says what failed.
        """
        if not server.url:
            return ServerCheck(False, "There is no URL to test.")
        name = f"visavis-test-{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(CHECK_SECONDS), self._places:
                result = await self._exchange(site_id, server, name)
        except DeliveryError as error:
            return ServerCheck(False, str(error))
        except TimeoutError:
            return ServerCheck(
                False, f"The recording server took longer than {CHECK_SECONDS:.0f} s."
            )
        except OSError as error:
            return ServerCheck(
                False, f"This machine could not write the test file: {error.strerror}."
            )
        return ServerCheck(
            True,
            _describe_success(result, name),
            extensions=tuple(sorted(result.capabilities.extensions)),
            has_checksums=result.capabilities.checksum is not None,
        )

    async def _exchange(self, site_id: int, server: RecordingServer, name: str) -> _Result:
        directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="visavis-test-"))
        try:
            delivery = await asyncio.to_thread(_write_file, directory)
            async with self._uploader.client(server) as client:
                manifest = _manifest(site_id, name)
                upload = self._uploader.upload(client, directory, manifest, delivery, server)
                capabilities, url = await _upload(upload)
                is_removed = "termination" in capabilities.extensions and await _remove(client, url)
        finally:
            await asyncio.to_thread(shutil.rmtree, directory)
        return _Result(capabilities, self._uploader.limits.limit(server.url), is_removed)


async def _upload(upload: RecordingUpload) -> tuple[ServerCapabilities, str]:
    """Upload the whole test file; return the server's capabilities and the upload's URL."""
    upload.metadata[TEST_KEY] = "true"
    capabilities = await upload.begin()
    url, offset = await upload.create()
    offset = await upload.append(url, offset, _ignore, FIRST_PIECE)
    if offset != FIRST_PIECE:
        raise DeliveryError("The recording server accepted a piece but does not have it.")
    if await upload.read_offset(url) != offset:
        raise DeliveryError("The recording server lost a piece that it had accepted.")
    await upload.send_rest(url, offset, _ignore)
    return capabilities, url


async def _remove(client: HttpClient, url: str) -> bool:
    response = await client.request("DELETE", url, TUS)
    return response.status_code in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}


def _write_file(directory: Path) -> Delivery:
    void = FILE_BYTES - len(_EBML) - 9  # The ID and the size of the Void element take 9 bytes.
    content = _EBML + b"\xec\x01" + void.to_bytes(7, "big") + bytes(void)
    (directory / MATROSKA).write_bytes(content)
    return Delivery(sha256=hashlib.sha256(content).hexdigest(), size=len(content), duration=1.0)


def _manifest(site_id: int, name: str) -> Manifest:
    return Manifest(
        recording_id=name,
        site_id=site_id,
        call_id=name,
        media="video",
        visitor_name="Visavis test",
        agent_name="",
        started_at=datetime.now(UTC),
    )


def _ignore(_: int) -> None:
    """Ignore the progress of the test file."""


def _describe_success(result: _Result, name: str) -> str:
    capabilities = result.capabilities
    sentences = [
        "This recording server accepts recordings.",
        f"It checks every piece ({capabilities.checksum})."
        if capabilities.checksum
        else "It offers no checksums: only the length of the file is checked.",
    ]
    if result.request_limit:
        sentences.append(
            "It, or a proxy in front of it, limits the size of a request: recordings are sent in "
            f"pieces of {result.request_limit} bytes."
        )
    if capabilities.max_size:
        sentences.append(f"It accepts files of at most {capabilities.max_size} bytes.")
    if not result.is_removed:
        sentences.append(f"It did not remove the test file: delete {name}.mkv there.")
    return " ".join(sentences)
