"""A second reading of a recording's journals: the frames of every track in order of time."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import itemgetter
from pathlib import Path
from typing import Final

from visavis.recorder.accounting import Account, Loss, Tally, loss_of
from visavis.recorder.link import BridgeId, Content, PlacedFrame, Stream
from visavis.recorder.pipeline import HOLD_SECONDS, Pipeline, TimedFrame, TrackKey, capture_time
from visavis.recorder.survey import Span, Survey, read_batches
from visavis.rtp.journal import JournalLeg, RecordKind, RecordParts
from visavis.rtp.notes import Descriptions, parse_note
from visavis.rtp.packet import HEADER, payload_of
from visavis.rtp.sequence import HeldBytes
from visavis.rtp.timeline import SenderTimeline

SORT_SECONDS: Final = HOLD_SECONDS + 4.0
"""Frames come in order of arrival; this far apart they are put into order of time."""

SORT_EVERY_SECONDS: Final = 4.0

MAX_SORTED_BYTES: Final = 64 * 1024 * 1024
"""More is not kept in memory: of a faster stream, some frames may come out of order."""

TICK_US: Final = 1_000_000
"""So often streams are asked for frames that they hold back, whether a packet comes or not."""

_time: Final = itemgetter(TimedFrame._fields.index("time"))

SILENT_SECONDS: Final = 2.0
"""An older stream may have its track back when the newer has sent nothing for so long."""


def frames(found: Survey, journals: list[Path], account: Account) -> Iterator[TimedFrame]:
    """What the tracks hold, in order of time and in bounded memory. Raises `OSError`."""
    ordered = _in_order(_frames(found, journals, account))
    return _newest(_outside(found.pauses, ordered) if found.pauses else ordered)


def _frames(found: Survey, journals: list[Path], account: Account) -> Iterator[TimedFrame]:
    """In order of arrival, over all bridges at once: they overlap while a call moves over."""
    held_bytes = HeldBytes()
    readings = [_Reading(link, account, held_bytes) for link in found.links]
    tick = 0
    media, note = RecordKind.RTP, RecordKind.NOTE
    for batch, reading in _batches(journals, readings):
        for arrival_us, kind, leg, payload in batch:
            if kind is media:
                if leg and (timed := reading.packet(arrival_us / 1e6, leg, payload)):
                    yield from timed
            elif kind is note:
                reading.note(payload)
            if not tick <= arrival_us < tick + TICK_US:
                tick = arrival_us
                for one in readings:
                    yield from one.due(tick / 1e6)
    for reading in readings:
        yield from reading.rest()


def _batches(
    journals: list[Path], readings: list[_Reading]
) -> Iterator[tuple[Sequence[RecordParts], _Reading]]:
    """Yield records in order of arrival, those of a single journal many at once."""
    if len(journals) == 1:
        yield from zip(read_batches(journals[0]), repeat(readings[0]), strict=False)
        return
    read = [
        zip(chain.from_iterable(read_batches(journal)), repeat(reading), strict=False)
        for journal, reading in zip(journals, readings, strict=True)
    ]
    for record, reading in heapq.merge(*read, key=_arrival):
        yield (record,), reading


def _arrival(item: tuple[RecordParts, _Reading]) -> int:
    return item[0][0]


@dataclass(frozen=True, slots=True)
class _Flow:
    """Packets that need not be looked at to know their stream and codec."""

    stream: Stream
    codec: str
    pipeline: Pipeline
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Mark:
    """The same for all frames of a stream in one codec."""

    track: TrackKey
    source: tuple[int, int]
    timeline: SenderTimeline
    tally: Tally


class _Reading:
    """The second reading of one bridge's journal."""

    def __init__(self, link: BridgeId, account: Account, held_bytes: HeldBytes) -> None:
        self._link = link
        self._account = account
        self._held_bytes = held_bytes
        self._flows: dict[tuple[JournalLeg, int, int], _Flow] = {}
        self._pipelines: dict[Stream, Pipeline] = {}
        self._marks: dict[tuple[Stream, str], _Mark] = {}
        link.rewind()

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
        due = flow.pipeline.take(
            sequence_number, timestamp, arrival, flow.codec, second > 0x7F, payload
        )
        return [self._timed(flow.stream, placed) for placed in due] if due else []

    def _route(self, arrival: float, leg: JournalLeg, data: bytes) -> list[TimedFrame]:
        """Return the frames that are whole with a packet that may be of any stream."""
        packet = self._link.route(leg, data)
        if packet is None:
            self._lose(leg, data)
            return []
        stream = packet.stream
        if stream.lane is None:
            self._account.lose(leg, Loss.BESIDE_ANOTHER, detail=stream.content)
            return []
        self._account.receive(packet, arrival)
        pipeline = self._pipelines.get(stream)
        if pipeline is None:
            pipeline = self._pipelines[stream] = Pipeline(stream, self._held_bytes)
        key = leg, packet.rtp.ssrc, packet.rtp.payload_type
        if not packet.is_repair and key in self._link.routes:
            tally = self._account.tally(stream)
            self._flows[key] = _Flow(stream, packet.codec, pipeline, tally)
        return [self._timed(stream, placed) for placed in pipeline.push(packet, arrival)]

    def due(self, now: float) -> Iterator[TimedFrame]:
        """Release the packets that streams have held back for long enough."""
        for stream, pipeline in self._pipelines.items():
            for placed in pipeline.due(now):
                yield self._timed(stream, placed)

    def rest(self) -> Iterator[TimedFrame]:
        for stream, pipeline in self._pipelines.items():
            for placed in pipeline.flush():
                yield self._timed(stream, placed)

    def note(self, payload: bytes) -> None:
        note = parse_note(payload)
        if isinstance(note, Descriptions):
            self._link.describe(note)
            self._flows.clear()

    def _lose(self, leg: JournalLeg, data: bytes) -> None:
        reason = loss_of(self._link, leg, data)
        if reason:
            self._account.lose(leg, reason[0], detail=reason[1])

    def _timed(self, stream: Stream, placed: PlacedFrame) -> TimedFrame:
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

    def _mark(self, stream: Stream, codec: str) -> _Mark:
        return _Mark(
            TrackKey(stream.leg, stream.content, codec, stream.lane or 0),
            (stream.link, stream.number),
            self._link.timelines[stream.leg],
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
    """Without what was captured in a pause and came after it."""
    for frame in ordered:
        if not any(pause.start <= frame.time < pause.end for pause in pauses):
            yield frame


@dataclass(slots=True)
class _Holder:
    """Whose frames a track takes."""

    source: tuple[int, int]
    last: float


def _newest(ordered: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Of several streams for one track, the newest from its first frame on."""
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
