"""Which of its addresses a machine offers."""

from __future__ import annotations

import ipaddress
import socket

from visavis.media.addresses import LOOPBACK, own_addresses


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
