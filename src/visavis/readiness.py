"""Readiness of the node: whether a call could be placed now, and the reasons if not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from visavis.domain.errors import VisavisError
from visavis.lifecycle import PartState
from visavis.services.ports import Store, Transaction
from visavis.tasks import describe, spawn

log = structlog.get_logger(__name__)

CHECK_SECONDS: Final = 2.0
KEPT_SECONDS: Final = 0.5
"""Seconds for which an answer is reused, because checks write and anyone may send requests."""


class Check:
    """A check of a part that may hang; at most one attempt runs at a time."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[str]]) -> None:
        self.name = name
        self._ask = ask
        self._attempt: asyncio.Task[str] | None = None

    async def reason(self) -> str:
        """Return why no call could be placed, in words; empty if this check passes."""
        if self._attempt is None:
            self._attempt = spawn("readiness check", self._answer())
        done, _ = await asyncio.wait([self._attempt], timeout=CHECK_SECONDS)
        if not done:
            return f"{self.name} did not answer within {CHECK_SECONDS:.0f} seconds"
        attempt, self._attempt = self._attempt, None
        if attempt.cancelled():
            return f"{self.name} was not checked"
        error = attempt.exception()
        return f"{self.name}: {describe(error)}" if error else attempt.result()

    async def _answer(self) -> str:
        return await self._ask()


class Readiness:
    """All checks, run at the same time."""

    def __init__(
        self, checks: Iterable[Check], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._checks = tuple(checks)
        self._clock = clock
        self._asking: asyncio.Task[None] | None = None
        self._reason = ""
        self._failing: tuple[str, ...] = ()
        self._asked_at = float("-inf")

    async def why_not(self, *, is_public: bool = False) -> str:
        """Return all reasons why no call could be placed now; empty if one could.

        For the public, it names the failed checks only, without paths, addresses and errors.
        """
        if self._clock() - self._asked_at >= KEPT_SECONDS:
            if self._asking is None or self._asking.done():
                self._asking = spawn("readiness", self._ask())
            await asyncio.shield(self._asking)
        if is_public:
            return "; ".join(f"{name} is not ready" for name in self._failing)
        return self._reason

    async def _ask(self) -> None:
        reasons = await asyncio.gather(*(check.reason() for check in self._checks))
        named = zip(self._checks, reasons, strict=True)
        failing = tuple(check.name for check, reason in named if reason)
        self._reason = "; ".join(filter(None, reasons))
        if failing != self._failing:
            log.warning("readiness changed", reason=self._reason or "ready")
        self._failing = failing
        self._asked_at = self._clock()


async def why_no_write(store: Store, rewrite: Callable[[Transaction], None]) -> str:
    """Return why the database accepts no writes; empty if it does.

    `rewrite` writes a row unchanged, because a full, locked or read-only database can still read.
    """
    try:
        await store.write(rewrite)
    except VisavisError as error:
        return f"the database accepts no writes: {describe(error.__cause__ or error)}"
    return ""


def warnings(parts: dict[str, PartState], *, is_public: bool = False) -> list[str]:
    """Return problems of parts that do not prevent calls yet, such as a recorder that is down.

    For the public, the reasons are left out.
    """
    lines = []
    for name, state in parts.items():
        if not state.is_up and state.reason:
            lines.append((f"warning: {name} is being restarted", state.reason))
        for task, reason in state.status.problems.items():
            if task != "part":
                lines.append((f"warning: {name}: {task}", reason))
    return [what if is_public else f"{what}: {reason}" for what, reason in lines]
