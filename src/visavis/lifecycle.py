"""Stop and reload requests to one process, whether they come as signals or from the supervisor."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger(__name__)

RELOAD: Final = b"reload"
"""The line by which the supervisor asks a part to reload."""
MAX_LINE_BYTES: Final = 64 * 1024


class Lifecycle:
    """One process's requests to stop (`stop` is set) and to reload (each listener is called)."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reload_listeners: list[Callable[[], None]] = []

    def handle_signals(self, *stop_signals: signal.Signals) -> None:
        """Stop on any of these signals; reload on SIGHUP."""
        loop = asyncio.get_running_loop()
        for number in stop_signals:
            loop.add_signal_handler(number, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def reload(self) -> None:
        """Call every listener; one that fails with an `OSError` leaves its old state in use."""
        log.info("reload requested")
        for listener in self.reload_listeners:
            try:
                listener()
            except OSError as error:
                log.error("reload failed, the old state stays in use", reason=str(error))  # noqa: TRY400


class SupervisorPipe(asyncio.Protocol):
    """The part's end of the pipe from the supervisor: a line is a request, its end means stop."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._unfinished = b""

    def data_received(self, data: bytes) -> None:
        *lines, rest = (self._unfinished + data).split(b"\n")
        self._unfinished = rest[:MAX_LINE_BYTES]
        for line in lines:
            if line == RELOAD:
                self._lifecycle.reload()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lifecycle.stop.set()
