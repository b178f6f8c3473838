"""What happens to every request: an id, safe headers, a log line, a count, a limit."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.web.errors import problem

log = structlog.get_logger("visavis.access")

REQUESTS: Final = Counter("visavis_http_requests_total", "Answers", ["method", "status"])
SECONDS: Final = Histogram("visavis_http_request_seconds", "Time to answer", ["method"])

_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; "
    "media-src 'self' blob:; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
}
_REQUEST_ID: Final = re.compile(r"[\w.-]{1,64}")
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"})

LIMITED: Final = ("/v4/", "/api/")
MAX_REQUESTS: Final = 300
WINDOW_SECONDS: Final = 300
MAX_ADDRESSES: Final = 50_000


class Envelope:
    """Request id, headers, log line and metrics around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 500

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _SAFE.items():
                    headers.setdefault(name, value)
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, sealed)
        finally:
            _count(scope, status, time.perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")


class RateLimit:
    """So many API calls per client address and window; loopback is not counted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._window = 0
        self._counts: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_over(scope):
            error = VisavisError(ErrorKind.TooManyRequests)
            await problem(Request(scope), error, {})(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_over(self, scope: Scope) -> bool:
        address = scope["client"][0] if scope.get("client") else ""
        if not scope["path"].lower().startswith(LIMITED) or address in {"127.0.0.1", "::1", ""}:
            return False
        window = int(time.monotonic() // WINDOW_SECONDS)
        if window != self._window or len(self._counts) > MAX_ADDRESSES:
            self._window, self._counts = window, {}
        self._counts[address] = self._counts.get(address, 0) + 1
        return self._counts[address] > MAX_REQUESTS


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _count(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, status).inc()
    SECONDS.labels(method).observe(seconds)
    if scope["path"] in _PROBES:
        return
    log.info(
        "request", method=method, path=scope["path"], status=status, ms=round(seconds * 1000, 1)
    )
