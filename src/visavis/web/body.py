"""Bodies: those of requests bounded in size and time, those of answers as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol.wire import encode
from visavis.web.headers import header

MAX_BODY_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 30.0
MAX_SHOWN: Final = 40


def json_response(
    body: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a body of the protocol as an answer."""
    return Response(encode(body), status, headers, "application/json")


async def read_body(request: Request, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body; raises `PayloadTooLarge` without reading more than it may hold.

    Raises `RequestTimeout` when the client takes too long over it, and `UnsupportedMediaType`
    when it is compressed.
    """
    if header(request.scope, b"content-encoding").strip().casefold() not in {"", "identity"}:
        raise VisavisError(ErrorKind.UnsupportedMediaType, "Send the body without compression.")
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
    _require_json(request)
    return _parse(await read_body(request))


def _require_json(request: Request) -> None:
    kind = header(request.scope, b"content-type").partition(";")[0].strip().casefold()
    if kind not in {"", "application/json", "text/json"} and not kind.endswith("+json"):
        raise VisavisError(ErrorKind.UnsupportedMediaType)


def _parse(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise _malformed("The body is empty")
    try:
        value = json.loads(body, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        sentence = f"The body is not JSON (line {error.lineno}, column {error.colno})"
        raise _malformed(sentence) from None
    except UnicodeDecodeError:
        raise _malformed("The body is not UTF-8") from None
    except RecursionError:
        raise _malformed("The body is nested too deeply") from None
    except ValueError:
        raise _malformed("The body contains a number that is too long") from None
    if not isinstance(value, dict):
        raise _malformed("The body is JSON, but not an object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = set[str]()
    for name, _ in pairs:
        if name.casefold() in seen:
            shown = json.dumps(name[:MAX_SHOWN])  # ASCII: it may hold lone surrogates
            raise _malformed(f"The body has the key {shown} twice")
        seen.add(name.casefold())
    return dict(pairs)


def _no_constant(word: str) -> None:
    raise _malformed(f"The body has {word}, which is not JSON")


def _malformed(sentence: str) -> VisavisError:
    message = f"{sentence}: send a JSON object in which every key appears once."
    return VisavisError(ErrorKind.ParameterInvalid, message)
