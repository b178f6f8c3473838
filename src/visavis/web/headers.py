"""Request headers, looked up at once instead of one after the other."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

_KEY: Final = "visavis.headers"


def index_headers(scope: Scope) -> None:
    """Make `header` work on this scope; of a repeated header the last one counts."""
    scope[_KEY] = dict(scope["headers"])


def header(scope: Scope, name: bytes) -> str:
    """The value of a header by its name in small letters; empty where it is not there."""
    value: bytes | None = scope[_KEY].get(name)
    return value.decode("latin-1") if value else ""
