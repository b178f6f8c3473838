"""Background tasks that die once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from visavis.tasks import MONITOR


class DiedError(Exception):
    """An error that no code expects."""


@contextmanager
def dies_once(task: str, owner: Any, method: str) -> Iterator[Callable[[], bool]]:
    """Let the next call of a method raise what ends the background task that calls it.

    Yields whether that has happened; checks that the death was counted, and counted once.
    """
    real = getattr(owner, method)
    before = MONITOR.failures[task]
    deaths = 0

    def die() -> None:
        nonlocal deaths
        if not deaths:
            deaths += 1
            raise DiedError(task)

    async def work(*arguments: Any, **options: Any) -> Any:
        die()
        return await real(*arguments, **options)

    def call(*arguments: Any, **options: Any) -> Any:
        die()
        return real(*arguments, **options)

    had_own = method in vars(owner)
    setattr(owner, method, work if inspect.iscoroutinefunction(real) else call)
    try:
        yield lambda: MONITOR.failures[task] > before
    finally:
        if had_own:
            setattr(owner, method, real)
        else:
            delattr(owner, method)
    assert deaths == 1
    assert MONITOR.failures[task] == before + 1, MONITOR.failures
