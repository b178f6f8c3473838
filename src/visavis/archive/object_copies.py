"""Copies of objects on the local disk, for programs that read files."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from visavis.archive.ports import ObjectStore
from visavis.archive.uploads import disk_full_errors

BLOCK_BYTES: Final = 8 * 1024 * 1024
COPIES_AT_ONCE: Final = 4
"""Objects that are copied at the same time."""


class _Copy:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.users = 0
        self.copying = asyncio.Lock()
        self.is_whole = False


class ObjectCopies:
    """Copies in a directory; each exists while it is in use."""

    def __init__(self, objects: ObjectStore, directory: Path) -> None:
        self._objects = objects
        self._directory = directory
        self._copies: dict[str, _Copy] = {}
        self._at_once = asyncio.Semaphore(COPIES_AT_ONCE)
        shutil.rmtree(directory, ignore_errors=True)  # left by an earlier process
        directory.mkdir(parents=True)

    @asynccontextmanager
    async def opened(self, key: str, size: int) -> AsyncIterator[Path]:
        """Return a file with the object; raises `ObjectMissingError`, `DiskFullError`."""
        copy = self._copies.get(key)
        if copy is None:
            # no name is used twice: the file of a former copy may be deleted at this moment
            path = self._directory / f"{secrets.token_hex(16)}.mkv"
            copy = self._copies[key] = _Copy(path)
        copy.users += 1
        try:
            async with copy.copying:
                if not copy.is_whole:
                    async with self._at_once:
                        await self._fill(copy.path, key, size)
                    copy.is_whole = True
            yield copy.path
        finally:
            copy.users -= 1
            if not copy.users:
                self._copies.pop(key, None)
                await asyncio.to_thread(copy.path.unlink, missing_ok=True)

    async def _fill(self, path: Path, key: str, size: int) -> None:
        with path.open("wb") as file:
            for start in range(0, size, BLOCK_BYTES):
                block = await self._objects.read(key, start, min(BLOCK_BYTES, size - start))
                with disk_full_errors():
                    await asyncio.to_thread(file.write, block)
            with disk_full_errors():
                await asyncio.to_thread(file.flush)
