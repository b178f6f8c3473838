"""Pool of the media workers of this machine."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, LocalTransport, RemoteTransport
from visavis.domain.recording import Manifest
from visavis.media.limits import Limit
from visavis.media.worker_client import WorkerClient
from visavis.services.ports import MediaListener
from visavis.tasks import cancelled, run_forever

RESTART_SECONDS: Final = 4.0
"""Time for which a new bridge waits until a worker has been restarted."""


class WorkerPool:
    """Implements `services.ports.MediaPlane`. A new bridge goes to the worker with the fewest."""

    def __init__(self, sockets: Sequence[Path]) -> None:
        self._expected: set[BridgeId] = set()
        self._clients = [WorkerClient(socket, self._changed, self._expected) for socket in sockets]
        self._is_any_connected = asyncio.Event()

    @property
    def living(self) -> int:
        """Number of workers whose control socket is connected."""
        return sum(client.is_connected for client in self._clients)

    @property
    def bridges(self) -> int:
        """Number of bridges that the workers carry."""
        return sum(len(client.bridges) for client in self._clients)

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
        """Wait until all workers have listed their bridges; return the expected ones among them.

        Waits at most `RESTART_SECONDS` for a worker that does not answer.
        """
        listing = asyncio.gather(*(client.has_listed.wait() for client in self._clients))
        with suppress(TimeoutError):
            await asyncio.wait_for(listing, RESTART_SECONDS)
        found = frozenset(
            bridge for client in self._clients for bridge in client.bridges & self._expected
        )
        self._expected.clear()
        return found

    async def run(self, listener: MediaListener) -> None:
        """Stay connected to every worker until cancelled."""
        running = [
            run_forever(f"media worker {number}", partial(client.run, listener))
            for number, client in enumerate(self._clients)
        ]
        try:
            await asyncio.gather(*running)
        finally:
            await cancelled(*running)

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> None:
        await (await self._place(bridge)).tap(bridge, manifest)

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
            await self._wait_for_any()
        if client := self._client_of(bridge):
            return client
        living = [client for client in self._clients if client.is_connected]
        if not living:
            raise VisavisError(ErrorKind.MediaUnavailable)
        return min(living, key=lambda client: len(client.bridges))

    async def _wait_for_any(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_any_connected.wait(), RESTART_SECONDS)

    def _changed(self) -> None:
        if self.living:
            self._is_any_connected.set()
        else:
            self._is_any_connected.clear()
