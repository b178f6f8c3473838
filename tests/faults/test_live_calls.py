"""`kill -9` of the app: calls outlive it, with their queue, ringing, transfers and join links."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.participants.people import Agent, Person, Visitor, present
from tests.running import VISAVIS, System, decoding_errors, eventually, ffprobe

pytestmark = [pytest.mark.fault, pytest.mark.anyio]

TALK_SECONDS: Final = 3.0
PERMISSION: Final = "Accept Audio & Video Chats"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(tmp_path_factory.mktemp("live") / "data").start()
    running.configure(on=True, recording=True)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def tokens(system: System) -> dict[str, str]:
    """Bearer tokens of two agents."""
    data = ("--data", str(system.data))
    tokens = {}
    for name in ("bo", "cy"):
        email = f"{name}@example.com"
        add = [VISAVIS, "agent", "add", email, "--permission", PERMISSION, *data]
        subprocess.run(add, check=True, capture_output=True)
        issue = [VISAVIS, "token", "issue", "--email", email, *data]
        issued = subprocess.run(issue, check=True, capture_output=True, text=True)
        tokens[name] = issued.stdout.strip()
    return tokens


class KnownPage(Person):
    """A page that keeps all messages of the server, and knows when it lost and resumed its call."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self.waits: list[float] = []
        self.resume_seconds = 0
        self._lost_at = 0.0
        super().__init__(*arguments, **options)

    async def hear(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        self.resume_seconds = message.get("resumeSeconds", self.resume_seconds)
        if message["type"] == "callState" and self._lost_at:
            self.waits.append(time.monotonic() - self._lost_at)
            self._lost_at = 0.0
        await super().hear(message)

    def lose(self) -> None:
        """The app is being killed."""
        self.told.clear()
        self._lost_at = time.monotonic()

    def last(self, kind: str) -> dict[str, Any]:
        return next((m for m in reversed(self.told) if m["type"] == kind), {})

    @property
    def longest_gap(self) -> int:
        """Longest run of RTP packets that it missed in any stream."""
        gaps = [r.longest_gap for peer in self.peers.values() for r in peer.receptions.values()]
        return max(gaps, default=0)

    @property
    def received(self) -> int:
        return sum(peer.received for peer in self.peers.values())


class KnownVisitor(KnownPage, Visitor):
    pass


class KnownAgent(KnownPage, Agent):
    """An agent who accepts a call only when `is_willing`."""

    is_willing = True

    async def hear_more(self, message: dict[str, Any]) -> None:
        if message["type"] != "ring" or self.is_willing:
            await super().hear_more(message)


class Pages:
    """Opens pages of one running system."""

    def __init__(self, system: System, tokens: dict[str, str]) -> None:
        self._system = system
        self._tokens = tokens
        self._url = system.url.replace("http", "ws", 1)
        self.people: list[KnownPage] = []

    def visitor(self, query: str = "site=1") -> KnownVisitor:
        page = KnownVisitor(f"{self._url}/signaling/visitor?{query}")
        self.people.append(page)
        return page

    def agent(self, name: str, *, is_willing: bool = True) -> KnownAgent:
        page = KnownAgent(f"{self._url}/signaling/agent", self._tokens[name])
        page.is_willing = is_willing
        self.people.append(page)
        return page

    async def kill_app(self) -> None:
        """Kill the app, and wait until all pages are connected to its successor."""
        for page in self.people:
            page.lose()
        await asyncio.to_thread(self._system.kill_part, "app")
        await until(lambda: not any(page.is_open.is_set() for page in self.people))
        for page in self.people:
            await asyncio.wait_for(page.is_open.wait(), 60)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


@pytest.fixture
async def office(
    system: System, tokens: dict[str, str], anyio_backend: str
) -> AsyncIterator[Pages]:
    opened = Pages(system, tokens)
    yield opened
    async with present(*opened.people):
        for page in opened.people:
            if page.call_id:
                await page.hang_up()
        await asyncio.sleep(0.5)


async def connected(office: Pages) -> tuple[KnownVisitor, KnownAgent]:
    agent = office.agent("bo")
    await agent.is_on_duty.wait()
    visitor = office.visitor()
    await visitor.call("Ann")
    for page in (visitor, agent):
        await asyncio.wait_for(page.is_connected.wait(), 60)
    await asyncio.sleep(TALK_SECONDS)
    return visitor, agent


def check_resumed(*pages: KnownPage) -> None:
    """Each page has its call again, in the time that it would have waited for it."""
    for page in pages:
        assert page.reason == ""
        assert page.call_id
        assert page.waits
        assert page.waits[-1] < page.resume_seconds
    print("resumed after", [round(page.waits[-1], 2) for page in pages], "seconds")


@pytest.mark.timeout(300)
async def test_a_recorded_call_a_ringing_one_and_a_queued_one(
    system: System, office: Pages
) -> None:
    visitor, agent = await connected(office)
    idle = office.agent("cy", is_willing=False)
    await idle.is_on_duty.wait()
    ringing, queued = office.visitor(), office.visitor()
    await ringing.call("Di")
    await until(lambda: idle.last("ring"))
    await queued.call("Ed")
    await until(lambda: queued.last("queued"))
    received = visitor.received, agent.received

    for _ in range(2):
        await office.kill_app()
        await until(lambda: all(page.waits and not page._lost_at for page in (visitor, agent)))
        check_resumed(visitor, agent)
        await until(lambda: idle.last("ring") and queued.last("queued"))
        assert (visitor.state, agent.state, ringing.state) == ("connected", "connected", "ringing")
        assert queued.state == "queued"
        assert queued.last("queued")["place"] == 1
        assert idle.last("ring")["callId"] == ringing.call_id
        assert (visitor.recording, agent.recording) == ("on", "on")
        await asyncio.sleep(TALK_SECONDS)

    assert len(visitor.peers) == len(agent.peers) == 1
    assert (visitor.longest_gap, agent.longest_gap) == (0, 0)
    assert visitor.received > received[0]
    assert agent.received > received[1]
    call_id = visitor.call_id
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), 60)
    assert agent.reason == "hungUp"
    for page in (ringing, queued):
        await page.hang_up()
    path = await asyncio.to_thread(lambda: recording_of(system, call_id))
    assert decoding_errors(path) == ""
    assert float(ffprobe(path)["format"]["duration"]) > 3 * TALK_SECONDS


def recording_of(system: System, call_id: str) -> Path:
    """Return the one file that the call was delivered as."""
    (found,) = eventually(lambda: [r for r in system.recordings() if r["callId"] == call_id])
    return system.archived(found["id"])


@pytest.mark.timeout(300)
async def test_a_transfer_rings_on(office: Pages) -> None:
    visitor, agent = await connected(office)
    second = office.agent("cy", is_willing=False)
    await second.is_on_duty.wait()
    await until(lambda: second.last("welcome"))
    to = second.last("welcome")["agentId"]
    await agent.send(type="transfer", callId=agent.call_id, agentId=to, note="Please")
    await until(lambda: second.last("ring"))

    second.is_willing = True
    await office.kill_app()
    await until(lambda: second.last("ring"))
    assert second.last("ring")["note"] == "Please"
    await asyncio.wait_for(second.is_connected.wait(), 60)
    await asyncio.wait_for(agent.is_over.wait(), 60)
    assert agent.reason == "transferred"
    assert visitor.state == "connected"


@pytest.mark.timeout(300)
async def test_a_join_link_stays_valid(system: System, office: Pages) -> None:
    created = await asyncio.to_thread(
        lambda: httpx2.post(
            f"{system.url}/v4/livechat/audioVideoChats",
            json={"media": "video", "visitorName": "Ann"},
            headers={"Authorization": f"Bearer {system.token()}"},
        )
    )
    tokens = re.findall(r"/join/([\w-]+)", created.text)
    await office.kill_app()
    visitor = office.visitor(f"join={tokens[0]}")
    await visitor.call("Ann")
    await until(lambda: visitor.last("calling"))
    assert visitor.call_id == created.json()["id"]
