"""RTP packets (RFC 3550 §5.1), as far as a recorder must know them."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("!BBHII")
_EXTENSION: Final = struct.Struct("!HH")
VERSION: Final = 2


class RtpPacket(NamedTuple):
    """`timestamp` counts the codec's clock rate; `payload` is without padding."""

    payload_type: int
    marker: bool
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Read a packet; `None` for anything that is not a whole RTP packet."""
    if len(data) < _HEADER.size:
        return None
    first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != VERSION:
        return None
    start = _HEADER.size if first & 0x1F == 0 else _payload_start(data, first)
    end = len(data)
    if first & 0x20:
        end -= data[-1]
        if data[-1] == 0:
            return None
    if start is None or start > end:
        return None
    return RtpPacket(
        second & 0x7F, bool(second & 0x80), sequence_number, timestamp, ssrc, data[start:end]
    )


def _payload_start(data: bytes, first: int) -> int | None:
    """Skip the contributing sources and the header extension (RFC 3550 §5.3.1)."""
    start = _HEADER.size + 4 * (first & 0x0F)
    if not first & 0x10:
        return start
    if len(data) < start + _EXTENSION.size:
        return None
    _, words = _EXTENSION.unpack_from(data, start)
    return int(start + _EXTENSION.size + 4 * words)
