"""A media worker's UDP and TCP port, on IPv4 and IPv6 or on the one that the machine has."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable
from typing import Final

from visavis.media.inlet import Inlet
from visavis.media.outlet import Outlet
from visavis.media.route import Route
from visavis.media.tcp import Receive, TcpPort

SOCKET_BUFFER_BYTES: Final = 4 * 1024 * 1024
TCP_BACKLOG: Final = 128

_ANY: Final = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104  browsers reach us
_NO_FAMILY: Final = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


class Wires:
    """Takes the port; raises `OSError`, which names it, when it cannot be had."""

    def __init__(self, port: int) -> None:
        self._udp = _open(socket.SOCK_DGRAM, port)
        try:
            self._listeners = _open(socket.SOCK_STREAM, port)
        except OSError:
            _close(self._udp.values())
            raise
        self._inlets: list[Inlet] = []
        self._servers: list[asyncio.Server] = []
        self._tcp: TcpPort | None = None
        any_udp = next(iter(self._udp.values()))  # nothing is sent to a family that is missing
        self._outlet = Outlet(
            self._udp.get(socket.AF_INET, any_udp), self._udp.get(socket.AF_INET6, any_udp)
        )

    @property
    def has_ipv6(self) -> bool:
        return socket.AF_INET6 in self._udp

    async def open(
        self,
        receive: Receive,
        on_lost: Callable[[Route], None],
        is_known: Callable[[Route], bool],
    ) -> None:
        """Begin to take in what arrives. `is_known` tells whether a leg has bound a route."""
        loop = asyncio.get_running_loop()
        self._inlets = [Inlet(udp, receive, self._outlet) for udp in self._udp.values()]
        self._tcp = TcpPort(receive, on_lost, is_known)
        for listener in self._listeners.values():
            protocol = self._tcp.protocol
            server = await loop.create_server(protocol, sock=listener, backlog=TCP_BACKLOG)
            self._servers.append(server)

    def tick(self, now: float) -> None:
        if self._tcp:
            self._tcp.tick(now)

    def close(self) -> None:
        for server in self._servers:
            server.close()
        if self._tcp:
            self._tcp.close()
        for inlet in self._inlets:
            inlet.close()
        _close(self._udp.values())
        _close(self._listeners.values())

    def send(self, datagram: bytes, route: Route) -> None:
        if isinstance(route, tuple):
            self._outlet.send(datagram, route)
        else:
            route.send(datagram)


def _open(kind: socket.SocketKind, port: int) -> dict[socket.AddressFamily, socket.socket]:
    """Open a socket of each family that the machine has; raise `OSError` if it has neither."""
    opened: dict[socket.AddressFamily, socket.socket] = {}
    missing: OSError | None = None
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            opened[family] = _open_one(family, kind, port)
        except OSError as error:
            if error.errno not in _NO_FAMILY:
                _close(opened.values())
                raise _in_words(error, kind, port) from None
            missing = error
    if missing and not opened:
        raise _in_words(missing, kind, port)
    return opened


def _in_words(error: OSError, kind: socket.SocketKind, port: int) -> OSError:
    name = "TCP" if kind is socket.SOCK_STREAM else "UDP"
    text = f"{name} port {port} cannot be had ({error.strerror}): choose --media-port"
    return OSError(error.errno, text)


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _open_one(family: socket.AddressFamily, kind: socket.SocketKind, port: int) -> socket.socket:
    opened = socket.socket(family, kind)
    try:
        opened.setblocking(False)
        if family is socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            # the port of a worker that was killed with its connections open is ours at once
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                opened.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        opened.bind((_ANY[family], port))
    except OSError:
        opened.close()
        raise
    return opened
