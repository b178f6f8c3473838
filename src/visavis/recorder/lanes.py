"""Streams of one side that are sent at the same time, each on a lane of its own.

A side has one voice, one camera and one screen at a time, and a change of device or of the
description goes from one stream to the next. More streams at once are unusual: the one that the
session description declares is what the other browser plays. The others are kept too, as tracks
beside it, where they can be heard or seen.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from visavis.recorder.link import Content, Stream
from visavis.rtp.journal import JournalLeg

MAX_LANES: Final = 4
MAX_OVERLAP_SECONDS: Final = 3
"""Streams that follow each other may both be sent for so long."""

MIN_AUDIBLE_PACKETS: Final = 50


def assign_lanes(streams: list[Stream]) -> None:
    """Set the lane of every stream of a link."""
    groups: dict[tuple[JournalLeg, Content], list[Stream]] = defaultdict(list)
    for stream in streams:
        groups[stream.leg, stream.content].append(stream)
    for group in groups.values():
        if len(group) > 1:
            _assign(group)


def _assign(group: list[Stream]) -> None:
    lanes: list[set[int]] = []
    for stream in sorted(group, key=_preference):
        active = set(stream.clock.active_seconds())
        stream.lane = _free_lane(lanes, active)
        if stream.lane is not None and (stream.lane == 0 or _is_perceptible(stream)):
            lanes[stream.lane] |= active
        else:
            stream.lane = None


def _free_lane(lanes: list[set[int]], active: set[int]) -> int | None:
    for number, occupied in enumerate(lanes):
        if len(active & occupied) <= MAX_OVERLAP_SECONDS:
            return number
    if len(lanes) == MAX_LANES:
        return None
    lanes.append(set())
    return len(lanes) - 1


def _preference(stream: Stream) -> tuple[bool, bool, bool, int]:
    """Declared by SSRC, then by MID, then what can be heard or seen, then the earliest."""
    return not stream.is_declared, not stream.mid, not _is_perceptible(stream), stream.number


def _is_perceptible(stream: Stream) -> bool:
    if stream.is_audio:
        return stream.audible >= MIN_AUDIBLE_PACKETS
    return bool(stream.firsts)
