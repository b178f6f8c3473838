"""HTTP client for URLs that users configure: permitted addresses only, bounded time and size."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx2

from visavis.local_socket import require_private_directory
from visavis.outbound.address_guard import ForbiddenAddressError, vetted_addresses
from visavis.outbound.errors import (
    CONNECT_SECONDS,
    SILENCE_SECONDS,
    DeliveryError,
    connection_error,
)

MAX_RESPONSE_BYTES: Final = 64 * 1024
TIMEOUT: Final = httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
RESPONSE_SECONDS: Final = 120.0
SLOWEST_RATE: Final = 4096
"""Minimum bytes per second; a slower server would occupy an upload slot forever."""

Body = Callable[[], AsyncIterator[bytes]]
"""Function that returns a new iterator over the body for each attempt."""


class HttpClient:
    """HTTP client for one recording server.

    Unless `allow_private`, connections to private networks are refused. With `socket`, every
    request goes to this Unix socket instead, in plain HTTP.
    """

    def __init__(
        self,
        *,
        bearer: str | None,
        allow_private: bool,
        socket: Path | None = None,
        timeout: httpx2.Timeout = TIMEOUT,
    ) -> None:
        self._bearer = bearer
        self._allow_private = allow_private
        self._is_local = socket is not None
        # no proxy and no netrc from the environment: both would bypass the address guard
        self._client = httpx2.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            transport=_local_transport(socket) if socket else None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None = None,
        length: int = 0,
    ) -> httpx2.Response:
        """Send a request with a body of `length` bytes; return the response without its body.

        Raises `DeliveryError`.
        """
        target = read_url(url)
        try:
            async with asyncio.timeout(RESPONSE_SECONDS + length / SLOWEST_RATE):
                return await self._request(method, target, headers, body)
        except ForbiddenAddressError as error:
            raise DeliveryError(f"The recording server {error}", is_servers=True) from None
        except httpx2.HTTPError as error:
            raise connection_error(error) from error
        except TimeoutError:
            raise DeliveryError("The recording server is too slow.", is_servers=True) from None
        except OSError as error:
            raise DeliveryError(
                f"The recording server {target.host} cannot be found: {error.strerror or error}.",
                is_servers=True,
            ) from None

    async def _request(
        self, method: str, target: httpx2.URL, headers: Mapping[str, str], body: Body | None
    ) -> httpx2.Response:
        if self._is_local:
            return await self._send(
                method, target.copy_with(scheme="http"), target.host, headers, body
            )
        port = target.port or (443 if target.scheme == "https" else 80)
        addresses = await vetted_addresses(target.host, port, allow_private=self._allow_private)
        for address in addresses[:-1]:
            try:
                return await self._send(method, target, address, headers, body)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._send(method, target, addresses[-1], headers, body)

    async def _send(
        self,
        method: str,
        target: httpx2.URL,
        address: str,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> httpx2.Response:
        sent = {"Accept-Encoding": "identity", **headers, "Host": target.netloc.decode("ascii")}
        if self._bearer:
            sent["Authorization"] = f"Bearer {self._bearer}"
        request = self._client.build_request(
            method,
            target.copy_with(host=address),
            headers=sent,
            content=body() if body else None,
            extensions={"sni_hostname": target.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            await _skip_body(response)
        finally:
            await response.aclose()
        return response


def read_url(url: str) -> httpx2.URL:
    """Parse a URL; raises `DeliveryError`."""
    try:
        target = httpx2.URL(url)
        is_usable = target.scheme in {"http", "https"} and bool(target.host)
    except (httpx2.InvalidURL, ValueError):
        is_usable = False
    if not is_usable:
        raise DeliveryError("The recording server has an invalid URL.", is_servers=True)
    return target


async def fetch(socket: Path, target: str) -> bytes:
    """Return the answer to a GET request to a process of ours; raises `OSError`."""
    require_private_directory(socket.parent)
    async with httpx2.AsyncClient(transport=_local_transport(socket), trust_env=False) as client:
        try:
            answer = await client.get(f"http://localhost{target}")
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise ConnectionError(f"{target}: {error}") from error
        return answer.content


def _local_transport(socket: Path) -> httpx2.AsyncHTTPTransport:
    """Return a transport to a Unix socket, which has no TLS.

    Its context trusts nobody: otherwise the event loop would read all certificate authorities of
    the machine, which takes 40 ms of each delivery.
    """
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.AsyncHTTPTransport(uds=str(socket), verify=nobody)


async def _skip_body(response: httpx2.Response) -> None:
    """Read a short body to its end, so that the connection can be used again."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MAX_RESPONSE_BYTES:
            return
