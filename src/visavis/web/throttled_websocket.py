"""uvicorn's WebSocket protocol with a limit on the frames of a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

MESSAGES_PER_SECOND: Final = 20.0
BURST: Final = 60.0
PIECE_BYTES: Final = 1024
"""Bytes that are parsed at once: the shortest frame has 6, and is parsed in some microseconds."""


class Throttle:
    """A token bucket per socket: messages of a page that sends too fast are read later.

    A page's messages are forwarded to another page, whose queue is bounded and must not fill.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock()

    def seconds_to_wait(self) -> float:
        """Count a message; return the seconds to wait before the next one is read."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * MESSAGES_PER_SECOND) - 1
        self._at = now
        return max(0.0, -self._left / MESSAGES_PER_SECOND)


class ThrottledWebSocket(WebSocketsSansIOProtocol):
    """Throttles messages, control frames and fragments, and reads whole messages one by one.

    256 KiB hold 43,000 pings or empty fragments. What has arrived waits here meanwhile, and the
    rest in the kernels.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._throttle = Throttle(self.loop.time)
        self._unparsed = b""
        self._seconds_to_wait = 0.0
        self._waiting: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        self._unparsed += data
        self._parse()

    async def receive(self) -> Any:
        message = await super().receive()
        self._parse()
        return message

    def connection_lost(self, exc: Exception | None) -> None:
        self._unparsed = b""
        if self._waiting:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _parse(self) -> None:
        """Parse until a message is complete, the limit is exceeded, or nothing is left."""
        while self._unparsed and not self._is_held():
            piece, self._unparsed = self._unparsed[:PIECE_BYTES], self._unparsed[PIECE_BYTES:]
            self._seconds_to_wait = 0.0
            super().data_received(piece)
            if self.transport.is_closing():
                self._unparsed = b""
            elif self._seconds_to_wait:
                self._waiting = self.loop.call_later(self._seconds_to_wait, self._go_on)
        if self._waiting:
            self.transport.pause_reading()

    def _is_held(self) -> bool:
        return self.read_paused or self._waiting is not None

    def _go_on(self) -> None:
        self._waiting = None
        self._parse()
        if not (self._is_held() or self.transport.is_closing()):
            self.transport.resume_reading()

    def _count(self) -> None:
        self._seconds_to_wait = self._throttle.seconds_to_wait()

    def handle_ping(self) -> None:
        self._count()
        super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        self._count()
        super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        self._count()
        super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        self._count()
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self._count()
        super().handle_bytes(event)
