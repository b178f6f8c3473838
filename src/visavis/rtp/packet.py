"""RTP packets (RFC 3550 §5.1), as far as a recorder must know them."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

HEADER: Final = struct.Struct("!BBHII")
"""First byte, marker and payload type, sequence number, timestamp, SSRC."""

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
    end = len(data)
    if end < 12:
        return None
    first, second, sequence_number, timestamp, ssrc = HEADER.unpack_from(data)
    start: int | None = 12
    if first != 0x80:
        if first >> 6 != VERSION:
            return None
        if first & 0x1F:
            start = _payload_start(data, first)
        if first & 0x20:
            end -= data[-1]
            if data[-1] == 0:
                return None
        if start is None or start > end:
            return None
    # as `RtpPacket(…)` does it, which takes twice as long
    return tuple.__new__(
        RtpPacket, (second & 0x7F, second > 0x7F, sequence_number, timestamp, ssrc, data[start:end])
    )


def payload_start(data: bytes, first: int, start: int, end: int) -> int:
    """Return where the payload of a packet between two positions begins, by its first byte.

    It is the end for what few packets have, or none that are whole: `parse_rtp` reads those.
    """
    if first == 0x90 and end - start >= 16:
        return start + 16 + 4 * (data[start + 14] << 8 | data[start + 15])
    return start + 12 if first == 0x80 else end


def _payload_start(data: bytes, first: int) -> int | None:
    """Skip the contributing sources and the header extension (RFC 3550 §5.3.1)."""
    start = 12 + 4 * (first & 0x0F)
    if not first & 0x10:
        return start
    if len(data) < start + 4:
        return None
    return start + 4 + 4 * (data[start + 2] << 8 | data[start + 3])
