"""Request headers, looked up at once instead of one after the other."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from visavis.domain.entity_tags import is_listed, is_listed_weakly

_KEY: Final = "visavis.headers"


def index_headers(scope: Scope) -> None:
    """Make `header` work on this scope; of a repeated header the last one counts."""
    scope[_KEY] = dict(scope["headers"])


def header(scope: Scope, name: bytes) -> str:
    """Return a header by its name in small letters; empty if it is missing."""
    value: bytes | None = scope[_KEY].get(name)
    return value.decode("latin-1") if value else ""


def has_one_host(scope: Scope) -> bool:
    """Whether the request names one host (RFC 9112 §3.2); HTTP/1.0 may name none."""
    indexed: dict[bytes, bytes] = scope[_KEY]
    if b"host" not in indexed:
        return bool(scope["http_version"] == "1.0")
    if len(indexed) == len(scope["headers"]):
        return True  # no header is repeated
    names: list[bytes] = [name for name, _ in scope["headers"]]
    return names.count(b"host") == 1


def if_match(scope: Scope, etag: str) -> bool:
    """Whether If-Match is absent, `*`, or names the tag by strong comparison (RFC 9110 §13.1.1)."""
    listed = _listed(scope, b"if-match")
    return listed is None or is_listed(etag, listed)


def if_none_match(scope: Scope, etag: str) -> bool:
    """Whether If-None-Match is `*` or names the tag by weak comparison (RFC 9110 §13.1.2)."""
    listed = _listed(scope, b"if-none-match")
    return listed is not None and is_listed_weakly(etag, listed)


def _listed(scope: Scope, name: bytes) -> str | None:
    """The value of a header whose lines are one list (RFC 9110 §5.3), `None` if it is absent."""
    if not scope[_KEY].get(name):
        return None
    lines = (value for header_name, value in scope["headers"] if header_name == name)
    return b", ".join(lines).decode("latin-1").strip()
