"""Remote address of a browser: a UDP address, or a TCP connection."""

from __future__ import annotations

import socket
from typing import Protocol

Address = tuple[str, int]
"""Host and port of an IP address."""


class Connection(Protocol):
    """TCP connection (RFC 6544). Each connection is a remote address of its own."""

    @property
    def peer(self) -> Address: ...
    def send(self, datagram: bytes) -> None: ...


UdpAddress = Address | tuple[str, int, int, int]
"""Address in the form of `socket.recvfrom`: two items for IPv4, four for IPv6."""

RemoteAddress = UdpAddress | Connection


def address_of(remote_address: RemoteAddress) -> Address:
    """Return the host and port of a remote address."""
    return remote_address[:2] if isinstance(remote_address, tuple) else remote_address.peer


def network_of(remote_address: RemoteAddress) -> bytes:
    """Return the source network for rate limits: an IPv4 address or an IPv6 /64 prefix."""
    host = address_of(remote_address)[0]
    if not host:
        return b""
    if ":" not in host:
        return socket.inet_aton(host)
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return packed[12:] if packed.startswith(_IPV4_MAPPED) else packed[:8]


_IPV4_MAPPED = bytes(10) + b"\xff\xff"
