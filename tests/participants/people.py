"""A visitor and an agent who keep to `docs/protocol.md`, also when everything around them dies."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from tests import http_clients
from tests.participants.peer import Peer

RETRY_SECONDS: Final = 0.2


class Person:
    """One page: a socket that comes back, and a peer for every link of its call."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        has_video: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._tls = tls
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.has_video = has_video
        self.peers: dict[int, Peer] = {}
        self.call_id = ""
        self.known_as = ""
        self.secret = ""
        self.reason = ""
        self.state = ""
        self.recording = ""
        self.was_recorded = False
        self.is_over = asyncio.Event()
        self.is_connected = asyncio.Event()
        self.is_open = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._task = asyncio.create_task(self._stay_connected())

    def new_peer(self, *, has_video: bool) -> Peer:
        return Peer(has_video=has_video)

    async def send(self, **message: Any) -> None:
        if self._socket:
            with contextlib.suppress(WebSocketException, OSError):
                await self._socket.send(msgspec.json.encode(message).decode())

    async def hang_up(self) -> None:
        await self.send(type="hangUp", callId=self.call_id)

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.close_peers()

    def close_peers(self) -> None:
        for peer in self.peers.values():
            peer.close()
        self.peers.clear()

    async def _stay_connected(self) -> None:
        while True:
            with contextlib.suppress(WebSocketException, OSError, TimeoutError):
                connecting = http_clients.websocket(
                    self._url, additional_headers=self._headers, ssl=self._tls
                )
                async with connecting as socket:
                    self._socket = socket
                    self.is_open.set()
                    await self.arrived()
                    async for text in socket:
                        await self.hear(msgspec.json.decode(text))
            self._socket = None
            self.is_open.clear()
            self.departed()
            await asyncio.sleep(RETRY_SECONDS)

    def departed(self) -> None:
        """The socket is closed, or could not be opened."""

    async def arrived(self) -> None:
        if self.call_id:
            await self.send(
                type="resume", callId=self.call_id, secret=self.secret, hasMedia=bool(self.peers)
            )

    async def hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ping":  # the server closes the socket of a page in a call that does not answer
                await self.send(type="pong")
            case "callState":
                self._reached(message)
            case "linked":
                for number in [n for n in self.peers if n < message["link"]]:
                    self.peers.pop(number).close()
            case "recording":
                self.recording = message["state"]
                self.was_recorded |= message["state"] == "on"
            case "ended":
                self._over(message["reason"])
            case "refused" if self.call_id or message.get("callId"):
                self._over(f"refused: {message['error']}")
            case _:
                await self.hear_more(message)

    async def hear_more(self, message: dict[str, Any]) -> None:
        raise NotImplementedError

    def _reached(self, message: dict[str, Any]) -> None:
        self.state = message["state"]
        if message["state"] == "connected":
            self.known_as = message["callId"]
            self.is_connected.set()
        if message["state"] == "ended":
            self._over("ended")

    def _over(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.close_peers()
        self.call_id = ""
        self.is_over.set()


class Visitor(Person):
    async def call(self, name: str) -> None:
        await self.is_open.wait()
        peer = self.peers[1] = self.new_peer(has_video=self.has_video)
        await self.send(
            type="call",
            media="video" if self.has_video else "audio",
            offer=peer.describe("actpass"),
            name=name,
            agreed=True,
        )

    async def hear_more(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "calling":
                self.call_id, self.secret = message["callId"], message.get("secret", "")
            case "refused":
                self._over(f"refused: {message['error']}")
            case "connect":
                offering = self.new_peer(has_video=self.has_video)
                self.peers[message["link"]] = offering
                await self.send(
                    type="offer",
                    callId=self.call_id,
                    link=message["link"],
                    sdp=offering.describe("actpass"),
                )
            case "answer":
                peer = self.peers.get(message["link"])
                if peer and not (peer.has_answer and message.get("isRepeated")):
                    await peer.connect(message["sdp"])


class Agent(Person):
    """Takes whatever rings while free."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.is_on_duty = asyncio.Event()
        """The site has registered the console: calls ring here."""
        super().__init__(*arguments, **options)

    async def hear_more(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "team":  # the first message after the site has registered the console
                self.is_on_duty.set()
            case "ring" if not self.call_id:
                self.call_id, self.reason = message["callId"], ""
                self.is_over.clear()
                await self.send(type="accept", callId=self.call_id)
            case "offer":
                await self._answer(message)

    async def _answer(self, message: dict[str, Any]) -> None:
        video = "m=video" in message["sdp"]
        peer = self.peers[message["link"]] = self.new_peer(has_video=video)
        await self.send(
            type="answer",
            callId=message["callId"],
            link=message["link"],
            sdp=peer.describe("active"),
        )
        await peer.connect(message["sdp"])


@contextlib.asynccontextmanager
async def present(*people: Person) -> AsyncIterator[None]:
    """They leave in the end, whatever happens."""
    try:
        yield
    finally:
        await asyncio.gather(*(person.leave() for person in people))
