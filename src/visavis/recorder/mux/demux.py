"""Second pass over a recording's journals: yields the frames of all tracks in order of time."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import Final

from visavis.recorder.mux.accounting import Loss, PacketAccount, Tally, loss_reason
from visavis.recorder.mux.depacketize import (
    HOLD_SECONDS,
    CaptureTimes,
    GatheredPacket,
    StreamDepacketiser,
    TimedFrame,
    TrackKey,
)
from visavis.recorder.mux.scan import Scan, Span, believable_blocks
from visavis.recorder.mux.streams import (
    BridgeStreams,
    Content,
    Packet,
    PlacedFrame,
    RtpStream,
)
from visavis.rtp.packet import HEADER, payload_start
from visavis.rtp.sequence import HeldBytes
from visavis.rtp.timeline import SenderTimeline
from visavis.spool.format import Block, RecordKind
from visavis.spool.notes import Descriptions, parse_note

SORT_SECONDS: Final = HOLD_SECONDS + 4.0
"""Window within which frames, which arrive roughly in order, are sorted by capture time."""

SORT_EVERY_SECONDS: Final = 4.0

MAX_SORTED_BYTES: Final = 64 * 1024 * 1024
"""Memory limit of the sort window. If it is exceeded, some frames may be out of order."""

TICK_US: Final = 1_000_000
"""Interval at which streams release frames held for reordering, even if no packet arrives."""

_time: Final = itemgetter(TimedFrame._fields.index("time"))

SILENT_SECONDS: Final = 2.0
"""If a newer stream sends nothing for this long, an older one may use its track again."""


def frames(scan: Scan, journals: list[Path], account: PacketAccount) -> Iterator[TimedFrame]:
    """Yield the frames of all tracks in order of capture time, in bounded memory.

    Raises `OSError` if a journal cannot be read. Updates `account`.
    """
    ordered = _in_order(_frames(scan, journals, account))
    frames = _from_newest_stream(_outside(scan.pauses, ordered) if scan.pauses else ordered)
    layered = {
        (stream.leg, stream.content)
        for bridge in scan.bridges
        for stream in bridge.streams.values()
        if stream.is_lower_layer
    }
    return _with_best_layer(frames, layered, scan) if layered else frames


def _frames(scan: Scan, journals: list[Path], account: PacketAccount) -> Iterator[TimedFrame]:
    """Yield frames in order of arrival, from all bridges together, as a transfer overlaps two."""
    held_bytes = HeldBytes()
    readers = [_JournalReader(bridge, account, held_bytes) for bridge in scan.bridges]
    blocks = [
        zip(believable_blocks(journal), repeat(reader), strict=False)
        for journal, reader in zip(journals, readers, strict=True)
    ]
    tick = 0
    for block, reader in heapq.merge(*blocks, key=_arrival):
        yield from reader.frames(block)
        last = block[1][-1][0]
        if not tick <= last < tick + TICK_US:
            tick = last
            for one in readers:
                yield from one.due(tick / 1e6)
    for reader in readers:
        yield from reader.rest()


def _arrival(item: tuple[Block, _JournalReader]) -> int:
    """Return the arrival of a block's first record; a block spans about half a second."""
    (_, records), _ = item
    return records[0][0]


_Flow = tuple[int, int, int]
"""Leg, SSRC and payload type."""


class _StreamReader:
    """Second pass over one stream: turns its packets into frames with capture times."""

    def __init__(
        self, stream: RtpStream, timeline: SenderTimeline, tally: Tally, held_bytes: HeldBytes
    ) -> None:
        self.depacketiser = StreamDepacketiser(stream, held_bytes)
        self.gathered = self.depacketiser.gathered
        self.flow: _Flow | None = None
        self._tally = tally
        self._tallied = 0
        self._stream = stream
        self._source = stream.bridge, stream.number
        self._times = CaptureTimes(stream, timeline)
        self._tracks: dict[str, TrackKey] = {}

    def push(self, packet: Packet, arrival: float) -> list[TimedFrame]:
        """Add a packet after the gathered ones; return the frames that are complete now."""
        self._tally_gathered()
        placed = self.depacketiser.push(packet, arrival)
        self._tallied = 0
        return [self.timed(one) for one in placed]

    def take_gathered(self) -> list[TimedFrame]:
        """Process the gathered packets; return the frames that are complete now."""
        self._tally_gathered()
        placed = self.depacketiser.take_gathered()
        self._tallied = len(self.gathered)
        return [self.timed(one) for one in placed]

    def _tally_gathered(self) -> None:
        self._tally.receive_all([packet[2] for packet in self.gathered[self._tallied :]])

    def timed(self, placed: PlacedFrame) -> TimedFrame:
        """Return a frame with its track and capture time."""
        codec, arrival, _, (_, is_key, data, packets, _) = placed
        track = self._tracks.get(codec)
        if track is None:
            stream = self._stream
            track = self._tracks[codec] = TrackKey(
                stream.leg, stream.content, codec, stream.lane or 0
            )
        self._tally.assembled += packets
        time = self._times.time(placed)
        # Equal to `TimedFrame(…)`, which takes twice as long.
        return tuple.__new__(
            TimedFrame, (time, track, self._source, is_key, data, packets, arrival)
        )


class _JournalReader:
    """Second pass over one bridge's journal.

    `_flows` has the lists to which packets of an identified stream are added without parsing them.
    """

    def __init__(
        self, bridge: BridgeStreams, account: PacketAccount, held_bytes: HeldBytes
    ) -> None:
        self._bridge = bridge
        self._account = account
        self._held_bytes = held_bytes
        self._flows: dict[_Flow, Callable[[GatheredPacket], None]] = {}
        self._streams: dict[RtpStream, _StreamReader] = {}
        bridge.rewind()

    def frames(self, block: Block) -> Iterator[TimedFrame]:
        """Yield the frames that are complete with the records of a block."""
        body, records = block
        flows, unpack, header_size = self._flows, HEADER.unpack_from, HEADER.size
        media, note = RecordKind.RTP, RecordKind.NOTE
        for arrival_us, kind, leg, start, end in records:
            if kind is not media:
                if kind is note:
                    self._note(body[start:end])
                continue
            if not leg:
                continue
            if end - start > header_size:
                first, second, sequence_number, timestamp, ssrc = unpack(body, start)
                gather = flows.get((leg, ssrc, second & 0x7F))
                if gather:
                    begin = payload_start(body, first, start, end)
                    if begin < end:
                        payload = body[begin:end]
                        gather((sequence_number, timestamp, arrival_us / 1e6, second, payload))
                        continue
            yield from self._route(arrival_us / 1e6, leg, body[start:end])
        for stream in self._streams.values():
            if stream.gathered:
                yield from stream.take_gathered()

    def _route(self, arrival: float, leg: int, data: bytes) -> list[TimedFrame]:
        """Assign a packet to its stream; return the frames that are complete now."""
        packet = self._bridge.route(leg, data)
        if packet is None:
            self._lose(leg, data)
            return []
        if packet.stream.lane is None:
            self._account.lose(leg, Loss.BESIDE_ANOTHER, detail=packet.stream.content)
            return []
        self._account.receive(packet, arrival)
        stream = self._streams.get(packet.stream) or self._open(packet.stream)
        frames = stream.push(packet, arrival)
        if not packet.is_repair:
            self._gather_in(stream, (leg, packet.rtp.ssrc, packet.rtp.payload_type), packet.codec)
        return frames

    def _gather_in(self, stream: _StreamReader, flow: _Flow, codec: str) -> None:
        """Gather further packets of an identified flow, and no longer the stream's previous one.

        A stream gathers packets of only one payload type at a time.
        """
        if stream.flow and stream.flow != flow:
            self._flows.pop(stream.flow, None)
        if flow in self._bridge.routes:
            stream.flow = flow
            stream.depacketiser.gathered_codec = codec
            self._flows[flow] = stream.gathered.append

    def _open(self, stream: RtpStream) -> _StreamReader:
        timeline = self._bridge.timelines[stream.leg]
        reader = _StreamReader(stream, timeline, self._account.tally(stream), self._held_bytes)
        self._streams[stream] = reader
        return reader

    def due(self, now: float) -> Iterator[TimedFrame]:
        """Yield the frames of packets that were held for reordering long enough."""
        for stream in self._streams.values():
            for placed in stream.depacketiser.due(now):
                yield stream.timed(placed)

    def rest(self) -> Iterator[TimedFrame]:
        """Yield the remaining frames at the end of the journal."""
        for stream in self._streams.values():
            for placed in stream.depacketiser.flush():
                yield stream.timed(placed)

    def _note(self, payload: bytes) -> None:
        note = parse_note(payload)
        if isinstance(note, Descriptions):
            self._bridge.describe(note)
            self._flows.clear()

    def _lose(self, leg: int, data: bytes) -> None:
        reason = loss_reason(self._bridge, leg, data)
        if reason:
            self._account.lose(leg, reason[0], detail=reason[1])


def _in_order(unsorted: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Sort frames by capture time within a window, in bounded memory.

    The frames of each stream are nearly in order, so sorting many of them at once is cheap.
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
            ready = held[:due]
            del held[:due]
            size -= sum([len(one.data) for one in ready])
            yield from ready
            sort_at = newest + SORT_EVERY_SECONDS
    held.sort(key=_time)
    yield from held


def _outside(pauses: list[Span], ordered: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Drop frames captured in a pause: retransmitted packets may arrive after it."""
    for frame in ordered:
        if not any(pause.start <= frame.time < pause.end for pause in pauses):
            yield frame


@dataclass(slots=True)
class _Holder:
    """Stream that currently provides a track's frames, and the time of its last frame."""

    source: tuple[int, int]
    last: float


def _from_newest_stream(ordered: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Yield only the frames of the newest stream of each track, from its first key frame on."""
    holders: dict[tuple[int, Content, int], _Holder] = {}
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


class _LayerSwitch:
    """Selects the simulcast layer that the first track of a video shows."""

    def __init__(self) -> None:
        self._shown = 0
        self._last: float | None = None

    def shows(self, frame: TimedFrame) -> bool:
        """Whether a frame is shown: it belongs to the largest layer that is being received.

        A switch to another layer happens only at a key frame.
        """
        lane, time = frame.track.lane, frame.time
        if self._last is None:
            self._last = time
        is_better = lane < self._shown or time - self._last > SILENT_SECONDS
        if frame.is_key and is_better:
            self._shown = lane
        if lane == self._shown:
            self._last = time
        return lane == self._shown


def _with_best_layer(
    ordered: Iterable[TimedFrame], layered: set[tuple[int, Content]], scan: Scan
) -> Iterator[TimedFrame]:
    """Also show lower simulcast layers in the first track while the largest is not sent."""
    switches = {part: _LayerSwitch() for part in layered}
    tracks = {track.key for track in scan.tracks}
    for frame in ordered:
        track = frame.track
        switch = switches.get((track.leg, track.content))
        if switch is None:
            yield frame
            continue
        first = track._replace(lane=0)
        is_shown = first in tracks and switch.shows(frame)
        if is_shown and track.lane:
            yield frame._replace(track=first, packets=0)
        if is_shown or track.lane:
            yield frame


def _takes_over(frame: TimedFrame, holder: _Holder) -> bool:
    is_newer = frame.source > holder.source
    return frame.is_key and (is_newer or frame.time - holder.last > SILENT_SECONDS)
