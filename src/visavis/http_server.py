"""The HTTP servers of a process: the public port, and a socket for our own processes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from visavis.descriptors import for_connections
from visavis.lifecycle import Lifecycle
from visavis.local_socket import LocalSocket
from visavis.protocol.signaling import MAX_MESSAGE_BYTES
from visavis.settings import Settings
from visavis.tasks import child, run_forever
from visavis.tls import ServerCertificate
from visavis.web.connections import ConnectionGate
from visavis.web.request_limits import KEEP_ALIVE_GRACE, KEEP_ALIVE_SECONDS, LimitedHttpProtocol
from visavis.web.throttled_websocket import ThrottledWebSocket

log = structlog.get_logger(__name__)

CLOSE_SECONDS: Final = 3
RETRY_SECONDS: Final = 1.0
TICKS_PER_SECOND: Final = 10


def _is_news(record: logging.LogRecord) -> bool:
    """False for uvicorn's log line about each WebSocket that was refused with a response."""
    return "without completing handshake" not in record.getMessage()


logging.getLogger("uvicorn.error").addFilter(_is_news)


class _Server(uvicorn.Server):
    """uvicorn without signal handlers, because `Lifecycle` handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _SocketServer(_Server):
    """Server that ends by itself once its socket's file was removed, so that it can be reopened."""

    def __init__(self, config: uvicorn.Config, local: LocalSocket) -> None:
        super().__init__(config)
        self._local = local

    async def on_tick(self, counter: int) -> bool:
        is_asked = await super().on_tick(counter)
        return is_asked or (counter % TICKS_PER_SECOND == 0 and not self._local.is_there())


def http_server(
    web: ASGIApp,
    settings: Settings,
    certificate: ServerCertificate | None,
    gate: ConnectionGate | None = None,
) -> uvicorn.Server:
    """Return the server of the public port; with a certificate it serves HTTPS only."""
    gate = gate or connection_gate(settings)
    return _Server(
        _config(
            web,
            http=type("GatedProtocol", (LimitedHttpProtocol,), {"gate": gate}),
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            ssl_certfile=settings.tls_cert or None,
            ssl_keyfile=settings.tls_key or None,
            ssl_context_factory=certificate.context_factory if certificate else None,
        )
    )


def connection_gate(settings: Settings) -> ConnectionGate:
    return ConnectionGate(for_connections(), settings.trusted_proxies)


def server_certificate(settings: Settings) -> ServerCertificate | None:
    """Return the certificate of the settings, if any; raise `OSError` with a sentence."""
    if not settings.tls_cert:
        return None
    return ServerCertificate(settings.tls_cert, settings.tls_key)


def watch_certificate(certificate: ServerCertificate, lifecycle: Lifecycle) -> asyncio.Task[None]:
    """Use a renewed certificate within seconds, or at once if a reload is requested."""
    lifecycle.reload_listeners.append(certificate.reload)
    return run_forever("certificate", certificate.watch)


async def serve_on_socket(web: ASGIApp, path: Path) -> None:
    """Serve our own processes on a Unix socket until cancelled; reopen it if it is removed.

    Requests of our own processes thus do not depend on the public name, certificate or proxy.
    """
    local = LocalSocket(path)
    while True:
        try:
            listener = local.open()
        except OSError as error:
            log.warning("local socket cannot be opened", path=str(path), reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
            continue
        server = _SocketServer(_config(web, lifespan="off", proxy_headers=False), local)
        serving = child(server.serve([listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            await asyncio.to_thread(local.remove)
            raise


def _config(web: ASGIApp, **options: Any) -> uvicorn.Config:
    options.setdefault("http", LimitedHttpProtocol)
    return uvicorn.Config(
        web,
        log_config=None,
        access_log=False,
        server_header=False,
        ws=ThrottledWebSocket,
        ws_max_size=MAX_MESSAGE_BYTES,
        # Compression costs 40 KiB per socket and most of a message's CPU time, and saves a few
        # kilobytes per call.
        ws_per_message_deflate=False,
        # `socket_loop` checks silent pages; a browser would answer these pings for a frozen page.
        ws_ping_interval=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS + KEEP_ALIVE_GRACE,
        timeout_graceful_shutdown=CLOSE_SECONDS,
        **options,
    )
