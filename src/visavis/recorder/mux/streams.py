"""RTP streams of one bridge, which are identified by their packets and the descriptions."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from sys import maxsize
from typing import Final, Literal, NamedTuple

from visavis.rtp.codecs import DEPACKETISERS, Frame
from visavis.rtp.codecs.rtx import unwrap_rtx
from visavis.rtp.extension import element
from visavis.rtp.leg_stats import MAX_STREAMS
from visavis.rtp.packet import RtpPacket, parse_rtp
from visavis.rtp.sdp import Codec
from visavis.rtp.timeline import KeptPackets, SenderTimeline, StreamClock
from visavis.spool.notes import Descriptions
from visavis.spool.payload_map import PayloadMap, read_payload_map

MAX_PACKETS_TO_MID: Final = 1000
"""A stream without a MID after this many packets has none.

Senders repeat the MID until they have received a receiver report.
"""

MAX_PACKETS_TO_RID: Final = 100
"""A stream without a RID after this many packets is not simulcast.

Senders send the RID together with the MID.
"""

MAX_SCREENS: Final = 1000
"""Limit of the changes of the media section with the screen; further ones are ignored."""

MIN_AUDIBLE_BYTES: Final = 10
"""Opus packets of silence are smaller than this."""

Content = Literal["audio", "video", "screen"]


class PlacedFrame(NamedTuple):
    """Frame with its codec, and the arrival and unwrapped sequence number of its last packet."""

    codec: str
    arrival: float
    number: int
    frame: Frame


class Packet(NamedTuple):
    """Media packet that was assigned to its stream.

    If `is_repair`, `rtp` is the original packet, which was retransmitted.
    """

    stream: RtpStream
    rtp: RtpPacket
    codec: str
    is_repair: bool = False


@dataclass(slots=True, eq=False)
class RtpStream:
    """RTP stream, and the results of the first pass over it.

    `first_epoch` and `last_epoch` are the numbers of the first and last descriptions, counted from
    0, during which it was sent. `packets` counts packets until it is identified. `last` is the
    arrival of its last packet. `firsts` has its first key frame in each codec. `is_declared` says
    whether a description has its SSRC. `audible` counts packets with more than silence. Streams of
    one leg and content that are sent at the same time have different `lane`s: 0 for the declared
    one, `None` if the stream is not recorded. `rid` is its simulcast layer, and `names_layers` says
    whether RIDs were negotiated. `is_lower_layer` is true for all simulcast layers but the largest.
    `size` is the largest width and height of a video with spatial layers.
    """

    bridge: int
    number: int
    leg: int
    ssrc: int
    is_audio: bool
    clock: StreamClock
    first_timestamp: int
    first_epoch: int
    last_epoch: int
    mid: str = ""
    packets: int = 0
    last: float = 0.0
    firsts: dict[str, PlacedFrame] = field(default_factory=dict)
    content: Content = "video"
    is_declared: bool = False
    audible: int = 0
    lane: int | None = 0
    is_lower_layer: bool = False
    rid: str = ""
    names_layers: bool = False
    size: tuple[int, int] | None = None

    @property
    def is_identified(self) -> bool:
        """Whether MID and RID are known, or can no longer be expected."""
        if not self.mid:
            return self.packets >= MAX_PACKETS_TO_MID
        return bool(self.rid) or not self.names_layers or self.packets >= MAX_PACKETS_TO_RID


class BridgeStreams:
    """Streams of a bridge, updated while its journal is read, which may happen more than once.

    `epoch` is the number of the current descriptions. `routes` has the stream and codec of
    identified packets by leg, SSRC and payload type; they are valid until the next descriptions.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.streams: dict[tuple[int, int], RtpStream] = {}
        self._opened = Counter[int]()
        self.timelines: defaultdict[int, SenderTimeline] = defaultdict(SenderTimeline)
        self._kept: defaultdict[int, KeptPackets] = defaultdict(KeptPackets)
        self._screens: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        self._known: defaultdict[int, dict[int, Codec]] = defaultdict(dict)
        self.rewind()

    def rewind(self) -> None:
        """Prepare for another pass. The streams found by earlier passes are kept."""
        self.epoch = -1
        self.payload_maps: defaultdict[int, PayloadMap] = defaultdict(PayloadMap)
        self._repaired: dict[tuple[int, int], int] = {}
        self._latest_video: dict[int, int] = {}
        self.routes: dict[tuple[int, int, int], tuple[RtpStream, str]] = {}

    def describe(self, note: Descriptions) -> None:
        """Apply new descriptions, which begin the next epoch."""
        self.epoch += 1
        self.routes.clear()
        described = {one.leg: read_payload_map(note, one) for one in note.legs}
        for leg in self.payload_maps.keys() | described.keys():
            payload_map = self.payload_maps[leg] = described.get(leg) or PayloadMap()
            self._known[leg].update(payload_map.codecs)
            screens = self._screens[leg]
            is_further = not screens or self.epoch > screens[-1][0]
            is_other = payload_map.screen_mid != (screens[-1][1] if screens else "")
            if is_further and is_other and len(screens) < MAX_SCREENS:
                screens.append((self.epoch, payload_map.screen_mid))
        for (leg, ssrc), stream in self.streams.items():
            stream.is_declared |= ssrc in self.payload_maps[leg].mids

    def codec(self, leg: int, payload_type: int) -> Codec | None:
        """Return the codec of a payload type, or `None`.

        If the current descriptions do not have it, all others are searched, as packets may arrive
        before the answer that describes them.
        """
        current = self.payload_maps[leg].codecs.get(payload_type)
        return current or self._known[leg].get(payload_type)

    def route(self, leg: int, data: bytes) -> Packet | None:
        """Assign a packet to its stream; a retransmission is replaced by the original packet.

        Returns `None` if it is malformed or its stream cannot be determined.
        """
        packet = parse_rtp(data)
        if packet is None:
            return None
        route = self.routes.get((leg, packet.ssrc, packet.payload_type))
        if route:
            return Packet(route[0], packet, route[1])
        return self._find(leg, packet, data)

    def _find(self, leg: int, packet: RtpPacket, data: bytes) -> Packet | None:
        codec = self.codec(leg, packet.payload_type)
        if codec is None:
            return None
        if codec.name == "RTX":
            return self._repair(leg, packet, codec, data)
        stream = self.streams.get((leg, packet.ssrc))
        if stream is None:
            if codec.name not in DEPACKETISERS or self._opened[leg] >= MAX_STREAMS:
                return None
            stream = self._open(leg, packet, codec)
        if stream.is_audio != (codec.name == "OPUS"):
            return None
        if not stream.is_identified:
            stream.packets += 1
            stream.mid = self._mid(leg, packet.ssrc, data) or stream.mid
            stream.rid = self._rid(leg, packet.ssrc, data) or stream.rid
        else:
            self.routes[leg, packet.ssrc, packet.payload_type] = stream, codec.name
        if not stream.is_audio:
            stream.names_layers = self.payload_maps[leg].rid_extension is not None
            self._latest_video[leg] = packet.ssrc
        return Packet(stream, packet, codec.name)

    def identify_contents(self) -> None:
        """Set each stream's content and fit the timelines. Call this after the first pass."""
        for stream in self.streams.values():
            stream.content = self._content(stream)
        for leg in self._opened:
            self.timelines[leg].fit(s.clock for s in self.streams.values() if s.leg == leg)

    def _open(self, leg: int, packet: RtpPacket, codec: Codec) -> RtpStream:
        is_audio = codec.name == "OPUS"
        room = self._kept[leg] if is_audio else None
        clock = StreamClock(codec.clock_rate or 90_000, room)
        stream = RtpStream(
            bridge=self.number,
            number=len(self.streams),
            leg=leg,
            ssrc=packet.ssrc,
            is_audio=is_audio,
            clock=clock,
            first_timestamp=packet.timestamp,
            first_epoch=max(0, self.epoch),
            last_epoch=max(0, self.epoch),
            is_declared=packet.ssrc in self.payload_maps[leg].mids,
        )
        self.streams[leg, packet.ssrc] = stream
        self._opened[leg] += 1
        return stream

    def _mid(self, leg: int, ssrc: int, data: bytes) -> str:
        payload_map = self.payload_maps[leg]
        return _text(data, payload_map.mid_extension) or payload_map.mids.get(ssrc, "")

    def _rid(self, leg: int, ssrc: int, data: bytes) -> str:
        payload_map = self.payload_maps[leg]
        return _text(data, payload_map.rid_extension) or payload_map.layers.get(ssrc, "")

    def _content(self, stream: RtpStream) -> Content:
        if stream.is_audio:
            return "audio"
        changes = [*self._screens[stream.leg], (maxsize, "")]
        screens = {
            mid
            for (since, mid), (until, _) in pairwise(changes)
            if since <= stream.last_epoch + 1 and stream.first_epoch < until
        }
        return "screen" if stream.mid and stream.mid in screens else "video"

    def _repair(self, leg: int, packet: RtpPacket, codec: Codec, data: bytes) -> Packet | None:
        ssrc = self._repaired.get((leg, packet.ssrc))
        if ssrc is None:
            ssrc = self._find_repaired(leg, packet.ssrc, data)
        media = self.codec(leg, codec.apt) if codec.apt is not None else None
        if ssrc is None or media is None or media.name not in DEPACKETISERS:
            return None
        unwrapped = unwrap_rtx(packet, codec.apt or 0, ssrc)
        if unwrapped is None:
            return None
        stream = self.streams.get((leg, ssrc))
        if stream is None and self._opened[leg] < MAX_STREAMS:
            # If the first key frame was lost, its retransmission may be the stream's first packet.
            stream = self._open(leg, unwrapped, media)
        if stream is None or stream.is_audio:
            return None
        return Packet(stream, unwrapped, media.name, True)

    def _find_repaired(self, leg: int, repair: int, data: bytes) -> int | None:
        """Return the SSRC that a stream of retransmissions repairs, or `None` if unknown.

        It is found by the description, else by MID and RID, else it is the latest video stream.
        """
        payload_map = self.payload_maps[leg]
        ssrc = payload_map.repairs.get(repair)
        if ssrc is None:
            mid, rid = self._mid(leg, repair, data), _text(data, payload_map.repaired_rid_extension)
            ssrc = self._latest_of(leg, mid, rid) if mid or rid else None
            if ssrc is None:
                return None if rid else self._latest_video.get(leg)
        self._repaired[leg, repair] = ssrc
        return ssrc

    def _latest_of(self, leg: int, mid: str, rid: str) -> int | None:
        """Return the SSRC of the latest video stream with this MID and RID; either may be empty."""
        matching = [
            stream.ssrc
            for stream in self.streams.values()
            if stream.leg == leg
            and not stream.is_audio
            and stream.mid == (mid or stream.mid)
            and stream.rid == (rid or stream.rid)
        ]
        return matching[-1] if matching else None


def _text(data: bytes, number: int | None) -> str:
    """Return the text in a packet's header extension with this ID, or an empty string."""
    found = element(data, number) if number is not None else None
    return found.decode("ascii", "replace") if found else ""
