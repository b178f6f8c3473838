"""A recording's journals as media: frames of each participant, placed in time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from visavis.domain.errors import VisavisError
from visavis.rtp.codecs.rtx import unwrap_rtx
from visavis.rtp.codecs.vp8 import Depacketiser, key_frame_size, parse_fragment
from visavis.rtp.journal import JournalLeg, Record, RecordKind, read_journal
from visavis.rtp.packet import RtpPacket, parse_rtp
from visavis.rtp.rtcp import sender_reports
from visavis.rtp.sdp import Codec, media_sections
from visavis.rtp.sequence import Reorder, Unwrapper
from visavis.rtp.timeline import SenderTimeline, StreamClock, ntp_seconds

HOLD_SECONDS: Final = 1.0
MAX_STREAMS: Final = 64

StreamKey = tuple[JournalLeg, int]
TrackKey = tuple[JournalLeg, str]


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """An encoded frame; `time` in seconds since the epoch, by our clock."""

    track: TrackKey
    time: float
    is_key: bool
    data: bytes


@dataclass(slots=True)
class Survey:
    """What a first reading tells: codecs, clocks, picture sizes."""

    codecs: dict[int, Codec] = field(default_factory=dict)
    timelines: dict[JournalLeg, SenderTimeline] = field(default_factory=dict)
    sizes: dict[JournalLeg, tuple[int, int]] = field(default_factory=dict)
    has_audio: set[JournalLeg] = field(default_factory=set)

    @property
    def tracks(self) -> list[TrackKey]:
        """Visitor audio, visitor video, agent audio, agent video, as far as there are any."""
        found: list[TrackKey] = []
        for leg in (JournalLeg.VISITOR, JournalLeg.AGENT):
            found += [(leg, "audio")] if leg in self.has_audio else []
            found += [(leg, "video")] if leg in self.sizes else []
        return found


def read_records(journals: Iterable[Path]) -> Iterator[Record]:
    for journal in journals:
        with journal.open("rb") as file:
            yield from read_journal(file)


def survey(journals: list[Path]) -> Survey:
    """Read once through, keeping only clocks."""
    found = Survey(codecs=_codecs(read_records(journals)))
    unwrappers: dict[StreamKey, Unwrapper] = {}
    for record in read_records(journals):
        timeline = found.timelines.setdefault(record.leg, SenderTimeline())
        arrival = record.arrival_us / 1e6
        if record.kind is RecordKind.RTP:
            _survey_packet(found, timeline, unwrappers, record)
        elif record.kind is RecordKind.RTCP:
            for report in sender_reports(record.payload):
                unwrapper = unwrappers.get((record.leg, report.ssrc))
                if unwrapper:
                    timestamp = unwrapper.unwrap(report.timestamp)
                    ntp = ntp_seconds(report.ntp_time)
                    timeline.see_report(report.ssrc, timestamp, ntp, arrival)
    return found


def _survey_packet(
    found: Survey,
    timeline: SenderTimeline,
    unwrappers: dict[StreamKey, Unwrapper],
    record: Record,
) -> None:
    packet = parse_rtp(record.payload)
    codec = found.codecs.get(packet.payload_type) if packet else None
    if packet is None or codec is None or codec.name == "RTX" or not packet.payload:
        return
    key = (record.leg, packet.ssrc)
    if key not in unwrappers:
        if len(unwrappers) >= MAX_STREAMS:
            return
        unwrappers[key] = Unwrapper(32)
        timeline.streams[packet.ssrc] = StreamClock(codec.clock_rate)
    timestamp = unwrappers[key].unwrap(packet.timestamp)
    timeline.streams[packet.ssrc].see_packet(timestamp, record.arrival_us / 1e6)
    if codec.name == "OPUS":
        found.has_audio.add(record.leg)
    elif record.leg not in found.sizes and (fragment := parse_fragment(packet.payload)):
        size = key_frame_size(fragment.data) if fragment.starts_frame else None
        if size and all(size):
            found.sizes[record.leg] = size


def _codecs(records: Iterator[Record]) -> dict[int, Codec]:
    """The agreed payload types: those of the answer, else of the offer."""
    for record in records:
        if record.kind is RecordKind.NOTE:
            note = json.loads(record.payload)
            if note.get("type") == "descriptions":
                offered, answered = _codecs_of(note["visitor"]), _codecs_of(note["agent"])
                return {**offered, **answered}
    return {}


def _codecs_of(sdp: str) -> dict[int, Codec]:
    try:
        return {
            number: codec
            for section in media_sections(sdp)
            for number, codec in section.codecs.items()
            if codec.name in {"OPUS", "VP8", "RTX"}
        }
    except VisavisError:
        return {}


class Demuxer:
    """Second reading: frames in the order in which their packets came, each with its time."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._streams: dict[StreamKey, _Stream] = {}
        self._video: dict[JournalLeg, int] = {}

    def frames(self, journals: list[Path]) -> Iterator[TimedFrame]:
        for record in read_records(journals):
            if record.kind is RecordKind.RTP and (packet := self._media(record)):
                yield from self._push(record.leg, packet, record.arrival_us / 1e6)
        for stream in self._streams.values():
            yield from stream.flush()

    def _media(self, record: Record) -> RtpPacket | None:
        """The packet, or the one that a retransmission repairs."""
        packet = parse_rtp(record.payload)
        codec = self._found.codecs.get(packet.payload_type) if packet else None
        if packet is None or codec is None:
            return None
        if codec.name == "RTX":
            ssrc = self._video.get(record.leg)
            is_usable = ssrc is not None and codec.apt is not None
            return unwrap_rtx(packet, codec.apt or 0, ssrc or 0) if is_usable else None
        if codec.name == "VP8":
            self._video[record.leg] = packet.ssrc
        return packet

    def _push(self, leg: JournalLeg, packet: RtpPacket, now: float) -> Iterator[TimedFrame]:
        timeline = self._found.timelines[leg]
        if packet.ssrc not in timeline.streams:
            return
        key = (leg, packet.ssrc)
        if key not in self._streams:
            codec = self._found.codecs[packet.payload_type]
            kind = "audio" if codec.name == "OPUS" else "video"
            self._streams[key] = _Stream((leg, kind), packet.ssrc, timeline)
        yield from self._streams[key].push(packet, now)


class _Stream:
    """One RTP stream on its way from packets to frames."""

    def __init__(self, track: TrackKey, ssrc: int, timeline: SenderTimeline) -> None:
        self._track = track
        self._ssrc = ssrc
        self._timeline = timeline
        self._numbers = Unwrapper(16)
        self._timestamps = Unwrapper(32)
        self._reorder: Reorder[tuple[int, RtpPacket]] = Reorder(HOLD_SECONDS)
        self._vp8 = Depacketiser()

    def push(self, packet: RtpPacket, now: float) -> Iterator[TimedFrame]:
        number = self._numbers.unwrap(packet.sequence_number)
        timestamp = self._timestamps.unwrap(packet.timestamp)
        for due, item in self._reorder.push(number, (timestamp, packet), now):
            yield from self._frame(due, *item)

    def flush(self) -> Iterator[TimedFrame]:
        for due, item in self._reorder.flush():
            yield from self._frame(due, *item)

    def _frame(self, number: int, timestamp: int, packet: RtpPacket) -> Iterator[TimedFrame]:
        if self._track[1] == "audio":
            if packet.payload:
                yield self._timed(timestamp, packet.payload, is_key=True)
        elif frame := self._vp8.push(number, timestamp, packet):
            yield self._timed(frame.timestamp, frame.data, is_key=frame.is_key)

    def _timed(self, timestamp: int, data: bytes, *, is_key: bool) -> TimedFrame:
        return TimedFrame(self._track, self._timeline.time(self._ssrc, timestamp), is_key, data)
