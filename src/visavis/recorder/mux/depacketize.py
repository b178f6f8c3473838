"""Depacketising of one RTP stream into frames, and the capture times of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Final, NamedTuple

from visavis.recorder.mux.streams import Content, Packet, PlacedFrame, RtpStream
from visavis.rtp.codecs import DEPACKETISERS, Depacketiser
from visavis.rtp.sequence import HeldBytes, Reorder, SequenceNumbers, Unwrapper
from visavis.rtp.timeline import SenderTimeline

HOLD_SECONDS: Final = 12.0
"""Time to wait for a missing packet, by the arrival times in the journal.

Browsers give up after about three seconds, and senders keep packets for less than ten seconds.
"""

EARLIEST: Final = -15.0
LATEST: Final = 1.0
"""Plausible range of a frame's capture time minus the arrival of its last packet, in seconds.

Outside of it, the sender's clocks are wrong.
"""


class TrackKey(NamedTuple):
    """Identifies a track, whose frames one decoder can decode."""

    leg: int
    content: Content
    codec: str
    lane: int = 0


class TimedFrame(NamedTuple):
    """Encoded frame with its capture time, in seconds since the epoch by our clock.

    `source` distinguishes the streams of a track; a newer stream has a greater one. `packets` is
    the number of packets that carried the frame, 0 if it fills a gap. `arrival` is the arrival of
    the last of them.
    """

    time: float
    track: TrackKey
    source: tuple[int, int]
    is_key: bool
    data: bytes
    packets: int = 0
    arrival: float = 0.0


MAX_GATHERED_PACKETS: Final = 512
"""A frame with more packets is passed to its depacketiser packet by packet."""

MARKER: Final = 0x80

GatheredPacket = tuple[int, int, float, int, bytes]
"""Sequence number, timestamp, arrival, second byte of the header, and payload (not empty).

It is a plain tuple because one is created for nearly every packet.
"""

_Due = tuple[int, float, str, bool, bytes]
"""Timestamp (unwrapped), arrival, codec, marker and payload of a packet."""


class StreamDepacketiser:
    """Reorders the packets of a stream and assembles their payloads into frames.

    Nearly all packets arrive in order. Those with the codec `gathered_codec` are collected in
    `gathered` and processed together, which costs less than processing each of them alone.
    """

    def __init__(self, stream: RtpStream, held_bytes: HeldBytes) -> None:
        self._is_audio = stream.is_audio
        self._numbers = SequenceNumbers()
        self._timestamps = Unwrapper(32)
        self._timestamps.unwrap(stream.first_timestamp)
        self._reorder: Reorder[_Due] = Reorder(HOLD_SECONDS, held_bytes)
        self._depacketiser: Depacketiser | None = None
        self._codec = ""
        self._doubtful: _Due | None = None
        self.gathered: list[GatheredPacket] = []
        self.gathered_codec = ""

    def push(self, packet: Packet, arrival: float) -> list[PlacedFrame]:
        """Add a packet after the gathered ones; return the frames that are complete now."""
        _, rtp, codec, is_repair = packet
        _, marker, sequence_number, timestamp, _, payload = rtp
        frames = self._take_each()
        if not is_repair:
            return frames + self._take(sequence_number, timestamp, arrival, codec, marker, payload)
        number = self._numbers.nearest(sequence_number)
        due = self._timestamps.nearest(timestamp), arrival, codec, marker, payload
        return frames + self._reordered(number, due)

    def take_gathered(self) -> list[PlacedFrame]:
        """Process the gathered packets; return the frames that are complete now.

        The packets of an incomplete picture remain gathered.
        """
        gathered = self.gathered
        is_next = self._reorder.expects(self._numbers.next_number)
        if not is_next or self._codec != self.gathered_codec:
            return self._take_each()
        sequence_numbers, timestamps, arrivals, seconds, payloads = zip(*gathered, strict=True)
        if not self._numbers.are_following(sequence_numbers):
            return self._take_each()
        if self._is_audio:
            return self._take_voice(timestamps, arrivals, payloads)
        ends = [end for end, second in enumerate(seconds, start=1) if second >= MARKER]
        if not ends:
            return [] if len(gathered) <= MAX_GATHERED_PACKETS else self._take_each()
        placed = self._take_pictures(
            self._count(ends[-1], arrivals[ends[-1] - 1]), ends, timestamps, arrivals, payloads
        )
        del gathered[: ends[-1]]
        return placed

    def _take_pictures(
        self,
        number: int,
        ends: Sequence[int],
        timestamps: Sequence[int],
        arrivals: Sequence[float],
        payloads: Sequence[bytes],
    ) -> list[PlacedFrame]:
        """Process consecutive packets of video, the first of which has this number.

        `ends` are the indices after the packets with the marker bit, which end a picture.
        """
        codec, depacketiser, new = self._codec, self._depacketiser, tuple.__new__
        unwrapped = self._timestamps.unwrap_all(timestamps[: ends[-1]])
        placed: list[PlacedFrame] = []
        start = 0
        for end in ends:
            timestamp, run = unwrapped[start], unwrapped[start:end]
            if depacketiser and run.count(timestamp) == end - start:
                frames = depacketiser.push_run(number + start, timestamp, [*payloads[start:end]])
                arrival, last = arrivals[end - 1], number + end - 1
                # Equal to `PlacedFrame(…)`, which takes twice as long.
                placed += [new(PlacedFrame, (codec, arrival, last, frame)) for frame in frames]
            else:
                each = [
                    self._depacketise(
                        number + at, unwrapped[at], arrivals[at], codec, at == end - 1, payloads[at]
                    )
                    for at in range(start, end)
                ]
                placed += [one for one in each if one]
            start = end
        return placed

    def _take_voice(
        self, timestamps: Sequence[int], arrivals: Sequence[float], payloads: Sequence[bytes]
    ) -> list[PlacedFrame]:
        """Process consecutive packets of audio, each of which is a frame."""
        number = self._count(len(arrivals), arrivals[-1])
        unwrapped = self._timestamps.unwrap_all(timestamps)
        codec, depacketise = self._codec, self._depacketise
        each = [
            depacketise(at, timestamp, arrival, codec, False, payload)
            for at, timestamp, arrival, payload in zip(
                count(number), unwrapped, arrivals, payloads, strict=False
            )
        ]
        self.gathered.clear()
        return [one for one in each if one]

    def _take_each(self) -> list[PlacedFrame]:
        """Process the gathered packets one by one."""
        gathered = self.gathered.copy()
        self.gathered.clear()
        frames: list[PlacedFrame] = []
        for sequence_number, timestamp, arrival, second, payload in gathered:
            marker = second >= MARKER
            frames += self._take(
                sequence_number, timestamp, arrival, self.gathered_codec, marker, payload
            )
        return frames

    def _count(self, packets: int, arrival: float) -> int:
        """Account for consecutive packets, the last of which came at `arrival`.

        Returns the unwrapped number of the first.
        """
        number = self._numbers.follow(packets, arrival)
        self._reorder.passes(number, packets)
        return number

    def _take(
        self,
        sequence_number: int,
        timestamp: int,
        arrival: float,
        codec: str,
        marker: bool,
        payload: bytes,
    ) -> list[PlacedFrame]:
        number = self._numbers.unwrap(sequence_number, arrival)
        if number is None:
            self._doubtful = timestamp, arrival, codec, marker, payload
            return []
        frames = self._resolve(self._doubtful, number) if self._doubtful else []
        unwrapped = self._timestamps.unwrap(timestamp)
        if self._reorder.passes(number):
            placed = self._depacketise(number, unwrapped, arrival, codec, marker, payload)
            if placed:
                frames.append(placed)
            return frames
        return frames + self._reordered(number, (unwrapped, arrival, codec, marker, payload))

    def due(self, now: float) -> list[PlacedFrame]:
        """Return the frames of packets that were held for reordering long enough."""
        return self._frames(self._reorder.due(now))

    def flush(self) -> list[PlacedFrame]:
        """Process all gathered and held packets; return their complete frames."""
        return self._take_each() + self._frames(self._reorder.flush())

    def _resolve(self, doubtful: _Due, number: int) -> list[PlacedFrame]:
        """Process the packet that may have been the first after a restart of the numbering.

        `number` is that of the packet after it, which has shown whether this was a restart.
        """
        self._doubtful = None
        if not self._numbers.has_restarted:
            return []
        frames = self.flush()
        timestamp, arrival, codec, marker, payload = doubtful
        due = self._timestamps.unwrap(timestamp), arrival, codec, marker, payload
        return frames + self._reordered(number - 1, due)

    def _reordered(self, number: int, due: _Due) -> list[PlacedFrame]:
        _, arrival, _, _, payload = due
        return self._frames(self._reorder.push(number, due, arrival, len(payload)))

    def _frames(self, items: Iterable[tuple[int, _Due]]) -> list[PlacedFrame]:
        placed = [self._depacketise(number, *due) for number, due in items]
        return [one for one in placed if one]

    def _depacketise(
        self, number: int, timestamp: int, arrival: float, codec: str, marker: bool, payload: bytes
    ) -> PlacedFrame | None:
        if codec != self._codec or self._depacketiser is None:
            self._codec = codec
            self._depacketiser = DEPACKETISERS[codec]()
        frame = self._depacketiser.push(number, timestamp, marker, payload)
        if frame is None:
            return None
        # Equal to `PlacedFrame(…)`, which takes twice as long.
        return tuple.__new__(PlacedFrame, (codec, arrival, number, frame))


class CaptureTimes:
    """Capture times of one stream's frames.

    If the stream's clock has no break, they are computed every quarter of a second and interpolated
    linearly, which takes a third of the time of computing each.
    """

    def __init__(self, stream: RtpStream, timeline: SenderTimeline) -> None:
        self._stream = stream
        self._timeline = timeline
        self._step = stream.clock.rate // 4
        self._from = self._until = 0
        self._time = self._slope = 0.0

    def time(self, placed: PlacedFrame) -> float:
        """Return the same as `capture_time`."""
        timestamp = placed.frame.timestamp
        if self._from <= timestamp < self._until or self._draw(placed.number, timestamp):
            time = self._time + (timestamp - self._from) * self._slope
            if EARLIEST <= time - placed.arrival <= LATEST:
                return time
        return capture_time(self._stream, self._timeline, placed)

    def _draw(self, number: int, timestamp: int) -> bool:
        """Set the line for interpolation from a timestamp on; return whether that is possible."""
        clock = self._stream.clock
        if not clock.is_even:
            return False
        start = self._timeline.time(clock, number, timestamp)
        end = self._timeline.time(clock, number, timestamp + self._step)
        if start is None or end is None:
            return False
        self._from, self._until = timestamp, timestamp + self._step
        self._time, self._slope = start, (end - start) / self._step
        return True


def capture_time(stream: RtpStream, timeline: SenderTimeline, placed: PlacedFrame) -> float:
    """Return when a frame was captured, in seconds since the epoch by our clock.

    If the sender's clocks are implausible, the arrival of the packets is used instead.
    """
    arrival, number, frame = placed.arrival, placed.number, placed.frame
    time = timeline.time(stream.clock, number, frame.timestamp)
    if time is None or not EARLIEST <= time - arrival <= LATEST:
        time = stream.clock.arrival_time(number, frame.timestamp)
    return time if time is not None and EARLIEST <= time - arrival <= LATEST else arrival
