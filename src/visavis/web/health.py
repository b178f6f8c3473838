"""Health and readiness of the process, for probes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from visavis.web.source import UNLISTED_PROXIES


class WhyNotReady(Protocol):
    async def why_not(self, *, is_public: bool) -> str:
        """Return why no call could be placed now; to the public without paths and errors."""


class Warnings(Protocol):
    def __call__(self, *, is_public: bool) -> list[str]:
        """Return what is wrong with the parts; to the public without reasons."""


async def healthz(_: Request) -> Response:
    """Answer while the process runs."""
    return PlainTextResponse("ok\n")


class ReadinessProbe:
    """Says whether calls can be taken; `is_operator` tells who is told the reasons."""

    def __init__(
        self,
        readiness: WhyNotReady,
        warnings: Warnings,
        is_operator: Callable[[Scope], bool],
    ) -> None:
        self._readiness = readiness
        self._warnings = warnings
        self._is_operator = is_operator

    async def show(self, request: Request) -> Response:
        is_public = not self._is_operator(request.scope)
        reason = await self._readiness.why_not(is_public=is_public)
        proxies = UNLISTED_PROXIES.warning(is_public=is_public)
        lines = [reason or "ready", proxies, *self._warnings(is_public=is_public)]
        return PlainTextResponse("".join(f"{x}\n" for x in lines if x), 503 if reason else 200)
