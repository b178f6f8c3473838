"""Event loop in simulated time, in which processes can be frozen, thawed and killed.

Nothing waits: when no callback is ready, the clock moves to the next timer. The loop runs the code
of all processes of a simulated cluster. Each callback belongs to the process in whose context it
was scheduled, or to none.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Process:
    """A simulated process: its callbacks are held back while it is frozen or dead."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_frozen = False
        self.is_dead = False
        self.held: deque[asyncio.Handle] = deque()
        self.context = copy_context()
        self.context.run(_PROCESS.set, self)

    @property
    def is_running(self) -> bool:
        return not (self.is_frozen or self.is_dead)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task of this process."""
        return asyncio.get_running_loop().create_task(work, context=self.context)


_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class SimulatedLoop(asyncio.BaseEventLoop):
    """Event loop whose clock moves only from one timer to the next.

    `errors` are those that no task or callback has handled.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[dict[str, Any]] = []
        # by time, then in the order in which they were set; tuples are compared faster than handles
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_set = 0
        self._simulated_time = 0.0
        self.set_exception_handler(self._on_error)

    def _on_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not context["message"].startswith("Task was destroyed"):  # of a process that was killed
            self.errors.append(context)

    def time(self) -> float:
        return self._simulated_time

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_set += 1
        heapq.heappush(self._timers, (when, self._timers_set, timer))
        return timer

    def _run_once(self) -> None:
        """Run all callbacks that are ready, or else let time pass until the next one is."""
        timers, ready = self._timers, self._ready
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not ready:
            if not timers:
                raise RuntimeError("nothing is left that could happen")
            self._simulated_time = max(self._simulated_time, timers[0][0])
        while timers and timers[0][0] <= self._simulated_time:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle.cancelled():
                continue
            process = handle._context.get(_PROCESS)  # type: ignore[attr-defined]
            if process is None or process.is_running:
                handle._run()
            else:
                process.held.append(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when they are due."""

    def _write_to_self(self) -> None:
        """There are no other threads."""

    def thaw(self, process: Process) -> None:
        """Let a process continue, with everything that was due meanwhile."""
        process.is_frozen = process.is_dead = False
        self._ready.extend(process.held)
        process.held.clear()

    def after(
        self, seconds: float, callback: Callable[..., object], *args: Any, of: Process | None
    ) -> None:
        """Call back after this time, in the context of a process or of none."""
        context = of.context if of else _OUTSIDE
        self.call_later(seconds, callback, *args, context=context)


_OUTSIDE = Context()
