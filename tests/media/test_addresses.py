"""Addresses that a machine offers as candidates."""

from __future__ import annotations

import errno
import ipaddress
import socket

import pytest

from visavis.media.addresses import IPV6_LOOPBACK, LOOPBACK, own_addresses


def test_loopback_comes_last_and_link_local_never() -> None:
    found = own_addresses()
    assert found[-1] == LOOPBACK
    assert len(set(found)) == len(found)
    for text in found[:-1]:
        address = ipaddress.ip_address(text)
        assert not address.is_link_local
        assert not address.is_loopback


def test_every_address_is_this_machine_s() -> None:
    for text in own_addresses():
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((text, 0))


class Ipv6OnlySocket(socket.socket):
    """Socket on a simulated machine without IPv4."""

    def __init__(self, family: int = -1, kind: int = -1) -> None:
        if family == socket.AF_INET:
            raise OSError(errno.EAFNOSUPPORT, "no such family")
        super().__init__(family, kind)


def test_a_machine_without_ipv4_offers_ipv6_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Ipv6OnlySocket)
    found = own_addresses()
    assert found[-1] == IPV6_LOOPBACK
    assert all(":" in address for address in found)
