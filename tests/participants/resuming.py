"""Pages that outlive an app process: they know when they lost and resumed their call."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from tests.participants.people import Agent, Person, Visitor
from tests.running import PATIENCE, System, administer, until

PERMISSION: Final = "Accept Audio & Video Chats"


def agent_tokens(system: System, *names: str) -> dict[str, str]:
    """Add agents by the command line; return their bearer tokens by name."""
    data = ("--data", str(system.data))
    tokens = {}
    for name in names:
        email = f"{name}@example.com"
        administer("agent", "add", email, "--permission", PERMISSION, *data)
        tokens[name] = administer("token", "issue", "--email", email, *data).strip()
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
            await asyncio.wait_for(page.is_open.wait(), PATIENCE)
