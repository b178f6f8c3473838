"""Request bodies, bounded."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from visavis.domain.errors import ErrorKind, VisavisError

MAX_BODY_BYTES: Final = 64 * 1024


async def read_body(request: Request) -> bytes:
    """The whole body; raises `PayloadTooLarge` without reading more than it may hold."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise VisavisError(ErrorKind.PayloadTooLarge)
    return bytes(body)
