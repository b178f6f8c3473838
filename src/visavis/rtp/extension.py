"""Reading of RTP header extension elements (RFC 8285)."""

from __future__ import annotations

import struct
from typing import Final

MID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
"""The URIs are registered by RFC 9143 §15 (MID) and RFC 8852 §4 (RID)."""

_ONE_BYTE: Final = 0xBEDE
_TWO_BYTE: Final = 0x100
_HEAD: Final = struct.Struct("!HH")


def element(packet: bytes, number: int) -> bytes | None:
    """Return the data of the extension element with ID `number`.

    Returns `None` if the packet has no such element or is malformed.
    """
    position = 12 + 4 * (packet[0] & 0x0F)
    if not packet[0] & 0x10 or len(packet) < position + _HEAD.size:
        return None
    profile, words = _HEAD.unpack_from(packet, position)
    body = packet[position + _HEAD.size : position + _HEAD.size + 4 * words]
    if profile == _ONE_BYTE:
        return _element(body, number, has_long_heads=False)
    return _element(body, number, has_long_heads=True) if profile >> 4 == _TWO_BYTE else None


def _element(body: bytes, number: int, *, has_long_heads: bool) -> bytes | None:
    position = 0
    while position < len(body) - has_long_heads:
        head = body[position]
        position += 1
        if head == 0:  # padding
            continue
        if has_long_heads:
            found, size = head, body[position]
            position += 1
        else:
            found, size = head >> 4, (head & 15) + 1
        if found == number:
            data = body[position : position + size]
            return data if len(data) == size else None
        position += size
    return None
