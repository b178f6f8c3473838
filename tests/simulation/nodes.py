"""Nodes of a simulated cluster: the real calls, owners and edge over a simulated bus and database.

Media workers are simulated too. Their bridges outlive the app process of their node.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.database import Database, SimulatedStore
from tests.simulation.event_loop import Process, SimulatedLoop
from tests.simulation.network import Network, SimulatedBus
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
from visavis.domain.membership import Member, MemberLoad
from visavis.domain.ownership import SiteTerm
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import Manifest
from visavis.domain.site_settings import SiteSettings
from visavis.services.calls import Calls
from visavis.services.cluster.node import ClusterNode
from visavis.services.members import Members
from visavis.services.visitor_limits import VisitorLimits
from visavis.tasks import run_every, run_until_done

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLUSTER = "simulated"
BEAT_SECONDS = 1.0
ALIVE_SECONDS = 5.0
UNLIMITED = VisitorLimits(
    calls=0, checks=0, pages=0, messages=0, joins=0, waiting_calls=0, queue_length=0
)


class MediaWorkers:
    """The bridges of all media workers, with their connected legs, sites and nodes."""

    def __init__(self) -> None:
        self.bridges: dict[BridgeId, set[int]] = {}
        self.sites: dict[BridgeId, int] = {}
        self.nodes: dict[BridgeId, str] = {}


@dataclass
class SimulatedCluster:
    """The parts that all nodes share. The nodes have numbers; a restarted one has a new boot.

    If it `has_media_nodes`, another node can control the bridges of one that has died.
    """

    loop: SimulatedLoop
    random: Random
    has_media_nodes: bool = False
    nodes: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network = Network(self.loop, self.random)
        self.database = Database(self.loop, self.random)
        self.workers = MediaWorkers()
        self.boots = itertools.count()
        self.ids = itertools.count()
        self.dead: list[Node] = []

    def new_id(self) -> str:
        return f"{next(self.ids):x}"

    def start(self, node_id: str) -> Node:
        """Start a node, or start it again."""
        node = self.nodes[node_id] = Node(self, node_id, f"boot{next(self.boots)}")
        node.start()
        return node

    def owner_of(self, site_id: int) -> Node | None:
        """Return the node that owns a site by the database, if its process has not ended."""
        owner = self.database.owners.get(site_id)
        node = self.nodes.get(owner.node_id) if owner else None
        return node if node and owner and node.boot == owner.boot else None


class SimulatedMedia:
    """The media workers as one node sees them; implements `services.ports.MediaPlane`."""

    def __init__(
        self, cluster: SimulatedCluster, node_id: str, site_of: Callable[[str], int]
    ) -> None:
        self._cluster = cluster
        self._node_id = node_id
        self._site_of = site_of
        fingerprint = "sha-256 " + ":".join(["AB"] * 32)
        candidates = (Candidate("192.0.2.1", 9),)
        self._transport = LocalTransport("ufrag", "p" * 24, fingerprint, candidates, "worker")

    @property
    def is_shared(self) -> bool:
        return self._cluster.has_media_nodes

    async def _answer(self) -> None:
        await asyncio.sleep(0.001)

    async def claim(
        self, bridges: Mapping[BridgeId, str], term: SiteTerm
    ) -> Collection[BridgeStatus]:
        await self._answer()
        workers = self._cluster.workers
        found = workers.bridges.keys() & bridges
        workers.nodes.update(dict.fromkeys(found, self._node_id))
        return [BridgeStatus(bridge, frozenset(workers.bridges[bridge])) for bridge in found]

    async def open_leg(self, bridge: BridgeId, leg: int) -> LocalTransport:
        await self._answer()
        self._cluster.workers.bridges.setdefault(bridge, set())
        self._cluster.workers.sites[bridge] = self._site_of(bridge.call_id)
        self._cluster.workers.nodes[bridge] = self._node_id
        return self._transport

    async def set_remote(
        self, bridge: BridgeId, leg: int, remote: RemoteTransport
    ) -> LocalTransport:
        await self._answer()
        return self._transport

    async def join(self, bridge: BridgeId) -> None:
        await self._answer()
        for leg in (VISITOR_LEG, AGENT_LEG):
            wait = self._cluster.random.uniform(0.1, 0.4)
            self._cluster.loop.after(wait, self._connect, bridge, leg, of=None)

    def _connect(self, bridge: BridgeId, leg: int) -> None:
        """Let a leg be connected, and report that to the node that owns the site now."""
        legs = self._cluster.workers.bridges.get(bridge)
        if legs is None or leg in legs:
            return
        legs.add(leg)
        node = self._cluster.nodes[self._cluster.workers.nodes[bridge]]
        node.process.spawn(node.calls.media_events.leg_up(bridge, leg))

    async def close(self, bridge: BridgeId) -> None:
        await self._answer()
        workers = self._cluster.workers
        if workers.nodes.get(bridge) == self._node_id:
            del workers.nodes[bridge], workers.sites[bridge], workers.bridges[bridge]

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> str:
        return self._node_id

    async def note(self, bridge: BridgeId, note: Mapping[str, Any]) -> None: ...
    async def pause(self, bridge: BridgeId, *, paused: bool) -> None: ...


class Node:
    """An app process with its calls, its pages, and its view of the other nodes."""

    def __init__(self, cluster: SimulatedCluster, node_id: str, boot: str) -> None:
        self.node_id, self.boot = node_id, boot
        self.cluster = cluster
        self.process = Process(node_id)
        self.bus = SimulatedBus(cluster.network, node_id, self.process)
        self.store = SimulatedStore(cluster.database, self.process)
        self.is_at_balancer = True
        self.tasks: list[asyncio.Task[Any]] = []
        self._is_restored = False
        me = Member(node_id, boot, NOW, "1.0", "machine", "http://node", ("app",))
        self.members = Members(me, MemberLoad, cluster.loop.time)
        self.parts = ClusterNode(self.bus, node_id, cluster.new_id, cluster.loop.time)
        self.calls = Calls(
            settings_of=self._settings_of,
            store=self.store,  # type: ignore[arg-type]  # has no listeners
            bus=self.bus,
            media=SimulatedMedia(cluster, node_id, self._site_of),
            clock=self.now,
            new_id=cluster.new_id,
            node_id=node_id,
            boot=boot,
            announce=self._announce,
            limits=UNLIMITED,
            schedule=self.parts.schedule,
            when_settled=self.parts.when_settled,
            cluster=CLUSTER,
            on_lost=self.parts.site_lost,
        )
        self.edge = self.parts.connect(
            calls=self.calls,
            store=self.store,  # type: ignore[arg-type]
            members=self.members,
            staffing_changed=self._announce,
            has_site=self._has_site,
        )

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.cluster.loop.time())

    def _site_of(self, call_id: str) -> int:
        return self.calls._owners[call_id].site_id

    async def _settings_of(self, site_id: int) -> SiteSettings:
        config = Config(site_id, is_enabled=True, is_recording=False)
        return SiteSettings(config, RecordingPolicy(site_id))

    async def _announce(self, site_id: int) -> None: ...

    async def _has_site(self, site_id: int) -> bool:
        return True

    def start(self) -> None:
        self.tasks = [self.process.spawn(self._run())]

    async def _run(self) -> None:
        """Start as an app does: first the calls of the node's former process."""
        self.tasks += [run_until_done("start", self._restore)]
        while not self._is_restored:
            await asyncio.sleep(0.01)
        self.tasks += [
            *self.parts.start(),
            run_every("beat", BEAT_SECONDS, self._beat),
            run_every("live calls", ALIVE_SECONDS, self.calls.mark_alive),
            *self.parts.serve(),
        ]

    async def _restore(self) -> None:
        await self.calls.restore()
        carried = self.cluster.workers.bridges
        mine = self.cluster.workers.nodes
        found = [one for one in self.calls.active_bridges() if mine.get(one) == self.node_id]
        await self.calls.media_events.bridges_found(
            [BridgeStatus(bridge, frozenset(carried[bridge])) for bridge in found]
        )
        self.calls.resume(found)
        self._is_restored = True

    async def _beat(self) -> None:
        me = self.members.report()
        self.members.observe(await self.store.write(lambda rows: rows.beat(me), "beat"))

    def kill(self) -> None:
        """End the process without warning."""
        self.process.is_dead = self.bus.is_closed = True
        self.cluster.dead.append(self)
