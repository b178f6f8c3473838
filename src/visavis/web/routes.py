"""The one page of addresses, and the application that serves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from visavis.domain.errors import VisavisError
from visavis.web.api.config import CanonicalPath, ConfigApi
from visavis.web.errors import on_crash, on_http_exception, on_visavis_error
from visavis.web.middleware import Envelope, RateLimit
from visavis.web.pages import page_routes
from visavis.web.session import Sessions
from visavis.web.signaling import Sockets


def build_web(
    *,
    config_api: ConfigApi,
    sessions: Sessions,
    sockets: Sockets,
    recordings: Sequence[BaseRoute],
    is_ready: Callable[[], bool],
) -> ASGIApp:
    """The whole HTTP and WebSocket side as one ASGI application."""

    def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(_: Request) -> Response:
        if is_ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("the media worker is not connected\n", 503)

    application = Starlette(
        routes=[
            *config_api.routes(),  # /v4/livechat/audioVideoChatConfig
            *sessions.routes(),  # /session
            *sockets.routes(),  # /signaling/visitor, /signaling/agent
            *recordings,  # /recordings/, /library/recordings
            *page_routes(),  # /, /demo, /console, /library, /signin, /widget.js, /static/
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", _metrics),
        ],
        middleware=[Middleware(RateLimit), Middleware(CanonicalPath)],
        exception_handlers={
            VisavisError: on_visavis_error,
            HTTPException: on_http_exception,
            Exception: on_crash,
        },
    )
    # around everything, so that the answer to a crash has its request id and headers too
    return Envelope(application)


def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
