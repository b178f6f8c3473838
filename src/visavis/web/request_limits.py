"""Limits of time and size for the head of a request, which uvicorn lacks."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol.problem import PROBLEM, problem_of
from visavis.protocol.wire import encode
from visavis.web.connections import ConnectionGate

HEAD_SECONDS: Final = 15.0
MAX_HEAD_BYTES: Final = 64 * 1024
KEEP_ALIVE_SECONDS: Final = 120
"""Seconds for which an idle connection is promised to stay open (RFC 2068 §19.7.1, `Keep-Alive`).

Proxies and connection pools forget theirs after 60 to 90 seconds. If we closed first, a request
could be on its way just then.
"""
KEEP_ALIVE_GRACE: Final = 5
"""Seconds for which the connection stays open beyond the promised time."""


class HeadTooLargeError(ValueError):
    """Ends the parsing: uvicorn answers 400 and closes the connection."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with time limits for the head of a request."""

    head_seconds = HEAD_SECONDS
    _head_bytes = 0
    _alarm: asyncio.TimerHandle | None = None
    gate: ConnectionGate | None = None
    _network: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.gate:
            address = self.client[0] if self.client else ""
            self._network = self.gate.enter(address, len(self.connections))
            if self._network is None:
                transport.abort()
                return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._leave_gate()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._leave_gate()  # signalling sockets have limits of their own
        super().handle_websocket_upgrade()

    def _leave_gate(self) -> None:
        if self.gate and self._network is not None:
            self.gate.leave(self._network)
            self._network = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._expect_head()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer as every other error is answered; uvicorn would send plain text."""
        message = "The request is not valid HTTP/1.1."
        if self._head_bytes > MAX_HEAD_BYTES:
            message = f"The headers of a request may have {MAX_HEAD_BYTES} bytes."
        body = encode(problem_of(VisavisError(ErrorKind.ParameterInvalid, message)))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {PROBLEM}\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLargeError

    def _expect_head(self) -> None:
        if self._alarm is None:
            self._alarm = self.loop.call_later(self.head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._alarm = None
        self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
