"""Background tasks and threads. All are started here, so that none can end unnoticed.

An unexpected end is logged and counted (`MONITOR.failures`). A task that must run for the whole
life of the process is then restarted with back-off, and its reason is in `MONITOR.problems` until
it runs again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 10.0
HEALTHY_SECONDS: Final = 2.0
"""Seconds after which a restarted task is no longer counted as a problem."""
CANCEL_AGAIN_SECONDS: Final = 5.0
"""Time that a task has to clean up before it is cancelled again."""
MAX_REASON_LENGTH: Final = 200

Run = Callable[[], Awaitable[None]]


class TaskMonitor:
    """Unexpected ends of this process's background tasks: counts and present problems."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.problems: dict[str, str] = {}

    def failed(self, name: str, error: BaseException, *, pause: float | None = None) -> None:
        """Log and count an unexpected end; with `pause`, it is a problem until `recovered`."""
        reason = describe(error)
        self.failures[name] += 1
        if pause is None:
            log.error("background task failed", task=name, exc_info=error)
            return
        # Only a new reason: a long outage would otherwise fill the log with tracebacks.
        if self.problems.get(name) != reason:
            log.error("background task failed", task=name, pause=pause, exc_info=error)
        self.problems[name] = reason

    def recovered(self, name: str) -> None:
        if self.problems.pop(name, None) is not None:
            log.info("background task recovered", task=name)


MONITOR: Final = TaskMonitor()
"""Monitor of this process."""


def describe(error: BaseException) -> str:
    """Return one short line that describes an error."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text[:MAX_REASON_LENGTH]


class _Backoff:
    """Pauses that double with each failure; `period` is the interval of regular work."""

    def __init__(self, period: float = FIRST_PAUSE_SECONDS) -> None:
        self._first = min(period, FIRST_PAUSE_SECONDS)
        self._max = max(period, MAX_PAUSE_SECONDS)
        self._pause = 0.0

    def failed(self) -> float:
        self._pause = min(self._pause * 2 or self._first, self._max)
        return self._pause

    def reset(self) -> None:
        self._pause = 0.0


def run_forever(name: str, run: Run) -> asyncio.Task[None]:
    """Keep `run` running until the task is cancelled; it is not expected to return."""
    return asyncio.create_task(_restarting(name, run, may_return=False), name=name)


def run_until_done(name: str, run: Run) -> asyncio.Task[None]:
    """Run a function until it returns; start it again when it raises."""
    return asyncio.create_task(_restarting(name, run, may_return=True), name=name)


async def _restarting(name: str, run: Run, *, may_return: bool) -> None:
    loop, backoff = asyncio.get_running_loop(), _Backoff()
    while True:
        started = loop.time()
        healthy = loop.call_later(HEALTHY_SECONDS, MONITOR.recovered, name)
        try:
            await run()
            if may_return:
                return
            error: Exception = RuntimeError("it returned although it must run forever")
        except Exception as caught:  # noqa: BLE001  the monitor reports every error
            error = caught
        finally:
            healthy.cancel()
        if loop.time() - started > HEALTHY_SECONDS:
            backoff.reset()
        pause = backoff.failed()
        MONITOR.failed(name, error, pause=pause)
        await asyncio.sleep(pause)


def run_every(name: str, seconds: float, work: Run) -> asyncio.Task[None]:
    """Call `work` at once and then every `seconds`, until the task is cancelled."""
    return asyncio.create_task(_every(name, seconds, work), name=name)


async def _every(name: str, seconds: float, work: Run) -> None:
    backoff = _Backoff(seconds)
    while True:
        pause = seconds
        try:
            await work()
        except Exception as error:  # noqa: BLE001  the monitor reports every error
            pause = backoff.failed()
            MONITOR.failed(name, error, pause=pause)
        else:
            backoff.reset()
            MONITOR.recovered(name)
        await asyncio.sleep(pause)


_running: Final[set[asyncio.Task[Any]]] = set()
"""References that keep the tasks from garbage collection; the event loop has only weak ones."""


def spawn(
    name: str, work: Coroutine[Any, Any, T], *, expected: type[Exception] | tuple[()] = ()
) -> asyncio.Task[T]:
    """Start a task for which no caller has to wait.

    Errors of the `expected` type are left to a caller that waits anyway.
    """
    task = asyncio.create_task(work, name=name)
    _running.add(task)

    def on_done(_: asyncio.Task[T]) -> None:
        _running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, expected):
            MONITOR.failed(name, error)

    task.add_done_callback(on_done)
    return task


def child(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task for whose result or error the caller waits."""
    return asyncio.create_task(work)


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended.

    A task may miss a cancellation: before Python 3.12, `asyncio.wait_for` returns normally if what
    it waits for ends at that moment, and libraries catch more than they should. So tasks that go on
    are cancelled again: a process that is stopped would wait for them without end.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


def start_thread(name: str, run: Callable[[], None]) -> None:
    """Run a function in a daemon thread until it returns; start it again when it raises."""
    threading.Thread(target=_in_thread, args=(name, run), name=name, daemon=True).start()


def _in_thread(name: str, run: Callable[[], None]) -> None:
    backoff = _Backoff()
    while True:
        try:
            run()
        except Exception as error:  # noqa: BLE001  the monitor reports every error
            pause = backoff.failed()
            MONITOR.failed(name, error, pause=pause)
            time.sleep(pause)
        else:
            MONITOR.recovered(name)
            return


def watch_event_loop() -> None:
    """Log and count errors of callbacks, which do not belong to a task."""
    asyncio.get_running_loop().set_exception_handler(_on_loop_error)


def _on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception") or RuntimeError(context["message"])
    MONITOR.failed("event loop", error)
