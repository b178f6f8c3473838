"""One UDP socket's incoming side, which lets datagrams gather when they come thick and fast."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Final

from visavis.media.outlet import Outlet
from visavis.media.tcp import Receive

MAX_DATAGRAM_BYTES: Final = 2048
DATAGRAMS_PER_WAKE_UP: Final = 64
PAUSE_SECONDS: Final = 0.002
"""To wake up for every datagram costs more than to relay it. Browsers send a frame's packets at
once, and the next frame's 33 ms later."""

LONG_PAUSE_SECONDS: Final = 0.004
PACED_DATAGRAMS: Final = 32
PACED_SECONDS: Final = 0.005
"""6,400 datagrams a second of strangers, which costs about a twentieth of a core."""

MANY: Final = 4
"""So many in a pause are those of several calls, which half as many wake-ups serve."""


class Inlet:
    """Hands on what arrives: at once, or what has gathered in a pause while there is much of it.

    What is sent meanwhile, `outlet` sends at the end.
    """

    def __init__(self, udp: socket.socket, receive: Receive, outlet: Outlet) -> None:
        self._udp = udp
        self._receive = receive
        self._outlet = outlet
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
        """A pause is over. Another, unless hardly anything has come in it, or not all is read."""
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
        """Take in what has arrived, but leave some of the loop's time to others; how many."""
        return read_batch(self._udp, self._receive, self._outlet, DATAGRAMS_PER_WAKE_UP)


class PacedInlet:
    """Hands on at most so many datagrams in a pause: what strangers and excessive legs send.

    Whatever comes faster is lost in the kernel, and legs that keep to their rate have the rest of
    the processor's time.
    """

    def __init__(self, udp: socket.socket, receive: Receive, outlet: Outlet) -> None:
        self._udp = udp
        self._receive = receive
        self._outlet = outlet
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(udp, self._wake_up)

    def close(self) -> None:
        if self._pause:
            self._pause.cancel()
        else:
            self._loop.remove_reader(self._udp)

    def _wake_up(self) -> None:
        if read_batch(self._udp, self._receive, self._outlet, PACED_DATAGRAMS) == PACED_DATAGRAMS:
            self._loop.remove_reader(self._udp)
            self._pause = self._loop.call_later(PACED_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._udp, self._wake_up)


def read_batch(udp: socket.socket, receive: Receive, outlet: Outlet, limit: int) -> int:
    """Hand on what has arrived, at most `limit` datagrams; return how many."""
    now, arrival_us = time.monotonic(), time.monotonic_ns() // 1000
    outlet.hold()
    try:
        for count in range(limit):
            try:
                datagram, address = udp.recvfrom(MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                return count
            receive(datagram, address, now, arrival_us)
        return limit
    finally:
        outlet.release()
