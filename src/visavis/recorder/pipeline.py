"""One RTP stream on its way from packets to frames, each placed in time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from visavis.recorder.link import Content, Packet, Stream
from visavis.rtp.codecs import DEPACKETISERS, Depacketiser, Frame
from visavis.rtp.journal import JournalLeg
from visavis.rtp.packet import RtpPacket
from visavis.rtp.sequence import Reorder, Unwrapper
from visavis.rtp.timeline import SenderTimeline

HOLD_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 2.0
"""After so long without a packet the sequence numbers may be anywhere."""

EARLIEST: Final = -15.0
LATEST: Final = 1.0
"""A frame is not captured so long before, or after, its last packet came: its clocks are wrong."""


class TrackKey(NamedTuple):
    """Frames of one track: they fit one decoder."""

    leg: JournalLeg
    content: Content
    codec: str


class TimedFrame(NamedTuple):
    """An encoded frame; `time` in seconds since the epoch, by our clock.

    `source` tells the streams of a track apart, the newer one is greater. It was made of so many
    `packets`, the last of which came at `arrival`; of none if it fills a gap.
    """

    time: float
    track: TrackKey
    source: tuple[int, int]
    is_key: bool
    data: bytes
    packets: int = 0
    arrival: float = 0.0


class _Due(NamedTuple):
    timestamp: int
    arrival: float
    codec: str
    rtp: RtpPacket


class Pipeline:
    """Puts packets in order and their payloads together."""

    def __init__(self, stream: Stream) -> None:
        self._numbers = Unwrapper(16)
        self._timestamps = Unwrapper(32)
        self._timestamps.unwrap(stream.first_timestamp)
        self._reorder: Reorder[_Due] = Reorder(HOLD_SECONDS)
        self._depacketiser: Depacketiser | None = None
        self._codec = ""
        self._last = 0.0

    def push(self, packet: Packet, arrival: float) -> list[tuple[str, float, Frame]]:
        """The frames that are whole now: codec, arrival of the last packet, frame."""
        _, rtp, codec, _ = packet
        frames: list[tuple[str, float, Frame]] = []
        if arrival - self._last > SILENT_SECONDS and self._last:
            frames = self.flush()
            self._numbers.leap()
        self._last = arrival
        number = self._numbers.unwrap(rtp.sequence_number)
        timestamp = self._timestamps.unwrap(rtp.timestamp)
        if self._reorder.passes(number):
            frame = self._depacketise(number, timestamp, codec, rtp)
            if frame:
                frames.append((codec, arrival, frame))
            return frames
        due = _Due(timestamp, arrival, codec, rtp)
        return frames + self._frames(self._reorder.push(number, due, arrival))

    def flush(self) -> list[tuple[str, float, Frame]]:
        return self._frames(self._reorder.flush())

    def _frames(self, items: Iterable[tuple[int, _Due]]) -> list[tuple[str, float, Frame]]:
        frames = []
        for number, due in items:
            frame = self._depacketise(number, due.timestamp, due.codec, due.rtp)
            if frame:
                frames.append((due.codec, due.arrival, frame))
        return frames

    def _depacketise(self, number: int, timestamp: int, codec: str, rtp: RtpPacket) -> Frame | None:
        if codec != self._codec or self._depacketiser is None:
            self._codec = codec
            self._depacketiser = DEPACKETISERS[codec]()
        return self._depacketiser.push(number, timestamp, rtp)


def capture_time(stream: Stream, timeline: SenderTimeline, timestamp: int, arrival: float) -> float:
    """When a frame was captured, by our clock; its arrival where the sender's clocks are absurd."""
    time = timeline.time(stream.clock, timestamp)
    if EARLIEST <= time - arrival <= LATEST:
        return time
    time = stream.clock.arrival_time(timestamp)
    return time if EARLIEST <= time - arrival <= LATEST else arrival
