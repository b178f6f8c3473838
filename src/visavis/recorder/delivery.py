"""The tus 1.0 client: brings one file to a recording server, from wherever it stands."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2

from visavis.domain.recording import MATROSKA, Delivery, Manifest
from visavis.recorder import spool
from visavis.recorder.guard import ForbiddenAddressError, vetted_address

TUS: Final = {"Tus-Resumable": "1.0.0"}
READ_BYTES: Final = 1024 * 1024
PATCH_BYTES: Final = 64 * 1024 * 1024
TIMEOUT: Final = httpx2.Timeout(30.0, connect=10.0)
CONFIRMATION: Final = "visavis-sha256"


class DeliveryError(Exception):
    """Not delivered this time; the message says in words why."""

    def __init__(self, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Deliverer:
    """Delivers to any tus server; the archive's key goes to the built-in archive alone.

    `archive_certificate` is the file of the certificate by which the built-in archive is known,
    where it serves HTTPS itself: its name need not be the one that we dial.
    """

    def __init__(
        self,
        *,
        archive_url: str,
        archive_key: str,
        allow_private: bool,
        archive_certificate: str = "",
    ) -> None:
        self._archive_certificate = archive_certificate
        self._archive_url = archive_url
        self._archive_key = archive_key
        self._allow_private = allow_private

    async def deliver(self, directory: Path, manifest: Manifest, server_url: str) -> None:
        """Returns once the server has the whole file; raises `DeliveryError`.

        Where the upload stands is kept in the spool, so this may be killed and called again.
        """
        try:
            verify = self._trusted(server_url)
            async with httpx2.AsyncClient(
                timeout=TIMEOUT, follow_redirects=False, verify=verify
            ) as client:
                upload = _Upload(self, client, directory, manifest, server_url)
                await upload.complete()
        except ForbiddenAddressError as error:
            raise DeliveryError(str(error)) from None
        except httpx2.HTTPError as error:
            said = str(error) or type(error).__name__
            raise DeliveryError(f"The recording server cannot be reached: {said}.") from None
        except OSError as error:
            raise DeliveryError(f"The recording server cannot be found: {error}.") from None

    def _trusted(self, url: str) -> ssl.SSLContext | bool:
        if not self._archive_certificate or not self.is_archive(url):
            return True
        context = ssl.create_default_context(cafile=self._archive_certificate)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # this very one is trusted
        context.check_hostname = False
        return context

    def is_archive(self, url: str) -> bool:
        return bool(self._archive_url) and url == self._archive_url

    async def request(
        self,
        client: httpx2.AsyncClient,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: AsyncIterator[bytes] | None,
        *,
        is_archive: bool,
    ) -> httpx2.Response:
        """One request to the very address that the guard has let through."""
        address = await vetted_address(url, allow_private=self._allow_private or is_archive)
        parts = httpx2.URL(url)
        sent = {**TUS, **headers, "Host": urlsplit(url).netloc}
        if is_archive:
            sent["Authorization"] = f"Bearer {self._archive_key}"
        return await client.request(
            method,
            parts.copy_with(host=address),
            headers=sent,
            content=content,
            extensions={"sni_hostname": parts.host},
        )


class _Upload:
    """One recording on its way to one server."""

    def __init__(
        self,
        deliverer: Deliverer,
        client: httpx2.AsyncClient,
        directory: Path,
        manifest: Manifest,
        server_url: str,
    ) -> None:
        self._deliverer = deliverer
        self._client = client
        self._directory = directory
        self._manifest = manifest
        self._server_url = server_url
        self._is_archive = deliverer.is_archive(server_url)
        delivery = spool.read_delivery(directory)
        if delivery is None:
            raise DeliveryError("The recording is not muxed yet.")
        self._delivery = delivery

    async def complete(self) -> None:
        url, offset = await self._resume() or await self._create()
        while True:
            if offset == self._delivery.size and await self._is_confirmed(url):
                return
            offset = await self._append(url, offset)

    async def _resume(self) -> tuple[str, int] | None:
        """Where an earlier attempt at this server stands, if it still does."""
        url = self._delivery.upload_url
        if url is None or self._delivery.server_url != self._server_url:
            return None
        response = await self._ask("HEAD", url, {})
        if response.status_code in {403, 404, 410}:
            return None
        return url, _offset(response, 200, 204)

    async def _create(self) -> tuple[str, int]:
        headers = {
            "Upload-Length": str(self._delivery.size),
            "Upload-Metadata": _metadata(self._manifest, self._delivery),
        }
        response = await self._ask("POST", self._server_url, headers)
        location = response.headers.get("location")
        if response.status_code != 201 or not location:
            raise _refused("did not create an upload", response)
        url = urljoin(self._server_url, location)
        if urlsplit(url).netloc != urlsplit(self._server_url).netloc:
            raise DeliveryError("The recording server wants the upload at another server.")
        delivery = self._delivery
        self._delivery = Delivery(
            sha256=delivery.sha256,
            size=delivery.size,
            duration=delivery.duration,
            server_url=self._server_url,
            upload_url=url,
        )
        spool.write_delivery(self._directory, self._delivery)
        return url, 0

    async def _append(self, url: str, offset: int) -> int:
        length = min(PATCH_BYTES, self._delivery.size - offset)
        headers = {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
        }
        response = await self._ask("PATCH", url, headers, self._read(offset, length))
        if response.status_code == 409:
            return _offset(await self._ask("HEAD", url, {}), 200, 204)
        reached = _offset(response, 204, 200)
        if length and reached <= offset:
            raise DeliveryError("The recording server does not take the file.")
        return reached

    async def _is_confirmed(self, url: str) -> bool:
        """The whole file is there, and where the server tells its SHA-256, that is ours.

        Our archive tells it once the file is checked and stored; an empty PATCH makes it do so.
        """
        response = await self._ask("HEAD", url, {})
        if _offset(response, 200, 204) != self._delivery.size:
            return False
        told = response.headers.get(CONFIRMATION)
        if told is None and self._is_archive:
            return False
        if told is not None and told != self._delivery.sha256:
            raise DeliveryError("The recording server has another file than we sent.")
        return True

    async def _read(self, offset: int, length: int) -> AsyncIterator[bytes]:
        with (self._directory / MATROSKA).open("rb") as file:
            file.seek(offset)
            while length > 0 and (data := file.read(min(READ_BYTES, length))):
                length -= len(data)
                yield data

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: AsyncIterator[bytes] | None = None,
    ) -> httpx2.Response:
        return await self._deliverer.request(
            self._client, method, url, headers, content, is_archive=self._is_archive
        )


def _offset(response: httpx2.Response, *expected: int) -> int:
    value = response.headers.get("upload-offset", "")
    if response.status_code not in expected or not value.isdigit():
        raise _refused("did not say where the upload stands", response)
    return int(value)


def _refused(what: str, response: httpx2.Response) -> DeliveryError:
    after = response.headers.get("retry-after", "")
    said = f"{response.status_code} {response.reason_phrase}"
    return DeliveryError(
        f"The recording server {what}: it answered {said} where tus 1.0 has another answer.",
        float(after) if after.isdigit() else 0.0,
    )


def _metadata(manifest: Manifest, delivery: Delivery) -> str:
    values = {
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
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in values.items())
