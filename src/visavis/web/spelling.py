"""Routes that answer every spelling of their path that existing clients use."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.routing import BaseRoute, Route

BASES: Final = ("", "/api")


class AnyCaseRoute(Route):
    """A route whose path matches without regard to case."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def canonical_path(path: str) -> str:
    """Return the spelling of a route's path that is documented."""
    plain = path.removesuffix("/") or "/"
    if not plain.startswith("/api/"):
        return plain
    below = plain.removeprefix("/api")
    return below if below.startswith(("/oauth/", "/v4/")) else f"/v4{below}"


def any_spelling(
    path: str,
    endpoint: Callable[..., Any],
    *,
    methods: Sequence[str],
    bases: Sequence[str] = BASES,
) -> list[BaseRoute]:
    """Return routes for a path below each of the bases, in any case."""
    return [AnyCaseRoute(base + path, endpoint, methods=methods) for base in bases]
