"""How fast a page may talk to us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

MESSAGES_PER_SECOND: Final = 20.0
BURST: Final = 60.0


class Pace:
    """A token bucket (one per socket): who is too fast waits, and so does what they send.

    What a page says is told to another page, whose queue is bounded: nobody shall fill it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock()

    def seconds_to_wait(self) -> float:
        """Count a message; how long to wait before the next is read."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * MESSAGES_PER_SECOND) - 1
        self._at = now
        return max(0.0, -self._left / MESSAGES_PER_SECOND)

    async def keep(self) -> None:
        if seconds := self.seconds_to_wait():
            await asyncio.sleep(seconds)
