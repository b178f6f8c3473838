"""Request bodies, bounded in size and time."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

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


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; raises `UnsupportedMediaType`, `ParameterInvalid`.

    A key that stands twice, without regard to case, makes it invalid.
    """
    _demand_json(request)
    return _parse(await read_body(request))


def _demand_json(request: Request) -> None:
    kind = header(request.scope, b"content-type").partition(";")[0].strip().casefold()
    if kind not in {"", "application/json", "text/json"} and not kind.endswith("+json"):
        raise VisavisError(ErrorKind.UnsupportedMediaType)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _not_an_object() from None
    if not isinstance(value, dict):
        raise _not_an_object()
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = {name.casefold() for name, _ in pairs}
    if len(names) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _not_an_object() -> VisavisError:
    return VisavisError(
        ErrorKind.ParameterInvalid, "Send a JSON object in which every key stands once."
    )
