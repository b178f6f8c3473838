"""UDP sender that sends the datagrams of a batch to the same browser with one system call.

Linux splits a long datagram into segments of one size, the last of which may be shorter (UDP
generic segmentation offload). Sending all packets of a frame with one call takes little more time
than sending one of them.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Final

import structlog

from visavis.media.remote_address import UdpAddress

log = structlog.get_logger(__name__)

MAX_SEGMENTS: Final = 64
MAX_SEGMENTED_BYTES: Final = 65_507
MAX_REFUSED: Final = 1024
"""Destinations for which the kernel rejected UDP_SEGMENT, at most this many."""

_UDP_SEGMENT: Final = 103  # <linux/udp.h>
_SEGMENT_SIZE: Final = struct.Struct("=H")
_REFUSALS: Final = {errno.EINVAL, errno.EIO, errno.EMSGSIZE}


class UdpSender:
    """Sends datagrams at once, or on `release` if they were passed after `hold`.

    Datagrams to the same address stay in order. A datagram that cannot be sent is lost, like one
    that the network drops.
    """

    def __init__(self, ipv4: socket.socket, ipv6: socket.socket) -> None:
        self._ipv4, self._ipv6 = ipv4, ipv6
        self._can_segment = all(map(can_segment, (ipv4, ipv6)))
        self._refused: set[UdpAddress] = set()
        self._held: dict[UdpAddress, list[bytes]] = {}
        self._is_holding = False

    def hold(self) -> None:
        """Hold datagrams until `release`, if the kernel supports segmentation."""
        self._is_holding = self._can_segment

    def release(self) -> None:
        """Send the held datagrams, those to the same address together."""
        self._is_holding = False
        held, self._held = self._held, {}
        for address, datagrams in held.items():
            if len(datagrams) == 1:
                self._send_one(datagrams[0], address)
            else:
                for run in segmentable(datagrams):
                    self._send_run(run, address)

    def send(self, datagram: bytes, address: UdpAddress) -> None:
        """Send or hold a datagram."""
        if not self._is_holding:
            self._send_one(datagram, address)
        elif address in self._held:
            self._held[address].append(datagram)
        else:
            self._held[address] = [datagram]

    def _send_one(self, datagram: bytes, address: UdpAddress) -> None:
        try:
            (self._ipv4 if len(address) == 2 else self._ipv6).sendto(datagram, address)
        except OSError as error:
            log.debug("datagram not sent", error=error.strerror)

    def _send_run(self, run: list[bytes], address: UdpAddress) -> None:
        if len(run) > 1 and address not in self._refused and self._send_segmented(run, address):
            return
        for datagram in run:
            self._send_one(datagram, address)

    def _send_segmented(self, run: list[bytes], address: UdpAddress) -> bool:
        """Send datagrams with one call; return false if the kernel rejects them in this form."""
        udp = self._ipv4 if len(address) == 2 else self._ipv6
        size = _SEGMENT_SIZE.pack(len(run[0]))
        try:
            udp.sendmsg(run, ((socket.IPPROTO_UDP, _UDP_SEGMENT, size),), 0, address)
        except OSError as error:
            if error.errno in _REFUSALS:  # The device does not support it, or has a smaller MTU.
                self._refuse(address)
                return False
            log.debug("datagrams not sent", error=error.strerror)
        return True

    def _refuse(self, address: UdpAddress) -> None:
        if len(self._refused) >= MAX_REFUSED:
            self._refused.clear()
        self._refused.add(address)


def segmentable(datagrams: list[bytes]) -> Iterator[list[bytes]]:
    """Split datagrams into consecutive runs of one size; only the last of a run may be shorter."""
    run: list[bytes] = []
    size = room = 0
    for datagram in datagrams:
        length = len(datagram)
        if run and (length > size or length > room or len(run) == MAX_SEGMENTS):
            yield run
            run = []
        if not run:
            size, room = length, MAX_SEGMENTED_BYTES
        run.append(datagram)
        room -= length
        if length < size:
            yield run
            run = []
    if run:
        yield run


def can_segment(udp: socket.socket) -> bool:
    """Whether the kernel supports UDP_SEGMENT; others would ignore it and send a long datagram."""
    if sys.platform != "linux":
        return False
    try:
        udp.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True
