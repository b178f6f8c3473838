"""Reading of a request: its headers, conditions and body, bounded in size and time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from visavis.domain.entity_tags import is_listed, is_listed_weakly
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol.wire import encode

MAX_BODY_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 30.0
MAX_SHOWN: Final = 40
_KEY: Final = "visavis.headers"


# Headers


def index_headers(scope: Scope) -> None:
    """Make `header` work on this scope; of a repeated header the last one counts."""
    scope[_KEY] = dict(scope["headers"])


def header(scope: Scope, name: bytes) -> str:
    """Return a header by its name in small letters; empty if it is missing."""
    value: bytes | None = scope[_KEY].get(name)
    return value.decode("latin-1") if value else ""


def has_one_host(scope: Scope) -> bool:
    """Whether the request names one host (RFC 9112 §3.2); HTTP/1.0 may name none."""
    indexed: dict[bytes, bytes] = scope[_KEY]
    if b"host" not in indexed:
        return bool(scope["http_version"] == "1.0")
    if len(indexed) == len(scope["headers"]):
        return True  # no header is repeated
    names: list[bytes] = [name for name, _ in scope["headers"]]
    return names.count(b"host") == 1


def if_match(scope: Scope, etag: str) -> bool:
    """Whether If-Match is absent, `*`, or names the tag by strong comparison (RFC 9110 §13.1.1)."""
    listed = _listed(scope, b"if-match")
    return listed is None or is_listed(etag, listed)


def if_none_match(scope: Scope, etag: str) -> bool:
    """Whether If-None-Match is `*` or names the tag by weak comparison (RFC 9110 §13.1.2)."""
    listed = _listed(scope, b"if-none-match")
    return listed is not None and is_listed_weakly(etag, listed)


def _listed(scope: Scope, name: bytes) -> str | None:
    """The value of a header whose lines are one list (RFC 9110 §5.3), `None` if it is absent."""
    if not scope[_KEY].get(name):
        return None
    lines = (value for header_name, value in scope["headers"] if header_name == name)
    return b", ".join(lines).decode("latin-1").strip()


# Bodies


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

    Existing clients differ in the case of keys: they are returned in lower case. A key that stands
    twice, without regard to case, makes the body invalid.
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
    return {name.casefold(): item for name, item in value.items()}


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
