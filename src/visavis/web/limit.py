"""So many API calls per client address and window."""

from __future__ import annotations

import time
from typing import Final

from starlette.types import Scope

LIMITED: Final = ("/v4/", "/api/", "/oauth/")
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", ""})
WINDOW_SECONDS: Final = 300
MAX_ADDRESSES: Final = 50_000


class RateLimit:
    """Counts per fixed window; the machine itself is not counted. 0 calls mean no limit."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._window = 0
        self._counts: dict[str, int] = {}

    def seconds_to_wait(self, scope: Scope) -> int:
        """How long this client has to wait before it is answered again; 0 for not at all."""
        client = scope.get("client")
        address = client[0] if client else ""
        if address in LOOPBACK or not self._calls:
            return 0
        if not scope["path"].lower().startswith(LIMITED):
            return 0
        now = int(time.monotonic())
        window = now // WINDOW_SECONDS
        if window != self._window or len(self._counts) > MAX_ADDRESSES:
            self._window, self._counts = window, {}
        self._counts[address] = self._counts.get(address, 0) + 1
        if self._counts[address] <= self._calls:
            return 0
        return (window + 1) * WINDOW_SECONDS - now
