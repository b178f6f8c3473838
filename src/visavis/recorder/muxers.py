"""The recorder's muxing processes: a few, used again and again, and replaced when they die."""

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
from visavis.recorder import muxing
from visavis.recorder.muxing import Answer, Order
from visavis.tasks import run_until_done

log = structlog.get_logger(__name__)

COMMAND: Final = (sys.executable, "-m", muxing.__name__)
MUX_SECONDS: Final = 3600.0
"""A muxer that takes longer hangs: the longest calls take minutes."""
MAX_ORDERS: Final = 100
"""Then a process makes room for a fresh one: what libav leaks goes with it."""
REST_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
MAX_SAID_BYTES: Final = 4096


class MuxCrashError(Exception):
    """The process died over a recording, or hung; the message says how."""


class _Muxer:
    """One process and how much it has done."""

    def __init__(self, process: Process) -> None:
        self.process = process
        if process.stderr:
            output = partial(log_output, process.stderr)
            self._logging = run_until_done("muxer output", output)
        self.orders = 0
        self.idle_since = 0.0

    async def ask(self, order: Order) -> Answer:
        self.orders += 1
        if self.process.stdin is None or self.process.stdout is None:
            raise MuxCrashError("The muxer has no pipes.")
        try:
            async with asyncio.timeout(MUX_SECONDS):
                self.process.stdin.write(msgspec.json.encode(order) + b"\n")
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
                raise MuxCrashError("It took far more processor time than one of its size needs.")
            raise MuxCrashError(f"The muxer died with code {code}.")
        try:
            return msgspec.json.decode(line, type=Answer)
        except msgspec.MsgspecError:
            await self.end(0)
            raise MuxCrashError("The muxer talks nonsense.") from None

    async def end(self, seconds: float | None = None) -> None:
        """Let it finish what it has in hand for a while, then kill it."""
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


class Muxers:
    """As many processes as recordings are muxed at once; whoever asks sees to the limit."""

    def __init__(self) -> None:
        self._idle: list[_Muxer] = []
        self._busy: set[_Muxer] = set()

    async def mux(self, directory: Path, story: CallReport | None) -> Answer:
        """Raises `MuxCrashError`; then the process is gone, and nothing else is.

        Raises `OSError` where no process can be started.
        """
        muxer = self._idle.pop() if self._idle else await self._start()
        self._busy.add(muxer)
        try:
            answer = await muxer.ask(Order(str(directory), story))
        except MuxCrashError:
            self._busy.discard(muxer)
            raise
        self._busy.discard(muxer)
        if muxer.orders >= MAX_ORDERS:
            await muxer.end()
        else:
            muxer.idle_since = asyncio.get_running_loop().time()
            self._idle.append(muxer)
        return answer

    async def rest(self, now: float) -> None:
        """Let those go that have had nothing to do for a while."""
        tired = [muxer for muxer in self._idle if now - muxer.idle_since > REST_SECONDS]
        self._idle = [muxer for muxer in self._idle if muxer not in tired]
        for muxer in tired:
            await muxer.end()

    async def stop(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(muxer.end() for muxer in (*idle, *self._busy)))

    async def _start(self) -> _Muxer:
        # it does not write to our standard error: a reader of the log that stalls would stop it
        return _Muxer(
            await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        )


async def log_output(output: asyncio.StreamReader) -> None:
    """Log what a muxing process says on standard error, until it ends."""
    while said := await output.read(MAX_SAID_BYTES):
        log.warning("muxer output", output=said.decode(errors="replace").strip())
