"""Exponential back-off with jitter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST_SECONDS: Final = 1.0
MAX_SECONDS: Final = 3600.0
SPREAD: Final = 0.2


class Backoff:
    """Exponential back-off from one second to one hour. `now` is monotonic, in seconds.

    `chance` returns numbers from 0 to 1, which vary each pause by up to a fifth in both directions.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._pause = 0.0
        self._due = 0.0

    @property
    def is_failing(self) -> bool:
        return self._pause > 0

    def is_due(self, now: float) -> bool:
        return now >= self._due

    def record_failure(self, now: float, retry_after: float = 0.0) -> float:
        """Schedule the next attempt; return the pause: `retry_after` or more, at most an hour."""
        self._pause = min(MAX_SECONDS, self._pause * 2 or FIRST_SECONDS)
        spread = 1 - SPREAD + 2 * SPREAD * self._chance()
        wait = max(min(MAX_SECONDS, self._pause * spread), min(MAX_SECONDS, retry_after))
        self._due = now + wait
        return wait

    def reset(self) -> None:
        """Forget all failures, after a success or on request."""
        self._pause = self._due = 0.0
