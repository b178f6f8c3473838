"""UDP sockets that share one port: one for legs, one for strangers, and one for excessive legs.

With a single socket, a flood would fill the receive buffer, and the kernel would drop packets of
other calls. Instead, the kernel selects the socket by the source address, so that a flood only
fills the buffer of its own socket. A stranger is a source that no leg has bound.
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
    """Kind of a datagram's source. Its value is the number of the socket for these datagrams."""

    STRANGER = 0
    LEG = 1
    EXCESSIVE_LEG = 2


class PortSockets:
    """Sockets of one address family on one port, and the assignment of sources to them.

    Takes ownership of `first`, a bound socket. If the kernel does not support the selection of
    sockets by a program, `first` is the only socket.
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
        """Set the kind of a source; return whether `apply` must be called."""
        if self._numbers.get(address, Source.STRANGER) is source:
            return False
        if source is Source.STRANGER:
            del self._numbers[address]
        else:
            self._numbers[address] = source
        return not self.is_shared

    def apply(self) -> None:
        """Update the kernel's program.

        If there are more sources than a program can have, all datagrams go to the legs' socket.
        """
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
        # `first` was bound without this option, so binding failed if another process had the port.
        self._first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.sockets = {Source.STRANGER: self._first}
        for source in (Source.LEG, Source.EXCESSIVE_LEG):  # This order gives the kernel's numbers.
            self.sockets[source] = _open_beside(self._first)
        self.apply()
        attach(self._first, SO_ATTACH_FILTER, stranger_filter(is_local_only=is_local_only))

    def _close_others(self) -> None:
        for each in self.sockets.values():
            if each is not self._first:
                each.close()
        self.sockets = {Source.LEG: self._first}


def _open_beside(bound: socket.socket) -> socket.socket:
    """Open another socket on the address and port of a bound socket."""
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
    """Enlarge both buffers of a socket, beyond net.core.rmem_max only with CAP_NET_ADMIN."""
    for forced, option in (
        (_SO_RCVBUFFORCE, socket.SO_RCVBUF),
        (_SO_SNDBUFFORCE, socket.SO_SNDBUF),
    ):
        try:
            udp.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER_BYTES)
        except OSError:
            udp.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)


def keep_others_out(opened: socket.socket) -> None:
    """Let the kernel drop everything from other machines, also on connections accepted later."""
    try:
        attach(opened, SO_ATTACH_FILTER, loopback_filter())
    except OSError as error:
        log.warning("the media port is open to other machines", error=error.strerror)


def close_all(groups: Iterable[PortSockets]) -> None:
    for each in groups:
        each.close()
