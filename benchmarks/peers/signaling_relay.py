"""Signalling of a call from browser to browser: forwards the messages of our protocol."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.peers import bare

Send = Any


class SignalingStub:
    """Signalling of one visitor and one agent, which keeps the offer until the agent accepts."""

    def __init__(self) -> None:
        self._sockets: dict[str, Send] = {}
        self._offer = ""

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        side = scope["path"].rpartition("/")[2]
        await receive()
        await send({"type": "websocket.accept"})
        self._sockets[side] = send
        while (message := await receive())["type"] == "websocket.receive":
            await self._hear(side, json.loads(message["text"]))

    async def _hear(self, side: str, message: dict[str, Any]) -> None:
        other = "agent" if side == "visitor" else "visitor"
        match message["type"]:
            case "call":
                self._offer = message["offer"]
                await self._tell("agent", {"type": "ring", "callId": "1"})
                await self._tell("visitor", {"type": "calling", "callId": "1"})
            case "accept":
                await self._tell("agent", {"type": "offer", "link": 1, "sdp": self._offer})
            case "hangUp":
                for party in ("visitor", "agent"):
                    await self._tell(party, {"type": "ended"})
            case _:
                await self._tell(other, message)

    async def _tell(self, side: str, message: dict[str, Any]) -> None:
        await self._sockets[side]({"type": "websocket.send", "text": json.dumps(message)})


def serve(port: int) -> None:
    bare.serve(SignalingStub(), port)
