"""Access log and request metrics, at about a microsecond each."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import BinaryIO, Final

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from visavis.log_lines import text_line

FLUSH_SECONDS: Final = 0.2
MAX_WAITING: Final = 64
"""Lines that may wait before they are written at once. A thousand of them would push what every
request needs out of the processor's cache."""

METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"})
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


JOIN: Final = re.compile("/join/", re.ASCII | re.IGNORECASE)
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

    def __init__(self, stream: BinaryIO | None, *, is_text: bool = False) -> None:
        self._stream = stream
        self._write = _text if is_text else _json_lines
        self._waiting: list[Line] = []
        self._alarm: asyncio.TimerHandle | None = None

    def add(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        if self._stream is None or path in PROBES:
            return
        if link := JOIN.search(path):
            path = f"{path[: link.end()]}…"
        ms = int(seconds * 1e5) / 100
        self._waiting.append(Line(method, path, status, ms, request_id, datetime.now(UTC)))
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
