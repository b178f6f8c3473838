"""The network that a request comes from, as the limits count it."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

import structlog
from starlette.types import Scope

from visavis.web.request import header

log = structlog.get_logger(__name__)

IPV6_PREFIX: Final = 64
"""A network of this length usually belongs to one subscriber (RFC 6177)."""

MAX_PROXIES: Final = 16


class UnlistedProxies:
    """Peers that send X-Forwarded-For although `trusted_proxies` does not list them."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()

    def add(self, address: str) -> None:
        """Remember and log each address once, up to `MAX_PROXIES` of them."""
        if address not in self.addresses and len(self.addresses) < MAX_PROXIES:
            self.addresses.add(address)
            log.warning("X-Forwarded-For from a proxy that trusted_proxies omits", peer=address)

    def warning(self, *, is_public: bool = False) -> str:
        """Return a warning, with addresses only for the operator; empty if there is none."""
        if not self.addresses:
            return ""
        if is_public:
            return "X-Forwarded-For is sent by a proxy that trusted_proxies omits."
        named = ", ".join(sorted(self.addresses))
        return f"X-Forwarded-For is sent by {named}: list it in trusted_proxies if it is a proxy."


UNLISTED_PROXIES: Final = UnlistedProxies()


def source_of(scope: Scope) -> str:
    """Return an IPv4 address or an IPv6 /64; empty for this machine itself.

    A peer on loopback that forwards others' requests is an unlisted proxy, not this machine: its
    clients are told apart by the address that it has added last. Other peers' header is ignored,
    since anybody could write it.
    """
    address, port = scope.get("client") or ("", 0)
    forwarded = header(scope, b"x-forwarded-for")
    if not forwarded or not port:  # no port: uvicorn has read the header of a trusted proxy
        return network_of(address)
    UNLISTED_PROXIES.add(address)
    network = network_of(address)
    return network or network_of(forwarded.rpartition(",")[2].strip()) or "unlisted proxy"


@lru_cache(4096)
def network_of(address: str) -> str:
    """Return the network of an address; empty for loopback and for no address."""
    if not address:
        return ""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if str(ip) in {"127.0.0.1", "::1"}:
        return ""
    if isinstance(ip, IPv6Address):
        return f"{IPv6Address(int(ip) >> IPV6_PREFIX << IPV6_PREFIX)}/{IPV6_PREFIX}"
    return str(ip)
