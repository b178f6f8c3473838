"""Limit of the TCP connections to the HTTP port, in total and by address."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from ipaddress import ip_address, ip_network
from typing import Final

import structlog

from visavis.web.source import network_of

log = structlog.get_logger(__name__)

PER_NETWORK: Final = 200
"""Connections of one network that wait for a request or are being answered."""

LOG_SECONDS: Final = 60.0


class ConnectionGate:
    """Decides whether a new connection is served. This machine and proxies have no own limit.

    `refused` counts the connections that were closed at once since the start.
    """

    def __init__(
        self,
        total: int,
        proxies: Collection[str] = (),
        per_network: int = PER_NETWORK,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._per_network = per_network
        self._proxies = [ip_network(proxy, strict=False) for proxy in proxies if _is_network(proxy)]
        self._every_proxy = "*" in proxies
        self._of_network: Counter[str] = Counter()
        self._clock = clock
        self._logged_at = -LOG_SECONDS
        self.refused = 0

    def enter(self, address: str, count: int) -> str | None:
        """Return the network that `leave` is to be called with, or `None` to refuse.

        `count` is how many connections are open.
        """
        network = "" if self._is_proxy(address) else network_of(address)
        if count > self._total or (network and self._of_network[network] >= self._per_network):
            self._refuse(network, count)
            return None
        if network:
            self._of_network[network] += 1
        return network

    def leave(self, network: str) -> None:
        if network:
            self._of_network[network] -= 1
            if not self._of_network[network]:
                del self._of_network[network]

    def _refuse(self, network: str, count: int) -> None:
        self.refused += 1
        now = self._clock()
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            log.warning("connections refused", network=network, open=count, refused=self.refused)

    def _is_proxy(self, address: str) -> bool:
        if self._every_proxy:
            return True
        if not self._proxies or not _is_network(address):
            return False
        return any(ip_address(address) in proxy for proxy in self._proxies)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
