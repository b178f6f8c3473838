"""Second pass over a recording's journals: the frames of every track in order of time."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import itemgetter
from pathlib import Path
from typing import Final

from visavis.recorder.mux.accounting import Loss, PacketAccount, Tally, loss_reason
from visavis.recorder.mux.depacketize import (
    HOLD_SECONDS,
    StreamDepacketiser,
    TimedFrame,
    TrackKey,
    capture_time,
)
from visavis.recorder.mux.scan import Scan, Span, read_batches
from visavis.recorder.mux.streams import BridgeStreams, Content, PlacedFrame, RtpStream
from visavis.rtp.packet import HEADER, payload_of
from visavis.rtp.sequence import HeldBytes
from visavis.rtp.timeline import SenderTimeline
from visavis.spool.format import JournalLeg, RecordKind, RecordParts
from visavis.spool.notes import Descriptions, parse_note

SORT_SECONDS: Final = HOLD_SECONDS + 4.0
"""Window within which frames, which come in order of arrival, are sorted by time."""

SORT_EVERY_SECONDS: Final = 4.0

MAX_SORTED_BYTES: Final = 64 * 1024 * 1024
"""Limit of the sort window in memory; of a faster stream, some frames may be out of order."""

TICK_US: Final = 1_000_000
"""Interval at which streams release frames that they hold back, even without a packet."""

_time: Final = itemgetter(TimedFrame._fields.index("time"))

SILENT_SECONDS: Final = 2.0
"""Silence of a newer stream after which an older one gets its track back."""


def frames(scan: Scan, journals: list[Path], account: PacketAccount) -> Iterator[TimedFrame]:
    """Yield the frames of all tracks in order of time, in bounded memory. Raises `OSError`."""
    ordered = _in_order(_frames(scan, journals, account))
    return _from_newest_stream(_outside(scan.pauses, ordered) if scan.pauses else ordered)


def _frames(scan: Scan, journals: list[Path], account: PacketAccount) -> Iterator[TimedFrame]:
    """Yield frames in order of arrival, over all bridges at once: a transfer makes them overlap."""
    held_bytes = HeldBytes()
    readers = [_JournalReader(bridge, account, held_bytes) for bridge in scan.bridges]
    tick = 0
    media, note = RecordKind.RTP, RecordKind.NOTE
    for batch, reader in _batches(journals, readers):
        for arrival_us, kind, leg, payload in batch:
            if kind is media:
                if leg and (timed := reader.packet(arrival_us / 1e6, leg, payload)):
                    yield from timed
            elif kind is note:
                reader.note(payload)
            if not tick <= arrival_us < tick + TICK_US:
                tick = arrival_us
                for one in readers:
                    yield from one.due(tick / 1e6)
    for reader in readers:
        yield from reader.rest()


def _batches(
    journals: list[Path], readers: list[_JournalReader]
) -> Iterator[tuple[Sequence[RecordParts], _JournalReader]]:
    """Yield records in order of arrival, those of a single journal many at once."""
    if len(journals) == 1:
        yield from zip(read_batches(journals[0]), repeat(readers[0]), strict=False)
        return
    read = [
        zip(chain.from_iterable(read_batches(journal)), repeat(reader), strict=False)
        for journal, reader in zip(journals, readers, strict=True)
    ]
    for record, reader in heapq.merge(*read, key=_arrival):
        yield (record,), reader


def _arrival(item: tuple[RecordParts, _JournalReader]) -> int:
    return item[0][0]


@dataclass(frozen=True, slots=True)
class _Flow:
    """Packets that need not be looked at to know their stream and codec."""

    stream: RtpStream
    codec: str
    depacketiser: StreamDepacketiser
    tally: Tally


@dataclass(frozen=True, slots=True)
class _FrameContext:
    """The same for all frames of a stream in one codec."""

    track: TrackKey
    source: tuple[int, int]
    timeline: SenderTimeline
    tally: Tally


class _JournalReader:
    """Second pass over one bridge's journal."""

    def __init__(
        self, bridge: BridgeStreams, account: PacketAccount, held_bytes: HeldBytes
    ) -> None:
        self._bridge = bridge
        self._account = account
        self._held_bytes = held_bytes
        self._flows: dict[tuple[JournalLeg, int, int], _Flow] = {}
        self._depacketisers: dict[RtpStream, StreamDepacketiser] = {}
        self._marks: dict[tuple[RtpStream, str], _FrameContext] = {}
        bridge.rewind()

    def packet(self, arrival: float, leg: JournalLeg, data: bytes) -> list[TimedFrame]:
        """Return the frames that are whole with this packet."""
        if len(data) < HEADER.size:
            return self._route(arrival, leg, data)
        first, second, sequence_number, timestamp, ssrc = HEADER.unpack_from(data)
        flow = self._flows.get((leg, ssrc, second & 0x7F))
        payload = payload_of(data, first) if flow else None
        if flow is None or payload is None:
            return self._route(arrival, leg, data)
        if payload:
            flow.tally.receive(arrival)
        due = flow.depacketiser.take(
            sequence_number, timestamp, arrival, flow.codec, second > 0x7F, payload
        )
        return [self._timed(flow.stream, placed) for placed in due] if due else []

    def _route(self, arrival: float, leg: JournalLeg, data: bytes) -> list[TimedFrame]:
        """Return the frames that are whole with a packet that may be of any stream."""
        packet = self._bridge.route(leg, data)
        if packet is None:
            self._lose(leg, data)
            return []
        stream = packet.stream
        if stream.lane is None:
            self._account.lose(leg, Loss.BESIDE_ANOTHER, detail=stream.content)
            return []
        self._account.receive(packet, arrival)
        depacketiser = self._depacketisers.get(stream)
        if depacketiser is None:
            depacketiser = self._depacketisers[stream] = StreamDepacketiser(
                stream, self._held_bytes
            )
        key = leg, packet.rtp.ssrc, packet.rtp.payload_type
        if not packet.is_repair and key in self._bridge.routes:
            tally = self._account.tally(stream)
            self._flows[key] = _Flow(stream, packet.codec, depacketiser, tally)
        return [self._timed(stream, placed) for placed in depacketiser.push(packet, arrival)]

    def due(self, now: float) -> Iterator[TimedFrame]:
        """Release the packets that streams have held back for long enough."""
        for stream, depacketiser in self._depacketisers.items():
            for placed in depacketiser.due(now):
                yield self._timed(stream, placed)

    def rest(self) -> Iterator[TimedFrame]:
        for stream, depacketiser in self._depacketisers.items():
            for placed in depacketiser.flush():
                yield self._timed(stream, placed)

    def note(self, payload: bytes) -> None:
        note = parse_note(payload)
        if isinstance(note, Descriptions):
            self._bridge.describe(note)
            self._flows.clear()

    def _lose(self, leg: JournalLeg, data: bytes) -> None:
        reason = loss_reason(self._bridge, leg, data)
        if reason:
            self._account.lose(leg, reason[0], detail=reason[1])

    def _timed(self, stream: RtpStream, placed: PlacedFrame) -> TimedFrame:
        codec, frame = placed.codec, placed.frame
        mark = self._marks.get((stream, codec))
        if mark is None:
            mark = self._marks[stream, codec] = self._mark(stream, codec)
        time = capture_time(stream, mark.timeline, placed)
        packets = frame.packets
        mark.tally.assembled += packets
        # as `TimedFrame(…)` does it, which takes twice as long
        return tuple.__new__(
            TimedFrame,
            (time, mark.track, mark.source, frame.is_key, frame.data, packets, placed.arrival),
        )

    def _mark(self, stream: RtpStream, codec: str) -> _FrameContext:
        return _FrameContext(
            TrackKey(stream.leg, stream.content, codec, stream.lane or 0),
            (stream.bridge, stream.number),
            self._bridge.timelines[stream.leg],
            self._account.tally(stream),
        )


def _in_order(unsorted: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Sort by time within a window, in bounded memory.

    The frames of each stream are nearly in order: to sort many at once costs little for each.
    """
    held: list[TimedFrame] = []
    append = held.append
    newest, size, sort_at = 0.0, 0, 0.0
    for frame in unsorted:
        append(frame)
        size += len(frame.data)
        time = frame.time
        if time > newest:
            newest = time
            if not sort_at:
                sort_at = newest + SORT_SECONDS
        if newest >= sort_at or size > MAX_SORTED_BYTES:
            held.sort(key=_time)
            due = bisect_right(held, newest - SORT_SECONDS, key=_time)
            if size > MAX_SORTED_BYTES:
                due = max(due, len(held) // 2)
            yield from held[:due]
            del held[:due]
            size = sum(len(one.data) for one in held)
            sort_at = newest + SORT_EVERY_SECONDS
    held.sort(key=_time)
    yield from held


def _outside(pauses: list[Span], ordered: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Drop frames that were captured in a pause and arrived after it."""
    for frame in ordered:
        if not any(pause.start <= frame.time < pause.end for pause in pauses):
            yield frame


@dataclass(slots=True)
class _Holder:
    """The stream whose frames a track takes at present."""

    source: tuple[int, int]
    last: float


def _from_newest_stream(ordered: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Of several streams for one track, yield the newest one's frames from its first on."""
    holders: dict[tuple[JournalLeg, Content, int], _Holder] = {}
    by_track: dict[TrackKey, _Holder] = {}
    for frame in ordered:
        track, source = frame.track, frame.source
        holder = by_track.get(track)
        if holder is None:
            part = track.leg, track.content, track.lane
            holder = holders.get(part)
            if holder is None:
                if not frame.is_key:
                    continue
                holder = holders[part] = _Holder(source, frame.time)
            by_track[track] = holder
        if holder.source != source and _takes_over(frame, holder):
            holder.source = source
        if holder.source == source:
            holder.last = frame.time
            yield frame


def _takes_over(frame: TimedFrame, holder: _Holder) -> bool:
    is_newer = frame.source > holder.source
    return frame.is_key and (is_newer or frame.time - holder.last > SILENT_SECONDS)
