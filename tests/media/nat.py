"""Simulated NAT router between browsers and the relay, with a network that can be degraded."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from tests.media.network import Network

Address = tuple[str, int]
STEP_SECONDS = 0.002
MAX_DATAGRAM_BYTES = 2048
GOOD = {
    "loss": 0.0,
    "burst": 1.0,
    "delay": 0.0,
    "jitter": 0.0,
    "late": 0.0,
    "late_by": 0.03,
    "bytes_per_second": 0.0,
}


class Nat(asyncio.DatagramProtocol):
    """Forwards UDP between browsers and `relay`; each browser's socket has its own public port.

    Its networks, `up` to the relay and `down` to the browsers, have no faults until `treat`.
    """

    def __init__(self, relay: Address, seed: int = 0) -> None:
        self._relay = relay
        self._host = "127.0.0.1"
        self.up, self.down = Network(seed, delay=0.0), Network(seed + 1, delay=0.0)
        self._inside: asyncio.DatagramTransport | None = None
        self._outsides: dict[Address, socket.socket] = {}
        self._clock: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Start forwarding; return the port to which browsers send."""
        loop = asyncio.get_running_loop()
        self._inside, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self._clock = loop.create_task(self._run())
        return int(self._inside.get_extra_info("sockname")[1])

    async def treat(self, **faults: float) -> None:
        """Set the faults of both directions; without arguments, the network has no faults again."""
        for network in (self.up, self.down):
            for name, value in {**GOOD, **faults}.items():
                setattr(network, name, value)

    async def move(self, host: str = "127.0.0.1") -> None:
        """Change the public port, and possibly the address, of every browser."""
        self._host = host
        self._close_outsides()

    async def close(self) -> None:
        if self._clock:
            self._clock.cancel()
        self._close_outsides()
        if self._inside:
            self._inside.close()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        outside = self._outsides.get(addr) or self._open_outside(addr)
        self._carry(self.up, data, lambda datagram: _send(outside, datagram))

    def _open_outside(self, browser: Address) -> socket.socket:
        outside = self._outsides[browser] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outside.setblocking(False)
        outside.bind((self._host, 0))
        outside.connect(self._relay)
        asyncio.get_running_loop().add_reader(outside, self._back, outside, browser)
        return outside

    def _back(self, outside: socket.socket, browser: Address) -> None:
        inside = self._inside
        assert inside
        with contextlib.suppress(OSError):  # The relay has stopped.
            data = outside.recv(MAX_DATAGRAM_BYTES)
            self._carry(self.down, data, lambda datagram: inside.sendto(datagram, browser))

    def _carry(self, network: Network, data: bytes, deliver: Callable[[bytes], None]) -> None:
        now = asyncio.get_running_loop().time()
        network.run_until(now)
        network.send(data, deliver)
        network.run_until(now)

    def _close_outsides(self) -> None:
        loop = asyncio.get_running_loop()
        for outside in self._outsides.values():
            loop.remove_reader(outside)
            outside.close()
        self._outsides.clear()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(STEP_SECONDS)
            for network in (self.up, self.down):
                network.run_until(loop.time())


def _send(outside: socket.socket, datagram: bytes) -> None:
    with contextlib.suppress(OSError):  # The port has changed, or the relay has stopped.
        outside.send(datagram)
