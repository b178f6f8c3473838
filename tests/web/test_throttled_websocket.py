"""Frames that carry no message are throttled like messages, and delay nobody else."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tests import http_clients
from tests.running import PATIENCE
from tests.web.conftest import Served
from visavis.web.throttled_websocket import BURST, PIECE_BYTES, Throttle, ThrottledWebSocket

pytestmark = pytest.mark.anyio
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

FRAMES = 20_000
PING, PONG = b"\x89\x80\0\0\0\0", b"\x8a\x80\0\0\0\0"
FIRST_FRAGMENT, FRAGMENT, LAST_FRAGMENT = (
    b"\x01\x80\0\0\0\0",
    b"\x00\x80\0\0\0\0",
    b"\x80\x80\0\0\0\0",
)
TEXT = b"\x81\x82\0\0\0\0{}"
PER_PIECE = PIECE_BYTES // len(PING) + 1

HANDSHAKE = (
    f"GET /signaling/visitor?site=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
).encode()


class Line(asyncio.Transport):
    """Notes what is written and whether reading is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_paused = False
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


async def application(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"heard {message['text']}"})


async def opened() -> tuple[ThrottledWebSocket, Line]:
    config = uvicorn.Config(application, log_config=None, ws_per_message_deflate=False)
    config.load()
    protocol, line = ThrottledWebSocket(config, ServerState(), {}), Line()
    protocol.connection_made(line)
    protocol.data_received(HANDSHAKE)
    await asyncio.sleep(0.01)
    assert line.written.startswith(b"HTTP/1.1 101")
    line.written = b""
    return protocol, line


@pytest.mark.parametrize("flood", [PING, PONG, FRAGMENT])
async def test_a_flood_is_read_at_the_pace_of_messages(
    monkeypatch: pytest.MonkeyPatch, flood: bytes
) -> None:
    protocol, line = await opened()
    parsed = 0
    for name in ("handle_ping", "handle_pong", "handle_cont"):
        handle = getattr(ThrottledWebSocket, name)

        def count(self: Any, *event: Any, handle: Any = handle) -> None:
            nonlocal parsed
            parsed += 1
            handle(self, *event)

        monkeypatch.setattr(ThrottledWebSocket, name, count)
    protocol.data_received(FIRST_FRAGMENT + flood * FRAMES)
    assert parsed <= BURST + PER_PIECE
    assert line.is_paused
    await asyncio.sleep(0.3)
    assert parsed <= BURST + PER_PIECE
    assert line.is_paused
    protocol.connection_lost(None)


async def test_all_of_it_is_read_in_the_end_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "seconds_to_wait", lambda _: 0.001)
    protocol, line = await opened()
    protocol.data_received((TEXT + PING) * 500 + FIRST_FRAGMENT + FRAGMENT * 300)
    protocol.data_received(PING + LAST_FRAGMENT + TEXT)
    for _ in range(1000):
        await asyncio.sleep(0.01)
        if line.written.count(b"heard") == 502 and not line.is_paused:
            break
    assert line.written.count(b"heard {}") == 501
    assert line.written.count(b"\x8a\x00") == 501  # pongs
    assert not line.is_paused
    protocol.connection_lost(None)


async def test_whole_messages_are_handed_on_one_by_one() -> None:
    """Bytes wait, and not objects many times their size."""
    protocol, line = await opened()
    protocol.data_received(TEXT * FRAMES)
    assert protocol.queue.qsize() <= PIECE_BYTES // len(TEXT) + 1
    assert line.is_paused
    protocol.connection_lost(None)


@contextlib.contextmanager
def flooding(served: Served, *frames: bytes) -> Iterator[socket.socket]:
    """A socket that has sent its frames, as far as they were taken."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        line.sendall(HANDSHAKE)
        line.recv(4096)
        line.setblocking(False)
        try:
            for frame in frames:
                line.sendall(frame)
        except BlockingIOError:
            pass
        yield line


@only_sqlite
@pytest.mark.parametrize("flood", [PING, FRAGMENT])
def test_others_are_answered_meanwhile(served: Served, flood: bytes) -> None:
    with flooding(served, FIRST_FRAGMENT, flood * 100_000) as line:
        for _ in range(5):
            assert http_clients.get(f"{served.url}/healthz").status_code == 200
        time.sleep(0.2)
        line.setblocking(False)
        answered = b""
        try:
            while part := line.recv(65_536):
                answered += part
        except BlockingIOError:
            pass
        assert answered.count(b"\x8a\x00") <= BURST + 2 * PER_PIECE
