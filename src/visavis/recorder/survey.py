"""A first reading of a recording's journals: tracks, clocks, pauses, beginning and end."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from visavis.domain.story import CallEvent
from visavis.recorder.link import Content, Link, Stream
from visavis.recorder.pipeline import Pipeline, TrackKey, capture_time
from visavis.rtp.codecs import Frame
from visavis.rtp.journal import JournalLeg, Record, RecordKind, read_journal
from visavis.rtp.notes import AnyNote, Descriptions, Gap, Paused, Resumed, Stopped, parse_note
from visavis.rtp.rtcp import sender_reports
from visavis.rtp.sequence import Unwrapper
from visavis.rtp.timeline import ntp_seconds

EARLIEST_US: Final = 946_684_800_000_000
LATEST_US: Final = 4_102_444_800_000_000
"""The years 2000 to 2100: a record from outside is not believed."""

MAX_EVENTS: Final = 10_000
MAX_AHEAD: Final = 1000
"""Records before the first descriptions."""

_MEDIA_HEADER: Final = struct.Struct("!xBxxII")
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
    """`first` is its first key frame, `start` when that was captured."""

    key: TrackKey
    name: str
    first: Frame
    start: float


@dataclass(slots=True)
class Survey:
    """`ends_of_share` are moments when a side stopped sharing its screen."""

    links: list[Link] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)
    ends_of_share: list[tuple[float, JournalLeg]] = field(default_factory=list)
    events: list[CallEvent] = field(default_factory=list)
    lost_records: int = 0
    stops: list[tuple[float, str]] = field(default_factory=list)
    start: float = 0.0
    end: float = 0.0


def read_records(journal: Path) -> Iterator[Record]:
    """The believable records of a journal; none of a file that is no journal."""
    with journal.open("rb") as file:
        try:
            for record in read_journal(file):
                if EARLIEST_US < record.arrival_us < LATEST_US:
                    yield record
        except ValueError:
            return


def survey(journals: list[Path]) -> Survey:
    """Read once through, keeping clocks and first frames. Raises `OSError`."""
    found = Survey()
    for number, journal in enumerate(journals, start=1):
        _Reading(found, Link(number)).read(journal)
    found.pauses = _united(found.pauses)
    found.tracks = _tracks(found.links)
    ends = [stream.last for link in found.links for stream in link.streams.values()]
    ends += [span.end for span in found.pauses]
    found.start = min((track.start for track in found.tracks), default=0.0)
    found.end = max(ends, default=0.0)
    return found


def _described(records: Iterator[Record]) -> Iterator[Record]:
    """The first descriptions before all else: media may be ahead of them by a little."""
    ahead: list[Record] = []
    for record in records:
        ahead.append(record)
        is_description = record.kind is RecordKind.NOTE and isinstance(
            parse_note(record.payload), Descriptions
        )
        if is_description:
            yield ahead.pop()
        if is_description or len(ahead) == MAX_AHEAD:
            break
    yield from ahead
    yield from records


class _Reading:
    """The first reading of one link's journal."""

    def __init__(self, found: Survey, link: Link) -> None:
        self._found = found
        self._link = link
        self._timestamps: dict[Stream, Unwrapper] = {}
        self._pipelines: dict[Stream, Pipeline] = {}
        self._settled: dict[tuple[JournalLeg, int, int], Stream] = {}
        self._paused_at: float | None = None
        self._first: float | None = None
        self._has_media = False

    def read(self, journal: Path) -> None:
        arrival = 0.0
        for record in _described(read_records(journal)):
            arrival = record.arrival_us / 1e6
            if self._first is None:
                self._first = arrival
            if record.kind is RecordKind.RTP and record.leg:
                self._has_media = True
                self._packet(record.leg, record.payload, arrival)
            elif record.kind is RecordKind.RTCP and record.leg:
                self._reports(record.leg, record.payload, arrival)
            elif record.kind is RecordKind.NOTE and (note := parse_note(record.payload)):
                self._note(note, arrival)
        for stream, pipeline in self._pipelines.items():
            self._keep_firsts(stream, pipeline.flush())
        if self._paused_at is not None:
            self._found.pauses.append(Span(self._paused_at, arrival))
        self._link.settle()
        self._found.links.append(self._link)

    def _packet(self, leg: JournalLeg, data: bytes, arrival: float) -> None:
        """Nearly all packets are of a stream whose first key frame is known: only clocks matter."""
        if len(data) < 12:
            return
        kind, timestamp, ssrc = _MEDIA_HEADER.unpack_from(data)
        stream = self._settled.get((leg, ssrc, kind & 0x7F))
        if stream is None:
            stream = self._unsettled(leg, data, arrival)
            if stream is None or stream.ssrc != ssrc:
                return
        unwrapped = self._timestamps[stream].unwrap(timestamp)
        stream.clock.see_packet(unwrapped, arrival)
        stream.last = arrival
        stream.last_epoch = self._link.epoch

    def _unsettled(self, leg: JournalLeg, data: bytes, arrival: float) -> Stream | None:
        packet = self._link.route(leg, data)
        if packet is None or not packet.rtp.payload:
            return None
        stream = packet.stream
        if stream not in self._timestamps:
            self._timestamps[stream] = Unwrapper(32)
            self._timestamps[stream].unwrap(stream.first_timestamp)
        pipeline = self._pipelines.get(stream) or Pipeline(stream)
        self._pipelines[stream] = pipeline
        self._keep_firsts(stream, pipeline.push(packet, arrival))
        if packet.codec in stream.firsts and stream.is_identified:
            self._settled[leg, stream.ssrc, packet.rtp.payload_type] = stream
            del self._pipelines[stream]
        return stream

    def _keep_firsts(self, stream: Stream, frames: list[tuple[str, float, Frame]]) -> None:
        for codec, arrival, frame in frames:
            if frame.is_key:
                stream.firsts.setdefault(codec, (arrival, frame))

    def _reports(self, leg: JournalLeg, compound: bytes, arrival: float) -> None:
        for report in sender_reports(compound):
            stream = self._link.streams.get((leg, report.ssrc))
            if stream is not None and stream in self._timestamps:
                timestamp = self._timestamps[stream].unwrap(report.timestamp)
                ntp = ntp_seconds(report.ntp_time)
                self._link.timelines[leg].see_report(stream.clock, timestamp, ntp, arrival)

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
        before = {leg: legends[-1:] for leg, legends in self._link.legends.items()}
        self._link.describe(note)
        for leg, legends in self._link.legends.items():
            if any(old.screen_mid for old in before[leg]) and not legends[-1].screen_mid:
                self._found.ends_of_share.append((arrival, leg))


def _united(spans: list[Span]) -> list[Span]:
    """Each link's journal tells of the same pauses."""
    united: list[Span] = []
    for span in sorted(spans):
        if united and span.start <= united[-1].end:
            united[-1] = Span(united[-1].start, max(united[-1].end, span.end))
        else:
            united.append(span)
    return united


def _tracks(links: list[Link]) -> list[Track]:
    """In the order in which people look for them; a track's second codec makes a second track."""
    firsts: dict[TrackKey, tuple[float, Frame]] = {}
    for link in links:
        for stream in link.streams.values():
            for codec, (arrival, frame) in stream.firsts.items():
                key = TrackKey(stream.leg, stream.content, codec)
                timeline = link.timelines[stream.leg]
                start = capture_time(stream, timeline, frame.timestamp, arrival)
                if key not in firsts or start < firsts[key][0]:
                    firsts[key] = start, frame
    tracks: list[Track] = []
    for leg, content in _ORDER:
        of_content = [key for key in firsts if key[:2] == (leg, content)]
        for number, key in enumerate(sorted(of_content, key=lambda k: firsts[k][0]), start=1):
            start, frame = firsts[key]
            tracks.append(Track(key, _name(leg, content, number), frame, start))
    return tracks


def _name(leg: JournalLeg, content: Content | str, number: int) -> str:
    name = f"{_SIDES[leg]} {content}"
    return name if number == 1 else f"{name} {number}"
