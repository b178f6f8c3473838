"""RTCP (RFC 3550 §6, RFC 3611): parsing of reports, and requests for key frames (RFC 4585)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
PAYLOAD_FEEDBACK: Final = 206
EXTENDED_REPORT: Final = 207
PICTURE_LOSS: Final = 1
RECEIVER_REFERENCE_TIME: Final = 4
DELAY_SINCE_REFERENCE_TIME: Final = 5

_SENDER_REPORT_BYTE: Final = bytes([SENDER_REPORT])
_HEADER: Final = struct.Struct("!BBH")
_SENDER: Final = struct.Struct("!IQI")
_SENDER_BYTES: Final = 24
_SOURCE_BYTES: Final = 4
_BLOCK: Final = struct.Struct("!4sIIIII")
_ANSWER: Final = struct.Struct("!III")
_PLI: Final = struct.Struct("!BBHII")


class SenderReport(msgspec.Struct, frozen=True):
    """Sender report: the RTP `timestamp` that corresponds to `ntp_time` (RFC 3550 §6.4.1).

    `ntp_time` is in seconds since 1900, as 32.32 fixed point.
    """

    ssrc: int
    ntp_time: int
    timestamp: int


class ReceptionReport(msgspec.Struct, frozen=True):
    """Reception report block about one source (RFC 3550 §6.4.1).

    `source` is the SSRC, as four bytes. `lost` is the cumulative number of packets lost, which may
    be negative. `highest` is the extended highest sequence number. `jitter` is in RTP clock ticks.
    `last_report` (LSR) is the `TimeQuestion.middle` of the last sender report that was received, or
    0 if none was. `delay` (DLSR) is the time since then, in 1/65536 s.
    """

    source: bytes
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


class TimeQuestion(msgspec.Struct, frozen=True):
    """Time of a sender report or an RRTR block, which its receiver repeats in a `TimeAnswer`.

    `middle` is the middle 32 bits of the NTP time.
    """

    middle: int


class TimeAnswer(msgspec.Struct, frozen=True):
    """DLRR sub-block: answers the `TimeQuestion` with the same `middle` (RFC 3611 §4.5).

    `held` is how long the receiver kept the question before it answered, in 1/65536 s.
    """

    middle: int
    held: int


def sender_reports(compound: bytes) -> list[SenderReport]:
    """Return the sender reports of a compound packet, up to its first malformed packet."""
    if _SENDER_REPORT_BYTE not in compound:
        return []  # Most compound packets are feedback; this check saves parsing them.
    return [
        SenderReport(*_SENDER.unpack_from(body))
        for packet_type, _, body in _packets(compound)
        if packet_type == SENDER_REPORT and len(body) >= _SENDER.size
    ]


def read_feedback(compound: bytes) -> Iterator[ReceptionReport | TimeQuestion | TimeAnswer]:
    """Yield the reception reports and the times for round trips of a compound packet, in order."""
    for packet_type, count, body in _packets(compound):
        if packet_type == SENDER_REPORT and len(body) >= _SENDER_BYTES:
            yield TimeQuestion(_middle(_SENDER.unpack_from(body)[1]))
            yield from _reception_reports(body[_SENDER_BYTES:], count)
        elif packet_type == RECEIVER_REPORT:
            yield from _reception_reports(body[_SOURCE_BYTES:], count)
        elif packet_type == EXTENDED_REPORT:
            yield from _extended(body[_SOURCE_BYTES:])


def picture_loss_indication(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Return a PLI, which asks the sender of `media_ssrc` for a key frame (RFC 4585 §6.3.1)."""
    return _PLI.pack(0x80 | PICTURE_LOSS, PAYLOAD_FEEDBACK, 2, sender_ssrc, media_ssrc)


def _middle(ntp_time: int) -> int:
    return ntp_time >> 16 & 0xFFFFFFFF


def _reception_reports(blocks: bytes, count: int) -> Iterator[ReceptionReport]:
    for number in range(min(count, len(blocks) // _BLOCK.size)):
        source, loss, highest, jitter, last_report, delay = _BLOCK.unpack_from(
            blocks, number * _BLOCK.size
        )
        lost = loss & 0xFFFFFF
        signed = lost - (1 << 24) if lost & 0x800000 else lost
        yield ReceptionReport(source, signed, highest, jitter, last_report, delay)


def _extended(blocks: bytes) -> Iterator[TimeQuestion | TimeAnswer]:
    position = 0
    while position + _HEADER.size <= len(blocks):
        kind, _, words = _HEADER.unpack_from(blocks, position)
        position += _HEADER.size
        content = blocks[position : position + 4 * words]
        if kind == RECEIVER_REFERENCE_TIME and len(content) == 8:
            yield TimeQuestion(_middle(int.from_bytes(content)))
        elif kind == DELAY_SINCE_REFERENCE_TIME:
            for start in range(0, len(content) - _ANSWER.size + 1, _ANSWER.size):
                _, middle, held = _ANSWER.unpack_from(content, start)
                yield TimeAnswer(middle, held)
        position += 4 * words


def _packets(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, count (the header's five bits) and body of each packet, without its header."""
    position = 0
    while position + _HEADER.size <= len(compound):
        first, packet_type, words = _HEADER.unpack_from(compound, position)
        end = position + 4 * (words + 1)
        if first >> 6 != 2 or end > len(compound):
            return
        yield packet_type, first & 0x1F, compound[position + _HEADER.size : end]
        position = end
