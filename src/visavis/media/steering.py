"""UDP sockets that share one port: one for joined legs, one for strangers, one for excessive legs.

With a single socket, a flood fills the receive buffer and the packets of good calls are lost in
the kernel before this process sees them. The kernel sorts by source address instead, so that a
flood fills the buffer of its own socket.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

import structlog

from visavis.media.remote_address import UdpAddress
from visavis.media.socket_filter import (
    SO_ATTACH_FILTER,
    SO_ATTACH_REUSEPORT_CBPF,
    SourceHash,
    attach,
    constant_program,
    loopback_filter,
    steering_program,
    stranger_filter,
)

log = structlog.get_logger(__name__)

SOCKET_BUFFER_BYTES: Final = 4 * 1024 * 1024
_SO_RCVBUFFORCE: Final = 33
_SO_SNDBUFFORCE: Final = 32


class Source(IntEnum):
    """Kind of a datagram's source, and the number of the socket that its datagrams go to."""

    STRANGER = 0
    LEG = 1
    EXCESSIVE_LEG = 2


class PortSockets:
    """The sockets of one address family on one port, and which sources go to which of them.

    Takes over `first`, a bound socket. Where the kernel does not steer, it is the only socket.
    """

    def __init__(self, first: socket.socket, *, is_local_only: bool = False) -> None:
        self.sockets = {Source.LEG: first}
        self._first = first
        self._hash = SourceHash(first.family)
        self._numbers: dict[UdpAddress, Source] = {}
        self._is_steering = True
        try:
            self._open_others(is_local_only=is_local_only)
        except OSError as error:
            log.warning("media sources share one socket", error=error.strerror)
            self._close_others()
            if is_local_only:
                keep_others_out(first)

    @property
    def is_shared(self) -> bool:
        """Whether all sources share one socket."""
        return len(self.sockets) == 1

    def steer(self, address: UdpAddress, source: Source) -> bool:
        """Remember a source's kind; whether the kernel has to be told by `apply`."""
        if self._numbers.get(address, Source.STRANGER) is source:
            return False
        if source is Source.STRANGER:
            del self._numbers[address]
        else:
            self._numbers[address] = source
        return not self.is_shared

    def apply(self) -> None:
        """Tell the kernel. With more sources than it takes, all go to the legs' socket."""
        numbers = {self._hash.of(address): int(n) for address, n in self._numbers.items()}
        try:
            program = steering_program(self._hash, numbers)
            attach(self._first, SO_ATTACH_REUSEPORT_CBPF, program)
        except OSError as error:
            if self._is_steering:
                log.warning("too many media sources to sort", count=len(numbers), error=str(error))
            self._is_steering = False
            attach(self._first, SO_ATTACH_REUSEPORT_CBPF, constant_program(Source.LEG))
        else:
            self._is_steering = True

    def close(self) -> None:
        for each in {self._first, *self.sockets.values()}:
            each.close()

    def _open_others(self, *, is_local_only: bool) -> None:
        # it was bound without this option, so that the port of another process is not shared
        self._first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.sockets = {Source.STRANGER: self._first}
        for source in (Source.LEG, Source.EXCESSIVE_LEG):  # the kernel numbers them in this order
            self.sockets[source] = _open_beside(self._first)
        self.apply()
        attach(self._first, SO_ATTACH_FILTER, stranger_filter(is_local_only=is_local_only))

    def _close_others(self) -> None:
        for each in self.sockets.values():
            if each is not self._first:
                each.close()
        self.sockets = {Source.LEG: self._first}


def _open_beside(bound: socket.socket) -> socket.socket:
    """Open another socket on the address and port of one that is bound."""
    opened = socket.socket(bound.family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if bound.family is socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        enlarge_buffers(opened)
        opened.bind(bound.getsockname())
    except OSError:
        opened.close()
        raise
    return opened


def enlarge_buffers(udp: socket.socket) -> None:
    """Enlarge both buffers: past net.core.rmem_max with CAP_NET_ADMIN, else up to it."""
    for forced, option in (
        (_SO_RCVBUFFORCE, socket.SO_RCVBUF),
        (_SO_SNDBUFFORCE, socket.SO_SNDBUF),
    ):
        try:
            udp.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER_BYTES)
        except OSError:
            udp.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)


def keep_others_out(opened: socket.socket) -> None:
    """Have the kernel drop what comes from another machine, also on connections accepted later."""
    try:
        attach(opened, SO_ATTACH_FILTER, loopback_filter())
    except OSError as error:
        log.warning("the media port is open to other machines", error=error.strerror)


def close_all(groups: Iterable[PortSockets]) -> None:
    for each in groups:
        each.close()
