"""Address guard against server-side request forgery by URLs that users configure."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Final

# RFC 6052 and RFC 8215: the last 32 bits are an IPv4 address to which a gateway connects.
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291 §2.5.5.1, deprecated
_SHARED: Final = IPv4Network("100.64.0.0/10")  # RFC 6598: carrier-grade NAT, overlay networks
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")  # RFC 1122: some systems treat it as themselves

METADATA: Final = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd20:ce::254",
        ),
    )
)
"""IP addresses of cloud metadata services, which hand out credentials; not all are link-local."""


class ForbiddenAddressError(Exception):
    """The recording server's IP address is not allowed; the message says why."""


async def vetted_addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Resolve a host once; return its permitted IP addresses in the resolver's order.

    Raises `ForbiddenAddressError` if any address is not permitted, `OSError` if the name does not
    resolve.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host[:80]} is no host name") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if reason := refusal_reason(address, allow_private=allow_private):
            raise ForbiddenAddressError(f"{host} is at {address}: {reason}")
    return addresses


def refusal_reason(text: str, *, allow_private: bool) -> str:
    """Return why connections to an IP address are not permitted; empty if they are."""
    address = _embedded(ip_address(text.partition("%")[0]))
    if address in METADATA or _is_never_allowed(address):
        return "recordings are never delivered there."
    if _is_public(address) or allow_private:
        return ""
    return (
        "recordings are not delivered to private networks, unless an operator allows them with "
        "--allow-private-recording-servers."
    )


def _is_never_allowed(address: IPv4Address | IPv6Address) -> bool:
    is_loopback_in_reserved = address.is_loopback  # ::1 is in a reserved block
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and not is_loopback_in_reserved)
        or (isinstance(address, IPv4Address) and address in _THIS_NETWORK)
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    is_shared = isinstance(address, IPv4Address) and address in _SHARED
    return address.is_global and not is_shared


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that is embedded in an IPv6 address, or the address itself."""
    if not isinstance(address, IPv6Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    is_gateway = any(address in network for network in _NAT64)
    if is_gateway or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
