"""Account of a recording's packets: received, written, superseded, or lost with a reason.

It describes media that was received but is not in the file in sentences for people. A recording
with any such sentence is incomplete.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.recorder.mux.depacketize import TimedFrame, TrackKey
from visavis.recorder.mux.streams import BridgeStreams, Content, Packet, RtpStream
from visavis.rtp.codecs import DEPACKETISERS
from visavis.rtp.packet import parse_rtp
from visavis.spool.format import NO_LEG

MAX_STRAY_PACKETS: Final = 50
"""Losses of up to this many packets of one kind and leg are not reported: one second of audio."""

LEAST_SECONDS: Final[dict[Content, int]] = {"audio": 2, "video": 4, "screen": 4}
"""Shortest span with packets but without frames that is reported, in seconds.

Browsers tolerate about three seconds without a video frame.
"""

RTX: Final = "RTX"
MAX_SPANS: Final = 3
"""Number of missing spans of a track that are listed individually."""

Part = tuple[int, Content]
"""Leg and content, such as audio."""

LEG_NAMES: Final = {VISITOR_LEG: "visitor", AGENT_LEG: "agent"}


class Loss(StrEnum):
    """Reasons why received packets are not in the file. They complete "N packets are missing:"."""

    UNREADABLE = "they are not RTP"
    UNKNOWN_FORMAT = "the recorder does not know their format"
    TOO_MANY_STREAMS = "they belong to more streams than the recorder follows"
    UNKNOWN_STREAM = "they are retransmissions for streams that were never received"
    OTHER_KIND = "their stream changed between audio and video"
    BESIDE_ANOTHER = "they belong to additional streams that were silent or too many"
    REFUSED = "they could not be written to the file"


@dataclass(slots=True)
class Tally:
    """Counts of the packets of one stream. `seconds` since the epoch are those with any packet."""

    received: int = 0
    repairs: int = 0
    assembled: int = 0
    second: int = 0
    seconds: set[int] = field(default_factory=set)

    def receive(self, arrival: float) -> None:
        """Count a packet that is neither a retransmission nor empty.

        `arrival` is in seconds since the epoch.
        """
        self.received += 1
        if not 0 <= arrival - self.second < 1:
            self.second = int(arrival)
            self.seconds.add(self.second)

    def receive_all(self, arrivals: Iterable[float]) -> None:
        """Count several packets like `receive`."""
        seconds = [int(arrival) for arrival in arrivals]
        self.received += len(seconds)
        self.seconds.update(seconds)


@dataclass(slots=True)
class WrittenTally:
    """Counts of the packets of one track that are in the file, and the seconds of their arrival."""

    packets: int = 0
    second: int = 0
    seconds: set[int] = field(default_factory=set)

    def write(self, packets: int, arrival: float) -> None:
        """Count the packets of a frame that was written to the file."""
        if packets:
            self.packets += packets
            if not 0 <= arrival - self.second < 1:
                self.second = int(arrival)
                self.seconds.add(self.second)


class PacketAccount:
    """Counts all media packets of a recording, by the names of the legs."""

    def __init__(self, leg_names: Mapping[int, str] = LEG_NAMES) -> None:
        self._names = {**leg_names, NO_LEG: "server"}
        self._streams: defaultdict[RtpStream, Tally] = defaultdict(Tally)
        self._written: defaultdict[TrackKey, WrittenTally] = defaultdict(WrittenTally)
        self._losses: Counter[tuple[int, Loss, str]] = Counter()
        self.lost_records = 0
        self.stops: list[tuple[float, str]] = []

    def tally(self, stream: RtpStream) -> Tally:
        """Return the counts of a stream, which its reader updates."""
        return self._streams[stream]

    def receive(self, packet: Packet, arrival: float) -> None:
        """Count a packet that was assigned to a stream; `arrival` in seconds since the epoch."""
        if not packet.rtp.payload:
            return  # Browsers send empty packets to probe the bandwidth.
        tally = self._streams[packet.stream]
        if packet.is_repair:
            tally.repairs += 1  # Its second is not counted: it may repeat a much older packet.
        else:
            tally.receive(arrival)

    def written(self, track: TrackKey) -> WrittenTally:
        """Return the counts of a track, which its writer updates."""
        return self._written[track]

    def refuse(self, frame: TimedFrame) -> None:
        """Count the packets of a frame that FFmpeg cannot store."""
        if frame.packets:
            leg, content = frame.track.leg, frame.track.content
            self._losses[leg, Loss.REFUSED, content] += frame.packets

    def lose(self, leg: int, loss: Loss, packets: int = 1, detail: str = "") -> None:
        """Count packets that will not be in any written frame."""
        self._losses[leg, loss, detail] += packets

    def totals(self) -> dict[str, dict[str, int]]:
        """Return the counts by leg and content, such as `visitor video`, and the losses by leg.

        `unused` packets repeat others or belong to frames that remained incomplete. Of the
        `written` packets, `beside` are on further tracks, because the leg sent several streams at
        the same time.
        """
        totals: dict[str, dict[str, int]] = {}
        for part, tallies in self._parts().items():
            received = sum(tally.received + tally.repairs for tally in tallies)
            assembled = sum(tally.assembled for tally in tallies)
            written = sum(one.packets for one in self._written_of(part))
            refused = self._losses[part[0], Loss.REFUSED, part[1]]
            totals[f"{self._name(part[0])} {part[1]}"] = {
                "received": received,
                "written": written,
                "superseded": assembled - written - refused,
                "refused": refused,
                "unused": received - assembled,
            }
            beside = sum(one.packets for key, one in self._written.items() if _is_beside(key, part))
            if beside:
                totals[f"{self._name(part[0])} {part[1]}"]["beside"] = beside
        for (leg, loss, _), packets in sorted(self._losses.items()):
            if loss is not Loss.REFUSED:
                of_leg = totals.setdefault(self._name(leg), {})
                name = loss.name.lower()
                of_leg[name] = of_leg.get(name, 0) + packets
        return totals

    def _name(self, leg: int) -> str:
        return self._names.get(leg) or f"leg {leg}"

    def missing(self, start: float) -> tuple[str, ...]:
        """Return sentences about received media that is not in the file.

        `start` is the beginning of the file in seconds since the epoch.
        """
        return (*self._lost(), *self._not_whole(start), *self._not_recorded(start))

    def _parts(self) -> dict[Part, list[Tally]]:
        parts: defaultdict[Part, list[Tally]] = defaultdict(list)
        for stream, tally in self._streams.items():
            if tally.received or tally.repairs:
                parts[stream.leg, stream.content].append(tally)
        return dict(sorted(parts.items()))

    def _written_of(self, part: Part) -> list[WrittenTally]:
        return [written for key, written in self._written.items() if key[:2] == part]

    def _lost(self) -> Iterator[str]:
        for (leg, loss, detail), packets in sorted(self._losses.items()):
            if packets > MAX_STRAY_PACKETS:
                said = f" ({detail})" if detail else ""
                yield f"{packets} packets of the {self._name(leg)}{said} are missing: {loss}."

    def _not_whole(self, start: float) -> Iterator[str]:
        for part, tallies in self._parts().items():
            leg, content = part
            received = set().union(*(tally.seconds for tally in tallies))
            written = set().union(*(one.seconds for one in self._written_of(part)))
            spans = [
                span
                for span in _spans(received, written)
                if span[1] - span[0] >= LEAST_SECONDS[content]
            ]
            if not spans:
                continue
            told = ", ".join(_span(span, start) for span in spans[:MAX_SPANS])
            more = f" and {len(spans) - MAX_SPANS} more times" if len(spans) > MAX_SPANS else ""
            yield (
                f"The {self._name(leg)}'s {content} is missing {told}{more}, although "
                "packets arrived: no complete frame could be assembled."
            )

    def _not_recorded(self, start: float) -> Iterator[str]:
        for at, why in self.stops:
            since = _clock(at - start)
            yield f"Everything from {since} on is missing: the recording was stopped because {why}."
        if self.lost_records:
            yield f"{self.lost_records} packets are missing: the disk was too slow for them."


def _is_beside(key: TrackKey, part: Part) -> bool:
    return key[:2] == part and key.lane > 0


def loss_reason(bridge: BridgeStreams, leg: int, data: bytes) -> tuple[Loss, str] | None:
    """Return the reason why a packet has no stream, with a detail; `None` if it has no media."""
    packet = parse_rtp(data)
    if packet is None:
        return Loss.UNREADABLE, ""
    if not packet.payload:
        return None
    codec = bridge.codec(leg, packet.payload_type)
    if codec is None or codec.name not in (*DEPACKETISERS, RTX):
        name = codec.name if codec else f"payload type {packet.payload_type}"
        return Loss.UNKNOWN_FORMAT, name
    if codec.name == RTX:
        return Loss.UNKNOWN_STREAM, ""
    is_known = (leg, packet.ssrc) in bridge.streams
    return (Loss.OTHER_KIND if is_known else Loss.TOO_MANY_STREAMS), ""


def _spans(received: set[int], written: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each span of seconds with packets but without frames.

    A frame may be completed in the second after that of its first packet.
    """
    run: list[int] = []
    for second in [*sorted(received), None]:
        if second is not None and not _has_frame(second, written):
            run.append(second)
        elif run:
            yield run[0], run[0] + len(run)
            run = []


def _has_frame(second: int, written: Iterable[int]) -> bool:
    return second in written or second + 1 in written


def _span(span: tuple[int, int], start: float) -> str:
    return f"for {span[1] - span[0]} s from {_clock(span[0] - start)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"
