"""The way by which a browser reaches us and we reach it: a UDP address, or a TCP connection."""

from __future__ import annotations

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
