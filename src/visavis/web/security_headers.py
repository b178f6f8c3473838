"""Security headers of all answers, by kind of answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from starlette.types import Scope

from visavis.web.request import header

RawHeaders = Iterable[tuple[bytes, bytes]]

API: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
}
"""Of the API: nobody else's cache keeps it, no browser takes it for a page."""
OTHERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""Of pages, files and everything else that a browser opens, with a policy (CSP)."""
STRICT_TRANSPORT: Final = "max-age=31536000"
"""A year of HTTPS only (RFC 6797), said over HTTPS."""

PAGE: Final[Mapping[str, str]] = {
    "default-src": "'self'",
    "connect-src": "'self'{sockets}",
    "media-src": "'self' blob:",
    "img-src": "'self' data:",
    "style-src": "'self' 'unsafe-inline'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
"""Content security policy of a page. It speaks to the host alone that a browser asked for it."""
CONSENT: Final[Mapping[str, str]] = {
    **PAGE,
    "connect-src": "'self'",
    "form-action": "'self' {target}",
}
"""Policy of the consent page of OAuth. It opens no socket, and browsers hold the redirect that
answers a form to the page's form-action, too."""

_HOST: Final = re.compile(r"([\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?", re.ASCII)


def content_security_policy(policy: Mapping[str, str], **values: str) -> str:
    """Return the value of the header."""
    return "; ".join(f"{name} {sources}" for name, sources in policy.items()).format(**values)


def headers_of_others(scope: Scope) -> RawHeaders:
    """Return the headers of an answer that is not the API's."""
    host = header(scope, b"host")
    return _of_others(host if _HOST.fullmatch(host) else "", scope["scheme"])


@lru_cache(256)
def _of_others(host: str, scheme: str) -> RawHeaders:
    # Safari before version 15.4 does not take WebSockets of the same host as 'self'
    sockets = f" ws://{host} wss://{host}" if host else ""
    policy = content_security_policy(PAGE, sockets=sockets)
    found = {**OTHERS, "Content-Security-Policy": policy}
    if scheme == "https":
        found["Strict-Transport-Security"] = STRICT_TRANSPORT
    return _raw(found)


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    return tuple((k.lower().encode(), v.encode("latin-1")) for k, v in headers.items())


API_HEADERS: Final = _raw(API)
