"""Opus without gaps: what browsers and mixers, which count samples, need to stay in step."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av

SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of nothing (RFC 6716 §3.1: one CELT frame, full band)."""
SILENCE_MS: Final = 20.0
MOST_APART_MS: Final = 15.0
"""A voice further behind than this gets silence, one further ahead loses a packet."""
MILLISECOND: Final = Fraction(1, 1000)


class Gapless:
    """Lays packets end to end from 0 on, each within `MOST_APART_MS` of its own time.

    Silence stands for what is missing: lost packets, a microphone that was off, a clock that
    differs from ours. Times are in milliseconds.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def take(self, packet: Any) -> Iterator[Any]:
        """The packet with its new time, after the silence before it; or nothing."""
        time = float(packet.pts * packet.time_base * 1000)
        yield from self._fill(time, MOST_APART_MS)
        if self._next - time <= MOST_APART_MS:
            yield self._placed(packet, opus_milliseconds(bytes(packet)))

    def keep_up(self, time: float) -> Iterator[Any]:
        """Silence, as nothing earlier than `time` comes any more."""
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
    """How long an Opus packet sounds (RFC 6716 §3.1); a strange one counts as 20 ms."""
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
