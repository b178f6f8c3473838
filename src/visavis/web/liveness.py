"""Notices a page that is gone although its connection still counts as open (half-open TCP)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """Seconds of silence before a page is asked, and seconds it then has to answer."""

    quiet: float
    answer: float


IDLE: Final = SilenceLimits(quiet=15.0, answer=5.0)
IN_CALL: Final = SilenceLimits(quiet=3.0, answer=3.0)
_TICK: Final = 1.0


class Liveness:
    """When a page was heard last. `is_busy` says whether the page is in a call.

    A page's timers stand still or run once a minute while nobody looks at it; its socket's messages
    are delivered even then. So the server asks, and does not wait for pages to report.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        is_busy: Callable[[], bool],
        *,
        idle: SilenceLimits = IDLE,
        in_call: SilenceLimits = IN_CALL,
        tick: float = _TICK,
    ) -> None:
        self._clock = clock
        self._is_busy = is_busy
        self._idle = idle
        self._in_call = in_call
        self._tick = tick
        self._heard_at = clock()
        self._asked_at: float | None = None
        self._is_performing = False

    def heard(self) -> None:
        """Remember that the page has sent something."""
        self._heard_at = self._clock()
        self._asked_at = None

    @contextmanager
    def performing(self) -> Iterator[None]:
        """Perform a request of the page, during which no other message of it is read."""
        self._is_performing = True
        try:
            yield
        finally:
            self._is_performing = False
            self.heard()

    async def watch(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Return once the page has not answered; `ask` sends it a `Ping`."""
        while True:
            await asyncio.sleep(self._tick)
            patience = self._in_call if self._is_busy() else self._idle
            now = self._clock()
            if self._is_performing:
                continue
            if self._asked_at is None:
                if now - self._heard_at >= patience.quiet:
                    self._asked_at = now
                    await ask()
            elif now - self._asked_at >= patience.answer:
                return
