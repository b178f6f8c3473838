"""A second reading of a recording's journals: the frames of every track in order of time."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter
from pathlib import Path
from typing import Final

from visavis.recorder.accounting import Account, Loss, loss_of
from visavis.recorder.link import Content, Link, PlacedFrame, Stream
from visavis.recorder.pipeline import HOLD_SECONDS, Pipeline, TimedFrame, TrackKey, capture_time
from visavis.recorder.survey import Span, Survey, read_records
from visavis.rtp.journal import JournalLeg, Record, RecordKind
from visavis.rtp.notes import Descriptions, parse_note
from visavis.rtp.sequence import HeldBytes

SORT_SECONDS: Final = HOLD_SECONDS + 4.0
"""Frames come in order of arrival; this far apart they are put into order of time."""

SORT_EVERY_SECONDS: Final = 4.0

MAX_SORTED_BYTES: Final = 64 * 1024 * 1024
"""More is not kept in memory: of a faster stream, some frames may come out of order."""

TICK_US: Final = 1_000_000
"""So often streams are asked for frames that they hold back, whether a packet comes or not."""

_time: Final = attrgetter("time")

SILENT_SECONDS: Final = 2.0
"""An older stream may have its track back when the newer has sent nothing for so long."""


def frames(found: Survey, journals: list[Path], account: Account) -> Iterator[TimedFrame]:
    """What the tracks hold, in order of time and in bounded memory. Raises `OSError`."""
    ordered = _in_order(_frames(found, journals, account))
    return _newest(_outside(found.pauses, ordered) if found.pauses else ordered)


def _frames(found: Survey, journals: list[Path], account: Account) -> Iterator[TimedFrame]:
    """In order of arrival, over all links at once: they overlap while a call moves over."""
    held_bytes = HeldBytes()
    readings = [_Reading(link, account, held_bytes) for link in found.links]
    read = [
        zip(read_records(journal), repeat(reading), strict=False)
        for journal, reading in zip(journals, readings, strict=True)
    ]
    tick = 0
    media, note = RecordKind.RTP, RecordKind.NOTE
    for record, reading in heapq.merge(*read, key=_arrival) if len(read) > 1 else read[0]:
        arrival_us, kind, _, _ = record
        if kind is media:
            if timed := reading.packet(record):
                yield from timed
        elif kind is note:
            reading.note(record)
        if not tick <= arrival_us < tick + TICK_US:
            tick = arrival_us
            for one in readings:
                yield from one.due(tick / 1e6)
    for reading in readings:
        yield from reading.rest()


def _arrival(item: tuple[Record, _Reading]) -> int:
    return item[0].arrival_us


class _Reading:
    """The second reading of one link's journal."""

    def __init__(self, link: Link, account: Account, held_bytes: HeldBytes) -> None:
        self._link = link
        self._account = account
        self._held_bytes = held_bytes
        self._pipelines: dict[Stream, Pipeline] = {}
        self._keys: dict[tuple[Stream, str], TrackKey] = {}
        link.rewind()

    def packet(self, record: Record) -> list[TimedFrame]:
        if not record.leg:
            return []
        packet = self._link.route(record.leg, record.payload)
        if packet is None:
            self._lose(record)
            return []
        if packet.stream.lane is None:
            self._account.lose(record.leg, Loss.BESIDE_ANOTHER, detail=packet.stream.content)
            return []
        self._account.receive(packet, record.arrival_us, is_repair=packet.is_repair)
        pipeline = self._pipelines.get(packet.stream)
        if pipeline is None:
            pipeline = Pipeline(packet.stream, self._held_bytes)
            self._pipelines[packet.stream] = pipeline
        due = pipeline.push(packet, record.arrival_us / 1e6)
        return [self._timed(packet.stream, placed) for placed in due] if due else []

    def due(self, now: float) -> Iterator[TimedFrame]:
        """Release the packets that streams have held back for long enough."""
        for stream, pipeline in self._pipelines.items():
            for placed in pipeline.due(now):
                yield self._timed(stream, placed)

    def rest(self) -> Iterator[TimedFrame]:
        for stream, pipeline in self._pipelines.items():
            for placed in pipeline.flush():
                yield self._timed(stream, placed)

    def note(self, record: Record) -> None:
        note = parse_note(record.payload)
        if isinstance(note, Descriptions):
            self._link.describe(note)

    def _lose(self, record: Record) -> None:
        reason = loss_of(self._link, record.leg, record.payload)
        if reason:
            self._account.lose(record.leg, reason[0], detail=reason[1])

    def _timed(self, stream: Stream, placed: PlacedFrame) -> TimedFrame:
        codec, arrival, _, frame = placed
        key = self._keys.get((stream, codec))
        if key is None:
            key = TrackKey(stream.leg, stream.content, codec, stream.lane or 0)
            self._keys[stream, codec] = key
        time = capture_time(stream, self._link.timelines[stream.leg], placed)
        source = (stream.link, stream.number)
        timed = TimedFrame(time, key, source, frame.is_key, frame.data, frame.packets, arrival)
        self._account.assemble(stream, timed)
        return timed


def _in_order(unsorted: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Sort by time within a window, in bounded memory.

    The frames of each stream are nearly in order: to sort many at once costs little for each.
    """
    held: list[TimedFrame] = []
    newest, size, sort_at = 0.0, 0, 0.0
    for frame in unsorted:
        held.append(frame)
        size += len(frame.data)
        if frame.time > newest:
            newest = frame.time
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
    for frame in ordered:
        part = frame.track.leg, frame.track.content, frame.track.lane
        holder = holders.get(part)
        if holder is None or (holder.source != frame.source and _takes_over(frame, holder)):
            if not frame.is_key:
                continue
            holder = holders[part] = _Holder(frame.source, frame.time)
        if holder.source == frame.source:
            holder.last = frame.time
            yield frame


def _takes_over(frame: TimedFrame, holder: _Holder) -> bool:
    is_newer = frame.source > holder.source
    return frame.is_key and (is_newer or frame.time - holder.last > SILENT_SECONDS)
