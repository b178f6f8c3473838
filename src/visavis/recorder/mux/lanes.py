"""Assignment of the streams that a leg sends at the same time to lanes, one track each.

A leg usually has one stream of audio, one of the camera and one of the screen at a time; a change
of device or of the description replaces one stream by another. If there are more, the other browser
plays the one that the session description declares, which gets lane 0. The others are recorded on
further tracks, if they are audible or visible. Layers of simulcast (RFC 8853) get a lane each, the
largest first; the first track shows the largest one that is being received.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import prod
from typing import Final

from visavis.recorder.mux.streams import Content, RtpStream
from visavis.recorder.mux.video_tracks import picture_size

MAX_LANES: Final = 4
MAX_OVERLAP_SECONDS: Final = 3
"""A stream and its successor may both be sent for up to this long."""

MIN_AUDIBLE_PACKETS: Final = 50
"""An audio stream with fewer packets of sound than this does not get a track of its own."""


def assign_lanes(streams: list[RtpStream]) -> None:
    """Set the lane of every stream of a bridge."""
    groups: dict[tuple[int, Content], list[RtpStream]] = defaultdict(list)
    for stream in streams:
        groups[stream.leg, stream.content].append(stream)
    for group in groups.values():
        if len(group) > 1:
            _assign(group)


@dataclass(slots=True)
class _Lane:
    """Lane: streams that follow each other and share a track.

    `active` are the seconds in which they sent, and `rids` the RIDs of their simulcast layers.
    """

    active: set[int] = field(default_factory=set)
    rids: set[str] = field(default_factory=set)

    def has_room(self, stream: RtpStream, active: set[int]) -> bool:
        """Whether the stream follows those of the lane and is not another layer of their video."""
        is_layer = bool(self.rids) and bool(stream.rid) and stream.rid not in self.rids
        return not is_layer and len(active & self.active) <= MAX_OVERLAP_SECONDS

    def add(self, stream: RtpStream, active: set[int]) -> None:
        self.active |= active
        self.rids |= {stream.rid} - {""}


def _assign(group: list[RtpStream]) -> None:
    lanes: list[_Lane] = []
    for stream in sorted(group, key=_preference):
        active = set(stream.clock.active_seconds())
        stream.lane = _free_lane(lanes, stream, active)
        if stream.lane is not None and (stream.lane == 0 or _is_perceptible(stream)):
            lanes[stream.lane].add(stream, active)
            stream.is_lower_layer = bool(stream.lane and stream.rid and lanes[0].rids)
        else:
            stream.lane = None


def _free_lane(lanes: list[_Lane], stream: RtpStream, active: set[int]) -> int | None:
    for number, lane in enumerate(lanes):
        if lane.has_room(stream, active):
            return number
    if len(lanes) == MAX_LANES:
        return None
    lanes.append(_Lane())
    return len(lanes) - 1


def _preference(stream: RtpStream) -> tuple[bool, bool, bool, int, int]:
    """Sort key: declared by SSRC, with MID, perceptible, then the largest layer, the earliest."""
    return (
        not stream.is_declared,
        not stream.mid,
        not _is_perceptible(stream),
        -_pixels(stream) if stream.rid else 0,
        stream.number,
    )


def _pixels(stream: RtpStream) -> int:
    sizes = [picture_size(codec, one.frame.data) for codec, one in stream.firsts.items()]
    return max(map(prod, filter(None, [stream.size, *sizes])), default=0)


def _is_perceptible(stream: RtpStream) -> bool:
    if stream.is_audio:
        return stream.audible >= MIN_AUDIBLE_PACKETS
    return bool(stream.firsts)
