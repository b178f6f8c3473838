"""Client side of the tus 1.0 protocol (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import urljoin

import httpx2
import msgspec

from visavis.outbound.errors import DeliveryError, refusal
from visavis.outbound.http import HttpClient, read_url

VERSION: Final = "1.0.0"
TUS: Final = {"Tus-Resumable": VERSION}
CHECKSUMS: Final = ("sha256", "sha512", "sha1", "md5")
"""Checksum algorithms in order of preference; the first one that the server supports is used."""


class ServerCapabilities(msgspec.Struct, frozen=True):
    """Capabilities of a recording server (tus 1.0, OPTIONS)."""

    extensions: frozenset[str] = frozenset()
    checksum: str | None = None
    max_size: int | None = None

    def require_size(self, size: int) -> None:
        """Raise `DeliveryError` if a file of `size` bytes exceeds the server's Tus-Max-Size."""
        if self.max_size is not None and size > self.max_size:
            raise DeliveryError(
                f"The recording server accepts files of at most {self.max_size} bytes; "
                f"this one has {size}."
            )


async def read_capabilities(client: HttpClient, server_url: str) -> ServerCapabilities:
    """Return the server's capabilities; none if its response has no tus headers.

    Raises `DeliveryError` if the server is not reachable or supports only other versions of tus.
    """
    response = await client.request("OPTIONS", server_url, {})
    headers = response.headers
    versions = _listed(headers.get("tus-version") or VERSION)
    if VERSION not in versions:
        raise DeliveryError(
            "The recording server does not support tus 1.0.0, only other versions.", is_servers=True
        )
    extensions = frozenset(_listed(headers.get("tus-extension", "")))
    offered = _listed(headers.get("tus-checksum-algorithm", "sha1"))
    checksum = next((name for name in CHECKSUMS if name in offered), None)
    return ServerCapabilities(
        extensions,
        checksum if "checksum" in extensions else None,
        _size(headers.get("tus-max-size", "")),
    )


async def create(client: HttpClient, server_url: str, headers: dict[str, str]) -> str:
    """Create an upload and return its URL; raises `DeliveryError`."""
    response = await client.request("POST", server_url, headers)
    location = response.headers.get("location")
    if response.status_code != httpx2.codes.CREATED or not location:
        raise refusal("did not create an upload", response)
    return upload_url(server_url, location)


def upload_url(server_url: str, location: str) -> str:
    """Return the URL of a created upload; raises `DeliveryError` if it is on another server.

    A server behind a proxy that terminates TLS often returns a URL with http. In that case the
    scheme of `server_url`, https, is used.
    """
    server = read_url(server_url)
    try:
        target = read_url(urljoin(server_url, location))
    except ValueError:
        target = httpx2.URL()
    is_same_scheme = target.scheme == server.scheme and target.port == server.port
    is_behind_proxy = (target.scheme, server.scheme) == ("http", "https")
    if target.host != server.host or not (is_same_scheme or is_behind_proxy):
        raise DeliveryError(
            "The recording server sends the upload to another server, which does not "
            "receive the secret.",
            is_servers=True,
        )
    return str(server.copy_with(raw_path=target.raw_path, username="", password=""))


def read_upload_offset(response: httpx2.Response, *expected: int) -> int:
    """Return the `Upload-Offset` of a response with one of the expected status codes.

    Raises `DeliveryError` for any other response.
    """
    value = response.headers.get("upload-offset", "")
    is_number = value.isascii() and value.isdigit() and len(value) < 19
    if response.status_code not in expected or not is_number:
        raise refusal("did not say where the upload stands", response)
    return int(value)


def encode_metadata(values: dict[str, str]) -> str:
    """Return the value of `Upload-Metadata` (tus 1.0, creation): keys and base64-encoded values.

    Keys without a value are left out: tus allows them, but some servers reject them.
    """
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in values.items()
        if value
    )


def _size(text: str) -> int | None:
    """Parse a number of bytes; return `None` if it is invalid or 0, which means no limit."""
    is_number = text.isascii() and text.isdigit() and len(text) < 19
    return int(text) or None if is_number else None


def _listed(header: str) -> list[str]:
    return [word.strip() for word in header.casefold().split(",") if word.strip()]
