"""Ids of calls, recordings, clients and audit entries: 32 hexadecimal digits."""

from __future__ import annotations

import re
from typing import Final

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def plain_id(text: str) -> str:
    """Return the stored form of an id, which clients may also write as a GUID with dashes."""
    return text.replace("-", "").lower() if _GUID.fullmatch(text) else text
