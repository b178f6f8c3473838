"""Timers, requests and reports that wait while this process does not know which sites it owns.

Another node may have taken the sites of a process that was frozen, or that is cut off from the bus.
Its writes are refused by their term, but its messages to pages would not be. So it reads from the
database which sites it owns before it acts: once after a freeze, and again and again while it is
cut off.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services.calls.call_log import Timer
from visavis.services.calls.effects import Scheduler
from visavis.tasks import spawn

TICK_SECONDS: Final = 0.5
FROZEN_SECONDS: Final = 2.0
"""Time without a tick after which this process was frozen: less than its silence may last."""
CHECK_SECONDS: Final = 5.0
"""Period of the check: an owner whose sites have no calls would not notice otherwise."""
DOUBT_SECONDS: Final = 2.0
"""Time for which ownership stays in doubt after this process was cut off.

Other nodes may still consider it dead until they have heard it again.
"""
RETRY_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 10.0
"""Time for which a request waits until the sites of this process are known."""

_IN_DOUBT: Final = "The site's node does not know yet whether it has this site: try again."


class _HeldTimer:
    """A timer that, while ownership is in doubt, rings only after a check."""

    def __init__(self, guard: OwnershipGuard, seconds: float, ring: Callable[[], None]) -> None:
        self._guard = guard
        self._ring = ring
        self._timer = guard.set_timer(seconds, self._fire)
        self._waiting: asyncio.Task[None] | None = None

    def _fire(self) -> None:
        if self._guard.is_in_doubt:
            self._waiting = spawn("timer that waits", self._wait())
        else:
            self._ring()

    async def _wait(self) -> None:
        while True:
            with suppress(VisavisError):  # a timer waits as long as it has to
                await self._guard.settled()
                break
        self._ring()

    def cancel(self) -> None:
        self._timer.cancel()
        if self._waiting:
            self._waiting.cancel()


class OwnershipGuard:
    """Holds timers, requests and reports of the calls back until `check` has succeeded.

    `check` gives up the sites that another process has taken, and raises `StoreUnavailable`.
    `is_cut_off` says whether other nodes may consider this one dead. `elapsed` is a monotonic clock
    that goes on while the process is frozen.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        is_cut_off: Callable[[], bool],
        elapsed: Callable[[], float],
        set_timer: Scheduler,
    ) -> None:
        self.set_timer = set_timer
        self._check = check
        self._is_cut_off = is_cut_off
        self._elapsed = elapsed
        self._ticked_at = elapsed()
        self._checked_at = self._ticked_at
        self._was_frozen = False
        self._cut_off_at = -DOUBT_SECONDS
        self._checking: asyncio.Task[bool] | None = None
        self._next_check: asyncio.Task[bool] | None = None
        self._held = deque[Callable[[], object]]()
        self._releasing: asyncio.Task[None] | None = None

    @property
    def is_in_doubt(self) -> bool:
        """Whether other nodes may have taken sites of this process without its knowledge."""
        now = self._elapsed()
        if self._was_frozen or now - self._ticked_at > FROZEN_SECONDS:
            return True
        if self._is_cut_off():
            self._cut_off_at = now
        return now - self._cut_off_at < DOUBT_SECONDS

    def schedule(self, seconds: float, ring: Callable[[], None]) -> Timer:
        """Call back after this many seconds, or when ownership is known again."""
        return _HeldTimer(self, seconds, ring)

    async def settled(self) -> None:
        """Wait until the sites of this process are known; raises `StoreUnavailable`."""
        until = self._elapsed() + PATIENCE_SECONDS
        while self.is_in_doubt and not await self.check():
            if self._elapsed() > until:
                raise VisavisError(ErrorKind.StoreUnavailable, _IN_DOUBT)
            await asyncio.sleep(RETRY_SECONDS)

    def when_settled(self, act: Callable[[], object]) -> None:
        """Perform `act` now, or after a check if ownership is in doubt, in the order of the calls.

        For reports that nobody waits for: a page has left, a leg is connected.
        """
        if not self._held and not self.is_in_doubt:
            act()
            return
        self._held.append(act)
        if self._releasing is None or self._releasing.done():
            self._releasing = spawn("reports that wait", self._release())

    async def _release(self) -> None:
        while self._held:
            with suppress(VisavisError):  # they wait as long as they have to
                await self.settled()
                asyncio.get_running_loop().call_soon(self._perform_first)
                await asyncio.sleep(0)  # until it is performed

    def _perform_first(self) -> None:
        """Perform the first report in a callback: one that fails does not hold others back."""
        self._held.popleft()()

    def tick(self) -> None:
        now = self._elapsed()
        self._was_frozen = self._was_frozen or now - self._ticked_at > FROZEN_SECONDS
        self._ticked_at = now

    async def run(self) -> None:
        """Check ownership regularly, and after each freeze, until cancelled."""
        self.tick()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()
            is_due = self._elapsed() - self._checked_at >= CHECK_SECONDS
            if is_due or self.is_in_doubt:
                self._next()

    async def check(self) -> bool:
        """Find out which sites this process still owns; return whether the database answers.

        The check begins after this call. Those who call while one is in progress share the next.
        """
        check = self._next()
        await asyncio.wait([check])
        return not check.cancelled() and check.exception() is None and check.result()

    def _next(self) -> asyncio.Task[bool]:
        """Return the check that has not begun yet."""
        if self._next_check is None or self._next_check.done():
            self._next_check = spawn("check of sites", self._check_after(self._checking))
        return self._next_check

    async def _check_after(self, former: asyncio.Task[bool] | None) -> bool:
        if former:
            await asyncio.wait([former])
        self._checking, self._next_check = self._next_check, None
        began_at = self._checked_at = self._elapsed()
        try:
            await self._check()
        except VisavisError:
            return False
        if self._elapsed() - began_at > FROZEN_SECONDS:  # perhaps frozen since the answer
            return False
        self._was_frozen = False
        self._ticked_at = self._elapsed()
        return True
