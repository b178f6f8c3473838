"""RTCP (RFC 3550 §6): reading sender reports, asking for a key frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SENDER_REPORT: Final = 200
PAYLOAD_FEEDBACK: Final = 206
PICTURE_LOSS: Final = 1

_HEADER: Final = struct.Struct("!BBH")
_SENDER: Final = struct.Struct("!IQI")
_PLI: Final = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class SenderReport:
    """At `ntp_time` (32.32 fixed point, seconds since 1900) the media clock said `timestamp`."""

    ssrc: int
    ntp_time: int
    timestamp: int


def sender_reports(compound: bytes) -> list[SenderReport]:
    """The sender reports of a compound packet; what is malformed ends the reading."""
    return [
        SenderReport(*_SENDER.unpack_from(body))
        for packet_type, body in _packets(compound)
        if packet_type == SENDER_REPORT and len(body) >= _SENDER.size
    ]


def picture_loss_indication(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Ask `media_ssrc` for a key frame (RFC 4585 §6.3.1)."""
    return _PLI.pack(0x80 | PICTURE_LOSS, PAYLOAD_FEEDBACK, 2, sender_ssrc, media_ssrc)


def _packets(compound: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + _HEADER.size <= len(compound):
        first, packet_type, words = _HEADER.unpack_from(compound, position)
        end = position + 4 * (words + 1)
        if first >> 6 != 2 or end > len(compound):
            return
        yield packet_type, compound[position + _HEADER.size : end]
        position = end
