"""URLs of the bus: one scheme and user for several servers, nats://user:password@n1,n2:4223."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

SCHEMES: Final = ("nats", "tls")
DEFAULT_PORT: Final = 4222

_URL: Final = re.compile(r"(nats|tls)://(?:([^@/?#]*)@)?([^@/?#]+)/?")


@dataclass(frozen=True, slots=True)
class BusAddress:
    """Servers of the bus, and the user that connects to them.

    A name without a password is a token, as in all clients of NATS. The text of an object contains
    neither, because a traceback may show it.
    """

    is_tls: bool
    servers: tuple[str, ...]
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def parse(url: str) -> BusAddress:
    """Return the parts of a bus's URL; raises `ValueError`, whose text contains no secret."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("takes a URL such as nats://n1,n2,n3 or tls://user@n1:4222,n2:4222")
    scheme, user_info, hosts = match.groups()
    user, _, password = (user_info or "").partition(":")
    servers = tuple(_server(host) for host in hosts.split(","))
    return BusAddress(scheme == "tls", servers, unquote(user), unquote(password))


def has_secret(url: str) -> bool:
    """Whether a bus's URL holds a password or a token."""
    return "@" in url


def _server(text: str) -> str:
    """Return host and port of a server."""
    try:
        parts = urlsplit(f"nats://{text}")
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        host, port = None, 0
    if not host or any(not letter.isprintable() or letter == " " for letter in text):
        raise ValueError("has an invalid host or port")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
