"""Request bodies, bounded in size and time."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.web.headers import header

MAX_BODY_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 30.0


async def read_body(request: Request, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body; raises `PayloadTooLarge` without reading more than it may hold.

    Raises `RequestTimeout` when the client takes too long over it.
    """
    announced = header(request.scope, b"content-length")
    if announced.isdigit() and int(announced[:20]) > MAX_BODY_BYTES:
        raise VisavisError(ErrorKind.PayloadTooLarge)
    try:
        async with asyncio.timeout(seconds):
            return await _read(request)
    except TimeoutError:
        raise VisavisError(ErrorKind.RequestTimeout) from None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise VisavisError(ErrorKind.PayloadTooLarge)
    return bytes(body)
