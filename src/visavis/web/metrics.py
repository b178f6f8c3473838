"""`/metrics` for Prometheus: the process, the answers, and what the product holds right now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure that is read when it is asked for."""

    help: str
    read: Callable[[], float]


class _Gauges(Collector):
    def __init__(self, gauges: Mapping[str, Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, gauge in self._gauges.items():
            yield GaugeMetricFamily(name, gauge.help, value=gauge.read())


PATH: Final = "/metrics"


def metrics_route(gauges: Mapping[str, Gauge]) -> Route:
    ours = CollectorRegistry()
    ours.register(_Gauges(gauges))

    def metrics(_: Request) -> Response:
        text = generate_latest(REGISTRY) + generate_latest(ours)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return Route(PATH, metrics)
