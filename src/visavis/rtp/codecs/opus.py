"""Opus depacketiser (RFC 7587): each RTP packet is one frame that needs no other to be decoded."""

from __future__ import annotations

from typing import Final

from visavis.rtp.codecs.frame import Frame, push_each

RATE: Final = 48_000
SILENCE: Final = b"\xf8\xff\xfe"
"""Opus packet of 20 ms of silence: CELT, full band, one channel."""

SILENCE_SECONDS: Final = 0.02
MAX_SAMPLES: Final = 5760  # 120 ms, RFC 6716 §3.2.5

MAX_FRAME_BYTES: Final = 1275

_SAMPLES: Final = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""Samples of a frame at 48 kHz, by configuration number: SILK, hybrid, CELT (RFC 6716 §3.1)."""


class OpusDepacketiser:
    """Depacketiser of Opus. It drops packets that are malformed (RFC 6716 §3.4)."""

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        is_usual = payload and not payload[0] & 3 and len(payload) <= MAX_FRAME_BYTES + 1
        if not is_usual and not samples(payload):
            return None
        # Equal to `Frame(…)`, which takes twice as long.
        return tuple.__new__(Frame, (timestamp, True, payload, 1, None))

    def push_run(self, number: int, timestamp: int, payloads: list[bytes]) -> list[Frame]:
        return push_each(self, number, timestamp, payloads)


def samples(packet: bytes) -> int:
    """Return a packet's samples at 48 kHz (RFC 6716 §3.1); 0 if it is malformed (§3.4)."""
    if not packet:
        return 0
    if not packet[0] & 3:  # Browsers send one frame per packet.
        return _SAMPLES[packet[0] >> 3] if len(packet) <= MAX_FRAME_BYTES + 1 else 0
    total = _frame_count(packet) * _SAMPLES[packet[0] >> 3]
    return total if total <= MAX_SAMPLES else 0


def _frame_count(packet: bytes) -> int:
    code, size = packet[0] & 3, len(packet) - 1
    if code == 1:
        return 2 if size % 2 == 0 and size <= 2 * MAX_FRAME_BYTES else 0
    if code == 2:
        return 2 if _first_fits(packet) else 0
    return packet[1] & 63 if size else 0


def _first_fits(packet: bytes) -> bool:
    """Whether the first of two frames fits into the packet (RFC 6716 §3.2.1 and §3.2.4)."""
    if len(packet) < 2 or (packet[1] >= 252 and len(packet) < 3):
        return False
    if packet[1] < 252:
        return packet[1] <= len(packet) - 2
    return packet[1] + 4 * packet[2] <= len(packet) - 3
