"""The composition root: what is plugged into what, in each of our processes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import secrets
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from visavis.archive.key import ensure_key
from visavis.archive.routes import archive_routes
from visavis.bus.local import LocalBus
from visavis.domain.errors import VisavisError
from visavis.domain.policy import RecordingPolicy
from visavis.domain.signaling import MAX_MESSAGE_BYTES, IceServers
from visavis.media import worker
from visavis.media.client import MediaClient
from visavis.recorder.delivery import Deliverer
from visavis.recorder.sweeper import Sweeper
from visavis.services.audit import AuditLog
from visavis.services.callbook import CallBook
from visavis.services.calls import Calls
from visavis.services.clients import Clients
from visavis.services.configs import Configs
from visavis.services.grants import Grants
from visavis.services.keys import Keys
from visavis.services.people import People
from visavis.services.ports import Transaction
from visavis.services.recordings import Recordings
from visavis.services.tokens import Tokens
from visavis.settings import Settings
from visavis.store import open_store
from visavis.store.passwords import Argon2Passwords
from visavis.store.sql import SqlStore
from visavis.web.access import AccessLog
from visavis.web.api.audit import AuditApi
from visavis.web.api.calls import CallsApi
from visavis.web.api.config import ConfigApi
from visavis.web.api.events import ConfigEvents
from visavis.web.limit import RateLimit
from visavis.web.metrics import Gauge
from visavis.web.oauth.routes import OAuth
from visavis.web.patience import PatientProtocol
from visavis.web.routes import build_web
from visavis.web.session import Sessions, is_same_origin
from visavis.web.signaling import Sockets

log = structlog.get_logger(__name__)

CLOSE_SECONDS: Final = 3
ICE_SECONDS: Final = 3600.0
"""How often a page is told of the STUN and TURN servers."""


def now() -> datetime:
    return datetime.now(UTC)


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def new_id() -> str:
    return secrets.token_hex(16)


async def policy_of(site_id: int) -> RecordingPolicy:
    return RecordingPolicy(site_id)


def settle() -> None:
    """Spare the garbage collector what start-up has made: it stays for good anyway."""
    gc.collect()
    gc.freeze()


def ensure_node_id(path: Path) -> str:
    """The name of this node among those that share a database, the same after every start."""
    with contextlib.suppress(FileExistsError), path.open("x", encoding="ascii") as file:
        file.write(new_id())
    return path.read_text(encoding="ascii")


class App:
    """The app process: everything that people and programs reach over HTTP."""

    def __init__(self, settings: Settings, store: SqlStore) -> None:
        self.settings = settings
        self.store = store
        self.node_id = ensure_node_id(settings.node_file)
        self.bus = LocalBus()
        self.stopping = asyncio.Event()
        self.tokens = Tokens(store, now, new_secret)
        self.keys = Keys(store, now, new_secret, new_id)
        self.clients = Clients(store, now, new_secret, new_id)
        self.people = People(store, Argon2Passwords(), now, new_secret, new_id)
        self.configs = Configs(store, self.bus, now, new_id, settings.archive_url)
        self.media = MediaClient(settings.media_socket)
        self.calls = Calls(
            config_of=self.configs.get,
            policy_of=policy_of,
            store=store,
            bus=self.bus,
            media=self.media,
            clock=now,
            schedule=lambda seconds, ring: asyncio.get_running_loop().call_later(seconds, ring),
            new_id=new_id,
            node_id=self.node_id,
        )
        self.configs.listeners.append(self.calls.config_changed)
        is_logged = settings.log_level in {"debug", "info"}
        self.access_log = AccessLog(sys.stderr.buffer if is_logged else None)
        self.web = self._web()

    def _web(self) -> ASGIApp:
        settings, sessions = self.settings, Sessions(self.tokens, self.keys, self.people)
        archive = (
            archive_routes(
                settings.archive_dir, ensure_key(settings.archive_key_file), sessions.signed_in
            )
            if settings.archive
            else []
        )
        self.sockets = Sockets(
            calls=self.calls,
            bus=self.bus,
            availability_of=self.configs.availability,
            ice_servers=lambda socket_id: IceServers(servers=[]),
            ice_seconds=ICE_SECONDS,
            has_site=self.people.has_site,
            signed_in=sessions.signed_in,
            is_same_origin=is_same_origin,
            new_id=new_id,
        )
        return build_web(
            config_api=ConfigApi(self.configs, sessions),
            config_events=ConfigEvents(self.configs, self.bus, sessions, self.stopping),
            audit_api=AuditApi(AuditLog(self.store), sessions),
            calls_api=CallsApi(CallBook(self.store, self.calls), sessions, settings.base_url),
            join=self.calls.join,
            sessions=sessions,
            sockets=self.sockets,
            recordings=archive,
            why_not_ready=self.why_not_ready,
            oauth=self._oauth(sessions),
            gauges=self._gauges(),
            access_log=self.access_log,
            rate_limit=RateLimit(settings.rate_limit),
            cors_origins=settings.cors_origins,
            base_url=settings.base_url,
        )

    def _oauth(self, sessions: Sessions) -> OAuth:
        lifetime = timedelta(seconds=self.settings.access_token_seconds)
        return OAuth(
            store=self.store,
            grants=Grants(now, new_secret, new_id, lifetime),
            people=self.people,
            tokens=self.tokens,
            sessions=sessions,
            issuer=self.settings.base_url,
        )

    def _gauges(self) -> dict[str, Gauge]:
        spool = self.settings.spool
        return {
            "visavis_calls": Gauge("Calls that have not ended", lambda: self.calls.count),
            "visavis_calls_unrecorded": Gauge(
                "Calls since the start that went on although they could not be recorded",
                lambda: self.calls.unrecorded,
            ),
            "visavis_media_workers": Gauge(
                "Media workers that answer", lambda: self.media.is_connected
            ),
            "visavis_spool_recordings": Gauge(
                "Recordings on this machine that wait for their delivery or are being made",
                lambda: sum(1 for _ in spool.iterdir()) if spool.exists() else 0,
            ),
        }

    async def why_not_ready(self) -> str:
        """Why a call could not be placed now; empty when it could."""
        if not self.media.is_connected:
            return "the media worker is not connected"
        return "" if await self.store.is_there() else "the database does not answer"

    async def start(self) -> None:
        """Tell the other nodes that this one is here, and end the calls that its last life held."""
        node_id, archive_url, started_at = self.node_id, self.settings.archive_url, now()

        def work(rows: Transaction) -> None:
            rows.nodes.save(node_id, archive_url, started_at)
            rows.calls.close_open(node_id, started_at)

        await self.store.write(work)

    async def watch_store(self) -> None:
        """Notice what another process, such as the command line, has written."""
        async for _ in self.store.changes():
            self.tokens.forget()
            self.keys.forget()
            try:
                await self.configs.refresh()
            except VisavisError as error:
                log.warning("the change could not be read yet", error=error.message)


class _Server(uvicorn.Server):
    """uvicorn under our supervisor, which alone deals with signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_app(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop`; raises `OSError` when the port is taken."""
    listener = _listen(settings.host, settings.port)
    app = App(settings, open_store(settings.database_address))
    await app.start()
    server = _Server(
        uvicorn.Config(
            app.web,
            log_config=None,
            access_log=False,
            server_header=False,
            http=PatientProtocol,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            ssl_certfile=settings.tls_cert or None,
            ssl_keyfile=settings.tls_key or None,
            ws_max_size=MAX_MESSAGE_BYTES,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
    )
    background = [
        asyncio.create_task(app.media.run(app.calls.ears, app.calls.kept)),
        asyncio.create_task(app.watch_store()),
    ]
    settle()
    serving = asyncio.create_task(server.serve([listener]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        app.stopping.set()
        await app.calls.shut_down()
    finally:
        server.should_exit = True
        stopping.cancel()
        await serving
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        app.access_log.flush()
        app.store.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(
            error.errno,
            f"TCP port {port} on {host} cannot be had ({error.strerror}): choose --port",
        ) from None


async def run_recorder(settings: Settings, stop: asyncio.Event) -> None:
    store = open_store(settings.database_address)
    key = ensure_key(settings.archive_key_file) if settings.archive else ""
    deliverer = Deliverer(
        archive_url=settings.archive_url,
        archive_key=key,
        allow_private=settings.allow_private_recording_servers,
        archive_certificate=settings.tls_cert,
    )
    recordings = Recordings(store, now, settings.archive_url)
    try:
        await Sweeper(settings.spool, recordings, deliverer).run(stop)
    finally:
        store.close()


RUN: Final = {"app": run_app, "media": worker.run, "recorder": run_recorder}
"""What each part of `visavis serve` does."""
