"""Limits of requests in five minutes: per known token, and per network for all others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from visavis.protocol.routes import RateClass
from visavis.web.request import header
from visavis.web.source import source_of

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", ""})
WINDOW_SECONDS: Final = 300
MAX_COUNTED: Final = 50_000


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Requests in five minutes; 0 is no limit."""

    api: int = 0
    page: int = 0
    socket: int = 0


def _no_token(_: Scope) -> str:
    return ""


def _no_claim(_: Scope) -> bool:
    return False


class RateLimit:
    """Counts per fixed window; the machine itself is not counted.

    `token_of` returns the token of a request if it has been found good lately, else nothing.
    Who has one is counted by it, so that one colleague does not use up what the office has. Tokens
    that are not known yet are counted by network, apart from requests without any (`claims`).
    """

    def __init__(
        self,
        limits: RequestLimits,
        token_of: Callable[[Scope], str] = _no_token,
        claims: Callable[[Scope], bool] = _no_claim,
    ) -> None:
        self._limits = {
            RateClass.API: limits.api,
            RateClass.PAGE: limits.page,
            RateClass.SOCKET: limits.socket,
        }
        self._token_of = token_of
        self._claims = claims
        self._window = 0
        self._counts: dict[tuple[RateClass, str], int] = {}
        self.refused: Counter[RateClass] = Counter()

    def seconds_to_wait(self, scope: Scope, kind: RateClass | None) -> int:
        """Return the seconds until this client is answered again; 0 if it is not limited.

        Requests of no kind (probes, and uploads, which have limits of their own) never wait.
        """
        limit = self._limits[kind] if kind else 0
        if not kind or not limit:
            return 0
        client = scope.get("client")
        if (not client or client[0] in LOOPBACK) and not header(scope, b"x-forwarded-for"):
            return 0
        source = source_of(scope)
        if not source:
            return 0
        now = int(time.monotonic())
        window = now // WINDOW_SECONDS
        if window != self._window or len(self._counts) > MAX_COUNTED:
            self._window, self._counts = window, {}
        key = kind, self._counted_by(scope, source)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count <= limit:
            return 0
        self.refused[kind] += 1
        return (window + 1) * WINDOW_SECONDS - now

    def _counted_by(self, scope: Scope, source: str) -> str:
        if token := self._token_of(scope):
            return f"token {token}"
        return f"unknown token from {source}" if self._claims(scope) else source
