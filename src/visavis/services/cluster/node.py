"""A node of a cluster: it owns sites, performs requests of other nodes, and passes its own on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from visavis.services.calls.calls import Calls
from visavis.services.calls.effects import call_later
from visavis.services.cluster.edge import Edge
from visavis.services.cluster.heartbeats import HEARTBEAT_SECONDS, Heartbeats
from visavis.services.cluster.owner import OwnerService
from visavis.services.cluster.ownership_guard import OwnershipGuard
from visavis.services.cluster.site_owners import ClusterOwners
from visavis.services.members import Members
from visavis.services.ports import Store, WatchedBus
from visavis.tasks import run_every, run_forever

ANNOUNCE_SECONDS: Final = 1.0
"""Time for which a process that starts waits for the bus."""
PAUSE_SECONDS: Final = 0.02


class ClusterNode:
    """The parts of a node that know of the others; `connect` follows once the calls are there.

    `schedule` is the timer of these calls, `when_settled` performs the reports that they get, and
    `site_lost` is called with each site that they have lost. `elapsed` is a monotonic clock.
    """

    def __init__(
        self,
        bus: WatchedBus,
        node_id: str,
        new_id: Callable[[], str],
        elapsed: Callable[[], float],
    ) -> None:
        self._bus = bus
        self._node_id = node_id
        self._new_id = new_id
        self._elapsed = elapsed
        self._heartbeats = Heartbeats(
            bus=bus, node_id=node_id, is_connected=lambda: bus.is_connected, elapsed=elapsed
        )
        self._guard = OwnershipGuard(self._check, self._is_cut_off, elapsed, call_later)
        self.schedule = self._guard.schedule
        self.when_settled = self._guard.when_settled

    def connect(
        self,
        *,
        calls: Calls,
        store: Store,
        members: Members,
        staffing_changed: Callable[[int], Awaitable[None]],
        has_site: Callable[[int], Awaitable[bool]],
    ) -> Edge:
        """Connect the calls of this node to the others; return what its pages use."""
        self._owners = ClusterOwners(
            ownership=calls.ownership,
            store=store,
            members=members,
            heard=lambda: self._heartbeats.heard,
            take=calls.take,
            settled=self._guard.settled,
        )
        self._owner = OwnerService(
            calls=calls,
            bus=self._bus,
            owners=self._owners,
            node_id=self._node_id,
            new_id=self._new_id,
            elapsed=self._elapsed,
        )
        self._edge = Edge(
            calls=calls,
            bus=self._bus,
            owners=self._owners,
            node_id=self._node_id,
            new_id=self._new_id,
            staffing_changed=staffing_changed,
            has_site=has_site,
            settled=self._guard.settled,
        )
        return self._edge

    def site_lost(self, site_id: int) -> None:
        """Let the pages of a site connect again that another process has taken."""
        self._owner.site_lost(site_id)
        self._edge.site_lost(site_id)

    async def announce(self) -> None:
        """Let the others hear this process before it takes its sites again, or they take them."""
        until = self._elapsed() + ANNOUNCE_SECONDS
        while self._elapsed() < until:
            if self._bus.is_connected:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        await self._heartbeats.send()

    def start(self) -> list[asyncio.Task[None]]:
        """Start the tasks by which the nodes know of each other."""
        return [
            run_every("heartbeats", HEARTBEAT_SECONDS, self._heartbeats.send),
            run_forever("heartbeats of other nodes", self._heartbeats.follow),
            run_forever("sites of this node", self._guard.run),
        ]

    def serve(self) -> list[asyncio.Task[None]]:
        """Start the tasks for requests between nodes, once the restored calls continue."""
        return [
            run_forever("requests of other nodes", self._owner.run),
            run_forever("sites of other nodes", self._edge.run),
        ]

    def leave(self) -> None:
        """Tell the other nodes that this process ends or is drained: they may take its sites."""
        self._heartbeats.leave()

    def stay(self) -> None:
        """Tell the other nodes with the next heartbeat that this process may own sites again."""
        self._heartbeats.is_leaving = False

    async def check_sites(self) -> None:
        """Give up the sites that other processes have taken, as soon as the database answers."""
        while not await self._guard.check():  # noqa: ASYNC110  the database may be away
            await asyncio.sleep(PAUSE_SECONDS)

    async def _check(self) -> None:
        await self._owners.check()

    async def find_successors(self, seconds: float) -> bool:
        """Return whether other nodes can take the sites of this one, after at most this time.

        Nodes that exist may not be heard yet: in a rolling restart they have just been started.
        """
        until = self._elapsed() + seconds
        while not self._owners.has_successors():
            if self._owners.is_alone or self._elapsed() >= until:
                return False
            await asyncio.sleep(PAUSE_SECONDS)
        return True

    async def wait_for_ends(self, seconds: float) -> None:
        """Wait until the node's other app processes have left, at most for this time.

        They are stopped, too, and leave when their calls have ended: pages of this process may be
        in these calls, and have been told so then.
        """
        until = self._elapsed() + seconds
        while self._edge.page_count and self._owners.heard_here:
            if self._elapsed() >= until:
                break
            await asyncio.sleep(PAUSE_SECONDS)

    def _is_cut_off(self) -> bool:
        # the others do not count a process that leaves
        return self._heartbeats.is_leaving or self._owners.is_cut_off(self._heartbeats.heard_lately)
