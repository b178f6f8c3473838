"""Depacketiser of one RTP stream: from packets to frames, each placed in time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from visavis.recorder.mux.streams import Content, Packet, PlacedFrame, RtpStream
from visavis.rtp.codecs import DEPACKETISERS, Depacketiser
from visavis.rtp.sequence import HeldBytes, Reorder, SequenceNumbers, Unwrapper
from visavis.rtp.timeline import SenderTimeline

HOLD_SECONDS: Final = 12.0
"""A missing packet is waited for by the clock of the journal, which costs nobody any time.

Live receivers give up after about three seconds, and a sender keeps packets for less than ten.
"""

EARLIEST: Final = -15.0
LATEST: Final = 1.0
"""A frame is not captured so long before, or after, its last packet came: its clocks are wrong."""


class TrackKey(NamedTuple):
    """Frames of one track: they fit one decoder."""

    leg: int
    content: Content
    codec: str
    lane: int = 0


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


MAX_RUN_PACKETS: Final = 512
"""A frame of more packets goes to its depacketiser packet by packet."""

_Due = tuple[int, float, str, bool, bytes]
"""A packet's timestamp, arrival, codec, marker and payload."""


class StreamDepacketiser:
    """Reorders the packets of a stream and assembles their payloads to frames.

    Nearly all packets come in order. Those of one picture are gathered to a run until the last of
    them has come, so that they are counted and assembled in one step.
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
        self._run: list[bytes] = []
        self._run_arrivals: list[float] = []
        self._run_timestamp = 0
        self._after_run = -1  # the sequence number that continues the run

    def push(self, packet: Packet, arrival: float) -> list[PlacedFrame]:
        """Return the frames that are whole now."""
        _, rtp, codec, is_repair = packet
        _, marker, sequence_number, timestamp, _, payload = rtp
        if not is_repair:
            return self.take(sequence_number, timestamp, arrival, codec, marker, payload)
        frames = self._break_run()
        number = self._numbers.nearest(sequence_number)
        due = self._timestamps.nearest(timestamp), arrival, codec, marker, payload
        return frames + self._reordered(number, due)

    def take(
        self,
        sequence_number: int,
        timestamp: int,
        arrival: float,
        codec: str,
        marker: bool,
        payload: bytes,
    ) -> list[PlacedFrame]:
        """Push a packet that is not a repair, given by its fields."""
        if self._is_audio:
            return self._take(sequence_number, timestamp, arrival, codec, marker, payload)
        frames: list[PlacedFrame] = []
        if sequence_number != self._after_run or not self._continues_run(timestamp, codec):
            frames = self._break_run()
            if not self._begins_run(sequence_number, codec):
                return frames + self._take(
                    sequence_number, timestamp, arrival, codec, marker, payload
                )
            self._run_timestamp = timestamp
        self._run.append(payload)
        self._run_arrivals.append(arrival)
        self._after_run = (sequence_number + 1) & 0xFFFF
        return frames + self._end_run() if marker else frames

    def _take(
        self,
        sequence_number: int,
        timestamp: int,
        arrival: float,
        codec: str,
        marker: bool,
        payload: bytes,
    ) -> list[PlacedFrame]:
        """Take a packet that belongs to no run."""
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
        """The frames that need not be held back any longer, though no packet has come."""
        return self._frames(self._reorder.due(now))

    def flush(self) -> list[PlacedFrame]:
        return self._break_run() + self._frames(self._reorder.flush())

    def _continues_run(self, timestamp: int, codec: str) -> bool:
        """Whether the next packet belongs to the same picture."""
        return (
            timestamp == self._run_timestamp
            and codec == self._codec
            and len(self._run) < MAX_RUN_PACKETS
        )

    def _begins_run(self, sequence_number: int, codec: str) -> bool:
        """Whether a packet is the next in order, with none before it missing."""
        return (
            sequence_number == self._numbers.following
            and codec == self._codec
            and self._reorder.expects(self._numbers.next_number)
        )

    def _end_run(self) -> list[PlacedFrame]:
        """Return the frames of a run that is whole."""
        depacketiser, payloads, arrival = self._depacketiser, self._run, self._run_arrivals[-1]
        if depacketiser is None:
            return []
        number, timestamp = self._count_run()
        frames = depacketiser.push_run(number, timestamp, payloads)
        number += len(payloads) - 1
        return [PlacedFrame(self._codec, arrival, number, frame) for frame in frames]

    def _break_run(self) -> list[PlacedFrame]:
        """Return the frames of a run that does not go on: its last packet has not come."""
        payloads, arrivals, codec = self._run, self._run_arrivals, self._codec
        if not payloads:
            return []
        first, timestamp = self._count_run()
        placed = [
            self._depacketise(first + index, timestamp, arrival, codec, False, payload)
            for index, (arrival, payload) in enumerate(zip(arrivals, payloads, strict=True))
        ]
        return [one for one in placed if one]

    def _count_run(self) -> tuple[int, int]:
        """Count the run's packets and begin a new run; the first one's number and timestamp."""
        count = len(self._run)
        number = self._numbers.follow(count, self._run_arrivals[-1])
        self._reorder.passes(number, count)
        self._run, self._run_arrivals, self._after_run = [], [], -1
        return number, self._timestamps.unwrap(self._run_timestamp)

    def _resolve(self, doubtful: _Due, number: int) -> list[PlacedFrame]:
        """Once it is known whether the sender has started again with the packet in doubt."""
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
        # as `PlacedFrame(…)` does it, which takes twice as long
        return tuple.__new__(PlacedFrame, (codec, arrival, number, frame))


class CaptureTimes:
    """Capture times of one stream's frames.

    They are found every quarter of a second and lie on a line in between, as long as the stream's
    clock runs on: that costs a third of finding each.
    """

    def __init__(self, stream: RtpStream, timeline: SenderTimeline) -> None:
        self._stream = stream
        self._timeline = timeline
        self._step = stream.clock.rate // 4
        self._from = self._until = 0
        self._time = self._slope = 0.0

    def time(self, placed: PlacedFrame) -> float:
        """Return when a frame was captured, as `capture_time` does."""
        timestamp = placed.frame.timestamp
        if self._from <= timestamp < self._until or self._draw(placed.number, timestamp):
            time = self._time + (timestamp - self._from) * self._slope
            if EARLIEST <= time - placed.arrival <= LATEST:
                return time
        return capture_time(self._stream, self._timeline, placed)

    def _draw(self, number: int, timestamp: int) -> bool:
        """Draw a line from a timestamp on; whether that can be."""
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
    """Return when a frame was captured, by our clock.

    If the sender's clocks are implausible, it is the arrival of its last packet.
    """
    arrival, number, frame = placed.arrival, placed.number, placed.frame
    time = timeline.time(stream.clock, number, frame.timestamp)
    if time is None or not EARLIEST <= time - arrival <= LATEST:
        time = stream.clock.arrival_time(number, frame.timestamp)
    return time if time is not None and EARLIEST <= time - arrival <= LATEST else arrival
