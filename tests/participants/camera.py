"""Pictures and sound, encoded once and sent over and over, as RTP."""

from __future__ import annotations

import functools
import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import av

OPUS, VP8 = 111, 96
FRAMES_PER_SECOND: Final = 15
PACKET_SECONDS: Final = 0.02
MAX_PAYLOAD: Final = 1100
SENDER_REPORT_SECONDS: Final = 0.5
NTP_UNIX_SECONDS: Final = 2_208_988_800

_RTP: Final = struct.Struct("!BBHII")
_SENDER_REPORT: Final = struct.Struct("!BBHIQIII")


@functools.cache
def pictures() -> tuple[bytes, ...]:
    """One second of VP8, the first frame a key frame, so that it can be shown in a circle."""
    context = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = 160, 90, "yuv420p"
    context.time_base = Fraction(1, FRAMES_PER_SECOND)
    context.bit_rate = 100_000
    context.thread_count = 1  # libvpx's threads wait for each other by spinning
    context.options = {"deadline": "realtime", "auto-alt-ref": "0", "lag-in-frames": "0"}
    frames = []
    for number in range(FRAMES_PER_SECOND):
        frame = av.VideoFrame(160, 90, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([40 + 8 * number]) * plane.buffer_size)
        frame.pts, frame.time_base = number, context.time_base
        frames += [bytes(packet) for packet in context.encode(frame)]
    frames += [bytes(packet) for packet in context.encode(None)]
    return tuple(frames)


SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of Opus (RFC 6716)."""


@dataclass
class Stream:
    """One RTP stream of a sender (RFC 3550); `rate` in ticks per second."""

    ssrc: int
    payload_type: int
    rate: int
    number: int = 65_500  # wraps soon
    packets: int = 0
    octets: int = 0

    def packet(self, seconds: float, payload: bytes, *, marker: bool) -> bytes:
        self.number = (self.number + 1) % 65_536
        self.packets += 1
        self.octets += len(payload)
        second = self.payload_type | (0x80 if marker else 0)
        return _RTP.pack(0x80, second, self.number, self.timestamp(seconds), self.ssrc) + payload

    def timestamp(self, seconds: float) -> int:
        return round(seconds * self.rate) % 2**32

    def report(self, seconds: float, wall_clock: float) -> bytes:
        """A sender report (RFC 3550 §6.4.1)."""
        ntp = int((wall_clock + NTP_UNIX_SECONDS) * 2**32)
        return _SENDER_REPORT.pack(
            0x80, 200, 6, self.ssrc, ntp, self.timestamp(seconds), self.packets, self.octets
        )


@dataclass
class Camera:
    """Media of a participant; `due` returns the packets that are due since the last call."""

    first_ssrc: int
    has_video: bool = True
    audio: Stream = field(init=False)
    video: Stream = field(init=False)

    def __post_init__(self) -> None:
        self.audio = Stream(self.first_ssrc, OPUS, 48_000)
        self.video = Stream(self.first_ssrc + 1, VP8, 90_000)
        self._sounds = itertools.count()
        self._frames = itertools.count()
        self._next_sound = self._next_frame = self._next_report = 0.0

    def due(self, seconds: float, wall_clock: float) -> Iterator[tuple[bytes, bool]]:
        """Packets and whether each is RTCP; `seconds` since the camera was switched on."""
        if seconds >= self._next_report:
            self._next_report = seconds + SENDER_REPORT_SECONDS
            yield self.audio.report(seconds, wall_clock), True
            if self.has_video:
                yield self.video.report(seconds, wall_clock), True
        while seconds >= self._next_sound:
            yield self.audio.packet(self._next_sound, SILENCE, marker=False), False
            self._next_sound = next(self._sounds) * PACKET_SECONDS + PACKET_SECONDS
        while self.has_video and seconds >= self._next_frame:
            number = next(self._frames)
            yield from self._frame(number, number / FRAMES_PER_SECOND)
            self._next_frame = (number + 1) / FRAMES_PER_SECOND

    def _frame(self, number: int, seconds: float) -> Iterator[tuple[bytes, bool]]:
        frame = pictures()[number % len(pictures())]
        pieces = [frame[at : at + MAX_PAYLOAD] for at in range(0, len(frame), MAX_PAYLOAD)]
        for index, piece in enumerate(pieces):
            descriptor = b"\x10" if index == 0 else b"\x00"  # RFC 7741 §4.2: S, partition 0
            is_last = index == len(pieces) - 1
            yield self.video.packet(seconds, descriptor + piece, marker=is_last), False
