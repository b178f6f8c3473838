"""Requests to stop and reload one process, and its reports to the supervisor.

The supervisor and a part exchange lines over the part's standard input and output. The first
`PartStatus` of a part says that it is up.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from visavis.log_stream import dropped_lines
from visavis.tasks import MONITOR, run_every

log = structlog.get_logger(__name__)

RELOAD: Final = b"reload"
"""Line with which the supervisor asks a part to reload."""
PARTS: Final = b"parts "
"""Prefix of the line with which the supervisor sends the app the state of all parts."""
SECRETS: Final = b"secrets "
"""Prefix of the line with which the supervisor sends the app changed secrets."""
MAX_LINE_BYTES: Final = 64 * 1024
REPORT_SECONDS: Final = 0.5


class PartStatus(msgspec.Struct, frozen=True):
    """Report of a part: present problems of its tasks, and counts since its start."""

    problems: dict[str, str] = {}
    failures: dict[str, int] = {}
    dropped_log_lines: int = 0


class Secrets(msgspec.Struct, frozen=True):
    """Secrets of the settings that can be replaced without a restart."""

    turn_secret: str = ""
    metrics_token: str = ""


def own_status() -> PartStatus:
    """Return this process's report."""
    return PartStatus(dict(MONITOR.problems), dict(MONITOR.failures), dropped_lines())


class PartState(msgspec.Struct):
    """State of a part as the supervisor knows it; `reason` is why it is not up."""

    is_up: bool = False
    restarts: int = 0
    reason: str = ""
    status: PartStatus = PartStatus()


class Lifecycle:
    """One process's requests to stop (`stop` is set) and to reload (each listener is called)."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reload_listeners: list[Callable[[], None]] = []
        self._secret_listeners: list[Callable[[Secrets], None]] = []
        self._secrets: Secrets | None = None
        self.parts: dict[str, PartState] = {}
        """State of all parts, as sent by the supervisor to the part that serves `/readyz`."""
        self.is_up = False
        self._output: int | None = None
        self._reported: PartStatus | None = None

    def handle_signals(self, *stop_signals: signal.Signals) -> None:
        """Stop on any of these signals; reload on SIGHUP."""
        loop = asyncio.get_running_loop()
        for number in stop_signals:
            loop.add_signal_handler(number, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def report_to(self, output: int) -> None:
        """Report this part's status to a descriptor, from `set_up` on; a full pipe never blocks."""
        os.set_blocking(output, False)
        self._output = output

    def set_up(self) -> asyncio.Task[None]:
        """Report that the part is up: from now on it is restarted whenever it dies."""
        self.is_up = True
        return run_every("part status", REPORT_SECONDS, self.report)

    async def report(self) -> None:
        """Send the supervisor this part's status if it has changed."""
        self._write(own_status())

    def report_death(self, reason: str) -> None:
        """Report the reason why the part ends."""
        self._write(msgspec.structs.replace(own_status(), problems={"part": reason}))

    def _write(self, status: PartStatus) -> None:
        if self._output is None or status == self._reported:
            return
        line = msgspec.json.encode(status) + b"\n"
        try:
            is_written = os.write(self._output, line) == len(line)
        except (BlockingIOError, BrokenPipeError):  # the supervisor is stopped, or gone
            return
        if is_written:
            self._reported = status

    def reload(self) -> None:
        """Call every listener; one that fails with an `OSError` leaves its old state in use."""
        log.info("reload requested")
        for listener in self.reload_listeners:
            try:
                listener()
            except OSError as error:
                log.error("reload failed, the old state stays in use", reason=str(error))  # noqa: TRY400

    def listen_to_secrets(self, listener: Callable[[Secrets], None]) -> None:
        """Call a listener with changed secrets, including changes during the process's start."""
        self._secret_listeners.append(listener)
        if self._secrets:
            listener(self._secrets)

    def use_secrets(self, secrets: Secrets) -> None:
        """Call every listener with secrets that may have changed."""
        self._secrets = secrets
        for listener in self._secret_listeners:
            listener(secrets)


class SupervisorPipe(asyncio.Protocol):
    """The part's end of the supervisor's pipe: a line is a request, the end means stop."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._unfinished = b""

    def data_received(self, data: bytes) -> None:
        *lines, rest = (self._unfinished + data).split(b"\n")
        self._unfinished = rest[:MAX_LINE_BYTES]
        for line in lines:
            if line == RELOAD:
                self._lifecycle.reload()
            elif line.startswith(PARTS):
                self._lifecycle.parts = decode_parts(line)
            elif line.startswith(SECRETS):
                secrets = msgspec.json.decode(line.removeprefix(SECRETS), type=Secrets)
                self._lifecycle.use_secrets(secrets)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lifecycle.stop.set()


def encode_parts(parts: dict[str, PartState]) -> bytes:
    """Return the line that sends the app the state of all parts."""
    return PARTS + msgspec.json.encode(parts) + b"\n"


def decode_parts(line: bytes) -> dict[str, PartState]:
    """Return the state of the parts from such a line; raises `msgspec.MsgspecError`."""
    return msgspec.json.decode(line.removeprefix(PARTS), type=dict[str, PartState])
