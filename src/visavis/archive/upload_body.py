"""Upload bodies: read from a request, checked and written to disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import ClientDisconnect, Request

from visavis.archive.ports import UploadWriter
from visavis.archive.tus_headers import Checksum, TusError

WRITE_BYTES: Final = 1024 * 1024
IDLE_SECONDS: Final = 60.0


async def receive(
    request: Request, part: UploadWriter, room: int, checksum: Checksum | None
) -> None:
    """Append the body; it is on disk when this returns.

    What arrives before the connection breaks is kept, unless it has a checksum: then the whole
    body counts or nothing. Raises `TusError` and `DiskFullError`.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > room:
        raise _too_much()
    if checksum:
        await part.begin_unverified()
    try:
        await _append(request, part, room, checksum)
        if checksum:
            checksum.require_match()
            await part.verified()
    finally:
        await part.roll_back()


async def _append(
    request: Request, part: UploadWriter, room: int, checksum: Checksum | None
) -> None:
    waiting = bytearray()
    try:
        async for chunk in _chunks(request):
            room -= len(chunk)
            if room < 0:
                raise _too_much()
            waiting += chunk
            if len(waiting) >= WRITE_BYTES:
                block, waiting = bytes(waiting), bytearray()
                await _write(part, block, checksum)
    except ClientDisconnect:
        raise TusError(400, "The connection was interrupted.") from None
    except TimeoutError:
        raise TusError(408, "No data arrived for too long.", Connection="close") from None
    finally:
        await _write(part, bytes(waiting), checksum)
        await part.sync()


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """The body piece by piece; raises `TimeoutError` when it stops coming."""
    stream = request.stream()
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            try:
                chunk = await anext(stream)
            except StopAsyncIteration:
                return
        yield chunk


async def _write(part: UploadWriter, block: bytes, checksum: Checksum | None) -> None:
    if checksum:
        await asyncio.to_thread(checksum.hash.update, block)
    await part.write(block)


def _too_much() -> TusError:
    return TusError(413, "That is more than the length of the upload.")
