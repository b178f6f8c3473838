"""`/metrics` for Prometheus: the process, the answers, and what the product holds right now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.web.headers import header


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


class MetricsAccess:
    """Decides who may read the metrics: networks, or the bearers of a token.

    A proxy that `trusted_proxies` omits is not one of the networks: anybody may be behind it.
    """

    def __init__(self, networks: Collection[str], token: str) -> None:
        """Raises `ValueError` for what is no address or network. See `use_tokens`."""
        self._networks = [ip_network(network, strict=False) for network in networks]
        self.use_tokens(token)
        self.refused = 0

    def use_tokens(self, tokens: str) -> None:
        """Let the bearers of any of these tokens in; commas are between them."""
        self._tokens = [token.strip().encode() for token in tokens.split(",") if token.strip()]

    def require(self, scope: Scope) -> None:
        """Raises `PermissionDenied`."""
        if not self.is_allowed(scope):
            self.refused += 1
            raise VisavisError(
                ErrorKind.PermissionDenied,
                "Only metrics_networks and holders of metrics_token may read the metrics.",
            )

    def is_allowed(self, scope: Scope) -> bool:
        """Whether the client is in one of the networks or bears a token."""
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
            return False  # a proxy: uvicorn gives the port 0 where it has read a trusted one's
        try:
            address = ip_address(client[0].partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def metrics_route(gauges: Mapping[str, Gauge], access: MetricsAccess) -> Route:
    ours = CollectorRegistry()
    ours.register(_Gauges(gauges))

    def metrics(request: Request) -> Response:
        access.require(request.scope)
        text = generate_latest(REGISTRY) + generate_latest(ours)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return Route(PATH, metrics)
