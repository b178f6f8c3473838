"""One HTTP request: its headers, conditions and body, and its record once it is answered.

What is read is bounded in size and time. The record is a line of the access log and a count in the
metrics, at about a microsecond each.
"""

from __future__ import annotations

import asyncio
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from visavis.domain.entity_tags import is_listed, is_listed_weakly
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.log_lines import text_line
from visavis.protocol.wire import encode

MAX_BODY_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 30.0
MAX_SHOWN: Final = 40
_KEY: Final = "visavis.headers"

FLUSH_SECONDS: Final = 0.2
MAX_WAITING: Final = 64
"""Lines that may wait before they are written at once. A thousand of them would push what every
request needs out of the processor's cache."""
METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"})
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


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


# The record of answered requests


_JOIN: Final = re.compile("/join/", re.ASCII | re.IGNORECASE)
"""The rest of such a path is a secret: a reader of the log could join the call with it.

It is hidden also where no page is (other case, a prefix that a proxy did not remove): a mistyped
link still holds the secret."""


class Line(msgspec.Struct, gc=False):
    """One answered request, as our other log lines look."""

    method: str
    path: str
    status: int
    ms: float
    request_id: str
    timestamp: datetime
    part: str = "app"
    level: str = "info"
    event: str = "request"


class AccessLog:
    """Lines wait a moment and are then written together: a write for each would cost the most.

    They are JSON, or `is_text` for a person at a terminal.
    """

    def __init__(
        self, stream: BinaryIO | None, *, is_text: bool = False, part: str = "app"
    ) -> None:
        """`part` is the name of this process among the parts of the node."""
        self._stream = stream
        self._part = part
        self._write = _text if is_text else _json_lines
        self._waiting: list[Line] = []
        self._alarm: asyncio.TimerHandle | None = None

    def add(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        if self._stream is None or path in PROBES:
            return
        if link := _JOIN.search(path):
            path = f"{path[: link.end()]}…"
        ms = int(seconds * 1e5) / 100
        at = datetime.now(UTC)
        self._waiting.append(Line(method, path, status, ms, request_id, at, self._part))
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        elif len(self._waiting) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits; to be called once more at the end."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        lines, self._waiting = self._waiting, []
        if self._stream and lines:
            self._stream.write(self._write(lines))
            self._stream.flush()


_ENCODER: Final = msgspec.json.Encoder()


def _json_lines(lines: list[Line]) -> bytes:
    try:
        return _ENCODER.encode_lines(lines)
    except UnicodeEncodeError:
        # a path may hold lone surrogates, which JSON in UTF-8 cannot
        for line in lines:
            line.path = line.path.encode("utf-8", "replace").decode()
        return _ENCODER.encode_lines(lines)


def _text(lines: list[Line]) -> bytes:
    written = (
        text_line(
            {
                "timestamp": line.timestamp,
                "level": line.level,
                "event": f"{line.method} {line.path} {line.status}",
                "ms": line.ms,
                "request_id": line.request_id,
            }
        )
        for line in lines
    )
    return "".join(f"{line}\n" for line in written).encode("utf-8", "replace")


class _Cell:
    """The answers to one method with one status."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0


class HttpMetrics(Collector):
    """Counts answers and their times; Prometheus' own types lock and look up for each of them.

    To be used from one thread, as the event loop does.
    """

    def __init__(self) -> None:
        self._cells: dict[tuple[str, int], _Cell] = {}

    def observe(self, method: str, status: int, seconds: float) -> None:
        key = (method, status)
        cell = self._cells.get(key)
        if cell is None:
            known = method if method in METHODS else "other"
            cell = self._cells[known, status] = self._cells.get((known, status)) or _Cell()
        cell.buckets[bisect_left(BOUNDS, seconds)] += 1
        cell.seconds += seconds

    def collect(self) -> Iterable[Metric]:
        labels = ["method", "status"]
        requests = CounterMetricFamily("visavis_http_requests", "Answers", labels=labels)
        times = HistogramMetricFamily("visavis_http_request_seconds", "Seconds", labels=labels)
        for (method, status), cell in list(self._cells.items()):
            names = [method, str(status)]
            requests.add_metric(names, sum(cell.buckets))
            times.add_metric(names, _cumulative(cell.buckets), cell.seconds)
        return [requests, times]


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    bounds = [*map(str, BOUNDS), "+Inf"]
    return [(bound, float(sum(buckets[: i + 1]))) for i, bound in enumerate(bounds)]


METRICS: Final = HttpMetrics()
REGISTRY.register(METRICS)
