"""Throttle for the messages of a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

MESSAGES_PER_SECOND: Final = 20.0
BURST: Final = 60.0


class Throttle:
    """A token bucket per socket: messages of a page that sends too fast are read later.

    A page's messages are forwarded to another page, whose queue is bounded and must not fill.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock()

    def seconds_to_wait(self) -> float:
        """Count a message; return the seconds to wait before the next one is read."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * MESSAGES_PER_SECOND) - 1
        self._at = now
        return max(0.0, -self._left / MESSAGES_PER_SECOND)

    async def wait(self) -> None:
        if seconds := self.seconds_to_wait():
            await asyncio.sleep(seconds)
