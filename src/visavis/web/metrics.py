"""`/metrics` for Prometheus: the process, the answers, and what the product holds right now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY, Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol.routes import Access
from visavis.web.request import header

READ_SECONDS: Final = 2.0
"""Time for which another app process may take to answer."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric whose value is computed at each scrape."""

    help: str
    read: Callable[[], float]


class _Gauges(Collector):
    def __init__(self, gauges: Mapping[str, Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, gauge in self._gauges.items():
            yield GaugeMetricFamily(name, gauge.help, value=gauge.read())


class MetricsAccess:
    """Decides who may read the metrics: networks, or the bearers of a token.

    A proxy that `trusted_proxies` omits is not one of the networks: anybody may be behind it.
    """

    def __init__(self, networks: Collection[str], token: str) -> None:
        """Raise `ValueError` for text that is not an IP address or network. See `use_tokens`."""
        self._networks = [ip_network(network, strict=False) for network in networks]
        self.use_tokens(token)
        self.refused = 0

    def use_tokens(self, tokens: str) -> None:
        """Accept any of these tokens, which are separated by commas."""
        self._tokens = [token.strip().encode() for token in tokens.split(",") if token.strip()]

    async def admit(self, request: Request, _: Access) -> None:
        """Raise `PermissionDenied` unless the client may read the metrics."""
        if not self.is_allowed(request.scope):
            self.refused += 1
            raise VisavisError(
                ErrorKind.PermissionDenied,
                "Only metrics_networks and holders of metrics_token may read the metrics.",
            )

    def is_allowed(self, scope: Scope) -> bool:
        """Whether the client is in one of the networks or sends one of the tokens."""
        return self._has_token(scope) or self._is_near(scope)

    def _has_token(self, scope: Scope) -> bool:
        scheme, _, given = header(scope, b"authorization").partition(" ")
        token = given.strip().encode()
        return scheme.lower() == "bearer" and any(
            compare_digest(token, known) for known in self._tokens
        )

    def _is_near(self, scope: Scope) -> bool:
        client = scope.get("client")
        if not client:
            return True  # a Unix socket of our own
        if client[1] and header(scope, b"x-forwarded-for"):
            return False  # an unlisted proxy: uvicorn sets the port of a trusted one's client to 0
        try:
            address = ip_address(client[0].partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


class MetricsPage(Protocol):
    """A page that Prometheus reads."""

    async def show(self, request: Request) -> Response: ...


class Metrics:
    """The page of a node, or of one app process of several."""

    def __init__(self, gauges: Mapping[str, Gauge]) -> None:
        self._ours = CollectorRegistry()
        self._ours.register(_Gauges(gauges))

    async def show(self, _: Request) -> Response:
        text = await asyncio.to_thread(self.text)  # some figures are read from the disk
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    def text(self) -> bytes:
        return generate_latest(REGISTRY) + generate_latest(self._ours)


ReadProcess = Callable[[], Awaitable[bytes]]
"""Function that returns the metrics of another app process; raises `OSError`."""


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class NodeMetrics:
    """The page of a node with several app processes, whichever of them is asked.

    The metrics of a process have the label `app`, its number. `own` are those of this one, and
    `others` read the others': a process that is asked by a Unix socket answers with its own.
    `shared` are the gauges of the node, which are the same in all processes.
    """

    def __init__(
        self,
        number: int,
        own: Metrics,
        others: Mapping[int, ReadProcess],
        shared: Mapping[str, Gauge],
    ) -> None:
        self._number = number
        self._own = own
        self._others = others
        self._shared = _Gauges(shared)

    async def show(self, request: Request) -> Response:
        if not request.scope.get("client"):
            return await self._own.show(request)
        texts = await asyncio.gather(*map(_try_read, self._others.values()))
        read = dict(zip(self._others, texts, strict=True))
        text = await asyncio.to_thread(self._text, read)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    def _text(self, others: Mapping[int, bytes]) -> bytes:
        texts = {**others, self._number: self._own.text()}
        families: dict[str, Metric] = {}
        up = GaugeMetricFamily("visavis_app_up", "Whether this app process answers", labels=["app"])
        for number, text in sorted(texts.items()):
            up.add_metric([str(number)], float(bool(text)))
            for family in text_string_to_metric_families(text.decode()):
                empty = Metric(family.name, family.documentation, family.type)
                merged = families.setdefault(family.name, empty)
                for sample in family.samples:
                    labels = {**sample.labels, "app": str(number)}
                    merged.samples.append(sample._replace(labels=labels))
        return generate_latest(_Families([up, *families.values()])) + generate_latest(self._shared)


async def _try_read(read: ReadProcess) -> bytes:
    """Return the metrics of another process; nothing if it does not answer."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await read()
    except OSError:
        return b""
