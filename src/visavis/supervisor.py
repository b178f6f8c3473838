"""Keeps the parts of `visavis serve` running, each in its own process.

A part gets its settings as one line of JSON on standard input and runs until that pipe closes, so
it also stops when the supervisor is killed. SIGHUP asks every part to reload, by a line in that
pipe: a signal would end a part that does not handle it yet.

A part that dies is started again; one that says it cannot start (`CANNOT_START`) stops everything.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from visavis.lifecycle import RELOAD, Lifecycle, SupervisorPipe
from visavis.settings import MEDIA_PART, Settings, encode_settings
from visavis.tasks import child, run_until_done

log = structlog.get_logger(__name__)

CANNOT_START: Final = 78  # EX_CONFIG of sysexits.h
STOP_SECONDS: Final = 15.0
SHORT_LIFE_SECONDS: Final = 5.0
MAX_PAUSE_SECONDS: Final = 10.0


class CannotStartError(Exception):
    """A part cannot run with these settings; it has said why on standard error."""


class Part:
    """One child process and its successors."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._process: Process | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Run until stopped; raises `CannotStartError`."""
        pause = 0.0
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            await asyncio.sleep(pause)
            started = clock()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            if code == CANNOT_START:
                raise CannotStartError(self.name)
            is_short = clock() - started < SHORT_LIFE_SECONDS
            pause = min(MAX_PAUSE_SECONDS, pause * 2 or 0.5) if is_short else 0.0
            log.error("part died, starting it again", part=self.name, code=code, pause=pause)

    def reload(self) -> None:
        """Ask the part to reload; one that is being started reads everything again anyway."""
        if self._process and self._process.returncode is None and self._process.stdin:
            self._process.stdin.write(RELOAD + b"\n")

    async def stop(self) -> None:
        """Ask the part to end in good order; kill it when it does not."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            log.warning("part did not stop, killing it", part=self.name)
            process.kill()
            await process.wait()

    async def _run_once(self) -> int:
        # its own session: Ctrl-C in the terminal reaches the supervisor alone, which stops the
        # parts in their order
        command = (sys.executable, "-m", "visavis", "part", self.name)
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, start_new_session=True)
        self._process = process
        if process.stdin:
            process.stdin.write(encode_settings(self._settings) + b"\n")
        return await process.wait()


async def supervise(
    settings: Settings, *, is_ready: Callable[[], Awaitable[bool]], announce: Callable[[], None]
) -> None:
    """Run every part until SIGINT or SIGTERM; raises `CannotStartError`. SIGHUP reloads them.

    `announce` is called once, as soon as `is_ready`.
    """
    lifecycle = Lifecycle()
    lifecycle.handle_signals(signal.SIGINT, signal.SIGTERM)
    media = [Part(f"{MEDIA_PART}{number}", settings) for number in range(settings.media_workers)]
    recorder, app = Part("recorder", settings), Part("app", settings)
    parts = (*media, recorder, app)
    lifecycle.reload_listeners.extend(part.reload for part in parts)
    tasks = [child(part.run()) for part in parts]
    greeting = announce_when_ready(is_ready, announce)
    stopping = child(_wait(lifecycle.stop))
    try:
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        greeting.cancel()
        stopping.cancel()
        await app.stop()
        await asyncio.gather(*(part.stop() for part in media))
        await recorder.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done - {stopping}:
        task.result()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def announce_when_ready(
    is_ready: Callable[[], Awaitable[bool]], announce: Callable[[], None]
) -> asyncio.Task[None]:
    async def wait_and_announce() -> None:
        while not await is_ready():  # noqa: ASYNC110  it happens in another process
            await asyncio.sleep(0.1)
        announce()

    return run_until_done("announcement", wait_and_announce)


async def run_part(run: Callable[[Lifecycle], Awaitable[None]]) -> None:
    """In the child: run a part until standard input closes or SIGTERM comes."""
    lifecycle = Lifecycle()
    lifecycle.handle_signals(signal.SIGTERM)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: SupervisorPipe(lifecycle), sys.stdin)
    await run(lifecycle)
