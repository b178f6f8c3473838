"""Supervisor: keeps the parts of `visavis serve` running, each in its own process.

A part gets its settings as one line of JSON on standard input and runs until that pipe closes, so
it also stops when the supervisor is killed. On SIGHUP the supervisor asks every part to reload, by
a line in that pipe, because a signal would kill a part that does not handle it yet.

A part that dies is started again, with back-off. If a part says that it cannot start
(`CANNOT_START`), everything stops, unless that part has been up before: then calls continue without
it until it is up again. Each app process, or the recorder of a media node, receives the state of
every part, for `/readyz` and `/metrics`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog
from msgspec import structs

from visavis.descriptors import raise_limit
from visavis.lifecycle import (
    RELOAD,
    REPORT_SECONDS,
    SECRETS,
    Lifecycle,
    PartState,
    PartStatus,
    Secrets,
    SupervisorPipe,
    encode_parts,
    own_status,
)
from visavis.local_socket import CHECK_SECONDS
from visavis.run_directory import RunDirectory
from visavis.settings import MEDIA_PART, Settings, encode_settings
from visavis.tasks import child, describe, run_every, run_until_done, watch_event_loop

log = structlog.get_logger(__name__)

CANNOT_START: Final = 78  # EX_CONFIG of sysexits.h
STOP_SECONDS: Final = 15.0
DRAIN_SECONDS: Final = 45.0
"""Time that each part of a media node may take to end: calls and journals move to other nodes."""
SHORT_LIFE_SECONDS: Final = 5.0
MAX_PAUSE_SECONDS: Final = 10.0
MAX_UNREAD_BYTES: Final = 64 * 1024


class CannotStartError(Exception):
    """A part cannot run with these settings and has written the reason to standard error."""


class Part:
    """A child process, and the processes that replace it."""

    def __init__(
        self, name: str, settings: Settings, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self.state = PartState()
        self._on_change = on_change
        self._has_been_up = False
        self.cannot_start = False
        self.is_being_started = False
        self._settings = settings
        self._process: Process | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Process id of the latest process."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keep a process running until stopped, or until it says that it cannot start."""
        pause = 0.0
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            await asyncio.sleep(pause)
            started = clock()
            code = await self._try_once()
            if self._stopping.is_set():
                return
            if code == CANNOT_START and not self._has_been_up:
                self.cannot_start = True
                return
            is_short = clock() - started < SHORT_LIFE_SECONDS
            pause = min(MAX_PAUSE_SECONDS, pause * 2 or 0.5) if is_short else 0.0
            reason = self.state.status.problems.get("part") or f"it ended with code {code}"
            log.error("part died", part=self.name, code=code, reason=reason, pause=pause)
            self.state.is_up, self.state.reason = False, reason
            self.state.restarts += 1
            self._on_change()

    def reload(self) -> None:
        """Ask the process to reload; one that is starting reads everything anyway."""
        if self._process and self._process.returncode is None and self._process.stdin:
            self._process.stdin.write(RELOAD + b"\n")

    def use_secrets(self, secrets: Secrets) -> None:
        """Send secrets that may have changed to the process, and use them for its successors."""
        self._settings = structs.replace(self._settings, **structs.asdict(secrets))
        if self._process and self._process.returncode is None and self._process.stdin:
            self._process.stdin.write(SECRETS + msgspec.json.encode(secrets) + b"\n")

    def send_line(self, line: bytes) -> None:
        """Send a line that the next one supersedes; a process that does not read is skipped."""
        pipe = self._process.stdin if self._process and self._process.returncode is None else None
        if pipe and pipe.transport.get_write_buffer_size() < MAX_UNREAD_BYTES:
            pipe.write(line)

    async def stop(self) -> None:
        """Ask the process to end properly; kill it if it does not."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            seconds = DRAIN_SECONDS if self._settings.is_media_node else STOP_SECONDS
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            log.warning("part did not stop, killing it", part=self.name)
            process.kill()
            await process.wait()

    async def _try_once(self) -> int:
        try:
            return await self._run_once()
        except OSError as error:  # the system cannot start a process now
            self.state.status = PartStatus({"part": describe(error)})
            return 1

    async def _run_once(self) -> int:
        process = await self._start()
        listening = run_until_done(f"reports of {self.name}", partial(self._listen_to, process))
        try:
            code = await process.wait()
            # wait for the last report; an orphan of the part may keep the pipe open
            await asyncio.wait([listening], timeout=1.0)
        finally:
            listening.cancel()
            # After an error here, the next supervision starts another process.
            if process.returncode is None:
                process.kill()
        return code

    async def _start(self) -> Process:
        # A session of its own: Ctrl-C in the terminal reaches only the supervisor, which stops the
        # parts in order.
        command = (sys.executable, "-m", "visavis", "part", self.name)
        self.state.status = PartStatus()
        self.is_being_started = True
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, start_new_session=True
            )
        finally:
            self.is_being_started = False
        if process.stdin:
            process.stdin.write(encode_settings(self._settings) + b"\n")
        return process

    async def _listen_to(self, process: Process) -> None:
        """Read the reports of the process until it ends."""
        while process.stdout and (line := await process.stdout.readline()):
            try:
                status = msgspec.json.decode(line, type=PartStatus)
            except msgspec.MsgspecError:
                log.warning("report of a part not understood", part=self.name)
                continue
            self.state.status = status
            if "part" not in status.problems:
                self.state.is_up, self.state.reason, self._has_been_up = True, "", True
            self._on_change()


async def supervise(
    settings: Settings,
    directory: RunDirectory,
    *,
    is_ready: Callable[[], Awaitable[bool]],
    announce: Callable[[], None],
    reread: Callable[[], Secrets | None] = Secrets,
) -> None:
    """Run the parts until SIGINT or SIGTERM; raises `CannotStartError`. SIGHUP reloads them.

    `announce` is called once, as soon as the first app process `is_ready` and the others are up, or
    the parts of a node without an app are up. `reread` reads the secrets of the settings again; if
    it returns `None`, the old ones stay in use.
    """
    lifecycle = Lifecycle()
    lifecycle.handle_signals(signal.SIGINT, signal.SIGTERM)

    def on_change() -> None:
        notify_app()
        reap()

    def reap() -> None:
        # the process id of a part that is being started is not known yet
        if not any(part.is_being_started for part in parts):
            reap_orphans({part.pid for part in parts})

    def notify_app() -> None:
        states = {part.name: part.state for part in parts}
        for observer in observers:
            observer.send_line(encode_parts(states | {"supervisor": supervisor.state}))

    media, recorders, apps = (
        [Part(name, settings, on_change) for name in names] for names in part_names(settings)
    )
    parts = (*media, *recorders, *apps)
    observers = apps or recorders
    supervisor = OwnReport(notify_app)
    background = (
        supervisor.start(),
        run_every("run directory", CHECK_SECONDS, directory.hold),
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, reap)
    lifecycle.reload_listeners.extend(part.reload for part in parts)
    lifecycle.reload_listeners.extend(partial(reload_secrets, reread, part) for part in observers)
    tasks = [start_supervision(part) for part in parts]
    greeting = announce_when_ready(partial(can_announce, is_ready, apps, parts), announce)
    stopping = child(_wait(lifecycle.stop))
    try:
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        greeting.cancel()
        stopping.cancel()
        for task in background:
            task.cancel()
        await stop_in_order(apps, media, recorders)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for part in parts:
        if part.cannot_start:
            raise CannotStartError(part.name)


def part_names(settings: Settings) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """Return the names of the parts of this node: media workers, recorder, app processes."""
    media = [f"{MEDIA_PART}{number}" for number in range(len(settings.media_sockets))]
    recorders = ["recorder"] if settings.has_media else []
    return media, recorders, list(settings.app_parts)


async def can_announce(
    is_ready: Callable[[], Awaitable[bool]], apps: Sequence[Part], parts: Sequence[Part]
) -> bool:
    """Whether the first app process is ready and the others are up, or all parts without an app."""
    are_others_up = all(part.state.is_up for part in (apps[1:] if apps else parts))
    return are_others_up and (not apps or await is_ready())


async def stop_in_order(*groups: Collection[Part]) -> None:
    """Stop one group of parts after the other."""
    for parts in groups:
        await asyncio.gather(*(part.stop() for part in parts))


def start_supervision(part: Part) -> asyncio.Task[None]:
    return run_until_done(f"supervision of {part.name}", part.run)


def reload_secrets(reread: Callable[[], Secrets | None], part: Part) -> None:
    """Send a part the current secrets of the settings, unless they cannot be read."""
    if secrets := reread():
        part.use_secrets(secrets)


class OwnReport:
    """State of the supervisor itself, which the app receives like that of a part."""

    def __init__(self, notify_app: Callable[[], None]) -> None:
        self.state = PartState(is_up=True)
        self._tell_app = notify_app

    def start(self) -> asyncio.Task[None]:
        return run_every("supervisor status", REPORT_SECONDS, self.report)

    async def report(self) -> None:
        """Notify the app of a change."""
        status = own_status()
        if status != self.state.status:
            self.state.status = status
            self._tell_app()


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


def reap_orphans(own: Collection[int | None]) -> None:
    """Reap every dead child except our `own`, for which asyncio waits.

    In a container, process 1 becomes the parent of all orphans, such as those of dead parts.
    """
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with suppress(OSError):  # this list exists only on Linux
        for pid in map(int, children.read_text().split()):
            if pid not in own:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


async def run_part(lifecycle: Lifecycle, run: Callable[[], Awaitable[None]]) -> None:
    """Run a part, in the child process, until standard input closes or SIGTERM arrives."""
    raise_limit()
    watch_event_loop()
    lifecycle.handle_signals(signal.SIGTERM)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: SupervisorPipe(lifecycle), sys.stdin)
    await run()
