"""A storm: calls through HAProxy while one part after the other dies, and what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Iterable
from random import Random
from time import monotonic, sleep
from typing import ClassVar, Final

import httpx2
import psycopg

from tests import http_clients
from tests.cluster import faults
from tests.cluster.faults import PlannedFault
from tests.cluster.history import (
    ChangeAcknowledged,
    FaultBegun,
    FaultMended,
    History,
    LoggedCall,
    LoggedRecording,
    OwnerSeen,
    Remains,
)
from tests.cluster.pages import Notes, NotingAgent, NotingVisitor
from tests.cluster.topology import Topology
from tests.participants.people import present
from tests.running import PATIENCE, eventually
from visavis.tasks import cancelled

TALK_SECONDS: Final = (2.0, 12.0)
PAUSE_SECONDS: Final = (0.2, 1.0)
VIDEO_SHARE: Final = 0.25
TRANSFER_SHARE: Final = 0.3
WATCH_SECONDS: Final = 0.1
LOOK_SECONDS: Final = 0.5
SETTLE_PAUSE: Final = 1.0
CHANGE_SECONDS: Final = 1.0
REPEAT_SECONDS: Final = 1.0
POLICY: Final = "/v4/livechat/recordingPolicy"
FIRST_CHANGE: Final = 1000
"""The changes of a storm are times for queueing, each one second longer than the one before."""


CALLS: Final = """SELECT id, state, coalesce(reason, ''), (SELECT count(*) FROM call_events e
WHERE e.call_id = calls.id AND e.name = 'ended') FROM calls"""
RECORDINGS: Final = """SELECT call_id, state, coalesce(last_error, CAST(next_try_at AS text), '')
FROM recordings"""
LIVE_CALLS: Final = "SELECT call_id FROM live_calls"


class Storm:
    """Visitors, agents, faults and observers, all drawn from a seed."""

    _addresses: ClassVar = itertools.count(2)
    """Each page has an address of its own for HAProxy, also in the next storm."""
    _changes: ClassVar = itertools.count(FIRST_CHANGE)

    def __init__(
        self, topology: Topology, seed: int, *, callers: int = 3, pairs: float = 0.0
    ) -> None:
        self.topology = topology
        self.random = Random(seed)
        self.callers = callers
        self._plan = faults.plan(seed, pairs=pairs)
        self._agents: list[NotingAgent] = []
        self._visitors: set[NotingVisitor] = set()
        self._earlier: set[object] = set()
        self._is_calm = False
        self._fault_number = 0
        media = {node.media_port: node.data.name for node in topology.media}
        self.notes = Notes(media)

    def host(self) -> str:
        number = next(self._addresses)
        return f"127.{number >> 16}.{number >> 8 & 255}.{number & 255}:{self.topology.port}"

    async def run(self, count: int, tokens: list[str]) -> History:
        """Let so many faults happen, with an agent for each token; return the history."""
        self._earlier = {row[0] for row in self.topology.query("SELECT id FROM calls")}
        self.notes.began_at = monotonic()
        self._agents = [
            NotingAgent(self.notes, f"agent {number}", f"ws://{self.host()}/signaling/agent", token)
            for number, token in enumerate(tokens, 1)
        ]
        observers = [
            asyncio.create_task(self._watch_media()),
            asyncio.create_task(self._look_at_owners()),
            asyncio.create_task(self._change_settings()),
        ]
        try:
            async with present(*self._agents):
                await asyncio.gather(
                    *(asyncio.wait_for(a.is_on_duty.wait(), PATIENCE) for a in self._agents)
                )
                callers = [asyncio.create_task(self._call(n)) for n in range(1, self.callers + 1)]
                await self._rage(count)
                self._is_calm = True
                calm_at = monotonic()
                await asyncio.wait_for(asyncio.gather(*callers), PATIENCE)
                remains = await asyncio.to_thread(self._settle, calm_at)
        finally:
            await cancelled(*observers)
        return History(tuple(self.notes.events), remains)

    # Faults

    async def _rage(self, count: int) -> None:
        for _ in range(count):
            fault = next(self._plan)
            await asyncio.sleep(fault.calm_seconds)
            both = [fault]
            if fault.comes_along:
                both.append(next(f for f in self._plan if f.kind.family != fault.kind.family))
            await asyncio.gather(*map(self._inject, both))

    async def _inject(self, fault: PlannedFault) -> None:
        self._fault_number += 1
        number, notes = self._fault_number, self.notes
        target = int(fault.chance * fault.kind.targets(self.topology))
        notes.add(FaultBegun(notes.now(), number, fault.kind.name, str(target + 1)))
        await asyncio.to_thread(fault.kind.inject, self.topology, target, fault.seconds)
        await asyncio.to_thread(eventually, self.topology.is_whole)
        notes.add(FaultMended(notes.now(), number))

    # People

    async def _call(self, caller: int) -> None:
        """Place one call after the other until the storm is over."""
        number = 0
        while not self._is_calm:
            number += 1
            has_video = self.random.random() < VIDEO_SHARE
            url = f"ws://{self.host()}/signaling/visitor?site=1"
            visitor = NotingVisitor(
                self.notes, f"visitor {caller}.{number}", url, has_video=has_video
            )
            self._visitors.add(visitor)
            async with present(visitor):
                await self._talk(visitor)
            self._visitors.discard(visitor)
            await asyncio.sleep(self.random.uniform(*PAUSE_SECONDS))

    async def _talk(self, visitor: NotingVisitor) -> None:
        seconds = self.random.uniform(*TALK_SECONDS)
        is_transferred = self.random.random() < TRANSFER_SHARE
        does_agent_end = self.random.random() < 0.5
        await visitor.place()
        await first_of(visitor.is_connected, visitor.is_over)
        await self._pass(visitor, seconds / 2)
        if is_transferred and visitor.call_id:
            await self._transfer(visitor.call_id)
        await self._pass(visitor, seconds / 2)
        while not visitor.is_over.is_set():
            agent = self._agent_of(visitor.call_id)
            await (agent if agent and does_agent_end else visitor).hang_up()
            await self._pass(visitor, REPEAT_SECONDS)

    async def _pass(self, visitor: NotingVisitor, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(visitor.is_over.wait(), seconds)

    def _agent_of(self, call_id: str) -> NotingAgent | None:
        return next((a for a in self._agents if a.call_id == call_id and a.is_in_call), None)

    async def _transfer(self, call_id: str) -> None:
        agent = self._agent_of(call_id)
        free = [other for other in self._agents if not other.call_id]
        if agent and free:
            to = self.random.choice(free).agent_id
            await agent.send(type="transfer", callId=call_id, agentId=to, note="Please")

    # Observers

    async def _watch_media(self) -> None:
        while True:
            before = monotonic()
            await asyncio.sleep(WATCH_SECONDS)
            late = monotonic() - before - WATCH_SECONDS
            for page in [*self._agents, *self._visitors]:
                page.watch_media(late)

    async def _look_at_owners(self) -> None:
        query = "SELECT site_id, node_id, term FROM site_owners WHERE cluster = 'visavis'"
        last: list[tuple[object, ...]] = []
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with contextlib.suppress(psycopg.Error):
                rows = await asyncio.to_thread(self.topology.query, query)
                for site_id, node_id, term in rows if rows != last else ():
                    seen = (int(str(site_id)), str(node_id), int(str(term)))
                    self.notes.add(OwnerSeen(self.notes.now(), *seen))
                last = rows

    async def _change_settings(self) -> None:
        """Change a setting again and again, and note what was acknowledged."""
        headers = self.topology.authorization
        while not self._is_calm:
            value = next(self._changes)
            url = f"http://{self.host()}{POLICY}"
            with contextlib.suppress(httpx2.HTTPError):
                async with http_clients.AsyncClient(headers=headers) as client:
                    answer = await client.put(url, json={"queueSeconds": value})
                if answer.status_code == httpx2.codes.OK:
                    self.notes.add(ChangeAcknowledged(self.notes.now(), value))
            await asyncio.sleep(CHANGE_SECONDS)

    # The end

    def _settle(self, calm_at: float) -> Remains:
        """Wait until nothing is left of the calls; return what is there then."""
        with contextlib.suppress(psycopg.Error):  # the connection may be to a dead server
            self.topology.query(LIVE_CALLS)
        while True:
            remains = self._look(monotonic() - calm_at)
            states = Counter(recording.state for recording in remains.recordings)
            is_quiet = not remains.live_calls + remains.spooled and not remains.bridges
            if is_quiet and not states.keys() - {"delivered", "empty"}:
                return remains
            if remains.quiet_seconds > 2 * PATIENCE:
                return remains
            sleep(SETTLE_PAUSE)

    def _look(self, seconds: float) -> Remains:
        calls = {
            str(call_id): LoggedCall(str(call_id), str(state), str(reason), int(str(endings)))
            for call_id, state, reason, endings in self.topology.query(CALLS)
            if call_id not in self._earlier
        }
        recordings = tuple(
            LoggedRecording(str(call_id), str(state), str(cause))
            for call_id, state, cause in self.topology.query(RECORDINGS)
            if call_id in calls
        )
        audited = self.topology.query("SELECT changes FROM audit")
        spooled = (f"{n.data.name} {f}" for n in self.topology.media for f in n.undelivered())
        waits = any(one.state == "waiting" and one.visible_cause for one in recordings)
        return Remains(
            quiet_seconds=round(seconds, 1),
            calls=tuple(calls.values()),
            recordings=recordings,
            live_calls=tuple(str(row[0]) for row in self.topology.query(LIVE_CALLS)),
            bridges=self.topology.bridges(),
            spooled=() if waits else tuple(spooled),
            changes=numbers(str(row[0]) for row in audited),
        )


async def first_of(*events: asyncio.Event) -> None:
    """Wait until one of the events has happened."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
    finally:
        await cancelled(*waiting)


def numbers(texts: Iterable[str]) -> frozenset[int]:
    """Return the numbers in these texts that may be values of a change."""
    return frozenset(
        int(number)
        for text in texts
        for number in re.findall(r"\d+", text)
        if int(number) >= FIRST_CHANGE
    )
