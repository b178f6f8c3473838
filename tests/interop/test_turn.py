"""A call's credentials at a real coturn, and nobody else's."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
import struct
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection

from tests import http_clients
from tests.e2e.networks.ways import Coturn, coturn
from tests.participants.peer import Peer
from tests.participants.people import Agent, Visitor, present
from tests.running import PATIENCE, System

pytestmark = pytest.mark.interop
COOKIE = 0x2112A442


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def allocate(body: bytes, to_come: int = 0) -> bytes:
    """An Allocate request for a UDP relay (RFC 8656 §7.1)."""
    body = attribute(0x0019, b"\x11\0\0\0") + body  # REQUESTED-TRANSPORT
    return struct.pack("!HHI", 0x0003, len(body) + to_come, COOKIE) + b"transaction!" + body


def attributes(answer: bytes) -> dict[int, bytes]:
    found, position = {}, 20
    while position < len(answer):
        kind, size = struct.unpack_from("!HH", answer, position)
        found[kind] = answer[position + 4 : position + 4 + size]
        position += 4 + size + -size % 4
    return found


def is_allocated(server: Coturn, username: str, credential: str) -> bool:
    """Whether coturn gives a relay address for these credentials."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(PATIENCE)
        udp.connect(("127.0.0.1", server.port))
        udp.send(allocate(b""))
        asked = attributes(udp.recv(2048))  # 401 with REALM and NONCE
        realm, nonce = asked[0x0014], asked[0x0015]
        body = attribute(0x0006, username.encode()) + attribute(0x0014, realm)
        body += attribute(0x0015, nonce)
        secret = f"{username}:{realm.decode()}:{credential}".encode()
        key = hashlib.md5(secret, usedforsecurity=False).digest()  # RFC 8489 §9.2.2
        body += attribute(0x0008, hmac.digest(key, allocate(body, 24), "sha1"))
        udp.send(allocate(body))
        return udp.recv(2048)[:2] == b"\x01\x03"


async def hear(page: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = msgspec.json.decode(await page.recv())
            if message["type"] == kind:
                return message


async def credentials(system: System) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ICE servers of a page before its call, and of the call."""
    url = system.url.replace("http", "ws", 1)
    agent = Agent(f"{url}/signaling/agent", system.token())
    async with (
        present(agent),
        http_clients.websocket(f"{url}/signaling/visitor?site=1") as page,
    ):
        await agent.is_on_duty.wait()
        before = await hear(page, "iceServers")
        offer = Peer().describe("actpass")
        call = {"type": "call", "media": "audio", "offer": offer, "agreed": True}
        await page.send(msgspec.json.encode(call).decode())
        return before, await hear(page, "iceServers")


async def talk(system: System) -> None:
    """A whole call: its first offer is asked for again."""
    url = system.url.replace("http", "ws", 1)
    agent = Agent(f"{url}/signaling/agent", system.token())
    visitor = Visitor(f"{url}/signaling/visitor?site=1", has_video=False)
    async with present(agent, visitor), asyncio.timeout(PATIENCE):
        await agent.is_on_duty.wait()
        await visitor.call("Ann")
        await visitor.is_connected.wait()
        while not visitor.peers[1].received:
            await asyncio.sleep(0.05)


def test_coturn_takes_a_call_s_credentials_until_they_expire(tmp_path: Path) -> None:
    with coturn(tmp_path) as server:
        system = System(tmp_path / "data", *server.options).start()
        try:
            system.configure(on=True)
            before, during = asyncio.run(credentials(system))
            assert (before["servers"], before["hasRelay"]) == ([], True)
            (relay,) = during["servers"]
            assert is_allocated(server, relay["username"], relay["credential"])
            assert not is_allocated(server, relay["username"], "guess")
            expired = f"{int(time.time()) - 10}:call"
            digest = hmac.digest(server.secret.encode(), expired.encode(), "sha1")
            assert not is_allocated(server, expired, base64.b64encode(digest).decode())
            asyncio.run(talk(system))
        finally:
            system.stop()
