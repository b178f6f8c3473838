"""Gapless Opus: players and mixers that count samples stay in step only without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av

SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of silence (RFC 6716 §3.1: one CELT frame, full band)."""
SILENCE_MS: Final = 20.0
MAX_DRIFT_MS: Final = 15.0
"""Deviation from which silence is inserted (behind) or a packet dropped (ahead)."""
MILLISECOND: Final = Fraction(1, 1000)


class GaplessOpus:
    """Places packets end to end from 0 on, each within `MAX_DRIFT_MS` of its own time.

    Silence stands for what is missing: lost packets, a microphone that was off, a clock that
    differs from ours. Times are in milliseconds.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def push(self, packet: Any) -> Iterator[Any]:
        """Yield the packet with its new time, after any silence before it; or drop it."""
        time = float(packet.pts * packet.time_base * 1000)
        yield from self._fill(time, MAX_DRIFT_MS)
        if self._next - time <= MAX_DRIFT_MS:
            yield self._placed(packet, opus_milliseconds(bytes(packet)))

    def advance_to(self, time: float) -> Iterator[Any]:
        """Yield silence up to `time`, before which no packet comes any more."""
        yield from self._fill(time, SILENCE_MS)

    def _fill(self, until: float, tolerance: float) -> Iterator[Any]:
        while until - self._next >= tolerance:
            yield self._placed(av.Packet(SILENCE), SILENCE_MS)

    def _placed(self, packet: Any, milliseconds: float) -> Any:
        packet.time_base = MILLISECOND
        packet.pts = packet.dts = round(self._next)
        packet.is_keyframe = True
        self._next += milliseconds
        return packet


def opus_milliseconds(packet: bytes) -> float:
    """Return the duration of an Opus packet (RFC 6716 §3.1); 20 ms if it is malformed."""
    if not packet:
        return SILENCE_MS
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        frame = (10.0, 20.0, 40.0, 60.0)[configuration & 3]
    elif configuration < 16:
        frame = (10.0, 20.0)[configuration & 1]
    else:
        frame = (2.5, 5.0, 10.0, 20.0)[configuration & 3]
    count = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 1)[code]
    return frame * count if 0 < frame * count <= 120 else SILENCE_MS
