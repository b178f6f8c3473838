"""Proxy for an object store, which can answer with errors or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\n"
    b"Content-Length: 70\r\nConnection: close\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message>Reduce the rate</Message></Error>"
)


class StoreProxy:
    """`mode` is `passing`, `busy` (503), `hanging` (no answer) or `refusing` (no connection)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._mode = "passing"
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    @property
    def mode(self) -> str:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._mode = mode
        for writer in self._writers:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[StoreProxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self.mode = "refusing"
            server.close()
            await asyncio.sleep(0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                if self._mode == "passing":
                    await self._pass(reader, writer)
                elif self._mode == "busy":
                    writer.write(BUSY)
                    await writer.drain()
                    while await reader.read(65536):
                        pass
                elif self._mode == "hanging":
                    await asyncio.sleep(5)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.add(back)
        try:
            await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
        finally:
            self._writers.discard(back)
            back.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
