"""A network that can be cut: a TCP forwarder on loopback."""

from __future__ import annotations

import asyncio
import contextlib


class Proxy:
    """Forwards to a port of this machine.

    `cut` resets all connections, and `stall` forwards nothing, like a network that drops every
    packet.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.is_down = False
        self._flows = asyncio.Event()
        self._flows.set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        self.cut()

    def stall(self) -> None:
        """Stop forwarding."""
        self._flows.clear()

    def resume(self) -> None:
        self._flows.set()

    def cut(self) -> int:
        """Reset every connection; how many there were."""
        writers = list(self._writers)
        for writer in writers:
            writer.transport.abort()
        return len(writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.is_down:
                writer.transport.abort()
                return
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(their_writer)
            try:
                await asyncio.gather(
                    self._carry(reader, their_writer), self._carry(their_reader, writer)
                )
            finally:
                self._writers.discard(their_writer)
                their_writer.close()
        except OSError:
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(64 * 1024):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()
