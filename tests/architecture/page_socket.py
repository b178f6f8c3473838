"""A page's WebSocket at the ASGI interface of the app, in the event loop of the test."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Message

from tests.running import PATIENCE


class PageSocket:
    """Connects when its context begins, disconnects when it ends."""

    def __init__(self, app: ASGIApp, path: str, query: str = "", token: str = "") -> None:
        headers = [(b"host", b"visavis")]
        if token:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50_000),
            "server": ("visavis", 80),
            "subprotocols": [],
            "state": {},
            "extensions": {},
        }
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._app = app(scope, self._incoming.get, self._receive)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self._app)
        self._incoming.put_nowait({"type": "websocket.connect"})
        assert (await self._next())["type"] == "websocket.accept"
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        assert self._task
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(self._task, PATIENCE)

    def say(self, **message: Any) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def hear(self, kind: str) -> dict[str, Any]:
        """Return the next message of this type."""
        while True:
            message: dict[str, Any] = json.loads((await self._next())["text"])
            if message["type"] == kind:
                return message

    async def _receive(self, message: Message) -> None:
        """Answer a `ping` at once, as every page does; keep any other message for the test."""
        if json.loads(message.get("text") or "{}").get("type") == "ping":
            self.say(type="pong")
        else:
            await self._outgoing.put(message)

    async def _next(self) -> Message:
        return await asyncio.wait_for(self._outgoing.get(), PATIENCE)
