"""Statistics of one leg, counted from its RTP and RTCP packets. They are the source of `LegReport`.

The relay does not change sequence numbers and timestamps, so a browser's reception reports
(RFC 3550 §6.4) describe the whole path from the other browser. The loss and jitter that the packets
already had when they reached us are subtracted. The round trip is the one between us and the
browser: from the time at which we forwarded a sender report to the time of its answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from visavis.rtp.key_frame_watch import KeyFrameWatch, Watcher
from visavis.rtp.mos import LegReport, estimate_mos
from visavis.rtp.rtcp import ReceptionReport, TimeAnswer, TimeQuestion, read_feedback

MAX_STREAMS: Final = 128
"""Limit of the synchronisation sources (SSRCs) of one browser.

Each source takes memory until the leg is closed.
"""

MAX_QUESTIONS: Final = 32
AUDIO_RATE: Final = 48_000  # Opus's clock is always this (RFC 7587 §4.1)

_HALF: Final = 1 << 15

SourceCounts = tuple[int, int, int, int, float]
"""Highest sequence number, packets expected, packets received, bytes received, and jitter."""


class SourceStats:
    """Counts of one source of a browser, updated with each packet (RFC 3550 Appendix A)."""

    __slots__ = (
        "_transit",
        "expected",
        "highest",
        "is_audio",
        "jitter",
        "octets",
        "payload_type",
        "received",
        "received_before",
        "watcher",
    )

    def __init__(self, packet: bytes) -> None:
        self.payload_type = packet[1] & 0x7F
        self.is_audio = False
        self.highest = (packet[2] << 8 | packet[3]) - 1
        self.expected = 0
        self.received = 0
        self.received_before = 0
        self.octets = 0
        self.jitter = 0.0
        self.watcher: Watcher | None = None
        self._transit: int | None = None

    def see(self, packet: bytes, arrival_us: int) -> None:
        """Count a packet; `arrival_us` is in microseconds of the monotonic clock."""
        step = (packet[2] << 8 | packet[3]) - self.highest & 0xFFFF
        watcher = self.watcher
        if watcher is not None and (step != 1 or watcher.is_alert):
            watcher.see(packet, self.highest, step)
        if step < _HALF:
            self.highest += step
            self.expected += step
        self.received += 1
        self.octets += len(packet)
        if self.is_audio:
            self._see_transit(packet, arrival_us)

    def _see_transit(self, packet: bytes, arrival_us: int) -> None:
        timestamp = int.from_bytes(packet[4:8])
        transit = arrival_us * AUDIO_RATE // 1_000_000 - timestamp & 0xFFFFFFFF
        if self._transit is not None:
            difference = abs((transit - self._transit + (1 << 31) & 0xFFFFFFFF) - (1 << 31))
            self.jitter += (difference - self.jitter) / 16
        self._transit = transit


class _LastReport:
    """Last reception report of a browser about one source that we forward to it."""

    __slots__ = ("before_us", "highest", "lost")

    def __init__(self, highest: int, lost: int, before_us: int) -> None:
        self.highest = highest
        self.lost = lost
        self.before_us = before_us


class LegStats:
    """Statistics of one leg. A source is identified by the four bytes of its SSRC."""

    def __init__(self) -> None:
        self.streams: dict[bytes, SourceStats] = {}
        self._rtcp_packets = self._rtcp_bytes = 0
        self.bytes_out = self.packets_out = 0
        self._audio_types: frozenset[int] = frozenset()
        self.watch: KeyFrameWatch | None = None
        self._rtcp_sources: set[bytes] = set()
        self._questions: dict[int, float] = {}
        self._last_reports: dict[bytes, _LastReport] = {}
        self._counted = (0, 0)
        self._lost_out = self._expected_out = 0
        self._loss_in = self._loss_out = self._jitter_out = 0.0
        self._round_trip: float | None = None

    @property
    def packets_in(self) -> int:
        """Number of packets received from the browser, including RTCP."""
        return self._rtcp_packets + sum(stream.received for stream in self.streams.values())

    @property
    def bytes_in(self) -> int:
        """Number of bytes received from the browser, including RTCP."""
        return self._rtcp_bytes + sum(stream.octets for stream in self.streams.values())

    def refresh(self) -> None:
        """Update the counts, in subclasses whose packets are counted elsewhere (in C)."""

    def set_counts(self, source: bytes, payload_type: int, counts: SourceCounts) -> None:
        """Set the counts of a source, known or new, that was counted elsewhere."""
        stream = self.streams.get(source)
        if stream is None:
            stream = self._add_stream(source, bytes((0x80, payload_type, 0, 0)))
        stream.highest, stream.expected, stream.received, stream.octets, stream.jitter = counts

    def set_audio(self, payload_types: tuple[int, ...]) -> None:
        """Set the payload types of audio, the only medium whose jitter is measured."""
        self._audio_types = frozenset(payload_types)
        for stream in self.streams.values():
            stream.is_audio = stream.payload_type in self._audio_types

    def watch_video(self, watch: KeyFrameWatch) -> None:
        """Pass the packets of every stream of video and of retransmissions to `watch`."""
        self.watch = watch
        for source, stream in self.streams.items():
            stream.watcher = watch.watcher(source, stream.payload_type)

    def admits(self, source: bytes) -> bool:
        """Whether packets of this source are accepted: it is known, or `MAX_STREAMS` allows it."""
        if source in self.streams or source in self._rtcp_sources:
            return True
        return len(self.streams) + len(self._rtcp_sources) < MAX_STREAMS

    def receive_rtp(self, packet: bytes, arrival_us: int) -> None:
        """Count an RTP packet; `arrival_us` is in microseconds of the monotonic clock."""
        source = packet[8:12]
        stream = self.streams.get(source)
        if stream is None:
            stream = self._add_stream(source, packet)
        stream.see(packet, arrival_us)

    def receive_rtcp(self, compound: bytes, others: Sequence[LegStats], now: float) -> None:
        """Evaluate a browser's compound packet.

        `others` are the legs whose media this browser receives and reports on; `now` is in seconds.
        """
        if (source := compound[4:8]) not in self.streams:
            self._rtcp_sources.add(source)
        self._rtcp_packets += 1
        self._rtcp_bytes += len(compound)
        for item in read_feedback(compound):
            match item:
                case TimeQuestion(middle):
                    for other in others:
                        other.record_question(middle, now)
                case TimeAnswer(middle, held):
                    self._answered(middle, held, now)
                case ReceptionReport():
                    self._answered(item.last_report, item.delay, now)
                    for other in others:
                        self._reported(item, other)

    def record_question(self, middle: int, now: float) -> None:
        """Record when a sender report, or an RRTR block, was sent to this leg's browser."""
        if len(self._questions) >= MAX_QUESTIONS:
            del self._questions[next(iter(self._questions))]
        self._questions[middle] = now

    def report(self, *, is_silent: bool = False) -> LegReport:
        """Return the report of the time since the last one.

        `is_silent` says that no packet came for a while; then `loss_in` is 1.
        """
        self._count_in()
        self._count_out()
        loss_in = 1.0 if is_silent else self._loss_in
        jitter = max(self._jitter_in(), self._jitter_out) * 1000 / AUDIO_RATE
        mos = None
        if self._round_trip is not None:
            mos = estimate_mos(max(loss_in, self._loss_out), jitter, self._round_trip)
        return LegReport(
            loss_in=loss_in,
            loss_out=self._loss_out,
            jitter=jitter,
            round_trip=self._round_trip,
            mos=mos,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            packets_in=self.packets_in,
            packets_out=self.packets_out,
        )

    def sources(self, payload_types: Collection[int]) -> list[int]:
        """Return the SSRCs that have sent one of these payload types, oldest first."""
        return [
            int.from_bytes(source)
            for source, stream in self.streams.items()
            if stream.payload_type in payload_types
        ]

    def _add_stream(self, source: bytes, packet: bytes) -> SourceStats:
        stream = self.streams[source] = SourceStats(packet)
        stream.is_audio = stream.payload_type in self._audio_types
        if self.watch:
            stream.watcher = self.watch.watcher(source, stream.payload_type)
        return stream

    def _jitter_in(self) -> float:
        """Return the worst jitter of the audio that is arriving now, in RTP clock ticks."""
        jitters = [0.0]
        for stream in self.streams.values():
            if stream.is_audio and stream.received > stream.received_before:
                jitters.append(stream.jitter)
            stream.received_before = stream.received
        return max(jitters)

    def _count_in(self) -> None:
        expected = sum(stream.expected for stream in self.streams.values())
        received = sum(stream.received for stream in self.streams.values())
        expected_before, received_before = self._counted
        if expected > expected_before:
            lost = (expected - expected_before) - (received - received_before)
            self._loss_in = max(0, lost) / (expected - expected_before)
            self._counted = expected, received

    def _count_out(self) -> None:
        if self._expected_out > 0:
            self._loss_out = min(1.0, max(0, self._lost_out) / self._expected_out)
            self._lost_out = self._expected_out = 0

    def _answered(self, middle: int, held: int, now: float) -> None:
        """Compute the round trip; the browser kept the question for `held`, in 1/65536 s."""
        asked_at = self._questions.get(middle)
        if middle and asked_at is not None:
            self._round_trip = max(0.0, (now - asked_at - held / 65536) * 1000)

    def _reported(self, report: ReceptionReport, other: LegStats) -> None:
        stream = other.streams.get(report.source)
        if stream is None:
            return
        before_us = stream.expected - stream.received
        last = self._last_reports.get(report.source)
        if last:
            arrived_here = report.highest - last.highest - (before_us - last.before_us)
            self._expected_out += max(0, arrived_here)
            self._lost_out += report.lost - last.lost - (before_us - last.before_us)
        self._last_reports[report.source] = _LastReport(report.highest, report.lost, before_us)
        if stream.is_audio:
            self._jitter_out = max(0.0, report.jitter - stream.jitter)
