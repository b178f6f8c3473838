"""Comparison of two Matroska files that were made from the same packets."""

from __future__ import annotations

import re
from typing import Final

_RANDOM: Final = re.compile(
    rb"\x73\xa4\x90.{16}|(?:\x73\xc5|\x63\xc5|\x46\xae)\x88.{8}|\xbf\x84.{4}", re.DOTALL
)
"""UIDs of the segment, the tracks and the attachment, and the CRC-32 of what has them."""


def without_uids(content: bytes) -> bytes:
    """Return the content of a file without its random UIDs (RFC 9559)."""
    return _RANDOM.sub(b"", content)
