"""A first reading of a recording's journals: tracks, clocks, pauses, beginning and end."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from math import prod
from pathlib import Path
from typing import Final, NamedTuple

from visavis.domain.call_events import CallEvent
from visavis.recorder.lanes import assign_lanes
from visavis.recorder.link import MIN_AUDIBLE_BYTES, BridgeId, Content, PlacedFrame, Stream
from visavis.recorder.pipeline import Pipeline, TrackKey, capture_time
from visavis.rtp.codecs import Frame
from visavis.rtp.journal import JournalLeg, RecordKind, RecordParts, read_blocks
from visavis.rtp.notes import AnyNote, Descriptions, Gap, Paused, Resumed, Stopped, parse_note
from visavis.rtp.packet import HEADER
from visavis.rtp.rtcp import sender_reports
from visavis.rtp.sequence import HeldBytes, SequenceNumbers, Unwrapper
from visavis.rtp.timeline import ntp_seconds

EARLIEST_US: Final = 946_684_800_000_000
LATEST_US: Final = 4_102_444_800_000_000
"""The years 2000 to 2100: a record from outside is not believed."""

MAX_EVENTS: Final = 10_000
MAX_AHEAD: Final = 1000
"""Records before the first descriptions."""

_EXTENSION_WORDS: Final = struct.Struct("!H")
_ORDER: Final = (
    (JournalLeg.VISITOR, "audio"),
    (JournalLeg.VISITOR, "video"),
    (JournalLeg.AGENT, "audio"),
    (JournalLeg.AGENT, "video"),
    (JournalLeg.VISITOR, "screen"),
    (JournalLeg.AGENT, "screen"),
)
_SIDES: Final = {JournalLeg.VISITOR: "Visitor", JournalLeg.AGENT: "Agent"}


class Span(NamedTuple):
    """Seconds since the epoch, by our clock."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Track:
    """`first` is its first key frame, `start` when that was captured.

    `size` is the largest of its pictures, where they have spatial layers.
    """

    key: TrackKey
    name: str
    first: Frame
    start: float
    size: tuple[int, int] | None = None


@dataclass(slots=True)
class Survey:
    """`ends_of_video` are moments when a side turned off its camera or stopped sharing a screen."""

    links: list[BridgeId] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)
    ends_of_video: list[tuple[float, JournalLeg, Content]] = field(default_factory=list)
    events: list[CallEvent] = field(default_factory=list)
    lost_records: int = 0
    stops: list[tuple[float, str]] = field(default_factory=list)
    start: float = 0.0
    end: float = 0.0


def read_batches(journal: Path) -> Iterator[list[RecordParts]]:
    """Yield the believable records of a journal, many at once; none of another file."""
    with journal.open("rb") as file, suppress(ValueError):
        for records in read_blocks(file):
            yield [record for record in records if EARLIEST_US < record[0] < LATEST_US]


def survey(journals: list[Path]) -> Survey:
    """Read once through, keeping clocks and first frames. Raises `OSError`."""
    found = Survey()
    for number, journal in enumerate(journals, start=1):
        _Reading(found, BridgeId(number)).read(journal)
    found.pauses = _united(found.pauses)
    found.tracks = _tracks(found.links)
    ends = [stream.last for link in found.links for stream in link.streams.values()]
    ends += [span.end for span in found.pauses]
    found.start = min((track.start for track in found.tracks), default=0.0)
    found.end = max(ends, default=0.0)
    return found


def _described(records: Iterator[RecordParts]) -> Iterator[RecordParts]:
    """The first descriptions before all else: media may be ahead of them by a little."""
    ahead: list[RecordParts] = []
    for record in records:
        ahead.append(record)
        _, kind, _, payload = record
        is_description = kind is RecordKind.NOTE and isinstance(parse_note(payload), Descriptions)
        if is_description:
            yield ahead.pop()
        if is_description or len(ahead) == MAX_AHEAD:
            break
    yield from ahead
    yield from records


class _Counters:
    """A stream's sequence numbers and timestamps, unwrapped."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.clock = stream.clock
        self.is_audio = stream.is_audio
        self.numbers = SequenceNumbers()
        self.timestamps = Unwrapper(32)
        self.timestamps.unwrap(stream.first_timestamp)


class _Reading:
    """The first reading of one bridge's journal."""

    def __init__(self, found: Survey, link: BridgeId) -> None:
        self._found = found
        self._link = link
        self._counters: dict[Stream, _Counters] = {}
        self._pipelines: dict[Stream, Pipeline] = {}
        self._held_bytes = HeldBytes()
        self._settled: dict[tuple[JournalLeg, int, int], _Counters] = {}
        self._paused_at: float | None = None
        self._first: float | None = None
        self._has_media = False

    def read(self, journal: Path) -> None:
        arrival = 0.0
        media = RecordKind.RTP
        records = chain.from_iterable(read_batches(journal))
        for arrival_us, kind, leg, payload in _described(records):
            arrival = arrival_us / 1e6
            if self._first is None:
                self._first = arrival
            if kind is media:
                if leg:
                    self._has_media = True
                    self._packet(leg, payload, arrival)
            else:
                self._other(kind, leg, payload, arrival)
        for stream, pipeline in self._pipelines.items():
            self._keep_firsts(stream, pipeline.flush())
        if self._paused_at is not None:
            self._found.pauses.append(Span(self._paused_at, arrival))
        self._link.settle()
        assign_lanes(list(self._link.streams.values()))
        self._found.links.append(self._link)

    def _other(self, kind: RecordKind, leg: JournalLeg, payload: bytes, arrival: float) -> None:
        if kind is RecordKind.RTCP and leg:
            self._reports(leg, payload, arrival)
        elif kind is RecordKind.NOTE and (note := parse_note(payload)):
            self._note(note, arrival)

    def _packet(self, leg: JournalLeg, data: bytes, arrival: float) -> None:
        """Nearly all packets are of a stream whose first key frame is known: only clocks matter."""
        if len(data) < 12:
            return
        head, kind, sequence_number, timestamp, ssrc = HEADER.unpack_from(data)
        counters = self._settled.get((leg, ssrc, kind & 0x7F))
        if counters is None:
            counters = self._unsettled(leg, data, arrival)
            if counters is None:
                return
        number = counters.numbers.unwrap(sequence_number, arrival)
        if number is None:
            return
        counters.clock.see_packet(number, counters.timestamps.unwrap(timestamp), arrival)
        stream = counters.stream
        stream.last = arrival
        stream.last_epoch = self._link.epoch
        if counters.is_audio:
            stream.audible += _payload_size(head, data) > MIN_AUDIBLE_BYTES

    def _unsettled(self, leg: JournalLeg, data: bytes, arrival: float) -> _Counters | None:
        """The counters of a packet's stream, unless it is a retransmission or of no use."""
        packet = self._link.route(leg, data)
        if packet is None:
            return None
        stream = packet.stream
        counters = self._counters.get(stream)
        if counters is None:
            counters = self._counters[stream] = _Counters(stream)
        is_known = packet.codec in stream.firsts and stream.is_identified and not stream.size
        if not is_known:
            pipeline = self._pipelines.get(stream)
            if pipeline is None:
                pipeline = self._pipelines[stream] = Pipeline(stream, self._held_bytes)
            self._keep_firsts(stream, pipeline.push(packet, arrival))
        elif not packet.is_repair:
            self._settled[leg, stream.ssrc, packet.rtp.payload_type] = counters
            if pipeline := self._pipelines.pop(stream, None):
                pipeline.flush()
        return None if packet.is_repair else counters

    def _keep_firsts(self, stream: Stream, frames: list[PlacedFrame]) -> None:
        """Keep first key frames, and the largest size of a picture whose layers come and go."""
        for placed in frames:
            if placed.frame.is_key:
                stream.firsts.setdefault(placed.codec, placed)
            if size := placed.frame.size:
                stream.size = max(stream.size or size, size, key=prod)

    def _reports(self, leg: JournalLeg, compound: bytes, arrival: float) -> None:
        for report in sender_reports(compound):
            stream = self._link.streams.get((leg, report.ssrc))
            if stream is not None and stream in self._counters:
                timestamp = self._counters[stream].timestamps.nearest(report.timestamp)
                stream.clock.see_report(timestamp, ntp_seconds(report.ntp_time), arrival)

    def _note(self, note: AnyNote, arrival: float) -> None:
        if isinstance(note, Descriptions):
            self._describe(note, arrival)
        elif isinstance(note, Paused):
            self._paused_at = arrival if self._paused_at is None else self._paused_at
        elif isinstance(note, Resumed):
            self._resume(arrival)
        elif isinstance(note, Gap):
            self._found.lost_records += note.records
        elif isinstance(note, Stopped):
            if len(self._found.stops) < MAX_EVENTS:
                self._found.stops.append((arrival, note.why))
        elif len(self._found.events) < MAX_EVENTS:
            self._found.events.append(note.event)

    def _resume(self, arrival: float) -> None:
        start = self._paused_at
        if start is None and not self._has_media:
            start = self._first  # the journal began within a pause
        if start is not None:
            self._found.pauses.append(Span(start, arrival))
        self._paused_at = None

    def _describe(self, note: Descriptions, arrival: float) -> None:
        before = dict(self._link.payload_maps)
        self._link.describe(note)
        for leg, payload_map in self._link.payload_maps.items():
            if before[leg].screen_mid and not payload_map.screen_mid:
                self._found.ends_of_video.append((arrival, leg, "screen"))
            if before[leg].has_camera and not payload_map.has_camera:
                self._found.ends_of_video.append((arrival, leg, "video"))


def _payload_size(head: int, data: bytes) -> int:
    """About how many bytes follow the header."""
    size = len(data) - 12
    if head & 0x10 and size >= 4:
        size -= 4 + 4 * int(_EXTENSION_WORDS.unpack_from(data, 14)[0])
    return size


def _united(spans: list[Span]) -> list[Span]:
    """Each bridge's journal tells of the same pauses."""
    united: list[Span] = []
    for span in sorted(spans):
        if united and span.start <= united[-1].end:
            united[-1] = Span(united[-1].start, max(united[-1].end, span.end))
        else:
            united.append(span)
    return united


def _tracks(links: list[BridgeId]) -> list[Track]:
    """In the order in which people look for them; a track's second codec makes a second track."""
    firsts: dict[TrackKey, tuple[float, Frame]] = {}
    sizes: dict[TrackKey, tuple[int, int]] = {}
    for link in links:
        for stream in link.streams.values():
            if stream.lane is None:
                continue
            for codec, placed in stream.firsts.items():
                key = TrackKey(stream.leg, stream.content, codec, stream.lane)
                start = capture_time(stream, link.timelines[stream.leg], placed)
                if stream.size:
                    sizes[key] = max(sizes.get(key, stream.size), stream.size, key=prod)
                if key not in firsts or start < firsts[key][0]:
                    firsts[key] = start, placed.frame
    tracks: list[Track] = []
    for leg, content in _ORDER:
        of_content = [key for key in firsts if key[:2] == (leg, content)]
        of_content.sort(key=lambda key: (key.lane, firsts[key][0]))
        for number, key in enumerate(of_content, start=1):
            start, frame = firsts[key]
            name = _name(leg, content, number)
            tracks.append(Track(key, name, frame, start, sizes.get(key)))
    return tracks


def _name(leg: JournalLeg, content: Content | str, number: int) -> str:
    name = f"{_SIDES[leg]} {content}"
    return name if number == 1 else f"{name} {number}"
