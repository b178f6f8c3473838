"""The one page of addresses, and the application that serves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol.openapi import Operations
from visavis.services.calls.join_links import JoinLink
from visavis.services.visitor_limits import VisitorGuard
from visavis.web.access_log import AccessLog
from visavis.web.api.audit import AuditApi
from visavis.web.api.calls import CallsApi
from visavis.web.api.config import ConfigApi
from visavis.web.api.events import ConfigEvents
from visavis.web.api.policy import PolicyApi
from visavis.web.api.recordings import RecordingsApi
from visavis.web.asgi_entry import AsgiEntry
from visavis.web.authentication import Authentication
from visavis.web.description.document import description_resource
from visavis.web.errors import (
    on_crash,
    on_disconnect,
    on_http_exception,
    on_visavis_error,
    problem,
)
from visavis.web.metrics import Gauge, MetricsAccess, metrics_route
from visavis.web.oauth.routes import OAuth
from visavis.web.pages import archive_page_routes, page_routes
from visavis.web.pages.join import join_routes
from visavis.web.rate_limit import RateLimit
from visavis.web.resource import Resources
from visavis.web.security_headers import SecurityHeaders
from visavis.web.signaling import Sockets
from visavis.web.source import UNLISTED_PROXIES

CORS_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
CORS_REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Range",
    "siteId",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Defer-Length",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-HTTP-Method-Override",
    "X-Request-Id",
)
CORS_RESPONSE_HEADERS: Final = (
    "Allow",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "Tus-Checksum-Algorithm",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Defer-Length",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "Visavis-Sha256",
    "WWW-Authenticate",
    "X-Request-Id",
)


class WhyNotReady(Protocol):
    async def why_not(self, *, is_public: bool) -> str:
        """Return why no call could be placed now; to the public without paths and errors."""


class Warnings(Protocol):
    def __call__(self, *, is_public: bool) -> list[str]:
        """Return what is wrong with the parts; to the public without reasons."""


def build_web(
    *,
    config_api: ConfigApi,
    config_events: ConfigEvents,
    audit_api: AuditApi,
    policy_api: PolicyApi,
    recordings_api: RecordingsApi,
    calls_api: CallsApi,
    join: Callable[[str], JoinLink],
    guard: VisitorGuard,
    sessions: Authentication,
    oauth: OAuth,
    sockets: Sockets,
    recordings: Sequence[BaseRoute],
    recording_operations: Operations,
    recording_tags: Mapping[str, str],
    readiness: WhyNotReady,
    warnings: Warnings,
    gauges: Mapping[str, Gauge],
    metrics_access: MetricsAccess,
    access_log: AccessLog,
    rate_limit: RateLimit,
    cors_origins: Sequence[str],
    base_url: str,
) -> ASGIApp:
    """The whole HTTP and WebSocket side as one ASGI application."""

    async def readyz(request: Request) -> Response:
        is_public = not metrics_access.is_allowed(request.scope)
        reason = await readiness.why_not(is_public=is_public)
        proxies = UNLISTED_PROXIES.warning(is_public=is_public)
        lines = [reason or "ready", proxies, *warnings(is_public=is_public)]
        return PlainTextResponse("".join(f"{x}\n" for x in lines if x), 503 if reason else 200)

    routes = [
        *sessions.routes(),  # /session
        *oauth.routes(),  # /oauth/token, /oauth/authorize, …, /.well-known/
        *config_events.routes(),  # /v4/livechat/audioVideoChatConfig/events
        *audit_api.routes(),  # /v4/global/auditLogs:export
        *sockets.routes(),  # /signaling/visitor, /signaling/agent
        *recordings,  # /recordings/, /library/recordings
        *page_routes(),  # /, /demo, /console, /library, /signin, /widget.js, /static/
        *join_routes(join, guard),  # /join/{token}
        Route("/healthz", _healthz),
        Route("/readyz", readyz),
        metrics_route(gauges, metrics_access),  # /metrics
    ]
    resources = [
        *config_api.resources(),  # /v4/livechat/audioVideoChatConfig
        *calls_api.resources(),  # /v4/livechat/audioVideoChats
        *audit_api.resources(),  # /v4/global/auditLogs
        *policy_api.resources(),  # /v4/livechat/recordingPolicy
        *recordings_api.resources(),  # /v4/livechat/recordings, …Config:testRecordingServer
    ]
    description = description_resource(
        resources, routes, recording_operations, recording_tags, base_url
    )
    resources.append(description)  # /v4/openapi.json
    front = AsgiEntry(Resources(resources), _router(*routes), access_log, rate_limit)
    return _shared(front, cors_origins) if cors_origins else front


def build_archive_web(
    *,
    sessions: Authentication,
    recordings: Sequence[BaseRoute],
    access_log: AccessLog,
    rate_limit: RateLimit,
    gauges: Mapping[str, Gauge],
    metrics_access: MetricsAccess,
) -> ASGIApp:
    """The HTTP side of an archive that runs alone."""
    router = _router(
        *sessions.routes(),  # /session
        *recordings,  # /recordings/, /library/recordings
        *archive_page_routes(),  # /, /library, /signin, /static/
        Route("/healthz", _healthz),
        Route("/readyz", _healthz),
        metrics_route(gauges, metrics_access),  # /metrics
    )
    return AsgiEntry(Resources([]), router, access_log, rate_limit)


def _router(*routes: BaseRoute) -> Starlette:
    return Starlette(
        routes=[*routes, WebSocketRoute("/{path:path}", _no_socket)],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={
            VisavisError: on_visavis_error,
            HTTPException: on_http_exception,
            ClientDisconnect: on_disconnect,
            Exception: on_crash,
        },
    )


async def _no_socket(socket: WebSocket) -> None:
    await socket.send_denial_response(problem(socket, VisavisError(ErrorKind.EntityNotFound), {}))


def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _shared(application: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application for the pages of other origins; their cookies stay out (Fetch, CORS)."""
    return CORSMiddleware(
        application,
        allow_origins=origins,
        allow_methods=CORS_METHODS,
        allow_headers=CORS_REQUEST_HEADERS,
        expose_headers=CORS_RESPONSE_HEADERS,
    )
