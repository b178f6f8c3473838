"""IP addresses of this machine that may be reachable for a browser."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

MAX_ADDRESSES: Final = 12
LOOPBACK: Final = "127.0.0.1"
IPV6_LOOPBACK: Final = "::1"

_GET_ADDRESS: Final = 0x8915  # SIOCGIFADDR
_INTERFACE_REQUEST: Final = struct.Struct("16s4x4s232x")
_IPV6_TABLE: Final = Path("/proc/net/if_inet6")
_GLOBAL_SCOPE: Final = "00"
_UNUSABLE: Final = 0x08 | 0x20 | 0x40  # duplicate, deprecated, tentative

# Documentation addresses (RFC 5737, RFC 3849). Nothing is sent to them: connecting a UDP socket
# only makes the kernel look up the route.
_ELSEWHERE: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def own_addresses() -> tuple[str, ...]:
    """Return the addresses of this machine, those of the default routes first and loopback last.

    There are at most `MAX_ADDRESSES`, without link-local ones.
    """
    found = [*_of_default_routes(), *_ipv4(), *_ipv6()]
    kept = dict.fromkeys(address for address in found if _is_reachable(address))
    return (*list(kept)[: MAX_ADDRESSES - 1], _loopback())


def _loopback() -> str:
    """Return the IPv4 loopback address, or the IPv6 one if the machine has no IPv4."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK, 0))
    except OSError:
        return IPV6_LOOPBACK
    return LOOPBACK


def _is_reachable(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not (address.is_link_local or address.is_loopback or address.is_unspecified)


def _of_default_routes() -> Iterator[str]:
    for family, elsewhere in _ELSEWHERE.items():
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            yield str(probe.getsockname()[0])


def _ipv4() -> Iterator[str]:
    """Yield the first IPv4 address of each interface."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with suppress(OSError):
                request = _INTERFACE_REQUEST.pack(name.encode()[:15], b"")
                answer = fcntl.ioctl(probe, _GET_ADDRESS, request)
                yield socket.inet_ntoa(answer[20:24])


def _ipv6() -> Iterator[str]:
    with suppress(OSError):
        for line in _IPV6_TABLE.read_text().splitlines():
            address, _, _, scope, flags, _ = line.split()
            if scope == _GLOBAL_SCOPE and not int(flags, 16) & _UNUSABLE:
                yield str(ipaddress.IPv6Address(bytes.fromhex(address)))
