"""Plan of a recording's parts for browsers, which play only one video track of a file.

A side's voice and first picture make one part, so that its lips are in step whatever the page
does; every further track makes one of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

import msgspec

from visavis.archive.media_info import Track

INDEX: Final = "parts.json"
"""Lists the parts beside them; written last, so they are whole where it is."""

_WEBM: Final = frozenset({"vp8", "vp9", "av1", "opus", "vorbis"})
_MP4: Final = frozenset({"h264", "hevc", "av1", "opus", "aac", "mp3"})
_NAMES: Final[Mapping[str, str]] = {"video": "", "audio": "-audio", "screen": "-screen"}


class PlannedPart(msgspec.Struct, frozen=True):
    """A part that is to be made; `kind` is video, audio or screen."""

    name: str
    side: str
    kind: str
    tracks: tuple[Track, ...]
    suffix: str
    participants: tuple[int, ...] = ()

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.suffix}"

    @property
    def media_type(self) -> str:
        return f"{'audio' if self.kind == 'audio' else 'video'}/{self.suffix}"


class PartInfo(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A part that is there. It begins and ends at these seconds of the recording's timeline.

    `pictures` are the spans in which there is something to see.
    """

    name: str
    side: str
    kind: str
    file_name: str
    media_type: str
    begins: float
    ends: float
    pictures: tuple[tuple[float, float], ...] = ()
    participants: tuple[int, ...] = ()


def plan(tracks: Iterable[Track]) -> list[PlannedPart]:
    """Return the parts that can be made of these tracks without transcoding."""
    parts, sides = list[PlannedPart](), Counter[str]()
    for (side, _), own in groupby(sorted(tracks, key=_rank), key=seat):
        sides[side] += 1
        name = f"{side or 'other'}{sides[side] if sides[side] > 1 else ''}"
        parts += _of_seat(name, list(own))
    return parts


def seat(track: Track) -> tuple[str, tuple[int, ...]]:
    """Return the place of a track's participants: those who are on the same tracks share one."""
    return track.side, track.participants


def seat_rank(place: tuple[str, tuple[int, ...]]) -> tuple[bool, bool, tuple[int, ...]]:
    """Order of the places: visitors, then agents, each in the order of their numbers."""
    side, participants = place
    return side != "visitor", side != "agent", participants


def _rank(track: Track) -> tuple[tuple[bool, bool, tuple[int, ...]], str, int]:
    return seat_rank(seat(track)), track.kind, track.number


def _of_seat(name: str, tracks: list[Track]) -> Iterator[PlannedPart]:
    voices = [track for track in tracks if track.kind == "audio"][:1]
    faces = [track for track in tracks if track.kind == "video"][:1]
    yield from _part(name, "video" if faces else "audio", voices + faces)
    for track in tracks:
        if track not in voices + faces:
            number = f"-{track.number}" if track.number > 1 or track.kind != "screen" else ""
            yield from _part(f"{name}{_NAMES[track.kind]}{number}", track.kind, [track])


def _part(name: str, kind: str, tracks: list[Track]) -> Iterator[PlannedPart]:
    codecs = {track.codec for track in tracks}
    container = "webm" if codecs <= _WEBM else "mp4" if codecs <= _MP4 else ""
    if codecs and container:
        side, participants = seat(tracks[0])
        yield PlannedPart(name, side, kind, tuple(tracks), container, participants)
