"""Timers that wait while this process does not know which sites it still owns.

A process that was frozen finds many timers due when it wakes up, while another node may have taken
its sites. Its writes are refused by their term, but its messages to consoles would not be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from visavis.domain.errors import VisavisError
from visavis.services.calls.call_log import Timer
from visavis.services.calls.effects import Scheduler
from visavis.tasks import spawn

TICK_SECONDS: Final = 0.5
FROZEN_SECONDS: Final = 4.0
"""Time without a tick after which this process was frozen: less than its silence may last."""
CHECK_SECONDS: Final = 5.0
"""Period of the check: an owner whose sites have no calls would not notice otherwise."""
RETRY_SECONDS: Final = 0.2


class _HeldTimer:
    """A timer that is set again while ownership is in doubt."""

    def __init__(self, guard: FreezeGuard, seconds: float, ring: Callable[[], None]) -> None:
        self._guard = guard
        self._ring = ring
        self._timer = guard.set_timer(seconds, self._fire)

    def _fire(self) -> None:
        if self._guard.is_in_doubt:
            self._timer = self._guard.set_timer(RETRY_SECONDS, self._fire)
        else:
            self._ring()

    def cancel(self) -> None:
        self._timer.cancel()


class FreezeGuard:
    """Holds the timers of the calls back after a freeze, until `check` has succeeded.

    `check` gives up the sites that another process has taken, and raises `StoreUnavailable`.
    `elapsed` is a monotonic clock that goes on while the process is frozen.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        elapsed: Callable[[], float],
        set_timer: Scheduler,
    ) -> None:
        self.set_timer = set_timer
        self._check = check
        self._elapsed = elapsed
        self._ticked_at = elapsed()
        self._checked_at = self._ticked_at
        self._was_frozen = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether this process was frozen and does not know its sites since then."""
        return self._was_frozen or self._elapsed() - self._ticked_at > FROZEN_SECONDS

    def schedule(self, seconds: float, ring: Callable[[], None]) -> Timer:
        """Call back after this many seconds, or when ownership is known again."""
        return _HeldTimer(self, seconds, ring)

    def tick(self) -> None:
        self._was_frozen = self.is_in_doubt
        self._ticked_at = self._elapsed()

    async def run(self) -> None:
        """Notice freezes, and check ownership after each and regularly, until cancelled."""
        self.tick()
        checking: asyncio.Task[None] | None = None
        try:
            while True:
                await asyncio.sleep(TICK_SECONDS)
                self.tick()
                is_due = self._elapsed() - self._checked_at >= CHECK_SECONDS
                if (checking is None or checking.done()) and (is_due or self._was_frozen):
                    checking = spawn("check of sites", self.check())
        finally:
            if checking:
                checking.cancel()

    async def check(self) -> None:
        """Find out which sites this process still owns, if the database answers."""
        self._checked_at = self._elapsed()
        try:
            await self._check()
        except VisavisError:
            return
        self._was_frozen = False
