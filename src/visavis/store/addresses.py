"""Addresses of databases."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode

POSTGRESQL: Final = ("postgresql://", "postgres://")
SECRET_PARAMETERS: Final = frozenset({"password", "sslpassword"})
MASK: Final = "***"

_USER_INFO: Final = re.compile(r"^(\w+://[^/?#]*?):[^/?#]*@")


def has_password(address: str) -> bool:
    """Whether an address of a database holds a password."""
    return masked(address) != address


def masked(address: str) -> str:
    """Return an address of a database without its passwords, for people and logs."""
    if not address.startswith(POSTGRESQL):
        return address
    hidden = _USER_INFO.sub(rf"\1:{MASK}@", address)
    front, mark, query = hidden.partition("?")
    parameters = parse_qsl(query, keep_blank_values=True)
    if not any(name in SECRET_PARAMETERS for name, _ in parameters):
        return hidden
    shown = [(name, MASK if name in SECRET_PARAMETERS else value) for name, value in parameters]
    return front + mark + urlencode(shown, safe="/*:,")
