"""First pass over a recording's journals: finds tracks, clocks, pauses, beginning and end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Final, NamedTuple

from visavis.domain.call_events import CallEvent
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.recorder.mux.depacketize import StreamDepacketiser, TrackKey, capture_time
from visavis.recorder.mux.lanes import assign_lanes
from visavis.recorder.mux.streams import (
    MIN_AUDIBLE_BYTES,
    BridgeStreams,
    Content,
    PlacedFrame,
    RtpStream,
)
from visavis.rtp.codecs import Frame
from visavis.rtp.packet import HEADER
from visavis.rtp.rtcp import sender_reports
from visavis.rtp.sequence import HeldBytes, SequenceNumbers, Unwrapper
from visavis.rtp.timeline import ntp_seconds
from visavis.spool.format import Block, RecordKind, RecordParts, read_blocks
from visavis.spool.notes import (
    AnyNote,
    DescribedLeg,
    Descriptions,
    Gap,
    Paused,
    Resumed,
    Stopped,
    WallClock,
    parse_note,
)
from visavis.spool.pieces import shift_us

EARLIEST_US: Final = 946_684_800_000_000
LATEST_US: Final = 4_102_444_800_000_000
"""Years 2000 to 2100. Records with other times are ignored."""

MAX_EVENTS: Final = 10_000
MAX_CLOCK_STEPS: Final = 1000
MAX_ENDS_OF_VIDEO: Final = 10_000
"""Further ones are ignored; the last picture then remains visible instead of turning black."""

MAX_AHEAD: Final = 1000
"""Number of records in which the first descriptions are searched."""

MAX_PARTICIPANTS: Final = 1000
"""Limit of the participants at one leg of a call's bridges; further ones are ignored."""

_UNDESCRIBED: Final = {VISITOR_LEG: "visitor", AGENT_LEG: "agent"}


class Span(NamedTuple):
    """Span of time. `start` and `end` are in seconds since the epoch, by our clock."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class OutputTrack:
    """Track of the file to be written.

    `first` is its first key frame, and `start` the capture time of that. `size` is the width and
    height of its largest picture if it has spatial layers, else `None`.
    """

    key: TrackKey
    name: str
    first: Frame
    start: float
    size: tuple[int, int] | None = None


@dataclass(slots=True)
class Scan:
    """Result of the first pass. Times are in seconds since the epoch.

    `participants` has the participants at each leg, by their number in the call, in order of their
    appearance; legs with the same number in different bridges share their tracks. `ends_of_video`
    has the times at which a leg turned off its camera or stopped sharing its screen. `clock_steps`
    has the times at which the wall clock was set, and by how many seconds it is ahead of the
    recording's clock from then on. `stops` has the times at which the recording was stopped by a
    limit, and the reasons.
    """

    bridges: list[BridgeStreams] = field(default_factory=list)
    tracks: list[OutputTrack] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)
    ends_of_video: list[tuple[float, int, Content]] = field(default_factory=list)
    events: list[CallEvent] = field(default_factory=list)
    participants: defaultdict[int, dict[int, DescribedLeg]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    lost_records: int = 0
    stops: list[tuple[float, str]] = field(default_factory=list)
    clock_steps: list[tuple[float, float]] = field(default_factory=list)
    start: float = 0.0
    end: float = 0.0

    def role(self, leg: int) -> str:
        """Return the role of the participants at a leg."""
        of_leg = self.participants.get(leg)
        return next(iter(of_leg.values())).role if of_leg else _UNDESCRIBED.get(leg, "")

    def leg_names(self) -> dict[int, str]:
        """Return a name for each leg by its role: `visitor`, `agent`, `agent 2` and so on."""
        names, counts = dict[int, str](), Counter[str]()
        for leg in sorted(self.participants.keys() | _UNDESCRIBED):
            role = self.role(leg)
            counts[role] += 1
            names[leg] = role if counts[role] == 1 else f"{role} {counts[role]}"
        return names


def believable_blocks(journal: Path) -> Iterator[Block]:
    """Yield the blocks of a journal without records whose times are implausible.

    The times are converted to the clock of the recording if the journal is of another node. No
    yielded block is empty. A file that is not a journal has no blocks. Raises `OSError`.
    """
    shift = shift_us(journal)
    if not shift:
        yield from _believable_blocks(journal)
        return
    for body, records in _believable_blocks(journal):
        yield body, [(one[0] + shift, *one[1:]) for one in records]


def _believable_blocks(journal: Path) -> Iterator[Block]:
    with journal.open("rb") as file, suppress(ValueError):
        for body, records in read_blocks(file):
            # Arrivals are in order, so the first and the last one suffice.
            if records and EARLIEST_US < records[0][0] <= records[-1][0] < LATEST_US:
                yield body, records
            elif believable := [one for one in records if EARLIEST_US < one[0] < LATEST_US]:
                yield body, believable


def scan_journals(journals: list[Path]) -> Scan:
    """Read all journals of a recording once. Raises `OSError`."""
    scan = Scan()
    for number, journal in enumerate(journals, start=1):
        _JournalScanner(scan, BridgeStreams(number)).read(journal)
    scan.pauses = _united(scan.pauses)
    scan.clock_steps.sort()
    scan.tracks = _tracks(scan.bridges, scan.leg_names())
    ends = [stream.last for bridge in scan.bridges for stream in bridge.streams.values()]
    ends += [span.end for span in scan.pauses]
    scan.start = min((track.start for track in scan.tracks), default=0.0)
    scan.end = max(ends, default=0.0)
    return scan


def _described(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield the blocks with the first descriptions moved to the front.

    Media may arrive just before the descriptions that are needed to understand it.
    """
    ahead: list[Block] = []
    count = 0
    for body, records in blocks:
        found = _descriptions(body, records)
        if found is not None:
            yield body, [records.pop(found)]
        if records:
            ahead.append((body, records))
        count += len(records)
        if found is not None or count >= MAX_AHEAD:
            break
    yield from ahead
    yield from blocks


def _descriptions(body: bytes, records: list[RecordParts]) -> int | None:
    """Return the index of the first descriptions, or `None`."""
    for index, (_, kind, _, start, end) in enumerate(records):
        if kind is RecordKind.NOTE and isinstance(parse_note(body[start:end]), Descriptions):
            return index
    return None


class _Counters:
    """Unwraps the sequence numbers and timestamps of a stream, and passes them to its clock."""

    def __init__(self, stream: RtpStream) -> None:
        self.stream = stream
        self.clock = stream.clock
        self.is_audio = stream.is_audio
        self.numbers = SequenceNumbers()
        self.timestamps = Unwrapper(32)
        self.timestamps.unwrap(stream.first_timestamp)

    def count(self, sequence_number: int, timestamp: int, arrival: float) -> bool:
        """Count a packet; return false if it may be the first after a restart of the numbering."""
        number = self.numbers.unwrap(sequence_number, arrival)
        if number is None:
            return False
        self.clock.add_packet(number, self.timestamps.unwrap(timestamp), arrival)
        self.stream.last = arrival
        return True


class _JournalScanner:
    """First pass over one bridge's journal."""

    def __init__(self, scan: Scan, bridge: BridgeStreams) -> None:
        self._scan = scan
        self._bridge = bridge
        self._counters: dict[RtpStream, _Counters] = {}
        self._depacketisers: dict[RtpStream, StreamDepacketiser] = {}
        self._held_bytes = HeldBytes()
        self._identified: dict[tuple[int, int, int], _Counters] = {}
        self._paused_at: float | None = None
        self._first: float | None = None
        self._has_media = False
        self._shift = 0.0

    def read(self, journal: Path) -> None:
        """Read the whole journal. Raises `OSError`."""
        arrival = 0.0
        self._shift = shift_us(journal) / 1e6
        for body, records in _described(believable_blocks(journal)):
            if self._first is None:
                self._first = records[0][0] / 1e6
            self._read(body, records)
            arrival = records[-1][0] / 1e6
        for stream, depacketiser in self._depacketisers.items():
            self._keep_firsts(stream, depacketiser.flush())
        if self._paused_at is not None:
            self._scan.pauses.append(Span(self._paused_at, arrival))
        self._bridge.identify_contents()
        assign_lanes(list(self._bridge.streams.values()))
        self._scan.bridges.append(self._bridge)

    def _read(self, body: bytes, records: list[RecordParts]) -> None:
        """Read a block, with little work for packets of streams whose first key frame is known."""
        identified, unpack, header_size = self._identified, HEADER.unpack_from, HEADER.size
        media = RecordKind.RTP
        for arrival_us, kind, leg, start, end in records:
            if kind is not media:
                self._other(kind, leg, body[start:end], arrival_us / 1e6)
                continue
            if not leg or end - start < header_size:
                continue
            self._has_media = True
            first, second, sequence_number, timestamp, ssrc = unpack(body, start)
            arrival = arrival_us / 1e6
            counters = identified.get((leg, ssrc, second & 0x7F))
            if counters is None:
                counters = self._identify(leg, body[start:end], arrival)
                if counters is None:
                    continue
            if counters.count(sequence_number, timestamp, arrival):
                stream = counters.stream
                stream.last_epoch = self._bridge.epoch
                if counters.is_audio:
                    size = _payload_size(first, body, start, end)
                    stream.audible += size > MIN_AUDIBLE_BYTES

    def _other(self, kind: RecordKind, leg: int, payload: bytes, arrival: float) -> None:
        if kind is RecordKind.RTCP and leg:
            self._reports(leg, payload, arrival)
        elif kind is RecordKind.NOTE and (note := parse_note(payload)):
            self._apply_note(note, arrival)

    def _identify(self, leg: int, data: bytes, arrival: float) -> _Counters | None:
        """Assign a packet to its stream and return the counters of that.

        Returns `None` for retransmissions and for packets without a stream.
        """
        packet = self._bridge.route(leg, data)
        if packet is None:
            return None
        stream = packet.stream
        counters = self._counters.get(stream)
        if counters is None:
            counters = self._counters[stream] = _Counters(stream)
        is_known = packet.codec in stream.firsts and stream.is_identified and not stream.size
        if not is_known:
            depacketiser = self._depacketisers.get(stream)
            if depacketiser is None:
                depacketiser = self._depacketisers[stream] = StreamDepacketiser(
                    stream, self._held_bytes
                )
            self._keep_firsts(stream, depacketiser.push(packet, arrival))
        elif not packet.is_repair:
            self._identified[leg, stream.ssrc, packet.rtp.payload_type] = counters
            if depacketiser := self._depacketisers.pop(stream, None):
                depacketiser.flush()
        return None if packet.is_repair else counters

    def _keep_firsts(self, stream: RtpStream, frames: list[PlacedFrame]) -> None:
        """Keep the first key frame of each codec, and the largest size of a video with layers."""
        for placed in frames:
            if placed.frame.is_key:
                stream.firsts.setdefault(placed.codec, placed)
            if size := placed.frame.size:
                stream.size = max(stream.size or size, size, key=prod)

    def _reports(self, leg: int, compound: bytes, arrival: float) -> None:
        for report in sender_reports(compound):
            stream = self._bridge.streams.get((leg, report.ssrc))
            if stream is not None and stream in self._counters:
                timestamp = self._counters[stream].timestamps.nearest(report.timestamp)
                stream.clock.add_report(timestamp, ntp_seconds(report.ntp_time), arrival)

    def _apply_note(self, note: AnyNote, arrival: float) -> None:
        if isinstance(note, Descriptions):
            self._describe(note, arrival)
        elif isinstance(note, Paused):
            self._paused_at = arrival if self._paused_at is None else self._paused_at
        elif isinstance(note, Resumed):
            self._resume(arrival)
        elif isinstance(note, Gap):
            self._scan.lost_records += note.records
        elif isinstance(note, WallClock):
            if len(self._scan.clock_steps) < MAX_CLOCK_STEPS:
                # by the clock of the node that wrote the note, unlike the arrival
                self._scan.clock_steps.append((arrival, note.ahead_us / 1e6 - self._shift))
        elif isinstance(note, Stopped):
            if len(self._scan.stops) < MAX_EVENTS:
                self._scan.stops.append((arrival, note.why))
        elif len(self._scan.events) < MAX_EVENTS:
            self._scan.events.append(note.event)

    def _resume(self, arrival: float) -> None:
        start = self._paused_at
        if start is None and not self._has_media:
            start = self._first  # The journal began during a pause.
        if start is not None:
            self._scan.pauses.append(Span(start, arrival))
        self._paused_at = None

    def _describe(self, note: Descriptions, arrival: float) -> None:
        for one in note.legs:
            of_leg = self._scan.participants[one.leg]
            if one.participant in of_leg or len(of_leg) < MAX_PARTICIPANTS:
                of_leg[one.participant] = one
        before = self._bridge.payload_maps.copy()
        self._bridge.describe(note)
        for leg, payload_map in self._bridge.payload_maps.items():
            if before[leg].screen_mid and not payload_map.screen_mid:
                self._end_video(arrival, leg, "screen")
            if before[leg].has_camera and not payload_map.has_camera:
                self._end_video(arrival, leg, "video")

    def _end_video(self, arrival: float, leg: int, content: Content) -> None:
        if len(self._scan.ends_of_video) < MAX_ENDS_OF_VIDEO:
            self._scan.ends_of_video.append((arrival, leg, content))


def _payload_size(first: int, body: bytes, start: int, end: int) -> int:
    """Return the approximate payload size of the packet in `body[start:end]`.

    `first` is the packet's first byte.
    """
    size = end - start - HEADER.size
    if first & 0x10 and size >= 4:
        size -= 4 + 4 * (body[start + 14] << 8 | body[start + 15])
    return size


def _united(spans: list[Span]) -> list[Span]:
    """Merge overlapping pauses, because the journal of each bridge has the same ones."""
    united: list[Span] = []
    for span in sorted(spans):
        if united and span.start <= united[-1].end:
            united[-1] = Span(united[-1].start, max(united[-1].end, span.end))
        else:
            united.append(span)
    return united


def _tracks(bridges: list[BridgeStreams], names: dict[int, str]) -> list[OutputTrack]:
    """Return the tracks in display order. Another codec requires another track."""
    firsts: dict[TrackKey, tuple[float, Frame]] = {}
    sizes: dict[TrackKey, tuple[int, int]] = {}
    for bridge in bridges:
        for stream in bridge.streams.values():
            if stream.lane is None:
                continue
            for codec, placed in stream.firsts.items():
                key = TrackKey(stream.leg, stream.content, codec, stream.lane)
                start = capture_time(stream, bridge.timelines[stream.leg], placed)
                if stream.size:
                    sizes[key] = max(sizes.get(key, stream.size), stream.size, key=prod)
                if key not in firsts or start < firsts[key][0]:
                    firsts[key] = start, placed.frame
    tracks: list[OutputTrack] = []
    legs = sorted({key.leg for key in firsts})
    order = [(leg, content) for leg in legs for content in ("audio", "video")]
    for leg, content in [*order, *((leg, "screen") for leg in legs)]:
        of_content = [key for key in firsts if key[:2] == (leg, content)]
        of_content.sort(key=lambda key: (key.lane, firsts[key][0]))
        for number, key in enumerate(of_content, start=1):
            start, frame = firsts[key]
            name = _name(names[leg], content, number)
            tracks.append(OutputTrack(key, name, frame, start, sizes.get(key)))
    return tracks


def _name(leg: str, content: str, number: int) -> str:
    name = f"{leg.capitalize()} {content}"
    return name if number == 1 else f"{name} {number}"
