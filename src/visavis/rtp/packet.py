"""Parsing of RTP packets (RFC 3550 §5.1): the fields that the relay and the recorder need."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

HEADER: Final = struct.Struct("!BBHII")
"""First byte (V, P, X, CC), marker and payload type, sequence number, timestamp, SSRC."""

VERSION: Final = 2


class RtpPacket(NamedTuple):
    """Parsed RTP packet. `timestamp` is in ticks of the codec's clock; `payload` has no padding."""

    payload_type: int
    marker: bool
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Parse an RTP packet; return `None` if `data` is not a complete RTP packet."""
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
    # Equal to `RtpPacket(…)`, which takes twice as long.
    return tuple.__new__(
        RtpPacket, (second & 0x7F, second > 0x7F, sequence_number, timestamp, ssrc, data[start:end])
    )


def payload_start(data: bytes, first: int, start: int, end: int) -> int:
    """Return the offset of the payload in a packet that occupies `data[start:end]`.

    `first` is the packet's first byte. Only the two usual headers are read: without contributing
    sources and padding, with or without an extension. For every other packet, or a truncated one,
    `end` is returned, as if it had no payload; the caller then uses `parse_rtp`.
    """
    if first == 0x90 and end - start >= 16:
        return start + 16 + 4 * (data[start + 14] << 8 | data[start + 15])
    return start + 12 if first == 0x80 else end


def _payload_start(data: bytes, first: int) -> int | None:
    """Return the offset after the contributing sources and the header extension (RFC 3550 §5.3.1).

    Returns `None` if the packet ends before that.
    """
    start = 12 + 4 * (first & 0x0F)
    if not first & 0x10:
        return start
    if len(data) < start + 4:
        return None
    return start + 4 + 4 * (data[start + 2] << 8 | data[start + 3])
