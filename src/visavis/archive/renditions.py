"""Renditions of a recording, made on request in processes of their own and cached.

    <cache>/<site>/<id>/parts.json, visitor.webm, …   for playing (`remux`)
    <cache>/<site>/<id>/composed.mp4                  for download (`compose`)

All of them can be made again at any time.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog

from visavis.archive.library import Library
from visavis.archive.rendition_plan import INDEX, PartInfo
from visavis.domain.library import Entry
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

COMPOSED: Final = "composed.mp4"
UNUSED_SECONDS: Final = 7 * 24 * 3600.0
REMUXES_AT_ONCE: Final = 2
MAX_WAITING: Final = 16
"""Compositions that may wait; one runs at a time."""


class FailedError(Exception):
    """Error: a rendition of this recording could not be made."""


class TooManyError(Exception):
    """Error: too many compositions are waiting."""


class Composition(msgspec.Struct, rename="camel"):
    """State of a composed file: `none`, `waiting`, `running`, `done` or `failed`.

    `progress` goes from 0 to 1.
    """

    state: str = "none"
    progress: float = 0.0


class Renditions:
    def __init__(self, directory: Path, library: Library) -> None:
        self._directory = directory
        self._library = library
        self._remuxes = asyncio.Semaphore(REMUXES_AT_ONCE)
        self._composing_slot = asyncio.Semaphore(1)
        self._remuxing: dict[Path, asyncio.Task[None]] = {}
        self._composing: dict[Path, tuple[Composition, asyncio.Task[None]]] = {}
        self._failed: set[Path] = set()

    async def parts(self, entry: Entry) -> list[PartInfo]:
        """Return the parts for playing, made on the first request; raises `FailedError`."""
        directory = self._directory_of(entry)
        index = directory / INDEX
        if not index.exists():
            task = self._remuxing.get(directory)
            if task is None:
                task = spawn("remuxing", self._remux(entry, directory), expected=FailedError)
                self._remuxing[directory] = task
                task.add_done_callback(lambda _: self._remuxing.pop(directory))
            await asyncio.shield(task)
        os.utime(index)
        return msgspec.json.decode(index.read_bytes(), type=list[PartInfo])

    async def part(self, entry: Entry, name: str) -> tuple[PartInfo, Path] | None:
        """Return one part and its file; raises `FailedError`."""
        for part in await self.parts(entry):
            if part.name == name:
                return part, self._directory_of(entry) / part.file_name
        return None

    def composition(self, entry: Entry) -> Composition:
        directory = self._directory_of(entry)
        if directory in self._composing:
            return self._composing[directory][0]
        if (directory / COMPOSED).exists():
            return Composition("done", 1.0)
        return Composition("failed" if directory in self._failed else "none")

    def composed(self, entry: Entry) -> Path | None:
        file = self._directory_of(entry) / COMPOSED
        with suppress(FileNotFoundError):
            os.utime(file)
            return file
        return None

    def compose(self, entry: Entry) -> Composition:
        """Start composing, unless it is done or running; raises `TooManyError`."""
        directory = self._directory_of(entry)
        known = self.composition(entry)
        if known.state not in {"none", "failed"}:
            return known
        if len(self._composing) > MAX_WAITING:
            raise TooManyError
        self._failed.discard(directory)
        composition = Composition("waiting")
        task = spawn("composition", self._compose(entry, directory, composition))
        self._composing[directory] = composition, task
        task.add_done_callback(lambda _: self._composing.pop(directory))
        return composition

    async def cancel(self, entry: Entry) -> None:
        """Stop composing, if it is running."""
        if found := self._composing.get(self._directory_of(entry)):
            await _cancelled(found[1])

    async def forget(self, entry: Entry) -> None:
        """Remove all renditions of a recording."""
        await self.cancel(entry)
        if task := self._remuxing.get(self._directory_of(entry)):
            await _cancelled(task)
        await asyncio.to_thread(shutil.rmtree, self._directory_of(entry), ignore_errors=True)

    async def close(self) -> None:
        """Stop all running processes."""
        for task in [*self._remuxing.values(), *(task for _, task in self._composing.values())]:
            await _cancelled(task)

    async def sweep(self, now: float) -> None:
        """Remove renditions that have not been used for a while or whose recording is deleted."""
        for directory in await asyncio.to_thread(lambda: list(self._directory.glob("*/*"))):
            site, recording = directory.parent.name, directory.name
            is_known = site.isdigit() and await self._library.find(int(site), recording)
            oldest = now - UNUSED_SECONDS if is_known else now
            await asyncio.to_thread(_remove_unused, directory, oldest)

    def _directory_of(self, entry: Entry) -> Path:
        return self._directory / str(entry.site_id) / entry.id

    async def _remux(self, entry: Entry, directory: Path) -> None:
        async with self._remuxes, self._library.opened(entry) as file:
            await _run("remux", file, directory, None)

    async def _compose(self, entry: Entry, directory: Path, composition: Composition) -> None:
        try:
            async with self._composing_slot:
                composition.state = "running"
                async with self._library.opened(entry) as file:
                    await _run("compose", file, directory / COMPOSED, composition)
        except FailedError:
            self._failed.add(directory)
        except OSError:  # the process could not be started
            self._failed.add(directory)
            raise


def _remove_unused(directory: Path, oldest: float) -> None:
    """Remove renditions that were last used before `oldest`."""
    with suppress(FileNotFoundError):  # a program replaces its drafts meanwhile
        used_at = max((file.stat().st_mtime for file in directory.iterdir()), default=0.0)
        if used_at <= oldest:
            shutil.rmtree(directory)


async def _run(name: str, source: Path, target: Path, composition: Composition | None) -> None:
    """Run a process of this package to its end; raises `FailedError`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"visavis.archive.{name}", str(source), str(target)),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "MALLOC_ARENA_MAX": "2"},  # each reserves 128 MiB of its address space
    )
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("a pipe was asked for")
    try:
        output, _ = await asyncio.gather(
            _tail(process.stderr), _follow(process.stdout, composition)
        )
        code = await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if code != 0:
        log.error("a recording could not be worked on", work=name, file=source.name, output=output)
        raise FailedError


async def _follow(output: asyncio.StreamReader, composition: Composition | None) -> None:
    """Read progress from 0 to 1, one number a line."""
    async for line in output:
        if composition:
            composition.progress = float(line)


async def _tail(output: asyncio.StreamReader) -> str:
    tail = b""
    while piece := await output.read(4096):
        tail = (tail + piece)[-4096:]
    return tail.decode(errors="replace").strip()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, FailedError):
        await task
