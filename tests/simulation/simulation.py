"""A cluster in simulated time, with its pages, one failure at a time, and the promises that hold.

The same seed gives the same history.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.simulation.event_loop import SimulatedLoop
from tests.simulation.nodes import Node, SimulatedCluster
from tests.simulation.pages import AgentPage, Observations, VisitorPage, World
from visavis.domain.leg import ROLES
from visavis.services.topics import SOCKET_TOPIC
from visavis.tasks import cancelled

BALANCER_SECONDS: Final = 1.6
"""Time in which the balancer closes the connections to a machine that does not answer."""
IDLE: Final = ("NodeHeartbeat", "alive")
"""Kinds of the messages that do not depend on calls."""
SETTLE_SECONDS: Final = 60.0
"""Time after the last fault after which nothing may be stuck."""


@dataclass(frozen=True, slots=True)
class Load:
    """Size of a simulation. Each site has `free_agents` more agents than calls at a time."""

    nodes: int = 5
    sites: int = 10
    calls: int = 20
    free_agents: int = 2
    talk_seconds: float = 60.0
    lines: int = 3
    ramp_seconds: float = 20.0
    hold_seconds: float = 30.0
    has_media_nodes: bool = False


@dataclass
class Result:
    """Findings of a simulation. The counts are those after the ramp.

    `most_takes` is how many times the same site was taken. `stale_acts` are messages to pages from
    a node that no longer owned their site.
    """

    seen: Observations
    violations: list[str]
    messages: Counter[str]
    deliveries: Counter[str]
    transactions: Counter[str]
    calls: int
    seconds: float
    takes: int
    most_takes: int
    stale_acts: list[str] = field(default_factory=list)

    @property
    def longest_silence(self) -> float:
        """Longest time for which a page of a call waited for its node."""
        return max(self.seen.silences, default=0.0)

    @property
    def per_call(self) -> tuple[float, float, float]:
        """Messages, deliveries and transactions of a call, without those of idle nodes."""
        counts = (
            sum(self.messages.values()) - sum(self.messages[kind] for kind in IDLE),
            sum(self.deliveries.values()) - sum(self.deliveries[kind] for kind in IDLE),
            self.transactions["read"] + self.transactions["write"],
        )
        messages, deliveries, transactions = (count / self.calls for count in counts)
        return messages, deliveries, transactions

    @property
    def background(self) -> float:
        """Deliveries a second by which nodes know of each other."""
        return sum(self.deliveries[kind] for kind in IDLE) / self.seconds


class Simulation:
    """A cluster under load. `fault` is awaited with this simulation after the ramp."""

    def __init__(self, load: Load, seed: int) -> None:
        self.load, self.seed = load, seed
        self.random = Random(seed)
        self.loop = SimulatedLoop()
        self.cluster = SimulatedCluster(self.loop, self.random, load.has_media_nodes)
        self.world = World(self.cluster, seed)
        self.is_calm = False
        self.stale_acts: list[str] = []

    # Faults

    @property
    def running(self) -> list[Node]:
        return [node for node in self.cluster.nodes.values() if node.process.is_running]

    def any_node(self) -> Node:
        return self.random.choice(self.running)

    def kill(self, node: Node) -> None:
        node.kill()
        node.is_at_balancer = False
        self.world.disconnect(node, 0.004)

    def restart(self, node: Node) -> Node:
        return self._watch(self.cluster.start(node.node_id))

    def freeze(self, node: Node) -> None:
        node.process.is_frozen = True
        self.world.disconnect(node, BALANCER_SECONDS)

        def mark() -> None:
            node.is_at_balancer = not node.process.is_frozen

        self.loop.after(BALANCER_SECONDS, mark, of=None)

    def thaw(self, node: Node) -> None:
        self.loop.thaw(node.process)
        node.is_at_balancer = True

    def split(self, nodes: list[Node], side: int = 1) -> None:
        """Cut these nodes off from the others on the bus."""
        for node in nodes:
            node.bus.move(side)

    def heal(self) -> None:
        for node in self.cluster.nodes.values():
            node.bus.move(0)

    def lose_bus_server(self, share: float = 1 / 3) -> None:
        """Kill a server of the bus, to which this share of the nodes is connected."""
        for node in self.running:
            if self.random.random() < share:
                node.bus.lose_server()

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # The run

    def run(self, fault: Callable[[Simulation], Awaitable[None]] | None = None) -> Result:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            return runner.run(self._run(fault))

    async def _run(self, fault: Callable[[Simulation], Awaitable[None]] | None) -> Result:
        load = self.load
        for number in range(load.nodes):
            self._watch(self.cluster.start(f"n{number}"))
            await self.pass_time(0.05)
        await self.pass_time(3.0)
        self._open_consoles()
        await self.pass_time(8.0)
        self._start_calls()
        await self.pass_time(load.ramp_seconds)
        begin = self._counts()
        placed, began_at = self.world.seen.calls_connected, self.loop.time()
        if fault:
            await fault(self)
        await self.pass_time(load.hold_seconds)
        counts = [after - before for before, after in zip(begin, self._counts(), strict=True)]
        calls, seconds = self.world.seen.calls_connected - placed, self.loop.time() - began_at
        self.is_calm = True
        await self.pass_time(SETTLE_SECONDS)
        first = self._check()
        await self.pass_time(2.0)
        violations = [text for text in self._check() if text in first]  # not only in transit
        takes = [take for take in self.cluster.database.takes if take.at > began_at]
        result = Result(
            seen=self.world.seen,
            violations=[
                *self.cluster.database.violations,
                *self.world.seen.violations,
                *violations,
            ],
            messages=counts[0],
            deliveries=counts[1],
            transactions=counts[2],
            calls=calls,
            seconds=seconds,
            takes=len(takes),
            most_takes=max(Counter(take.owner.site_id for take in takes).values(), default=0),
            stale_acts=list(self.stale_acts),  # not those of processes that `_end` thaws
        )
        await self._end()
        return result

    def _counts(self) -> list[Counter[str]]:
        network, database = self.cluster.network, self.cluster.database
        return [
            Counter(network.published),
            Counter(network.delivered),
            Counter(database.transactions),
        ]

    def _watch(self, node: Node) -> Node:
        """Note the messages to pages from a node that no longer owns their site."""
        sites: dict[str, int] = self._sites

        def on_sent(topic: str) -> None:
            site_id = sites.get(topic.removeprefix(SOCKET_TOPIC))
            owner = self.cluster.database.owners.get(site_id) if site_id else None
            if owner and owner.boot != node.boot:
                taken_at = max(t.at for t in self.cluster.database.takes if t.owner == owner)
                late = self.loop.time() - taken_at
                self.stale_acts.append(f"{node.node_id} acts for site {site_id} {late:.2f} s late")

        node.bus.on_sent = on_sent
        return node

    @property
    def _sites(self) -> dict[str, int]:
        return self.world.sites

    def _open_consoles(self) -> None:
        load, agents = self.load, 0
        per_site = round(load.calls / load.sites) + load.free_agents
        for site_id in range(1, load.sites + 1):
            for _ in range(per_site):
                agents += 1
                page = AgentPage(self.world, site_id, agents)
                self.world.after(self.random.uniform(0.0, 5.0), page.connect)

    def _start_calls(self) -> None:
        for number in range(self.load.calls):
            site_id = number % self.load.sites + 1
            self.world.after(self.random.uniform(0.0, self.load.ramp_seconds), self._call, site_id)

    def _call(self, site_id: int) -> None:
        """Let a visitor call, and another one when that call has ended."""
        if self.is_calm:
            return
        talk = self.random.expovariate(1 / self.load.talk_seconds) + 1.0
        visitor = VisitorPage(self.world, site_id, talk, self.load.lines)
        visitor.on_finished = lambda: self.world.after(
            self.random.uniform(0.5, 1.5), self._call, site_id
        )
        visitor.connect()

    # Promises that must hold

    def _check(self) -> list[str]:
        return [*self._stuck_pages(), *self._stuck_calls(), *self._wrong_lines()]

    def _stuck_pages(self) -> list[str]:
        found = []
        for page in self.world.pages:
            since = page.waiting_since
            if since is not None and self.loop.time() - since > 15.0:
                found.append(f"a page of call {page.call_id} waits since {since:.1f} s")
            if not page.is_ready:
                found.append(f"a page of site {page.site_id} is not connected")
        return found

    def _stuck_calls(self) -> list[str]:
        """Return the calls that no node has, or that do not have both pages."""
        database, live = self.cluster.database, self._live()
        in_call: defaultdict[str, list[str]] = defaultdict(list)
        for page in self.world.pages:
            if page.call_id:
                in_call[page.call_id].append(type(page).__name__)
        open_calls = {key: row for key, row in database.call_rows.items() if not row.is_over}
        return [
            *(
                f"call {call_id} is {row.state} with the pages {in_call[call_id]}"
                for call_id, row in open_calls.items()
                if len(in_call[call_id]) != len(ROLES)
            ),
            *(f"no node has the call {call_id}" for call_id in open_calls.keys() - live),
            *(
                f"the snapshot of {call_id} was left"
                for call_id in database.snapshots.keys() - live
            ),
            *(f"pages are in the call {call_id} of no node" for call_id in in_call.keys() - live),
            *self._calls_of_others(),
        ]

    def _live(self) -> set[str]:
        """Return the ids of the calls that nodes have."""
        sites = [site for node in self.running for site in node.calls._sites.values()]
        return {call_id for site in sites for call_id in site.calls}

    def _calls_of_others(self) -> list[str]:
        return [
            f"{node.node_id} has calls of site {site_id}, which another node owns"
            for node in self.running
            for site_id, site in node.calls._sites.items()
            if site.calls and self.cluster.owner_of(site_id) is not node
        ]

    def _wrong_lines(self) -> list[str]:
        return [
            f"the line {text} is {count} times in the database"
            for row in self.cluster.database.call_rows.values()
            for text, count in row.texts.items()
            if count > 1
        ]

    async def _end(self) -> None:
        """End the processes, those that are dead or frozen too."""
        everyone = [*self.cluster.nodes.values(), *self.cluster.dead]
        for node in everyone:
            node.bus.is_closed = True
            self.loop.thaw(node.process)
        me = asyncio.current_task()
        await cancelled(*(task for task in asyncio.all_tasks() if task is not me))
