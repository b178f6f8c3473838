"""A good call and a real visitor while others flood the media port and the queue.

As a program it prints the figures as a table: `python -m tests.faults.flood --seconds 10`. The
floods stay on loopback and end by themselves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from click.testing import CliRunner
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from tests import http_clients
from tests.participants.camera import VP8
from tests.participants.peer import Peer
from tests.participants.people import Agent, Visitor, present
from tests.running import PATIENCE, System
from visavis.cli import main as visavis

STRANGERS_MEGABITS: Final = 200
LEG_MEGABITS: Final = 300
ATTACKERS: Final = ("127.0.0.2", "127.0.0.3")
"""Other networks than this machine, which has no limits."""

SOCKETS_EACH: Final = 20
REAL_VISITOR: Final = "127.0.0.4"

SENDER: Final = """
import os, socket, sys, time
descriptor, port, megabits, size, seconds, head = sys.argv[1:]
if int(descriptor) >= 0:
    udp = socket.socket(fileno=int(descriptor))
    to = ("127.0.0.1", int(port))
else:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    to = ("127.0.0.1", int(port))
datagram = bytes.fromhex(head)
datagram += os.urandom(int(size) - len(datagram))
rate = float(megabits) * 1e6 / 8 / len(datagram)
began, sent = time.monotonic(), 0
while (passed := time.monotonic() - began) < float(seconds):
    for _ in range(min(int(passed * rate) - sent, 200)):
        try:
            udp.sendto(datagram, to)
        except OSError:
            pass
        sent += 1
    time.sleep(0.0005)
print(sent * len(datagram) * 8 / float(seconds) / 1e6)
"""
CHECK_HEAD: Final = "000100002112a442"
RTP_HEAD: Final = f"80{VP8:02x}"


@dataclass(frozen=True)
class Share:
    """The part of a good call's packets that arrived while `megabits` were sent at the port."""

    name: str
    megabits: float
    delivered: float


@dataclass(frozen=True)
class Use:
    """Memory and descriptors of a part."""

    megabytes: float
    descriptors: int


@dataclass
class Figures:
    shares: list[Share] = field(default_factory=list)
    place: int = 0
    wait_seconds: float = 0.0
    attackers_calls: int = 0
    before: dict[str, Use] = field(default_factory=dict)
    after: dict[str, Use] = field(default_factory=dict)

    def table(self) -> str:
        lines = ["| a good call while … | Mbit/s | packets delivered |", "|---|---|---|"]
        lines += [f"| {s.name} | {s.megabits:.0f} | {s.delivered:.2%} |" for s in self.shares]
        lines += ["", "| a real visitor under attack from two addresses | |", "|---|---|"]
        lines += [f"| calls that the attackers could place | {self.attackers_calls} |"]
        lines += [f"| place in the queue | {self.place} |"]
        lines += [f"| seconds until accepted, once agents are free | {self.wait_seconds:.1f} |"]
        lines += [
            "",
            "| part | MB before | after | descriptors before | after |",
            "|---|---|---|---|---|",
        ]
        for name, before in self.before.items():
            after = self.after[name]
            figures = (before.megabytes, after.megabytes, before.descriptors, after.descriptors)
            lines.append(f"| {name} | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |")
        return "\n".join(lines)


class LateAgent(Agent):
    """Accepts the next ringing call when another agent was faster, as a person does."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self._ringing: list[str] = []
        self._next: asyncio.Task[None] | None = None

    async def hear_more(self, message: dict[str, Any]) -> None:
        if message["type"] == "ring":
            self._ringing.append(message["callId"])
        await super().hear_more(message)

    def _over(self, reason: str) -> None:
        lost = self.call_id
        super()._over(reason)
        if reason.startswith("refused"):
            self._ringing = [call_id for call_id in self._ringing if call_id != lost]
            if self._ringing:
                self.call_id = self._ringing[0]
                self._next = asyncio.create_task(self.send(type="accept", callId=self.call_id))


class Flood:
    """One system, a good call, and those who want to harm it."""

    def __init__(self, directory: Path) -> None:
        self.system = System(directory / "data", "--page-rate-limit", "0")
        self.figures = Figures()

    def measure(self, seconds: float) -> Figures:
        self.system.start()
        try:
            self.system.configure(on=True)
            asyncio.run(self._measure(seconds))
        finally:
            self.system.stop()
        return self.figures

    async def _measure(self, seconds: float) -> None:
        url = self.system.url.replace("http", "ws", 1)
        tokens = await asyncio.to_thread(self._tokens, 2 + len(ATTACKERS) + 1)
        visitor_url = f"{url}/signaling/visitor?site=1"
        agents = [Agent(f"{url}/signaling/agent", token) for token in tokens[:2]]
        good, greedy = Visitor(visitor_url), Visitor(visitor_url)
        async with present(*agents, good, greedy):
            await asyncio.gather(*(agent.is_on_duty.wait() for agent in agents))
            for visitor in (good, greedy):
                await visitor.call("Somebody")
                async with asyncio.timeout(PATIENCE):
                    await visitor.is_connected.wait()
            self.figures.before = self._uses()
            await self._share("nobody floods", good, agents, [], seconds)
            await self._share(
                "strangers flood",
                good,
                agents,
                ["-1", STRANGERS_MEGABITS, 1000, CHECK_HEAD],
                seconds,
            )
            descriptor = _udp_of(greedy.peers[1])
            await self._share(
                "one leg floods", good, agents, [descriptor, LEG_MEGABITS, 1200, RTP_HEAD], seconds
            )
            await self._queue(visitor_url, f"{url}/signaling/agent", tokens[2:])
            self.figures.after = self._uses()

    async def _share(
        self, name: str, good: Visitor, agents: Sequence[Agent], flood: list[Any], seconds: float
    ) -> None:
        own = good.peers[1]
        other = next(a.peers[1] for a in agents if a.known_as == good.known_as)
        sent, received = _sent(own) + _sent(other), own.received + other.received
        sending = None
        if flood:
            descriptor, megabits, size, head = map(str, flood)
            command = [sys.executable, "-c", SENDER, descriptor, str(self.system.media_port)]
            keep = [int(descriptor)] if int(descriptor) >= 0 else []
            sending = subprocess.Popen(
                [*command, megabits, size, str(seconds), head],
                stdout=subprocess.PIPE,
                pass_fds=keep,
            )
        await asyncio.sleep(seconds)
        megabits_sent = 0.0
        if sending:
            output, _ = await asyncio.to_thread(sending.communicate)
            megabits_sent = float(output)
        await asyncio.sleep(0.3)
        sent, received = _sent(own) + _sent(other) - sent, own.received + other.received - received
        self.figures.shares.append(Share(name, megabits_sent, min(1.0, received / sent)))

    async def _queue(self, visitor_url: str, agent_url: str, tokens: list[str]) -> None:
        """Attackers call as often as they can; then a real visitor does, and agents come."""
        async with (
            _attack(visitor_url, self.figures),
            http_clients.websocket(visitor_url, local_addr=(REAL_VISITOR, 0)) as page,
        ):
            await page.send(_call_message("Real"))
            self.figures.place = (await _hear(page, "queued"))["place"]
            began = time.monotonic()
            late = [LateAgent(agent_url, token) for token in tokens]
            async with present(*late):
                await _until_accepted(page)
                self.figures.wait_seconds = time.monotonic() - began

    def _tokens(self, count: int) -> list[str]:
        data = ("--data", str(self.system.data))
        tokens = []
        for number in range(count):
            email = f"agent{number}@example.com"
            permission = "Accept Audio & Video Chats"
            self._run("agent", "add", email, "--permission", permission, *data)
            tokens.append(self._run("token", "issue", "--email", email, *data).strip())
        return tokens

    def _run(self, *arguments: str) -> str:
        result = CliRunner().invoke(visavis, arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def _uses(self) -> dict[str, Use]:
        return {name: _use(self.system.pid_of(name)) for name in ("app", "media")}


@contextlib.asynccontextmanager
async def _attack(url: str, figures: Figures) -> AsyncIterator[None]:
    """Open pages from each attacker's address, and call from all of them for some seconds."""
    async with contextlib.AsyncExitStack() as stack:
        pages: list[ClientConnection] = []
        for address in ATTACKERS:
            for _ in range(SOCKETS_EACH):
                page = await stack.enter_async_context(
                    http_clients.websocket(url, local_addr=(address, 0))
                )
                pages.append(page)
        for _ in range(10):
            for page in pages:
                with contextlib.suppress(WebSocketException, OSError):
                    await page.send(_call_message("Attacker"))
            await asyncio.sleep(0.1)
        for page in pages:
            figures.attackers_calls += await _count(page, "calling")
        yield


def _call_message(name: str) -> str:
    offer = Peer().describe("actpass")
    message = {"type": "call", "media": "video", "offer": offer, "name": name, "agreed": True}
    return msgspec.json.encode(message).decode()


async def _hear(page: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = msgspec.json.decode(await page.recv())
            assert message["type"] not in {"refused", "ended"}, message
            if message["type"] == "ping":
                await page.send('{"type":"pong"}')
            if message["type"] == kind:
                return message


async def _until_accepted(page: ClientConnection) -> None:
    while (await _hear(page, "callState"))["state"] != "accepted":
        pass


async def _count(page: ClientConnection, kind: str) -> int:
    count = 0
    with contextlib.suppress(TimeoutError, WebSocketException):
        while True:
            message = msgspec.json.decode(await asyncio.wait_for(page.recv(), 0.05))
            count += message["type"] == kind
    return count


def _sent(peer: Peer) -> int:
    return peer.camera.audio.packets + peer.camera.video.packets


def _udp_of(peer: Peer) -> int:
    assert peer._transport
    return int(peer._transport.get_extra_info("socket").fileno())


def _use(pid: int) -> Use:
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    assert match
    return Use(int(match[1]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each flood")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(Flood(Path(directory)).measure(options.seconds).table())


if __name__ == "__main__":
    main()
