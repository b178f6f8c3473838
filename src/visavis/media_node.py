"""Membership and probes of a media node, in its recorder process, which has the database."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Final

import structlog
from starlette.types import ASGIApp

from visavis import __version__
from visavis.clock_and_ids import ensure_node_id, new_id, now
from visavis.disk_space import why_disk_is_full
from visavis.domain.leg import BridgeId, BridgeStatus
from visavis.domain.membership import Member, MemberLoad, MemberState
from visavis.gauges import disk_gauges, media_gauges, part_gauges
from visavis.http_server import http_server, server_certificate, watch_certificate
from visavis.lifecycle import Lifecycle, Secrets
from visavis.listener import listen
from visavis.media.control_channel import UnixTransport
from visavis.media.worker_pool import WorkerPool
from visavis.protocol.routes import Caller
from visavis.readiness import Check, Readiness, warnings, why_no_write
from visavis.rtp.mos import LegReport
from visavis.services.members import Members
from visavis.services.ports import Transaction
from visavis.settings import Settings
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled, child, run_every, run_forever
from visavis.web.health import ReadinessProbe
from visavis.web.metrics import Gauge, Metrics, MetricsAccess
from visavis.web.request import AccessLog
from visavis.web.router import RateLimit, RequestLimits, Router
from visavis.web.routes import health_routes, probe_routes

log = structlog.get_logger(__name__)

BEAT_SECONDS: Final = 1.0
KEY_SECONDS: Final = 3_600.0


class NoBridges:
    """Listener of a media node's own process, which opens no bridges: apps of other nodes do."""

    async def leg_up(self, bridge: BridgeId, leg: int) -> None: ...
    async def leg_down(self, bridge: BridgeId, leg: int, why: str) -> None: ...
    async def tap_lost(self, bridge: BridgeId, why: str) -> None: ...
    async def quality(self, bridge: BridgeId, leg: int, report: LegReport) -> None: ...
    async def bridges_found(self, statuses: Collection[BridgeStatus]) -> None: ...
    async def worker_lost(self, bridges: Collection[BridgeId]) -> None: ...
    async def worker_draining(self, bridges: Collection[BridgeId]) -> None: ...


class MediaNode:
    """Keeps a node without an app among the members, and watches its media workers.

    `is_needed` says whether its spool has journals that others still need.
    """

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        lifecycle: Lifecycle,
        is_needed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._lifecycle = lifecycle
        self._is_needed = is_needed
        self._is_drained = False
        self._settings = settings
        self._store = store
        self._node_id = ensure_node_id(settings.node_file)
        self.workers = WorkerPool(map(UnixTransport, settings.media_sockets))
        member = Member(
            node_id=self._node_id,
            boot=new_id(),
            started_at=now(),
            version=__version__,
            machine=socket.gethostname(),
            url="",
            roles=tuple(settings.roles.split(",")),
        )
        self._published_at = -KEY_SECONDS
        self._members = Members(member, self._load, time.monotonic)
        self._probes = (
            MediaNodeProbes(settings, store, self.workers, self.save, lifecycle)
            if settings.metrics_address
            else None
        )

    def _load(self) -> MemberLoad:
        return MemberLoad(
            media_workers=self._settings.media_workers, bridges=self.workers.carried_bridges
        )

    async def start(self) -> list[asyncio.Task[None]]:
        """Register the node, and begin to beat."""
        await self._store.write(self.save)
        return [
            run_every("media node", BEAT_SECONDS, self.beat),
            run_forever("workers of this media node", partial(self.workers.run, NoBridges())),
            *([run_forever("probes", self._probes.serve)] if self._probes else []),
        ]

    def save(self, rows: Transaction) -> None:
        """Register the node in the database."""
        me, archive_url = self._members.me, self._settings.archive_url
        rows.nodes.save(me.node_id, archive_url, me.started_at, me.machine)

    async def beat(self) -> None:
        """Tell the members that the node runs, and all archives its upload key now and then.

        The workers are told whether an operator has drained the node.
        """
        self._members.state = self._state()
        me = self._members.report()

        def work(rows: Transaction) -> bool:
            rows.members.beat(me)
            return rows.nodes.is_drained(self._node_id)

        self._is_drained = await self._store.write(work)
        await asyncio.to_thread(self._tell_workers, is_drained=self._is_drained)
        if time.monotonic() - self._published_at > KEY_SECONDS:
            await self._publish_key()
            self._published_at = time.monotonic()

    @property
    def is_leaving(self) -> bool:
        """Whether the node is drained or being stopped, so that others take over what it has."""
        return self.workers.is_draining or self._is_drained or self._lifecycle.stop.is_set()

    def _state(self) -> MemberState:
        if not self.is_leaving:
            return MemberState.READY
        is_empty = self.workers.is_drained and not self._is_needed()
        return MemberState.DRAINED if is_empty else MemberState.DRAINING

    def _tell_workers(self, *, is_drained: bool) -> None:
        """Make or remove the file for the workers, which they find also after a restart."""
        file = self._settings.drained_file
        if is_drained == file.exists():
            return
        if is_drained:
            file.touch()
            log.info("the node is being drained", bridges=self.workers.carried_bridges)
        else:
            file.unlink(missing_ok=True)
            log.info("the node takes new calls again")

    async def _publish_key(self) -> None:
        if self._settings.archive:
            from visavis.archive.upload_keys import OwnKey, UploadKeys

            own_key = OwnKey(self._settings.archive_key_file)
            await UploadKeys(self._store, own_key).publish_own(self._node_id)

    async def leave(self) -> None:
        """Tell the members that the node has been stopped."""
        me = self._members.me
        await self._store.write(lambda rows: rows.members.stop(me.node_id, me.boot))


class MediaNodeProbes:
    """`/metrics`, `/healthz` and `/readyz` of a media node, at `metrics_address`.

    `save` writes the node's row in the database unchanged.
    """

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        workers: WorkerPool,
        save: Callable[[Transaction], None],
        lifecycle: Lifecycle,
    ) -> None:
        self._settings = settings
        self._store = store
        self._workers = workers
        self._save = save
        self._lifecycle = lifecycle
        self._access = MetricsAccess(settings.metrics_networks, settings.metrics_token)
        lifecycle.listen_to_secrets(self._use_secrets)
        self.web = self._web()

    def _use_secrets(self, secrets: Secrets) -> None:
        self._access.use_tokens(secrets.metrics_token)

    async def serve(self) -> None:
        """Serve until cancelled; raises `OSError` if the address is in use."""
        certificate = server_certificate(self._settings)
        with listen(*self._settings.metrics_host_and_port) as listener:
            server = http_server(self.web, self._settings, certificate)
            watching = [watch_certificate(certificate, self._lifecycle)] if certificate else []
            serving = child(server.serve([listener]))
            try:
                await asyncio.shield(serving)
            finally:
                server.should_exit = True
                await serving
                await cancelled(*watching)

    def _web(self) -> ASGIApp:
        readiness = ReadinessProbe(
            Readiness(
                (
                    Check("the node", self._why_draining),
                    Check("the media worker", self._why_no_media),
                    Check("the bus", self._why_no_bus),
                    Check("the database", partial(why_no_write, self._store, self._save)),
                    Check("the disk", partial(asyncio.to_thread, why_disk_is_full, self._settings)),
                    Check("the spool", self._workers.recording_obstacle),
                )
            ),
            self._warnings,
            self._access.is_allowed,
        )
        routes = (*health_routes(readiness), *probe_routes(Metrics(self._gauges())))
        gates = {Caller.OPERATOR: self._access.admit}
        return Router(routes, gates, AccessLog(None), RateLimit(RequestLimits()))

    def _warnings(self, *, is_public: bool = False) -> list[str]:
        return warnings(self._lifecycle.parts, is_public=is_public)

    async def _why_draining(self) -> str:
        if not self._workers.is_draining:
            return ""
        return f"the node is being drained: {self._workers.carried_bridges} bridges are left"

    async def _why_no_media(self) -> str:
        if not self._workers.living:
            return "no media worker is connected"
        return "" if await self._workers.responding_workers() else "no media worker answers"

    async def _why_no_bus(self) -> str:
        if self._workers.living and not self._workers.on_bus:
            return "no server of the bus can be reached, and so no app"
        return ""

    def _gauges(self) -> dict[str, Gauge]:
        workers = self._workers
        return {
            **media_gauges(workers),
            **disk_gauges(self._settings),
            **part_gauges(lambda: self._lifecycle.parts),
            "visavis_bus_connected": Gauge(
                "Whether a NATS server takes and delivers the messages of all media workers",
                lambda: 0 < workers.living == workers.on_bus,
            ),
            "visavis_bus_reconnects": Gauge(
                "Connections of the media workers to NATS servers, after the first ones",
                lambda: workers.bus_reconnects,
            ),
            "visavis_bus_dropped": Gauge(
                "Messages of the media workers dropped because of a full queue or an absent server",
                lambda: workers.bus_dropped,
            ),
            "visavis_node_draining": Gauge(
                "Whether this media node asks for other bridges in place of its own",
                lambda: workers.is_draining,
            ),
            "visavis_refused_metrics": Gauge(
                "Requests for the metrics refused since the start", lambda: self._access.refused
            ),
        }
