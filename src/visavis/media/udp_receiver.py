"""UDP receivers, which read datagrams in batches if many arrive."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Final

from visavis.media.ice_tcp import Receive
from visavis.media.udp_sender import UdpSender

MAX_DATAGRAM_BYTES: Final = 2048
DATAGRAMS_PER_WAKE_UP: Final = 64
PAUSE_SECONDS: Final = 0.002
"""Pause between two batches of datagrams.

Waking up for each datagram would cost more than relaying it. Browsers send all packets of a frame
at once, and those of the next frame 33 ms later.
"""

LONG_PAUSE_SECONDS: Final = 0.004
PACED_DATAGRAMS: Final = 32
PACED_SECONDS: Final = 0.005
"""Pause that limits strangers to 6,400 datagrams per second, about a twentieth of a core."""

MANY: Final = 4
"""This many datagrams in one pause indicate several calls; the next pause is then longer."""


class UdpReceiver:
    """Passes on datagrams: at once, or, while many arrive, in batches after a pause.

    `sender` holds the datagrams sent during a batch and sends them at its end.
    """

    def __init__(self, udp: socket.socket, receive: Receive, sender: UdpSender) -> None:
        self._udp = udp
        self._receive = receive
        self._sender = sender
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Handle | None = None
        self._woke_at = 0.0
        self._loop.add_reader(udp, self._wake_up)

    def close(self) -> None:
        if self._next:
            self._next.cancel()
        else:
            self._loop.remove_reader(self._udp)

    def _wake_up(self) -> None:
        now = time.monotonic()
        self._read()
        if now - self._woke_at < PAUSE_SECONDS:
            self._loop.remove_reader(self._udp)
            self._next = self._loop.call_later(PAUSE_SECONDS, self._go_on)
        self._woke_at = now

    def _go_on(self) -> None:
        """Read the datagrams of a pause; pause again unless few arrived or more are waiting."""
        count = self._read()
        if count == DATAGRAMS_PER_WAKE_UP:
            self._next = self._loop.call_soon(self._go_on)
        elif count > 1:
            pause = LONG_PAUSE_SECONDS if count >= MANY else PAUSE_SECONDS
            self._next = self._loop.call_later(pause, self._go_on)
        else:
            self._next = None
            self._loop.add_reader(self._udp, self._wake_up)

    def _read(self) -> int:
        """Read a batch and return its size, which is limited so that other tasks can run."""
        return read_batch(self._udp, self._receive, self._sender, DATAGRAMS_PER_WAKE_UP)


class PacedUdpReceiver:
    """Passes on datagrams from strangers and excessive legs at a limited rate.

    The kernel drops what exceeds it, so the CPU remains available for the other legs.
    """

    def __init__(self, udp: socket.socket, receive: Receive, sender: UdpSender) -> None:
        self._udp = udp
        self._receive = receive
        self._sender = sender
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(udp, self._wake_up)

    def close(self) -> None:
        if self._pause:
            self._pause.cancel()
        else:
            self._loop.remove_reader(self._udp)

    def _wake_up(self) -> None:
        if read_batch(self._udp, self._receive, self._sender, PACED_DATAGRAMS) == PACED_DATAGRAMS:
            self._loop.remove_reader(self._udp)
            self._pause = self._loop.call_later(PACED_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._udp, self._wake_up)


def read_batch(udp: socket.socket, receive: Receive, sender: UdpSender, limit: int) -> int:
    """Pass on at most `limit` waiting datagrams; return their number."""
    now, arrival_us = time.monotonic(), time.monotonic_ns() // 1000
    sender.hold()
    try:
        for count in range(limit):
            try:
                datagram, address = udp.recvfrom(MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                return count
            receive(datagram, address, now, arrival_us)
        return limit
    finally:
        sender.release()
