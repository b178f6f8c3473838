"""Pool of mux worker processes, which are reused, and replaced when they crash."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from visavis.domain.call_events import CallReport
from visavis.recorder.mux.requests import MuxRequest, MuxResult
from visavis.tasks import run_until_done

log = structlog.get_logger(__name__)

COMMAND: Final = (sys.executable, "-m", "visavis.recorder.mux.worker")
MUX_SECONDS: Final = 3600.0
"""A worker that takes longer is considered hung; the longest calls take minutes."""
MAX_REQUESTS: Final = 100
"""A worker is replaced after this many requests, which frees memory that libav leaks."""
IDLE_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
MAX_OUTPUT_BYTES: Final = 4096


class MuxCrashError(Exception):
    """A worker crashed or hung while muxing a recording; the message says how."""


class _MuxWorker:
    """One worker process, and the number of requests that it has served."""

    def __init__(self, process: Process) -> None:
        self.process = process
        if process.stderr:
            output = partial(log_output, process.stderr)
            self._logging = run_until_done("muxer output", output)
        self.requests = 0
        self.idle_since = 0.0

    async def mux(self, request: MuxRequest) -> MuxResult:
        """Send a request and wait for its result; raises `MuxCrashError`."""
        self.requests += 1
        if self.process.stdin is None or self.process.stdout is None:
            raise MuxCrashError("The muxer has no pipes.")
        try:
            async with asyncio.timeout(MUX_SECONDS):
                self.process.stdin.write(msgspec.json.encode(request) + b"\n")
                await self.process.stdin.drain()
                line = await self.process.stdout.readline()
        except TimeoutError:
            await self.end(0)
            raise MuxCrashError(f"The muxer hung for {MUX_SECONDS:.0f} seconds.") from None
        except ConnectionError:
            line = b""
        if not line:
            code = await self.process.wait()
            if code == -signal.SIGXCPU:
                raise MuxCrashError(
                    "Muxing took far more processor time than a recording of its size needs."
                )
            raise MuxCrashError(f"The muxer died with code {code}.")
        try:
            return msgspec.json.decode(line, type=MuxResult)
        except msgspec.MsgspecError:
            await self.end(0)
            raise MuxCrashError("The muxer's answer could not be read.") from None

    async def end(self, seconds: float | None = None) -> None:
        """Let the worker finish its current recording for some seconds, then kill it."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            await asyncio.wait_for(
                self.process.wait(), STOP_SECONDS if seconds is None else seconds
            )
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


class MuxPool:
    """Pool with one worker for each recording being muxed; the caller limits their number."""

    def __init__(self) -> None:
        self._idle: list[_MuxWorker] = []
        self._busy: set[_MuxWorker] = set()

    async def mux(
        self, directory: Path, report: CallReport | None, missing: tuple[str, ...] = ()
    ) -> MuxResult:
        """Mux a recording in a worker process and return the result.

        `missing` are sentences about media that its journals do not have.
        Raises `MuxCrashError` if the worker crashed or hung; the next call starts another one.
        Raises `OSError` if no process can be started.
        """
        mux_worker = self._idle.pop() if self._idle else await self._start()
        self._busy.add(mux_worker)
        try:
            result = await mux_worker.mux(MuxRequest(str(directory), report, missing))
        except MuxCrashError:
            self._busy.discard(mux_worker)
            raise
        self._busy.discard(mux_worker)
        if mux_worker.requests >= MAX_REQUESTS:
            await mux_worker.end()
        else:
            mux_worker.idle_since = asyncio.get_running_loop().time()
            self._idle.append(mux_worker)
        return result

    async def stop_idle(self, now: float) -> None:
        """Stop workers that have been idle for a while."""
        idle_workers = [
            mux_worker for mux_worker in self._idle if now - mux_worker.idle_since > IDLE_SECONDS
        ]
        self._idle = [mux_worker for mux_worker in self._idle if mux_worker not in idle_workers]
        for mux_worker in idle_workers:
            await mux_worker.end()

    async def stop(self) -> None:
        """Stop all workers, after a few seconds by force."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(mux_worker.end() for mux_worker in (*idle, *self._busy)))

    async def _start(self) -> _MuxWorker:
        # Its standard error is a pipe that we read: if it inherited ours, a stalled reader of our
        # log would block it.
        return _MuxWorker(
            await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        )


async def log_output(output: asyncio.StreamReader) -> None:
    """Log a worker's standard error output until the worker ends."""
    while text := await output.read(MAX_OUTPUT_BYTES):
        log.warning("muxer output", output=text.decode(errors="replace").strip())
