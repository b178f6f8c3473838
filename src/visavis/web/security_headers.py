"""Security headers on the pages and all other answers of the router."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visavis.web.headers import header

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
POLICY: Final = (
    "default-src 'self'; connect-src 'self'{sockets}; "
    "media-src 'self' blob:; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HOST: Final = re.compile(r"([\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?", re.ASCII)
STRICT_TRANSPORT: Final = "max-age=31536000"
"""A year of HTTPS only (RFC 6797), said over HTTPS."""


def content_security_policy(host: str) -> str:
    """Return the policy of pages that a browser asked this host for.

    They speak to this host alone. Safari before version 15.4 does not take WebSockets of the same
    host as 'self', so they are named.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return POLICY.format(sockets=sockets)


class SecurityHeaders:
    """ASGI middleware; an answer that brings its own header keeps it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                policy = content_security_policy(header(scope, b"host"))
                headers.setdefault("Content-Security-Policy", policy)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)
