"""Contents of uploaded files, read by confined processes (`visavis.archive.inspect`)."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Final

import msgspec
import structlog

from visavis.archive.media_info import MediaInfo

log = structlog.get_logger(__name__)

AT_ONCE: Final = 2
SECONDS: Final = 120.0
MAX_ANSWER_BYTES: Final = 16 * 1024**2


class Inspector:
    """Reads the contents of a few files at once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def contents(self, file: Path) -> MediaInfo:
        """Return the contents of a file; empty ones if it is not a Matroska file."""
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "visavis.archive.inspect", str(file)),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=DEVNULL,
            )
            try:
                async with asyncio.timeout(SECONDS):
                    answer = await _read(process)
                    return msgspec.json.decode(answer, type=MediaInfo)
            except (TimeoutError, msgspec.MsgspecError, UnicodeDecodeError):
                log.warning("an uploaded file could not be inspected", file=file.name)
                return MediaInfo()
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()


async def _read(process: asyncio.subprocess.Process) -> bytes:
    """Return the output of a process, up to the limit."""
    if process.stdout is None:
        raise RuntimeError("a pipe was asked for")
    answer = bytearray()
    while len(answer) <= MAX_ANSWER_BYTES and (piece := await process.stdout.read(65536)):
        answer += piece
    return bytes(answer[:MAX_ANSWER_BYTES])
