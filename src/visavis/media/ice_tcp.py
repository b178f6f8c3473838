"""Passive ICE-TCP (RFC 6544): browsers in networks that block UDP connect to us by TCP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, cast

import structlog

from visavis.descriptors import for_connections
from visavis.media.limits import BURST_SECONDS
from visavis.media.remote_address import Address, RemoteAddress, network_of
from visavis.media.rfc4571 import Deframer, FramingError, frame

log = structlog.get_logger(__name__)

MAX_CONNECTIONS: Final = 1024
MAX_STRANGERS_PER_NETWORK: Final = 16
"""Limit of the connections from one network that no leg has bound yet (strangers)."""

STRANGER_RATE: Final = 16 * 1024
"""Bytes per second that are read from a connection that no leg has bound."""

MAX_WAITING_BYTES: Final = 256 * 1024
"""Limit of the bytes waiting to be sent to a slow browser; further packets are dropped."""

STRANGER_SECONDS: Final = 10.0
"""Time after which a connection that no leg has bound is closed."""

LOOK_SECONDS: Final = 1.0

Receive = Callable[[bytes, RemoteAddress, float, int], None]
"""Receives a datagram, its remote address, and the monotonic time in seconds and microseconds."""


class BrowserConnection(asyncio.Protocol):
    """TCP connection of a browser, which carries datagrams in frames (RFC 4571)."""

    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._deframer = Deframer()
        self._transport: asyncio.Transport | None = None
        self.peer: Address = ("", 0)
        self.known_at = self._read_at = time.monotonic()
        self._allowance = STRANGER_RATE * BURST_SECONDS
        self._resuming: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or self.peer
        self.peer = (str(name[0]), int(name[1]))
        self._port.add_connection(self)

    def data_received(self, data: bytes) -> None:
        try:
            datagrams = self._deframer.feed(data)
        except FramingError:
            self.abort()
            return
        now, arrival_us = time.monotonic(), time.monotonic_ns() // 1000
        for datagram in datagrams:
            self._port.receive(datagram, self, now, arrival_us)
        self._pace(len(data), now)

    def _pace(self, size: int, now: float) -> None:
        """Pause reading if the connection exceeds its rate, so that TCP slows the sender down."""
        rate = self._port.rate_of(self)
        allowance = self._allowance + (now - self._read_at) * rate
        self._allowance = min(rate * BURST_SECONDS, allowance) - size
        self._read_at = now
        if self._allowance < 0 and self._transport and self._resuming is None:
            self._transport.pause_reading()
            seconds = -self._allowance / rate
            self._resuming = asyncio.get_running_loop().call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._resuming = None
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._resuming:
            self._resuming.cancel()
        self._port.lost(self)

    def send(self, datagram: bytes) -> None:
        """Send a datagram; it is dropped if the browser reads too slowly."""
        transport = self._transport
        if transport and transport.get_write_buffer_size() < MAX_WAITING_BYTES:
            transport.write(frame(datagram))

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport:
            self._transport.abort()


class TcpPort:
    """All TCP connections of a worker.

    `is_known` says whether a leg has bound a connection. `leg_rate` is the number of bytes per
    second that are read from such a connection.
    """

    def __init__(
        self,
        receive: Receive,
        on_lost: Callable[[RemoteAddress], None],
        is_known: Callable[[RemoteAddress], bool],
        leg_rate: float,
    ) -> None:
        self._leg_rate = leg_rate
        self._descriptors = for_connections()
        self.refused = 0
        self.receive = receive
        self._on_lost = on_lost
        self._is_known = is_known
        self._looked_at = 0.0
        self._connections: dict[BrowserConnection, None] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def protocol(self) -> BrowserConnection:
        """Return the protocol of a new connection, for `loop.create_server`."""
        return BrowserConnection(self)

    def add_connection(self, connection: BrowserConnection) -> None:
        """Accept a connection. If there are too many, the oldest stranger is closed.

        If a network has too many strangers, its own oldest one is closed.
        """
        network = network_of(connection)
        strangers = [c for c in self._connections if not self._is_known(c)]
        of_network = [c for c in strangers if network_of(c) == network]
        if len(of_network) >= MAX_STRANGERS_PER_NETWORK:
            self._refuse_connection(of_network[0])
        elif len(self._connections) >= min(MAX_CONNECTIONS, self._descriptors):
            self._refuse_connection(strangers[0] if strangers else connection)
            if not strangers:
                return
        self._connections[connection] = None

    def rate_of(self, connection: BrowserConnection) -> float:
        """Return the number of bytes per second that are read from a connection."""
        return self._leg_rate if self._is_known(connection) else STRANGER_RATE

    def _refuse_connection(self, connection: BrowserConnection) -> None:
        if not self.refused:
            log.warning("media connections refused", peer=connection.peer[0])
        self.refused += 1
        connection.abort()
        self._connections.pop(connection, None)

    def lost(self, connection: BrowserConnection) -> None:
        """Handle the loss of a connection."""
        self._connections.pop(connection, None)
        self._on_lost(connection)

    def tick(self, now: float) -> None:
        """Close connections that no leg has bound in time. Checks them about once per second."""
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        for connection in list(self._connections):
            if self._is_known(connection):
                connection.known_at = now
            elif now - connection.known_at > STRANGER_SECONDS:
                connection.abort()

    def close(self) -> None:
        for connection in list(self._connections):
            connection.abort()
