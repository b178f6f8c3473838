"""Keeps deliveries away from addresses that a site's settings must not reach."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit


class ForbiddenAddressError(Exception):
    """The recording server is at an address we do not deliver to; the message says which."""


async def vetted_address(url: str, *, allow_private: bool) -> str:
    """Resolve the URL's host once, to an address that may be dialled.

    Raises `ForbiddenAddressError`; `OSError` when the name does not resolve.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not _may_dial(address, allow_private=allow_private):
            raise ForbiddenAddressError(
                f"{parts.hostname} is at {address}, where recordings are not delivered to; "
                "an operator can allow private networks with --allow-private-recording-servers."
            )
    return addresses[0]


def _may_dial(text: str, *, allow_private: bool) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False  # link-local holds the clouds' metadata services
    return address.is_global or (allow_private and (address.is_private or address.is_loopback))
