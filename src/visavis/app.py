"""Composition root of the app process: creates its parts and connects them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import time
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp

from visavis import __version__
from visavis.archive import description as archive_description
from visavis.archive.admission import Quota
from visavis.archive.archive import Archive
from visavis.archive.object_store import open_object_store
from visavis.archive.upload_keys import OwnKey
from visavis.bus.connect import connect_nodes, keep_connected
from visavis.clock_and_ids import ensure_node_id, new_id, new_secret, now
from visavis.compose import (
    Services,
    build_calls,
    build_edge,
    join_cluster,
    open_database,
    tus_uploader,
)
from visavis.descriptors import try_to_open
from visavis.disk_space import why_disk_is_full
from visavis.domain.errors import VisavisError
from visavis.domain.membership import Member, MemberLoad, app_member_id, node_of_member
from visavis.gauges import disk_gauges, media_gauges, part_gauges
from visavis.http_server import (
    connection_gate,
    http_server,
    serve_on_socket,
    server_certificate,
    watch_certificate,
)
from visavis.lifecycle import Lifecycle, Secrets
from visavis.listener import listen, share
from visavis.log_lines import is_for_people
from visavis.media.bus_control import BusTransport
from visavis.media.control_channel import LOCAL, UnixTransport
from visavis.media.worker_client import Fencing
from visavis.media.worker_pool import WorkerPool
from visavis.outbound.http import fetch
from visavis.protocol.cluster import ChangesWritten
from visavis.protocol.routes import Caller, RateClass
from visavis.protocol.signaling import IceServers
from visavis.readiness import Check, Readiness, warnings, why_no_write
from visavis.recorder.server_check import RecordingServerChecker
from visavis.services.audit import AuditRetention
from visavis.services.call_history import CallHistory
from visavis.services.calls.join_links import JoinLink
from visavis.services.cluster.drain import FOLLOW_SECONDS, AppDrain
from visavis.services.grants import Grants
from visavis.services.ice import IceDirectory
from visavis.services.jobs import LOOK_SECONDS, Figures, Jobs
from visavis.services.members import Members
from visavis.services.ports import Bus, Passwords, Transaction
from visavis.services.recordings import RecordingTotals, totals_of
from visavis.services.topics import CHANGES_TOPIC
from visavis.services.visitor_limits import Use
from visavis.settings import Settings, app_part
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled, child, describe, run_every, run_forever
from visavis.web.api.audit import AuditApi
from visavis.web.api.calls import CallsApi
from visavis.web.api.config import ConfigApi
from visavis.web.api.events import ConfigEvents
from visavis.web.api.policy import PolicyApi
from visavis.web.api.recordings import RecordingsApi
from visavis.web.api.session import SessionApi
from visavis.web.authentication import Authentication
from visavis.web.description.document import Document
from visavis.web.health import ReadinessProbe
from visavis.web.metrics import Gauge, Metrics, MetricsAccess, MetricsPage, NodeMetrics
from visavis.web.oauth.routes import OAuth
from visavis.web.open_sockets import OpenSockets
from visavis.web.pages.join import JoinPages
from visavis.web.request import AccessLog
from visavis.web.router import RateLimit, RequestLimits, Router
from visavis.web.routes import (
    api_routes,
    health_routes,
    oauth_routes,
    page_routes,
    probe_routes,
    session_routes,
    socket_routes,
)
from visavis.web.sharing import shared
from visavis.web.signaling import Sockets
from visavis.web.source import source_of

log = structlog.get_logger(__name__)

ALIVE_SECONDS: Final = 2.0
TALLY_SECONDS: Final = 15.0
SUCCESSOR_SECONDS: Final = 5.0
"""Time for which a process that is stopped, and has calls, waits for a node that can take them."""
HAND_OVER_SECONDS: Final = 10.0
"""Time for which a process that is stopped waits until other nodes have taken its calls."""
ENDS_SECONDS: Final = 3.0
"""Time for which a process that is stopped waits until the node's others have ended their calls."""
CALL_DESCRIPTORS: Final = 8
"""Number of file descriptors of a call: the sockets of both sides and database connections."""
FAILURE_SECONDS: Final = 60.0
TRIM_SECONDS: Final = 3_600.0
GONE_SECONDS: Final = 86_400.0
"""Time without a beat after which a member is deleted."""


def freeze_garbage_collector() -> None:
    """Exclude the objects of start-up from garbage collection, since they stay until the end."""
    gc.collect()
    gc.freeze()


class App(Services):
    """The app process: everything that people and programs reach over HTTP."""

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        passwords: Passwords | None = None,
        number: int = 0,
    ) -> None:
        """`number` is that of this app process among those of the node, from 0."""
        self.number = number
        self.node_id = ensure_node_id(settings.node_file)
        self.member_id = app_member_id(self.node_id, number)
        self.nodes_bus = connect_nodes(settings, self.member_id)
        self.cluster = join_cluster(settings, self.nodes_bus, self.member_id)
        super().__init__(
            store,
            archive_url=settings.archive_url,
            passwords=passwords,
            servers=RecordingServerChecker(tus_uploader(settings)),
            idle_minutes=settings.session_idle_minutes,
            bus=self.nodes_bus if self.cluster else None,
        )
        self.settings = settings
        self.machine = socket.gethostname()
        self.stopping = asyncio.Event()
        self.started_at = now()
        self.lifecycle = Lifecycle()
        self.jobs = Jobs(store, self.member_id)
        self.tally = RecordingTotals()
        self.fencing = Fencing()
        self.media = self._media()
        self.ice = IceDirectory(
            settings.stun_servers,
            settings.turn_servers,
            settings.turn_secret,
            settings.turn_seconds,
        )
        relays = self._relays if self.ice.has_relay else None
        me = self._member()
        self.calls = build_calls(self, settings, self.media, me, relays, self.cluster)
        self.fencing.term_of = self.calls.term_of
        if self.cluster:
            self.fencing.on_fenced = self.cluster.check_sites
        self.gate = connection_gate(settings)
        self.metrics_access = MetricsAccess(settings.metrics_networks, settings.metrics_token)
        self.open_sockets = OpenSockets(settings.sockets_per_address, settings.sockets_per_site)
        is_logged = settings.log_level in {"debug", "info"}
        self.access_log = AccessLog(
            sys.stderr.buffer if is_logged else None,
            is_text=is_for_people(settings.log_format, sys.stderr),
            part=app_part(number),
        )
        self.sessions = Authentication(
            self.tokens,
            self.keys,
            self.people,
            settings.public_url,
            self._find_join_link,
        )
        self.rate_limit = RateLimit(
            request_limits(settings), self.sessions.known_token, self.sessions.has_token
        )
        self.members = Members(
            me, self._load, time.monotonic, (self.calls.guard, self.rate_limit, self.people.guard)
        )
        self.edge = build_edge(self, self.calls, self.members, self.cluster)
        self.drain = AppDrain(
            store=store,
            members=self.members,
            edge=self.edge,
            cluster=self.cluster,
            calls=lambda: self.calls.count,
        )
        self.archive = self._archive() if settings.archive else None
        self.sockets = self._sockets()
        self.oauth = self._oauth(self.sessions)
        self.web = self._web()

    def _media(self) -> WorkerPool:
        """Return the pool of this node's media workers, or else of those of media nodes."""
        sockets, bus = self.settings.media_sockets, self.nodes_bus
        name = str(self.number) if self.number else LOCAL
        transports = [UnixTransport(socket, name) for socket in sockets]
        local = partial(WorkerPool, transports, node_id=self.node_id, fencing=self.fencing)
        if sockets or bus is None:
            return local()

        def remote(worker: str) -> BusTransport:
            return BusTransport(
                bus=bus,
                worker=worker,
                app=self.member_id,
                new_id=new_id,
                is_connected=lambda: bus.is_connected,
            )

        return local(region=self.settings.region, remote=remote)

    @property
    def socket(self) -> Path:
        """Unix socket of this app process, for our own processes."""
        return self.settings.app_socket_of(self.number)

    def _member(self) -> Member:
        settings = self.settings
        return Member(
            node_id=self.member_id,
            boot=new_id(),
            started_at=self.started_at,
            version=__version__,
            machine=self.machine,
            url=settings.base_url,
            roles=(*settings.roles.split(","), *(("archive",) if settings.archive else ())),
        )

    async def _find_join_link(self, token: str, source: str) -> JoinLink:
        return await self.edge.find_join_link(token, source)

    def _new_socket_id(self) -> str:
        """Return an id that tells other nodes where the socket is, if there can be others."""
        return f"{self.member_id}-{new_id()}" if self.cluster else new_id()

    def _load(self) -> MemberLoad:
        return MemberLoad(
            calls=self.calls.count,
            pages=self.open_sockets.count,
            media_workers=self.media.living,
            bridges=self.media.bridges,
        )

    def _relays(self, call_id: str) -> IceServers:
        return self.ice.servers(call_id, now())

    def _archive(self) -> Archive:
        return Archive(
            self.settings.app_archive_dir(self.number),
            key=OwnKey(self.settings.archive_key_file),
            store=self.store,
            audit=self.audit_trail.record_act,
            retention_days_of=self.retention_days,
            objects=open_object_store(self.settings),
            on_deleted=self.recording_admin.mark_deleted,
            is_disabled=self.people.is_site_disabled,
            on_refused=self._audit_upload_key,
            node_id=self.member_id,
            quota=Quota(
                site_bytes=self.settings.archive_site_bytes,
                uploads_per_key=self.settings.archive_uploads_per_key,
            ),
        )

    async def _audit_upload_key(self, request: Request) -> None:
        await self.people.failures.add_upload_key(source_of(request.scope))

    def use_secrets(self, secrets: Secrets) -> None:
        """Use secrets that were changed in the settings file."""
        self.ice = replace(self.ice, turn_secret=secrets.turn_secret)
        self.metrics_access.use_tokens(secrets.metrics_token)

    def _sockets(self) -> Sockets:
        settings = self.settings
        sockets = Sockets(
            calls=self.edge,
            bus=self.bus,
            availability_of=self.site_settings.availability,
            ice_servers=self.ice.public_servers(),
            ice_seconds=settings.turn_seconds / 2,
            admit=self.sessions.console,
            new_id=self._new_socket_id,
            open_sockets=self.open_sockets,
            may_move=self.cluster is not None,
        )
        self.store.on_rights_change.append(sockets.check_rights)
        return sockets

    def _web(self) -> ASGIApp:
        settings, sessions = self.settings, self.sessions
        document = Document(settings.base_url)
        readiness = ReadinessProbe(self._readiness(), self.warnings, self.metrics_access.is_allowed)
        routes = (
            *api_routes(
                ConfigApi(self.site_settings),
                ConfigEvents(self.site_settings, self.bus, sessions.admit, self.stopping),
                PolicyApi(self.site_settings),
                RecordingsApi(self.recording_admin),
                CallsApi(CallHistory(self.store, self.edge), settings.base_url),
                AuditApi(self.audit, self.audit_trail, self.auditor),
                document,
            ),
            *oauth_routes(self.oauth),
            *session_routes(SessionApi(self.tokens, self.people, self.sign_ins)),
            *page_routes(JoinPages(self._find_join_link)),
            *health_routes(readiness),
            *probe_routes(self._metrics()),
            *socket_routes(self.sockets),
            *(self.archive.routes() if self.archive else ()),
        )
        document.describe(routes, archive_description.DESCRIPTIONS, archive_description.TAGS)
        gates = {
            **sessions.gates(),
            Caller.OPERATOR: self.metrics_access.admit,
            **(self.archive.gates() if self.archive else {}),
        }
        return shared(
            Router(routes, gates, self.access_log, self.rate_limit), settings.cors_origins
        )

    def _oauth(self, sessions: Authentication) -> OAuth:
        lifetime = timedelta(seconds=self.settings.access_token_seconds)
        reuse = timedelta(seconds=self.settings.refresh_reuse_seconds)
        return OAuth(
            store=self.store,
            grants=Grants(now, new_secret, new_id, lifetime, reuse),
            people=self.people,
            sessions=sessions,
            issuer=self.settings.base_url,
        )

    def _refusals(self) -> dict[str, Gauge]:
        refused = self.calls.guard.refused
        return {
            "visavis_refused_calls": Gauge(
                "Calls refused since the start because of a limit",
                lambda: sum(refused[limit] for limit in (Use.CALL, "waiting", "queue", "pause")),
            ),
            "visavis_refused_checks": Gauge(
                "Connection checks refused since the start because of a limit",
                lambda: refused[Use.CHECK],
            ),
            "visavis_refused_page_views": Gauge(
                "Page views refused since the start because of a limit", lambda: refused[Use.PAGE]
            ),
            "visavis_refused_messages": Gauge(
                "Messages refused since the start because of a limit",
                lambda: refused[Use.MESSAGE],
            ),
            "visavis_refused_joins": Gauge(
                "Join links refused since the start because of a limit", lambda: refused[Use.JOIN]
            ),
            "visavis_refused_api_calls": Gauge(
                "API calls refused since the start because of a limit",
                lambda: self.rate_limit.refused[RateClass.API],
            ),
            "visavis_refused_pages": Gauge(
                "Requests for pages and the library refused since the start because of a limit",
                lambda: self.rate_limit.refused[RateClass.PAGE],
            ),
            "visavis_refused_openings": Gauge(
                "Openings of sockets refused since the start because of a limit",
                lambda: self.rate_limit.refused[RateClass.SOCKET],
            ),
            "visavis_refused_metrics": Gauge(
                "Requests for the metrics refused since the start",
                lambda: self.metrics_access.refused,
            ),
            "visavis_refused_connections": Gauge(
                "HTTP connections closed at once since the start because of a limit",
                lambda: self.gate.refused,
            ),
            "visavis_sockets": Gauge("Open signalling sockets", lambda: self.open_sockets.count),
            "visavis_refused_sockets": Gauge(
                "Signalling sockets refused since the start because of a limit",
                lambda: self.open_sockets.refused,
            ),
        }

    def _bus_gauges(self) -> dict[str, Gauge]:
        bus = self.nodes_bus
        if bus is None:
            return {}
        return {
            "visavis_bus_connected": Gauge(
                "Whether a NATS server takes and delivers this node's messages",
                lambda: bus.is_connected,
            ),
            "visavis_bus_reconnects": Gauge(
                "Connections to NATS servers since the start, after the first",
                lambda: bus.reconnects,
            ),
            "visavis_bus_dropped": Gauge(
                "Messages between nodes dropped since the start because of a full queue or an "
                "absent server",
                lambda: bus.dropped,
            ),
        }

    def _metrics(self) -> MetricsPage:
        settings = self.settings
        if settings.app_workers == 1:
            return Metrics({**self._gauges(), **self._node_gauges()})
        others = {
            number: partial(fetch, settings.app_socket_of(number), "/metrics")
            for number in range(settings.app_workers)
            if number != self.number
        }
        return NodeMetrics(self.number, Metrics(self._gauges()), others, self._node_gauges())

    def _gauges(self) -> dict[str, Gauge]:
        """Return the metrics of this app process."""
        return {
            **self._refusals(),
            **self._bus_gauges(),
            "visavis_sites_owned": Gauge(
                "Sites whose calls this node's app owns", lambda: self.calls.ownership.owned_count
            ),
            "visavis_sites_lost": Gauge(
                "Sites that another process has taken since the start",
                lambda: len(self.calls.ownership.lost),
            ),
            "visavis_calls": Gauge("Calls that have not ended", lambda: self.calls.count),
            "visavis_call_events_waiting": Gauge(
                "Events of calls that are not in the database yet",
                lambda: self.calls.call_log.waiting_events,
            ),
            "visavis_changes_current": Gauge(
                "1 if other processes' changes were read from the database within a second",
                self.store.is_current,
            ),
            "visavis_calls_unrecorded": Gauge(
                "Calls since the start that went on although they could not be recorded",
                lambda: self.calls.unrecorded,
            ),
        }

    def _node_gauges(self) -> dict[str, Gauge]:
        """Return the metrics that are the same in all app processes of the node."""
        return {
            "visavis_nodes": Gauge(
                "Nodes with the same database whose app is running, this one included",
                lambda: len({node_of_member(one.node_id) for one in self.members.alive}),
            ),
            **part_gauges(lambda: self.lifecycle.parts),
            **media_gauges(self.media),
            **disk_gauges(self.settings),
            "visavis_recordings_missing": Gauge(
                "Calls of the last 30 days that ought to have a recording at the recording server "
                "and have none",
                lambda: self.tally.missing,
            ),
            "visavis_recordings_pending": Gauge(
                "Recordings that are not delivered yet", lambda: self.tally.pending
            ),
            "visavis_recordings_failed": Gauge(
                "Recordings that cannot be made into a file", lambda: self.tally.failed
            ),
            "visavis_recordings_incomplete": Gauge(
                "Recordings whose file lacks media that were received",
                lambda: self.tally.incomplete,
            ),
            "visavis_recordings_waiting_for_node": Gauge(
                "Recordings that are not delivered yet and have packets on a node that is silent",
                lambda: self.tally.awaiting_nodes,
            ),
            "visavis_recordings_oldest_seconds": Gauge(
                "Age of the oldest recording that is not delivered yet",
                lambda: self.tally.oldest_seconds,
            ),
        }

    def _readiness(self) -> Readiness:
        return Readiness(
            (
                Check("the node", self._why_draining),
                Check("the media worker", self._why_no_media),
                Check("the database", self._why_no_write),
                Check("the disk", partial(asyncio.to_thread, self._why_disk_is_full)),
                Check("the spool", self._why_no_recording),
                Check("the limit of open files", self._why_no_connection),
            )
        )

    async def _why_draining(self) -> str:
        return self.drain.why_not_ready()

    async def _why_no_media(self) -> str:
        if not self.media.living and not self.settings.has_media:
            if self.nodes_bus and not self.nodes_bus.is_connected:
                return "no server of the bus can be reached, and so no media node"
            return "no media node has reported a media worker"
        if not self.media.living:
            return "no media worker is connected"
        return "" if await self.media.responding_workers() else "no media worker answers"

    async def _why_no_write(self) -> str:
        return await why_no_write(self.store, self._save_node)

    def _save_node(self, rows: Transaction) -> None:
        archive_url = self.settings.archive_url
        rows.nodes.save(self.member_id, archive_url, self.started_at, self.machine)

    async def _why_no_recording(self) -> str:
        """Let the media workers try to record, if any site records its calls."""
        try:
            is_needed = await self.store.read(_is_any_recorded)
        except VisavisError:  # the check of the database reports this
            return ""
        return await self.media.recording_obstacle() if is_needed else ""

    async def _why_no_connection(self) -> str:
        """Open as many files as a call may need connections."""
        try:
            try_to_open(CALL_DESCRIPTORS)
        except OSError as error:
            return f"no connection can be opened: {describe(error)}"
        return ""

    def warnings(self, *, is_public: bool = False) -> list[str]:
        """Return all problems of the parts, including those that do not prevent calls."""
        return warnings(self.lifecycle.parts, is_public=is_public)

    def _why_disk_is_full(self) -> str:
        return why_disk_is_full(self.settings)

    def join_nodes(self) -> list[asyncio.Task[None]]:
        """Connect to the bus between the nodes, if there is one, and send heartbeats."""
        if self.nodes_bus is None:
            return []
        heartbeats = self.cluster.start() if self.cluster else []
        return [keep_connected(self.nodes_bus), *heartbeats]

    async def start(self) -> None:
        """Register this node in the database, and restore the calls of its former app process."""
        await self.store.write(self._save_node)
        if self.cluster:
            await self.cluster.announce()
        await self.calls.restore()
        self.media.expect(self.calls.active_bridges())

    async def resume_calls(self) -> None:
        """Let the restored calls continue, once the media workers have listed their bridges."""
        found = await self.media.found_bridges() if self.calls.count else frozenset()
        self.calls.resume(found)

    def start_background_tasks(self) -> list[asyncio.Task[None]]:
        """Start the tasks that run until the process ends."""
        return [
            run_forever("media workers", partial(self.media.run, self.calls.media_events)),
            run_forever("store changes", self.watch_store),
            *([self.archive.start()] if self.archive else []),
            *self._connect_nodes(),
            *([self._follow_drain()] if self.settings.database else []),
            run_every("live calls", ALIVE_SECONDS, self.mark_alive),
            run_every("recording counts", TALLY_SECONDS / 3, self.count_recordings),
            run_every("idle sessions", FAILURE_SECONDS, self.end_idle_sessions),
            run_every("failed sign-ins", FAILURE_SECONDS, self.write_failed_sign_ins),
            run_every("audit retention", LOOK_SECONDS, self.trim_audit_log),
            run_every("log of changes", LOOK_SECONDS, self.trim_changes),
            run_every("expired credentials", LOOK_SECONDS, self.delete_expired_credentials),
        ]

    def _follow_drain(self) -> asyncio.Task[None]:
        return run_every("drain", FOLLOW_SECONDS, self.drain.follow)

    def _connect_nodes(self) -> list[asyncio.Task[None]]:
        """Follow the other nodes over the bus, if there is one; announce this process's changes."""
        if self.nodes_bus is None:
            return []
        publish = partial(self.nodes_bus.publish, CHANGES_TOPIC, ChangesWritten())
        self.store.on_commit.append(publish)
        return [
            run_forever("changes of other nodes", partial(self.follow_nodes, self.nodes_bus)),
            run_forever("workers of media nodes", partial(self.media.follow, self.nodes_bus)),
        ]

    async def follow_nodes(self, bus: Bus) -> None:
        """Read the log of changes when another node has written to it."""
        while True:
            async with bus.subscribe(CHANGES_TOPIC) as written:
                async for _ in written:
                    self.store.wake()
            self.store.wake()  # messages were dropped, perhaps of changes

    async def watch_store(self) -> None:
        """Apply what another process, such as the command line, has written to the database.

        Raises an error while the log of changes cannot be read.
        """
        try:
            async with contextlib.aclosing(self.store.changes(self.members)) as log:
                async for changes in log:
                    await self.site_settings.refresh(changes)
        finally:
            self.members.forget_counts()

    async def leave(self) -> None:
        """Tell the other members that this process has been stopped."""
        me = self.members.me
        await self.store.write(lambda rows: rows.members.stop(me.node_id, me.boot))
        if self.cluster:
            self.cluster.leave()

    # Jobs, each done by one node at a time of those that share the database

    async def trim_changes(self) -> None:
        """Remove old entries of the log of changes, and members without a beat for long."""
        await self.jobs.perform("log of changes", TRIM_SECONDS, self._trim_changes)

    async def _trim_changes(self) -> None:
        await self.store.trim_changes()
        await self.store.write(lambda rows: rows.members.delete_silent(GONE_SECONDS))

    async def delete_expired_credentials(self) -> None:
        """Delete the tokens, codes and API keys that have expired."""
        await self.jobs.perform("expired credentials", TRIM_SECONDS, self.tokens.delete_expired)

    async def mark_alive(self) -> None:
        """Save the time until which this process is known to run, for talk times after a crash."""
        await self.calls.mark_alive()

    async def end_idle_sessions(self) -> None:
        """Save the times of last use of sessions, and end sessions unused for too long."""
        await self.tokens.save_uses()
        await self.jobs.perform("idle sessions", FAILURE_SECONDS / 2, self._end_idle_sessions)

    async def _end_idle_sessions(self) -> None:
        await self.sign_ins.end_idle()

    async def write_failed_sign_ins(self) -> None:
        """Write the counts of failed attempts to the audit log."""
        await self.people.failures.flush()

    async def trim_audit_log(self) -> None:
        """Remove the entries of the audit log that are older than `audit_days`."""
        await self.jobs.perform("audit retention", TRIM_SECONDS, self._trim_audit_log)

    async def _trim_audit_log(self) -> None:
        days = self.settings.audit_days
        await AuditRetention(self.store, self.auditor, now, days).trim()

    async def count_recordings(self) -> None:
        """Update the figures of recordings for `/metrics`."""
        figures = await self.jobs.perform("recording counts", TALLY_SECONDS, self._count_recordings)
        if figures:
            self.tally = totals_of(figures)

    async def _count_recordings(self) -> Figures:
        return asdict(await self.recording_admin.tally())


def _is_any_recorded(rows: Transaction) -> bool:
    configs = [
        rows.settings.get(site.id).config for site in rows.sites.all() if not site.is_disabled
    ]
    return any(config.is_enabled and config.is_recording for config in configs)


def request_limits(settings: Settings) -> RequestLimits:
    return RequestLimits(
        api=settings.rate_limit,
        page=settings.page_rate_limit,
        socket=settings.socket_rate_limit,
    )


async def run_app(settings: Settings, lifecycle: Lifecycle, number: int = 0) -> None:
    """Serve as the `number`-th app process (from 0) until stopped.

    Raises `OSError` if the port or the archive is in use already.
    """
    open_port = share if settings.app_workers > 1 else listen
    listener = open_port(settings.host, settings.port)
    certificate = server_certificate(settings)
    app = App(settings, open_database(settings), number=number)
    app.lifecycle = lifecycle
    lifecycle.listen_to_secrets(app.use_secrets)
    background = app.join_nodes()
    await app.start()
    server = http_server(app.web, settings, certificate, app.gate)
    background += [
        *app.start_background_tasks(),
        run_forever("local socket", partial(serve_on_socket, app.web, app.socket)),
        lifecycle.set_up(),
    ]
    if certificate:
        background.append(watch_certificate(certificate, lifecycle))
    await app.resume_calls()
    background += app.cluster.serve() if app.cluster else []
    freeze_garbage_collector()
    serving = child(server.serve([listener]))
    stopping = child(lifecycle.stop.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        app.stopping.set()
        app.members.drain()
        if app.cluster and await app.cluster.find_successors(
            SUCCESSOR_SECONDS if app.calls.count else 0.0
        ):
            app.cluster.leave()
            server.should_exit = True  # the pages connect again at the nodes that take their sites
            await app.calls.hand_over(HAND_OVER_SECONDS)
        else:
            await app.calls.shut_down()
            if app.cluster:
                app.cluster.leave()
                await app.cluster.wait_for_ends(ENDS_SECONDS)
    finally:
        server.should_exit = True
        stopping.cancel()
        await serving
        await cancelled(*background)
        with contextlib.suppress(VisavisError):
            await app.people.failures.flush()
            await app.tokens.save_uses()
            await app.leave()
        if app.archive:
            app.archive.close()
        app.access_log.flush()
        app.store.close()
