"""Pool of the media workers: those of this node, and those of media nodes."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, BridgeStatus, LocalTransport, RemoteTransport
from visavis.domain.media_placement import WorkerLoad, choose_worker
from visavis.domain.ownership import SiteTerm
from visavis.domain.recording import Manifest
from visavis.media.control_channel import ControlTransport
from visavis.media.limits import Limit
from visavis.media.worker_client import Fencing, WorkerClient
from visavis.protocol.cluster import WorkerReport, decode_worker_report
from visavis.services.ports import Bus, MediaListener
from visavis.services.topics import WORKERS_TOPIC
from visavis.tasks import cancelled, run_forever, spawn

RESTART_SECONDS: Final = 4.0
"""Time for which a new bridge waits until a worker has been restarted."""
CLAIM_SECONDS: Final = 1.0
"""Time in which the bridges of another app must be taken over; they are replaced otherwise."""
HEARD_SECONDS: Final = 1.5
"""Time without a report in which a worker of a media node is still expected to answer."""
GONE_SECONDS: Final = 60.0
"""Time without a report after which a worker of a media node is forgotten."""
MOVED_AT_ONCE: Final = 10
"""Bridges of a worker being drained that are replaced after each of its reports."""
SAMPLE_SIZE: Final = 2
"""Workers that are compared for a new bridge, so that not all apps choose the same one."""


Remote = Callable[[str], ControlTransport]
"""Function that returns the transport to a media worker of another node, by its name."""


@dataclass(slots=True)
class PooledWorker:
    """A worker: its client, its last report if it is on another node, and when that was heard."""

    client: WorkerClient
    report: WorkerReport | None = None
    heard_at: float = 0.0
    task: asyncio.Task[None] | None = None
    asked: frozenset[BridgeId] = frozenset()
    """Bridges that the calls were asked to replace, because the worker is being drained."""


class WorkerPool:
    """Implements `services.ports.MediaPlane` by the workers of this node and of media nodes.

    `transports` lead to the workers of this node `node_id`, `remote` to those of media nodes.
    """

    def __init__(
        self,
        transports: Iterable[ControlTransport],
        *,
        node_id: str = "",
        region: str = "",
        remote: Remote | None = None,
        fencing: Fencing | None = None,
    ) -> None:
        self._region = region
        self._remote = remote
        self.fencing = fencing or Fencing()
        self._expected: set[BridgeId] = set()
        self._listener: MediaListener | None = None
        self._began_at = 0.0
        self._news = asyncio.Event()
        self._workers: dict[str, PooledWorker] = {}
        for transport in transports:
            self._add(transport, node_id)

    def _add(self, transport: ControlTransport, node_id: str) -> PooledWorker:
        client = WorkerClient(transport, self._news.set, self._expected, node_id, self.fencing)
        added = self._workers[transport.name] = PooledWorker(client)
        return added

    @property
    def _clients(self) -> Sequence[WorkerClient]:
        return [worker.client for worker in self._workers.values()]

    @property
    def living(self) -> int:
        """Number of workers to which there is a channel."""
        return sum(client.is_connected for client in self._clients)

    @property
    def bridges(self) -> int:
        """Number of bridges that the workers carry."""
        return sum(len(client.bridges) for client in self._clients)

    @property
    def carried_bridges(self) -> int:
        """Number of bridges that the connected workers carry, for all apps."""
        return sum(client.port.bridges for client in self._clients if client.is_connected)

    @property
    def on_bus(self) -> int:
        """Number of connected workers of this media node that apps can reach over the bus."""
        return sum(client.is_connected and client.port.is_on_bus for client in self._clients)

    @property
    def bus_reconnects(self) -> int:
        """Connections of the running workers to servers of the bus, after the first ones."""
        return sum(client.port.bus_reconnects for client in self._clients)

    @property
    def bus_dropped(self) -> int:
        """Messages of the running workers that the bus has not delivered."""
        return sum(client.port.bus_dropped for client in self._clients)

    @property
    def is_draining(self) -> bool:
        """Whether a worker of this media node asks for other bridges in place of its own."""
        return any(client.is_connected and client.port.is_draining for client in self._clients)

    @property
    def is_drained(self) -> bool:
        """Whether the connected workers of this media node have no bridges and take no new ones."""
        ports = [client.port for client in self._clients if client.is_connected]
        return all(port.is_draining and not port.bridges for port in ports)

    @property
    def limits_reached(self) -> Counter[Limit]:
        """Limits that recordings and legs of all workers have reached since the app's start."""
        return sum((client.limits_reached for client in self._clients), Counter())

    @property
    def refused_datagrams(self) -> int:
        """Datagrams from strangers that the running workers have dropped because of a limit."""
        return sum(client.port.refused for client in self._clients)

    @property
    def refused_connections(self) -> int:
        """TCP connections that the running workers have closed because of a limit."""
        return sum(client.port.refused_connections for client in self._clients)

    @property
    def excessive_legs(self) -> int:
        """Number of legs that send far more than their limit."""
        return sum(client.port.excessive_legs for client in self._clients)

    @property
    def native_paths(self) -> int:
        """Number of workers that use the native packet path."""
        return sum(client.is_connected and client.port.is_native for client in self._clients)

    @property
    def events_dropped(self) -> int:
        """Datagrams and reports dropped because a queue of a native packet path was full."""
        return sum(client.port.events_dropped for client in self._clients)

    async def responding_workers(self) -> int:
        """Return how many workers answer now. A worker that hangs is connected but not counted."""
        return sum(await asyncio.gather(*(client.is_responding() for client in self._clients)))

    async def recording_obstacle(self) -> str:
        """Return why a worker could not start a recording now; an empty string if all could."""
        reasons = await asyncio.gather(*(client.recording_obstacle() for client in self._clients))
        return next(filter(None, reasons), "")

    def expect(self, bridges: Collection[BridgeId]) -> None:
        """Set the bridges that an earlier app process opened. Call it before `run`."""
        self._expected.update(bridges)

    async def found_bridges(self) -> frozenset[BridgeId]:
        """Wait until the expected bridges are found at the workers; return those that are.

        Waits at most `RESTART_SECONDS` for workers that do not answer or are not known yet.
        """
        await self._wait_until(self._has_found_all)
        found = self._found()
        self._expected.clear()
        return found

    def _found(self) -> frozenset[BridgeId]:
        return frozenset(
            bridge for client in self._clients for bridge in client.bridges & self._expected
        )

    def _has_found_all(self) -> bool:
        if self._found() == self._expected:
            return True
        # another media node may still be heard
        return self._remote is None and all(c.has_listed.is_set() for c in self._clients)

    @property
    def is_shared(self) -> bool:
        return self._remote is not None

    async def claim(
        self, bridges: Mapping[BridgeId, str], term: SiteTerm
    ) -> Collection[BridgeStatus]:
        claimed = defaultdict[str, list[BridgeId]](list)
        for bridge, address in bridges.items():
            claimed[address].append(bridge)
        found = await asyncio.gather(*(self._claim(*entry, term) for entry in claimed.items()))
        return list(itertools.chain.from_iterable(found))

    async def _claim(
        self, address: str, bridges: Collection[BridgeId], term: SiteTerm
    ) -> Collection[BridgeStatus]:
        with suppress(TimeoutError, VisavisError):
            async with asyncio.timeout(CLAIM_SECONDS):
                await self._wait_until(lambda: not self._is_expected(address))
                for client in self._clients:
                    if client.address == address and client.is_connected:
                        return await client.claim(bridges, term)
        return ()

    def _is_expected(self, address: str) -> bool:
        """Whether a worker is not connected yet, but will be soon."""
        now = asyncio.get_running_loop().time()
        for worker in self._workers.values():
            if worker.client.address == address:
                is_heard = worker.report is None or now - worker.heard_at < HEARD_SECONDS
                return is_heard and not worker.client.is_connected
        return now - self._began_at < HEARD_SECONDS

    async def run(self, listener: MediaListener) -> None:
        """Stay connected to every worker until cancelled."""
        self._listener = listener
        self._began_at = asyncio.get_running_loop().time()
        try:
            for worker in self._workers.values():
                self._start(worker, listener)
            await asyncio.Event().wait()
        finally:
            self._listener = None
            running = [worker.task for worker in self._workers.values() if worker.task]
            await cancelled(*running)

    def _start(self, worker: PooledWorker, listener: MediaListener) -> None:
        client = worker.client
        worker.task = run_forever(f"media worker {client.name}", partial(client.run, listener))

    # Workers of media nodes

    async def follow(self, bus: Bus) -> None:
        """Receive the reports of the workers of media nodes until cancelled."""
        while True:
            async with bus.subscribe(WORKERS_TOPIC) as reports:
                async for report in reports:
                    self.hear(decode_worker_report(report))

    def hear(self, report: WorkerReport) -> None:
        """Use a worker of a media node from its first report on."""
        now = asyncio.get_running_loop().time()
        worker = self._workers.get(report.worker)
        if worker is None and self._remote:
            worker = self._add(self._remote(report.worker), report.node)
            if self._listener:
                self._start(worker, self._listener)
        if worker:
            worker.report, worker.heard_at = report, now
            if report.is_draining:
                self._drain(worker)
        for name, other in list(self._workers.items()):
            if other.report and now - other.heard_at > GONE_SECONDS and other.client.is_unused:
                del self._workers[name]
                if other.task:
                    other.task.cancel()

    def _drain(self, worker: PooledWorker) -> None:
        """Ask for other bridges in place of some of a worker's, if other workers take them."""
        is_possible = any(
            other.client.is_connected and not (other.report and other.report.is_draining)
            for other in self._workers.values()
        )
        if not is_possible or self._listener is None:
            return
        waiting = sorted(worker.client.bridges - worker.asked, key=str)
        worker.asked = worker.asked.union(waiting[:MOVED_AT_ONCE]) if waiting else frozenset()
        spawn("drain of a worker", self._listener.worker_draining(waiting[:MOVED_AT_ONCE]))

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> str:
        client = await self._place(bridge)
        await client.tap(bridge, manifest)
        return client.node_id

    async def note(self, bridge: BridgeId, note: Mapping[str, Any]) -> None:
        await self._require_client(bridge).note(bridge, note)

    async def pause(self, bridge: BridgeId, *, paused: bool) -> None:
        await self._require_client(bridge).pause(bridge, paused=paused)

    async def open_leg(self, bridge: BridgeId, leg: int) -> LocalTransport:
        return await (await self._place(bridge)).open_leg(bridge, leg)

    async def set_remote(
        self, bridge: BridgeId, leg: int, remote: RemoteTransport
    ) -> LocalTransport:
        return await self._require_client(bridge).set_remote(bridge, leg, remote)

    async def join(self, bridge: BridgeId) -> None:
        await self._require_client(bridge).join(bridge)

    async def close(self, bridge: BridgeId) -> None:
        for client in self._clients:
            client.lost.discard(bridge)
        if owner := self._client_of(bridge):
            await owner.close(bridge)

    def _client_of(self, bridge: BridgeId) -> WorkerClient | None:
        return next((client for client in self._clients if bridge in client.bridges), None)

    def _require_client(self, bridge: BridgeId) -> WorkerClient:
        """Return the client of the worker with the bridge; raises `MediaUnavailable`."""
        if client := self._client_of(bridge):
            return client
        raise VisavisError(ErrorKind.MediaUnavailable, "The media worker has lost this call.")

    async def _place(self, bridge: BridgeId) -> WorkerClient:
        """Return the client of the worker with the bridge, or of one for a new bridge.

        Raises `MediaUnavailable` if the bridge was lost or no worker is connected.
        """
        if any(bridge in client.lost for client in self._clients):
            return self._require_client(bridge)
        if not self.living:
            await self._wait_until(lambda: self.living > 0)
        if client := self._client_of(bridge):
            return client
        living = {name: one for name, one in self._workers.items() if one.client.is_connected}
        loads = [_load(name, worker) for name, worker in living.items()]
        chosen = choose_worker(loads, self._region, _some if self._remote else list)
        if chosen is None:
            raise VisavisError(ErrorKind.MediaUnavailable)
        return living[chosen.name].client

    async def _wait_until(self, is_done: Callable[[], bool]) -> None:
        """Wait for a change of the workers, for at most `RESTART_SECONDS`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RESTART_SECONDS):
                while not is_done():
                    self._news.clear()
                    await self._news.wait()


def _load(name: str, worker: PooledWorker) -> WorkerLoad:
    bridges = len(worker.client.bridges)
    if (report := worker.report) is None:
        return WorkerLoad(name, bridges)
    return WorkerLoad(
        name,
        max(bridges, report.bridges),  # its last report does not count our newest ones
        report.busy,
        report.region,
        report.has_room,
        report.is_draining,
    )


def _some(workers: Sequence[WorkerLoad]) -> Sequence[WorkerLoad]:
    return random.sample(workers, min(len(workers), SAMPLE_SIZE))
