"""UDP and TCP sockets of a media worker's port, on IPv4, IPv6 or both."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from visavis.media.ice_tcp import Receive, TcpPort
from visavis.media.remote_address import RemoteAddress
from visavis.media.steering import (
    PortSockets,
    Source,
    close_all,
    enlarge_buffers,
    keep_others_out,
)
from visavis.media.udp_receiver import PacedUdpReceiver, UdpReceiver
from visavis.media.udp_sender import UdpSender

if TYPE_CHECKING:
    from visavis.media.native.path import NativePath

TCP_BACKLOG: Final = 128
DEFAULT_LEG_RATE: Final = 25_000_000 / 8
STEERING_SECONDS: Final = 0.01
"""Minimum interval between two updates of the kernel's program, each of which takes up to 1 ms."""

_ANY: Final = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104  browsers reach us
_NO_FAMILY: Final = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


class MediaSockets:
    """UDP and TCP sockets of one media worker; raises `OSError` if the port is taken.

    `host` is the address to listen on, or empty for all addresses. With `is_local_only`, the kernel
    drops everything from other machines. Browsers on this machine may use any of its addresses;
    Firefox must, as it does not send to 127.0.0.1. `leg_rate` is in bytes per second. With `path`,
    the native packet path reads the sockets of legs.
    """

    def __init__(
        self,
        port: int,
        host: str = "",
        *,
        is_local_only: bool = False,
        leg_rate: float = DEFAULT_LEG_RATE,
        path: NativePath | None = None,
    ) -> None:
        self._leg_rate = leg_rate
        self._path = path
        udp = _open(socket.SOCK_DGRAM, port, host)
        try:
            self._listeners = _open(socket.SOCK_STREAM, port, host)
        except OSError:
            _close(udp.values())
            raise
        if is_local_only:
            for listener in self._listeners.values():
                keep_others_out(listener)
        self._udp = {
            family: PortSockets(first, is_local_only=is_local_only) for family, first in udp.items()
        }
        self._receivers: list[UdpReceiver | PacedUdpReceiver] = []
        self._servers: list[asyncio.Server] = []
        self._tcp: TcpPort | None = None
        self._steering: asyncio.TimerHandle | None = None
        any_udp = next(iter(self._udp.values()))  # Replaces a missing family, which is never used.
        ipv4, ipv6 = (
            self._udp.get(family, any_udp).sockets[Source.LEG]
            for family in (socket.AF_INET, socket.AF_INET6)
        )
        self._sender = UdpSender(ipv4, ipv6)

    @property
    def has_ipv6(self) -> bool:
        """Whether the port is open on IPv6."""
        return socket.AF_INET6 in self._udp

    @property
    def refused_connections(self) -> int:
        """Number of TCP connections that were closed because of a limit."""
        return 0 if self._tcp is None else self._tcp.refused

    async def open(
        self,
        receive: Receive,
        on_lost: Callable[[RemoteAddress], None],
        is_known: Callable[[RemoteAddress], bool],
    ) -> None:
        """Start receiving. `is_known` says whether a leg has bound a remote address."""
        loop = asyncio.get_running_loop()
        for group in self._udp.values():
            for source, udp in group.sockets.items():
                if source is not Source.LEG:
                    self._receivers.append(PacedUdpReceiver(udp, receive, self._sender))
                elif self._path is None:
                    self._receivers.append(UdpReceiver(udp, receive, self._sender))
        if self._path:
            self._path.start({f: group.sockets[Source.LEG] for f, group in self._udp.items()})
        self._tcp = TcpPort(receive, on_lost, is_known, self._leg_rate)
        for listener in self._listeners.values():
            protocol = self._tcp.protocol
            server = await loop.create_server(protocol, sock=listener, backlog=TCP_BACKLOG)
            self._servers.append(server)

    def tick(self, now: float) -> None:
        """Close TCP connections of strangers that are due."""
        if self._tcp:
            self._tcp.tick(now)

    def steer(self, remote_address: RemoteAddress, source: Source) -> None:
        """Set the kind of source of a remote address, by which the kernel selects its socket."""
        if not isinstance(remote_address, tuple):
            return
        family = socket.AF_INET if len(remote_address) == 2 else socket.AF_INET6
        group = self._udp.get(family)
        if group and group.steer(remote_address, source) and self._steering is None:
            loop = asyncio.get_running_loop()
            self._steering = loop.call_later(STEERING_SECONDS, self._apply_steering)

    def _apply_steering(self) -> None:
        self._steering = None
        for group in self._udp.values():
            if not group.is_shared:
                group.apply()

    def close(self) -> None:
        """Close all sockets and connections."""
        if self._steering:
            self._steering.cancel()
        for server in self._servers:
            server.close()
        if self._tcp:
            self._tcp.close()
        for receiver in self._receivers:
            receiver.close()
        if self._path:
            self._path.stop()
        close_all(self._udp.values())
        _close(self._listeners.values())

    def send(self, datagram: bytes, remote_address: RemoteAddress) -> None:
        """Send a datagram by UDP, or over the TCP connection that the address is."""
        if isinstance(remote_address, tuple):
            self._sender.send(datagram, remote_address)
        else:
            remote_address.send(datagram)


def _open(
    kind: socket.SocketKind, port: int, host: str
) -> dict[socket.AddressFamily, socket.socket]:
    """Open a socket of each address family that the machine has.

    With `host`, only its family is used. Raises `OSError` if no socket can be opened.
    """
    opened: dict[socket.AddressFamily, socket.socket] = {}
    missing: OSError | None = None
    addresses = {_family_of(host): host} if host else _ANY
    for family, address in addresses.items():
        try:
            opened[family] = _open_one(family, kind, port, address)
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
    text = f"{name} port {port} cannot be opened ({error.strerror})"
    return OSError(error.errno, f"{text}: choose another with --media-port")


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _open_one(
    family: socket.AddressFamily, kind: socket.SocketKind, port: int, address: str
) -> socket.socket:
    opened = socket.socket(family, kind)
    try:
        opened.setblocking(False)
        if family is socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            # Without this, the port of a killed worker with open connections would stay blocked.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            enlarge_buffers(opened)
        opened.bind((address, port))
    except OSError:
        opened.close()
        raise
    return opened
