"""App CPU of a whole call without media: from the visitor's request to the end, in microseconds.

Pages, media workers and the database are simulated and take almost no CPU; the bus encodes every
message. The sites have different numbers of free agents and queued calls, on which the cost of one
call should not depend.

    python -m benchmarks.call_engine [--calls 300] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from visavis.bus.local import LocalBus
from visavis.domain.config import Config
from visavis.domain.leg import (
    AGENT_LEG,
    VISITOR_LEG,
    BridgeId,
    BridgeStatus,
    Candidate,
    LocalTransport,
    RemoteTransport,
)
from visavis.domain.ownership import SiteTerm
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import Manifest
from visavis.domain.site_settings import SiteSettings
from visavis.protocol import signaling
from visavis.rtp.mos import LegReport
from visavis.services.calls import Calls
from visavis.services.presence import AgentSession
from visavis.services.topics import SOCKET_TOPIC
from visavis.services.visitor_limits import VisitorLimits

DATA: Final = Path(__file__).resolve().parent.parent / "tests" / "rtp" / "data"
OFFER: Final = (DATA / "chromium-offer.sdp").read_bytes().decode()
ANSWER: Final = (DATA / "chromium-answer.sdp").read_bytes().decode()
TRANSPORT: Final = LocalTransport(
    "ufrag", "p" * 24, "sha-256 " + ":".join(["AB"] * 32), (Candidate("192.0.2.1", 9),)
)
REPORTS: Final = 5
LINES: Final = 3
SITES: Final = ((1, 0), (20, 0), (1_000, 0), (10_000, 0), (20, 1_000), (20, 10_000))
"""Free agents and queued calls of the measured sites."""


class NoStore:
    """Fake database that stores nothing."""

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return False

    async def write(self, work: Callable[[Any], Any]) -> Any:
        return {1: 1}  # the term of the site


class NoMedia:
    """Fake media workers that answer at once."""

    is_shared = False

    async def claim(
        self, bridges: Mapping[BridgeId, str], term: SiteTerm
    ) -> Collection[BridgeStatus]:
        return ()

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> str:
        return "node"

    async def note(self, bridge: BridgeId, note: Mapping[str, Any]) -> None: ...
    async def pause(self, bridge: BridgeId, *, paused: bool) -> None: ...
    async def join(self, bridge: BridgeId) -> None: ...
    async def close(self, bridge: BridgeId) -> None: ...
    async def open_leg(self, bridge: BridgeId, leg: int) -> LocalTransport:
        return TRANSPORT

    async def set_remote(
        self,
        bridge: BridgeId,
        leg: int,
        remote: RemoteTransport,
    ) -> LocalTransport:
        return TRANSPORT


class Site:
    """Site with recording, free agents and queued calls."""

    def __init__(self, agents: int, waiting: int) -> None:
        numbers = itertools.count()
        self.bus = LocalBus()
        self.agents = agents
        self.waiting = waiting
        self.calls = Calls(
            settings_of=self.settings_of,
            store=NoStore(),  # type: ignore[arg-type]  # has no listeners
            bus=self.bus,
            media=NoMedia(),
            clock=lambda: datetime.now(UTC),
            schedule=asyncio.get_running_loop().call_later,
            new_id=lambda: f"{next(numbers):032x}",
            node_id="node",
            boot="boot",
            announce=self.announce,
            limits=VisitorLimits(
                calls=0, checks=0, pages=0, messages=0, waiting_calls=0, queue_length=0
            ),
        )

    async def settings_of(self, site_id: int) -> SiteSettings:
        config = Config(site_id, is_enabled=True, is_recording=True)
        return SiteSettings(config, RecordingPolicy(site_id))

    async def announce(self, site_id: int) -> None: ...

    async def open(self) -> None:
        """Connect the agents, and queue the calls, whose visitors wait for other agents."""
        me = self.session(1)
        self.calls.agent_arrived(me)
        await self.calls.from_agent(me, signaling.Presence(is_available=False))
        for number in range(self.waiting):
            visitor = Visitor(f"w{number}", 1)
            await self.calls.from_visitor(visitor, signaling.PlaceCall("video", OFFER, "Ann"))
        for number in range(2, self.agents + 1):
            self.calls.agent_arrived(self.session(number))
            if self.waiting:
                await self.calls.from_agent(
                    self.session(number), signaling.Presence(is_available=False)
                )
        await self.calls.wait_idle()

    def session(self, number: int) -> AgentSession:
        agent = Agent(number, 1, "a@example.com", f"Agent {number}", is_administrator=True)
        return AgentSession(f"a{number}", agent)

    async def call(self, number: int) -> None:
        """Make one call from its request to its end, accepted by the agent at whom it rings."""
        visitor, agent = Visitor(f"v{number}", 1), self.session(1)
        await self.calls.from_agent(agent, signaling.Presence(is_available=True))
        call_id = await self._place(visitor)
        if not self.waiting:  # Otherwise the invitation has assigned the call to this agent.
            await self.calls.from_agent(agent, signaling.Accept(call_id))
        await self.calls.wait_idle()
        await self.calls.from_agent(agent, signaling.Answer(call_id, 1, own(ANSWER, visitor.id)))
        await self.calls.wait_idle()
        bridge = BridgeId(call_id, 1)
        for leg in (VISITOR_LEG, AGENT_LEG):
            await self.calls.media_events.leg_up(bridge, leg)
        for _ in range(REPORTS):
            for leg in (VISITOR_LEG, AGENT_LEG):
                await self.calls.media_events.quality(bridge, leg, LegReport(mos=4.2))
        for line in range(LINES):
            await self.calls.from_visitor(visitor, signaling.Say(call_id, "Hello", f"{line}"))
        await self.calls.from_visitor(visitor, signaling.HangUp(call_id))
        await self.calls.from_agent(agent, signaling.Presence(is_available=False))
        self.calls.visitor_left(visitor)
        await self.calls.wait_idle()

    async def _place(self, visitor: Visitor) -> str:
        """Place a call, by invitation if others are waiting; return its id."""
        agent = self.session(1)
        invitation = ""
        async with self.bus.subscribe(f"{SOCKET_TOPIC}{visitor.id}") as inbox:
            await self.calls.from_visitor(visitor, signaling.Here("/"))
            if self.waiting:
                await self.calls.from_agent(agent, signaling.Invite(visitor.id, "video"))
                invitation = _field(await anext(aiter(inbox)), b'"invitation":"')
            await self.calls.from_visitor(
                visitor,
                signaling.PlaceCall("video", own(OFFER, visitor.id), "Ann", invitation=invitation),
            )
            async for message in inbox:
                if b'"type":"calling"' in message:
                    break
        return _field(message, b'"callId":"')


def own(sdp: str, name: str) -> str:
    """Return a session description that no other call has."""
    return sdp.replace("a=ice-ufrag:", f"a=ice-ufrag:{name.replace('-', '+')}")


def _field(message: bytes, name: bytes) -> str:
    return message.partition(name)[2].partition(b'"')[0].decode()


async def measure(agents: int, waiting: int, calls: int, rounds: int) -> float:
    """Return the median over the rounds of the CPU time of a call, in microseconds."""
    site = Site(agents, waiting)
    await site.open()
    async with AsyncExitStack() as stack:
        for number in range(1, min(agents, 20) + 1):  # Some agents read their messages.
            await stack.enter_async_context(site.bus.subscribe(f"{SOCKET_TOPIC}{f'a{number}'}"))
        for number in range(20):
            await site.call(-number)
        found = []
        for turn in range(rounds):
            begin = time.process_time()
            for number in range(calls):
                await site.call(turn * calls + number)
            found.append((time.process_time() - begin) / calls * 1e6)
    return statistics.median(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    print(f"{'free agents':>12} {'queued calls':>13} {'µs of CPU a call':>17}")
    for agents, waiting in SITES:
        cost = asyncio.run(measure(agents, waiting, options.calls, options.rounds))
        print(f"{agents:>12} {waiting:>13} {cost:>17.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
