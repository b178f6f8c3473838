"""Checks of single settings beyond their type; each raises `ValueError` with a sentence."""

from __future__ import annotations

import importlib.util
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from visavis.archive.storage_address import read_storage_address
from visavis.bus import addresses as bus_addresses
from visavis.store.addresses import POSTGRESQL

ROLES: Final = (
    frozenset({"app", "media", "recorder"}),
    frozenset({"app"}),
    frozenset({"media", "recorder"}),
)
"""Roles that a node can have. Media workers need the recorder, which delivers their recordings."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def _check_public_url(text: str) -> None:
    if not text:
        return
    url = _split(text)
    if url is None or url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError(f"takes a URL such as https://chat.example.com, not {text}")
    if url.path not in {"", "/"} or url.query or url.fragment or "@" in url.netloc:
        raise ValueError(
            f"takes only scheme, host and port, such as https://chat.example.com, not {text}: "
            "Visavis cannot be served below a path"
        )


def _check_database(text: str) -> None:
    if not text.startswith(POSTGRESQL):
        if _SCHEME.match(text):
            scheme = text.partition(":")[0]
            raise ValueError(f"takes a URL that begins with postgresql://, not {scheme}:")
        return
    if _split(text) is None:
        raise ValueError("has an invalid host or port")


def _check_bus(text: str) -> None:
    if not text:
        return
    bus_addresses.parse(text)
    if importlib.util.find_spec("nats") is None:
        raise ValueError("needs the client of NATS: pip install 'visavis[nats]'")


def _check_roles(text: str) -> None:
    roles = text.split(",")
    if len(set(roles)) < len(roles) or frozenset(roles) not in ROLES:
        raise ValueError(f"takes app,media,recorder, or app, or media,recorder, not {text}")


def _check_storage(text: str) -> None:
    if text:
        read_storage_address(text)


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        pass
    else:
        return
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"takes IP addresses and networks such as 192.0.2.0/24, not {text}"
        ) from None
    raise ValueError(f"{text} is an address within a network; the network is {meant}")


def _check_media_host(text: str) -> None:
    if not text:
        return
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"takes an IPv4 or IPv6 address, not a name: {text}") from None


def _check_origin(text: str) -> None:
    url = _split(text)
    is_origin = (
        url is not None
        and url.scheme in {"http", "https"}
        and url.hostname
        and text == f"{url.scheme}://{url.netloc}"
        and "@" not in url.netloc
    )
    if text != "*" and not is_origin:
        raise ValueError(
            f"takes origins (scheme, host and port, without a path) such as "
            f"https://shop.example.com, or *, not {text}"
        )


def _check_advertised(text: str) -> None:
    # browsers get the advertised addresses as they are, and look no names up
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"takes an IPv4 or IPv6 address, not a name: {text}") from None
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        raise ValueError(f"browsers cannot send to {text}")


def _split(text: str) -> SplitResult | None:
    if not text.isprintable() or " " in text:
        return None
    try:
        url = urlsplit(text)
        _ = url.port  # raises `ValueError` for one that is no number
    except ValueError:
        return None
    return url


def _each(check: Callable[[str], None]) -> Callable[[tuple[str, ...]], None]:
    def check_all(texts: tuple[str, ...]) -> None:
        for text in texts:
            check(text)

    return check_all


CHECKS: Final[Mapping[str, Callable[[Any], None]]] = {
    "public_url": _check_public_url,
    "database": _check_database,
    "storage": _check_storage,
    "bus": _check_bus,
    "roles": _check_roles,
    "trusted_proxies": _each(_check_network),
    "metrics_networks": _each(_check_network),
    "media_host": _check_media_host,
    "cors_origins": _each(_check_origin),
    "advertise_addresses": _each(_check_advertised),
}
