"""The way by which a browser reaches us and we reach it: a UDP address, or a TCP connection."""

from __future__ import annotations

import socket
from typing import Protocol

Address = tuple[str, int]
"""Host and port."""


class Connection(Protocol):
    """A TCP connection (RFC 6544); every one is another route."""

    @property
    def peer(self) -> Address: ...
    def send(self, datagram: bytes) -> None: ...


UdpAddress = Address | tuple[str, int, int, int]
"""As `socket.recvfrom` gives it: two items for IPv4, four for IPv6."""

Route = UdpAddress | Connection


def address_of(route: Route) -> Address:
    return route[:2] if isinstance(route, tuple) else route.peer


def network_of(route: Route) -> bytes:
    """Return the network that a route's limits count: an IPv4 address or an IPv6 /64."""
    host = address_of(route)[0]
    if not host:
        return b""
    if ":" not in host:
        return socket.inet_aton(host)
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return packed[12:] if packed.startswith(_IPV4_MAPPED) else packed[:8]


_IPV4_MAPPED = bytes(10) + b"\xff\xff"
